package daemon

import (
	"stump/internal/config"
	"stump/lcd"
)

// display opens what the configuration names; in the simulated lab the display
// is in memory, to be asked over the API.
func display(o Options) (lcd.Display, error) {
	c := o.Config.Display
	size, err := lcd.ParseSize(c.Size)
	if err != nil {
		return nil, err
	}
	if o.Sim {
		return lcd.NewMemory(size), nil
	}
	return lcd.Open(lcdConfig(c))
}

func lcdConfig(c config.Display) lcd.Config {
	return lcd.Config{Kind: c.Kind, Size: c.Size, ROM: c.ROM, Bus: c.Bus, Address: int(c.Address), Map: c.Map, LightLow: c.LightLow, Port: c.Port, Baud: c.Baud}
}
