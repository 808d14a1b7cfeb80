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

// OutboxFrom returns up to limit rows of a sink with this station's sequence
// number from or later, whatever their state. The work is proportional to the
// rows that all sinks have there.
func (l *Ledger) OutboxFrom(sink string, from uint64, limit int) ([]OutboxRow, error) {
	var rows []OutboxRow
	err := l.view(func(t *txn) error {
		index, c := l.sinkIDs[sink], t.tx.Bucket(treeOutbox.bucket()).Cursor()
		own := binary.BigEndian.AppendUint16(nil, l.own)
		k, b := c.Seek(eventKey(ref{l.own, from}))
		for ; bytes.HasPrefix(k, own) && len(rows) < limit; k, b = c.Next() {
			r, i, ok := parseOutboxKey(k)
			if !ok {
				return t.damaged("an outbox key")
			}
			if i != index {
				continue
			}
			row, err := t.openOutbox(k, b, r, sink)
			if err != nil {
				return err
			}
			rows = append(rows, row)
		}
		return nil
	})
	return rows, err
}

func (t *txn) openOutbox(k, b []byte, r ref, sink string) (OutboxRow, error) {
	v, err := t.open(treeOutbox, k, b)
	if err != nil {
		return OutboxRow{}, err
	}
	o, err := decodeOutbox(v)
	if err != nil {
		return OutboxRow{}, t.damaged("outbox row %d: %v", r.seq, err)
	}
	return t.outboxRow(OutboxKey{t.l.names[r.station], r.seq, sink}, r, o)
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
			k := l.outboxKey(sink, u.Seq)
			b, err := t.get(treeOutbox, k)
			if err != nil {
				return err
			}
			if b == nil {
				continue
			}
			o, err := decodeOutbox(b)
			if err != nil {
				return t.damaged("outbox row %d: %v", u.Seq, err)
			}
			o.state, o.attempts, o.next, o.lastError, o.memo = u.State, u.Attempts, u.Next, u.LastError, u.Memo
			if err := t.put(treeOutbox, k, o.encode()); err != nil {
				return err
			}
		}
		return nil
	})
}

// DeliveredAll removes rows of a sink in one transaction: it has the events.
func (l *Ledger) DeliveredAll(sink string, seqs []uint64) error {
	return l.update(func(t *txn) error {
		var done uint64
		for _, seq := range seqs {
			k := l.outboxKey(sink, seq)
			b, err := t.get(treeOutbox, k)
			if err != nil {
				return err
			}
			if b == nil {
				continue
			}
			done++
			if err := t.delete(treeOutbox, k); err != nil {
				return err
			}
		}
		return t.count(sink, 0, done)
	})
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
	ev := Event{Actor: actor, Source: SourceSync, Note: fmt.Sprintf("event %d: the directory's word accepted", seq)}
	err := l.update(func(t *txn) error {
		k := l.outboxKey(sink, seq)
		b, err := t.get(treeOutbox, k)
		if err != nil {
			return err
		}
		if b == nil {
			return fmt.Errorf("event %d for %q: %w", seq, sink, ErrNotQueued)
		}
		if err := t.delete(treeOutbox, k); err != nil {
			return err
		}
		if err := t.count(sink, 0, 1); err != nil {
			return err
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
	return ev, nil
}

// moveTo appends the event that makes holder have the device, unless it moved
// after the event at.
func (t *txn) moveTo(ev *Event, device party, holder string, at ref) error {
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
