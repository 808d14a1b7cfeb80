package daemon

import (
	"sync"

	"stump/gpio"
	"stump/internal/config"
)

// output is an output line that may not be there yet, or may vanish. It is
// taken when it is first set, and again after a failure.
type output struct {
	name string
	open func() (gpio.Output, error)

	mu   sync.Mutex
	line gpio.Output // nil while it is not taken
}

// output returns a light, a beeper or a display's wire.
func (d *Daemon) output(c config.Output) *output {
	req := gpio.OutputRequest{ActiveLow: c.ActiveLow, OpenDrain: c.OpenDrain}
	return &output{name: c.Line, open: func() (gpio.Output, error) { return d.board.OpenOutput(c.Line, req) }}
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
		o.line.Close()
		o.line = nil
	}
	return err
}

// Close implements gpio.Output.
func (o *output) Close() error {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.line == nil {
		return nil
	}
	err := o.line.Close()
	o.line = nil
	return err
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
