package simlab

import (
	"fmt"
	"time"

	"stump/gpio"
	"stump/internal/reader"
	"stump/wiegand"
)

// Reader is a simulated reader that cards are shown to: Lines, or a
// *reader.Sim without lines.
type Reader interface {
	// Present shows a card; the error says why such a reader can't read it.
	Present(wiegand.Bits) error
	// Scan shows a code that says something; the error says why such a reader can't scan it.
	Scan(code string) error
	// Remaining is how long the cards that were shown still take.
	Remaining() time.Duration
	// Faults are what SetFault takes, besides "off".
	Faults() []string
	SetFault(name string) error
	Fault() string // "" for none
}

var _ = []Reader{(*Lines)(nil), (*reader.Sim)(nil)}

// Present is Reader's.
func (l *Lines) Present(b wiegand.Bits) error {
	l.Sim.Present(b)
	return nil
}

// Scan is Reader's.
func (l *Lines) Scan(string) error {
	return fmt.Errorf("a reader with data lines scans no codes")
}

// Remaining is Reader's.
func (l *Lines) Remaining() time.Duration { return max(0, time.Duration(l.Until()-l.clock())) }

// Faults is Reader's.
func (l *Lines) Faults() []string { return gpio.Faults }
