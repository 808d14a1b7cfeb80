package wiring

import (
	"fmt"

	"stump/hw/board"
)

// part is something to buy.
type part struct {
	count     int
	what, why string
}

// parts is what to buy, without the board and its supply.
func (p *Plan) parts() []part {
	parts := []part{{1, "card reader with Wiegand output for the cards in use", "5 V, or 12 V with a supply of its own"}}
	if p.Divider {
		parts = append(parts,
			part{2, "resistor 10 kΩ, 1 %", "data wire to pin"},
			part{2, "resistor 20 kΩ, 1 %", "pin to ground: 5 V become 3.3 V"})
	} else {
		parts = append(parts, part{(p.channelCount() + 3) / 4, "level converter with BSS138, 4 channels (SparkFun 12009, Adafruit 757)", "never TXB0104 or TXB0108: too weak for a reader"})
	}
	switch p.Display {
	case "hd44780-i2c":
		parts = append(parts, part{1, "HD44780 display with PCF8574 backpack", p.through("SDA and SCL")})
	case "hd44780-gpio":
		parts = append(parts, part{1, "HD44780 display", "R/W on ground, so that it never drives a pin"})
	case "sparkfun", "openlcd", "newhaven", "matrix-orbital":
		parts = append(parts, part{1, "serial display (" + p.Display + ")", p.through("RX")})
	}
	if switches := p.switches(); switches > 0 {
		parts = append(parts,
			part{switches, "transistor 2N7000", "switches a wire of the reader to ground"},
			part{switches, "resistor 10 kΩ", "gate to ground: off until the daemon runs"})
	}
	if p.Keyboard {
		parts = append(parts, part{1, "USB keyboard", "names of new people"})
	}
	return append(parts,
		part{1, "shielded cable, 6 × 0.34 mm² (22 AWG)", "up to 150 m; shield on ground at the board's end only"},
		part{1, "jumper wires or terminal board for the header", ""})
}

// channelCount is how many channels of level converters the plan needs.
func (p *Plan) channelCount() int {
	n := 2 + len(p.Outputs) - p.switches()
	if p.Display != "hd44780-gpio" && !p.Divider {
		n += len(p.displayPoints())
	}
	return n
}

// through says how a display's signals get to the board.
func (p *Plan) through(signals string) string {
	if p.Divider {
		return "its " + signals + " go straight to the board"
	}
	return "5 V; its " + signals + " through the converter"
}

// warnings are what to read before the power is switched on.
func (p *Plan) warnings() []string {
	c := p.colours()
	d0, _ := p.Board.Place(p.line(0))
	d1, _ := p.Board.Place(p.line(1))
	middle := "converter"
	if p.Divider {
		middle = "divider"
	}
	warn := []string{
		fmt.Sprintf("5 V kills the board. A reader's data wires (%s, %s) carry 5 V all the time, even with no card. They go to the %s, never straight to a pin.", c.Data0, c.Data1, middle),
		fmt.Sprintf("Before you connect the last two wires: switch the power on and measure what will go to pins %s and %s against ground. 3.2 to 3.4 V is right. If it is more, switch off.", d0.Name, d1.Name),
	}
	switch p.Board.Family {
	case board.RaspberryPi:
		warn = append(warn, "Header pins 17 and 18 are not GPIO17 and GPIO18. Count from the corner marked 1: odd numbers in one row, even in the other.")
	case board.BeagleBone:
		warn = append(warn,
			"P9_5 and P9_6 are dead when the board runs from USB: take 5 V from P9_7 or P9_8. P9_32 to P9_40 stand only 1.8 V.",
			"Drive no pin before the board's 3.3 V is up: the converter's LV takes it from P9_3.")
	}
	if p.Divider && p.Display == "hd44780-i2c" {
		warn = append(warn, "The display's backpack pulls SDA and SCL up to its VCC: without a level converter run it on 3.3 V, or take its pull-up resistors off.")
	}
	if len(p.Outputs) > 0 {
		warn = append(warn, "The reader's light and beeper wires carry 5 V as well: connect each through its transistor or a channel of the converter.")
	}
	if p.switches() > 0 {
		warn = append(warn, "Each transistor: drain to the reader's wire, gate to the header's pin, source to GND, and 10 kΩ between gate and GND.")
	}
	if p.channelCount() > 4 {
		warn = append(warn, "The converter marked 2nd gets the same supply as the first: join HV with HV, LV with LV, GND with GND.")
	}
	return append(warn, fmt.Sprintf("The HOLD wire (%s) must touch nothing: put tape around its end. A 12 V reader takes + from its own supply; its ground goes to the board all the same.", c.Hold))
}
