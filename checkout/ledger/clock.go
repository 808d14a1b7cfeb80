package ledger

import (
	"sort"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// noteBoot records the first untrusted event of a boot, and the offset that a Clock
// event gives.
func (t *txn) noteBoot(ev *record.Event, at record.Ref) {
	id := ev.At.BootID
	if id == uuid.Nil || ev.At.Trusted && ev.Kind != checkout.Clock {
		return
	}
	b, known := t.boot(id)
	switch {
	case ev.Kind == checkout.Clock:
		b.Resolved, b.Offset = true, time.Duration(ev.At.Wall.UnixNano())-ev.At.Mono
	case known:
		return
	default:
		b.First = at
	}
	t.put(record.TreeBoots, id[:], record.Pack(record.BootForm(&b)))
}

func (t *txn) boot(id uuid.UUID) (b record.Boot, known bool) {
	v := t.get(record.TreeBoots, id[:])
	if v == nil {
		return b, false
	}
	b, err := record.Unpack(record.BootForm, v)
	if err != nil {
		t.damaged("the boot %v: %v", id, err)
	}
	return b, true
}

// ResolveClock must be called once the clock is right. If this boot has events from
// before that, it commits an event from which their wall times follow. Of an earlier boot
// that never knew the time, the event says that it was before now. It reports whether it
// did. Nothing is rewritten.
func (l *Ledger) ResolveClock() (bool, error) {
	now := l.o.Stamp()
	if !now.Trusted || now.BootID == uuid.Nil {
		return false, nil
	}
	open := false
	err := l.view(func(t *txn) {
		b, known := t.boot(now.BootID)
		open = known && !b.Resolved
		if seq, _ := t.head(l.own); seq > 0 && !open {
			_, ok := (&times{t: t}).wall(t.event(record.At(l.own, seq)).At)
			open = !ok
		}
	})
	if err != nil || !open {
		return false, err
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Clock, Source: checkout.SourceSystem}}
	return true, l.update(func(t *txn) { t.append(&ev, nobody, nobody) })
}

// times converts stamps of events to wall times, where they are known.
type times struct {
	t      *txn
	boots  map[uuid.UUID]record.Boot
	bounds map[uuid.UUID]bound // of boots that never knew the time
}

// bound is the time of the next event whose time is known, if there is one.
type bound struct {
	at    time.Time
	known bool
}

// latest returns the latest time that the event at a place can have happened, where its
// own is not known: that of the next event with a known time, or else now. ok is false if
// nobody knows that either.
func (c *times) latest(at record.Ref) (latest time.Time, ok bool) {
	if b := c.next(at); b.known {
		return b.at, true
	}
	if now := c.t.l.o.Stamp(); now.Trusted {
		return now.Wall, true
	}
	return latest, false
}

// began returns when a loan began, or the latest that it can have. known is false if
// nobody knows that either.
func (c *times) began(s record.Loan) (at time.Time, known bool) {
	if at, known = c.wall(s.At); known {
		return at, true
	}
	if latest, ok := c.latest(s.Since); ok {
		return latest, true
	}
	return at, false
}

// next goes from boot to boot until the time of an event is known.
func (c *times) next(at record.Ref) (b bound) {
	var passed []uuid.UUID
	for at.Seq != 0 {
		s, _ := c.t.stampFrom(at)
		if b.at, b.known = c.wall(s); b.known {
			break
		}
		var seen bool
		if b, seen = c.bounds[s.BootID]; seen {
			break
		}
		if s.BootID != uuid.Nil { // else it may be any boot
			passed = append(passed, s.BootID)
		}
		at = c.t.afterBoot(at, s.BootID)
	}
	for _, boot := range passed {
		if c.bounds == nil {
			c.bounds = map[uuid.UUID]bound{}
		}
		c.bounds[boot] = b
	}
	return b
}

// stampFrom returns the stamp of the event at a place, or of the next in its chain.
func (t *txn) stampFrom(at record.Ref) (s checkout.Stamp, ok bool) {
	k, raw := t.bucket(record.TreeEvents).Cursor().Seek(record.EventKey(at))
	if k == nil {
		return s, false
	}
	here := t.eventKey(k)
	if here.Chain != at.Chain {
		return s, false
	}
	ev, err := t.decode(here, raw)
	t.must(err)
	return ev.At, true
}

// afterBoot returns the place of the first event after at that is of another boot, or
// whose time was known; zero if there is none. A boot's events are next to each other, and
// there may be a million: it looks for their end by halves.
func (t *txn) afterBoot(at record.Ref, boot uuid.UUID) (next record.Ref) {
	same := func(seq uint64) bool {
		s, ok := t.stampFrom(record.At(at.Chain, seq))
		return ok && !s.Trusted && s.BootID == boot
	}
	last, step := at.Seq, uint64(1)
	for ; same(last + step); step *= 2 {
		last += step
	}
	last += uint64(sort.Search(int(step), func(n int) bool { return !same(last + uint64(n) + 1) }))
	t.events(record.At(at.Chain, last), func(r record.Ref, _ []byte) bool {
		next = r
		return false
	})
	return next
}

func (c *times) wall(s checkout.Stamp) (at time.Time, trusted bool) {
	if s.Trusted || s.BootID == uuid.Nil {
		return s.Wall, s.Trusted
	}
	b, ok := c.boots[s.BootID]
	if !ok {
		b, _ = c.t.boot(s.BootID)
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
