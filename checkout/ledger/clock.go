package ledger

import (
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// noteBoot remembers the first untrusted event of a boot, and what a Clock
// event says.
func (t *txn) noteBoot(ev *record.Event, at record.Ref) error {
	id := ev.At.BootID
	if id == uuid.Nil || ev.At.Trusted && ev.Kind != checkout.Clock {
		return nil
	}
	b, known, err := t.boot(id)
	if err != nil || known && ev.Kind != checkout.Clock {
		return err
	}
	if ev.Kind == checkout.Clock {
		b.Resolved, b.Offset = true, time.Duration(ev.At.Wall.UnixNano())-ev.At.Mono
	} else {
		b.First = at
	}
	return t.put(record.TreeBoots, id[:], record.BootForm.Encode(&b))
}

func (t *txn) boot(id uuid.UUID) (b record.Boot, known bool, err error) {
	v, err := t.get(record.TreeBoots, id[:])
	if v == nil || err != nil {
		return b, false, err
	}
	if b, err = record.BootForm.Decode(v); err != nil {
		return b, true, t.damaged("the boot %v: %v", id, err)
	}
	return b, true, nil
}

// ResolveClock is to be called when the clock has become right. If this boot
// has events from before, it commits an event that tells what their wall times
// were; nothing is rewritten. It reports whether it did.
func (l *Ledger) ResolveClock() (bool, error) {
	now := l.o.Stamp()
	if !now.Trusted || now.BootID == uuid.Nil {
		return false, nil
	}
	open := false
	err := l.view(func(t *txn) error {
		b, known, err := t.boot(now.BootID)
		open = known && !b.Resolved
		return err
	})
	if err != nil || !open {
		return false, err
	}
	ev := record.Event{Event: checkout.Event{Kind: checkout.Clock, Source: checkout.SourceSystem}}
	return true, l.update(func(t *txn) error { return t.append(&ev, nil, nil) })
}

// times turns the stamps of events into wall times, as far as they are known.
type times struct {
	t     *txn
	boots map[uuid.UUID]record.Boot
}

func (c *times) wall(s checkout.Stamp) (at time.Time, trusted bool, err error) {
	if s.Trusted || s.BootID == uuid.Nil {
		return s.Wall, s.Trusted, nil
	}
	b, ok := c.boots[s.BootID]
	if !ok {
		if b, _, err = c.t.boot(s.BootID); err != nil {
			return s.Wall, false, err
		}
		if c.boots == nil {
			c.boots = map[uuid.UUID]record.Boot{}
		}
		c.boots[s.BootID] = b
	}
	if !b.Resolved {
		return s.Wall, false, nil
	}
	return time.Unix(0, int64(b.Offset+s.Mono)), true, nil
}
