package board

import (
	"slices"
	"strings"
	"testing"

	"stump/gpio"
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

// What is not there can't be opened, and the error names it.
func TestOpenRefuses(t *testing.T) {
	h := newHost(t)
	h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
	h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesPiOS...)
	b := h.board()
	_, err0 := b.OpenReader("GPIO98", "GPIO18", gpio.Request{})
	_, err1 := b.OpenReader("GPIO17", "GPIO99", gpio.Request{})
	_, err2 := b.OpenOutput("GPIO97", gpio.OutputRequest{})
	for name, err := range map[string]error{"GPIO98": err0, "GPIO99": err1, "GPIO97": err2} {
		if err == nil || !strings.Contains(err.Error(), `line "`+name+`": no chip has a line of this name`) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// The lines of this fake are no device of the kernel.
	if l, err := b.OpenReader("GPIO17", "GPIO18", gpio.Request{}); err == nil {
		l.Close()
		t.Error("a file was opened as lines")
	}
	if l, err := b.OpenOutput("GPIO22", gpio.OutputRequest{}); err == nil {
		l.Close()
		t.Error("a file was opened as an output")
	}
	if c, err := (host{}).open(h.root + "/dev/gpiochip0"); err == nil || c != nil {
		t.Errorf("a file was opened as a chip: %v, %v", c, err)
	}
	none := newHost(t)
	none.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
	if l := none.board().freeLines(nil); len(l) > 0 {
		t.Errorf("without a chip %v are free", l)
	}
}
