package simlab

import (
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

// Remaining is Reader's.
func (l *Lines) Remaining() time.Duration { return max(0, time.Duration(l.Until()-l.clock())) }

// Faults is Reader's.
func (l *Lines) Faults() []string { return gpio.Faults }
