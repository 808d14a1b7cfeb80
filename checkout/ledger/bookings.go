package ledger

import (
	"cmp"
	"iter"
	"strings"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// bookings returns the reservations in this transaction.
func (t *txn) bookings() *booking.Desk {
	clock := t.times()
	d := &booking.Desk{Tree: booking.In(t.tx), Rules: t.l.o.Reservations, Own: t.l.own, Row: t.row, Each: t.eachRow, Wall: clock.Wall, Began: clock.Began,
		Chain: func(index uint16) checkout.Hash { return t.place(record.At(index, 1)).Chain },
		Index: func(begins string) (uint16, bool) {
			return t.findChain(func(id checkout.Hash) bool { return strings.HasPrefix(id.String(), begins) })
		},
		Made: func(at record.Ref) time.Time { ev := t.event(at); made, _ := clock.Wall(ev.At); return made },
		Find: func(tr record.Tree, ref string) string { return t.find(tr, ref).id },
		Append: func(ev *record.Event, person, device string) {
			t.append(ev, t.known(record.TreePeople, person), t.known(record.TreeDevices, device))
		}}
	if t.tx.Writable() {
		d.Kinds = &t.l.ofKind
	}
	if now := t.l.o.Stamp(); now.Trusted {
		d.Now = now.Wall
	}
	return d
}

// reserved lets a loan that is about to begin keep to the reservations: it fulfils the one
// of who takes the device, and ends before the next of others, whom the event names.
func (t *txn) reserved(ev *record.Event, person, device party) {
	if !booking.In(t.tx).Any() {
		return
	}
	d := t.bookings()
	begin := cmp.Or(ev.Happened, d.Now.Truncate(time.Second))
	length := ev.Loan
	if length == 0 {
		length = t.usual(device.row.Kind, person.groups(), checkout.Stamp{Wall: begin, Trusted: true})
	}
	end := time.Time{}
	if length > 0 {
		end = begin.Add(length)
	}
	taken, err := d.Take(device.id, person.id, end, ev.Loan != 0)
	t.must(err)
	ev.Booking.Seq, ev.Booking.Chain = taken.Fulfils.Seq, taken.Fulfils.Chain
	ev.ReservedBy, ev.ReservedFrom = taken.By, taken.From
	if t.ends = taken.End; taken.End.Equal(end) {
		t.ends = time.Time{}
	}
}

// settleBookings ends the reservations of what has left the register in this transaction, and
// tells who is next of what came back.
func (t *txn) settleBookings() {
	for _, p := range t.left {
		t.must(t.bookings().EndAll(p.tree, p.id))
	}
	for _, id := range t.back {
		t.must(t.bookings().Turn(id, true))
	}
}

// Reserve reserves a device, or any device of a kind, for a person. It returns the
// reservations that it made: of a weekly one each.
func (l *Ledger) Reserve(w books.Booking) (made []books.Reservation, err error) {
	err = l.update(func(t *txn) { made, err = t.bookings().Reserve(w); t.must(err) })
	return made, err
}

// CancelReservation ends a reservation; own is the id of somebody who may only end theirs,
// "" for an admin.
func (l *Ledger) CancelReservation(id, own, note, actor string, source checkout.Source) (checkout.Event, error) {
	return l.commitEvent(func(t *txn, ev *record.Event) {
		ev.Event = checkout.Event{Actor: actor, Note: note, Source: source}
		t.must(t.bookings().Cancel(ev, id, own))
	})
}

// Reservations yields what is reserved, in the order in which it begins; the line comes first.
func (l *Ledger) Reservations(f books.ReservationFilter) iter.Seq2[books.Reservation, error] {
	return collected(func() (all []books.Reservation, err error) {
		err = l.view(func(t *txn) { all, err = t.bookings().List(f); t.must(err) })
		return all, err
	})
}

// Free yields the devices that can be reserved for all of a time.
func (l *Ledger) Free(from, to time.Time) iter.Seq2[books.Device, error] {
	return collected(func() (all []books.Device, err error) {
		err = l.view(func(t *txn) { all, err = t.bookings().Free(from, to); t.must(err) })
		return all, err
	})
}

// Clashes are the reservations that this station and others have made for the same time,
// while they did not know of each other.
func (l *Ledger) Clashes() (all []books.Clash, err error) {
	err = l.view(func(t *txn) { all, err = t.bookings().Clashes(); t.must(err) })
	return all, err
}

// collected yields what was read in one transaction.
func collected[T any](read func() ([]T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		all, err := read()
		give(all, err, yield)
	}
}

// LapseReservations ends the reservations that are over, or that nobody came for. It returns
// when the next may; zero for never.
func (l *Ledger) LapseReservations() (next time.Time, err error) {
	for range 2 { // who is next may have it for a shorter time
		var over []booking.Row
		if err := l.view(func(t *txn) { over, next, err = t.bookings().Lapsed(); t.must(err) }); err != nil || len(over) == 0 {
			return next, err
		}
		if err := l.update(func(t *txn) { t.must(t.bookings().Lapse()) }); err != nil {
			return next, err
		}
	}
	return next, nil
}
