package board

import (
	"slices"
	"strings"
	"testing"
)

// Pins that are configured, in use, or wanted by something else are left alone.
func TestFreeLines(t *testing.T) {
	h := newHost(t)
	h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
	c := h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesPiOS...)
	c.lines[22].Used, c.lines[22].Consumer = true, "a relay"
	var got []string
	for _, l := range h.board().freeLines([]string{"GPIO17", "pin 12"}) {
		name, _, _ := strings.Cut(l.String(), " ")
		got = append(got, strings.TrimPrefix(name, "GPIO"))
	}
	slices.Sort(got)
	if want := "12 13 16 19 20 21 23 24 25 26 27 5 6"; strings.Join(got, " ") != want {
		t.Errorf("lines %v, want %s", got, want)
	}
	if l := (&Board{Name: "unknown", host: h.host}).freeLines(nil); len(l) > 0 {
		t.Errorf("an unknown board has free lines: %v", l)
	}
}
