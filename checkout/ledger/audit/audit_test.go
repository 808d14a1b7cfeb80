package audit

import (
	"errors"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/report"
)

// told is what a ledger says: ann took the iPad with event 1 and brought it back with
// event 2, and nothing is wrong.
type told struct {
	chains          map[uint16]record.Chain
	events          []record.Event
	unreadable      uint64 // the number of an event
	seq             uint64 // the newest, as the head says
	devices, people map[string]record.Row
}

func hash(n uint64) checkout.Hash { return checkout.Hash{byte(n)} }

func sound() *told {
	s := &told{chains: map[uint16]record.Chain{1: {ID: hash(1)}}, seq: 2}
	for i, kind := range []checkout.Kind{checkout.Checkout, checkout.Return} {
		seq := uint64(i + 1)
		ev := record.Event{Event: checkout.Event{Seq: seq, Kind: kind, Device: "ipad", Person: "ann", Hash: hash(seq), Prev: hash(seq - 1), Chain: hash(1)}}
		if i > 0 {
			ev.Links = record.Links{Device: record.At(1, 1), Person: record.At(1, 1)}
		}
		s.events = append(s.events, ev)
	}
	s.devices = map[string]record.Row{"ipad": {Head: record.At(1, 2), Loan: record.Loan{}.After(&s.events[1], record.At(1, 2))}}
	s.people = map[string]record.Row{"ann": {Head: record.At(1, 2)}}
	return s
}

// audit is the report of an audit of s.
func (s *told) audit() *report.Verified {
	r := &report.Verified{}
	a := New(r)
	for _, ev := range s.events {
		at := record.At(1, ev.Seq)
		if ev.Seq == s.unreadable {
			a.Unreadable(at, errors.New("it is torn"))
			continue
		}
		a.Event(at, s.chains[1], &ev)
	}
	a.Chains(s.chains, func(uint16) (uint64, checkout.Hash) { return s.seq, hash(s.seq) })
	a.Gaps()
	each := func(rows map[string]record.Row) func(func(string, *record.Row)) {
		return func(f func(string, *record.Row)) {
			for id, row := range rows {
				f(id, &row)
			}
		}
	}
	a.Devices(each(s.devices))
	a.People(each(s.people))
	return r
}

// TestFaults: what does not agree is said, and only that.
func TestFaults(t *testing.T) {
	declared := &checkout.Gap{Hash: hash(1), Lost: [][2]uint64{{2, 4}}}
	jump := func(s *told) { // from event 1 to event 5
		s.events[1].Seq, s.events[1].Hash, s.seq = 5, hash(5), 5
		s.devices["ipad"] = record.Row{Head: record.At(1, 5), Loan: record.Loan{}.After(&s.events[1], record.At(1, 5))}
		s.people["ann"] = record.Row{Head: record.At(1, 5)}
	}
	for name, tc := range map[string]struct {
		spoil func(*told)
		want  string // the faults, in order; each begins so
	}{
		"sound":            {func(*told) {}, ""},
		"unreadable":       {func(s *told) { s.unreadable = 2 }, "chain: event 2: it is torn|chain: the last event of chain 1 is 2|loans: |links: device|links: person"},
		"another before":   {func(s *told) { s.events[1].Prev = hash(9) }, "chain: event 2 does not follow event 1"},
		"another link":     {func(s *told) { s.events[1].Links.Person = record.Ref{} }, "links: event 2: it links to 0 as the previous event of person"},
		"the end is gone":  {func(s *told) { s.seq = 3 }, "chain: the last event of chain 1 is 2, it should be 3"},
		"no name":          {func(s *told) { s.chains[1] = record.Chain{} }, "chain: chain 1 has events, but no name"},
		"a hole":           {jump, "chain: events 2 to 4 of chain 01000000 are missing"},
		"a declared hole":  {func(s *told) { jump(s); s.events[1].Gap = declared }, ""},
		"declared in part": {func(s *told) { jump(s); s.events[1].Gap = &checkout.Gap{Lost: [][2]uint64{{2, 3}}} }, "chain: events 2 to 4"},
		"closed elsewhere": {func(s *told) { s.events[1].Closed = []checkout.Head{{Station: "old", Chain: hash(1), Seq: 7}} }, `chain: the closed chain of station "old" ends with event 2, it should be 7`},
		"still lent": {func(s *told) {
			s.devices["ipad"] = record.Row{Head: record.At(1, 2), Loan: record.Loan{Holder: "ann", Since: record.At(1, 1)}}
		}, `loans: device "ipad": the loan says "ann" since event 1, the events say "" since event 2`},
		"an older head": {func(s *told) { s.people["ann"] = record.Row{Head: record.At(1, 1)} }, `links: person "ann": the newest event is 2, not 1`},
		"no device":     {func(s *told) { delete(s.devices, "ipad") }, `loans: device "ipad" has events, but is not in the register`},
		"lent to no person": {func(s *told) {
			s.events, s.seq = s.events[:1], 1
			clear(s.people)
			s.devices["ipad"] = record.Row{Head: record.At(1, 1), Loan: record.Loan{}.After(&s.events[0], record.At(1, 1))}
		}, `loans: "ann" has device "ipad", but is not in the register`},
	} {
		s := sound()
		tc.spoil(s)
		r := s.audit()
		var want []string
		if tc.want != "" {
			want = strings.Split(tc.want, "|")
		}
		same := len(r.Faults) == len(want)
		for i := 0; same && i < len(want); i++ {
			same = strings.HasPrefix(r.Faults[i].What+": "+r.Faults[i].Detail, want[i])
		}
		if !same {
			t.Errorf("%s: %v, want %q", name, r.Faults, want)
		}
		if name == "a declared hole" && r.Gaps != 3 {
			t.Errorf("%s: %d numbers", name, r.Gaps)
		}
	}
}
