package wiring

import (
	"cmp"
	"slices"
	"strings"

	"stump/hw/board"
)

// colours are those of one picture, in which a colour has one meaning: the reader's
// wires have theirs, and the wires of one's own get what is left. A wire of 5 V or
// of ground has the colour of the reader's, because it is joined to it.
type colours struct {
	board.Colours
	mine map[string]string // by label
}

// spare are the colours for wires of one's own, those of usual jumper wires first.
// HID's readers have none of the first ones; purple is late because they have a
// violet wire, which is not used. The last are for readers with other colours.
var spare = []string{
	"grey", "pink", "cyan", "lime", "tan", "navy", "olive", "maroon", "magenta", "gold",
	"purple", "orange", "blue", "brown", "yellow", "white", "green",
}

// unknown is the colour of a reader's wire when HID's belongs to another wire of
// this reader.
const unknown = "unknown"

// palette gives every wire of the picture its colour.
func (p *Plan) palette() colours {
	c := colours{Colours: p.readerColours(), mine: map[string]string{}}
	taken := c.all()
	for _, label := range p.ownWires() {
		switch label {
		case "display 5 V":
			c.mine[label] = c.Power
			continue
		case "display ground":
			c.mine[label] = c.Ground
			continue
		}
		// There are more of them than wires, of the reader's and one's own together.
		i := slices.IndexFunc(spare, func(s string) bool { return !slices.ContainsFunc(taken, func(t string) bool { return alike(s, t) }) })
		taken = append(taken, spare[i])
		c.mine[label] = spare[i]
	}
	return c
}

// ownWires are the labels of the wires that are not the reader's.
func (p *Plan) ownWires() []string {
	labels := []string{"converter LV", "display 5 V", "display ground"}
	if p.Kind == "serial" {
		labels = append(labels, "reader TX")
	}
	for _, point := range p.displayPoints() {
		labels = append(labels, "display "+point)
	}
	return labels
}

// readerColours are those of the reader's wires: as configured, else HID's, but for
// one that the configuration gives to another wire.
func (p *Plan) readerColours() board.Colours {
	c, hid := p.Colours, board.HID
	of := func(site, hid string) string {
		if site == "" && slices.ContainsFunc((colours{Colours: c}).all(), func(s string) bool { return alike(s, hid) }) {
			return unknown
		}
		return cmp.Or(site, hid)
	}
	return board.Colours{
		Power: of(c.Power, hid.Power), Ground: of(c.Ground, hid.Ground), Data0: of(c.Data0, hid.Data0), Data1: of(c.Data1, hid.Data1),
		Green: of(c.Green, hid.Green), Red: of(c.Red, hid.Red), Beep: of(c.Beep, hid.Beep), Hold: of(c.Hold, hid.Hold),
	}
}

// all are the colours of the reader's wires.
func (c colours) all() []string {
	return []string{c.Power, c.Ground, c.Data0, c.Data1, c.Green, c.Red, c.Beep, c.Hold}
}

// own is the colour of a wire that is not the reader's.
func (c colours) own(label string) string { return c.mine[label] }

// output is the colour of the wire of a light or the beeper.
func (c colours) output(name string) string {
	return map[string]string{"green light": c.Green, "red light": c.Red, "beeper": c.Beep}[name]
}

// alike reports whether two colours are drawn the same, such as purple and violet.
func alike(a, b string) bool {
	a, b = strings.ToLower(a), strings.ToLower(b)
	return a == b || drawn[a].svg != "" && drawn[a].svg == drawn[b].svg
}

// drawn is how colours are drawn: in SVG, and on a terminal (ECMA-48 select
// graphic rendition).
var drawn = map[string]struct{ svg, sgr string }{
	"red": {"#d32f2f", "31"}, "black": {"#222222", "90"}, "green": {"#2e9e3f", "32"},
	"white": {"#ffffff", "97"}, "orange": {"#f57c00", "38;5;208"}, "brown": {"#795548", "38;5;130"},
	"yellow": {"#fdd835", "33"}, "blue": {"#1e6fd0", "34"}, "purple": {"#8e44ad", "35"},
	"violet": {"#8e44ad", "35"}, "grey": {"#9e9e9e", "37"}, "gray": {"#9e9e9e", "37"}, "tan": {"#d2b48c", "38;5;180"},
	"pink": {"#f48fb1", "38;5;218"}, "cyan": {"#00bcd4", "36"}, "turquoise": {"#00bcd4", "36"}, "lime": {"#c0ca33", "38;5;149"},
	"navy": {"#1a237e", "38;5;18"}, "olive": {"#827717", "38;5;100"}, "maroon": {"#7f1d1d", "38;5;88"},
	"magenta": {"#d81b60", "38;5;162"}, "gold": {"#b8860b", "38;5;136"},
}
