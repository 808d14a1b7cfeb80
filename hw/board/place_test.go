package board

import (
	"strings"
	"testing"
)

func TestPlace(t *testing.T) {
	pi, _ := ByName("pi4")
	bone, _ := ByName("bbb")
	old, _ := ByName("pi1")
	for _, c := range []struct {
		board *Board
		name  string
		want  string // pin; empty: an error
	}{
		{pi, "GPIO17", "11"}, {pi, "gpio17", "11"}, {pi, "pin 11", "11"}, {pi, "Pin 12", "12"},
		{pi, "pinctrl-bcm2711:17", "11"}, {pi, "GPIO99", ""}, {pi, "11", ""}, {pi, "PIN11", "11"}, {pi, "pin 17", ""}, {pi, "3V3", ""}, {pi, "17", ""}, {pi, "pin 41", ""},
		{bone, "P9_12", "P9_12"}, {bone, "pin p9_12", "P9_12"}, {bone, "gpio1_28", "P9_12"}, {bone, "GPIO17", ""},
		{bone, "4804c000:30", "P8_21"}, {bone, "44e07000:30", "P9_11"}, {bone, "601000:1", ""}, {pi, "pinctrl-rp1:17", ""}, {pi, "gpiochip0:17", "11"},
		{bone, "P9_41", ""}, {bone, "gpio1[28]", "P9_12"}, {bone, "gpio1_40", ""}, {bone, "gpio4_1", ""}, {pi, "pinctrl-bcm2711:x", ""}, {old, "GPIO5", ""}, {old, "GPIO25", "22"},
	} {
		p, err := c.board.Place(c.name)
		if c.want == "" {
			if err == nil {
				t.Errorf("%s: %q is pin %s", c.board.Key, c.name, p.Name)
			}
			continue
		}
		if err != nil || p.Name != c.want {
			t.Errorf("%s: %q is pin %q, %v; want %q", c.board.Key, c.name, p.Name, err, c.want)
		}
	}
}

func TestPosition(t *testing.T) {
	for name, want := range map[string]struct {
		header      string
		row, column int
	}{
		"1": {"", 0, 0}, "2": {"", 0, 1}, "40": {"", 19, 1}, "P9_1": {"P9", 0, 0}, "P9_12": {"P9", 5, 1}, "P9_41B": {"P9", 20, 0},
	} {
		header, row, column := Pin{Name: name}.Position()
		if header != want.header || row != want.row || column != want.column {
			t.Errorf("pin %s is in header %q, row %d, column %d", name, header, row, column)
		}
	}
}

func TestTwins(t *testing.T) {
	for c, want := range map[Colours]string{
		{}: "", {Data0: "green", Data1: "white"}: "", {Data0: "white", Data1: "White"}: "data0 data1", {Power: "red", Red: "red"}: "power red",
	} {
		first, second, ok := c.Twins()
		if got := strings.TrimSpace(first + " " + second); got != want || ok != (want != "") {
			t.Errorf("%+v: %q", c, got)
		}
	}
}

// A site's words name its own parts, and HID's colours where it has none.
func TestSiteWords(t *testing.T) {
	site := Site{
		Pins: [2]string{"GPIO17 (header pin 11)"}, Colours: Colours{Data0: "yellow", Hold: "pink"},
		GroundPins: "6 or 9", LogicPins: "1 or 17", Divider: true,
	}
	var none Site
	for _, c := range []struct{ got, want string }{
		{site.DataWire(0), "DATA0 (yellow)"}, {site.DataWire(1), "DATA1 (white on HID readers)"},
		{site.PowerWire(), "the reader's + wire (red on HID readers)"}, {site.GroundWire(), "the reader's ground wire (black on HID readers)"},
		{site.HoldWire(), "the HOLD wire (pink)"}, {none.HoldWire(), "the HOLD wire (blue on HID readers)"},
		{site.Pin(0), "GPIO17 (header pin 11)"}, {site.Pin(1), "the board's DATA1 pin"},
		{site.GroundPin(), "ground (header pin 6 or 9)"}, {none.GroundPin(), "a ground pin of the header"},
		{site.LogicSupply(), "3.3 V (header pin 1 or 17)"}, {none.LogicSupply(), "3.3 V"},
		{site.Converter(), "the voltage divider"}, {none.Converter(), "the level converter"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
}
