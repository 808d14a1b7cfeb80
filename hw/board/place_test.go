package board

import "testing"

func TestPlace(t *testing.T) {
	pi, _ := ByKey("pi4")
	bone, _ := ByKey("bbb")
	for _, c := range []struct {
		board *Board
		name  string
		want  string // pin; empty: an error
	}{
		{pi, "GPIO17", "11"}, {pi, "gpio17", "11"}, {pi, "pin 11", "11"}, {pi, "Pin 12", "12"},
		{pi, "pinctrl-bcm2711:17", "11"}, {pi, "GPIO99", ""}, {pi, "pin 17", ""}, {pi, "17", ""}, {pi, "pin 41", ""},
		{bone, "P9_12", "P9_12"}, {bone, "pin p9_12", "P9_12"}, {bone, "gpio1_28", "P9_12"}, {bone, "GPIO17", ""},
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
