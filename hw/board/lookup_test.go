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
	pi("Raspberry Pi Compute Module 4 Rev 1.0", "raspberrypi,4-compute-module", "cm4", "pinctrl-bcm2711", nil), // Linux 5.4
	pi("Raspberry Pi Compute Module 4 Rev 1.1", "raspberrypi,4-compute-module", "cm4", "pinctrl-bcm2711", namesPiOS),
	pi("Raspberry Pi Compute Module 5 Rev 1.0", "raspberrypi,5-compute-module", "cm5", "pinctrl-rp1", namesPiOS),
	pi("Raspberry Pi 500 Rev 1.0", "raspberrypi,500", "pi500", "pinctrl-rp1", namesPiOS),
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
		"PocketBeagle, mainline: names with a point and a zero", func(h *fakeHost) {
			h.tree("TI AM335x PocketBeagle", "", "ti,am335x-pocketbeagle", "ti,am335x-bone", "ti,am33xx")
			names := make([]string, 32)
			names[26], names[27] = "P2.04", "P2.02"
			h.bone([4]int{1, 2, 3, 0}, func(bank int) []string { return map[int][]string{1: names}[bank] })
		}, "pocketbeagle", map[string]string{
			"P2_2":     "gpio1_27 = header pin P2_2 = gpiochip0 line 27 (gpio-0-31 at 4804c000)",
			"P2.02":    "gpio1_27 = header pin P2_2 = gpiochip0 line 27 (gpio-0-31 at 4804c000)",
			"p2-04":    "gpio1_26 = header pin P2_4 = gpiochip0 line 26 (gpio-0-31 at 4804c000)",
			"P1.26":    "gpio0_12 = header pin P1_26 = gpiochip3 line 12 (gpio-96-127 at 44e07000)",
			"P1_2":     "gpio2_23 = header pin P1_2 = gpiochip1 line 23 (gpio-32-63 at 481ac000)",
			"pin P2_8": "gpio1_28 = header pin P2_8 = gpiochip0 line 28 (gpio-0-31 at 4804c000)",
		},
	},
	{
		"BeagleBone AI-64, BeagleBoard's kernel", func(h *fakeHost) {
			h.tree("BeagleBoard.org BeagleBone AI-64", "", "beagle,j721e-beagleboneai64", "ti,j721e")
			names := make([]string, 128)
			names[45], names[10], names[48], names[40] = "P9_12", "P9_23", "P8_04 (BOOTMODE2)", "P9_18A"
			h.chip("gpiochip0", "42110000.gpio", "42110000", 84)
			h.chip("gpiochip1", "600000.gpio", "600000", 128, names...)
			h.chip("gpiochip2", "601000.gpio", "601000", 36)
		}, "bbai64", map[string]string{
			"P9_12":         "gpio0_45 = header pin P9_12 = gpiochip1 line 45 (600000.gpio)",
			"P9.23":         "gpio0_10 = header pin P9_23 = gpiochip1 line 10 (600000.gpio)",
			"P8_4":          "gpio0_48 = header pin P8_4 = gpiochip1 line 48 (600000.gpio)",
			"P9_41":         "gpio1_0 = header pin P9_41 = gpiochip2 line 0 (601000.gpio)",
			"P9_33":         "gpio0_50 = header pin P9_33B = gpiochip1 line 50 (600000.gpio)",
			"gpio0_111":     "gpio0_111 = header pin P8_33B = gpiochip1 line 111 (600000.gpio)",
			"600000.gpio:1": "gpio0_1 = header pin P9_11 = gpiochip1 line 1 (600000.gpio)",
		},
	},
	{
		"BeagleBone AI-64, mainline: no names", func(h *fakeHost) {
			h.tree("BeagleBoard.org BeagleBone AI-64", "", "beagle,j721e-beagleboneai64", "ti,j721e")
			h.chip("gpiochip0", "600000.gpio", "600000", 128)
		}, "bbai64", map[string]string{"P9_12": "gpio0_45 = header pin P9_12 = gpiochip0 line 45 (600000.gpio)"},
	},
	{
		"BeagleBone Blue, mainline", func(h *fakeHost) {
			h.tree("TI AM335x BeagleBone Blue", "", "ti,am335x-bone-blue", "ti,am33xx")
			names := make([]string, 32)
			names[25], names[17] = "GPIO1_25", "GPIO1_17"
			h.bone([4]int{1, 2, 3, 0}, func(bank int) []string { return map[int][]string{1: names}[bank] })
		}, "bbblue", map[string]string{
			"GP0_3":    `gpio1_25 = header pin GP0_3 = gpiochip0 line 25 (gpio-0-31 at 4804c000) = "GPIO1_25"`,
			"gp0.4":    `gpio1_17 = header pin GP0_4 = gpiochip0 line 17 (gpio-0-31 at 4804c000) = "GPIO1_17"`,
			"GPIO1_17": `gpio1_17 = header pin GP0_4 = gpiochip0 line 17 (gpio-0-31 at 4804c000) = "GPIO1_17"`,
			"GP1_3":    `gpio3_2 = header pin GP1_3 = gpiochip2 line 2 (gpio-64-95 at 481ae000)`,
		},
	},
	{
		"BeaglePlay, mainline", func(h *fakeHost) {
			h.tree("BeagleBoard.org BeaglePlay", "", "beagle,am625-beagleplay", "ti,am625")
			names := make([]string, 52)
			names[9], names[12] = "MIKROBUS_GPIO1_9", "MIKROBUS_GPIO1_12"
			h.chip("gpiochip0", "tps65219-gpio", "", 3)
			h.chip("gpiochip1", "4201000.gpio", "4201000", 24)
			h.chip("gpiochip2", "600000.gpio", "600000", 92)
			h.chip("gpiochip3", "601000.gpio", "601000", 52, names...)
		}, "beagleplay", map[string]string{
			"INT":              `gpio1_9 = header pin INT = gpiochip3 line 9 (601000.gpio) = "MIKROBUS_GPIO1_9"`,
			"pin rst":          `gpio1_12 = header pin RST = gpiochip3 line 12 (601000.gpio) = "MIKROBUS_GPIO1_12"`,
			"MIKROBUS_GPIO1_9": `gpio1_9 = header pin INT = gpiochip3 line 9 (601000.gpio) = "MIKROBUS_GPIO1_9"`,
			"gpio1_10":         `gpio1_10 = header pin AN = gpiochip3 line 10 (601000.gpio)`,
		},
	},
	{
		"a Raspberry Pi that nobody listed", func(h *fakeHost) {
			h.tree("Raspberry Pi Compute Module 3 Plus Rev 1.0", "", "raspberrypi,3-compute-module", "brcm,bcm2837")
			h.chip("gpiochip0", "pinctrl-bcm2835", "3f200000", 54)
		}, "", map[string]string{
			"GPIO17": "GPIO17 = gpiochip0 line 17 (pinctrl-bcm2835)",
			"BCM18":  "GPIO18 = gpiochip0 line 18 (pinctrl-bcm2835)",
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
		"BCM17": d0, "bcm 17": d0, "GPIO_17": d0, "J8:11": d0, "P1-11": d0, "physical 11": d0, "BOARD11": d0, "wpi0": d0, "wiringPi 0": d0,
		"gpiochip0 17": d0, "board.D18": d1, "pin-12": d1, "WPI 1": d1, "gpio-18": d1,
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
	for _, key := range strings.Fields("pi1-rev1 pi1 pi-b+ pi2 pi3 pi3b+ pi4 pi400 pi5 pi500 cm4 cm5 zero zero-w zero-2-w bbb bbg pocketbeagle bbai64 bbblue beagleplay") {
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
		{"pin", "the line is missing", `"pin 11"`},
		{":1", `the chip is missing`, "pinctrl-bcm2711:17"},
		{"none:1", `no chip "none"; there is gpiochip0 (pinctrl-bcm2711 at fe200000, 58 lines), gpiochip1 (expander, 8 lines)`, ""},
		{"GPIO.0", "wiringPi calls its pin 0 so, and others GPIO0", `write "GPIO17" if wiringPi's number is meant, "GPIO0" if Broadcom's is`},
		{"GPIO. 17", "wiringPi calls its pin 17 so", `write "GPIO17" if Broadcom's number is meant`},
		{"wpi17", "wiringPi has no such pin", "GPIO17"},
		{"wpi99", "wiringPi has no such pin", "GPIO17"},
		{"P9_12", "a pin of a BeagleBone, and this is the Raspberry Pi 4 Model B", "GPIO17"},
		{"J8:17", "header pin 17 is 3V3, not a line", `if GPIO17 is meant, write "GPIO17"`},
		{"BCM28", "no chip has a line of this name", ""},
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
		{"", "the line is missing", `"pin 11"`},
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
	h.chip("gpiochip0", "gpio-0-31", am335x[0], 32)
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
