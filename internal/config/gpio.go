package config

import (
	"fmt"
	"strings"

	"stump/gpio"
	"stump/hw/board"
)

// NamedOutput is a configured light or beeper.
type NamedOutput struct {
	Key, Name string // "green", "green light"
	*Output
}

// Outputs are the lights and the beeper that are configured.
func (c *Config) Outputs() (all []NamedOutput) {
	for _, o := range []NamedOutput{{"green", "green light", c.Lights.Green}, {"red", "red light", c.Lights.Red}, {"beeper", "beeper", c.Lights.Beeper}} {
		if o.Output != nil {
			all = append(all, o)
		}
	}
	return all
}

// Line is a line that the configuration names, with its key in the file.
type Line struct {
	Key string
	board.Wanted
}

// Lines are all lines that the configuration names.
func (c *Config) Lines() (all []Line) {
	add := func(key, role, name string) { all = append(all, Line{key, board.Wanted{Role: role, Name: name}}) }
	for i, r := range c.Readers {
		add(fmt.Sprintf("reader[%d].data0", i), r.Name+" DATA0", r.Data0)
		add(fmt.Sprintf("reader[%d].data1", i), r.Name+" DATA1", r.Data1)
	}
	for _, o := range c.Outputs() {
		add("lights."+o.Key, o.Name, o.Line)
	}
	for _, name := range c.Display.Terminals() {
		add("display.lines."+name, "display "+strings.ToUpper(name), c.Display.Lines[name])
	}
	return all
}

// Request is how the reader's lines are acquired.
func (r *Reader) Request() gpio.Request {
	bias, _ := gpio.ParseBias(r.Bias) // Check reports a bad one
	return gpio.Request{ActiveLow: r.ActiveLow, Bias: bias}
}
