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

// Wiring is what the configuration says is connected to a board, for pictures
// and remedies; of several readers the one at index i.
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

// displayLines are the lines of a display that has its own, in the order of
// its terminals and by what is printed beside them.
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

// UseBoard gives the readers of a configuration that names no lines the board's
// usual ones: the default names are a Raspberry Pi's.
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

// Wanted are all lines that the configuration names.
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
	}{{"green light", cfg.Lights.Green}, {"red light", cfg.Lights.Red}, {"beeper", cfg.Lights.Beeper}} {
		if o.out != nil {
			all = append(all, namedOutput{o.name, *o.out})
		}
	}
	return all
}

// lines are a reader's real lines, taken again whenever they come back.
func (d *Daemon) lines(rc config.Reader) gpio.Source {
	bias, _ := gpio.ParseBias(rc.Bias) // the configuration was checked
	log := d.o.Log.With("reader", rc.Name)
	open := func() (gpio.Adjustable, error) {
		return d.board.OpenReader(rc.Data0, rc.Data1, gpio.Request{ActiveLow: rc.ActiveLow, Bias: bias})
	}
	return gpio.Dial(open, func(s gpio.Status) {
		if s.Err != nil {
			log.Error("no lines", "err", s.Err, "remedy", gpio.Hint(s.Err), "retry", s.Retry)
		} else {
			log.Info("lines", "are", s.Lines)
		}
		d.fault(rc.Name, s.Err)
	})
}

// fault notes that a reader has no lines, or has them again; staff see it on
// the idle screen.
func (d *Daemon) fault(reader string, err error) {
	d.mu.Lock()
	if err != nil {
		d.faults[reader] = err
	} else {
		delete(d.faults, reader)
	}
	d.mu.Unlock()
	d.Panel.Poke()
}

// lights are the lines of lights and beeper, nil where there are none. One that
// can't be had now is done without until it can.
func (d *Daemon) lights() (green, red, beeper panel.Output) {
	if d.o.Sim {
		return nil, nil, nil
	}
	for _, o := range outputs(d.o.Config) {
		line := d.output(o.Output)
		if err := line.Set(false); err != nil {
			d.o.Log.Error("no output", "output", o.name, "err", err, "remedy", gpio.Hint(err))
		}
		d.lamps = append(d.lamps, selftest.Lamp{Name: o.name, Out: line})
		switch o.name {
		case "green light":
			green = line
		case "red light":
			red = line
		case "beeper":
			beeper = line
		}
	}
	return green, red, beeper
}
