package station

import (
	"context"
	"log/slog"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
)

// traceDelay is how long refusals wait for others, to be saved together. Whoever
// was refused often bumps again at once, and their loan comes first.
const traceDelay = time.Second

// Trace saves what the desks of a station refuse, beside them: no answer waits for
// it. A nil Trace saves nothing.
type Trace struct {
	ledger *ledger.Ledger
	begin  time.Time
	log    *slog.Logger
	wake   chan struct{} // has room for one

	saving sync.Mutex // one Save at a time; taken before mu
	mu     sync.Mutex
	kept   checkout.Refusals
}

// NewTrace returns a task that saves refusals.
func NewTrace(l *ledger.Ledger, log *slog.Logger) *Trace {
	return &Trace{ledger: l, begin: time.Now(), log: log, wake: make(chan struct{}, 1)}
}

func (t *Trace) String() string { return "list of refusals" }

// Note takes a refusal. It never waits.
func (t *Trace) Note(r checkout.Refusal) {
	if t == nil {
		return
	}
	t.mu.Lock()
	fresh, full := t.kept.Note(time.Since(t.begin), r)
	t.mu.Unlock()
	if full {
		t.log.Warn("too many refusals in a minute: this one is not listed", "reason", r.Reason, "reader", r.Reader)
	}
	if !fresh {
		return
	}
	select {
	case t.wake <- struct{}{}:
	default:
	}
}

// Save saves what was refused, and with all also how often, before a list is shown.
func (t *Trace) Save(all bool) {
	if t == nil {
		return
	}
	t.saving.Lock()
	defer t.saving.Unlock()
	t.mu.Lock()
	list := t.kept.Take(all)
	t.mu.Unlock()
	if len(list) == 0 {
		return
	}
	if err := t.ledger.NoteRefusals(list); err != nil {
		t.log.Warn("refusals are not listed", "err", err)
	}
}

// Run saves refusals until ctx is done, and then the last ones.
func (t *Trace) Run(ctx context.Context) error {
	defer t.Save(true)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-t.wake:
		}
		select {
		case <-ctx.Done():
		case <-time.After(traceDelay):
		}
		t.Save(false)
	}
}

// trace lists a refusal at this desk.
func (a *attendant) trace(r checkout.Refusal) {
	r.Reader = a.r.Name
	r.Reason += ": " + a.mask(r.Tag)
	a.o.Trace.Note(r)
}

// refusedFor says for the list of refusals why somebody or something takes no part.
var refusedFor = map[checkout.Status]string{
	checkout.Retired: "no longer in use", checkout.Suspended: "suspended",
	checkout.LostBadge: "lost badge", checkout.OldBadge: "replaced badge",
}

// refused lists the refusal of a tap, or of a pair.
func (a *attendant) refused(out checkout.Outcome, no checkout.RefusedError) {
	a.watch.bumped(Refused)
	r := checkout.Refusal{Tag: out.Device.Tag, Person: out.Person.ID, Device: out.Device.ID, Reason: no.Reason}
	if r.Tag.IsZero() || no.Subject.Kind == checkout.KindPerson {
		r.Tag = out.Person.Tag
	}
	switch {
	case no.NotOut:
		r.Reason = "came back, but nobody has it"
	case no.Overdue != "":
		r.Reason = "must bring back " + no.Overdue + " first"
	case no.Why != (checkout.Why{}):
		r.Reason = no.Why.String()
	case no.ReservedBy != "":
		r.Reason = "reserved for " + no.ReservedBy
	case no.Holder != "":
		r.Reason = "still with " + no.Holder
	case r.Reason == "":
		r.Reason = refusedFor[no.Subject.Status]
	}
	a.trace(r)
}
