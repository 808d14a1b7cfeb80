package record

import (
	"encoding/binary"
	"encoding/json"
	"slices"
	"time"

	"stump/internal/books"
)

// OutboxState is the state of an event on its way to a sink.
type OutboxState uint8

// The states of an outbox row. A row that is delivered, dropped or accepted is
// removed.
const (
	// Queued waits for its turn.
	Queued OutboxState = iota
	// Parked was refused. An admin decides: retry or drop.
	Parked
	// Sending is written before a call that must not be repeated. After a restart it
	// means that the call may or may not have been made.
	Sending
	// InDoubt was sent, and no answer came. An admin looks at the sink and decides:
	// retry, accept or drop.
	InDoubt
	// Conflict was delivered, but the sink contradicts the ledger. An admin decides:
	// retry, accept or drop.
	Conflict
)

var outboxStates = []string{"queued", "parked", "sending", "lost", "conflict"}

// String returns the word for the state.
func (s OutboxState) String() string {
	if int(s) < len(outboxStates) {
		return outboxStates[s]
	}
	return "unknown"
}

// Stuck reports whether a row in the state waits for an admin.
func (s OutboxState) Stuck() bool { return s == Parked || s == InDoubt || s == Conflict }

// OutboxRow is the delivery state of an event for one sink.
type OutboxRow struct {
	Device   string // of the event: a sink gets the events of a device in order
	State    OutboxState
	Attempts int       // how often the current call was tried
	Next     time.Time // wall time of the next try; for InDoubt, when a retry is safe
	Reason   string    // why the row is still here
	Remedy   string    // what a person can do; empty when waiting is enough
	Step     string    // the next of several calls; empty: the first
	Force    bool      // an admin decided the conflict in the ledger's favour
	Theirs   *books.Holding
	Touched  bool   // a call of ours may have changed something there
	Asked    string // for which call, and before it what the place showed, in its own words
}

// OutboxForm is the form of an OutboxRow.
func OutboxForm(o *OutboxRow) []Field {
	return []Field{
		{1, &o.Device},
		{2, &o.Attempts},
		{3, &o.Next},
		{4, &o.Reason},
		{5, &o.State},
		{6, (*memo)(o)},
		{7, &o.Remedy},
		{8, &o.Step},
		{9, &o.Force},
		{10, &o.Theirs},
		{11, &o.Touched},
		{12, &o.Asked},
	}
}

var outboxRows = poolOf(OutboxForm)

// UnpackOutbox reads an OutboxRow.
func UnpackOutbox(b []byte) (OutboxRow, error) { return outboxRows.unpack(b) }

// PackOutbox writes an OutboxRow.
func PackOutbox(o *OutboxRow) []byte { return outboxRows.pack(o) }

func holdingForm(h *books.Holding) []Field {
	return []Field{{1, &h.Free}, {2, &h.Ref}, {3, &h.ID}, {4, &h.Name}}
}

// memo reads the JSON that development builds of version 1.0 kept in field 6. It holds
// the exact state, since field 5 was only Queued or Parked then, and what has its own
// field now. A row that a salvage or restore has parked stays parked.
type memo OutboxRow

func (o *memo) read(b []byte) {
	var m struct {
		State  string
		Remedy string
		Step   string
		Force  bool
		Theirs *books.Holding
	}
	if json.Unmarshal(b, &m) != nil {
		return
	}
	o.Remedy, o.Step, o.Force, o.Theirs = m.Remedy, m.Step, m.Force, m.Theirs
	if i := slices.Index(outboxStates, m.State); i >= 0 && (o.State == Queued || OutboxState(i).Stuck()) {
		o.State = OutboxState(i)
	}
}

// Sink is a sink's index in the keys of the outbox, and how many rows it was given
// and has finished. The difference is the number of its rows.
type Sink struct {
	Index        uint16
	Queued, Done uint64
	// Place is the directory behind the sink, and From the newest event when it came
	// to be: it was told of none before. Empty: nobody has said which it is.
	Place string
	From  Ref
	// Name is that of the sink, which its key has too: a key that is damaged would be another
	// sink's, and the rows would wait for that. Empty in rows from before this was kept.
	Name string
}

// SinkForm is the form of a Sink.
func SinkForm(s *Sink) []Field {
	return []Field{{1, &s.Index}, {2, &s.Queued}, {3, &s.Done}, {4, &s.Place}, {5, &s.From}, {6, &s.Name}}
}

// OutboxKey returns the key of an outbox row: the event's key, then the sink's index.
func OutboxKey(r Ref, sink uint16) []byte {
	return binary.BigEndian.AppendUint16(EventKey(r), sink)
}

// ParseOutboxKey splits the key of an outbox row; ok is false when it is not one.
func ParseOutboxKey(k []byte) (r Ref, sink uint16, ok bool) {
	if len(k) != 12 {
		return Ref{}, 0, false
	}
	r, ok = ParseEventKey(k[:10])
	return r, binary.BigEndian.Uint16(k[10:]), ok
}
