package directory

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"stump/checkout"
	"stump/directory/call"
)

// pullTimeout is for a whole pull, all pages.
const pullTimeout = 10 * time.Minute

// puller remembers the pulls.
type puller struct {
	one  sync.Mutex // one pull at a time
	kick chan struct{}

	mu       sync.Mutex
	last     time.Time // last good one
	next     time.Time
	failure  call.Outcome
	failed   bool
	since    time.Time // first failure in a row
	failures int
	plan     Plan
}

// pullLoop pulls at start, on schedule, and after a failure soon, or when the
// directory answers again.
func (w *Worker) pullLoop(ctx context.Context) {
	for ctx.Err() == nil {
		select {
		case <-w.main.up: // before this pull
		default:
		}
		_, err := w.Pull(ctx, false)
		var up <-chan struct{}
		if err != nil {
			up = w.main.up
		}
		wait := w.nextPull(err)
		select {
		case <-ctx.Done():
		case <-w.pulls.kick:
		case <-up:
		case <-time.After(wait):
		}
	}
}

// nextPull is when to pull again. A house of stations should not pull together.
func (w *Worker) nextPull(err error) time.Duration {
	p := &w.pulls
	p.mu.Lock()
	defer p.mu.Unlock()
	every := w.o.Timing.PullEvery
	wait := every - every/20 + time.Duration(w.o.Random(int64(every/10)+1))
	if err != nil {
		wait = w.o.Backoff.withDefaults().Wait(p.failures, time.Since(p.since), p.failure.After, w.o.Random)
		if p.failure.Verdict == call.BadConfig {
			wait = w.o.Backoff.withDefaults().Late
		}
	}
	p.next = time.Now().Add(wait)
	return wait
}

// Pull reads the whole directory and brings the register up to date, in one
// transaction. force lets it suspend more people than is believed otherwise.
func (w *Worker) Pull(ctx context.Context, force bool) (Plan, error) {
	if w.puller == nil {
		return Plan{}, fmt.Errorf("%s has no list of people or devices: %w", w.dir, call.ErrUnsupported)
	}
	w.pulls.one.Lock()
	defer w.pulls.one.Unlock()
	ctx, cancel := context.WithTimeout(ctx, pullTimeout)
	defer cancel()
	plan, err := w.pull(ctx, force)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return Plan{}, err // says nothing of the directory
	}
	w.compare(ctx, err)
	p := &w.pulls
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.failed = err != nil; !p.failed {
		p.last, p.plan, p.failures, p.failure = time.Now(), plan, 0, call.Outcome{}
		for _, n := range plan.Notes {
			w.log.Warn("pull: "+n, "place", w.dir.String())
		}
		return plan, nil
	}
	if p.failures++; p.failures == 1 {
		p.since = time.Now()
	}
	o, ok := call.OfError(err)
	if !ok {
		o = call.Outcome{Verdict: call.Failing, Reason: err.Error()}
	}
	p.failure = o
	if p.failures == 1 {
		w.log.Warn("pull failed; the register stays as it is", "place", w.dir.String(), "reason", o.Reason, "remedy", o.Remedy)
	}
	return Plan{}, err
}

// compare looks whether the place does as the pull did, lest the status say that a
// dead one answers, or of one that answers that it is dead. A pull may fail for
// reasons of its own, such as a missing right.
func (w *Worker) compare(ctx context.Context, failed error) {
	_, health := w.main.wait()
	switch up := health == Up || health == Starting; {
	case failed == nil && !up:
		w.main.hurry()
	case failed != nil && up:
		if o := w.dir.Probe(ctx); o.Verdict != call.OK {
			w.main.trouble(o)
		}
	}
	poke(w.senders[0].wake)
}

func (w *Worker) pull(ctx context.Context, force bool) (Plan, error) {
	snap, err := w.puller.Pull(ctx)
	if err != nil {
		return Plan{}, err
	}
	w.main.heard()
	var register []Record
	for r, err := range w.o.Register.Records() {
		if err != nil {
			return Plan{}, fmt.Errorf("reading the register: %w", err)
		}
		register = append(register, r)
	}
	byTag := func(t checkout.Tag) (Record, bool, error) { return w.o.Register.ByTag(t) }
	plan, err := MakePlan(register, snap, byTag, force)
	if err != nil || len(plan.Changes) == 0 {
		return plan, err
	}
	if _, err := w.o.Register.Apply(plan.Changes, Asker{}); err != nil {
		return Plan{}, fmt.Errorf("writing the register: %w", err)
	}
	w.lookups.forget()
	w.resolved()
	return plan, nil
}

// resolved tells the senders that tags may have found their owners.
func (w *Worker) resolved() {
	for _, s := range w.senders {
		poke(s.wake)
	}
}

func (w *Worker) pullStatus() *PullStatus {
	if w.puller == nil {
		return nil
	}
	p := &w.pulls
	p.mu.Lock()
	defer p.mu.Unlock()
	st := &PullStatus{
		At: timeOrNull(wallOf(p.last)), Next: timeOrNull(wallOf(p.next)),
		People: p.plan.People, Devices: p.plan.Devices, Notes: append([]string{}, p.plan.Notes...),
	}
	if p.failed {
		st.Error, st.Remedy = orNull(p.failure.Reason), orNull(p.failure.Remedy)
	}
	return st
}

// errNotRunning is for calls that need the worker's directory.
var errNotRunning = errors.New("there is no register to write to")
