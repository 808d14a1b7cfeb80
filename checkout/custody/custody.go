// Package custody says who has a device after the events of several stations came together,
// in whatever order they came. It is pure.
//
// An event is a statement ("Ben has the iPad"), made on what its station knew of the device:
// its base. What the display said stands, and is never turned round later. Stations are away
// for weeks, and boards without a clock tell any time, so neither the order of arrival nor
// wall time says which statement is the last: in a simulation that knows the truth each was
// wrong of a third of the devices. Lab time was wrong of none, unless stations lost their
// power and their clock while they were away.
//
// Lab time is given once, when the lab accepts an event, by the lab's clock and by how long
// ago the station's own monotonic clock says that it was. It never contradicts what is
// certain: an event comes after its base, after the event before it in its chain, and after
// the lab time that its station had heard.
package custody

import (
	"bytes"
	"cmp"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
)

// Tick is the least that lies between two events of which one is known to come later.
const Tick = time.Microsecond

// Statement is what an event says of a device.
type Statement struct {
	checkout.Place // of the event
	Device         string
	Person         string // who has it; empty for nobody
	// Base is the statement that the station knew; zero if it knew none.
	Base checkout.Place
	// Stamp is when it was, by the station, and Heard the lab time that the station had
	// heard last.
	Stamp checkout.Stamp
	Heard time.Time
	// At is its lab time, once it is accepted.
	At time.Time
}

// Contact is the moment in which a station told the lab of its events.
type Contact struct {
	BootID uuid.UUID     // of the station, now
	Mono   time.Duration // of the station, now
	At     time.Time     // by the lab's clock
}

// Time is the lab time of a statement. base and previous are those of its base and of the
// event before it in its chain, zero if there is none.
func (c Contact) Time(s Statement, base, previous time.Time) time.Time {
	at := s.Heard // the least that it can be
	switch {
	case s.Stamp.BootID == c.BootID:
		at = c.At.Add(s.Stamp.Mono - c.Mono)
	case s.Stamp.Trusted:
		at = s.Stamp.Wall
	}
	at = later(earlier(at, c.At), s.Heard)
	for _, before := range []time.Time{base, previous} {
		if !before.IsZero() {
			at = later(at, before.Add(Tick))
		}
	}
	return at
}

func later(a, b time.Time) time.Time {
	if a.Before(b) {
		return b
	}
	return a
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// Compare orders statements by lab time. Two of the same time are in the order of their
// chains, which means nothing but is the same everywhere.
func Compare(a, b Statement) int {
	return cmp.Or(a.At.Compare(b.At), bytes.Compare(a.Chain[:], b.Chain[:]), cmp.Compare(a.Seq, b.Seq))
}

// Newest is the one of two statements of a device that says who has it. A late one that is
// the older is an earlier state, and changes nothing.
func Newest(a, b Statement) Statement {
	if Compare(a, b) < 0 {
		return b
	}
	return a
}

// Sight is what a station saw of what was so before its event.
type Sight string

// The sights.
const (
	Seen Sight = "" // it knew what was before
	// Unseen: it did not know who had the device. Whoever bumped has it all the same.
	Unseen Sight = "unseen"
	// Doubtful: it did not know that the one who took the device there had it already, and
	// so they probably brought it back. An admin decides.
	Doubtful Sight = "doubtful"
)

// See is what the station saw that made s, which comes next after before; before is zero if
// s is the first of its device. It has to be asked again of the statement that follows one
// which came late.
func See(before, s Statement) Sight {
	switch {
	case s.Base == before.Place:
		return Seen
	case s.Person != "" && s.Person == before.Person:
		return Doubtful
	}
	return Unseen
}
