package board

import (
	"fmt"
	"strings"
)

// Site is how remedies name the parts of one installation. The zero Site names
// the colours of HID's readers and no particular pins.
type Site struct {
	// Pins are the pins of DATA0 and DATA1, such as "GPIO17 (header pin 11)".
	Pins [2]string
	// Colours are the colours of the reader's wires.
	Colours Colours
	// GroundPins and LogicPins are the header's ground and 3.3 V pins, such as
	// "6, 9, 14, 20 or 25" and "1 or 17".
	GroundPins, LogicPins string
	// Divider is true where a voltage divider, not a level converter, is between
	// reader and board.
	Divider bool
}

// Colours are the colours of a reader's wires. An empty one is HID's.
type Colours struct {
	Power  string `toml:"power"`
	Ground string `toml:"ground"`
	Data0  string `toml:"data0"`
	Data1  string `toml:"data1"`
	Green  string `toml:"green"`
	Red    string `toml:"red"`
	Beep   string `toml:"beep"`
	Hold   string `toml:"hold"`
}

// Twins are two wires that have one colour, as far as they are configured.
func (c Colours) Twins() (first, second string, ok bool) {
	seen := map[string]string{}
	for _, w := range []struct{ key, colour string }{
		{"power", c.Power}, {"ground", c.Ground}, {"data0", c.Data0}, {"data1", c.Data1}, {"green", c.Green}, {"red", c.Red}, {"beep", c.Beep}, {"hold", c.Hold},
	} {
		colour := strings.ToLower(w.colour)
		if other := seen[colour]; other != "" {
			return other, w.key, true
		}
		if colour != "" {
			seen[colour] = w.key
		}
	}
	return "", "", false
}

// HID are the colours of HID's proximity readers (HID document 08-0002 rev D.2).
var HID = Colours{
	Power: "red", Ground: "black", Data0: "green", Data1: "white",
	Green: "orange", Red: "brown", Beep: "yellow", Hold: "blue",
}

// wire names a wire of the reader by its colour. HID's colour is named as HID's,
// because other makers use other colours.
func wire(name, site, hid string) string {
	if site != "" {
		return fmt.Sprintf("%s (%s)", name, site)
	}
	return fmt.Sprintf("%s (%s on HID readers)", name, hid)
}

// DataWire names the wire of DATA0 or DATA1.
func (s *Site) DataWire(i int) string {
	c := s.Colours
	return wire(fmt.Sprintf("DATA%d", i), [2]string{c.Data0, c.Data1}[i], [2]string{HID.Data0, HID.Data1}[i])
}

// PowerWire names the reader's + wire.
func (s *Site) PowerWire() string { return wire("the reader's + wire", s.Colours.Power, HID.Power) }

// GroundWire names the reader's ground wire.
func (s *Site) GroundWire() string {
	return wire("the reader's ground wire", s.Colours.Ground, HID.Ground)
}

// HoldWire names the reader's HOLD wire.
func (s *Site) HoldWire() string { return wire("the HOLD wire", s.Colours.Hold, HID.Hold) }

// Pin names the board's pin of DATA0 or DATA1.
func (s *Site) Pin(i int) string {
	if s.Pins[i] != "" {
		return s.Pins[i]
	}
	return fmt.Sprintf("the board's DATA%d pin", i)
}

// GroundPin names the header's ground pins.
func (s *Site) GroundPin() string {
	if s.GroundPins == "" {
		return "a ground pin of the header"
	}
	return "ground (header pin " + s.GroundPins + ")"
}

// LogicSupply names the header's 3.3 V pins.
func (s *Site) LogicSupply() string {
	if s.LogicPins == "" {
		return "3.3 V"
	}
	return "3.3 V (header pin " + s.LogicPins + ")"
}

// Converter names the part between reader and board.
func (s *Site) Converter() string {
	if s.Divider {
		return "the voltage divider"
	}
	return "the level converter"
}
