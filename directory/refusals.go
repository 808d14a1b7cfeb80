package directory

import (
	"slices"
	"strings"
	"time"
	"unicode"

	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
)

// A webhook that refuses one event may not like that event. One that refuses event
// after event with the same words does not like what it is sent at all: that is one
// fault of the configuration, and not one of each event. So where no event can be
// worse than another (Capabilities.Alike), a second refusal in the same words, with
// nothing delivered in between, stops the place:
//
//	refused, and nothing got through since another was refused alike → stopped; all that were refused wait
//	refused otherwise                                                → parked, as everywhere
//	refused again after others got through                           → parked
//
// A stopped place is probed with another event each time, so that two events that are
// indeed bad hold up the others for a while only.

// refusal is a row that was refused, until the whole batch is known.
type refusal struct {
	row ledger.OutboxRow
	o   call.Outcome
}

// refuse parks a row: the place answered, and others may get through.
func (s *sender) refuse(b *batch, f refusal) {
	r := f.row
	r.State, r.Reason, r.Remedy = record.Parked, f.o.Reason, f.o.Remedy
	b.kept = append(b.kept, r)
	s.health.ok()
	s.warnStuck(r)
}

// refused decides about the refusals of a batch.
func (s *sender) refused(b *batch) {
	for _, f := range b.refused {
		now := time.Now()
		known := s.noteFailure(f.row.Key, now)
		if known.alone > 0 || b.through {
			s.forgive(f.row.Key)
			s.refuse(b, f)
			continue
		}
		words := alike(f.o.Reason)
		s.noteRefusal(f.row.Key, words)
		others := s.refusedAlike(f.row.Key, words)
		if len(others) == 0 {
			s.refuse(b, f)
			continue
		}
		s.health.trouble(call.Outcome{Verdict: call.BadConfig, Reason: f.o.Reason + ", as it did others",
			Remedy: "it refuses every event alike: check the format, template and address of this webhook"})
		wait, _ := s.health.wait()
		s.await(b, f.row, f.o.Reason, now.Add(wait))
		s.unpark(b, others, now.Add(wait))
	}
}

// await keeps a refused row until the place is put right. That was no attempt of its own.
func (s *sender) await(b *batch, r ledger.OutboxRow, reason string, next time.Time) {
	r.State, r.Reason, r.Remedy, r.Next = record.Queued, reason, "", next
	r.Attempts--
	b.kept = append(b.kept, r)
}

// unpark makes rows wait that were parked before anybody knew better.
func (s *sender) unpark(b *batch, keys []ledger.RowKey, next time.Time) {
	for _, key := range keys {
		if i := slices.IndexFunc(b.kept, func(r ledger.OutboxRow) bool { return r.Key == key }); i >= 0 { // in this batch
			r := b.kept[i]
			b.kept = slices.Delete(b.kept, i, i+1)
			s.await(b, r, r.Reason, next)
			continue
		}
		if r, err := s.ledger.OutboxOf(s.sink, key); err == nil && r.State == record.Parked {
			s.await(b, r, r.Reason, next)
		}
	}
}

// noteRefusal remembers in what words a row was refused.
func (s *sender) noteRefusal(key ledger.RowKey, words string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.failing[key].refused = words
}

// refusedAlike lists the other rows that were refused in the same words while nothing
// got through.
func (s *sender) refusedAlike(key ledger.RowKey, words string) (others []ledger.RowKey) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for k, f := range s.failing {
		if k != key && f.refused == words && !s.health.deliveredSince(f.first) {
			others = append(others, k)
		}
	}
	return others
}

// alike is what two refusals have in common: their words without numbers, which may be
// those of a request.
func alike(reason string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsDigit(r) {
			return -1
		}
		return r
	}, reason)
}
