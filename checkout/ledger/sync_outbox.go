package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// DirectorySink is the sink of the staff directory. What the directory itself
// said (SourceSync) is not told to it.
const DirectorySink = "directory"

// OutboxPage is a piece of a sink's outbox.
type OutboxPage struct {
	Rows []OutboxRow
	// Next is the sequence number with which the next piece begins. End: nothing
	// is there yet.
	Next uint64
	End  bool
}

// pageKeys is how many keys a page passes at most, also where they are other
// sinks', so that its transaction is short however long the outbox is.
const pageKeys = 4096

// OutboxFrom returns up to limit rows of a sink with this station's sequence
// number from or later, whatever their state. A page may have fewer, or none,
// before the end.
func (l *Ledger) OutboxFrom(sink string, from uint64, limit int) (OutboxPage, error) {
	return l.outboxPage(sink, from, limit, func(record.OutboxRow) bool { return true })
}

// ParkedFrom is OutboxFrom for parked rows only.
func (l *Ledger) ParkedFrom(sink string, from uint64, limit int) (OutboxPage, error) {
	return l.outboxPage(sink, from, limit, func(o record.OutboxRow) bool { return o.State == record.Parked })
}

func (l *Ledger) outboxPage(sink string, from uint64, limit int, want func(record.OutboxRow) bool) (p OutboxPage, err error) {
	err = l.view(func(t *txn) error {
		p = OutboxPage{Next: from}
		index, c := l.sinkIDs[sink], t.tx.Bucket(record.TreeOutbox.Bucket()).Cursor()
		own := binary.BigEndian.AppendUint16(nil, l.own)
		k, b := c.Seek(record.EventKey(record.At(l.own, from)))
		for passed := 0; bytes.HasPrefix(k, own); k, b = c.Next() {
			r, i, ok := record.ParseOutboxKey(k)
			if !ok {
				return t.damaged("an outbox key")
			}
			p.Next = max(p.Next, r.Seq) // unless the sink's row of that event is read
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
			p.Next = r.Seq + 1
			if !want(o) {
				continue
			}
			row, err := t.outboxRow(OutboxKey{l.names[r.Station], r.Seq, sink}, r, o)
			if err != nil {
				return err
			}
			p.Rows = append(p.Rows, row)
		}
		head, _, err := t.head(l.own)
		p.Next, p.End = max(p.Next, head+1), true
		return err
	})
	return p, err
}

func (t *txn) openOutbox(k, b []byte, r record.Ref) (record.OutboxRow, error) {
	v, err := t.open(record.TreeOutbox, k, b)
	if err != nil {
		return record.OutboxRow{}, err
	}
	o, err := record.DecodeOutbox(v)
	if err != nil {
		return o, t.damaged("outbox row %d: %v", r.Seq, err)
	}
	return o, nil
}

// getOutbox returns a row of one of this station's events; false if it is not
// there.
func (t *txn) getOutbox(sink string, seq uint64) (o record.OutboxRow, there bool, err error) {
	k := t.l.outboxKey(sink, seq)
	b := t.tx.Bucket(record.TreeOutbox.Bucket()).Get(k)
	if b == nil {
		return o, false, nil
	}
	o, err = t.openOutbox(k, b, record.At(t.l.own, seq))
	return o, true, err
}

// OutboxOf returns the row of one event. The error is ErrNotQueued when there is
// none.
func (l *Ledger) OutboxOf(sink string, seq uint64) (row OutboxRow, err error) {
	err = l.view(func(t *txn) error {
		o, there, err := t.getOutbox(sink, seq)
		if err != nil {
			return err
		}
		if !there {
			return fmt.Errorf("event %d for %q: %w", seq, sink, ErrNotQueued)
		}
		r := record.At(l.own, seq)
		row, err = t.outboxRow(OutboxKey{l.names[r.Station], seq, sink}, r, o)
		return err
	})
	return row, err
}

// OutboxUpdate is what the worker notes of a row.
type OutboxUpdate struct {
	Seq       uint64
	State     record.OutboxState
	Attempts  int
	Next      time.Time
	LastError string
	Memo      []byte
}

// SaveOutbox notes the states of rows of a sink in one transaction. Rows that
// are not there any more are left out.
func (l *Ledger) SaveOutbox(sink string, updates []OutboxUpdate) error {
	return l.update(func(t *txn) error {
		for _, u := range updates {
			o, there, err := t.getOutbox(sink, u.Seq)
			if err != nil {
				return err
			}
			if !there {
				continue
			}
			o.State, o.Attempts, o.Next, o.LastError, o.Memo = u.State, u.Attempts, u.Next, u.LastError, u.Memo
			if err := t.put(record.TreeOutbox, l.outboxKey(sink, u.Seq), o.Encode()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Delivered removes rows of a sink in one transaction: it has the events.
func (l *Ledger) Delivered(sink string, seqs ...uint64) error {
	return l.update(func(t *txn) error {
		_, err := t.removeOutbox(sink, seqs, func(uint64, record.OutboxRow) error { return nil })
		return err
	})
}

// Drop removes rows of a sink that will not be delivered, in one transaction.
// For each there is an event, whose note says why. The error is ErrNotQueued
// when none of them is there.
func (l *Ledger) Drop(sink string, seqs []uint64, actor, note string, source checkout.Source) error {
	if err := checkout.CheckText("note", note, checkout.MaxNote); err != nil {
		return err
	}
	return l.update(func(t *txn) error {
		n, err := t.removeOutbox(sink, seqs, func(seq uint64, o record.OutboxRow) error {
			ev := record.Event{Event: checkout.Event{Kind: checkout.Correct, Actor: actor, Source: source,
				Note: fmt.Sprintf("event %d for %s: not delivered: %s", seq, sink, note)}}
			r, err := t.row(record.TreeDevices, o.Device)
			if err != nil || r == nil {
				return errors.Join(err, t.append(&ev, nil, nil))
			}
			return t.append(&ev, nil, &party{record.TreeDevices, o.Device, r})
		})
		if err == nil && n == 0 {
			return fmt.Errorf("events %d for %q: %w", seqs, sink, ErrNotQueued)
		}
		return err
	})
}

// removeOutbox removes those of the rows that are there, calls f with each, and
// returns how many they were.
func (t *txn) removeOutbox(sink string, seqs []uint64, f func(uint64, record.OutboxRow) error) (n uint64, err error) {
	for _, seq := range seqs {
		o, there, err := t.getOutbox(sink, seq)
		if err != nil {
			return n, err
		}
		if !there {
			continue
		}
		n++
		if err := t.delete(record.TreeOutbox, t.l.outboxKey(sink, seq)); err != nil {
			return n, err
		}
		if err := f(seq, o); err != nil {
			return n, err
		}
	}
	if n == 0 {
		return 0, nil
	}
	return n, t.count(sink, 0, n)
}

// outboxKey is the key of the row of one of this station's events.
func (l *Ledger) outboxKey(sink string, seq uint64) []byte {
	return binary.BigEndian.AppendUint16(record.EventKey(record.At(l.own, seq)), l.sinkIDs[sink])
}

// Backlog returns how many rows a sink has.
func (l *Ledger) Backlog(sink string) (rows uint64, err error) {
	err = l.view(func(t *txn) error {
		b, err := t.get(record.TreeMeta, metaSink(sink))
		if err != nil || b == nil {
			return err
		}
		c, err := record.DecodeSink(b)
		rows = c.Queued - c.Done
		return err
	})
	return rows, err
}

// Stranded counts by name the rows of events from when this station had another
// name. They wait for it to have that name again: a row is named by its event's
// number alone, and each name counts from 1.
func (l *Ledger) Stranded() (map[string]uint64, error) {
	rows := map[string]uint64{}
	err := l.view(func(t *txn) error {
		c := t.tx.Bucket(record.TreeOutbox.Bucket()).Cursor()
		for k, _ := c.First(); k != nil; {
			r, _, ok := record.ParseOutboxKey(k)
			if !ok {
				return t.damaged("an outbox key")
			}
			if r.Station != l.own {
				rows[l.names[r.Station]]++
				k, _ = c.Next()
				continue
			}
			k, _ = c.Seek(record.EventKey(record.At(l.own+1, 0))) // however many there are
		}
		return nil
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
func (l *Ledger) AcceptTheirs(sink string, seq uint64, holder, actor string) (checkout.Event, error) {
	ev := record.Event{Event: checkout.Event{Actor: actor, Source: checkout.SourceSync, Note: fmt.Sprintf("event %d: the directory's word accepted", seq)}}
	err := l.update(func(t *txn) error {
		n, err := t.removeOutbox(sink, []uint64{seq}, func(uint64, record.OutboxRow) error { return nil })
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("event %d for %q: %w", seq, sink, ErrNotQueued)
		}
		about, err := t.event(record.At(l.own, seq))
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
		return t.moveTo(&ev, party{record.TreeDevices, about.Device, row}, holder, record.At(l.own, seq))
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
