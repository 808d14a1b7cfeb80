package booking

import (
	"maps"
	"slices"
	"sort"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Rows are the reservations that there are, in a file or in a replay of the events.
type Rows interface {
	Get(at record.Ref) (r Row, ok bool, err error)
	Put(Row) error
	Drop(at record.Ref) error
	of(person string) ([]Row, error)
}

// Apply does to the reservations what an event, which lies at a place, says of them. The
// person of an event may have been erased, and then has no reservation. index finds a chain,
// and is false for one of which there are none.
func Apply(to Rows, at record.Ref, ev *record.Event, index func(checkout.Hash) (uint16, bool)) error {
	made := record.At(at.Chain, ev.Booking.Seq)
	if !ev.Booking.Chain.IsZero() {
		chain, ok := index(ev.Booking.Chain)
		if !ok {
			return nil
		}
		made.Chain = chain
	}
	switch ev.Kind {
	case checkout.Reserve:
		if ev.Person != "" {
			return to.Put(Row{At: at, Device: ev.Device, Kind: ev.Booking.Kind, Person: ev.Person, From: ev.Booking.From, To: ev.Booking.To})
		}
	case checkout.Cancel, checkout.Checkout, checkout.Handover:
		if ev.Booking.Seq != 0 {
			return to.Drop(made)
		}
	case checkout.Ready:
		r, ok, err := to.Get(made)
		if ok && r.From.IsZero() {
			r.Device, r.Kind, r.From, r.To, r.Kept = ev.Device, "", ev.Booking.From, ev.Booking.To, true
			return to.Put(r)
		}
		return err
	case checkout.Merge:
		all, err := to.of(ev.Resolved)
		for _, r := range all {
			r.Person = ev.Person
			if err == nil {
				err = to.Put(r)
			}
		}
		return err
	}
	return nil
}

// Replayed are the reservations that events say there are, by place.
type Replayed map[record.Ref]Row

// Get returns the reservation that an event made.
func (p Replayed) Get(at record.Ref) (r Row, ok bool, err error) {
	r, ok = p[at]
	return r, ok, nil
}

// Put adds or replaces a reservation.
func (p Replayed) Put(r Row) error {
	p[r.At] = r
	return nil
}

// Drop removes a reservation.
func (p Replayed) Drop(at record.Ref) error {
	delete(p, at)
	return nil
}

func (p Replayed) of(person string) (all []Row, err error) {
	for _, r := range p {
		if r.Person == person {
			all = append(all, r)
		}
	}
	return all, nil
}

// InOrder returns the reservations in the order in which they were made.
func (p Replayed) InOrder() []Row {
	all := slices.Collect(maps.Values(p))
	sort.Slice(all, func(i, j int) bool { return all[i].At.Compare(all[j].At) < 0 })
	return all
}
