// Package board is the boards that Stump runs on: their headers, their GPIO
// chips, and which line a name in the configuration means.
//
// A line has up to four names, and people mix them up. Lookup understands all
// of them, and Line prints all of them:
//
//	GPIO17                  the signal (Raspberry Pi), gpio1_28 on a BeagleBone
//	pin 11, P9_12           the pin of the header, as counted on the board
//	GPIO_GCLK, P9_22 [spi0_sclk]
//	                        the kernel's line name, which differs by kernel
//	pinctrl-bcm2711:17      chip and line number
package board

import (
	"cmp"
	"encoding/binary"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Board is a kind of board. Detect returns the one that this program runs on.
type Board struct {
	// Key is the board's short name on the command line, such as "pi4". It is
	// empty for a board that is not in the table.
	Key string
	// Name is what people call it, such as "Raspberry Pi 4 Model B".
	Name string
	// Pins are the pins of its headers, in the order of their numbers.
	Pins []Pin
	// Data0 and Data1 are the names of the lines to wire a reader to.
	Data0, Data1 string
	// Supplies are the pins that feed the reader, the converter and the display.
	Supplies Supplies
	// Notes are what to know before this board's power is switched on.
	Notes  []string
	Family Family

	model      string   // what the device tree calls this board; only Detect sets it
	compatible []string // the device tree's compatible strings
	others     []string // more names that people give it
	chips      []string // labels (Raspberry Pi) or addresses (others) of the header's chips, by bank
	lines      int      // of each bank
	host       host     // where its lines are looked up
	here       bool     // Detect found it
}

// Supplies are pins of a header by their names. Where the header lacks one, it is
// empty, and the board's Notes say what to do instead.
type Supplies struct {
	ReaderPlus, Ground, Logic, DisplayPlus, DisplayGround string
	SDA, SCL, TX, RX                                      string
}

// Family is a group of boards with the same scheme of chips and headers.
type Family uint8

// The families. The zero Family is that of a board that is not in the table.
// BeagleBones accept a request for another pull and change nothing.
const (
	_           Family = iota
	RaspberryPi        // GPIO17 is line 17 of the chip with one of piLabels
	BeagleBone         // gpio1_28 is line 28 of the chip at the second of its addresses
)

// Pin is one pin of a header.
type Pin struct {
	Name   string // "11"; on a BeagleBone "P9_12"; on a mikroBUS socket "INT"
	Signal string // "GPIO17", "gpio1_28", "3V3", "5V", "GND" …
	// Use is what else the board does with the pin, such as "UART TX", or why not
	// to take it. It is empty for a pin that is free.
	Use string

	bank   int // which of the header's chips
	offset int // the line on that chip; -1 for a pin that is not a line

	header      string // of a pin whose name does not say where it is
	row, column int    // there
}

func (p Pin) line() bool { return p.offset >= 0 }

// Pin returns a pin of the header by its name.
func (b *Board) Pin(name string) (Pin, bool) {
	return b.findPin(func(p Pin) bool { return strings.EqualFold(p.Name, name) })
}

// BySignal returns the first pin of the header with this signal.
func (b *Board) BySignal(signal string) (Pin, bool) {
	return b.findPin(func(p Pin) bool { return strings.EqualFold(p.Signal, signal) })
}

func (b *Board) at(bank, offset int) (Pin, bool) {
	return b.findPin(func(p Pin) bool { return p.bank == bank && p.offset == offset })
}

func (b *Board) findPin(fits func(Pin) bool) (Pin, bool) {
	i := slices.IndexFunc(b.Pins, fits)
	if i < 0 {
		return Pin{}, false
	}
	return b.Pins[i], true
}

// Known reports whether the board is in the table.
func (b *Board) Known() bool { return b.Key != "" }

// Here reports whether this program runs on the board, so that its lines can be
// looked up.
func (b *Board) Here() bool { return b.here }

// String is what the board calls itself, or else its name.
func (b *Board) String() string { return cmp.Or(b.model, b.Name) }

// All returns the table, in the order in which people list them.
func All() []*Board { return slices.Concat(piBoards(), boneBoards(), otherBeagles()) }

// Keys are the short names of all boards in the table.
func Keys() (keys []string) {
	for _, b := range All() {
		keys = append(keys, b.Key)
	}
	return keys
}

// Detect returns the board that this program runs on, by the device tree. A
// board that is not in the table, or has no device tree, has no Key and no Pins;
// its lines are still found by name, and by chip and offset, and those of any
// Raspberry Pi by their numbers.
func Detect() *Board { return host{}.board() }

func (h host) board() *Board {
	read := func(name string) string {
		b, _ := os.ReadFile(h.path("proc/device-tree/" + name))
		return string(b)
	}
	model := strings.TrimSpace(strings.TrimRight(read("model"), "\x00"))
	// The first string names this very board; the rest are boards it is like.
	for c := range strings.SplitSeq(strings.TrimRight(read("compatible"), "\x00"), "\x00") {
		for _, b := range All() {
			if slices.Contains(b.compatible, c) && fitsRevision(b, c, []byte(read("system/linux,revision"))) {
				b.model, b.host, b.here = model, h, true
				return b
			}
		}
	}
	b := &Board{Name: cmp.Or(model, "unknown board"), host: h, here: true}
	if strings.HasPrefix(read("compatible"), "raspberrypi,") { // a carrier or a model without a known header
		b.Family, b.chips, b.lines = RaspberryPi, piLabels, piLines
	}
	return b
}

// fitsRevision tells the first two Raspberry Pis apart. They differ in three
// pins, and Raspberry Pi's kernels give both the same compatible string. The
// firmware's revision code says which it is: 2 and 3 are the first, 4 to 15 the
// second (raspberrypi/documentation, "Old-style revision codes"). Mainline
// kernels give the second a string of its own and may lack the code.
func fitsRevision(b *Board, compatible string, revision []byte) bool {
	if compatible != "raspberrypi,model-b" {
		return true
	}
	code := uint32(2)
	if len(revision) == 4 {
		code = binary.BigEndian.Uint32(revision) & 0xffff // above it is the warranty bit
	}
	return (code <= 3) == (b.Key == "pi1-rev1")
}

// Position says where a pin is: in which header, in which row from the marked
// end, and whether in the first column (odd numbers) or the second.
func (p Pin) Position() (header string, row, column int) {
	if p.header != "" {
		return p.header, p.row, p.column
	}
	header, number, ok := strings.Cut(strings.TrimRight(p.Name, "AB"), "_")
	if !ok {
		header, number = "", header
	}
	n, _ := strconv.Atoi(number)
	return header, (n - 1) / 2, (n - 1) % 2
}

// Mark is what stands beside the pin on the board: its number, or on a mikroBUS
// socket its name.
func (p Pin) Mark() string {
	if _, number, ok := strings.Cut(p.Name, "_"); ok {
		return strings.TrimRight(number, "AB")
	}
	return p.Name
}
