package ledger

import (
	"errors"
	"fmt"
	"sync"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// DirectorySink is the sink of the staff directory. What the directory itself
// said (SourceSync) is not told to it.
const DirectorySink = "directory"

// OutboxPage is a piece of a sink's outbox.
type OutboxPage struct {
	Rows []OutboxRow
	// Next is where the next piece begins. End: nothing is there yet.
	Next RowKey
	End  bool
}

// pageKeys is how many keys a page passes at most, also where they are other
// sinks', so that its transaction is short however long the outbox is.
const pageKeys = 4096

// OutboxFrom returns up to limit rows of a sink from a place on, whatever their
// state; the zero RowKey is the beginning. A page may have fewer rows, or none,
// before the end.
func (l *Ledger) OutboxFrom(sink string, from RowKey, limit int) (OutboxPage, error) {
	return l.outboxPage(sink, from, limit, false)
}

// StuckFrom is OutboxFrom for rows only that wait for an admin.
func (l *Ledger) StuckFrom(sink string, from RowKey, limit int) (OutboxPage, error) {
	return l.outboxPage(sink, from, limit, true)
}

func (l *Ledger) outboxPage(sink string, from RowKey, limit int, stuck bool) (p OutboxPage, err error) {
	err = l.view(func(t *txn) error {
		p = OutboxPage{Next: from}
		index, c := l.sinkIDs[sink], t.tx.Bucket(record.TreeOutbox.Bucket()).Cursor()
		passed := 0
		for k, b := c.Seek(record.EventKey(from)); k != nil; k, b = c.Next() {
			r, i, ok := record.ParseOutboxKey(k)
			if !ok {
				return t.damaged("an outbox key")
			}
			if r.Compare(p.Next) > 0 {
				p.Next = r // unless the sink's row of that event is read
			}
			if passed++; passed > pageKeys || len(p.Rows) == limit {
				return nil
			}
			if i != index {
				continue
			}
			o, err := t.openOutbox(k, b, r)
			if err != nil {
				return err
			}
			p.Next = r.Next()
			if stuck && !o.State.Stuck() {
				continue
			}
			row, err := t.outboxRow(r, o)
			if err != nil {
				return err
			}
			p.Rows = append(p.Rows, row)
		}
		head, _, err := t.head(l.own)
		if next := record.At(l.own, head+1); next.Compare(p.Next) > 0 {
			p.Next = next
		}
		p.End = true
		return err
	})
	return p, err
}

func (t *txn) openOutbox(k, b []byte, r RowKey) (record.OutboxRow, error) {
	v, err := t.open(record.TreeOutbox, k, b)
	if err != nil {
		return record.OutboxRow{}, err
	}
	o, err := record.OutboxForm.Decode(v)
	if err != nil {
		return o, t.damaged("outbox row %d: %v", r.Seq, err)
	}
	return o, nil
}

// getOutbox returns the row of an event; false if it is not there.
func (t *txn) getOutbox(sink string, r RowKey) (o record.OutboxRow, there bool, err error) {
	k := t.outboxKey(sink, r)
	b := t.tx.Bucket(record.TreeOutbox.Bucket()).Get(k)
	if b == nil {
		return o, false, nil
	}
	o, err = t.openOutbox(k, b, r)
	return o, true, err
}

func (t *txn) outboxKey(sink string, r RowKey) []byte { return record.OutboxKey(r, t.l.sinkIDs[sink]) }

// OutboxOf returns the row of one event. The error is ErrNotQueued when there is
// none.
func (l *Ledger) OutboxOf(sink string, key RowKey) (row OutboxRow, err error) {
	err = l.view(func(t *txn) error {
		o, there, err := t.getOutbox(sink, key)
		if err != nil {
			return err
		}
		if !there {
			return ErrNotQueued
		}
		row, err = t.outboxRow(key, o)
		return err
	})
	return row, err
}

// SaveOutbox stores the worker's part of rows of a sink in one transaction. Rows
// that are not there any more are left out.
func (l *Ledger) SaveOutbox(sink string, rows ...OutboxRow) error {
	return l.update(func(t *txn) error {
		for _, r := range rows {
			o, there, err := t.getOutbox(sink, r.Key)
			if err != nil {
				return err
			}
			if !there {
				continue
			}
			r.Device = o.Device
			if err := t.put(record.TreeOutbox, t.outboxKey(sink, r.Key), record.OutboxForm.Encode(&r.OutboxRow)); err != nil {
				return err
			}
		}
		return nil
	})
}

// Delivered removes rows of a sink in one transaction: it has the events.
func (l *Ledger) Delivered(sink string, keys ...RowKey) error {
	return l.update(func(t *txn) error {
		_, err := t.removeOutbox(sink, keys, func(RowKey, record.OutboxRow) error { return nil })
		return err
	})
}

// Drop removes rows of a sink that will not be delivered, in one transaction.
// For each there is an event, whose note says why. The error is ErrNotQueued
// when none of them is there.
func (l *Ledger) Drop(sink string, keys []RowKey, actor, note string) error {
	if err := checkout.CheckText("note", note, checkout.MaxNote); err != nil {
		return err
	}
	return l.update(func(t *txn) error {
		n, err := t.removeOutbox(sink, keys, func(key RowKey, o record.OutboxRow) error {
			ev := record.Event{Event: checkout.Event{Kind: checkout.Correct, Actor: actor, Source: checkout.SourceCLI,
				Note: fmt.Sprintf("event %d for %s: not delivered: %s", key.Seq, sink, note)}}
			r, err := t.row(record.TreeDevices, o.Device)
			if err != nil || r == nil {
				return errors.Join(err, t.append(&ev, nil, nil))
			}
			return t.append(&ev, nil, &party{record.TreeDevices, o.Device, r})
		})
		if err == nil && n == 0 {
			return ErrNotQueued
		}
		return err
	})
}

// removeOutbox removes those of the rows that are there, calls f with each, and
// returns how many they were.
func (t *txn) removeOutbox(sink string, keys []RowKey, f func(RowKey, record.OutboxRow) error) (n uint64, err error) {
	for _, key := range keys {
		o, there, err := t.getOutbox(sink, key)
		if err != nil {
			return n, err
		}
		if !there {
			continue
		}
		n++
		if err := t.delete(record.TreeOutbox, t.outboxKey(sink, key)); err != nil {
			return n, err
		}
		if err := f(key, o); err != nil {
			return n, err
		}
	}
	if n == 0 {
		return 0, nil
	}
	return n, t.count(sink, 0, n)
}

// Backlog returns how many rows a sink has.
func (l *Ledger) Backlog(sink string) (rows int, err error) {
	err = l.view(func(t *txn) error {
		b, err := t.get(record.TreeMeta, metaSink(sink))
		if err != nil || b == nil {
			return err
		}
		c, err := record.SinkForm.Decode(b)
		rows = int(c.Queued - c.Done)
		return err
	})
	return rows, err
}

// Sinks names every sink that the ledger ever had rows for.
func (l *Ledger) Sinks() (names []string, err error) {
	err = l.view(func(*txn) error {
		for name := range l.sinkIDs {
			names = append(names, name)
		}
		return nil
	})
	return names, err
}

// AcceptTheirs removes a row whose sink says that somebody else has the device,
// or nobody, and believes it: a return, check-out or hand-over moves the loan
// so. When the device has moved since, that is newer and stays. holder is "" for
// nobody.
func (l *Ledger) AcceptTheirs(sink string, key RowKey, holder, actor string) (checkout.Event, error) {
	ev := record.Event{Event: checkout.Event{Actor: actor, Source: checkout.SourceSync, Note: fmt.Sprintf("event %d: the directory's word accepted", key.Seq)}}
	err := l.update(func(t *txn) error {
		n, err := t.removeOutbox(sink, []RowKey{key}, func(RowKey, record.OutboxRow) error { return nil })
		if err != nil {
			return err
		}
		if n == 0 {
			return ErrNotQueued
		}
		about, err := t.event(key)
		if err != nil {
			return err
		}
		if _, err := t.resolve(&about); err != nil {
			return err
		}
		row, err := t.row(record.TreeDevices, about.Device)
		if err != nil {
			return err
		}
		if row == nil {
			ev.Kind = checkout.Correct
			return t.append(&ev, nil, nil)
		}
		return t.moveTo(&ev, party{record.TreeDevices, about.Device, row}, holder, key)
	})
	if err != nil {
		return checkout.Event{}, err
	}
	return ev.Event, nil
}

// moveTo appends the event that makes holder have the device, unless it moved
// after the event at.
func (t *txn) moveTo(ev *record.Event, device party, holder string, at record.Ref) error {
	has := device.row.Loan.Holder
	if has == holder || device.row.Loan.Since != at {
		ev.Kind = checkout.Correct
		return t.append(ev, nil, &device)
	}
	who := holder
	switch {
	case holder == "":
		ev.Kind, who = checkout.Return, has
	case has == "":
		ev.Kind = checkout.Checkout
	default:
		ev.Kind = checkout.Handover
		if err := t.setFrom(ev, has); err != nil {
			return err
		}
	}
	row, err := t.row(record.TreePeople, who)
	if err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("%w: no person %q in the register", checkout.ErrRefused, who)
	}
	if ev.Kind != checkout.Return {
		ev.Loan = t.loanLength(device.row.Kind)
	}
	return t.append(ev, &party{record.TreePeople, who, row}, &device)
}

// listeners are told when the outbox has something new.
type listeners struct {
	mu    sync.Mutex
	chans []chan struct{}
}

func (l *listeners) tell() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, c := range l.chans {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}

// OutboxChanged returns a channel that is received from after rows were added,
// or may go because a tag was resolved. It may stand for many.
func (l *Ledger) OutboxChanged() <-chan struct{} {
	c := make(chan struct{}, 1)
	l.changes.mu.Lock()
	defer l.changes.mu.Unlock()
	l.changes.chans = append(l.changes.chans, c)
	return c
}

// errNoSuchID is for changes of what is not there.
var errNoSuchID = errors.New("not in the register")
