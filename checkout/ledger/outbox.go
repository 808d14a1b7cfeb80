package ledger

import (
	"errors"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// OutboxKey names an outbox row.
type OutboxKey struct {
	Station string
	Seq     uint64
	Sink    string
}

// OutboxRow is an event on its way to a sink.
type OutboxRow struct {
	OutboxKey
	Event checkout.Event
	// Attempts counts deliveries that failed; Next is when to try again, zero
	// for now.
	Attempts  int
	Next      time.Time
	LastError string
	State     record.OutboxState
	// Pending is set while a person or device of the event is not resolved:
	// the row waits for that.
	Pending bool
	// Memo is what the worker noted (SaveOutbox).
	Memo []byte
}

// forSinks reports whether sinks are told of events of the kind.
func forSinks(k checkout.Kind, src checkout.Source) bool {
	switch k {
	case checkout.Checkout, checkout.Return, checkout.Handover, checkout.Lost, checkout.Found, checkout.Resolve:
		return true
	case checkout.Enrol:
		// A tag that came by import or from the directory is known there.
		return src == checkout.SourceReader || src == checkout.SourceKeyboard
	}
	return false
}

// count adds to the counts of a sink.
func (t *txn) count(sink string, queued, done uint64) error {
	b, err := t.get(record.TreeMeta, metaSink(sink))
	if err != nil {
		return err
	}
	c, err := record.DecodeSink(b)
	if err != nil || c.Index == 0 {
		return t.damaged("the counts of the sink %q", sink)
	}
	c.Queued += queued
	c.Done += done
	return t.put(record.TreeMeta, metaSink(sink), c.Encode())
}

// outboxRow fills in the event, with pending people and devices, and the time of
// a boot without a clock, as they are known now.
func (t *txn) outboxRow(key OutboxKey, r record.Ref, o record.OutboxRow) (OutboxRow, error) {
	ev, err := t.event(r)
	if err != nil {
		return OutboxRow{}, err
	}
	clock := times{t: t}
	if ev.At.Wall, ev.At.Trusted, err = clock.wall(ev.At); err != nil {
		return OutboxRow{}, err
	}
	pending, err := t.resolve(&ev)
	return OutboxRow{OutboxKey: key, Event: ev.Event, Attempts: o.Attempts, Next: o.Next,
		LastError: o.LastError, State: o.State, Pending: pending, Memo: o.Memo}, err
}

// ErrNotQueued is an outbox row that is not there (any more).
var ErrNotQueued = errors.New("not in the outbox")
