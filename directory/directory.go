// Package directory keeps the register in step with the staff directory and
// delivers events to it and to the webhooks.
//
// The network is never in the way of a tap. What the station knows answers
// the person; the event is in the ledger, with one outbox row for each place
// that must have it, before the display says yes. From there it goes:
//
//	ledger ── rows of "directory" ──→ sender ──→ endpoints | snipeit
//	       ── rows of a webhook ────→ sender ──→ webhook
//	       ←─ register, resolved tags ── pull, unknown tags ←── endpoints | snipeit | scim
//
// Each place has its own sender and its own health:
//
//	         a failure that is the place's           the place answers again
//	up ────────────────────────────────────→ down ────────────────────────→ up
//	 │                                        one probe at a time, the rest waits
//	 └─ 401, 403, a bad certificate, a login page → stopped: a person must act;
//	    tried again every 15 min and on "stump sync retry"
//
// and so has each row, which is first in the queue of its device or waits
// behind the one that is:
//
//	queued → sending → delivered (the row is gone)
//	            │ └──→ queued again: there was no connection, it asked to wait, or it is safe to repeat
//	            ├────→ parked: the place refuses it
//	            ├────→ lost: nobody can tell whether it was counted
//	            └────→ conflict: delivered, and the place says something else than the ledger
//
// A row that is parked, lost or in conflict holds back only the rows of its device.
package directory

import (
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory/call"
	"stump/internal/books"
)

// Main is the name of the staff directory as a sink of the outbox. Webhooks
// are sinks under their own names.
const Main = ledger.DirectorySink

// ErrUnsupported: the directory has no list to pull.
var ErrUnsupported = errors.New("this directory cannot do that")

// Deliverer is a place that events are delivered to.
type Deliverer interface {
	// Deliver delivers one event, or one step of it. It makes at most one call that
	// changes something there, so that a crash leaves at most one call in doubt. It
	// never panics and never blocks past ctx.
	Deliver(ctx context.Context, d call.Delivery) call.Outcome
	// Capabilities never changes.
	Capabilities() call.Capabilities
	// String names the place for people, without secrets.
	String() string
}

// Stepper is a Deliverer that is not Repeatable and takes several calls for some
// events.
type Stepper interface {
	// NextStep is the step that follows the one of d, "" after the last.
	NextStep(d call.Delivery) string
	// IfCounted is what the place shows when the call of d was counted, for
	// whoever looks: "Ann has the iPad there".
	IfCounted(d call.Delivery) string
}

// Directory is the staff directory of a site. It may also be a Deliverer, Puller,
// Changer, Finder or Enroller.
type Directory interface {
	// Probe asks for something that changes nothing, to learn whether the
	// directory works. Verdicts: OK, Down, BadConfig.
	Probe(ctx context.Context) call.Outcome
	String() string
}

// Puller is a directory that has a list of people, devices or both.
type Puller interface {
	// Pull reads everybody and everything. With an error, the snapshot is what came
	// before.
	Pull(ctx context.Context) (call.Snapshot, error)
}

// Changer is a Puller that can be asked who has what of the devices that changed last.
type Changer interface {
	// Changes reads what changed since the mark that an earlier call returned, and a
	// little before; with the mark "" only the newest changes. The error is
	// call.ErrTooMany if a pull is the better question.
	Changes(ctx context.Context, since string) (seen []books.Seen, mark string, err error)
}

// Finder is a directory that can be asked about one tag.
type Finder interface {
	// WhatIs asks whose tag this is. hint is what the site's number rules make
	// of it, Unknown when they make nothing. A tag that the directory does not
	// know is a row of kind Unknown, not an error.
	WhatIs(ctx context.Context, tag checkout.Tag, hint checkout.SubjectKind) (books.SyncRow, error)
}

// Enroller is a directory that may itself decide who gets a badge.
type Enroller interface {
	// EnrolsPeople reports whether it does; it never changes.
	EnrolsPeople() bool
	// Enrol gives the tag to the person named who, by the directory's own rule.
	// The error is call.ErrNobody when it knows nobody of that name.
	Enrol(ctx context.Context, who string, tag checkout.Tag) (books.SyncRow, error)
}

// Local is the directory of a site that has none: people and devices are entered
// at the station, or imported.
type Local struct{}

// Probe implements Directory.
func (Local) Probe(context.Context) call.Outcome { return call.Outcome{} }

func (Local) String() string { return "local register" }

// Sinks are the names under which the ledger must write outbox rows.
func Sinks(d Directory, hooks map[string]Deliverer) []string {
	sinks := slices.Collect(maps.Keys(hooks))
	if _, ok := d.(Deliverer); ok {
		sinks = append(sinks, Main)
	}
	slices.Sort(sinks)
	return sinks
}

// Timing are keys of [directory].
type Timing struct {
	// PullEvery is the time between pulls. Default 1h.
	PullEvery time.Duration `toml:"pull_every"`
	// LoansEvery is the time between two questions for the loans that changed, where
	// the directory can tell. 0: none are asked; the configuration's default is 30s.
	LoansEvery time.Duration `toml:"loans_every"`
	// UnknownFor is how long "not known" counts before the directory is asked
	// about the same tag again. Default 5m.
	UnknownFor time.Duration `toml:"unknown_for"`
	// KnownFor is how long an answer counts before the name is asked for again,
	// behind a tap. Default 24h.
	KnownFor time.Duration `toml:"known_for"`
}

func (t Timing) withDefaults() Timing {
	def(&t.PullEvery, time.Hour)
	def(&t.UnknownFor, 5*time.Minute)
	def(&t.KnownFor, 24*time.Hour)
	return t
}

func def(d *time.Duration, v time.Duration) {
	if *d <= 0 {
		*d = v
	}
}
