// Package call makes calls to the places that events are delivered to: an HTTP
// client, what its errors and answers mean, and what the worker and the places
// tell each other.
package call

import (
	"errors"
	"fmt"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// Delivery is an event on its way to a place.
type Delivery struct {
	Event checkout.Event
	// PersonTag, FromTag and DeviceTag are the numbers, for places that need them
	// (Capabilities.Tags); zero where the ledger has none.
	PersonTag, FromTag, DeviceTag checkout.Tag
	// PersonRef, FromRef and DeviceRef are the directory's own keys; empty where
	// the register has none.
	PersonRef, FromRef, DeviceRef string
	// FormerRefs are further keys of the person and of the previous holder, who were
	// several people in the register before.
	FormerRefs []string
	// Step is what the last Outcome with verdict Part left; empty at first.
	Step string
	// Home is the directory's key of the place where the device stands while it is
	// free; empty for none.
	Home string
	// Rev is the directory's revision of who has the device, when it and the station
	// agreed last; empty where it is not known.
	Rev string
	// Touched: an earlier call of ours may have changed something. Asked is what Mark
	// was given before the last of them.
	Touched bool
	Asked   string
	// Mark, if not nil, is called by a place with Capabilities.Settle right before a
	// call that changes something; if it fails, the call is not made.
	Mark func(asked string) error
	// Force: a person has seen the conflict and wants the directory changed to
	// what the ledger says.
	Force bool
}

// First reports whether no call of ours can have changed anything yet.
func (d Delivery) First() bool { return !d.Touched && d.Step == "" }

// Changing is called right before a call that changes something. What was asked comes
// back as Asked.
func (d Delivery) Changing(asked string) error {
	if d.Mark == nil {
		return nil
	}
	return d.Mark(asked)
}

// Capabilities says what a place that events are delivered to can do.
type Capabilities struct {
	// Repeatable: an event that is delivered twice counts once, so that a lost
	// answer is followed by the same call again.
	Repeatable bool
	// Settle, for a Repeatable place that reads before it acts, is how late a call
	// whose answer was lost may be counted: reading sooner proves nothing. It calls
	// Delivery.Mark before it changes anything.
	Settle time.Duration
	// Tags: Delivery must carry the numbers of badge and device.
	Tags bool
	// Identities: an event can't be delivered before its person and device are known.
	Identities bool
	// FirstWord: the place can't be asked who has a device, so where the ledger
	// never saw the device move, its first answer is right.
	FirstWord bool
	// Alike: no event can be worse than another, so when several are refused in the
	// same words, all are.
	Alike bool
	// Patience is for how long an event that fails by itself is tried at least, while
	// others get through.
	Patience time.Duration
	// Parallel is how many devices' events may be on their way at once, ≥ 1.
	Parallel int
}

// Snapshot is a whole directory at one time.
type Snapshot struct {
	People, Devices []books.SyncRow
	// HasPeople and HasDevices say which of the two the directory keeps: what it
	// does not keep is left alone, not taken for gone.
	HasPeople, HasDevices bool
	// Loans are who has which device, of those that the directory says.
	Loans []books.Seen
	// PeopleList and DeviceList say how far the two are to be believed.
	PeopleList, DeviceList Listing
	// BadgeField and DeviceField say what is in the fields with the numbers.
	BadgeField, DeviceField Field
}

// Field is what is in a field of a list.
type Field struct {
	Key, Name string // of the configuration; as it is there
	Rows      int    // that were read
	Some      int    // of these, with something in it
	// Notes are what can't be read, for people.
	Notes []string
}

// Verdict is what became of a call.
type Verdict string

// The verdicts.
const (
	// OK: the place has the event, or has answered as it should.
	OK Verdict = ""
	// Part: one of several calls is done; Outcome.Step says where to go on.
	Part Verdict = "part"
	// Down: the place can't be reached or accepts nothing at present. The event
	// is certainly not counted, or safe to repeat.
	Down Verdict = "down"
	// Failing: the place answers, but with a failure that may be the event's
	// or its own. Safe to repeat.
	Failing Verdict = "failing"
	// InDoubt: the call was sent, its answer was lost, and the place can't be asked
	// whether it was counted. A person must look.
	InDoubt Verdict = "in doubt"
	// Refused: the place understood and said no.
	Refused Verdict = "refused"
	// Conflict: delivered, and the place now says something else than the ledger.
	Conflict Verdict = "conflict"
	// BadConfig: nothing will get through until a person changes something. The
	// event is not counted.
	BadConfig Verdict = "bad configuration"
	// Later: the event is to wait for Outcome.After, for a reason of our own. No call was
	// made that counts.
	Later Verdict = "later"
	// Unwanted: the place does not want this kind of event. No call was made, so
	// it says nothing about the place.
	Unwanted Verdict = "unwanted"
)

// Outcome is what became of a call, in words for admins. It is also the error of a
// call that delivers nothing.
type Outcome struct {
	Verdict Verdict
	// Reason is one clause, lower case, without the event's name: "server
	// answered 500 Internal Server Error".
	Reason string
	// Remedy is what a person can do; empty when waiting is enough.
	Remedy string
	// After is the wait that the place asked for; 0 if it asked for none.
	After time.Duration
	// Late, with Failing: the call may yet be counted, see Capabilities.Settle.
	Late bool
	// Step is where the next attempt begins; empty: where this one did.
	Step string
	// Doubt says how the place's view differed from the station's before a bump, if
	// it finds the event's wish fulfilled that no call of ours has fulfilled, or what
	// else was moved there meanwhile; else empty.
	Doubt string
	// Rev, with OK, is the place's revision of who has the device now, if it has any.
	Rev string
	// Theirs, with Conflict, is who has the device by the place's word, if known.
	Theirs *books.Holding
}

// Errors of directories.
var (
	// ErrNobody: nobody has that name.
	ErrNobody = errors.New("nobody of that name in the directory")
	// ErrTooMany: so much has changed that everything should be read.
	ErrTooMany = errors.New("more changed than can be asked for")
	// ErrOffline: the directory can't be asked now.
	ErrOffline = errors.New("the directory can't be asked now")
)

// Err returns o as an error; nil when it is OK.
func (o Outcome) Err() error {
	if o.Verdict == OK {
		return nil
	}
	return o
}

func (o Outcome) Error() string { return o.Reason }

// Hint is what a person can do.
func (o Outcome) Hint() string {
	if o.Remedy != "" {
		return o.Remedy
	}
	return "nothing was changed; `stump sync` shows when it is tried again"
}

// Is makes everything that says nothing about the question an ErrOffline.
func (o Outcome) Is(target error) bool {
	return target == ErrOffline && (o.Verdict == Down || o.Verdict == Failing || o.Verdict == BadConfig)
}

// OfError finds the Outcome behind an error.
func OfError(err error) (Outcome, bool) { return errors.AsType[Outcome](err) }

// OfProbe is what the outcome means for a probe, where no event can be at fault.
func (o Outcome) OfProbe() Outcome {
	if o.Verdict == Failing || o.Verdict == Refused {
		o.Verdict = Down
	}
	return o
}

// Misconfigured is the outcome of a call that can't be made.
func Misconfigured(err error, remedy string) Outcome {
	return Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: remedy}
}

// KeyError says that the value of a configuration key can't be used.
type KeyError struct {
	Table string // "directory" or "webhook"
	Index int    // of the [[webhook]] table, from 0
	Key   string
	Err   error
}

func (e *KeyError) Error() string { return fmt.Sprintf("%s.%s: %v", e.Table, e.Key, e.Err) }
func (e *KeyError) Unwrap() error { return e.Err }

// BadKey is the KeyError for a key of [directory].
func BadKey(key, format string, args ...any) error {
	return &KeyError{Table: "directory", Key: key, Err: fmt.Errorf(format, args...)}
}
