package ledger

import (
	"cmp"
	"errors"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/kit"
	"stump/checkout/ledger/record"
	"stump/checkout/loan"
	"stump/internal/books"
)

// Give records that a person has a device: a check-out, or a hand-over when another
// person has it.
func (l *Ledger) Give(r books.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) {
		person := t.find(record.TreePeople, r.Person)
		if device.row.Loan.Holder == person.id {
			t.fail(&loan.RefusedError{Reason: loan.Has, What: device.name(), By: person.name()})
		}
		t.happened(ev, r, device)
		ev.Loan = t.until(ev, r)
		if ev.Against = t.againstGiving(person, device); ev.Against != "" {
			ev.Note = strings.TrimPrefix(ev.Note+", by an admin: "+ev.Against, ", ")
		}
		parts := t.inside(device)
		t.move(ev, person, device, checkout.PolicyHandover)
		t.moveKit(ev, person, device, parts, kit.Trust)
	})
}

// againstGiving is what the rules say against an admin's word; empty for nothing.
func (t *txn) againstGiving(person, device party) string {
	move := kit.Out
	if device.row.Loan.Holder != "" {
		move = kit.On
	}
	why, of := t.against(person, device, move)
	if why != (checkout.Why{}) && of.id != device.id {
		return of.name() + ": " + why.String()
	}
	return why.String()
}

// happened takes over when a request says that its device changed hands, which is neither
// in the future nor before the device changed hands the last time.
func (t *txn) happened(ev *record.Event, r books.Request, device party) {
	if r.At.IsZero() {
		return
	}
	ev.Happened = r.At.Truncate(time.Second)
	if now := t.l.o.Stamp(); now.Trusted && ev.Happened.After(now.Wall) {
		t.fail(&loan.RefusedError{Reason: loan.Future, At: ev.Happened, Remedy: "give a time in the past"})
	}
	last := device.row.Loan.At
	if wall, known := t.times().Wall(last); known && ev.Happened.Before(wall.Truncate(time.Second)) {
		t.fail(&loan.RefusedError{Reason: loan.Moved, What: device.name(), At: wall, Remedy: "give a later time; `stump history --device " + device.id + "` shows when"})
	}
}

// until is the length of a loan that ends when a request says, 0 for as usual.
func (t *txn) until(ev *record.Event, r books.Request) time.Duration {
	if r.Due.IsZero() {
		return 0
	}
	from := ev.Happened
	if now := t.l.o.Stamp(); from.IsZero() {
		if !now.Trusted {
			t.fail(&loan.RefusedError{Reason: loan.NoClock, Remedy: "say with --at when it was given, or leave the due date out"})
		}
		from = now.Wall.Truncate(time.Second)
	}
	length := r.Due.Sub(from).Round(time.Second)
	if length < time.Second {
		t.fail(&loan.RefusedError{Reason: loan.Before, At: r.Due, Remedy: "give a later one"})
	}
	return length
}

// Return records that a device is back.
func (l *Ledger) Return(r books.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) {
		t.mustBeHeld(device)
		ev.Kind = checkout.Return
		t.happened(ev, r, device)
		parts, holder := t.inside(device), t.holder(device.row.Loan.Holder)
		lacks := t.lacking(device, parts, r.Missing)
		t.append(ev, holder, device)
		t.moveKit(ev, holder, device, parts, kit.Trust, lacks...)
		t.noteMissing(&record.Event{Event: checkout.Event{Actor: ev.Actor, Source: ev.Source}}, device, lacks)
	})
}

// Lose records that a device can't be found, with what is in it. It ends the loan; From is the last holder.
func (l *Ledger) Lose(r books.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) {
		switch {
		case device.row.Status == checkout.Retired:
			t.refuse(device, "")
		case device.row.Loan.Lost:
			t.fail(&loan.RefusedError{Reason: loan.IsLost, What: device.name()})
		}
		ev.Kind = checkout.Lost
		t.setFrom(ev, device.row.Loan.Holder)
		parts, free := t.inside(device), device.row.Loan.Holder == ""
		t.append(ev, nobody, device)
		for _, p := range parts {
			if p.in || free && p.row.Loan.Holder == "" && !p.row.Loan.Lost && p.row.Status == checkout.Active {
				t.along(ev, nobody, p.party, device)
			}
		}
	})
}

// Find records that a lost device was found, with what was lost with it.
func (l *Ledger) Find(r books.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) {
		if !device.row.Loan.Lost {
			t.fail(&loan.RefusedError{Reason: loan.NotLost, What: device.name()})
		}
		ev.Kind = checkout.Found
		t.append(ev, nobody, device)
		for _, p := range t.parts(device.id) {
			if p.row.Loan.Lost && p.row.Loan.Kit == device.id {
				t.along(ev, nobody, p, device)
			}
		}
	})
}

// Extend records that a loan ends later, by the rules of loans. What is in a kit is extended
// with it.
func (l *Ledger) Extend(r books.Request) (checkout.Event, error) {
	return l.request(r, func(t *txn, ev *record.Event, device party) {
		t.mustBeHeld(device)
		has := device.row.Loan
		if r.Own != "" && r.Own != has.Holder {
			t.fail(&loan.RefusedError{Reason: loan.Another, What: device.name(), Remedy: "ask who has it, or an admin"})
		}
		wish := loan.Extension{Device: device.name(), Kind: device.row.Kind, Groups: t.holder(has.Holder).groups(), Length: has.Length, Until: r.Due, Own: r.Own != "", Before: t.extended(device)}
		if since, known := t.times().Began(has); known {
			wish.Since = since.Truncate(time.Second)
		}
		if now := t.l.o.Stamp(); now.Trusted {
			wish.Now = now.Wall
		}
		wish.Reserved = func(until time.Time) (time.Time, string) {
			from, by, err := t.bookings().Longer(device.id, has.Holder, until)
			t.must(err)
			return from, by
		}
		length, err := t.l.o.Loans.Extend(wish)
		if err != nil {
			t.fail(err)
		}
		if ev.Kind, ev.Loan = checkout.Extend, length; !wish.Since.IsZero() {
			ev.Due = wish.Since.Add(length)
		}
		holder := t.holder(has.Holder)
		parts := t.inside(device)
		t.append(ev, holder, device)
		for _, p := range parts {
			if p.in {
				t.along(ev, holder, p.party, device)
			}
		}
	})
}

// extended is how often who has a device has extended the loan.
func (t *txn) extended(device party) (n int) {
	for at := device.row.Head; at.Compare(device.row.Loan.Since) > 0; {
		ev := t.event(at)
		if ev.Kind == checkout.Extend && ev.Actor != "" && ev.Actor == ev.Person {
			n++
		}
		at = ev.Links.Device
	}
	return n
}

func (t *txn) mustBeHeld(device party) {
	if device.row.Loan.Holder == "" {
		t.fail(&loan.RefusedError{Reason: loan.Nobody, What: device.name()})
	}
}

// request runs an admin's request.
func (l *Ledger) request(r books.Request, f func(*txn, *record.Event, party)) (checkout.Event, error) {
	if r.Actor == "" {
		return checkout.Event{}, errors.New("the actor is missing")
	}
	if err := cmp.Or(checkout.CheckText("note", r.Note, checkout.MaxNote), checkout.CheckText("condition", r.Condition, checkout.MaxName)); err != nil {
		return checkout.Event{}, err
	}
	return l.commitEvent(func(t *txn, ev *record.Event) {
		ev.Event = checkout.Event{Actor: r.Actor, Note: r.Note, Condition: r.Condition, Source: cmp.Or(r.Source, checkout.SourceCLI)}
		f(t, ev, t.find(record.TreeDevices, r.Device))
	})
}
