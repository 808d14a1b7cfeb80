package daemon

import (
	"stump/gpio"
	"stump/internal/config"
	"stump/lcd"
)

// display opens the configured display. The simulated lab has none: what it
// would show, the API tells.
func (d *Daemon) display() (lcd.Display, error) {
	c := d.o.Config.Display
	size, err := lcd.ParseSize(c.Size)
	if err != nil {
		return nil, err
	}
	if d.o.Sim {
		return lcd.None(size), nil
	}
	lc := lcdConfig(c)
	lc.OpenLine = func(line string) (lcd.Pin, error) {
		return d.board.OpenOutput(line, gpio.OutputRequest{Consumer: "stump display"})
	}
	return lcd.Open(lc)
}

func lcdConfig(c config.Display) lcd.Config {
	return lcd.Config{Kind: c.Kind, Size: c.Size, ROM: c.ROM, Bus: c.Bus, Address: int(c.Address), Map: c.Map, LightLow: c.LightLow, Port: c.Port, Baud: c.Baud, Lines: c.Lines}
}
