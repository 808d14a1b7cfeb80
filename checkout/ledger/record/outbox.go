package record

import (
	"bytes"
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

// outboxRow is what is stored.
type OutboxRow struct {
	Device    string // of the event: a sink gets the events of a device in order
	Attempts  int
	Next      time.Time
	LastError string
	State     OutboxState
	Memo      []byte // the worker's own
}

func (o OutboxRow) Encode() []byte {
	var e Encoder
	e.Str(1, o.Device)
	e.Uint(2, uint64(o.Attempts))
	if !o.Next.IsZero() {
		e.Int(3, o.Next.UnixNano())
	}
	e.Str(4, o.LastError)
	e.Uint(5, uint64(o.State))
	e.Bytes(6, o.Memo)
	return e.B
}

func DecodeOutbox(body []byte) (o OutboxRow, err error) {
	d := Decoder{B: body}
	for d.Next() {
		switch d.Tag {
		case 1:
			o.Device = d.Str()
		case 2:
			o.Attempts = int(d.Uint())
		case 3:
			o.Next = time.Unix(0, d.Int())
		case 4:
			o.LastError = d.Str()
		case 5:
			o.State = OutboxState(d.Uint())
		case 6:
			o.Memo = bytes.Clone(d.Value)
		}
	}
	return o, d.Err
}

// sinkCounts are what a sink has been given and has dealt with: the rows that
// there are must be the difference.
type SinkCounts struct {
	Index        uint16
	Queued, Done uint64
}

func (c SinkCounts) Encode() []byte {
	var e Encoder
	e.Uint(1, uint64(c.Index))
	e.Uint(2, c.Queued)
	e.Uint(3, c.Done)
	return e.B
}

func DecodeSink(body []byte) (c SinkCounts, err error) {
	d := Decoder{B: body}
	for d.Next() {
		switch d.Tag {
		case 1:
			c.Index = uint16(d.Uint())
		case 2:
			c.Queued = d.Uint()
		case 3:
			c.Done = d.Uint()
		}
	}
	return c, d.Err
}

// outboxKey is the key of an outbox row: the rows of an event lie together.
func OutboxKey(r Ref, sink uint16) []byte {
	return binary.BigEndian.AppendUint16(EventKey(r), sink)
}

// parseOutboxKey splits the key of an outbox row.
func ParseOutboxKey(k []byte) (r Ref, sink uint16, ok bool) {
	if len(k) != 12 {
		return Ref{}, 0, false
	}
	r, ok = ParseEventKey(k[:10])
	return r, binary.BigEndian.Uint16(k[10:]), ok
}
