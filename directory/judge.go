package directory

import (
	"context"
	"time"

	"stump/directory/call"
)

// judge turns an outcome into the fate of the row, of its device and of the
// place, and reports whether the row is delivered.
func (s *sender) judge(b *batch, r Row, o call.Outcome) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	r.State, r.Reason, r.Remedy, r.Next, r.Theirs = Queued, o.Reason, o.Remedy, time.Time{}, nil
	if o.Step != "" {
		r.Step = o.Step
	}
	park := func(st State) {
		r.State, r.Theirs = st, o.Theirs
		s.forgive(r.Seq)
	}
	switch o.Verdict {
	case call.OK, call.Unwanted:
		if o.Verdict == call.OK {
			s.health.delivered()
		}
		s.forgive(r.Seq)
		b.delivered = append(b.delivered, r.Seq)
		return true
	case call.Refused:
		s.health.ok()
		park(Parked)
	case call.Conflict:
		s.health.ok()
		park(InConflict)
	case call.InDoubt:
		b.stop = true
		park(InDoubt)
		r.Remedy = s.lookFor(r)
		r.Next = now.Add(s.health.back.Doubt)
		s.health.trouble(call.Outcome{Verdict: call.Down, Reason: o.Reason})
	case call.Failing:
		b.stop = true
		r.Next = s.failed(&r, o, now)
		if o.Late && r.State == Queued {
			// As if a kill had cut it off: neither a restart nor anybody's hurry may
			// come sooner, nor need it wait for longer.
			r.State, r.Next = Sending, now.Add(s.caps.Settle)
		}
	default: // Down, BadConfig
		if o.Verdict == call.BadConfig {
			r.Attempts--
		}
		b.stop = true
		s.health.trouble(o)
		wait, _ := s.health.wait()
		r.Next = now.Add(wait)
	}
	b.kept = append(b.kept, r)
	if r.State.stuck() {
		s.log.Warn("an event waits for a person", "sink", s.name, "event", r.Event.Seq, "state", r.State, "reason", r.Reason)
	}
	return false
}

// lookFor says how a person settles a call whose answer was lost.
func (s *sender) lookFor(r Row) string {
	counted := "it was counted"
	if steps, ok := s.to.(Stepper); ok {
		counted = steps.IfCounted(call.Delivery{Event: r.Event, Step: r.Step})
	}
	return "look in the directory after a minute: if " + counted + ", accept; if not, retry"
}

// failed settles a row that failed while the place answered: it waits by itself
// while others are tried, and when they get through and it still does not, it is
// parked. It returns when to try again.
func (s *sender) failed(r *Row, o call.Outcome, now time.Time) time.Time {
	f := s.noteFailure(r.Seq, now)
	if f.alone >= parkAfter {
		s.forgive(r.Seq)
		r.State = Parked
		r.Reason = o.Reason + ", each time, while other events get through"
		if r.Remedy == "" {
			r.Remedy = "see what the server's log says of this event"
		}
		return time.Time{}
	}
	o.Verdict = call.Down
	s.health.trouble(o)
	return now.Add(s.health.back.Wait(r.Attempts, now.Sub(f.first), o.After, s.health.rnd))
}

func (s *sender) noteFailure(seq uint64, now time.Time) failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.failing[seq]
	if f == nil {
		f = &failure{first: now}
		s.failing[seq] = f
	}
	if s.health.deliveredSince(f.first) {
		f.alone++
	}
	return *f
}

func (s *sender) forgive(seq uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failing, seq)
}

func (s *sender) hasFailing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failing) > 0
}

// settle writes what became of a batch, and remembers which devices wait.
func (s *sender) settle(ctx context.Context, b *batch) {
	states := map[uint64]RowState{}
	s.mu.Lock()
	for _, r := range b.kept {
		states[r.Seq] = r.RowState
		if r.State == Sending {
			s.queue.settled[r.Seq] = true // after its hold
		} else {
			delete(s.queue.settled, r.Seq)
		}
		switch {
		case r.State.stuck():
			s.queue.hold(r, time.Time{})
		case s.failing[r.Seq] != nil:
			s.queue.hold(r, r.Next) // others go first
		default:
			s.queue.release(r.Seq)
			s.queue.from(r.Seq) // met a dead place: is the next probe
		}
	}
	for _, seq := range b.delivered {
		delete(s.queue.settled, seq)
	}
	s.queue.release(b.delivered...)
	for _, r := range b.untouched {
		s.queue.back(r)
	}
	s.behind.Store(s.queue.anyStuck())
	s.mu.Unlock()
	if len(b.delivered) > 0 {
		s.record(ctx, func() error { return s.out.Delivered(s.name, b.delivered) })
	}
	if len(states) > 0 {
		s.record(ctx, func() error { return s.out.SaveRows(s.name, states) })
	}
}
