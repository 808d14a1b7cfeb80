package board

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/internal/hint"
)

// Check finds, without the board, what would only be found on it.
func TestCheck(t *testing.T) {
	for _, c := range []struct {
		key   string
		names []string
		ports []string
		text  []string // in this order
		wrong []string // of each line; "" is right
	}{
		{"pi4", []string{"GPIO17", "pin 12"}, nil, []string{"line 0 = GPIO17 = header pin 11\n", "line 1 = GPIO18 = header pin 12\n"}, []string{"", ""}},
		{"pi4", []string{"pin 17", "pin 6", "pin 2", "3V3"}, nil, nil, []string{"header pin 17 is 3V3", "header pin 6 is GND", "header pin 2 is 5V", "3V3 is a supply or a signal"}},
		{"pi4", []string{"GPIO17", "J8:11", "BCM17", "wpi0"}, nil, nil, []string{"", "header pin 11 is line 0 already", "header pin 11 is line 0 already", "header pin 11 is line 0 already"}},
		{"pi4", []string{"GPIO2", "pin 5"}, nil, nil, []string{"the I2C bus's own (I2C SDA)", "the I2C bus's own (I2C SCL)"}},
		{"pi4", []string{"GPIO14", "GPIO15"}, nil, []string{"line 0 = GPIO14", "note: the board may use it: UART TX", "line 1 = GPIO15"}, []string{"", ""}},
		{"pi4", []string{"GPIO14", "GPIO15"}, []string{"/dev/serial0"}, nil, []string{"header pin 8 is UART TX, which the configuration uses as /dev/serial0", "UART RX"}},
		{"pi5", []string{"GPIO14"}, []string{"/dev/ttyUSB0", "/dev/ttyAMA0"}, nil, []string{"/dev/ttyAMA0"}},
		{"pi4", []string{"GPIO4"}, nil, []string{"1-Wire"}, []string{""}},
		{"pi4", []string{"expander:3", "DOOR", "GPIO_GCLK"}, nil, []string{`note: line 0: only the board itself can tell what line "expander:3" is`, `"DOOR"`, `"GPIO_GCLK"`}, []string{"", "", ""}},
		{"pi4", []string{"pinctrl-rp1:17", "GIPO17", "GPIO28", "pin 41"}, nil, nil, []string{"has no such line", "has no such line", "has no such line", "has no such pin"}},
		{"bbb", []string{"P9_19", "P9_20"}, nil, nil, []string{"I2C2 SCL", "I2C2 SDA"}},
		{"bbb", []string{"P9_13"}, []string{"/dev/ttyS4"}, nil, []string{"UART4 TX, which the configuration uses as /dev/ttyS4"}},
		{"bbb", []string{"P9_13"}, []string{"/dev/ttyS2"}, []string{"UART4 TX"}, []string{""}},
		{"bbb", []string{"P9_41", "P8_45"}, nil, []string{"HDMI, boot mode"}, []string{"two lines share this pin", ""}},
		{"beagleplay", []string{"INT", "SDA"}, nil, []string{"line 0 = gpio1_9 = header pin INT"}, []string{"", "I2C3 SDA"}},
	} {
		b, err := ByName(c.key)
		if err != nil {
			t.Fatal(err)
		}
		var wanted []Wanted
		for i, n := range c.names {
			wanted = append(wanted, Wanted{"line " + string(rune('0'+i)), n})
		}
		text, wrong := b.Check(wanted, c.ports)
		rest := text
		for _, s := range c.text {
			_, after, ok := strings.Cut(rest, s)
			if !ok {
				t.Errorf("%s %q: no %q in\n%s", c.key, c.names, s, text)
			}
			rest = after
		}
		for i, want := range c.wrong {
			if (wrong[i] == nil) != (want == "") || want != "" && !strings.Contains(wrong[i].Error(), want) {
				t.Errorf("%s %s: %v, want %q", c.key, c.names[i], wrong[i], want)
			}
		}
	}
}

// On the board itself a line has all its names there, and what is missing is
// Survey's to say.
func TestCheckHere(t *testing.T) {
	h := newHost(t)
	h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
	h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesMainline...)
	h.chip("gpiochip1", "expander", "", 8, "DOOR")
	_, wrong := h.board().Check([]Wanted{{"a", "GPIO_GCLK"}, {"b", "SCL1"}, {"c", "pin 7"}, {"d", "DOOR"}, {"e", "GPIO77"}, {"f", "pin 17"}}, nil)
	for i, want := range []string{"", "I2C SCL", "header pin 7 is a already", "", "", ""} {
		if (wrong[i] == nil) != (want == "") || want != "" && !strings.Contains(wrong[i].Error(), want) {
			t.Errorf("%d: %v, want %q", i, wrong[i], want)
		}
	}
}

// What is refused because its pin has another use comes with free pins, none of
// which is in use.
func TestOtherPin(t *testing.T) {
	pi, _ := ByName("pi4")
	_, wrong := pi.Check([]Wanted{{"a", "GPIO17"}, {"b", "GPIO2"}, {"c", "GPIO27"}}, nil)
	if got := hint.Of(wrong[1]); !strings.HasPrefix(got, "take a free pin: GPIO18, GPIO22, GPIO23, GPIO24, GPIO25 …; `stump wiring --board pi4`") {
		t.Error(got)
	}
}

// A board's own lines are always right, and whatever is right is found once.
func TestCheckAnything(t *testing.T) {
	boards := All()
	rapid.Check(t, func(t *rapid.T) {
		b := boards[rapid.IntRange(0, len(boards)-1).Draw(t, "board")]
		wanted := []Wanted{{"DATA0", b.Data0}, {"DATA1", b.Data1}}
		for _, p := range rapid.SliceOfN(rapid.SampledFrom(b.Pins), 0, 6).Draw(t, "pins") {
			wanted = append(wanted, Wanted{"light", "pin " + p.Name})
		}
		_, wrong := b.Check(wanted, nil)
		if wrong[0] != nil || wrong[1] != nil {
			t.Fatalf("%s: its own lines: %v, %v", b.Key, wrong[0], wrong[1])
		}
		seen := map[string]bool{}
		for i, w := range wanted {
			p, err := b.Place(w.Name)
			if err == nil && wrong[i] == nil && (seen[p.Name] || !p.line() || strings.HasPrefix(p.Use, "I2C")) || err != nil && wrong[i] == nil {
				t.Fatalf("%s: %q is right: %+v, %v", b.Key, w.Name, p, err)
			}
			seen[p.Name] = true
		}
	})
}
