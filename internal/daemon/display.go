package daemon

import (
	"stump/internal/config"
	"stump/lcd"
)

// display opens what the configuration names; in the simulated lab the display
// is in memory, to be asked over the API.
func (d *Daemon) display() (lcd.Display, error) {
	c := d.o.Config.Display
	size, err := lcd.ParseSize(c.Size)
	if err != nil {
		return nil, err
	}
	if d.o.Sim {
		return lcd.NewMemory(size), nil
	}
	lc := lcd.Config{
		Kind: c.Kind, Size: c.Size, ROM: c.ROM, Bus: c.Bus, Address: int(c.Address), Map: c.Map, LightLow: c.LightLow,
		Port: c.Port, Baud: c.Baud,
	}
	if c.Kind == "hd44780-gpio" {
		lc.Pins = d.displayPins(c.Pins)
	}
	return lcd.Open(lc)
}

// displayPins are the lines of a display without a backpack.
func (d *Daemon) displayPins(p config.DisplayPins) lcd.Pins {
	pin := func(line string) lcd.Pin {
		if line == "" {
			return nil
		}
		return d.output(config.Output{Line: line})
	}
	return lcd.Pins{RS: pin(p.RS), E: pin(p.E), D4: pin(p.D4), D5: pin(p.D5), D6: pin(p.D6), D7: pin(p.D7), Light: pin(p.Light)}
}
