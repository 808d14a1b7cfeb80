package ledger

import (
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
// before that, it commits an event from which their wall times follow. It reports whether
// it did. Nothing is rewritten.
func (l *Ledger) ResolveClock() (bool, error) {
	now := l.o.Stamp()
	if !now.Trusted || now.BootID == uuid.Nil {
		return false, nil
	}
	open := false
	err := l.view(func(t *txn) {
		b, known := t.boot(now.BootID)
		open = known && !b.Resolved
	})
	if err != nil || !open {
		return false, err
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Clock, Source: checkout.SourceSystem}}
	return true, l.update(func(t *txn) { t.append(&ev, nobody, nobody) })
}

// times converts stamps of events to wall times, where they are known.
type times struct {
	t     *txn
	boots map[uuid.UUID]record.Boot
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
