package daemon

import (
	"log/slog"
	"slices"
	"strings"
	"sync"

	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/hw/wiring"
	"stump/internal/config"
	"stump/internal/hint"
	"stump/internal/keyboard"
	"stump/internal/panel"
	"stump/internal/reader"
	"stump/lcd"
)

// Wiring is what the configuration connects to a board, for pictures and
// remedies; of the readers only the one at index i.
func Wiring(cfg *config.Config, b *board.Board, i int) *wiring.Plan {
	r := cfg.Readers[i]
	data0, data1 := r.Wires()
	w := &wiring.Plan{
		Board: b, Kind: r.Kind, Port: r.Device.Path, Data: [2]string{data0, data1}, Colours: r.Colours,
		Divider: r.Converter == "divider", Display: cfg.Display.Kind, Keyboard: cfg.Keyboard.Device != "off",
	}
	for _, o := range cfg.Outputs() {
		w.Outputs = append(w.Outputs, wiring.Output{Name: o.Name, Line: o.Line, ActiveLow: o.ActiveLow})
	}
	for _, name := range cfg.Display.Terminals() {
		w.DisplayLines = append(w.DisplayLines, wiring.DisplayLine{Point: strings.ToUpper(name), Line: cfg.Display.Lines[name]})
	}
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
func Wanted(cfg *config.Config) (lines []board.Wanted) {
	for _, l := range cfg.Lines() {
		lines = append(lines, l.Wanted)
	}
	return lines
}

// lights are the lines of lights and beeper, by their keys. One that can't be
// taken now stays dark until it can.
func (d *Daemon) lights() map[string]panel.Output {
	if d.o.Sim {
		return nil
	}
	lines := map[string]panel.Output{}
	d.lamps = lamps(d.o.Config, d.board)
	for i, o := range d.o.Config.Outputs() {
		line := d.lamps[i].Out
		if err := line.Set(false); err != nil {
			d.o.Log.Error("no output", "output", o.Name, "err", err, "remedy", gpio.Hint(err))
		}
		lines[o.Key] = line
	}
	return lines
}

// lamps are the lights and the beeper, not yet taken.
func lamps(cfg *config.Config, b *board.Board) (all []selftest.Lamp) {
	for _, o := range cfg.Outputs() {
		req := gpio.OutputRequest{ActiveLow: o.ActiveLow, OpenDrain: o.OpenDrain}
		all = append(all, selftest.Lamp{Name: o.Name, Out: &output{
			name: o.Line, open: func() (gpio.Output, error) { return b.OpenOutput(o.Line, req) },
		}})
	}
	return all
}

// openDisplay returns the configured display, whose lines, if it has any, are on a
// board.
func openDisplay(c lcd.Config, b *board.Board) (lcd.Display, error) {
	c.OpenLine = func(line string) (lcd.Pin, error) {
		return b.OpenOutput(line, gpio.OutputRequest{Consumer: "stump display"})
	}
	return lcd.Open(c)
}

// newKeyboard returns the configured keyboard, which is not read yet. It never is a
// reader.
func newKeyboard(cfg *config.Config, log *slog.Logger) (*keyboard.Keyboard, error) {
	o := keyboard.Options{Layout: cfg.Keyboard.Layout, Device: cfg.Keyboard.Device, Logger: log}
	if o.Device == "auto" {
		o.Device = ""
	}
	for _, r := range cfg.Readers {
		if r.Kind == reader.USB {
			o.Except = append(o.Except, r.Device.Path)
		}
	}
	return keyboard.New(o)
}

// output is an output line that may not be there yet, or may vanish. It is
// taken when it is first set, and again after a failure.
type output struct {
	name string
	open func() (gpio.Output, error)

	mu   sync.Mutex
	line gpio.Output // nil while it is not taken
}

// Set implements gpio.Output.
func (o *output) Set(on bool) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.line == nil {
		line, err := o.open()
		if err != nil {
			return err
		}
		o.line = line
	}
	err := o.line.Set(on)
	if err != nil {
		o.release()
	}
	return err
}

// release gives the line back. The caller holds the lock.
func (o *output) release() (err error) {
	if o.line != nil {
		err = o.line.Close()
		o.line = nil
	}
	return err
}

// Close implements gpio.Output.
func (o *output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.release()
}

// String implements gpio.Output.
func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.line == nil {
		return o.name
	}
	return o.line.String()
}
