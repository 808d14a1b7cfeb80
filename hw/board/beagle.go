package board

// k3 are the addresses of the GPIO chips that the headers of AM62x and TDA4VM
// boards are on, main_gpio0 and main_gpio1 (k3-am62-main.dtsi, k3-j721e-main.dtsi
// of Linux 6.12). The kernel's labels are "600000.gpio" and "601000.gpio"
// (gpio-davinci.c). They have up to 128 lines.
var k3 = []string{"600000", "601000"}

const k3Lines = 128

// otherBeagles are the boards of BeagleBoard.org whose headers are not a
// BeagleBone Black's.
func otherBeagles() []*Board {
	return []*Board{
		{
			Key: "pocketbeagle", Name: "PocketBeagle", compatible: []string{"ti,am335x-pocketbeagle"}, others: []string{"pb"},
			Pins: pins(pocketPins), Data0: "P2_2", Data1: "P2_4", Family: BeagleBone, chips: am335x, lines: am335xLines,
			Supplies: Supplies{"P1_24", "P1_22", "P1_14", "P2_13", "P2_21", "P1_26", "P1_28", "P2_7", ""},
			Notes: []string{
				"Take 5 V from P1_24 or P2_13. P1_1 and P1_7 are inputs of the board's supply. P1_17 to P1_27 stand only 1.8 V.",
				driven + "P1_14.",
			},
		},
		{
			Key: "bbai64", Name: "BeagleBone AI-64", compatible: []string{"beagle,j721e-beagleboneai64"}, others: []string{"ai-64", "bone-ai-64"},
			Pins: pins(ai64Pins), Data0: "P9_12", Data1: "P9_23", Family: BeagleBone, chips: k3, lines: k3Lines,
			Supplies: Supplies{"P9_7", "P9_1", "P9_3", "P9_8", "P9_2", "P9_20A", "P9_19A", "P9_13", ""},
			Notes: []string{
				"Take 5 V from P9_7 or P9_8. P9_5 and P9_6 are inputs of the board's supply. P9_32 to P9_40 stand only 1.8 V.",
				driven + "P9_3.",
			},
		},
		{
			Key: "bbblue", Name: "BeagleBone Blue", compatible: []string{"ti,am335x-bone-blue"}, others: []string{"blue", "bb-blue"},
			Pins: bluePins(), Data0: "GP0_3", Data1: "GP0_4", Family: BeagleBone, chips: am335x, lines: am335xLines,
			Supplies: Supplies{Ground: "GP0_1", Logic: "GP0_2", DisplayGround: "GP1_1", SDA: "I2C_4", SCL: "I2C_3", TX: "UT1_4"},
			Notes: []string{
				"The connectors have no 5 V: reader, converter and display take it from a supply of their own.",
				"Measure GP0_2 before you connect LV to it: it should have 3.3 V, but a board with 5 V at UT1 and at E1 to E4 has been reported.",
				driven + "GP0_2.",
			},
		},
		{
			Key: "beagleplay", Name: "BeaglePlay", compatible: []string{"beagle,am625-beagleplay"}, others: []string{"play", "bplay"},
			Pins: playPins(), Data0: "INT", Data1: "RST", Family: BeagleBone, chips: k3, lines: k3Lines,
			Supplies: Supplies{"5V", "GND1", "3V3", "", "GND2", "SDA", "SCL", "TX", "RX"},
			Notes: []string{
				"The pins are those of the mikroBUS socket, by the names printed beside it. It has one 5 V pin: join the display's VCC with the reader's +.",
				driven + "3V3.",
			},
		},
	}
}

func pins(table []bonePin) (all []Pin) {
	for _, p := range table {
		all = append(all, p.pin(p.use))
	}
	return all
}

// pocketPins are both headers of a PocketBeagle: the line names of
// am335x-pocketbeagle.dts of Linux 6.12, and the tables "P1 Header Pinout" and
// "P2 Header Pinout" of the system reference manual (docs.beagle.cc).
var pocketPins = []bonePin{
	{"P1_1", 0, -1, "VIN"}, {"P1_2", 2, 23, "AIN6"}, {"P1_3", 3, 13, "USB1 power"}, {"P1_4", 2, 25, ""},
	{"P1_5", 0, -1, "USB_VBUS"}, {"P1_6", 0, 5, "SPI0"}, {"P1_7", 0, -1, "VIN_USB"}, {"P1_8", 0, 2, "SPI0"},
	{"P1_9", 0, -1, "USB1 D-"}, {"P1_10", 0, 3, "SPI0"}, {"P1_11", 0, -1, "USB1 D+"}, {"P1_12", 0, 4, "SPI0"},
	{"P1_13", 0, -1, "USB1 ID"}, {"P1_14", 0, -1, "3V3"}, {"P1_15", 0, -1, "GND"}, {"P1_16", 0, -1, "GND"},
	{"P1_17", 0, -1, "VREFN"}, {"P1_18", 0, -1, "VREFP 1.8 V"}, {"P1_19", 0, -1, "AIN0 1.8 V"}, {"P1_20", 0, 20, ""},
	{"P1_21", 0, -1, "AIN1 1.8 V"}, {"P1_22", 0, -1, "GND"}, {"P1_23", 0, -1, "AIN2 1.8 V"}, {"P1_24", 0, -1, "5V"},
	{"P1_25", 0, -1, "AIN3 1.8 V"}, {"P1_26", 0, 12, "I2C2 SDA"}, {"P1_27", 0, -1, "AIN4 1.8 V"}, {"P1_28", 0, 13, "I2C2 SCL"},
	{"P1_29", 3, 21, ""}, {"P1_30", 1, 11, "UART0 TX, console"}, {"P1_31", 3, 18, ""}, {"P1_32", 1, 10, "UART0 RX, console"},
	{"P1_33", 3, 15, ""}, {"P1_34", 0, 26, ""}, {"P1_35", 2, 24, ""}, {"P1_36", 3, 14, "PWM"},

	{"P2_1", 1, 18, "PWM"}, {"P2_2", 1, 27, ""}, {"P2_3", 0, 23, ""}, {"P2_4", 1, 26, ""},
	{"P2_5", 0, 30, "UART4 RX"}, {"P2_6", 1, 25, ""}, {"P2_7", 0, 31, "UART4 TX"}, {"P2_8", 1, 28, ""},
	{"P2_9", 0, 15, "I2C1 SCL"}, {"P2_10", 1, 20, ""}, {"P2_11", 0, 14, "I2C1 SDA"}, {"P2_12", 0, -1, "PWR_BUT"},
	{"P2_13", 0, -1, "5V"}, {"P2_14", 0, -1, "VIN_BAT"}, {"P2_15", 0, -1, "GND"}, {"P2_16", 0, -1, "BAT_TEMP"},
	{"P2_17", 2, 1, ""}, {"P2_18", 1, 15, ""}, {"P2_19", 0, 27, ""}, {"P2_20", 2, 0, ""},
	{"P2_21", 0, -1, "GND"}, {"P2_22", 1, 14, ""}, {"P2_23", 0, -1, "3V3"}, {"P2_24", 1, 12, ""},
	{"P2_25", 1, 9, "SPI1"}, {"P2_26", 0, -1, "RESET"}, {"P2_27", 1, 8, "SPI1"}, {"P2_28", 3, 20, ""},
	{"P2_29", 0, 7, "SPI1"}, {"P2_30", 3, 17, ""}, {"P2_31", 0, 19, "SPI1"}, {"P2_32", 3, 16, ""},
	{"P2_33", 1, 13, ""}, {"P2_34", 3, 19, ""}, {"P2_35", 2, 22, "AIN5"}, {"P2_36", 0, -1, "AIN7 1.8 V"},
}

// ai64Pins are both headers of a BeagleBone AI-64: k3-j721e-bone-pins.h and the
// line names of k3-j721e-beagleboneai64.dts (beagleboard/BeagleBoard-DeviceTrees,
// March 2024), and the table of the manual, "Cape Header Connectors"
// (docs.beagle.cc). Where two lines share a pin, the name says which is meant.
// Mainline kernels give the lines no names.
var ai64Pins = []bonePin{
	{"P8_1", 0, -1, "GND"}, {"P8_2", 0, -1, "GND"}, {"P8_3", 0, 20, ""}, {"P8_4", 0, 48, "boot mode"},
	{"P8_5", 0, 33, ""}, {"P8_6", 0, 34, ""}, {"P8_7", 0, 15, ""}, {"P8_8", 0, 14, ""}, {"P8_9", 0, 17, ""},
	{"P8_10", 0, 16, ""}, {"P8_11", 0, 60, "boot mode"}, {"P8_12", 0, 59, ""}, {"P8_13", 0, 89, ""}, {"P8_14", 0, 75, ""},
	{"P8_15", 0, 61, ""}, {"P8_16", 0, 62, ""}, {"P8_17", 0, 3, ""}, {"P8_18", 0, 4, ""}, {"P8_19", 0, 88, ""},
	{"P8_20", 0, 76, ""}, {"P8_21", 0, 30, ""}, {"P8_22", 0, 5, ""}, {"P8_23", 0, 31, ""}, {"P8_24", 0, 6, "boot mode"},
	{"P8_25", 0, 35, ""}, {"P8_26", 0, 51, ""}, {"P8_27", 0, 71, ""}, {"P8_28", 0, 72, ""}, {"P8_29", 0, 73, ""},
	{"P8_30", 0, 74, ""}, {"P8_31A", 0, 32, "shares its pin with P8_31B"}, {"P8_31B", 0, 63, "shares its pin with P8_31A"},
	{"P8_32A", 0, 26, "shares its pin with P8_32B"}, {"P8_32B", 0, 64, "shares its pin with P8_32A"},
	{"P8_33A", 0, 25, "shares its pin with P8_33B"}, {"P8_33B", 0, 111, "shares its pin with P8_33A"}, {"P8_34", 0, 7, ""},
	{"P8_35A", 0, 24, "shares its pin with P8_35B"}, {"P8_35B", 0, 116, "shares its pin with P8_35A"}, {"P8_36", 0, 8, ""},
	{"P8_37A", 0, 106, "shares its pin with P8_37B"}, {"P8_37B", 0, 11, "shares its pin with P8_37A"},
	{"P8_38A", 0, 9, "shares its pin with P8_38B"}, {"P8_38B", 0, 105, "shares its pin with P8_38A"},
	{"P8_39", 0, 69, ""}, {"P8_40", 0, 70, ""}, {"P8_41", 0, 67, ""}, {"P8_42", 0, 68, "boot mode"}, {"P8_43", 0, 65, ""},
	{"P8_44", 0, 66, ""}, {"P8_45", 0, 79, ""}, {"P8_46", 0, 80, "boot mode"},

	{"P9_1", 0, -1, "GND"}, {"P9_2", 0, -1, "GND"}, {"P9_3", 0, -1, "3V3"}, {"P9_4", 0, -1, "3V3"}, {"P9_5", 0, -1, "VIN"},
	{"P9_6", 0, -1, "VIN"}, {"P9_7", 0, -1, "SYS_5V"}, {"P9_8", 0, -1, "SYS_5V"}, {"P9_9", 0, -1, "RESET"}, {"P9_10", 0, -1, "RESET"},
	{"P9_11", 0, 1, "UART0 RX"}, {"P9_12", 0, 45, ""}, {"P9_13", 0, 2, "UART0 TX"}, {"P9_14", 0, 93, ""}, {"P9_15", 0, 47, ""},
	{"P9_16", 0, 94, ""}, {"P9_17A", 0, 28, "I2C6 SCL"}, {"P9_17B", 0, 115, "I2C6 SCL"}, {"P9_18A", 0, 40, "I2C6 SDA"},
	{"P9_18B", 0, 120, "I2C6 SDA"}, {"P9_19A", 1, 1, "I2C2 SCL"}, {"P9_19B", 0, 78, "I2C2 SCL"}, {"P9_20A", 1, 2, "I2C2 SDA"},
	{"P9_20B", 0, 77, "I2C2 SDA"}, {"P9_21A", 0, 39, "shares its pin with P9_21B"}, {"P9_21B", 0, 90, "shares its pin with P9_21A"},
	{"P9_22A", 0, 38, "boot mode"}, {"P9_22B", 0, 91, "boot mode"}, {"P9_23", 0, 10, ""}, {"P9_24A", 0, 119, "I2C4 SCL"},
	{"P9_24B", 0, 13, "I2C4 SCL"}, {"P9_25A", 0, 127, "shares its pin with P9_25B"}, {"P9_25B", 0, 104, "shares its pin with P9_25A"},
	{"P9_26A", 0, 118, "I2C4 SDA"}, {"P9_26B", 0, 12, "I2C4 SDA"}, {"P9_27A", 0, 46, "shares its pin with P9_27B"},
	{"P9_27B", 0, 124, "shares its pin with P9_27A"}, {"P9_28A", 1, 11, "shares its pin with P9_28B"},
	{"P9_28B", 0, 43, "shares its pin with P9_28A"}, {"P9_29A", 1, 14, "shares its pin with P9_29B"},
	{"P9_29B", 0, 53, "shares its pin with P9_29A"}, {"P9_30A", 1, 13, "shares its pin with P9_30B"},
	{"P9_30B", 0, 44, "shares its pin with P9_30A"}, {"P9_31A", 1, 12, "shares its pin with P9_31B"},
	{"P9_31B", 0, 52, "shares its pin with P9_31A"}, {"P9_32", 0, -1, "VDD_ADC 1.8 V"}, {"P9_33B", 0, 50, "AIN4, 1.8 V"},
	{"P9_34", 0, -1, "GNDA_ADC"}, {"P9_35B", 0, 55, "AIN6, 1.8 V"}, {"P9_36B", 0, 56, "AIN5, 1.8 V"}, {"P9_37B", 0, 57, "AIN2, 1.8 V"},
	{"P9_38B", 0, 58, "AIN3, 1.8 V"}, {"P9_39B", 0, 54, "AIN0, 1.8 V"}, {"P9_40B", 0, 81, "AIN1, 1.8 V"}, {"P9_41", 1, 0, ""},
	{"P9_42A", 0, 123, "shares its pin with P9_42B"}, {"P9_42B", 0, 18, "shares its pin with P9_42A"},
	{"P9_43", 0, -1, "GND"}, {"P9_44", 0, -1, "GND"}, {"P9_45", 0, -1, "GND"}, {"P9_46", 0, -1, "GND"},
}

// bluePins are the connectors of a BeagleBone Blue that have GPIO lines, or the
// buses of a display: the line names of am335x-boneblue.dts of Linux 6.12, and the
// list of its connectors (zmatt, pastebin.com/hBiyzGWL), which librobotcontrol has
// too. Pins 1 and 2 of each are ground and 3.3 V by the schematic; see the Notes.
func bluePins() (all []Pin) {
	for _, c := range []struct {
		name  string
		lines []bonePin
	}{
		{"GP0", []bonePin{{"", 1, 25, ""}, {"", 1, 17, ""}, {"", 3, 20, ""}, {"", 3, 17, ""}}},
		{"GP1", []bonePin{{"", 3, 2, ""}, {"", 3, 1, ""}, {"", 2, 2, "red LED"}, {"", 2, 3, "green LED"}}},
		{"I2C", []bonePin{{"", 0, 5, "I2C1 SCL"}, {"", 0, 4, "I2C1 SDA"}}},
		{"UT1", []bonePin{{"", 0, 14, "UART1 RX"}, {"", 0, 15, "UART1 TX"}}},
		{"GPS", []bonePin{{"", 0, 2, "UART2 RX"}, {"", 0, 3, "UART2 TX"}}},
	} {
		for i, p := range append([]bonePin{{"", 0, -1, "GND"}, {"", 0, -1, "3V3"}}, c.lines...) {
			p.name = c.name + "_" + string(rune('1'+i))
			pin := p.pin(p.use)
			pin.header, pin.row = c.name, i
			all = append(all, pin)
		}
	}
	return all
}

// playPins are the mikroBUS socket of a BeaglePlay, in its two rows of eight: the
// drawing in k3-am625-beagleplay-release-mikrobus-set-gpios-all.dts
// (beagleboard/BeagleBoard-DeviceTrees). RST, INT and AN are GPIOs in mainline's
// device tree (k3-am625-beagleplay.dts), the others are buses.
func playPins() []Pin {
	all := pins([]bonePin{
		{"AN", 1, 10, ""}, {"PWM", 1, 11, "PWM"}, {"RST", 1, 12, ""}, {"INT", 1, 9, ""},
		{"CS", 1, 13, "SPI2"}, {"RX", 1, 24, "UART5 RX"}, {"SCK", 1, 14, "SPI2"}, {"TX", 1, 25, "UART5 TX"},
		{"MISO", 1, 7, "SPI2"}, {"SCL", 1, 22, "I2C3 SCL"}, {"MOSI", 1, 8, "SPI2"}, {"SDA", 1, 23, "I2C3 SDA"},
		{"3V3", 0, -1, "3V3"}, {"5V", 0, -1, "5V"}, {"GND2", 0, -1, "GND"}, {"GND1", 0, -1, "GND"},
	})
	for i := range all {
		all[i].header, all[i].row, all[i].column = "mikroBUS", i/2, i%2
	}
	return all
}
