// Package board is the boards that Stump runs on: their headers, their GPIO
// chips, and which line a name in the configuration means.
//
// A line has up to four names, and people mix them up. Lookup understands all
// of them, and Line prints all of them:
//
//	GPIO17                  the signal (Raspberry Pi), gpio1_28 on a BeagleBone
//	pin 11, P9_12           the pin of the header, counted on the board
//	GPIO_GCLK, P9_22 [spi0_sclk]
//	                        the kernel's line name, which differs by kernel
//	pinctrl-bcm2711:17      chip and line number
package board

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"stump/gpio"
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
	// Bias reports whether a request can change the lines' pulls. BeagleBones
	// accept the request and change nothing.
	Bias bool

	Family Family

	model      string   // what the device tree calls this board; only Detect sets it
	compatible []string // the device tree's compatible strings
	host       host     // where its lines are looked up
}

// Family is a group of boards whose chips and headers follow the same scheme.
type Family uint8

// The families. The zero Family is that of a board that is not in the table.
const (
	_           Family = iota
	RaspberryPi        // GPIO17 is line 17 of the chip with one of piLabels
	BeagleBone         // gpio1_28 is line 28 of the chip at bankAddress[1]
)

// Pin is one pin of a header.
type Pin struct {
	Name   string // "11"; on a BeagleBone "P9_12"
	Signal string // "GPIO17", "gpio1_28", "3V3", "5V", "GND" …
	Bank   int    // BeagleBone: which of the four chips; else 0
	Offset int    // line on the chip; -1 when the pin is no line
	// Pull is the pull after a reset, as far as it is known.
	Pull gpio.Bias
	// Use is what else the board does with the pin, "UART TX", or why not to
	// take it; empty when it is free.
	Use string
}

// Line reports whether the pin is a GPIO line.
func (p Pin) Line() bool { return p.Offset >= 0 }

// Free reports whether the pin is a line that nothing else wants.
func (p Pin) Free() bool { return p.Line() && p.Use == "" }

// Pin returns a pin of the header by its name.
func (b *Board) Pin(name string) (Pin, bool) {
	return b.find(func(p Pin) bool { return strings.EqualFold(p.Name, name) })
}

// BySignal returns a pin of the header by the line that it carries.
func (b *Board) BySignal(signal string) (Pin, bool) {
	return b.find(func(p Pin) bool { return p.Line() && strings.EqualFold(p.Signal, signal) })
}

// at returns the pin that a line is on.
func (b *Board) at(bank, offset int) (Pin, bool) {
	return b.find(func(p Pin) bool { return p.Line() && p.Bank == bank && p.Offset == offset })
}

func (b *Board) find(fits func(Pin) bool) (Pin, bool) {
	i := slices.IndexFunc(b.Pins, fits)
	if i < 0 {
		return Pin{}, false
	}
	return b.Pins[i], true
}

// Known reports whether the board is in the table.
func (b *Board) Known() bool { return b.Key != "" }

// String is the model if the board said it, else its name.
func (b *Board) String() string {
	if b.model != "" {
		return b.model
	}
	return b.Name
}

// All returns the table, in the order in which people list them.
func All() []*Board { return slices.Concat(piBoards(), boneBoards()) }

// ByKey returns a board by its short name.
func ByKey(key string) (*Board, error) {
	var keys []string
	for _, b := range All() {
		if strings.EqualFold(b.Key, key) {
			return b, nil
		}
		keys = append(keys, b.Key)
	}
	return nil, fmt.Errorf("no board %q: use one of %s", key, strings.Join(keys, ", "))
}

// Detect says which board this is, from the device tree. A board that is not in
// the table, or has no device tree, has no Key and no Pins; its lines are still
// found by name, and by chip and offset.
func Detect() *Board { return host{}.board() }

func (h host) board() *Board {
	tree := h.path("proc/device-tree")
	model := deviceTreeText(filepath.Join(tree, "model"))
	compatible, _ := os.ReadFile(filepath.Join(tree, "compatible"))
	revision, _ := os.ReadFile(filepath.Join(tree, "system/linux,revision"))
	// The first string names this very board, those after it what it is like.
	for c := range strings.SplitSeq(strings.TrimRight(string(compatible), "\x00"), "\x00") {
		for _, b := range All() {
			if slices.Contains(b.compatible, c) && fitsRevision(b, c, revision) {
				b.model, b.host = model, h
				return b
			}
		}
	}
	if model == "" {
		model = "unknown board"
	}
	return &Board{Name: model, model: model, host: h}
}

// fitsRevision tells the two first Raspberry Pis apart, which share a
// compatible string in Raspberry Pi's kernels and differ in three pins. Their
// firmware says which in the revision code: 2 and 3 are the first, 4 to 15 the
// second (raspberrypi/documentation, "Old-style revision codes"). Mainline
// kernels name the second one apart and may come without the code.
func fitsRevision(b *Board, compatible string, revision []byte) bool {
	if compatible != "raspberrypi,model-b" {
		return true
	}
	code := uint32(2)
	if len(revision) == 4 {
		code = binary.BigEndian.Uint32(revision) & 0xffff // above: "warranty void"
	}
	return (code <= 3) == (b.Key == "pi1-rev1")
}

// deviceTreeText reads a NUL-ended string; it is empty when there is none.
func deviceTreeText(name string) string {
	b, _ := os.ReadFile(name)
	return strings.TrimSpace(strings.TrimRight(string(b), "\x00"))
}
