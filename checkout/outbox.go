package checkout

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"time"
)

// OutboxState is the state of an event on its way to a sink.
type OutboxState uint8

// The states of an outbox row. A delivered, dropped or accepted row is gone.
const (
	Queued OutboxState = iota
	Parked             // the sink said no: an admin decides
)

// String returns the word for the state.
func (s OutboxState) String() string {
	if s == Parked {
		return "parked"
	}
	return "queued"
}

// OutboxKey names an outbox row.
type OutboxKey struct {
	Station string
	Seq     uint64
	Sink    string
}

// OutboxRow is an event on its way to a sink.
type OutboxRow struct {
	OutboxKey
	Event Event
	// Attempts counts deliveries that failed; Next is when to try again, zero
	// for now.
	Attempts  int
	Next      time.Time
	LastError string
	State     OutboxState
	// Pending is set while a person or device of the event is not resolved:
	// the row waits for that.
	Pending bool
	// Memo is what the worker noted (SaveOutbox).
	Memo []byte
}

// outboxRow is what is stored.
type outboxRow struct {
	device    string // of the event: a sink gets the events of a device in order
	attempts  int
	next      time.Time
	lastError string
	state     OutboxState
	memo      []byte // the worker's own
}

func (o outboxRow) encode() []byte {
	var e enc
	e.str(1, o.device)
	e.uint(2, uint64(o.attempts))
	if !o.next.IsZero() {
		e.int(3, o.next.UnixNano())
	}
	e.str(4, o.lastError)
	e.uint(5, uint64(o.state))
	e.bytes(6, o.memo)
	return e.b
}

func decodeOutbox(body []byte) (o outboxRow, err error) {
	d := dec{b: body}
	for d.next() {
		switch d.tag {
		case 1:
			o.device = d.str()
		case 2:
			o.attempts = int(d.uint())
		case 3:
			o.next = time.Unix(0, d.int())
		case 4:
			o.lastError = d.str()
		case 5:
			o.state = OutboxState(d.uint())
		case 6:
			o.memo = bytes.Clone(d.v)
		}
	}
	return o, d.err
}

// forSinks reports whether sinks are told of events of the kind.
func (k Kind) forSinks(src Source) bool {
	switch k {
	case Checkout, Return, Handover, Lost, Found, Resolve:
		return true
	case Enrol:
		// A tag that came by import or from the directory is known there.
		return src == SourceReader || src == SourceKeyboard
	}
	return false
}

// sinkCounts are what a sink has been given and has dealt with: the rows that
// there are must be the difference.
type sinkCounts struct {
	index        uint16
	queued, done uint64
}

func (c sinkCounts) encode() []byte {
	var e enc
	e.uint(1, uint64(c.index))
	e.uint(2, c.queued)
	e.uint(3, c.done)
	return e.b
}

func decodeSink(body []byte) (c sinkCounts, err error) {
	d := dec{b: body}
	for d.next() {
		switch d.tag {
		case 1:
			c.index = uint16(d.uint())
		case 2:
			c.queued = d.uint()
		case 3:
			c.done = d.uint()
		}
	}
	return c, d.err
}

// count adds to the counts of a sink.
func (t *txn) count(sink string, queued, done uint64) error {
	b, err := t.get(treeMeta, metaSink(sink))
	if err != nil {
		return err
	}
	c, err := decodeSink(b)
	if err != nil || c.index == 0 {
		return t.damaged("the counts of the sink %q", sink)
	}
	c.queued += queued
	c.done += done
	return t.put(treeMeta, metaSink(sink), c.encode())
}

// outboxKey is the key of an outbox row: the rows of an event lie together.
func outboxKey(r ref, sink uint16) []byte {
	return binary.BigEndian.AppendUint16(eventKey(r), sink)
}

// parseOutboxKey splits the key of an outbox row.
func parseOutboxKey(k []byte) (r ref, sink uint16, ok bool) {
	if len(k) != 12 {
		return ref{}, 0, false
	}
	r, ok = parseEventKey(k[:10])
	return r, binary.BigEndian.Uint16(k[10:]), ok
}

func (t *txn) sinkName(index uint16) string {
	for name, i := range t.l.sinkIDs {
		if i == index {
			return name
		}
	}
	return ""
}

// Due returns up to limit rows of a sink that may be delivered now, oldest
// first. A sink gets the events of a device in their order: while one waits,
// is parked or is pending, those behind it do too; other devices flow on.
func (l *Ledger) Due(sink string, now time.Time, limit int) ([]OutboxRow, error) {
	var due []OutboxRow
	blocked := map[string]bool{}
	err := l.eachOutbox(sink, func(t *txn, key OutboxKey, r ref, o outboxRow) error {
		if blocked[o.device] {
			return nil
		}
		if o.device != "" {
			blocked[o.device] = true
		}
		if o.state != Queued || o.next.After(now) {
			return nil
		}
		row, err := t.outboxRow(key, r, o)
		if err != nil || row.Pending {
			return err
		}
		if due = append(due, row); len(due) >= limit {
			return errStop
		}
		return nil
	})
	return due, err
}

// errStop ends an iteration.
var errStop = errors.New("stop")

// Outbox returns all rows of a sink, or of all with "", oldest first.
func (l *Ledger) Outbox(sink string) ([]OutboxRow, error) {
	var all []OutboxRow
	err := l.eachOutbox(sink, func(t *txn, key OutboxKey, r ref, o outboxRow) error {
		row, err := t.outboxRow(key, r, o)
		all = append(all, row)
		return err
	})
	return all, err
}

func (l *Ledger) eachOutbox(sink string, f func(*txn, OutboxKey, ref, outboxRow) error) error {
	err := l.view(func(t *txn) error {
		return t.each(treeOutbox, nil, func(k, v []byte) error {
			r, index, ok := parseOutboxKey(k)
			if !ok {
				return t.damaged("an outbox key")
			}
			key := OutboxKey{l.names[r.station], r.seq, t.sinkName(index)}
			if sink != "" && key.Sink != sink {
				return nil
			}
			o, err := decodeOutbox(v)
			if err != nil {
				return t.damaged("outbox row %d: %v", r.seq, err)
			}
			return f(t, key, r, o)
		})
	})
	if errors.Is(err, errStop) {
		err = nil
	}
	return err
}

// outboxRow fills in the event, with pending people and devices as they are
// known now.
func (t *txn) outboxRow(key OutboxKey, r ref, o outboxRow) (OutboxRow, error) {
	ev, err := t.event(r)
	if err != nil {
		return OutboxRow{}, err
	}
	pending, err := t.resolve(&ev)
	return OutboxRow{OutboxKey: key, Event: ev, Attempts: o.attempts, Next: o.next,
		LastError: o.lastError, State: o.state, Pending: pending, Memo: o.memo}, err
}

// Delivered removes a row: the sink has the event.
func (l *Ledger) Delivered(key OutboxKey) error {
	return l.changeOutbox(key, func(t *txn, k []byte, _ outboxRow) error {
		if err := t.delete(treeOutbox, k); err != nil {
			return err
		}
		return t.count(key.Sink, 0, 1)
	})
}

// Retry puts a failed delivery off until next.
func (l *Ledger) Retry(key OutboxKey, next time.Time, cause string) error {
	return l.putOutbox(key, func(o *outboxRow) {
		o.attempts++
		o.next, o.lastError, o.state = next, cause, Queued
	})
}

// Park stops deliveries of a row, and of those of its device behind it, until
// an admin decides.
func (l *Ledger) Park(key OutboxKey, cause string) error {
	return l.putOutbox(key, func(o *outboxRow) {
		o.attempts++
		o.lastError, o.state = cause, Parked
	})
}

// Unpark makes a row due now: an admin's retry.
func (l *Ledger) Unpark(key OutboxKey) error {
	return l.putOutbox(key, func(o *outboxRow) { o.state, o.next = Queued, time.Time{} })
}

func (l *Ledger) putOutbox(key OutboxKey, f func(*outboxRow)) error {
	return l.changeOutbox(key, func(t *txn, k []byte, o outboxRow) error {
		f(&o)
		return t.put(treeOutbox, k, o.encode())
	})
}

// Drop removes a row that will not be delivered, and Accept one whose result
// the sink has by other means; note says why. Both are events.
func (l *Ledger) Drop(key OutboxKey, actor, note string, source Source) error {
	return l.settleOutbox(key, "not delivered", actor, note, source)
}

// Accept is described at Drop.
func (l *Ledger) Accept(key OutboxKey, actor, note string, source Source) error {
	return l.settleOutbox(key, "accepted as delivered", actor, note, source)
}

func (l *Ledger) settleOutbox(key OutboxKey, how, actor, note string, source Source) error {
	if err := checkText("note", note, maxNote); err != nil {
		return err
	}
	return l.changeOutbox(key, func(t *txn, k []byte, o outboxRow) error {
		if err := t.delete(treeOutbox, k); err != nil {
			return err
		}
		if err := t.count(key.Sink, 0, 1); err != nil {
			return err
		}
		ev := Event{Kind: Correct, Actor: actor, Source: source,
			Note: fmt.Sprintf("event %d for %s: %s: %s", key.Seq, key.Sink, how, note)}
		r, err := t.row(treeDevices, o.device)
		if err != nil || r == nil {
			return errors.Join(err, t.append(&ev, nil, nil))
		}
		return t.append(&ev, nil, &party{treeDevices, o.device, r})
	})
}

func (l *Ledger) changeOutbox(key OutboxKey, f func(*txn, []byte, outboxRow) error) error {
	return l.update(func(t *txn) error {
		k := outboxKey(ref{l.stationIndex(key.Station), key.Seq}, l.sinkIDs[key.Sink])
		b, err := t.get(treeOutbox, k)
		if err != nil {
			return err
		}
		if b == nil {
			return fmt.Errorf("event %d for %q: %w", key.Seq, key.Sink, ErrNotQueued)
		}
		o, err := decodeOutbox(b)
		if err != nil {
			return t.damaged("outbox row %d: %v", key.Seq, err)
		}
		return f(t, k, o)
	})
}

// ErrNotQueued is an outbox row that is not there (any more).
var ErrNotQueued = errors.New("not in the outbox")
