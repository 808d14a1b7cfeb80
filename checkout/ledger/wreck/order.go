package wreck

import (
	"maps"
	"math"
	"slices"

	"stump/checkout/ledger/record"
)

// NameChains gives each chain with events its id, and chooses the last one to continue
// if the file doesn't say which.
func (w *Wreck) NameChains() error {
	for _, e := range w.Events {
		if c := w.Chains[e.At.Chain]; c.ID.IsZero() {
			_, ev, err := w.Load(e)
			if err != nil {
				return err
			}
			c.ID = ev.Hash
			w.Chains[e.At.Chain] = c
		}
	}
	if _, ok := w.Chains[w.Own]; ok {
		return nil
	}
	w.Own = 1
	for i := range w.Chains {
		w.Own = max(w.Own, i)
	}
	if _, ok := w.Chains[w.Own]; !ok {
		w.Chains[w.Own] = record.Chain{}
	}
	return nil
}

// Order returns the order of the chains. If the file doesn't say it, that is the order in
// which they were begun, and the own chain last.
func (w *Wreck) Order() []record.Run {
	if w.runs != nil {
		return w.runs
	}
	var all []record.Run
	for _, i := range slices.Sorted(maps.Keys(w.Chains)) {
		if i != w.Own {
			all = append(all, record.Run{Chain: i, First: 1, Last: w.Newest(i)})
		}
	}
	return append(all, record.Run{Chain: w.Own, First: 1, Last: math.MaxUint64})
}

// InOrder returns the events in the order in which they happened.
func (w *Wreck) InOrder() []Event {
	if len(w.Chains) < 2 {
		return w.Events
	}
	var all []Event
	for _, r := range w.Order() {
		for _, e := range w.Events {
			if e.At.Chain == r.Chain && r.First <= e.At.Seq && e.At.Seq <= r.Last {
				all = append(all, e)
			}
		}
	}
	return all
}

// Holes returns the numbers from 1 to last that no event of a chain has, as the first and
// last of each run.
func (w *Wreck) Holes(chain uint16, last uint64) (lost [][2]uint64) {
	next := uint64(1)
	for _, e := range w.Events {
		if e.At.Chain != chain {
			continue
		}
		if e.At.Seq > next {
			lost = append(lost, [2]uint64{next, e.At.Seq - 1})
		}
		next = e.At.Seq + 1
	}
	if last >= next {
		lost = append(lost, [2]uint64{next, last})
	}
	return lost
}

// LostRows returns how many outbox rows are lost, by the counts of the sinks.
func (w *Wreck) LostRows() int {
	n := 0
	for _, c := range w.Sinks() {
		n += int(c.Queued - c.Done)
	}
	return max(n-len(w.Rows[record.TreeOutbox]), 0)
}
