package checkout

import (
	"bytes"
	"encoding/binary"
	"errors"
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
func forSinks(k Kind, src Source) bool {
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

// outboxRow fills in the event, with pending people and devices, and the time of
// a boot without a clock, as they are known now.
func (t *txn) outboxRow(key OutboxKey, r ref, o outboxRow) (OutboxRow, error) {
	ev, err := t.event(r)
	if err != nil {
		return OutboxRow{}, err
	}
	clock := times{t: t}
	if ev.At.Wall, ev.At.Trusted, err = clock.wall(ev.At); err != nil {
		return OutboxRow{}, err
	}
	pending, err := t.resolve(&ev)
	return OutboxRow{OutboxKey: key, Event: ev.Event, Attempts: o.attempts, Next: o.next,
		LastError: o.lastError, State: o.state, Pending: pending, Memo: o.memo}, err
}

// ErrNotQueued is an outbox row that is not there (any more).
var ErrNotQueued = errors.New("not in the outbox")
