package booking

import (
	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Fix is what the events of a damaged ledger don't say of its reservations: an event of each
// puts it right.
type Fix struct {
	ended []Row // whose last event is lost
	made  []Row // whose first event is lost
}

// Refill writes the reservations of a damaged ledger into a new one: those of its events,
// and those of its rows whose event is lost, as there says. intact: all rows could be read.
func Refill(to Tree, seen Replayed, saved map[string][]byte, intact bool, there func(at record.Ref) bool) (f Fix, err error) {
	for _, r := range seen.InOrder() {
		if err := to.Put(r); err != nil {
			return f, err
		}
		if saved[string(rowKey(r.At))] == nil && intact {
			f.ended = append(f.ended, r)
		}
	}
	lost := Replayed{}
	for key, body := range saved {
		if r, ok := parse(key, body); ok && !r.Elsewhere() && !there(r.At) { // the lab tells of the others again
			lost[r.At] = r
		}
	}
	f.made = lost.InOrder()
	return f, nil
}

// Refilled commits the events of a fix.
func (d *Desk) Refilled(f Fix) {
	said := checkout.Event{Source: checkout.SourceSystem, Note: "from the row of the reservation"}
	for _, r := range f.ended {
		said.Kind, said.Booking = checkout.Cancel, checkout.Booking{Seq: r.At.Seq}
		d.Append(&record.Event{Event: said}, r.Person, r.Device)
	}
	for _, r := range f.made {
		if d.person(r.Person) != nil && (r.Device == "" || d.device(r.Device) != nil) {
			said.Kind, said.Booking = checkout.Reserve, checkout.Booking{Kind: r.Kind, From: r.From, To: r.To}
			d.Append(&record.Event{Event: said}, r.Person, r.Device)
		}
	}
}

// parse reads a reservation of a damaged file; false if it is none.
func parse(key string, body []byte) (r Row, ok bool) {
	if key == "" || key[0] != 'r' {
		return r, false
	}
	at, ok := record.ParseEventKey([]byte(key[1:]))
	r, err := record.Unpack(rowForm, body)
	r.At = at
	return r, ok && err == nil
}
