package checkout

import (
	"slices"
	"time"
)

// Limits of Refusals, so that nobody fills the ledger with cards.
const (
	refusalsFor  = time.Minute // for which further refusals of a tag are counted only
	mostRefusals = 60          // in that time; others are not kept
)

// Refusals are bumps that were refused, on their way to the ledger: of a tag and
// reason, one a minute. The zero Refusals has none.
type Refusals struct {
	kept []keptRefusal
}

type keptRefusal struct {
	Refusal
	since time.Duration
	over  bool // the minute is
}

// Note keeps a refusal. fresh means that there is something new to Take, full that it
// was dropped, since there are too many.
func (r *Refusals) Note(at time.Duration, n Refusal) (fresh, full bool) {
	here := 0
	r.kept = slices.DeleteFunc(r.kept, func(k keptRefusal) bool {
		return at-k.since >= refusalsFor && k.Noted && (k.Count == 0 || !k.Unknown)
	})
	for i := range r.kept {
		k := &r.kept[i]
		if k.over = at-k.since >= refusalsFor; k.over {
			continue
		}
		here++
		if k.Tag == n.Tag && k.Reason == n.Reason && k.Person == n.Person && k.Device == n.Device {
			k.Count++
			return false, false
		}
	}
	if here == mostRefusals {
		return false, true
	}
	n.Count = 1
	r.kept = append(r.kept, keptRefusal{Refusal: n, since: at})
	return true, false
}

// Take returns what is to be saved: new refusals, and those that were counted since they
// were taken and whose minute is over; with all, all that were counted.
func (r *Refusals) Take(all bool) (out []Refusal) {
	for i := range r.kept {
		k := &r.kept[i]
		if !k.Noted || k.Count > 0 && (all || k.over) {
			out = append(out, k.Refusal)
			k.Noted, k.Count = true, 0
		}
	}
	return out
}
