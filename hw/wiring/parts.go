package wiring

import (
	"fmt"
	"slices"

	"stump/hw/board"
)

// part is a line of the bill of materials.
type part struct {
	Count int
	What  string
	Why   string
}

// String is a line of a printed list: " 2  resistor 10 kΩ: data wire to pin".
func (p part) String() string {
	s := fmt.Sprintf("%2d  %s", p.Count, p.What)
	if p.Why != "" {
		s += ": " + p.Why
	}
	return s
}

// Parts is the bill of materials, without the board and its supply.
func (w *Plan) parts() []part {
	parts := []part{{1, "card reader with Wiegand output for the cards in use", "5 V, or 12 V with a supply of its own"}}
	if w.middle() == partDivider {
		parts = append(parts,
			part{2, "resistor 10 kΩ, 1 %", "data wire to pin"},
			part{2, "resistor 20 kΩ, 1 %", "pin to ground: 5 V become 3.3 V"})
	} else {
		channels := 2 + w.displayChannels()
		for _, o := range w.Outputs {
			if o.ActiveLow {
				channels++
			}
		}
		parts = append(parts, part{(channels + 3) / 4, "level converter with BSS138, 4 channels (SparkFun 12009, Adafruit 757)", "never TXB0104 or TXB0108: too weak for a reader"})
	}
	switch w.Display {
	case "hd44780-i2c":
		parts = append(parts, part{1, "HD44780 display with PCF8574 backpack", w.through("SDA and SCL")})
	case "hd44780-gpio":
		parts = append(parts, part{1, "HD44780 display", "R/W on ground, so that it never drives a pin"})
	case "sparkfun", "openlcd", "newhaven", "matrix-orbital":
		parts = append(parts, part{1, "serial display (" + w.Display + ")", w.through("RX")})
	}
	if switches := w.switches(); switches > 0 {
		parts = append(parts,
			part{switches, "transistor 2N7000", "switches a wire of the reader to ground"},
			part{switches, "resistor 10 kΩ", "gate to ground: off until the daemon runs"})
	}
	if w.Keyboard {
		parts = append(parts, part{1, "USB keyboard", "names of new people"})
	}
	return append(parts,
		part{1, "shielded cable, 6 × 0.34 mm² (22 AWG)", "up to 150 m; shield on ground at the board's end only"},
		part{1, "jumper wires or terminal board for the header", ""})
}

// through says how a display's signals get to the board.
func (w *Plan) through(signals string) string {
	if w.middle() == partDivider {
		return "its " + signals + " go straight to the board"
	}
	return "5 V; its " + signals + " through the converter"
}

// Warnings are what must be read before power is switched on.
func (w *Plan) warnings() []string {
	c := w.colours()
	d0, _ := w.Board.Place(w.line(0))
	d1, _ := w.Board.Place(w.line(1))
	warn := []string{
		fmt.Sprintf("5 V kills the board. A reader's data wires (%s, %s) carry 5 V all the time, with no card too. They go to the %s, never straight to a pin.", c.Data0, c.Data1, w.middle()),
		fmt.Sprintf("Before the last two wires go on: power on, measure what will go to pins %s and %s against ground. 3.2 to 3.4 V is right. More: switch off.", d0.Name, d1.Name),
	}
	if w.Board.Family == board.RaspberryPi {
		warn = append(warn, "Header pins 17 and 18 are not GPIO17 and GPIO18. Count from the corner marked 1: odd numbers in one row, even in the other.")
	}
	if w.Board.Family == board.BeagleBone {
		warn = append(warn,
			"P9_5 and P9_6 are dead when the board runs from USB: take 5 V from P9_7 or P9_8. P9_32 to P9_40 stand only 1.8 V.",
			"Drive no pin before the board's 3.3 V is up: the converter's LV takes it from P9_3.")
	}
	if w.middle() == partDivider && w.Display == "hd44780-i2c" {
		warn = append(warn, "The display's backpack pulls SDA and SCL up to its VCC: without a level converter run it on 3.3 V, or take its pull-up resistors off.")
	}
	if len(w.Outputs) > 0 {
		warn = append(warn, "The reader's light and beeper wires carry 5 V as well: each through its transistor or a channel of the converter.")
	}
	if w.switches() > 0 {
		warn = append(warn, "Each transistor: drain to the reader's wire, gate to the header's pin, source to GND, and 10 kΩ between gate and GND.")
	}
	if ties, err := w.connections(); err == nil && slices.ContainsFunc(ties, connection.secondConverter) {
		warn = append(warn, "The converter marked 2nd is fed like the first: join HV with HV, LV with LV, GND with GND.")
	}
	warn = append(warn, fmt.Sprintf("The HOLD wire (%s) must touch nothing: put tape around its end. A 12 V reader takes + from its own supply; its ground goes to the board all the same.", c.Hold))
	return warn
}
