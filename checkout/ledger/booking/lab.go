package booking

import (
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/checkout/reservation"
	"stump/internal/books"
)

// A lab of several stations shares its reservations. Each lies in every ledger under the place
// of the event that made it, and the station that has made it keeps it: it alone says when
// nobody came, or whose turn it is. Any station may end it by hand, or hand the device out.

// id is how people call the reservation that an event made: the number of the event, and for
// one of another chain how that begins.
func (d *Desk) id(at record.Ref) string {
	id := strconv.FormatUint(at.Seq, 10)
	if at.Chain != d.Own {
		id += "@" + d.Chain(at.Chain).String()[:chainDigits]
	}
	return id
}

// chainDigits are enough for the stations of a lab.
const chainDigits = 8

// find returns the reservation with an id.
func (d *Desk) find(id string) (r Row, ok bool, err error) {
	number, begins, elsewhere := strings.Cut(id, "@")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil || elsewhere && len(begins) < chainDigits {
		return r, false, nil
	}
	at := record.At(d.Own, seq)
	if elsewhere {
		if at.Chain, ok = d.Index(begins); !ok {
			return r, false, nil
		}
	}
	return d.Get(at)
}

// place is where the event lies that made a booking; false for none.
func place(b reservation.Booking) (record.Ref, bool) { return record.ParseEventKey([]byte(b.ID)) }

// idOf is how people call a booking.
func (d *Desk) idOf(b reservation.Booking) string {
	at, _ := place(b)
	return d.id(at)
}

// about is what an event says of which reservation it is about.
func (d *Desk) about(at record.Ref) checkout.Booking {
	b := checkout.Booking{Seq: at.Seq}
	if at.Chain != d.Own {
		b.Chain = d.Chain(at.Chain)
	}
	return b
}

// inOrder sorts places in the line by when they were made.
func (d *Desk) inOrder(line []Row) {
	if slices.ContainsFunc(line, Row.Elsewhere) {
		for i, r := range line {
			if !r.Elsewhere() {
				line[i].Made = d.Made(r.At)
			}
		}
	}
	sort.SliceStable(line, func(i, j int) bool {
		if a, b := line[i], line[j]; a.At.Chain != b.At.Chain {
			return a.Made.Before(b.Made)
		}
		return line[i].At.Compare(line[j].At) < 0
	})
}

// The fields of a reservation as the lab has them.
const (
	fieldDevice = "device"
	fieldKind   = "kind"
	fieldPerson = "person"
	fieldFrom   = "from"
	fieldTo     = "to"
	fieldKept   = "kept"
	fieldMade   = "made"
	fieldEnded  = "ended"
)

// Fields are what the lab is told of a reservation; of one that has ended, that it has.
func (d *Desk) Fields(at record.Ref) (map[string]string, error) {
	r, ok, err := d.Get(at)
	if !ok {
		return map[string]string{fieldEnded: "1", fieldPerson: ""}, err
	}
	all := map[string]string{fieldDevice: r.Device, fieldKind: r.Kind, fieldPerson: r.Person, fieldMade: d.Made(at).UTC().Format(time.RFC3339Nano)}
	if !r.From.IsZero() {
		all[fieldFrom], all[fieldTo] = r.From.UTC().Format(time.RFC3339), r.To.UTC().Format(time.RFC3339)
	}
	if r.Kept {
		all[fieldKept] = "1"
	}
	return all, nil
}

// Hear takes over what the lab says of the reservation that an event made. It reports whether
// that is news.
func (d *Desk) Hear(at record.Ref, said map[string]string) (news bool, err error) {
	had, there, err := d.Get(at)
	if err != nil {
		return false, err
	}
	ended := said[fieldEnded] != "" || said[fieldPerson] == ""
	switch {
	case !(Row{At: at}).Elsewhere(): // our own word comes back
		if there && ended {
			return true, d.end(&record.Event{Event: checkout.Event{Source: checkout.SourceSync, Note: "at another station"}}, had)
		}
		return false, nil
	case ended:
		return there, d.Drop(at)
	}
	r := Row{At: at, Device: said[fieldDevice], Kind: said[fieldKind], Person: said[fieldPerson], Kept: said[fieldKept] != ""}
	for name, to := range map[string]*time.Time{fieldFrom: &r.From, fieldTo: &r.To, fieldMade: &r.Made} {
		if *to, err = time.Parse(time.RFC3339Nano, said[name]); err != nil {
			*to = time.Time{}
		}
	}
	if r.Clash = had.Clash; there && had.Same(r) {
		return false, nil
	}
	if err := d.Drop(at); err != nil {
		return false, err
	}
	if r.Clash = false; !r.From.IsZero() && !r.Kept {
		c, err := d.meets(r)
		if err != nil {
			return false, err
		}
		r.Clash = c != nil
	}
	return true, d.Put(r)
}

// meets is what is in the way of a reservation that is there, or will be; nil if nothing is.
func (d *Desk) meets(r Row) (*reservation.Conflict, error) {
	b := r.booking()
	kind := b.Kind
	if one := d.device(b.Device); b.Device != "" && one != nil {
		kind = one.Kind
	}
	s, err := d.shelf(b.Device, kind, b.From, b.To, 0)
	if err != nil {
		return nil, err
	}
	return s.Without(b.ID).Book(b), nil
}

// Clashes are the reservations of other stations that were made while this one did not know
// of them, and that something is in the way of, in the order in which they begin.
func (d *Desk) Clashes() (all []books.Clash, err error) {
	for r, err := range d.between(byClash, nil, d.Now, time.Time{}) {
		if err != nil {
			return nil, err
		}
		c, err := d.meets(r)
		if err != nil {
			return nil, err
		}
		if c != nil {
			all = append(all, books.Clash{Reservation: d.Shown(r), With: d.conflict(r.booking(), c)})
		}
	}
	return all, nil
}
