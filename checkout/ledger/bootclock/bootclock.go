// Package bootclock tells when events happened. A board may not know the time when it
// boots: the wall times of such a boot's events follow from the one at which it learnt it,
// and an event of a boot that never did is from before the next event with a known time.
package bootclock

import (
	"sort"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Events are where the stamps of events are read.
type Events interface {
	// Boot is what is known of a boot's clock.
	Boot(id uuid.UUID) record.Boot
	// From returns the stamp of the event at a place, or of the next in its chain.
	From(at record.Ref) (checkout.Stamp, bool)
	// After returns the place of the first event after a place; zero if there is none.
	After(at record.Ref) record.Ref
	// Now is the station's clock.
	Now() checkout.Stamp
}

// Times converts stamps of events to wall times, where they are known.
type Times struct {
	Of     Events
	boots  map[uuid.UUID]record.Boot
	bounds map[uuid.UUID]bound // of boots that never knew the time
}

// bound is the time of the next event whose time is known, if there is one.
type bound struct {
	at    time.Time
	known bool
}

// Latest returns the latest time that the event at a place can have happened, where its
// own is not known: that of the next event with a known time, or else now. ok is false if
// nobody knows that either.
func (c *Times) Latest(at record.Ref) (latest time.Time, ok bool) {
	if b := c.next(at); b.known {
		return b.at, true
	}
	if now := c.Of.Now(); now.Trusted {
		return now.Wall, true
	}
	return latest, false
}

// Began returns when a loan began, or the latest that it can have. known is false if
// nobody knows that either.
func (c *Times) Began(s record.Loan) (at time.Time, known bool) {
	if at, known = c.Wall(s.At); known {
		return at, true
	}
	if latest, ok := c.Latest(s.Since); ok {
		return latest, true
	}
	return at, false
}

// next goes from boot to boot until the time of an event is known.
func (c *Times) next(at record.Ref) (b bound) {
	var passed []uuid.UUID
	for at.Seq != 0 {
		s, _ := c.Of.From(at)
		if b.at, b.known = c.Wall(s); b.known {
			break
		}
		var seen bool
		if b, seen = c.bounds[s.BootID]; seen {
			break
		}
		if s.BootID != uuid.Nil { // else it may be any boot
			passed = append(passed, s.BootID)
		}
		at = c.afterBoot(at, s.BootID)
	}
	for _, boot := range passed {
		if c.bounds == nil {
			c.bounds = map[uuid.UUID]bound{}
		}
		c.bounds[boot] = b
	}
	return b
}

// afterBoot returns the place of the first event after at that is of another boot, or
// whose time was known; zero if there is none. A boot's events are next to each other, and
// there may be a million: it looks for their end by halves.
func (c *Times) afterBoot(at record.Ref, boot uuid.UUID) record.Ref {
	same := func(seq uint64) bool {
		s, ok := c.Of.From(record.At(at.Chain, seq))
		return ok && !s.Trusted && s.BootID == boot
	}
	last, step := at.Seq, uint64(1)
	for ; same(last + step); step *= 2 {
		last += step
	}
	last += uint64(sort.Search(int(step), func(n int) bool { return !same(last + uint64(n) + 1) }))
	return c.Of.After(record.At(at.Chain, last))
}

// Wall is the wall time of a stamp, and whether it is right.
func (c *Times) Wall(s checkout.Stamp) (at time.Time, trusted bool) {
	if s.Trusted || s.BootID == uuid.Nil {
		return s.Wall, s.Trusted
	}
	b, ok := c.boots[s.BootID]
	if !ok {
		b = c.Of.Boot(s.BootID)
		if c.boots == nil {
			c.boots = map[uuid.UUID]record.Boot{}
		}
		c.boots[s.BootID] = b
	}
	if !b.Resolved {
		return s.Wall, false
	}
	return time.Unix(0, int64(b.Offset+s.Mono)), true
}
