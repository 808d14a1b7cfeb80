// Package booking answers what is asked of reservations: what is reserved, what is free, and
// who reserves and cancels.
package booking

import (
	"iter"
	"net/http"
	"net/url"
	"time"

	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Desk answers from the books.
type Desk struct {
	Books books.Keeper
	// On returns the books for a change, on the terms of its request; Me who asks, in the
	// register.
	On func(*http.Request) (books.Keeper, error)
	Me func(*http.Request) (books.Person, error)
	// Now is the wall clock.
	Now func() time.Time
}

// List lists what is reserved.
func (d Desk) List(_ *http.Request, q url.Values, p books.Page) (iter.Seq2[books.Reservation, error], error) {
	return d.Books.Reservations(books.ReservationFilter{Page: p, Person: q.Get("person"), Device: q.Get("device"), Kind: q.Get("kind")}), nil
}

// Mine lists what who asks has reserved.
func (d Desk) Mine(r *http.Request, q url.Values, p books.Page) (iter.Seq2[books.Reservation, error], error) {
	me, err := d.Me(r)
	if err != nil {
		return nil, err
	}
	q.Set("person", me.ID)
	return d.List(r, q, p)
}

// Free lists the devices that can be reserved for all of a time: a day from now on, if nothing
// else is said.
func (d Desk) Free(_ *http.Request, q url.Values, p books.Page) (iter.Seq2[wire.Free, error], error) {
	from, err := timeIn(q, "from", d.Now())
	if err != nil {
		return nil, err
	}
	to, err := timeIn(q, "to", from.Add(24*time.Hour))
	if err != nil {
		return nil, err
	}
	return func(yield func(wire.Free, error) bool) {
		n := 0
		for device, err := range d.Books.Free(from, to) {
			kind := q.Get("kind")
			if err == nil && (device.ID <= p.After || kind != "" && device.Kind != kind || !p.Finds(device.Name, device.ID, device.Kind)) {
				continue
			}
			if n++; !yield(wire.FreeOf(device), err) || n == p.Limit {
				return
			}
		}
	}, nil
}

// Reserve reserves for anybody, by an admin.
func (d Desk) Reserve(r *http.Request, in *wire.Reserve) (any, error) {
	return d.reserve(r, in, identity.Of(r.Context()).Name)
}

// ReserveMine reserves for who asks.
func (d Desk) ReserveMine(r *http.Request, in *wire.Reserve) (any, error) {
	me, err := d.Me(r)
	if err != nil {
		return nil, err
	}
	if in.Person != "" && in.Person != me.ID && in.Person != me.Name {
		return nil, &wire.CodedError{Code: wire.CodeInvalid, Err: hint.Errorf("leave person out, or ask an admin", "here everybody reserves for themselves")}
	}
	in.Person = me.ID
	return d.reserve(r, in, me.ID)
}

func (d Desk) reserve(r *http.Request, in *wire.Reserve, actor string) (any, error) {
	if (in.Device == "") == (in.Kind == "") {
		return nil, &wire.CodedError{Code: wire.CodeInvalid, Err: hint.Errorf("give a device, or a kind", "device, kind: one of them is what is reserved")}
	}
	k, err := d.On(r)
	if err != nil {
		return nil, err
	}
	made, err := k.Reserve(books.Booking{Device: in.Device, Kind: in.Kind, Person: in.Person, From: timeOf(in.From), To: timeOf(in.To), Weekly: timeOf(in.Weekly),
		Actor: actor, Note: in.Note, Source: identity.Of(r.Context()).Source})
	if err != nil {
		return nil, err
	}
	return made[0], nil
}

// Cancel ends a reservation, by an admin.
func (d Desk) Cancel(r *http.Request) (any, error) {
	return d.cancel(r, "", identity.Of(r.Context()).Name)
}

// CancelMine ends a reservation of who asks.
func (d Desk) CancelMine(r *http.Request) (any, error) {
	me, err := d.Me(r)
	if err != nil {
		return nil, err
	}
	return d.cancel(r, me.ID, me.ID)
}

func (d Desk) cancel(r *http.Request, own, actor string) (any, error) {
	k, err := d.On(r)
	if err != nil {
		return nil, err
	}
	ev, err := k.CancelReservation(r.PathValue("id"), own, "", actor, identity.Of(r.Context()).Source)
	return books.Entry{Event: ev, Time: ev.At.Wall, ClockTrusted: ev.At.Trusted}, err
}

// timeIn reads a parameter that is a time.
func timeIn(q url.Values, name string, otherwise time.Time) (time.Time, error) {
	word := q.Get(name)
	if word == "" {
		return otherwise, nil
	}
	at, err := time.Parse(time.RFC3339, word)
	if err != nil {
		return at, &wire.CodedError{Code: wire.CodeInvalid, Err: hint.Errorf("write it as 2026-11-21T10:00:00Z", "%s: %q is not a time", name, word)}
	}
	return at, nil
}

func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}
