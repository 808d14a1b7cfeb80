package daemon

import (
	"slices"
	"strings"

	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/hw/wiring"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/panel"
)

// Wiring is what the configuration connects to a board, for pictures and
// remedies; of the readers only the one at index i.
func Wiring(cfg *config.Config, b *board.Board, i int) *wiring.Plan {
	r := cfg.Readers[i]
	w := &wiring.Plan{
		Board: b, Data: [2]string{r.Data0, r.Data1}, Colours: r.Colours,
		Divider: r.Converter == "divider", Display: cfg.Display.Kind, Keyboard: cfg.Keyboard.Device != "off",
	}
	for _, o := range outputs(cfg) {
		w.Outputs = append(w.Outputs, wiring.Output{Name: o.name, Line: o.Line, ActiveLow: o.ActiveLow})
	}
	w.DisplayLines = displayLines(cfg)
	return w
}

// ReaderIndex finds a reader by its name; without a name it is the first.
func ReaderIndex(cfg *config.Config, name string) (int, error) {
	if name == "" {
		return 0, nil
	}
	names := readerNames(cfg)
	if i := slices.Index(names, name); i >= 0 {
		return i, nil
	}
	return 0, hint.Errorf("the configuration has "+strings.Join(names, ", "), "there is no reader %q", name)
}

func readerNames(cfg *config.Config) (names []string) {
	for _, r := range cfg.Readers {
		names = append(names, r.Name)
	}
	return names
}

// displayLines are the lines of a display that is wired to the header, in the
// order of its terminals, by what is printed beside them.
func displayLines(cfg *config.Config) (lines []wiring.DisplayLine) {
	if cfg.Display.Kind != "hd44780-gpio" {
		return nil
	}
	for _, name := range []string{"rs", "e", "d4", "d5", "d6", "d7", "light"} {
		if line, ok := cfg.Display.Lines[name]; ok {
			lines = append(lines, wiring.DisplayLine{Point: strings.ToUpper(name), Line: line})
		}
	}
	return lines
}

// UseBoard replaces the default lines of readers, which are a Raspberry Pi's, by
// those of another board.
func UseBoard(cfg *config.Config, b *board.Board) {
	if b == nil || b.Data0 == "" {
		return
	}
	if _, ok := b.BySignal(config.DefaultData0); ok {
		return
	}
	for i := range cfg.Readers {
		if r := &cfg.Readers[i]; r.Data0 == config.DefaultData0 && r.Data1 == config.DefaultData1 {
			r.Data0, r.Data1 = b.Data0, b.Data1
		}
	}
}

// Wanted lists all lines that the configuration names.
func Wanted(cfg *config.Config) []board.Wanted {
	var lines []board.Wanted
	for _, r := range cfg.Readers {
		lines = append(lines, board.Wanted{Role: r.Name + " DATA0", Name: r.Data0}, board.Wanted{Role: r.Name + " DATA1", Name: r.Data1})
	}
	for _, o := range outputs(cfg) {
		lines = append(lines, board.Wanted{Role: o.name, Name: o.Line})
	}
	for _, l := range displayLines(cfg) {
		lines = append(lines, board.Wanted{Role: "display " + l.Point, Name: l.Line})
	}
	return lines
}

// The lights and the beeper, as people call them.
const (
	green  = "green light"
	red    = "red light"
	beeper = "beeper"
)

// namedOutput is a configured light or beeper.
type namedOutput struct {
	name string
	config.Output
}

func outputs(cfg *config.Config) []namedOutput {
	var all []namedOutput
	for _, o := range []struct {
		name string
		out  *config.Output
	}{{green, cfg.Lights.Green}, {red, cfg.Lights.Red}, {beeper, cfg.Lights.Beeper}} {
		if o.out != nil {
			all = append(all, namedOutput{o.name, *o.out})
		}
	}
	return all
}

// lights are the lines of lights and beeper, by name. One that can't be taken
// now stays dark until it can.
func (d *Daemon) lights() map[string]panel.Output {
	if d.o.Sim {
		return nil
	}
	lines := map[string]panel.Output{}
	for _, o := range outputs(d.o.Config) {
		line := d.output(o.Output)
		if err := line.Set(false); err != nil {
			d.o.Log.Error("no output", "output", o.name, "err", err, "remedy", gpio.Hint(err))
		}
		d.lamps = append(d.lamps, selftest.Lamp{Name: o.name, Out: line})
		lines[o.name] = line
	}
	return lines
}
