package checkout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"
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
	return l.outboxPage(sink, from, limit, func(outboxRow) bool { return true })
}

// ParkedFrom is OutboxFrom for parked rows only.
func (l *Ledger) ParkedFrom(sink string, from uint64, limit int) (OutboxPage, error) {
	return l.outboxPage(sink, from, limit, func(o outboxRow) bool { return o.state == Parked })
}

func (l *Ledger) outboxPage(sink string, from uint64, limit int, want func(outboxRow) bool) (p OutboxPage, err error) {
	err = l.view(func(t *txn) error {
		p = OutboxPage{Next: from}
		index, c := l.sinkIDs[sink], t.tx.Bucket(treeOutbox.bucket()).Cursor()
		own := binary.BigEndian.AppendUint16(nil, l.own)
		k, b := c.Seek(eventKey(ref{l.own, from}))
		for passed := 0; bytes.HasPrefix(k, own); k, b = c.Next() {
			r, i, ok := parseOutboxKey(k)
			if !ok {
				return t.damaged("an outbox key")
			}
			p.Next = max(p.Next, r.seq) // unless the sink's row of that event is read
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
			p.Next = r.seq + 1
			if !want(o) {
				continue
			}
			row, err := t.outboxRow(OutboxKey{l.names[r.station], r.seq, sink}, r, o)
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

func (t *txn) openOutbox(k, b []byte, r ref) (outboxRow, error) {
	v, err := t.open(treeOutbox, k, b)
	if err != nil {
		return outboxRow{}, err
	}
	o, err := decodeOutbox(v)
	if err != nil {
		return o, t.damaged("outbox row %d: %v", r.seq, err)
	}
	return o, nil
}

// getOutbox returns a row of one of this station's events; false if it is not
// there.
func (t *txn) getOutbox(sink string, seq uint64) (o outboxRow, there bool, err error) {
	k := t.l.outboxKey(sink, seq)
	b := t.tx.Bucket(treeOutbox.bucket()).Get(k)
	if b == nil {
		return o, false, nil
	}
	o, err = t.openOutbox(k, b, ref{t.l.own, seq})
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
		r := ref{l.own, seq}
		row, err = t.outboxRow(OutboxKey{l.names[r.station], seq, sink}, r, o)
		return err
	})
	return row, err
}

// OutboxUpdate is what the worker notes of a row.
type OutboxUpdate struct {
	Seq       uint64
	State     OutboxState
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
			o.state, o.attempts, o.next, o.lastError, o.memo = u.State, u.Attempts, u.Next, u.LastError, u.Memo
			if err := t.put(treeOutbox, l.outboxKey(sink, u.Seq), o.encode()); err != nil {
				return err
			}
		}
		return nil
	})
}

// Delivered removes rows of a sink in one transaction: it has the events.
func (l *Ledger) Delivered(sink string, seqs ...uint64) error {
	return l.update(func(t *txn) error {
		_, err := t.removeOutbox(sink, seqs, func(uint64, outboxRow) error { return nil })
		return err
	})
}

// Drop removes rows of a sink that will not be delivered, in one transaction.
// For each there is an event, whose note says why. The error is ErrNotQueued
// when none of them is there.
func (l *Ledger) Drop(sink string, seqs []uint64, actor, note string, source Source) error {
	if err := checkText("note", note, maxNote); err != nil {
		return err
	}
	return l.update(func(t *txn) error {
		n, err := t.removeOutbox(sink, seqs, func(seq uint64, o outboxRow) error {
			ev := stored{Event: Event{Kind: Correct, Actor: actor, Source: source,
				Note: fmt.Sprintf("event %d for %s: not delivered: %s", seq, sink, note)}}
			r, err := t.row(treeDevices, o.device)
			if err != nil || r == nil {
				return errors.Join(err, t.append(&ev, nil, nil))
			}
			return t.append(&ev, nil, &party{treeDevices, o.device, r})
		})
		if err == nil && n == 0 {
			return fmt.Errorf("events %d for %q: %w", seqs, sink, ErrNotQueued)
		}
		return err
	})
}

// removeOutbox removes those of the rows that are there, calls f with each, and
// returns how many they were.
func (t *txn) removeOutbox(sink string, seqs []uint64, f func(uint64, outboxRow) error) (n uint64, err error) {
	for _, seq := range seqs {
		o, there, err := t.getOutbox(sink, seq)
		if err != nil {
			return n, err
		}
		if !there {
			continue
		}
		n++
		if err := t.delete(treeOutbox, t.l.outboxKey(sink, seq)); err != nil {
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
	return binary.BigEndian.AppendUint16(eventKey(ref{l.own, seq}), l.sinkIDs[sink])
}

// Backlog returns how many rows a sink has.
func (l *Ledger) Backlog(sink string) (rows uint64, err error) {
	err = l.view(func(t *txn) error {
		b, err := t.get(treeMeta, metaSink(sink))
		if err != nil || b == nil {
			return err
		}
		c, err := decodeSink(b)
		rows = c.queued - c.done
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
		c := t.tx.Bucket(treeOutbox.bucket()).Cursor()
		for k, _ := c.First(); k != nil; {
			r, _, ok := parseOutboxKey(k)
			if !ok {
				return t.damaged("an outbox key")
			}
			if r.station != l.own {
				rows[l.names[r.station]]++
				k, _ = c.Next()
				continue
			}
			k, _ = c.Seek(eventKey(ref{l.own + 1, 0})) // however many there are
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
func (l *Ledger) AcceptTheirs(sink string, seq uint64, holder, actor string) (Event, error) {
	ev := stored{Event: Event{Actor: actor, Source: SourceSync, Note: fmt.Sprintf("event %d: the directory's word accepted", seq)}}
	err := l.update(func(t *txn) error {
		n, err := t.removeOutbox(sink, []uint64{seq}, func(uint64, outboxRow) error { return nil })
		if err != nil {
			return err
		}
		if n == 0 {
			return fmt.Errorf("event %d for %q: %w", seq, sink, ErrNotQueued)
		}
		about, err := t.event(ref{l.own, seq})
		if err != nil {
			return err
		}
		if _, err := t.resolve(&about); err != nil {
			return err
		}
		row, err := t.row(treeDevices, about.Device)
		if err != nil {
			return err
		}
		if row == nil {
			ev.Kind = Correct
			return t.append(&ev, nil, nil)
		}
		return t.moveTo(&ev, party{treeDevices, about.Device, row}, holder, ref{l.own, seq})
	})
	if err != nil {
		return Event{}, err
	}
	return ev.Event, nil
}

// moveTo appends the event that makes holder have the device, unless it moved
// after the event at.
func (t *txn) moveTo(ev *stored, device party, holder string, at ref) error {
	has := device.row.loan.holder
	if has == holder || device.row.loan.since != at {
		ev.Kind = Correct
		return t.append(ev, nil, &device)
	}
	who := holder
	switch {
	case holder == "":
		ev.Kind, who = Return, has
	case has == "":
		ev.Kind = Checkout
	default:
		ev.Kind = Handover
		if err := t.setFrom(ev, has); err != nil {
			return err
		}
	}
	row, err := t.row(treePeople, who)
	if err != nil {
		return err
	}
	if row == nil {
		return fmt.Errorf("%w: no person %q in the register", ErrRefused, who)
	}
	if ev.Kind != Return {
		ev.Loan = t.loanLength(device.row.kind)
	}
	return t.append(ev, &party{treePeople, who, row}, &device)
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
