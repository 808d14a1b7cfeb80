package board

import (
	"errors"
	"io/fs"
	"strings"
	"testing"

	"stump/internal/hint"

	"golang.org/x/sys/unix"
)

// setups are the boards of the table as their kernels show them.
var setups = []struct {
	name  string
	setup func(h *fakeHost)
	key   string
	want  map[string]string // configured name → line as printed
}{
	{
		"Pi 1 rev 1, Raspberry Pi kernel", func(h *fakeHost) {
			h.tree("Raspberry Pi Model B", "\x00\x00\x00\x02", "raspberrypi,model-b", "brcm,bcm2835")
			h.chip("gpiochip0", "pinctrl-bcm2835", "20200000", 54, namesRev1...)
		}, "pi1-rev1", map[string]string{
			"GPIO17": "GPIO17 = header pin 11 = gpiochip0 line 17 (pinctrl-bcm2835)",
			"pin 3":  `GPIO0 = header pin 3 = gpiochip0 line 0 (pinctrl-bcm2835) = "SDA0"`,
			"pin 13": `GPIO21 = header pin 13 = gpiochip0 line 21 (pinctrl-bcm2835) = "CAM_GPIO0"`,
			"GPIO27": "GPIO27 = gpiochip0 line 27 (pinctrl-bcm2835)",
		},
	},
	{
		"Pi 1 rev 1, mainline, no code", func(h *fakeHost) {
			h.tree("Raspberry Pi Model B", "", "raspberrypi,model-b", "brcm,bcm2835")
			h.chip("gpiochip0", "pinctrl-bcm2835", "20200000", 54, namesRev1...)
		}, "pi1-rev1", map[string]string{"pin 12": "GPIO18 = header pin 12 = gpiochip0 line 18 (pinctrl-bcm2835)"},
	},
	{
		"Pi 1 rev 2, Raspberry Pi kernel", func(h *fakeHost) {
			h.tree("Raspberry Pi Model B", "\x01\x00\x00\x0e", "raspberrypi,model-b", "brcm,bcm2835")
			h.chip("gpiochip0", "pinctrl-bcm2835", "20200000", 54, namesRev1...)
		}, "pi1", map[string]string{
			"pin 13": "GPIO27 = header pin 13 = gpiochip0 line 27 (pinctrl-bcm2835)",
			"GPIO4":  `GPIO4 = header pin 7 = gpiochip0 line 4 (pinctrl-bcm2835) = "GPIO_GCLK"`,
		},
	},
	{
		"Pi 1 rev 2, mainline", func(h *fakeHost) {
			h.tree("Raspberry Pi Model B rev2", "", "raspberrypi,model-b-rev2", "brcm,bcm2835")
			h.chip("gpiochip0", "pinctrl-bcm2835", "20200000", 54, namesRev1...)
		}, "pi1", map[string]string{"gpio18": "GPIO18 = header pin 12 = gpiochip0 line 18 (pinctrl-bcm2835)"},
	},
	pi("Raspberry Pi Model B Plus Rev 1.2", "raspberrypi,model-b-plus", "pi-b+", "pinctrl-bcm2835", namesPiOS),
	pi("Raspberry Pi Model A Plus Rev 1.1", "raspberrypi,model-a-plus", "pi-a+", "pinctrl-bcm2835", namesPiOS),
	pi("Raspberry Pi 2 Model B Rev 1.1", "raspberrypi,2-model-b", "pi2", "pinctrl-bcm2835", namesMainline),
	pi("Raspberry Pi 3 Model B Rev 1.2", "raspberrypi,3-model-b", "pi3", "pinctrl-bcm2835", nil),
	pi("Raspberry Pi 3 Model B Plus Rev 1.3", "raspberrypi,3-model-b-plus", "pi3b+", "pinctrl-bcm2835", namesPiOS),
	pi("Raspberry Pi 4 Model B Rev 1.4", "raspberrypi,4-model-b", "pi4", "pinctrl-bcm2711", namesMainline),
	pi("Raspberry Pi 400 Rev 1.0", "raspberrypi,400", "pi400", "pinctrl-bcm2711", namesPiOS),
	pi("Raspberry Pi Zero Rev 1.3", "raspberrypi,model-zero", "zero", "pinctrl-bcm2835", namesPiOS),
	pi("Raspberry Pi Zero W Rev 1.1", "raspberrypi,model-zero-w", "zero-w", "pinctrl-bcm2835", namesPiOS),
	pi("Raspberry Pi Zero 2 W Rev 1.0", "raspberrypi,model-zero-2-w", "zero-2-w", "pinctrl-bcm2835", namesMainline),
	{
		"Pi 5 of late 2023: chip 4, lines named after pins", func(h *fakeHost) {
			h.tree("Raspberry Pi 5 Model B Rev 1.0", "", "raspberrypi,5-model-b", "brcm,bcm2712")
			h.chip("gpiochip0", "gpio-brcmstb@107d508500", "107d508500", 32, strings.Fields(strings.Repeat("- ", 32))...)
			h.chip("gpiochip4", "pinctrl-rp1", "1f000d0000", 54, namesPi5Launch...)
		}, "pi5", map[string]string{
			"GPIO17": `GPIO17 = header pin 11 = gpiochip4 line 17 (pinctrl-rp1) = "PIN11"`,
			"PIN12":  `GPIO18 = header pin 12 = gpiochip4 line 18 (pinctrl-rp1) = "PIN12"`,
			"pin 12": `GPIO18 = header pin 12 = gpiochip4 line 18 (pinctrl-rp1) = "PIN12"`,
		},
	},
	{
		"Pi 5 since 6.6.45: chip 0, and a link that is not a chip", func(h *fakeHost) {
			h.tree("Raspberry Pi 5 Model B Rev 1.0", "", "raspberrypi,5-model-b", "brcm,bcm2712")
			h.chip("gpiochip0", "pinctrl-rp1", "1f000d0000", 54, namesPiOS...)
			h.chip("gpiochip10", "gpio-brcmstb@107d508500", "107d508500", 32, strings.Fields(strings.Repeat("- ", 32))...)
			h.link("dev/gpiochip4", "gpiochip0")
		}, "pi5", map[string]string{
			"GPIO17":        "GPIO17 = header pin 11 = gpiochip0 line 17 (pinctrl-rp1)",
			"gpiochip4:17":  "GPIO17 = header pin 11 = gpiochip0 line 17 (pinctrl-rp1)",
			"1f000d0000:18": "GPIO18 = header pin 12 = gpiochip0 line 18 (pinctrl-rp1)",
			"GPIO2":         "GPIO2 = header pin 3 = gpiochip0 line 2 (pinctrl-rp1)",
		},
	},
	{
		"BeagleBone Black, mainline since 5.15: banks rotated", func(h *fakeHost) {
			h.tree("TI AM335x BeagleBone Black", "", "ti,am335x-bone-black", "ti,am335x-bone", "ti,am33xx")
			h.bone([4]int{1, 2, 3, 0}, boneNames)
		}, "bbb", map[string]string{
			"P9_12":       "gpio1_28 = header pin P9_12 = gpiochip0 line 28 (gpio-0-31 at 4804c000)",
			"P9_23":       "gpio1_17 = header pin P9_23 = gpiochip0 line 17 (gpio-0-31 at 4804c000)",
			"P8_07":       "gpio2_2 = header pin P8_7 = gpiochip1 line 2 (gpio-32-63 at 481ac000)",
			"p9.22":       `gpio0_2 = header pin P9_22 = gpiochip3 line 2 (gpio-96-127 at 44e07000)`,
			"pin P9_14":   "gpio1_18 = header pin P9_14 = gpiochip0 line 18 (gpio-0-31 at 4804c000)",
			"gpio1_28":    "gpio1_28 = header pin P9_12 = gpiochip0 line 28 (gpio-0-31 at 4804c000)",
			"4804c000:28": "gpio1_28 = header pin P9_12 = gpiochip0 line 28 (gpio-0-31 at 4804c000)",
		},
	},
	{
		"BeagleBone Black, 4.14 image: lines named after balls", func(h *fakeHost) {
			h.tree("TI AM335x BeagleBone Black", "", "ti,am335x-bone-black", "ti,am335x-bone", "ti,am33xx")
			h.bone([4]int{0, 1, 2, 3}, func(bank int) []string {
				names := make([]string, 32)
				if bank == 1 {
					names[28] = "GPMC_BEN1"
				}
				return names
			})
		}, "bbb", map[string]string{
			"P9_12": `gpio1_28 = header pin P9_12 = gpiochip1 line 28 (gpio-32-63 at 4804c000) = "GPMC_BEN1"`,
		},
	},
	{
		"BeagleBone Green: lines without names", func(h *fakeHost) {
			h.tree("TI AM335x BeagleBone Green", "", "ti,am335x-bone-green", "ti,am335x-bone-black", "ti,am335x-bone", "ti,am33xx")
			h.bone([4]int{1, 2, 3, 0}, func(int) []string { return nil })
		}, "bbg", map[string]string{
			"P9_12": "gpio1_28 = header pin P9_12 = gpiochip0 line 28 (gpio-0-31 at 4804c000)",
		},
	},
	{
		"a board that nobody listed", func(h *fakeHost) {
			h.tree("Banana Pi BPI-M1", "", "lemaker,bananapi", "allwinner,sun7i-a20")
			h.chip("gpiochip0", "1c20800.pinctrl", "1c20800", 64, "", "PB1", "-")
			h.chip("gpiochip1", "gpio-expander", "", 8)
		}, "", map[string]string{
			"PB1":               `PB1 = gpiochip0 line 1 (1c20800.pinctrl)`,
			"gpiochip0:17":      "gpiochip0 line 17 (1c20800.pinctrl)",
			"gpio-expander:1":   "gpiochip1 line 1 (gpio-expander)",
			"/dev/gpiochip0:2":  "gpiochip0 line 2 (1c20800.pinctrl)",
			"1c20800.pinctrl:1": `PB1 = gpiochip0 line 1 (1c20800.pinctrl)`,
		},
	},
}

// pi is one more 40-pin Raspberry Pi: the two data lines mean the same on all.
func pi(model, compatible, key, label string, names []string) struct {
	name  string
	setup func(h *fakeHost)
	key   string
	want  map[string]string
} {
	d0, d1 := "GPIO17 = header pin 11 = gpiochip0 line 17 ("+label+")", "GPIO18 = header pin 12 = gpiochip0 line 18 ("+label+")"
	return struct {
		name  string
		setup func(h *fakeHost)
		key   string
		want  map[string]string
	}{model, func(h *fakeHost) {
		h.tree(model, "", compatible, "brcm,bcm283x")
		h.chip("gpiochip0", label, "fe200000", 58, names...)
		h.chip("gpiochip1", "raspberrypi-exp-gpio", "", 8, "BT_ON", "WL_ON", "PWR_LED_OFF", "", "VDD_SD_IO_SEL", "CAM_GPIO", "SD_PWR_ON", "")
	}, key, map[string]string{
		"GPIO17": d0, "pin 11": d0, label + ":17": d0, "gpiochip0:17": d0, "fe200000:17": d0, "fe200000.gpio:17": d0,
		"GPIO18": d1, "Pin 12": d1, " GPIO18 ": d1, "PIN12": d1,
		"WL_ON": "WL_ON = gpiochip1 line 1 (raspberrypi-exp-gpio)",
	}}
}

func TestLookupOnEveryBoard(t *testing.T) {
	seen := make(map[string]bool)
	for _, s := range setups {
		t.Run(s.name, func(t *testing.T) {
			h := newHost(t)
			s.setup(h)
			b := h.board()
			if b.Key != s.key {
				t.Fatalf("board %q (%s), want %q", b.Key, b, s.key)
			}
			seen[b.Key] = true
			if b.Known() != (s.key != "") {
				t.Errorf("%s is known: %v", b, b.Known())
			}
			for name, want := range s.want {
				l, err := b.Lookup(name)
				if err != nil {
					t.Errorf("%q: %v", name, err)
				} else if l.String() != want {
					t.Errorf("%q\n got %s\nwant %s", name, l, want)
				}
			}
			if b.Known() {
				d0, err0 := b.Lookup(b.Data0)
				d1, err1 := b.Lookup(b.Data1)
				if err0 != nil || err1 != nil || d0.chip.Name != d1.chip.Name || d0.info.Offset == d1.info.Offset {
					t.Errorf("the board's own lines: %v %v, %v %v: want two of one chip", d0, err0, d1, err1)
				}
				if d0.GPIO().Name != d0.String() || d0.GPIO().Offset != d0.info.Offset || !strings.HasSuffix(d0.GPIO().Chip, "/dev/"+d0.chip.Name) {
					t.Errorf("for a request: %+v", d0.GPIO())
				}
			}
		})
	}
	for _, key := range strings.Fields("pi1-rev1 pi1 pi-b+ pi2 pi3 pi3b+ pi4 pi400 pi5 zero zero-w zero-2-w bbb bbg") {
		if !seen[key] {
			t.Errorf("no test of board %s", key)
		}
	}
}

func TestLookupRefuses(t *testing.T) {
	h := newHost(t)
	h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
	h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesPiOS...)
	h.chip("gpiochip1", "expander", "", 8, "DOOR", "-", "NC", "GPIO22")
	h.chip("gpiochip2", "expander", "", 8, "BELL", "-", "NC", "DOOR [spare]", "DOOR")
	for _, c := range []struct{ name, why, hint string }{
		{"17", "a bare number can be a header pin or a GPIO", `"GPIO17" or "pin 17"`},
		{"pin 17", "header pin 17 is 3V3, not a line", `if GPIO17 is meant, write "GPIO17": it is header pin 11`},
		{"pin 30", "header pin 30 is GND, not a line", ""},
		{"PIN17", "no chip has a line of this name", ""},
		{"pin", "no chip has a line of this name", ""},
		{":1", `no chip ""; there is gpiochip0 (pinctrl-bcm2711 at fe200000, 58 lines), gpiochip1 (expander, 8 lines)`, ""},
		{"gpiochip0:-1", `"-1" is not a line number`, "pinctrl-bcm2711:17"},
		{"pin 6", "header pin 6 is GND, not a line", `it is header pin 31`},
		{"pin 41", "has no such pin", "its pins are 1 to 40"},
		{"DOOR", "2 lines have this name\n  DOOR = gpiochip1 line 0 (expander)\n  DOOR = gpiochip2 line 4 (expander)", `"gpiochip1:0"`},
		{"GPIO22", "2 lines have this name", `"gpiochip0:22"`},
		{"expander:3", "2 lines have this name", `"gpiochip1:3"`},
		{"expander:x", `"x" is not a line number`, "pinctrl-bcm2711:17"},
		{"gpiochip0:58", "gpiochip0 (pinctrl-bcm2711 at fe200000, 58 lines) has lines 0 to 57", "correct"},
		{"pinctrl-rp1:17", `no chip "pinctrl-rp1"; there is gpiochip0 (pinctrl-bcm2711`, ""},
		{"GPIO99", "no chip has a line of this name", ""},
		{"-", "no chip has a line of this name", ""},
		{"NC", "no chip has a line of this name", ""},
		{"", "no chip has a line of this name", ""},
	} {
		_, err := h.board().Lookup(c.name)
		if err == nil || !strings.Contains(err.Error(), c.why) || !strings.Contains(hint.Of(err), c.hint) || (c.hint == "") != (hint.Of(err) == "") {
			t.Errorf("%q: %v\n  %s\nwant %s\n  %s", c.name, err, hint.Of(err), c.why, c.hint)
		}
	}
}

// A chip that could not be read is told only where it may be the one that was meant.
func TestLookupBesideABrokenChip(t *testing.T) {
	h := newHost(t)
	h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
	h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesPiOS...)
	h.write("dev/gpiochip9", "not a device")
	_, err := h.board().Lookup("GPIO99")
	if err == nil || !strings.Contains(err.Error(), "no chip has a line of this name") || !strings.Contains(hint.Of(err), "not a GPIO chip") {
		t.Errorf("%v\n  %s", err, hint.Of(err))
	}
	_, err = h.board().Lookup("17")
	if err == nil || !strings.Contains(hint.Of(err), "they are different pins") {
		t.Errorf("%v\n  %s", err, hint.Of(err))
	}
	// A chip of which a line can't be read is broken, too.
	c := h.chip("gpiochip1", "expander", "", 4, "DOOR")
	c.lines = c.lines[:2]
	if _, err := h.board().Lookup("DOOR"); err == nil {
		t.Error("a line of a chip that can't be read")
	}
}

// A header that is shorter, or a chip that is, has no line there.
func TestLookupBeyondTheEnd(t *testing.T) {
	for lines, found := range map[int]bool{17: false, 18: true} {
		h := newHost(t)
		h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b")
		h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", lines)
		l, err := h.board().Lookup("GPIO17")
		if found && (err != nil || l.info.Offset != 17) || !found && (err == nil || !strings.Contains(err.Error(), "the chip of the header is missing")) {
			t.Errorf("%d lines: %v", lines, err)
		}
	}
}

// Other names of a chip, and lines that are not on the header.
func TestLookupNotations(t *testing.T) {
	h := newHost(t)
	h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b")
	h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesPiOS...).info.Name = "gpiochip7"
	h.chip("gpiochip1", "gpio-fake", "", 8)
	h.link("sys/bus/gpio/devices/gpiochip1", "../../../devices/platform/gpio-sim.0/gpiochip1")
	h.chip("gpiochip2", "gpio-plain", "", 8)
	h.link("sys/bus/gpio/devices/gpiochip2", "../../../devices/1234/gpiochip2")
	h.link("dev/gpiochip4", "gpiochip0")
	for name, want := range map[string]string{
		"gpiochip7:17":               "GPIO17 = header pin 11 = gpiochip7 line 17 (pinctrl-bcm2711)",
		"/dev/gpiochip7:17":          "GPIO17 = header pin 11 = gpiochip7 line 17 (pinctrl-bcm2711)",
		h.root + "/dev/gpiochip4:17": "GPIO17 = header pin 11 = gpiochip7 line 17 (pinctrl-bcm2711)",
		h.root + "/dev/gpiochip0:0":  `GPIO0 = header pin 27 = gpiochip7 line 0 (pinctrl-bcm2711) = "ID_SDA"`,
		"gpiochip7:28":               "gpiochip7 line 28 (pinctrl-bcm2711)",
		"gpio-fake:3":                "gpiochip1 line 3 (gpio-fake)",
		"gpio-plain:3":               "gpiochip2 line 3 (gpio-plain)",
	} {
		if l, err := h.board().Lookup(name); err != nil || l.String() != want {
			t.Errorf("%s: %v %v, want %s", name, l, err, want)
		}
	}
	if got := baseName("[foo]"); got != "[foo]" {
		t.Errorf("a name in brackets is %q", got)
	}
	unknown := newHost(t)
	if _, err := unknown.board().Lookup("pin 11"); err == nil || !strings.Contains(err.Error(), "the header of unknown board is not known") {
		t.Errorf("pin 11 of an unknown board: %v", err)
	}
}

func TestLookupOnBones(t *testing.T) {
	h := newHost(t)
	h.tree("TI AM335x BeagleBone Black", "", "ti,am335x-bone-black")
	h.bone([4]int{0, 1, 2, 3}, boneNames)
	h.chip("gpiochip4", "expander", "", 8)
	for name, want := range map[string]string{
		"P9_22 [spi0_sclk]": `gpio0_2 = header pin P9_22 = gpiochip0 line 2 (gpio-0-31 at 44e07000)`,
		"expander:3":        "gpiochip4 line 3 (expander)",
	} {
		if l, err := h.board().Lookup(name); err != nil || l.String() != want {
			t.Errorf("%s: %v %v, want %s", name, l, err, want)
		}
	}
	// Of the two lines on P9_41 only one is there.
	h = newHost(t)
	h.tree("TI AM335x BeagleBone Black", "", "ti,am335x-bone-black")
	h.chip("gpiochip0", "gpio-0-31", bankAddress[0], 32)
	if l, err := h.board().Lookup("P9_41"); err != nil || l.pin.Name != "P9_41B" {
		t.Errorf("P9_41: %v %v", l, err)
	}
}

func TestLookupSplitPin(t *testing.T) {
	h := newHost(t)
	h.tree("TI AM335x BeagleBone Black", "", "ti,am335x-bone-black")
	h.bone([4]int{1, 2, 3, 0}, boneNames)
	for _, name := range []string{"P9_41", "pin P9_41"} {
		_, err := h.board().Lookup(name)
		if err == nil || !strings.Contains(err.Error(), "header pin P9_41A") || !strings.Contains(err.Error(), "header pin P9_41B") {
			t.Errorf("%s: %v", name, err)
		}
	}
	// Kernels before 6.10 call P9_42A P8_42A: what is printed is where it is.
	c := h.chips["gpiochip3"]
	c.lines[7].Name = "P8_42A [ecappwm0]"
	l, err := h.board().Lookup("P9_42A")
	if err != nil || l.pin.Name != "P9_42A" || l.info.Offset != 7 {
		t.Errorf("P9_42A: %v %v", l, err)
	}
}

func TestLookupWithoutChips(t *testing.T) {
	h := newHost(t)
	h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
	_, err := h.board().Lookup("GPIO17")
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "no /dev/gpiochip*") {
		t.Errorf("no chips: %v", err)
	}

	h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesPiOS...)
	h.fail["gpiochip0"] = unix.EACCES
	_, err = h.board().Lookup("GPIO17")
	if !errors.Is(err, unix.EACCES) || !strings.Contains(hint.Of(err), "group gpio") {
		t.Errorf("no permission: %v", err)
	}

	// One broken chip does not hide the others.
	delete(h.fail, "gpiochip0")
	h.write("dev/gpiochip9", "not a device")
	if l, err := h.board().Lookup("GPIO17"); err != nil || l.info.Offset != 17 {
		t.Errorf("beside a broken chip: %v %v", l, err)
	}
}

func TestSurvey(t *testing.T) {
	h := newHost(t)
	h.tree("Raspberry Pi 4 Model B Rev 1.4", "", "raspberrypi,4-model-b", "brcm,bcm2711")
	c := h.chip("gpiochip0", "pinctrl-bcm2711", "fe200000", 58, namesPiOS...)
	c.lines[18].Used, c.lines[18].Consumer = true, "snd-pwm"
	text, ok := h.board().Survey([]Wanted{{"stump DATA0", "GPIO17"}, {"stump DATA1", "GPIO18"}, {"beeper", "pin 17"}})
	want := `board: Raspberry Pi 4 Model B Rev 1.4 (pi4)
chip: gpiochip0, pinctrl-bcm2711, 58 lines
stump DATA0 = GPIO17 = header pin 11 = gpiochip0 line 17 (pinctrl-bcm2711)
stump DATA1 = GPIO18 = header pin 12 = gpiochip0 line 18 (pinctrl-bcm2711): held by "snd-pwm"
beeper: line "pin 17": header pin 17 is 3V3, not a line
  if GPIO17 is meant, write "GPIO17": it is header pin 11
`
	if text != want || ok {
		t.Errorf("got\n%s\nwant\n%s", text, want)
	}
	for name, want := range map[string]bool{"GPIO17": true, "GPIO18": false, "GPIO99": false} {
		if _, ok := h.board().Survey([]Wanted{{"stump DATA0", name}}); ok != want {
			t.Errorf("%s is found and free: %v", name, ok)
		}
	}
	if text, _ := h.board().Survey([]Wanted{{"red light", "GPIO99"}, {"green light", "pin 17"}, {"beeper", "GPIO99"}}); strings.Contains(text, "  \n") || strings.Count(text, "\n  ") != 1 {
		t.Errorf("a remedy where there is none:\n%s", text)
	}
	h.fail["gpiochip0"] = unix.EACCES
	if text, _ := h.board().Survey([]Wanted{{"stump DATA0", "GPIO17"}, {"stump DATA1", "GPIO18"}}); !strings.Contains(text, "permission denied") || strings.Count(text, "group gpio") != 1 || !strings.Contains(text, "chips: open ") {
		t.Error(text)
	}
}
