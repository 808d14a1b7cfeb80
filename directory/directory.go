// Package directory knows the system that knows everybody: which tag belongs
// to whom, and where every event must be told.
//
// The network is never in the way of a tap. What the station knows answers
// the person; the event is in the ledger, with one outbox row for each place
// that must hear of it, before the display says yes. From there it goes:
//
//	ledger ── rows of "directory" ──→ sender ──→ local | endpoints | snipeit | scim
//	       ── rows of a webhook ────→ sender ──→ webhook
//	       ←─ register, resolved tags ── pull, unknown tags
//
// Each place has its own sender and its own trouble:
//
//	         a failure that is the place's           the place answers again
//	up ────────────────────────────────────→ down ────────────────────────→ up
//	 │                                        one probe at a time, the rest waits
//	 └─ 401, 403, a bad certificate, a login page → stopped: a person must act;
//	    asked again every 15 min and on "stump sync retry"
//
// and so has each row, which is first in the queue of its device or waits
// behind the one that is:
//
//	queued → sending → delivered (the row is gone)
//	            │ └──→ queued again: no connection stood, it said to wait, or safe to repeat
//	            ├────→ parked: the place refuses it
//	            ├────→ lost: nobody can tell whether it was done
//	            └────→ conflict: done, and the place says something else than the ledger
//
// A row that is parked, lost or in conflict holds back only the rows of its device.
package directory

import (
	"context"
	"time"

	"stump/checkout"
)

// Main is the name of the staff directory as a sink of the outbox. Webhooks
// are sinks under their own names.
const Main = "directory"

// Deliverer is a place that events are told to.
type Deliverer interface {
	// Deliver tells the place of one event, or of one part of it. It makes at
	// most one call that changes something there, so that a crash leaves at
	// most one call in doubt. It never panics and never blocks past ctx.
	Deliver(ctx context.Context, d Delivery) Outcome
	// Capabilities says what can be expected; it never changes.
	Capabilities() Capabilities
	// String names the place for people, without secrets.
	String() string
}

// Resumer is a Deliverer that is not Repeatable and takes several calls for some
// events.
type Resumer interface {
	// After is the step that follows the one of d, "" after the last.
	After(d Delivery) string
	// Counted is what the place shows when the call of d was counted, for whoever
	// looks: "Ann has the iPad there".
	Counted(d Delivery) string
}

// Directory is the staff directory of a site.
type Directory interface {
	Deliverer
	// Probe asks for something that changes nothing, to learn whether the
	// directory works. Verdicts: Done, Down, BadConfig.
	Probe(ctx context.Context) Outcome
	// Pull reads everybody and everything. It returns all or an error, never
	// a part. ErrUnsupported without Capabilities.Pull.
	Pull(ctx context.Context) (Snapshot, error)
	// WhatIs asks whose tag this is. hint is what the site's number rules make
	// of it, Unknown when they make nothing. A tag that the directory does not
	// know is an Answer with Known false, not an error.
	WhatIs(ctx context.Context, tag checkout.Tag, hint Kind) (Answer, error)
	// Enrol gives the tag to the person named who, by the directory's own rule.
	// The error is ErrNobody when it knows nobody of that name.
	Enrol(ctx context.Context, who string, tag checkout.Tag) (Record, error)
}

// Capabilities says what a place can do.
type Capabilities struct {
	Pull    bool // has a list of people, devices or both
	WhatIs  bool // can be asked about one tag
	Enrol   bool // decides itself who may have a badge
	Deliver bool // wants events at all
	// Repeatable: an event told twice counts once, so a lost answer is
	// followed by the same call again.
	Repeatable bool
	// Settle, for a Repeatable place that reads before it acts: a call whose
	// answer was lost may be counted as late as this, so that reading sooner
	// proves nothing. Rows are noted before they are sent.
	Settle time.Duration
	// Tags: Delivery must carry the numbers of badge and device.
	Tags bool
	// Identities: an event whose badge or device nobody knows yet can't be told.
	Identities bool
	// Parallel is how many devices' events may be on their way at once, ≥ 1.
	Parallel int
}

// Kind says whether something is a person or a device.
type Kind string

// The kinds.
const (
	Unknown Kind = ""
	Person  Kind = "person"
	Device  Kind = "device"
)

// Record is a person or a device as a directory or the register knows it.
type Record struct {
	Kind Kind
	// ID is the register's; empty in what a directory says.
	ID string
	// Ref is the directory's own stable key, which survives a change of name;
	// empty if it has none, or for what only the station knows.
	Ref   string
	Name  string
	Email string
	// Model is the kind of a device, such as "Pixel 9".
	Model string
	// Tag is zero when the source does not say: that never clears a tag.
	Tag checkout.Tag
	// Inactive is a departed or suspended person, a retired device.
	Inactive bool

	// The rest is the register's word only.

	Holds   int  // how many devices the person has
	HasTag  bool // has a badge or tag
	Retired bool // inactive by an admin's word; the directory does not bring them back
}

// Snapshot is a whole directory at one time.
type Snapshot struct {
	People, Devices []Record
	// HasPeople and HasDevices say which of the two the directory keeps: what it
	// does not keep is left alone, rather than taken for gone.
	HasPeople, HasDevices bool
	// Notes are what could not be read, for people.
	Notes []string
}

// Answer is what a directory says of a tag.
type Answer struct {
	Known bool
	Record
}

// Delivery is an event on its way to a place.
type Delivery struct {
	Event checkout.Event
	// PersonTag, FromTag and DeviceTag are opened for places that need the
	// numbers (Capabilities.Tags), and zero where the ledger has none.
	PersonTag, FromTag, DeviceTag checkout.Tag
	// PersonRef, FromRef and DeviceRef are the directory's own keys, empty
	// where the register has none.
	PersonRef, FromRef, DeviceRef string
	// Step is what the last Outcome with verdict Part left, empty at first.
	Step string
	// Attempts is how often this step was begun before.
	Attempts int
	// Force: a person looked at the conflict and wants the ledger's word there.
	Force bool
}

// Verdict is what became of a delivery.
type Verdict uint8

// The verdicts.
const (
	// Done: the place has the event.
	Done Verdict = iota
	// Part: one of several calls is done; Outcome.Step says where to go on.
	Part
	// Down: the place can't be reached or takes nothing at present. The event
	// is certainly not done, or safe to repeat.
	Down
	// Failing: the place answers, but with a failure that may be the event's
	// or its own. Safe to repeat.
	Failing
	// Lost: the call was sent and its answer never came, and the place can't be
	// asked whether it was done. A person must look.
	Lost
	// Refused: the place understood and said no.
	Refused
	// Differs: done, and now the place says something else than the ledger.
	Differs
	// BadConfig: nothing will go through until a person changes something. The
	// event is not done.
	BadConfig
	// Moot: the place does not want this kind of event. Nobody was called, so it
	// says nothing of the place.
	Moot
)

var verdictNames = [...]string{"done", "part", "down", "failing", "lost", "refused", "differs", "config", "moot"}

func (v Verdict) String() string { return verdictNames[v] }

// Outcome is what became of a delivery, in words that admins read.
type Outcome struct {
	Verdict Verdict
	// Reason is one clause, lower case, without the event's name: "server
	// answered 500 Internal Server Error".
	Reason string
	// Remedy is what a person can do; empty when waiting is enough.
	Remedy string
	// After is the wait that the place asked for, 0 if it did not.
	After time.Duration
	// Late, with Failing: the call may yet be counted, see Capabilities.Settle.
	Late bool
	// Step is for Part, and for others that want to begin elsewhere.
	Step string
	// Theirs is for Differs, if known: who has the device by their word.
	Theirs *Holding
}

// Holding is who has a device by the directory's word.
type Holding struct {
	Free bool   `json:"free"`
	Ref  string `json:"ref,omitempty"`  // directory's key of the holder
	ID   string `json:"id,omitempty"`   // the register's id, where known
	Name string `json:"name,omitempty"` // for people
}
