package board

import (
	"testing"
)

// TestHeaders holds what is true of every header.
func TestHeaders(t *testing.T) {
	keys := make(map[string]bool)
	for _, b := range All() {
		if keys[b.Key] || b.Key == "" || b.Name == "" || len(b.compatible) == 0 {
			t.Errorf("%s: key %q, name %q, compatible %q", b, b.Key, b.Name, b.compatible)
		}
		keys[b.Key] = true
		lines, names, grounds := make(map[[2]int]string), make(map[string]bool), 0
		for _, p := range b.Pins {
			if names[p.Name] {
				t.Errorf("%s: two pins %s", b.Key, p.Name)
			}
			names[p.Name] = true
			if p.Signal == "GND" {
				grounds++
			}
			if !p.line() {
				continue
			}
			if at := [2]int{p.bank, p.offset}; lines[at] != "" {
				t.Errorf("%s: %s and %s are one line", b.Key, lines[at], p.Name)
			} else {
				lines[at] = p.Name
			}
			if got, ok := b.at(p.bank, p.offset); !ok || got != p {
				t.Errorf("%s: line of pin %s is on %v", b.Key, p.Name, got)
			}
			if bank, offset, ok := b.position(p.Signal); !ok || bank != p.bank || offset != p.offset {
				t.Errorf("%s: signal %s is at %d, %d", b.Key, p.Signal, bank, offset)
			}
		}
		for _, d := range []string{b.Data0, b.Data1} {
			p, ok := b.BySignal(d)
			if !ok {
				p, ok = b.Pin(d)
			}
			if !ok || p.Use != "" {
				t.Errorf("%s: %s is not a free pin", b.Key, d)
			}
		}
		if grounds == 0 {
			t.Errorf("%s has no ground", b.Key)
		}
	}
}

// TestPiHeader checks against other sources: 40 pins, 26 GPIOs and two of the
// EEPROM, two 5 V, two 3.3 V, eight grounds (raspberrypi/documentation); the
// pins that people confuse; and those of the first board.
func TestPiHeader(t *testing.T) {
	b, err := ByName("PI4")
	if err != nil {
		t.Fatal(err)
	}
	count := make(map[string]int)
	for _, p := range b.Pins {
		if p.line() {
			count["line"]++
		} else {
			count[p.Signal]++
		}
	}
	if len(b.Pins) != 40 || count["line"] != 28 || count["5V"] != 2 || count["3V3"] != 2 || count["GND"] != 8 {
		t.Errorf("%d pins: %v", len(b.Pins), count)
	}
	for pin, signal := range map[string]string{
		"11": "GPIO17", "12": "GPIO18", "17": "3V3", "18": "GPIO24", "8": "GPIO14", "10": "GPIO15",
		"25": "GND", "39": "GND", "40": "GPIO21", "29": "GPIO5", "37": "GPIO26", "33": "GPIO13",
	} {
		if p, _ := b.Pin(pin); p.Signal != signal {
			t.Errorf("pin %s is %s, want %s", pin, p.Signal, signal)
		}
	}
	old, _ := ByName("pi1-rev1")
	for pin, signal := range map[string]string{"3": "GPIO0", "5": "GPIO1", "13": "GPIO21", "11": "GPIO17"} {
		if p, _ := old.Pin(pin); p.Signal != signal {
			t.Errorf("rev 1: pin %s is %s, want %s", pin, p.Signal, signal)
		}
	}
	if len(old.Pins) != 26 {
		t.Errorf("rev 1: %d pins", len(old.Pins))
	}
}

// TestBoneHeader checks pins against the reference manual's numbers.
func TestBoneHeader(t *testing.T) {
	b, _ := ByName("bbb")
	for pin, signal := range map[string]string{
		"P9_12": "gpio1_28", "P9_23": "gpio1_17", "P8_11": "gpio1_13", "P8_12": "gpio1_12", "P8_26": "gpio1_29",
		"P8_7": "gpio2_2", "P8_25": "gpio1_0", "P8_14": "gpio0_26", "P9_1": "GND", "P9_3": "3V3", "P9_7": "SYS_5V", "P9_46": "GND",
	} {
		if p, _ := b.Pin(pin); p.Signal != signal {
			t.Errorf("pin %s is %s, want %s", pin, p.Signal, signal)
		}
	}
	if len(b.Pins) != 2*46+3 { // P9_15, P9_41 and P9_42 have two lines each
		t.Errorf("%d pins", len(b.Pins))
	}
	black, _ := b.Pin("P8_27")
	g, _ := ByName("bbg")
	if green, _ := g.Pin("P8_27"); black.Use == "" || green.Use != "" {
		t.Errorf("P8_27: HDMI on the Black (%q), free on the Green (%q)", black.Use, green.Use)
	}
}

func TestDetectNothing(t *testing.T) {
	h := newHost(t)
	if b := h.board(); b.Known() || b.String() != "unknown board" {
		t.Errorf("%+v", b)
	}
}
