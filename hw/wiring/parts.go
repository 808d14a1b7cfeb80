package wiring

import (
	"fmt"
	"slices"
	"strings"

	"stump/hw/board"
)

// part is something to buy.
type part struct {
	count     int
	what, why string
}

// parts is what to buy, without the board and its supply.
func (p *Plan) parts() (parts []part) {
	serial := slices.Contains([]string{"sparkfun", "openlcd", "newhaven", "matrix-orbital"}, p.Display)
	switches := p.switches()
	for _, row := range []struct {
		needed    bool
		count     int
		what, why string
	}{
		{p.dataLines(), 1, "card reader with Wiegand output for the cards in use", "5 V, or 12 V with a supply of its own"},
		{p.Kind == "serial", 1, "EM4100 reader that sends frames at 9600 baud (RDM6300, ID-12, ID-20)", "125 kHz; 5 V"},
		{p.Kind == "serial" && !p.wired(), 1, "USB serial adapter for 3.3 or 5 V (FT232, CP2102)", "not one for RS-232"},
		{p.Kind == "usb", 1, "USB reader that types, for the cards in use", "no driver is needed"},
		{p.Divider && p.wired(), len(p.harness().terminals()), "resistor 10 kΩ, 1 %", "data wire to pin"},
		{p.Divider && p.wired(), len(p.harness().terminals()), "resistor 20 kΩ, 1 %", "pin to ground: 5 V become 3.3 V"},
		{p.converts(), (p.harness().channels + 3) / 4, "level converter with BSS138, 4 channels (SparkFun 12009, Adafruit 757)", "never TXB0104 or TXB0108: too weak for a reader"},
		{p.Display == "hd44780-i2c", 1, "HD44780 display with PCF8574 backpack", p.through("SDA and SCL")},
		{p.Display == "hd44780-gpio", 1, "HD44780 display", "R/W on ground, so that it never drives a pin"},
		{serial, 1, "serial display (" + p.Display + ")", p.through("RX")},
		{switches > 0, switches, "transistor 2N7000", "switches a wire of the reader to ground"},
		{switches > 0, switches, "resistor 10 kΩ", "gate to ground: off until the daemon runs"},
		{p.Keyboard, 1, "USB keyboard", "names of new people"},
		{p.dataLines(), 1, "shielded cable, 6 × 0.34 mm² (22 AWG)", "up to 150 m; shield on ground at the board's end only"},
		{len(p.harness().all) > 0, 1, "jumper wires or terminal board for the header", ""},
	} {
		if row.needed {
			parts = append(parts, part{row.count, row.what, row.why})
		}
	}
	return parts
}

// through says how a display's signals get to the board.
func (p *Plan) through(signals string) string {
	if p.Divider {
		return "its " + signals + " go straight to the board"
	}
	return "5 V; its " + signals + " through the converter"
}

// named is " (green, white)"; without a colour it is nothing.
func named(colours ...string) string {
	if colours = slices.DeleteFunc(colours, func(c string) bool { return c == unknown }); len(colours) == 0 {
		return ""
	}
	return " (" + strings.Join(colours, ", ") + ")"
}

// warnings are what to read before the power is switched on.
func (p *Plan) warnings() (warnings []string) {
	c := p.readerColours()
	var wires, pins []string
	for _, t := range p.harness().terminals() {
		wires, pins = append(wires, t.colour), append(pins, t.at.Name)
	}
	middle := map[bool]string{false: "converter", true: "divider"}[p.Divider]
	if p.dataLines() {
		warnings = []string{
			fmt.Sprintf("5 V kills the board. A reader's data wires%s carry 5 V all the time, even with no card. They go to the %s, never straight to a pin.", named(wires...), middle),
			fmt.Sprintf("Before you connect the last two wires: switch the power on and measure what will go to pins %s against ground. 3.2 to 3.4 V is right. If it is more, switch off.", strings.Join(pins, " and ")),
		}
	}
	if p.dataLines() || len(p.harness().all) > 0 {
		warnings = append(warnings, p.Board.Notes...)
	}
	for _, row := range []struct {
		applies bool
		text    string
	}{
		{p.Kind == "serial" && p.wired(), fmt.Sprintf("5 V kills the board. A reader on 5 V has 5 V on its TX all the time: it goes to the %s, never straight to pin %s. A reader that runs on 3.3 V may go straight there. The reader's RX stays free.", middle, strings.Join(pins, ""))},
		{p.Kind == "serial" && p.wired() && p.Board.Family == board.RaspberryPi, "The login console must be off the serial port (Raspberry Pi OS: sudo raspi-config, Interface Options, Serial Port)."},
		{p.Kind == "serial" && !p.wired(), "Reader to adapter: ground to GND, TX to RX, + to 5 V. An adapter for 3.3 V wants a divider before its RX. RS-232 has 12 V and is none of them."},
		{p.Kind == "usb", "The reader goes into any USB socket. `ls -l /dev/input/by-id` names it: the path that ends in -event-kbd goes into device of this reader."},
		{p.Divider && p.Display == "hd44780-i2c", "The display's backpack pulls SDA and SCL up to its VCC: without a level converter run it on 3.3 V, or take its pull-up resistors off."},
		{len(p.Outputs) > 0, "The reader's light and beeper wires carry 5 V as well: connect each through its transistor or a channel of the converter."},
		{p.switches() > 0, "Each transistor: drain to the reader's wire, gate to the header's pin, source to GND, and 10 kΩ between gate and GND."},
		{p.harness().channels > 4, "The converter marked 2nd gets the same supply as the first: join HV with HV, LV with LV, GND with GND."},
		{p.dataLines(), fmt.Sprintf("The HOLD wire%s must touch nothing: put tape around its end. A 12 V reader takes + from its own supply; its ground goes to the board all the same.", named(c.Hold))},
	} {
		if row.applies {
			warnings = append(warnings, row.text)
		}
	}
	return warnings
}
