// Package reader reads card readers that send a card's number as characters:
// one that types it on USB, as a keyboard does, and one that sends it over a
// serial port. (Readers with two data lines are in gpio and wiegand.)
//
//	/dev/input/… ─keys──┐
//	/dev/ttyUSB0 ─bytes─┼─▶ Char ─▶ Decoder ─▶ wiegand.Read
//	Sim ────────────────┘
//
// # USB
//
// The reader types digits and Enter; some type Tab, or nothing. What they mean
// is Options.Number: "decimal", the tag's number, with or without leading zeros;
// "3+5", facility and number; "hex". It ends with Enter, Tab, or a pause of 300 ms.
//
// # Serial
//
// The frames of RDM6300 and its kin, 9600 baud, 8 bits, no parity:
//
//	02  30 41 30 30 34 44 37 36 30 33  33 41  03
//	STX '0''A''0''0''4''D''7''6''0''3' '3''A' ETX
//
// Ten hexadecimal digits are the 40 bits of an EM4100 tag, its version first. Two
// more are the exclusive or of these five bytes. Some kin send CR and LF before
// ETX, or instead of it. A tag that lies on the reader is sent ten times a second.
//
// # Which card it is
//
// The number becomes a card of the reader's formats: see Card. So the same tag is
// the same card at a reader with data lines.
package reader

import (
	"context"
	"log/slog"
	"time"

	"stump/wiegand"
)

// Char is one character that a reader sent.
type Char struct {
	Time int64 `json:"time"` // when it arrived, nanoseconds of CLOCK_MONOTONIC
	// Rune is the letter of a key, '\n' for Enter, 0 for keys without a letter; or a
	// byte.
	Rune rune `json:"rune"`
	// Code and Level are the key, as keyboard.Letter takes them; 0 for a byte.
	Code  uint16 `json:"code"`
	Level int    `json:"level"`
	// Lost says that characters before this one were lost; it is none itself.
	Lost bool `json:"lost"`
}

// Source is where a reader's characters come from.
type Source interface {
	// Run hands over characters as they come, until ctx is done. A reader that
	// isn't there, or goes, is waited for.
	Run(ctx context.Context, take func(Char)) error
	// Up is nil while the reader is there, or why it isn't.
	Up() error
	// String says which reader it is.
	String() string
}

// Setup is what every source needs.
type Setup struct {
	Now     func() int64 // stamps the characters
	Log     *slog.Logger // nil is silent
	Changed func()       // called when the reader came or went; may be nil
}

// Kinds of readers.
const (
	USB    = "usb"
	Serial = "serial"
)

// Numbers are the values of Options.Number: what the digits of a USB reader mean.
var Numbers = []string{"decimal", "3+5", "hex"}

// Faults of what a reader sent, besides those of package wiegand. A self-test names
// causes by the same words.
const (
	FaultLayout   wiegand.Fault = "wrong-layout" // letters where digits should be
	FaultChecksum wiegand.Fault = "checksum"     // the frame's checksum is not that of its digits
)

// Options configure a Decoder.
type Options struct {
	Kind string // USB or Serial
	// Number says what the digits of a USB reader mean, one of Numbers.
	Number string
	// Layout is that of the keyboard which a USB reader believes to be.
	Layout string
	// Formats are the cards that a number may be, in order: see Card.
	Formats []*wiegand.Format
}

// What ends a number that nothing else ends.
const (
	typingPause = int64(300 * time.Millisecond) // slow readers take 50 ms a key
	bytesPause  = int64(100 * time.Millisecond) // a byte takes 1 ms
)
