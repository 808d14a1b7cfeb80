// Package audit compares what a ledger says in several ways: each event with the one before
// it in its chain, the missing numbers with those that a salvage or restore has declared,
// and the rows of devices and people with what the events say.
package audit

import (
	"slices"

	"stump/checkout"
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/replay"
	"stump/checkout/ledger/report"
)

// Audit goes through the events in the order in which they happened, and then through the
// rows. What does not agree is added to a report.
type Audit struct {
	// Seen is what the events up to now say.
	Seen  *replay.Replay
	r     *report.Verified
	heads map[uint16]head // by chain
	holes []hole          // each must be among told
	told  []hole          // declared by salvages and restores
	ended []checkout.Head // closed chains, by the event of the migration
}

// New begins an audit, before the first event. It adds faults to r and counts there what it
// goes through, except for the events.
func New(r *report.Verified) *Audit {
	return &Audit{Seen: replay.New(), r: r, heads: map[uint16]head{}}
}

// head is how far a chain was checked.
type head struct {
	seq  uint64
	hash checkout.Hash
}

// hole is a run of numbers without events.
type hole struct {
	chain       checkout.Hash
	name        string // of a closed chain's station
	first, last uint64
}

// Unreadable is an event that can't be decoded, for which err says why.
func (a *Audit) Unreadable(at record.Ref, err error) {
	a.heads[at.Chain] = head{seq: at.Seq}
	a.r.Add("chain", "event %d: %v", at.Seq, err)
}

// Event checks an event of chain c against the one before it, and adds it to what was seen.
func (a *Audit) Event(at record.Ref, c record.Chain, ev *record.Event) {
	before := a.heads[at.Chain]
	a.heads[at.Chain] = head{at.Seq, ev.Hash}
	gap := at.Seq != before.seq+1
	if gap {
		a.holes = append(a.holes, hole{c.ID, c.Name, before.seq + 1, at.Seq - 1})
	}
	if ev.Gap != nil {
		a.ownUp(ev)
	}
	a.ended = append(a.ended, ev.Closed...)
	if !gap && ev.Prev != before.hash && !(ev.Gap != nil && ev.Gap.Hash == ev.Prev) {
		a.r.Add("chain", "event %d does not follow event %d: its hash is another", at.Seq, before.seq)
	}
	if ev.Erased {
		a.r.Erased++
	}
	for _, f := range a.Seen.Event(at, ev) {
		a.r.Add("links", "event %d: %s", at.Seq, f)
	}
}

// ownUp notes the holes that a salvage or restore has declared.
func (a *Audit) ownUp(ev *record.Event) {
	for _, lost := range ev.Gap.Lost {
		a.told = append(a.told, hole{ev.Chain, "", lost[0], lost[1]})
	}
	for name, all := range ev.Gap.Others {
		for _, lost := range all {
			a.told = append(a.told, hole{name: name, first: lost[0], last: lost[1]})
		}
	}
}

// Chains compares each chain's last event with the number and hash that newest returns, and
// closed chains with the event of the migration. It comes after all events.
func (a *Audit) Chains(all map[uint16]record.Chain, newest func(chain uint16) (seq uint64, hash checkout.Hash)) {
	for i, c := range all {
		at := a.heads[i]
		if seq, hash := newest(i); seq != at.seq || hash != at.hash {
			a.r.Add("chain", "the last event of chain %d is %d, it should be %d", i, at.seq, seq)
		}
		for _, e := range a.ended {
			if e.Chain == c.ID && (e.Seq != at.seq || e.Hash != at.hash) {
				a.r.Add("chain", "the closed chain of station %q ends with event %d, it should be %d", e.Station, at.seq, e.Seq)
			}
		}
		if at.seq > 0 && c.ID.IsZero() {
			a.r.Add("chain", "chain %d has events, but no name", i)
		}
	}
}

// Gaps checks that every hole was declared. It comes after all events.
func (a *Audit) Gaps() {
	for _, h := range a.holes {
		known := slices.ContainsFunc(a.told, func(o hole) bool {
			mine := o.chain == h.chain || o.chain.IsZero() && o.name == h.name
			return mine && o.first <= h.first && h.last <= o.last
		})
		if known {
			a.r.Gaps += h.last - h.first + 1
		} else {
			a.r.Add("chain", "events %d to %d of chain %x are missing", h.first, h.last, h.chain[:4])
		}
	}
}

// Devices compares the rows of devices with the events. each goes through the rows.
func (a *Audit) Devices(each func(func(id string, r *record.Row))) {
	there := map[string]bool{}
	each(func(id string, r *record.Row) {
		there[id] = true
		a.r.Devices++
		got, want := r.Loan, a.Seen.Loans[id]
		elsewhere := got.Since.Chain >= record.ForeignChain // the lab says so
		if !elsewhere && (got.Holder != want.Holder || got.Since != want.Since || got.Length != want.Length || got.Lost != want.Lost || got.Mark != want.Mark || got.Kit != want.Kit) {
			a.r.Add("loans", "device %q: the loan says %q since event %d, the events say %q since event %d",
				id, got.Holder, got.Since.Seq, want.Holder, want.Since.Seq)
		}
		if r.Head != a.Seen.Devices[id] {
			a.r.Add("links", "device %q: its newest event is %d, not %d", id, a.Seen.Devices[id].Seq, r.Head.Seq)
		}
	})
	for id := range a.Seen.Devices {
		if !there[id] {
			a.r.Add("loans", "device %q has events, but is not in the register", id)
		}
	}
}

// Reservations compares the reservations with the events. wrong is what is wrong with their
// rows.
func (a *Audit) Reservations(all booking.Replayed, wrong error) {
	if wrong != nil {
		a.r.Add("reservations", "%v", wrong)
	}
	for _, r := range all.InOrder() {
		if r.Elsewhere() { // the lab says so
			continue
		}
		if want, there := a.Seen.Reservations[r.At]; !there {
			a.r.Add("reservations", "reservation %d has ended, or was never made", r.At.Seq)
		} else if !r.Same(want) {
			a.r.Add("reservations", "reservation %d is another one by the events", r.At.Seq)
		}
	}
	for _, r := range a.Seen.Reservations.InOrder() {
		if _, there := all[r.At]; !there {
			a.r.Add("reservations", "reservation %d is missing", r.At.Seq)
		}
	}
}

// People compares the rows of people with the events. each goes through the rows.
func (a *Audit) People(each func(func(id string, r *record.Row))) {
	there := map[string]bool{}
	each(func(id string, r *record.Row) {
		there[id] = true
		a.r.People++
		if r.Head != a.Seen.People[id] {
			a.r.Add("links", "person %q: the newest event is %d, not %d", id, a.Seen.People[id].Seq, r.Head.Seq)
		}
	})
	for id, s := range a.Seen.Loans {
		if s.Holder != "" && !there[s.Holder] {
			a.r.Add("loans", "%q has device %q, but is not in the register", s.Holder, id)
		}
	}
}
