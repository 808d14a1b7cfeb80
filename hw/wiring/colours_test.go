package wiring

import (
	"reflect"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/hw/board"
)

// net is what a wire is joined to: 5 V and ground are one wire each, wherever they go.
func net(label string) string {
	switch label {
	case "reader +", "display 5 V":
		return "5 V"
	case "reader ground", "display ground":
		return "ground"
	}
	return label
}

// In one picture a colour has one meaning, whichever parts and colours the site has:
// no two nets are drawn alike, and no wire of one's own has a colour of the reader's
// cable, connected or not.
func TestColoursHaveOneMeaning(t *testing.T) {
	boards, pi := board.All(), board4(t)
	known := []string{"red", "black", "green", "white", "orange", "brown", "yellow", "blue", "purple", "violet", "grey", "pink", "tan", "cyan", "lime", "navy", "Blue", "striped"}
	rapid.Check(t, func(t *rapid.T) {
		p := &Plan{Board: boards[rapid.IntRange(0, len(boards)-1).Draw(t, "board")], Divider: rapid.Bool().Draw(t, "divider")}
		p.Display = rapid.SampledFrom([]string{"none", "hd44780-i2c", "hd44780-gpio", "newhaven"}).Draw(t, "display")
		if p.Display == "hd44780-gpio" {
			if p.Board.Key != "pi4" {
				p.Board = pi
			}
			for i, point := range []string{"RS", "E", "D4", "D5", "D6", "D7", "LIGHT"} {
				p.DisplayLines = append(p.DisplayLines, DisplayLine{point, []string{"GPIO5", "GPIO6", "GPIO12", "GPIO13", "GPIO16", "GPIO19", "GPIO26"}[i]})
			}
		}
		site := rapid.SliceOfNDistinct(rapid.SampledFrom(known), 8, 8, strings.ToLower).Draw(t, "colours")
		fields := reflect.ValueOf(&p.Colours).Elem()
		for i := range fields.NumField() {
			// A reader with a violet and a purple wire would have both itself.
			if rapid.Bool().Draw(t, "set") && !(site[i] == "violet" && slices.Contains(site, "purple")) {
				fields.Field(i).SetString(site[i])
			}
		}
		c := p.palette()
		nets := map[string]string{} // by how they are drawn
		meet := func(colour, label string) {
			how := svgColour(colour)
			if drawn[strings.ToLower(colour)].svg == "" {
				return // not a colour that this program knows: its name stands beside the wire
			}
			if other, taken := nets[how]; taken && other != net(label) {
				t.Fatalf("%s is %s and %s: %+v, %v", colour, other, label, c.Colours, c.mine)
			}
			nets[how] = net(label)
		}
		for i, label := range []string{"reader +", "reader ground", "DATA0", "DATA1", "green light", "red light", "beeper", "HOLD"} {
			meet(c.all()[i], label)
		}
		for _, label := range p.ownWires() {
			meet(c.own(label), label)
			if drawn[c.own(label)].svg == "" && net(label) == label {
				t.Fatalf("%s is %q, which is not drawn", label, c.own(label))
			}
		}
	})
}

// A colour of HID's that the site gives to another wire is not claimed for HID's.
func TestUnknownColour(t *testing.T) {
	p := full(t)
	p.Colours.Data0 = "blue"
	if c := p.readerColours(); c.Hold != unknown || c.Data0 != "blue" || c.Data1 != "white" {
		t.Errorf("%+v", c)
	}
	text, err := p.Text(80, false)
	if err != nil || !strings.Contains(text, "The HOLD wire must touch nothing") || !strings.Contains(text, "data wires (blue, white)") {
		t.Errorf("%v\n%s", err, text)
	}
	p.Colours = board.Colours{Data0: "white", Data1: "green"} // HID's, exchanged
	if c := p.readerColours(); c.Data0 != "white" || c.Data1 != "green" || c.Hold != "blue" {
		t.Errorf("%+v", c)
	}
}
