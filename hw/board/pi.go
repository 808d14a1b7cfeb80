package board

import (
	"fmt"
	"strconv"
	"strings"
)

// piLabels are the labels of the chip that a Raspberry Pi's header is on: Pi 1
// to 3 and Zero; Pi 4, 400 and Compute Module 4; Pi 5, 500 and Compute Module 5.
// On all of them GPIO17 is line 17; the chip's number and the line's name depend
// on the kernel.
var piLabels = []string{"pinctrl-bcm2835", "pinctrl-bcm2711", "pinctrl-rp1"}

// Linux 4.19 gives a Pi 4's chip the label of a Pi 3's.
var bcmLabels, rp1Labels = piLabels[:2], piLabels[2:]

// piLines is how many of that chip's lines a Raspberry Pi has on its header: the
// rest is inside the board.
const piLines = 28

// piHeader is the header of every Raspberry Pi since the B+, pin 1 first; a
// number is a GPIO. Older boards have its first 26 pins, but for three on the
// very first board (raspberrypi/documentation, "GPIO and the 40-pin header";
// periph.io/x/host rpi).
var piHeader = strings.Fields(`
	3V3 5V 2 5V 3 GND 4 14 GND 15 17 18 27 GND 22 23 3V3 24 10 GND
	9 25 11 8 GND 7 0 1 5 GND 6 12 13 GND 19 16 26 20 GND 21`)

// piUses are what the board, or a common overlay, does with a GPIO.
var piUses = map[int]string{
	0: "HAT EEPROM", 1: "HAT EEPROM",
	2: "I2C SDA", 3: "I2C SCL", 4: "1-Wire",
	7: "SPI CE1", 8: "SPI CE0", 9: "SPI MISO", 10: "SPI MOSI", 11: "SPI clock",
	14: "UART TX", 15: "UART RX",
}

// piPins are the first n pins of the header.
func piPins(n int) []Pin {
	pins := make([]Pin, n)
	for i := range pins {
		pins[i] = Pin{Name: strconv.Itoa(i + 1), Signal: piHeader[i], offset: -1}
		if g, err := strconv.Atoi(piHeader[i]); err == nil {
			pins[i].setGPIO(g)
		}
	}
	return pins
}

func (p *Pin) setGPIO(g int) {
	p.Signal, p.offset, p.Use = fmt.Sprintf("GPIO%d", g), g, piUses[g]
}

// piRev1Pins is the header of the first Model B: other I2C lines, and GPIO21
// where later boards have GPIO27.
func piRev1Pins() []Pin {
	pins := piPins(26)
	pins[2].setGPIO(0)
	pins[4].setGPIO(1)
	pins[12].setGPIO(21)
	pins[2].Use, pins[4].Use = "I2C SDA", "I2C SCL"
	return pins
}

// piModels are the boards, by the compatible names of their device trees. Raspberry Pi's
// kernels call both revisions of the Model B by one name.
//
// A Compute Module's header is its carrier's. The IO boards of Raspberry Pi have
// the usual one (Compute Module 4 IO Board and Compute Module 5 IO Board, data
// sheets, "GPIO"); a carrier of another maker is drawn as if it had, too. The
// device trees are bcm2711-rpi-cm4.dts and bcm2712-rpi-cm5.dtsi of
// raspberrypi/linux.
var piModels = []struct {
	key, name  string
	pins       int
	compatible string
}{
	{"pi1-rev1", "Model B Rev 1", 26, "model-b"},
	{"pi1", "Model B Rev 2", 26, "model-b model-b-rev2"},
	{"pi-a", "Model A", 26, "model-a"},
	{"pi-a+", "Model A+", 40, "model-a-plus"},
	{"pi-b+", "Model B+", 40, "model-b-plus"},
	{"pi2", "2 Model B", 40, "2-model-b"},
	{"pi3", "3 Model B", 40, "3-model-b"},
	{"pi3b+", "3 Model B+", 40, "3-model-b-plus"},
	{"pi3a+", "3 Model A+", 40, "3-model-a-plus"},
	{"pi4", "4 Model B", 40, "4-model-b"},
	{"pi400", "400", 40, "400"},
	{"pi5", "5 Model B", 40, "5-model-b"},
	{"pi500", "500", 40, "500"}, // and the 500+, which has the same tree
	{"cm4", "Compute Module 4", 40, "4-compute-module"},
	{"cm5", "Compute Module 5", 40, "5-compute-module"},
	{"zero", "Zero", 40, "model-zero"},
	{"zero-w", "Zero W", 40, "model-zero-w"},
	{"zero-2-w", "Zero 2 W", 40, "model-zero-2-w"},
}

func piBoards() (all []*Board) {
	for _, m := range piModels {
		b := &Board{
			Key: m.key, Name: "Raspberry Pi " + m.name, Pins: piPins(m.pins),
			Data0: "GPIO17", Data1: "GPIO18", Family: RaspberryPi, chips: bcmLabels, lines: piLines,
			Supplies: Supplies{"2", "6", "1", "4", "14", "3", "5", "8", "10"},
			Notes:    []string{"Header pins 17 and 18 are not GPIO17 and GPIO18. Count from the corner marked 1: odd numbers in one row, even in the other."},
		}
		for _, name := range strings.Fields(m.compatible) {
			b.compatible = append(b.compatible, "raspberrypi,"+name)
		}
		if strings.Contains(m.key, "5") {
			b.chips = rp1Labels
		}
		switch {
		case m.key == "pi1-rev1":
			b.Pins = piRev1Pins()
		case strings.HasPrefix(m.key, "cm"):
			b.others = []string{m.key + "-io", m.name, m.name + " IO Board"}
			b.Notes = append(b.Notes, "The header is the carrier's: this is the one of Raspberry Pi's IO board. On another carrier go by its data sheet.")
		}
		all = append(all, b)
	}
	return all
}
