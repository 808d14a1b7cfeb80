package directory

import (
	"errors"
	"iter"
	"time"

	"stump/checkout"
	"stump/directory/call"
)

// State is where a row of the outbox is.
type State string

// The states of rows. A delivered row is gone.
const (
	Queued State = "queued"
	// Sending is written before a call that must not be repeated. Found after a
	// restart it means that nobody can tell whether the call was made.
	Sending State = "sending"
	// Parked was refused and waits for a person: retry, drop.
	Parked State = "parked"
	// InDoubt was sent without an answer and waits for a person who looks: retry
	// if it was not counted, accept if it was, drop.
	InDoubt State = "lost"
	// InConflict waits for a person: retry, accept, drop.
	InConflict State = "conflict"
)

// stuck reports whether a row waits for a person.
func (s State) stuck() bool { return s == Parked || s == InDoubt || s == InConflict }

// Row is an undelivered event of one sink.
type Row struct {
	// Seq orders the rows of a sink; the event's sequence number will do.
	Seq   uint64
	Event checkout.Event
	// Pending: the event's badge or device has no owner in the register yet.
	Pending bool
	// Key names what keeps its order, in the ledger's own way; empty: the
	// event's device, or if it has none its person.
	Key string
	RowState
}

// RowState is what the worker remembers of a row; the ledger stores it and
// understands nothing of it but State.
type RowState struct {
	State    State         `json:"state"`
	Attempts int           `json:"attempts,omitempty"`
	Next     time.Time     `json:"next,omitzero"` // wall time, for people; of a lost row, when it may be told again
	Reason   string        `json:"reason,omitempty"`
	Remedy   string        `json:"remedy,omitempty"`
	Step     string        `json:"step,omitempty"`
	Force    bool          `json:"force,omitempty"`
	Theirs   *call.Holding `json:"theirs,omitempty"`
}

// Page is a piece of the rows of a sink.
type Page struct {
	Rows []Row
	Next uint64 // where the next piece begins
	End  bool   // nothing is there yet
}

// Outbox is the part of the ledger that keeps what others must still be told.
// Every method that changes something is durable when it returns, in one
// transaction. All may be called at any time, by several goroutines.
type Outbox interface {
	// Rows returns up to limit rows of the sink with Seq ≥ from, in order. A page
	// may have fewer, or none, before the end.
	Rows(sink string, from uint64, limit int) (Page, error)
	// StuckRows is Rows for those only that wait for a person; it costs little.
	StuckRows(sink string, from uint64, limit int) (Page, error)
	// Row returns one row; ErrNoRow if it is not, or no longer, there.
	Row(sink string, seq uint64) (Row, error)
	// Open fills in the tags and references of a row's event (not Step and Attempts).
	Open(sink string, r Row, tags bool) (call.Delivery, error)
	// SaveRows stores the states of rows that are there.
	SaveRows(sink string, rows map[uint64]RowState) error
	// Delivered removes rows.
	Delivered(sink string, seqs []uint64) error
	// Dropped removes rows and writes an event for each that says who dropped it
	// and why; ErrNoRow when none is there.
	Dropped(sink string, seqs []uint64, actor, note string) error
	// Accepted removes a row and writes a correction: the device is where
	// theirs says. The correction is not told to the sink.
	Accepted(sink string, seq uint64, theirs call.Holding, actor string) error
	// Backlog counts the rows of a sink; it costs the same however many.
	Backlog(sink string) (int, error)
	// Sinks names the sinks that have rows, also those that are no longer
	// configured.
	Sinks() ([]string, error)
	// Stranded counts the rows that wait for the station to have an earlier name
	// again, by that name.
	Stranded() (map[string]uint64, error)
	// Changed is received from after rows were added; it may stand for many.
	// One channel for each call.
	Changed(sink string) <-chan struct{}
}

// Register is the part of the ledger that knows people and devices.
type Register interface {
	// Records yields all people, then all devices, with ID, Ref and what is the
	// register's word; Tag is left zero.
	Records() iter.Seq2[Record, error]
	// ByTag finds whose tag it is.
	ByTag(tag checkout.Tag) (Record, bool, error)
	// Apply makes the changes in one transaction that taps see at once or not
	// at all, and returns the records with their IDs. A record without ID is
	// new; the register chooses one. A zero Tag leaves the tag; one that another
	// of the same kind has is taken from there. Pending events whose tag now has
	// an owner are resolved in the same transaction. by is who asked for it,
	// empty for the directory itself.
	Apply(changes []Record, by Asker) ([]Record, error)
	// PendingTags returns tags in events that nobody owns yet.
	PendingTags(limit int) ([]PendingTag, error)
}

// Asker is who enrols a tag.
type Asker struct {
	Actor  string
	Source checkout.Source
}

// PendingTag is a tag that was part of a bump before anybody knew it.
type PendingTag struct {
	Tag  checkout.Tag
	Kind checkout.SubjectKind
	Seq  uint64 // of its first event, 0 if the register does not say
}

// Errors of the store and of directories.
var (
	ErrNoRow = errors.New("no such event waits here: it was told, or dropped")
	// ErrAmbiguous: the name fits several people.
	ErrAmbiguous = errors.New("several people have that name")
	// ErrTaken: the tag belongs to somebody or something else.
	ErrTaken = errors.New("this tag belongs to someone else")
)
