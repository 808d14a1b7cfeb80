package ledger

import (
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/bootclock"
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
			_, ok := t.times().Wall(t.event(record.At(l.own, seq)).At)
			open = !ok
		}
	})
	if err != nil || !open {
		return false, err
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Clock, Source: checkout.SourceSystem}}
	return true, l.update(func(t *txn) { t.append(&ev, nobody, nobody) })
}

// times returns what converts stamps of events to wall times.
func (t *txn) times() *bootclock.Times { return &bootclock.Times{Of: stamps{t}} }

// stamps are those of a ledger's events.
type stamps struct{ t *txn }

func (s stamps) Boot(id uuid.UUID) record.Boot {
	b, _ := s.t.boot(id)
	return b
}

func (s stamps) From(at record.Ref) (stamp checkout.Stamp, ok bool) {
	k, raw := s.t.bucket(record.TreeEvents).Cursor().Seek(record.EventKey(at))
	if k == nil {
		return stamp, false
	}
	here := s.t.eventKey(k)
	if here.Chain != at.Chain {
		return stamp, false
	}
	ev, err := s.t.decode(here, raw)
	s.t.must(err)
	return ev.At, true
}

func (s stamps) After(at record.Ref) (next record.Ref) {
	s.t.events(at, func(r record.Ref, _ []byte) bool {
		next = r
		return false
	})
	return next
}

func (s stamps) Now() checkout.Stamp { return s.t.l.o.Stamp() }
