package directory

import (
	"cmp"
	"time"

	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
)

// judge turns an outcome into the state of the row and the health of the place,
// and reports whether the row is delivered.
func (s *sender) judge(b *batch, r ledger.OutboxRow, o call.Outcome) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	now := time.Now()
	marked := r.State == record.Sending
	r.State, r.Reason, r.Remedy, r.Next, r.Theirs = record.Queued, o.Reason, o.Remedy, time.Time{}, nil
	r.Step = cmp.Or(o.Step, r.Step)
	switch o.Verdict {
	case call.OK, call.Unwanted:
		if o.Verdict == call.OK {
			s.health.gotThrough()
			b.through = true
		}
		s.delivered(b, r.Key, o.Rev)
		return true
	case call.Later:
		r.Attempts--
		r.Next = now.Add(max(o.After, time.Second))
		b.later = append(b.later, r)
		if marked {
			b.unmarked = append(b.unmarked, r)
		}
		return false
	case call.Refused:
		if s.caps.Alike {
			b.refused = append(b.refused, refusal{r, o})
			return false
		}
		s.health.ok()
		r.State = record.Parked
	case call.Conflict:
		s.health.ok()
		if s.firstWord(r, o) {
			s.delivered(b, r.Key, "")
			return true
		}
		r.State, r.Theirs = record.Conflict, o.Theirs
	case call.InDoubt:
		b.stop = true
		r.State, r.Remedy, r.Next = record.InDoubt, s.lookFor(r), now.Add(s.health.back.doubt)
		s.health.trouble(call.Outcome{Verdict: call.Down, Reason: o.Reason})
	case call.Failing:
		b.stop = true
		s.failed(&r, o, now)
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
	if r.State.Stuck() {
		s.forgive(r.Key)
		s.warnStuck(r)
	}
	return false
}

// delivered notes that a row is done with, and the place's revision of its device, if it
// has told one.
func (s *sender) delivered(b *batch, key ledger.RowKey, rev string) {
	s.forgive(key)
	b.delivered = append(b.delivered, key)
	if rev == "" {
		return
	}
	if b.told == nil {
		b.told = map[ledger.RowKey]string{}
	}
	b.told[key] = rev
}

func (s *sender) warnStuck(r ledger.OutboxRow) {
	s.log.Warn("an event waits for a person", "sink", s.sink, "event", r.Event.Seq, "state", r.State, "reason", r.Reason)
}

// firstWord settles a conflict about a device that moved for the first time: the
// station can't have known where it was before. After a call that may have been
// counted, the answer is not the place's first.
func (s *sender) firstWord(r ledger.OutboxRow, o call.Outcome) bool {
	if !s.caps.FirstWord || o.Theirs == nil || r.Force || r.Touched {
		return false
	}
	taken, err := s.ledger.FirstWord(s.sink, r.Key, o.Theirs.ID)
	if err != nil {
		s.log.Error("the directory's word was not taken; it waits for a person", "event", r.Event.Seq, "error", err)
	} else if taken {
		s.log.Info("the directory knew better where a device was", "event", r.Event.Seq, "answer", o.Reason)
	}
	return taken
}

// lookFor says how a person finds out whether a call was counted.
func (s *sender) lookFor(r ledger.OutboxRow) string {
	counted := "it was counted"
	if steps, ok := s.to.(Stepper); ok {
		counted = steps.IfCounted(call.Delivery{Event: r.Event, Step: r.Step})
	}
	return "look in the directory after a minute: if " + counted + ", accept; if not, retry"
}

// failed is for a row that failed although the place answered: it waits by itself
// while others are tried. If they get through and it still does not, it is parked.
func (s *sender) failed(r *ledger.OutboxRow, o call.Outcome, now time.Time) {
	f := s.noteFailure(r.Key, now)
	if f.alone >= parkAfter && now.Sub(f.first) >= s.caps.Patience {
		r.State = record.Parked
		r.Reason = o.Reason + ", each time, while other events get through"
		r.Remedy = cmp.Or(r.Remedy, "see what the server's log says of this event")
		return
	}
	o.Verdict = call.Down
	s.health.trouble(o)
	r.Next = now.Add(s.health.back.wait(r.Attempts, now.Sub(f.first), o.After))
	if o.Late {
		// As after a kill: neither a restart nor Hurry may end this wait, and it
		// need not be longer.
		r.State, r.Next = record.Sending, now.Add(s.caps.Settle)
	}
}

func (s *sender) noteFailure(key ledger.RowKey, now time.Time) failure {
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.failing[key]
	if f == nil {
		f = &failure{first: now}
		s.failing[key] = f
	}
	if s.health.deliveredSince(f.first) {
		f.alone++
	}
	return *f
}

func (s *sender) forgive(key ledger.RowKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.failing, key)
}

func (s *sender) hasFailing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.failing) > 0
}
