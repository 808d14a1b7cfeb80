package diagnose

import (
	"time"

	"stump/gpio"
	"stump/wiegand"
)

// Evidence is what was measured at a reader's lines. Diagnose says what it
// means.
type Evidence struct {
	// Idle is a time with no card, and with nobody at the wires.
	Idle Spell
	// Float is how the lines answer to the board's own pulls; nil where they
	// were not tried or this board can't change them.
	Float *Float
	// Cards holds one spell for each time a card was asked for.
	Cards []Spell
	// Late is what came after the cards when nothing came while they were shown:
	// a reader whose HOLD wire touches ground sends it when the wire is free.
	Late *Spell
	// Free is what the free pins of the header did while cards were shown; nil
	// when they were not watched.
	Free []gpio.Activity
	// Answered is whether the reader beeped or lit up for the card; nil when
	// nobody was asked.
	Answered *bool
	// Formats are those that the site's cards may have.
	Formats []*wiegand.Format
}

// beeped reports whether a person saw or heard the reader answer the card.
func (e *Evidence) beeped() bool { return e.Answered != nil && *e.Answered }

// mute reports whether a person saw and heard nothing of the reader.
func (e *Evidence) mute() bool { return e.Answered != nil && !*e.Answered }

// Spell is what the lines did for a while.
type Spell struct {
	From, To   int64 // monotonic nanoseconds
	Start, End [2]bool
	Edges      []wiegand.Edge
}

// Duration is how long the spell lasted.
func (s *Spell) Duration() time.Duration { return time.Duration(s.To - s.From) }

// Float is how the lines read under the board's pull-up and pull-down: the share
// of the readings that were high, 0 to 1.
type Float struct{ Up, Down [2]float64 }

// Answer is what the readings of a line under both pulls mean.
type Answer uint8

// The answers.
const (
	unasked  Answer = iota
	PulledUp        // high under both: something outside pulls it up
	HeldLow         // low under both: something outside holds it down
	follows         // as the pull says: nothing outside
	changing        // it moves by itself
)

// String says what an answer means.
func (a Answer) String() string {
	return [...]string{"not measured", "pulled up from outside", "held low from outside", "not held by anything outside", "moving by itself"}[a]
}

// Line is the answer of one line.
func (f *Float) Line(i int) Answer {
	if f == nil {
		return unasked
	}
	// One reading of several may have met a pulse.
	switch up, down := f.Up[i], f.Down[i]; {
	case up >= 0.8 && down >= 0.8:
		return PulledUp
	case up <= 0.2 && down <= 0.2:
		return HeldLow
	case up >= 0.8 && down <= 0.2:
		return follows
	}
	return changing
}
