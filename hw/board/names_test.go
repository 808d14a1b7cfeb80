package board

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/internal/hint"
)

// Boards are found by the names that people try, and no name finds two.
func TestByName(t *testing.T) {
	for key, names := range map[string][]string{
		"cm4":          {"cm4", "CM4", "cm4-io", "cm4io", "compute-module-4", "Compute Module 4", "Raspberry Pi Compute Module 4", "rpi-cm4", "computemodule4"},
		"cm5":          {"cm5", "compute-module-5", "cm5-io", "Compute Module 5 IO Board"},
		"pi4":          {"pi4", "PI4", "rpi4", "pi-4", "raspberry-pi-4", "pi4b", "Raspberry Pi 4 Model B", "4b"},
		"pi3b+":        {"pi3b+", "pi3bplus", "raspberry pi 3 model b+"},
		"pi500":        {"pi500", "Raspberry Pi 500"},
		"zero-2-w":     {"zero-2-w", "zero2w", "pi-zero-2-w", "Raspberry Pi Zero 2 W"},
		"bbb":          {"bbb", "BeagleBone Black", "beaglebone-black"},
		"bbai64":       {"bbai64", "ai-64", "BeagleBone AI-64", "beaglebone-ai-64"},
		"bbblue":       {"blue", "bbblue", "beaglebone-blue"},
		"beagleplay":   {"BeaglePlay", "beagle-play", "play"},
		"pocketbeagle": {"pocketbeagle", "pocket-beagle"},
	} {
		for _, name := range names {
			if b, err := ByName(name); err != nil || b.Key != key {
				t.Errorf("%q is %v, %v; want %s", name, b, err, key)
			}
		}
	}
	seen := map[string]string{}
	for _, b := range All() {
		for _, n := range b.names() {
			if other := seen[plain(n)]; other != "" && other != b.Key {
				t.Errorf("%q is %s and %s", n, other, b.Key)
			}
			seen[plain(n)] = b.Key
		}
	}
	for name, want := range map[string]string{
		"pi6": "did you mean pi", "compute-module-6": "did you mean cm", "comput-module-4": "did you mean cm4", "beagelplay": "did you mean beagleplay, the BeaglePlay?",
		"arduino": "use one of pi1-rev1", "": "use one of",
	} {
		if b, err := ByName(name); err == nil || !strings.HasPrefix(hint.Of(err), want) {
			t.Errorf("%q is %v, %v (%s); want %s", name, b, err, hint.Of(err), want)
		}
	}
}

// Every board's lines in every scheme of its family are the lines that were meant.
func TestSchemes(t *testing.T) {
	type form struct {
		text string
		of   func(p Pin) (any, bool) // what is written of a pin; false: it has no such name
	}
	number := func(p Pin) (any, bool) { return p.offset, true }
	onHeader := func(p Pin) (any, bool) { return p.Name, true }
	pi := []form{
		{"BCM%d", number}, {"bcm %d", number}, {"GPIO%d", number}, {"GPIO %d", number}, {"gpio_%d", number}, {"D%d", number}, {"board.D%d", number},
		{"J8:%s", onHeader}, {"j8_%s", onHeader}, {"pin %s", onHeader}, {"pin%s", onHeader}, {"Pin-%s", onHeader}, {"physical %s", onHeader}, {"BOARD%s", onHeader}, {"header pin %s", onHeader},
	}
	for _, b := range All() {
		forms := pi
		if b.Family == BeagleBone {
			forms = []form{
				{"gpio%s", func(p Pin) (any, bool) { return fmt.Sprintf("%d_%d", p.bank, p.offset), true }},
				{"GPIO%s", func(p Pin) (any, bool) { return fmt.Sprintf("%d.%d", p.bank, p.offset), true }},
				{"gpio%s]", func(p Pin) (any, bool) { return fmt.Sprintf("%d[%d", p.bank, p.offset), true }},
				{"%s", onHeader}, {"pin %s", onHeader},
				{"%s", func(p Pin) (any, bool) { return strings.ToLower(strings.Replace(p.Name, "_", ".", 1)), true }},
				{"%s", func(p Pin) (any, bool) { return strings.Replace(p.Name, "_", "-0", 1), true }},
			}
		}
		for _, p := range b.Pins {
			for _, f := range forms {
				what, ok := f.of(p)
				if !p.line() || !ok {
					continue
				}
				name := fmt.Sprintf(f.text, what)
				if got, err := b.Place(name); err != nil || got.Name != p.Name {
					t.Errorf("%s: %q is pin %q, %v; want %s", b.Key, name, got.Name, err, p.Name)
				}
			}
		}
	}
}

// wiringPi's pins keep their place on the header, whatever GPIO is there.
func TestWiringPi(t *testing.T) {
	for key, want := range map[string]map[string]string{
		"pi4":      {"wpi0": "11", "wpi2": "13", "wpi8": "3", "WPI:29": "40", "wiringpi 30": "27"},
		"pi1-rev1": {"wpi0": "11", "wpi2": "13", "wpi8": "3"},
	} {
		b, err := ByName(key)
		if err != nil {
			t.Fatal(err)
		}
		for name, pin := range want {
			if p, err := b.Place(name); err != nil || p.Name != pin {
				t.Errorf("%s: %s is pin %q, %v; want %s", key, name, p.Name, err, pin)
			}
		}
	}
	seen := map[int]bool{}
	for n, gpio := range wiringPiGPIO {
		if gpio >= 0 && seen[gpio] {
			t.Errorf("wiringPi's %d is GPIO%d again", n, gpio)
		}
		seen[gpio] = true
	}
}

// A name that is not one of this board is refused with one that is, or with how
// they are written.
func TestForeignNames(t *testing.T) {
	for _, c := range []struct{ key, name, why, remedy string }{
		{"pi4", "P9_12", "a pin of a BeagleBone", `"GPIO17"`},
		{"pi4", "gpio1_28", "has no such line", "GPIO"},
		{"pi4", "GPIO40", "has no such line", "did you mean"},
		{"pi4", "GIPO17", "has no such line", `did you mean "GPIO17"?`},
		{"pi4", "17", "a bare number", `"pin 17"`},
		{"pi4", "GPIO.4", "wiringPi calls its pin 4 so", `"GPIO23" if wiringPi's number is meant, "GPIO4" if Broadcom's is`},
		{"bbb", "BCM17", "a name of a Raspberry Pi's line", "P9_12"},
		{"beagleplay", "D17", "a name of a Raspberry Pi's line", `"INT"`},
		{"bbb", "J8:11", "a name of a Raspberry Pi's line", `"P9_12"`},
		{"bbb", "wpi0", "a name of a Raspberry Pi's line", `"P9_12"`},
		{"bbb", "GPIO60", "has no such line", `write "gpio1_28" (header pin P9_12)`},
		{"bbb", "gpio_60", "has no such line", `write "gpio1_28" (header pin P9_12)`},
		{"bbai64", "GPIO45", "has no such line", `"P9_12"`},
		{"bbb", "P9_41", "two lines share this pin", `write "P9_41A" or "P9_41B"`},
		{"beagleplay", "P9_12", "has no such line", `"INT"`},
	} {
		b, err := ByName(c.key)
		if err != nil {
			t.Fatal(err)
		}
		p, err := b.Place(c.name)
		if err == nil || !strings.Contains(err.Error(), c.why) || !strings.Contains(hint.Of(err), c.remedy) {
			t.Errorf("%s: %q is pin %q, %v (%s); want %s (%s)", c.key, c.name, p.Name, err, hint.Of(err), c.why, c.remedy)
		}
	}
}

// Whatever is written, each board places it on a line of its header, or refuses it
// with what to do.
func TestPlaceAnything(t *testing.T) {
	boards := All()
	rapid.Check(t, func(t *rapid.T) {
		b := boards[rapid.IntRange(0, len(boards)-1).Draw(t, "board")]
		name := rapid.OneOf(
			rapid.StringMatching(`(GPIO|gpio|BCM|wpi|J8|P[189]|pin|GP0|D|physical|gpiochip0|pinctrl-rp1|601000)[ _.:\[-]?[0-9]{0,3}[ABab\]]?`),
			rapid.String(),
		).Draw(t, "name")
		p, err := b.Place(name)
		switch {
		case err == nil && !p.line():
			t.Fatalf("%s: %q is pin %s, which is %s", b.Key, name, p.Name, p.Signal)
		case err != nil && hint.Of(err) == "" && !strings.Contains(err.Error(), "not a line"):
			t.Fatalf("%s: %q: %v: and what to do?", b.Key, name, err)
		}
	})
}
