package daemon

import (
	"strings"

	"stump/hw/selftest"
	"stump/internal/keyboard"
)

// newKeyboard returns nil when the station has none.
func (d *Daemon) newKeyboard() (*keyboard.Keyboard, error) {
	c := d.o.Config.Keyboard
	if c.Device == "off" || d.o.Sim {
		return nil, nil
	}
	o := keyboard.Options{Layout: c.Layout, Device: c.Device, Logger: d.o.Log}
	if c.Device == "auto" {
		o.Device = ""
	}
	return keyboard.New(o)
}

// testKeyboard lends the keyboard to a self-test.
func (d *Daemon) testKeyboard() *selftest.KeyboardProbe {
	if d.keyboard == nil {
		return nil
	}
	return &selftest.KeyboardProbe{
		Find: func() (string, error) {
			if all := d.keyboard.Plugged(); len(all) > 0 {
				return strings.Join(all, ", "), nil
			}
			return "", keyboard.ErrNoKeyboard
		},
		Enter: d.keyboard.WaitEnter,
	}
}
