package record

import (
	"encoding/binary"
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

// OutboxRow is an event on its way to a sink.
type OutboxRow struct {
	Device    string // of the event: a sink gets the events of a device in order
	Attempts  int
	Next      time.Time
	LastError string
	State     OutboxState
	Memo      []byte // the worker's own
}

// OutboxForm is the form of an OutboxRow.
var OutboxForm = Form[OutboxRow]{
	Text(1, func(o *OutboxRow) *string { return &o.Device }),
	Uint(2, func(o *OutboxRow) *int { return &o.Attempts }),
	Time(3, func(o *OutboxRow) *time.Time { return &o.Next }),
	Text(4, func(o *OutboxRow) *string { return &o.LastError }),
	Uint(5, func(o *OutboxRow) *OutboxState { return &o.State }),
	Blob(6, func(o *OutboxRow) *[]byte { return &o.Memo }),
}

// Sink counts what a sink has been given and has dealt with: the rows that
// there are must be the difference.
type Sink struct {
	Index        uint16
	Queued, Done uint64
}

// SinkForm is the form of a Sink.
var SinkForm = Form[Sink]{
	Uint(1, func(s *Sink) *uint16 { return &s.Index }),
	Uint(2, func(s *Sink) *uint64 { return &s.Queued }),
	Uint(3, func(s *Sink) *uint64 { return &s.Done }),
}

// OutboxKey is the key of an outbox row: the rows of an event lie together.
func OutboxKey(r Ref, sink uint16) []byte {
	return binary.BigEndian.AppendUint16(EventKey(r), sink)
}

// ParseOutboxKey splits the key of an outbox row.
func ParseOutboxKey(k []byte) (r Ref, sink uint16, ok bool) {
	if len(k) != 12 {
		return Ref{}, 0, false
	}
	r, ok = ParseEventKey(k[:10])
	return r, binary.BigEndian.Uint16(k[10:]), ok
}
