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
}

// Note keeps a refusal. It reports whether there is something new to Take; full
// means that it was dropped, since there are too many.
func (r *Refusals) Note(at time.Duration, n Refusal) (fresh, full bool) {
	n.Count = 1
	i := slices.IndexFunc(r.kept, func(k keptRefusal) bool {
		return k.Tag == n.Tag && k.Reason == n.Reason && k.Person == n.Person && k.Device == n.Device
	})
	if i >= 0 && at-r.kept[i].since < refusalsFor {
		r.kept[i].Count++
		return false, false
	}
	if i >= 0 {
		n.Count += r.kept[i].Count
		r.kept = slices.Delete(r.kept, i, i+1)
	}
	r.kept = slices.DeleteFunc(r.kept, func(k keptRefusal) bool { return at-k.since >= refusalsFor && k.Count == 0 })
	if len(r.kept) == mostRefusals {
		return false, true
	}
	r.kept = append(r.kept, keptRefusal{n, at})
	return true, false
}

// Take returns what is to be saved: new refusals, and with all those that were only
// counted since they were taken.
func (r *Refusals) Take(all bool) (out []Refusal) {
	for i := range r.kept {
		k := &r.kept[i]
		if !k.Noted || all && k.Count > 0 {
			out = append(out, k.Refusal)
			k.Noted, k.Count = true, 0
		}
	}
	return out
}
