package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/plan"
)

// pullTimeout is for a whole pull, all pages.
const pullTimeout = 10 * time.Minute

// pulls remembers the pulls.
type pulls struct {
	one  sync.Mutex // one pull at a time
	kick chan struct{}

	mu       sync.Mutex
	last     time.Time // last good one
	next     time.Time
	failure  call.Outcome
	since    time.Time // first failure in a row
	failures int
	plan     plan.Plan
	due      time.Time     // when who is gone is believed to be; zero: nobody is
	gone     plan.Absences // only of the pull that is at work
}

// nextPull is when to pull again. The stations of a house should not pull
// together.
func (w *Worker) nextPull() time.Duration {
	p, back := &w.pulls, w.main.back
	p.mu.Lock()
	defer p.mu.Unlock()
	every := w.timing.PullEvery
	wait := every - every/20 + time.Duration(back.random(int64(every/10)+1))
	switch {
	case p.failures > 0 && p.failure.Verdict == call.BadConfig:
		wait = back.late
	case p.failures > 0:
		wait = back.wait(p.failures, time.Since(p.since), p.failure.After)
	case !p.due.IsZero():
		wait = min(wait, max(time.Until(p.due), 0))
	}
	p.next = time.Now().Add(wait)
	return wait
}

// Pull reads the whole directory and brings the register up to date. force lets it
// suspend whom the directory lacks at once, and more than is believed otherwise. A
// list that breaks off is an error, but what came of it counts.
func (w *Worker) Pull(ctx context.Context, force bool) error {
	if w.puller == nil {
		return fmt.Errorf("%s has no list of people or devices: %w", w.dir, ErrUnsupported)
	}
	w.pulls.one.Lock()
	defer w.pulls.one.Unlock()
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	todo, err := w.pull(ctx, force)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return err // says nothing about the directory
	}
	w.crossCheck(ctx, err)
	p := &w.pulls
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil || todo.People+todo.Devices > 0 {
		for _, n := range todo.Notes {
			if !slices.Contains(p.plan.Notes, n) {
				w.log.Warn("pull: "+n, "place", w.dir.String())
			}
		}
		p.plan, p.due = todo, w.pulls.gone.Due()
	}
	if err == nil {
		p.last, p.failures = time.Now(), 0
		return nil
	}
	o, ok := call.OfError(err)
	if !ok {
		o = call.Outcome{Verdict: call.Failing, Reason: err.Error()}
	}
	p.failure = o
	if p.failures++; p.failures == 1 {
		p.since = time.Now()
		w.log.Warn("pull failed; the register stays as it is", "place", w.dir.String(), "reason", o.Reason, "remedy", o.Remedy)
	}
	return err
}

// works reports whether nothing is known against the directory.
func (w *Worker) works() bool {
	_, state := w.main.wait()
	return state == up || state == starting
}

// crossCheck probes the place when its health and the result of a pull disagree,
// so that the status does not say that a dead one answers, or the reverse. A pull
// may fail for reasons of its own, such as a missing right.
func (w *Worker) crossCheck(ctx context.Context, failed error) {
	switch works := w.works(); {
	case failed == nil && !works:
		w.main.hurry(w.main.back.hurried)
	case failed != nil && works:
		if o := w.dir.Probe(ctx); o.Verdict != call.OK {
			w.main.trouble(o)
		}
	}
	poke(w.senders[0].wake)
}

// pull returns what it did, also where the list broke off: what was seen is true.
func (w *Worker) pull(ctx context.Context, force bool) (todo plan.Plan, err error) {
	defer lean()()
	rows := 0
	defer func() { giveBack(rows) }()
	moment, err := w.ledger.Moment(Main, w.dir.String())
	if err != nil {
		return plan.Plan{}, fmt.Errorf("reading the outbox: %w", err)
	}
	mark := w.newestMark(ctx) // what changes while the list is read, the next question finds
	snap, broken := w.puller.Pull(ctx)
	if broken != nil && (errors.Is(ctx.Err(), context.Canceled) || len(snap.People)+len(snap.Devices) == 0) {
		return plan.Plan{}, broken
	}
	w.main.heard()
	rows = len(snap.People) + len(snap.Devices)
	giveBack(rows) // what reading took
	if todo, err = w.update(ctx, snap, force); err != nil {
		return todo, err
	}
	snap.People, snap.Devices = nil, nil
	giveBack(rows)
	believe := plan.Plausible // it may have lost its loans over night, too
	if force {
		believe = nil
	}
	if broken == nil {
		w.loans.begin(mark)
	}
	if err := w.takeOver(moment, snap.Loans, believe); err != nil {
		return todo, err
	}
	return todo, broken
}

// update brings the register up to date.
func (w *Worker) update(ctx context.Context, snap call.Snapshot, force bool) (plan.Plan, error) {
	register, err := members(w.ledger, len(snap.People)+len(snap.Devices))
	if err != nil {
		return plan.Plan{}, fmt.Errorf("reading the register: %w", err)
	}
	var turn call.Turn
	owner := func(t checkout.Tag) (plan.Member, error) {
		turn.Row()
		return amongMembers(w.ledger, register, t)
	}
	w.pulls.gone.Begin(time.Now())
	todo, err := plan.Make(register, snap, owner, &w.pulls.gone, force)
	if err != nil || len(todo.Changes) == 0 {
		return todo, err
	}
	notes, err := w.apply(ctx, todo.Changes)
	w.lookups.forget()
	w.wakeSenders() // tags may have found their owners
	if err != nil {
		return plan.Plan{}, fmt.Errorf("writing the register: %w", err)
	}
	todo.Notes, todo.Changes = append(todo.Notes, notes...), nil
	return todo, nil
}

func (w *Worker) pullStatus() *PullStatus {
	if w.puller == nil {
		return nil
	}
	p := &w.pulls
	p.mu.Lock()
	defer p.mu.Unlock()
	st := &PullStatus{
		At: orNull(wallOf(p.last)), Next: orNull(wallOf(p.next)),
		People: p.plan.People, Devices: p.plan.Devices, Notes: append(append([]string{}, p.plan.Notes...), w.loans.notes()...),
	}
	if note := w.loans.trouble(); note != "" {
		st.Notes = append(st.Notes, note)
	}
	if p.failures > 0 {
		st.Error, st.Remedy = orNull(p.failure.Reason), orNull(p.failure.Remedy)
	}
	return st
}
