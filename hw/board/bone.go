package board

import (
	"fmt"
	"strings"
)

// am335x are the addresses of an AM335x's four GPIO chips
// (arch/arm/boot/dts/ti/omap/am33xx-l4.dtsi). The chips' numbers and labels
// ("gpio-0-31") follow the order in which the kernel found them, which changed
// with Linux 5.15.
var am335x = []string{"44e07000", "4804c000", "481ac000", "481ae000"}

// am335xLines is how many lines each of these chips has.
const am335xLines = 32

// bonePin is a pin of a Beagle's header. A pin that is not a line has the offset
// -1 and its signal as its use.
type bonePin struct {
	name         string
	bank, offset int
	use          string
}

// pin is the pin, used as use says.
func (p bonePin) pin(use string) Pin {
	if p.offset < 0 {
		return Pin{Name: p.name, Signal: p.use, offset: -1}
	}
	return Pin{Name: p.name, Signal: fmt.Sprintf("gpio%d_%d", p.bank, p.offset), Use: use, bank: p.bank, offset: p.offset}
}

// bonePins are the pins of a BeagleBone Black's headers, from the line names in
// am335x-boneblack.dts of Linux 6.12 and the board's reference manual. Where two
// lines of the processor share a pin (P9_41A, P9_41B), both are listed.
var bonePins = []bonePin{
	{"P8_1", 0, -1, "GND"}, {"P8_2", 0, -1, "GND"}, {"P8_3", 1, 6, "eMMC"}, {"P8_4", 1, 7, "eMMC"},
	{"P8_5", 1, 2, "eMMC"}, {"P8_6", 1, 3, "eMMC"}, {"P8_7", 2, 2, ""}, {"P8_8", 2, 3, ""}, {"P8_9", 2, 5, ""},
	{"P8_10", 2, 4, ""}, {"P8_11", 1, 13, ""}, {"P8_12", 1, 12, ""}, {"P8_13", 0, 23, ""}, {"P8_14", 0, 26, ""},
	{"P8_15", 1, 15, ""}, {"P8_16", 1, 14, ""}, {"P8_17", 0, 27, ""}, {"P8_18", 2, 1, ""}, {"P8_19", 0, 22, ""},
	{"P8_20", 1, 31, "eMMC"}, {"P8_21", 1, 30, "eMMC"}, {"P8_22", 1, 5, "eMMC"}, {"P8_23", 1, 4, "eMMC"},
	{"P8_24", 1, 1, "eMMC"}, {"P8_25", 1, 0, "eMMC"}, {"P8_26", 1, 29, ""}, {"P8_27", 2, 22, "HDMI"},
	{"P8_28", 2, 24, "HDMI"}, {"P8_29", 2, 23, "HDMI"}, {"P8_30", 2, 25, "HDMI"}, {"P8_31", 0, 10, "HDMI, boot mode"},
	{"P8_32", 0, 11, "HDMI, boot mode"}, {"P8_33", 0, 9, "HDMI, boot mode"}, {"P8_34", 2, 17, "HDMI, boot mode"},
	{"P8_35", 0, 8, "HDMI, boot mode"}, {"P8_36", 2, 16, "HDMI, boot mode"}, {"P8_37", 2, 14, "HDMI, boot mode"},
	{"P8_38", 2, 15, "HDMI, boot mode"}, {"P8_39", 2, 12, "HDMI, boot mode"}, {"P8_40", 2, 13, "HDMI, boot mode"},
	{"P8_41", 2, 10, "HDMI, boot mode"}, {"P8_42", 2, 11, "HDMI, boot mode"}, {"P8_43", 2, 8, "HDMI, boot mode"},
	{"P8_44", 2, 9, "HDMI, boot mode"}, {"P8_45", 2, 6, "HDMI, boot mode"}, {"P8_46", 2, 7, "HDMI, boot mode"},

	{"P9_1", 0, -1, "GND"}, {"P9_2", 0, -1, "GND"}, {"P9_3", 0, -1, "3V3"}, {"P9_4", 0, -1, "3V3"},
	{"P9_5", 0, -1, "VDD_5V (barrel jack only)"}, {"P9_6", 0, -1, "VDD_5V (barrel jack only)"}, {"P9_7", 0, -1, "SYS_5V"},
	{"P9_8", 0, -1, "SYS_5V"}, {"P9_9", 0, -1, "PWR_BUT"}, {"P9_10", 0, -1, "SYS_RESETn"}, {"P9_11", 0, 30, "UART4 RX"},
	{"P9_12", 1, 28, ""}, {"P9_13", 0, 31, "UART4 TX"}, {"P9_14", 1, 18, ""},
	{"P9_15A", 1, 16, "shares its pin with P9_15B"}, {"P9_15B", 2, 0, "shares its pin with P9_15A"}, {"P9_16", 1, 19, ""},
	{"P9_17", 0, 5, "I2C1 SCL"}, {"P9_18", 0, 4, "I2C1 SDA"}, {"P9_19", 0, 13, "I2C2 SCL, cape EEPROM"},
	{"P9_20", 0, 12, "I2C2 SDA, cape EEPROM"}, {"P9_21", 0, 3, "UART2 TX, SPI0"}, {"P9_22", 0, 2, "UART2 RX, SPI0"},
	{"P9_23", 1, 17, ""}, {"P9_24", 0, 15, "UART1 TX"}, {"P9_25", 3, 21, "HDMI audio"}, {"P9_26", 0, 14, "UART1 RX"},
	{"P9_27", 3, 19, ""}, {"P9_28", 3, 17, "HDMI audio"}, {"P9_29", 3, 15, "HDMI audio"}, {"P9_30", 3, 16, ""},
	{"P9_31", 3, 14, "HDMI audio"}, {"P9_32", 0, -1, "VDD_ADC 1.8 V"}, {"P9_33", 0, -1, "AIN4 1.8 V"},
	{"P9_34", 0, -1, "GNDA_ADC"}, {"P9_35", 0, -1, "AIN6 1.8 V"}, {"P9_36", 0, -1, "AIN5 1.8 V"},
	{"P9_37", 0, -1, "AIN2 1.8 V"}, {"P9_38", 0, -1, "AIN3 1.8 V"}, {"P9_39", 0, -1, "AIN0 1.8 V"},
	{"P9_40", 0, -1, "AIN1 1.8 V"}, {"P9_41A", 3, 20, "shares its pin with P9_41B"},
	{"P9_41B", 0, 20, "shares its pin with P9_41A"}, {"P9_42A", 0, 7, "shares its pin with P9_42B"},
	{"P9_42B", 3, 18, "shares its pin with P9_42A"}, {"P9_43", 0, -1, "GND"}, {"P9_44", 0, -1, "GND"},
	{"P9_45", 0, -1, "GND"}, {"P9_46", 0, -1, "GND"},
}

// boneHeader is both headers of a board whose pins are used as use says, which
// gets the use on a Black.
func boneHeader(use func(pin, use string) string) []Pin {
	pins := make([]Pin, len(bonePins))
	for i, p := range bonePins {
		pins[i] = p.pin(use(p.name, p.use))
	}
	return pins
}

func black(_, use string) string { return use }

// green frees the pins that a Black uses for HDMI, which the Green does not have.
func green(_, use string) string {
	return strings.NewReplacer("HDMI, ", "", "HDMI audio", "", "HDMI", "").Replace(use)
}

// greenWireless adds the pins of the radio (am335x-bonegreen-wireless.dts).
func greenWireless(name, use string) string {
	switch name {
	case "P8_11", "P8_12", "P8_14", "P8_15", "P8_16", "P8_17", "P8_18", "P8_20", "P8_21", "P8_26":
		return "Wi-Fi"
	case "P9_12":
		return "Bluetooth"
	}
	return green(name, use)
}

// capeSupplies feed the parts from P9. SYS_5V works from USB as well; VDD_5V
// (P9_5) only with the barrel jack.
var capeSupplies = Supplies{"P9_7", "P9_1", "P9_3", "P9_8", "P9_2", "P9_20", "P9_19", "P9_13", "P9_11"}

// driven holds of every Beagle: their manuals forbid a level at a pin without power.
const driven = "Drive no pin before the board's 3.3 V is up: the converter's LV takes it from "

func boneBoards() []*Board {
	// DATA0 and DATA1 are free pins of one bank, so that one request takes both.
	board := func(key, name, data0, data1 string, compatible string, use func(pin, use string) string) *Board {
		return &Board{
			Key: key, Name: "BeagleBone " + name, compatible: []string{compatible}, Pins: boneHeader(use),
			Data0: data0, Data1: data1, Family: BeagleBone, chips: am335x, lines: am335xLines, Supplies: capeSupplies,
			Notes: []string{
				"P9_5 and P9_6 are dead when the board runs from USB: take 5 V from P9_7 or P9_8. P9_32 to P9_40 stand only 1.8 V.",
				driven + "P9_3.",
			},
		}
	}
	return []*Board{
		board("bbb", "Black", "P9_12", "P9_23", "ti,am335x-bone-black", black),
		board("bbb-wireless", "Black Wireless", "P9_12", "P9_23", "ti,am335x-bone-black-wireless", black),
		board("bbg", "Green", "P9_12", "P9_23", "ti,am335x-bone-green", green),
		board("bbg-wireless", "Green Wireless", "P9_23", "P9_14", "ti,am335x-bone-green-wireless", greenWireless),
	}
}
