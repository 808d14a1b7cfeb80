package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/checkout/reservation"
	"stump/internal/books"
)

const oneDay = 24 * time.Hour

// lending is a ledger in which devices are lent for two weeks, and wait a day.
func lending(t testing.TB) *tester {
	x := newLedger(t)
	x.o.Loans.Length, x.o.Loans.Extensions = 14*oneDay, 5
	x.o.Reservations = reservation.Rules{NoShow: oneDay}
	x.reopen()
	return x
}

// in is a time to come, in days.
func (x *tester) in(days float64) time.Time {
	return x.clock.wall.Add(time.Duration(days * float64(oneDay))).Truncate(time.Second)
}

// wish is for a device, or for a kind if there is no such device; 0 to 0 is the line.
func (x *tester) wish(person, what string, from, to float64) books.Booking {
	w := books.Booking{Device: what, Person: person, Actor: "admin", Source: checkout.SourceCLI}
	if what == "phone" {
		w.Device, w.Kind = "", what
	}
	if to != 0 {
		w.From, w.To = x.in(from), x.in(to)
	}
	return w
}

// book reserves what must be free.
func (x *tester) book(person, what string, from, to float64) (id string) {
	x.t.Helper()
	made, err := x.Reserve(x.wish(person, what, from, to))
	x.ok(err)
	return made[0].ID
}

// booked is what is reserved: "ben ipad 1-3", in days from now; "-" for the line.
func (x *tester) booked(f books.ReservationFilter) string {
	x.t.Helper()
	var all []string
	for r, err := range x.Reservations(f) {
		x.ok(err)
		when := "-"
		if !r.From.IsZero() {
			days := func(t time.Time) float64 { return float64(int(t.Sub(x.clock.wall).Hours()/24*10+0.5)) / 10 }
			when = fmt.Sprintf("%g-%g", days(r.From), days(r.To))
		}
		all = append(all, fmt.Sprintf("%s %s %s", r.PersonID, r.DeviceID+r.Kind, when))
	}
	return strings.Join(all, ", ")
}

func (x *tester) kinds(of string) string {
	x.t.Helper()
	var all []string
	for e, err := range x.History(books.HistoryFilter{}) {
		x.ok(err)
		if strings.Contains(of, string(e.Kind)) {
			all = append(all, fmt.Sprint(e.Kind, " ", e.Person))
		}
	}
	return strings.Join(all, ", ")
}

// TestReserve: what is reserved is listed until it is cancelled, over restarts.
func TestReserve(t *testing.T) {
	x := lending(t)
	want(t, "nothing", x.booked(books.ReservationFilter{}), "")
	x.book("ben", "ipad", 3, 5)
	kind := x.book("cem", "phone", 1, 2)
	x.book("ann", "The ipad", 1, 3)
	x.book("ann", "pixel", 0, 0) // it is there, and kept
	x.reopen()
	all := "ann pixel 0-1, cem phone 1-2, ann ipad 1-3, ben ipad 3-5"
	want(t, "all", x.booked(books.ReservationFilter{}), all)
	want(t, "of Ann", x.booked(books.ReservationFilter{Person: "Ann"}), "ann pixel 0-1, ann ipad 1-3")
	want(t, "of the iPad", x.booked(books.ReservationFilter{Device: "ipad"}), "ann ipad 1-3, ben ipad 3-5")
	want(t, "of a kind", x.booked(books.ReservationFilter{Kind: "phone"}), "cem phone 1-2")
	want(t, "found by a name", x.booked(books.ReservationFilter{Page: books.Page{Find: "pix"}}), "ann pixel 0-1")
	first := books.Page{Limit: 2}
	var pages []string
	for {
		last := ""
		for r, err := range x.Reservations(books.ReservationFilter{Page: first}) {
			x.ok(err)
			pages, last = append(pages, r.PersonID), r.Key()
		}
		if last == "" {
			break
		}
		first.After = last
	}
	want(t, "in pages", strings.Join(pages, " "), "ann cem ann ben")
	x.verify()

	for why, w := range map[string]books.Booking{
		"is reserved for Ben from":    x.wish("cem", "ipad", 4, 6),
		"before it begins":            x.wish("cem", "ipad", 6, 5),
		"of the kind \"tablet\"":      {Kind: "tablet", Person: "cem", Actor: "admin", From: x.in(1), To: x.in(2)},
		"one of the times is missing": {Device: "ipad", Person: "cem", Actor: "admin", From: x.in(1)},
	} {
		if _, err := x.Reserve(w); !errors.Is(err, checkout.ErrRefused) || !strings.Contains(err.Error(), why) {
			t.Errorf("%+v: %v, want %s", w, err, why)
		}
	}
	if _, err := x.Reserve(x.wish("eve", "ipad", 8, 9)); !errors.Is(err, books.ErrNotFound) {
		t.Error("for nobody:", err)
	}
	if _, err := x.CancelReservation(kind, "ben", "", "ben", checkout.SourceWeb); !errors.Is(err, checkout.ErrRefused) {
		t.Error("that of another:", err)
	}
	ev, err := x.CancelReservation(kind, "cem", "no need", "cem", checkout.SourceWeb)
	x.ok(err)
	want(t, "the event", fmt.Sprint(ev.Kind, " ", ev.Person, " ", ev.Actor, " ", ev.Booking.Kind), "cancel cem cem phone")
	for _, id := range []string{kind, "99", "x", ""} {
		if _, err := x.CancelReservation(id, "", "", "admin", checkout.SourceCLI); !errors.Is(err, books.ErrNotFound) {
			t.Errorf("%q: %v", id, err)
		}
	}
	x.verify()
	x.clock.trusted = false
	if _, err := x.Reserve(x.wish("cem", "ipad", 8, 9)); err == nil || !strings.Contains(err.Error(), "does not know the time") {
		t.Error("while the time is not known:", err)
	}
}

// TestReserveWeekly makes all or none.
func TestReserveWeekly(t *testing.T) {
	x := lending(t)
	w := x.wish("ben", "ipad", 1, 2)
	w.Weekly = x.in(15.5)
	made, err := x.Reserve(w)
	x.ok(err)
	want(t, "three weeks", x.booked(books.ReservationFilter{}), "ben ipad 1-2, ben ipad 8-9, ben ipad 15-16")
	want(t, "made", fmt.Sprint(len(made), made[2].From.Equal(made[0].From.AddDate(0, 0, 14))), "3 true")
	w = x.wish("cem", "ipad", 3, 9)
	w.Weekly = x.in(30)
	if _, err := x.Reserve(w); !errors.Is(err, checkout.ErrRefused) {
		t.Error(err)
	}
	want(t, "none of them", x.booked(books.ReservationFilter{Person: "cem"}), "")
	x.verify()
}

// TestReservedBump has the table of docs/loans.md: Ben has reserved the iPad, and somebody
// bumps it.
func TestReservedBump(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to float64 // of Ben's reservation
		person   int
		policy   checkout.ReservedPolicy
		want     string // the event, for whom it is reserved, for how long it is lent, what is left
	}{
		"from the fifth day":          {5, 7, 1, checkout.ReservedWarn, "checkout for Ben, 5 days, ben ipad 5-7"},
		"without a policy":            {5, 7, 1, "", "checkout for Ben, 5 days, ben ipad 5-7"},
		"after the loan":              {20, 21, 1, checkout.ReservedRefuse, "checkout for , 14 days, ben ipad 20-21"},
		"from the fifth day, refused": {5, 7, 1, checkout.ReservedRefuse, "refused: The ipad is reserved for Ben from, 0 days, ben ipad 5-7"},
		"now":                         {0, 7, 1, checkout.ReservedWarn, "checkout for Ben, 14 days, ben ipad 0-7"},
		"now, refused":                {0, 7, 1, checkout.ReservedRefuse, "refused: The ipad is reserved for Ben from, 0 days, ben ipad 0-7"},
		"by who bumps it":             {0, 7, 2, checkout.ReservedRefuse, "checkout for , 7 days, "},
		"by who comes early":          {0.4, 7, 2, checkout.ReservedRefuse, "checkout for , 7 days, "},
		"by who comes much earlier":   {3, 7, 2, checkout.ReservedRefuse, "checkout for , 14 days, ben ipad 3-7"},
	} {
		x := lending(t)
		x.book("ben", "ipad", tt.from, tt.to)
		ev, err := x.Complete(checkout.Completion{Person: x.subject(tt.person), Device: x.subject(11), Reserved: tt.policy, Reader: "door"})
		got := fmt.Sprint(ev.Kind, " for ", ev.ReservedBy)
		var no *checkout.RefusedError
		if errors.As(err, &no) {
			got, _, _ = strings.Cut(no.Error(), " from")
			got += " from"
			if no.ReservedBy != "Ben" {
				t.Errorf("%s: %+v", name, no)
			}
		} else {
			x.ok(err)
		}
		got = fmt.Sprintf("%s, %d days, %s", got, int(ev.Loan.Hours()/24+0.5), x.booked(books.ReservationFilter{}))
		want(t, name, got, tt.want)
		x.verify()
		if err == nil { // a reservation that is fulfilled is, and stays so
			x.reopen()
			want(t, name+", later", x.booked(books.ReservationFilter{}), tt.want[strings.LastIndex(tt.want, ", ")+2:])
		}
	}
}

// TestLoanUntilReserved ends in the second in which the reservation begins.
func TestLoanUntilReserved(t *testing.T) {
	x := lending(t)
	x.book("ben", "ipad", 5, 7)
	x.clock.add(999 * time.Millisecond)
	x.bump(1, 11)
	for r, err := range x.Reservations(books.ReservationFilter{}) {
		x.ok(err)
		for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall}) {
			x.ok(err)
			want(t, "due", l.Due.UTC().String(), r.From.UTC().String())
		}
	}
	_, err := x.Extend(books.Request{Device: "ipad", Actor: "admin"})
	if !errors.Is(err, checkout.ErrRefused) || !strings.Contains(err.Error(), "reserved for Ben") {
		t.Error("over a reservation:", err)
	}
	_, err = x.Give(books.Request{Device: "ipad", Person: "cem", Actor: "admin", Due: x.in(6)})
	if !errors.Is(err, checkout.ErrRefused) || !strings.Contains(err.Error(), "reserved for Ben") {
		t.Error("given over a reservation:", err)
	}
	_, err = x.Give(books.Request{Device: "ipad", Person: "cem", Actor: "admin", Due: x.in(4)})
	x.ok(err)
	if _, err = x.Extend(books.Request{Device: "ipad", Actor: "admin"}); err != nil {
		t.Error("as far as it is free:", err)
	}
	if _, err := x.Reserve(x.wish("ann", "ipad", 3, 4)); err == nil || !strings.Contains(err.Error(), "is with Cem until") {
		t.Error("what is out:", err)
	}
	x.verify()
}

// TestReservedKind: three phones, two of them reserved from the fifth day.
func TestReservedKind(t *testing.T) {
	x := lending(t)
	x.book("ben", "phone", 5, 7)
	x.book("cem", "phone", 5, 7)
	ev := x.bump(1, 11)
	want(t, "one can go", fmt.Sprint(ev.ReservedBy, ev.Loan), "336h0m0s")
	ev = x.bump(1, 12)
	want(t, "not two", fmt.Sprint(ev.ReservedBy, " ", int(ev.Loan.Hours()/24+0.5)), "Ben 5")
	_, err := x.Reserve(x.wish("ann", "phone", 6, 8))
	if !errors.Is(err, checkout.ErrRefused) || !strings.Contains(err.Error(), "there are 3 devices, reserved then, too: by Ben from") {
		t.Error("a third:", err)
	}
	x.clock.add(5 * oneDay)
	ev = x.bump(2, 13) // Ann is late with one, but Ben is not to wait for that
	want(t, "for whom it is", fmt.Sprint(ev.ReservedBy, int(ev.Loan.Hours()/24+0.5)), "2")
	want(t, "what is left", x.booked(books.ReservationFilter{}), "cem phone 0-2")
	x.verify()
}

// TestLine: who waits is told when the device is back, and it is kept for a day; then the
// next is told.
func TestLine(t *testing.T) {
	x := lending(t)
	x.bump(1, 11)
	x.book("ben", "ipad", 0, 0)
	x.book("cem", "phone", 0, 0) // the others are there
	want(t, "a phone is kept", x.booked(books.ReservationFilter{Person: "cem"}), "cem nexus 0-1")
	x.bump(3, 13)
	x.book("cem", "ipad", 0, 0)
	if _, err := x.Reserve(x.wish("ben", "ipad", 0, 0)); !errors.Is(err, checkout.ErrRefused) {
		t.Error("twice:", err)
	}
	if _, err := x.Reserve(x.wish("ann", "ipad", 0, 0)); !errors.Is(err, checkout.ErrRefused) {
		t.Error("what she has:", err)
	}
	want(t, "the line", x.booked(books.ReservationFilter{}), "ben ipad -, cem ipad -")
	x.bump(1, 11)
	want(t, "back", x.booked(books.ReservationFilter{}), "cem ipad -, ben ipad 0-1")
	want(t, "told", x.kinds("ready"), "ready cem, ready ben")
	x.verify()
	next, err := x.LapseReservations()
	x.ok(err)
	want(t, "may lapse next", fmt.Sprint(next.Sub(x.clock.wall).Round(time.Hour)), "24h0m0s")
	x.clock.add(oneDay)
	_, err = x.LapseReservations()
	x.ok(err)
	want(t, "nobody came", x.booked(books.ReservationFilter{}), "cem ipad 0-1")
	want(t, "told next", x.kinds("ready cancel"), "ready cem, ready ben, cancel ben, ready cem")
	ev := x.bump(3, 11)
	want(t, "for as long as usual", ev.Loan.String(), "336h0m0s")
	want(t, "nobody waits", x.booked(books.ReservationFilter{}), "")
	x.verify()

	x.book("ben", "ipad", 0, 0)
	x.ok(x.RetirePerson("ann", "admin", checkout.SourceCLI))
	x.ok(x.RetirePerson("ben", "admin", checkout.SourceCLI))
	want(t, "who has left", x.booked(books.ReservationFilter{}), "")
	x.verify()
}

// TestWaitsForReserved: who has reserved what is late is told when it is back, and has
// a day from then.
func TestWaitsForReserved(t *testing.T) {
	x := lending(t)
	x.bump(1, 11)
	x.book("ben", "ipad", 14.1, 20)
	x.clock.add(16 * oneDay) // Ann is late
	_, err := x.LapseReservations()
	x.ok(err)
	want(t, "it waits", x.booked(books.ReservationFilter{}), "ben ipad -1.8-4")
	x.bump(1, 11)
	want(t, "told", x.kinds("ready"), "ready ben")
	x.clock.add(23 * time.Hour)
	_, err = x.LapseReservations()
	x.ok(err)
	want(t, "for a day", x.booked(books.ReservationFilter{}), "ben ipad -2.8-3")
	x.clock.add(2 * time.Hour)
	_, err = x.LapseReservations()
	x.ok(err)
	want(t, "not longer", x.booked(books.ReservationFilter{}), "")
	x.verify()
}

// TestReservationsOfWhoGoes: a merge, an erasure and retention keep to the events.
func TestReservationsOfWhoGoes(t *testing.T) {
	x := lending(t)
	x.book("ben", "ipad", 1, 3)
	x.book("cem", "pixel", 1, 3)
	_, err := x.MergePeople("cem", "ann", "admin", checkout.SourceCLI)
	x.ok(err)
	want(t, "merged", x.booked(books.ReservationFilter{Person: "ann"}), "ann pixel 1-3")
	x.verify()
	x.deliverAll()
	x.ok(x.ErasePerson("ben", "admin", checkout.SourceCLI))
	want(t, "erased", x.booked(books.ReservationFilter{}), "ann pixel 1-3")
	x.verify()
	x.ok(x.RetireDevice("pixel", "admin", checkout.SourceCLI))
	want(t, "without a device", x.booked(books.ReservationFilter{}), "")
	x.verify()
}

// TestRetainReservations: long after a reservation has ended nobody knows whose it was, and
// one that has not is as it was.
func TestRetainReservations(t *testing.T) {
	x := lending(t)
	x.book("ben", "pixel", 60, 61)
	gone := x.book("ben", "ipad", 1, 3)
	x.book("ben", "nexus", 1, 3)
	x.book("ben", "ipad", 0.1, 0.9)
	x.bump(2, 11) // fulfils it
	x.bump(2, 11)
	_, err := x.CancelReservation(gone, "", "for Ben", "admin", checkout.SourceCLI)
	x.ok(err)
	x.clock.add(2 * oneDay)
	_, err = x.LapseReservations() // of the nexus
	x.ok(err)
	x.clock.add(30 * oneDay)
	_, err = x.Anonymise(t.Context(), x.clock.wall)
	x.ok(err)
	left := 0
	for e, err := range x.History(books.HistoryFilter{}) {
		x.ok(err)
		if e.Person == "ben" && strings.Contains("reserve cancel checkout return ready", string(e.Kind)) {
			left++
			want(t, "what is left", fmt.Sprint(e.Kind, " ", e.Device), "reserve pixel")
		}
	}
	want(t, "events left", fmt.Sprint(left), "1")
	want(t, "still reserved", x.booked(books.ReservationFilter{}), "ben pixel 28-29")
	x.verify()
}

// TestSalvageReservations: they come from the events; where those are lost, from the rows.
func TestSalvageReservations(t *testing.T) {
	x, lost := lending(t), []record.Ref(nil)
	x.book("ben", "ipad", 1, 3)
	ended := x.book("cem", "pixel", 1, 3)
	x.bump(1, 13)
	_, err := x.CancelReservation(ended, "", "", "admin", checkout.SourceCLI)
	x.ok(err)
	x.bump(2, 13)
	x.book("ann", "phone", 2, 4)
	x.bump(3, 13)
	x.ok(x.update(func(t *txn) { // the events of cem's cancellation and ann's reservation are lost
		t.events(record.Ref{}, func(at record.Ref, raw []byte) bool {
			if ev, _ := record.Decode(raw); ev.Kind == checkout.Cancel || ev.Kind == checkout.Reserve && ev.Person == "ann" {
				lost = append(lost, at)
			}
			return true
		})
		for _, at := range lost {
			t.must(t.bucket(record.TreeEvents).Delete(record.EventKey(at)))
		}
	}))
	x.ok(x.Close())
	s := x.salvaged()
	want(t, "lost", len(numbersOf(s.Lost)), 2)
	want(t, "salvaged", x.booked(books.ReservationFilter{}), "ben ipad 1-3, ann phone 2-4")
	x.verify()
}

// TestRestoreReservations: what was erased since does not come back, and what was reserved is.
func TestRestoreReservations(t *testing.T) {
	x := lending(t)
	x.book("ben", "ipad", 1, 3)
	x.book("cem", "pixel", 1, 3)
	x.deliverAll()
	backup := x.copyOf()
	x.ok(x.ErasePerson("ben", "admin", checkout.SourceCLI))
	x.book("ann", "nexus", 1, 3)
	x.restored(backup, RestoreOptions{Actor: "admin"})
	want(t, "restored", x.booked(books.ReservationFilter{}), "cem pixel 1-3")
	x.verify()
}

// TestReservationsAgainstModel compares the rows, by way of all checks, with what the events
// say, and the loans with what is reserved: nothing is promised twice.
func TestReservationsAgainstModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		x := lending(t)
		people, things := []string{"ann", "ben", "cem"}, []string{"ipad", "pixel", "nexus", "phone"}
		for range rapid.IntRange(1, 12).Draw(rt, "steps") {
			person := rapid.IntRange(0, 2).Draw(rt, "person")
			switch rapid.IntRange(0, 7).Draw(rt, "what") {
			case 0:
				x.clock.add(time.Duration(rapid.IntRange(1, 60).Draw(rt, "hours")) * time.Hour)
				_, err := x.LapseReservations()
				x.ok(err)
			case 1, 2, 3:
				from := rapid.IntRange(0, 10).Draw(rt, "from")
				to := rapid.IntRange(0, 5).Draw(rt, "for")
				_, err := x.Reserve(x.wish(people[person], rapid.SampledFrom(things).Draw(rt, "thing"), float64(from), float64((from+1)*min(1, to)+to)))
				if err != nil && !errors.Is(err, checkout.ErrRefused) {
					rt.Fatal(err)
				}
			case 4:
				for r, err := range x.Reservations(books.ReservationFilter{Person: people[person]}) {
					x.ok(err)
					_, err = x.CancelReservation(r.ID, "", "", "admin", checkout.SourceCLI)
					x.ok(err)
					break
				}
			case 5:
				x.reopen()
			default:
				_, err := x.Complete(checkout.Completion{Person: x.subject(person + 1), Device: x.subject(rapid.IntRange(11, 13).Draw(rt, "device")),
					Reserved: checkout.ReservedRefuse, Reader: "door"})
				if err != nil && !errors.Is(err, checkout.ErrRefused) {
					rt.Fatal(err)
				}
			}
			if why := x.doubled(); why != "" {
				rt.Fatal(why)
			}
			_, err := x.LapseReservations()
			x.ok(err)
			from := x.clock.wall.Truncate(time.Second).Add(time.Duration(rapid.IntRange(1, 300).Draw(rt, "free from")) * time.Hour)
			to := from.Add(time.Duration(rapid.IntRange(1, 150).Draw(rt, "free for")) * time.Hour)
			free := map[string]bool{}
			for d, err := range x.Free(from, to) {
				x.ok(err)
				free[d.ID] = true
			}
			for _, id := range things[:3] {
				if can := x.couldReserve(id, from, to); can != free[id] {
					rt.Fatalf("%s from %v to %v: could be reserved %v, is free %v", id, from, to, can, free[id])
				}
			}
		}
		if r, err := x.Verify(t.Context(), VerifyOptions{}); err != nil || !r.OK() {
			rt.Fatal(r, err)
		}
	})
}

// couldReserve reports whether a device can be reserved, and does not.
func (x *tester) couldReserve(device string, from, to time.Time) bool {
	undone := errors.New("undone")
	err := x.update(func(t *txn) {
		_, err := t.bookings().Reserve(books.Booking{Device: device, Person: "cem", Actor: "admin", From: from, To: to})
		t.must(err)
		t.fail(undone)
	})
	if !errors.Is(err, undone) && !errors.Is(err, checkout.ErrRefused) {
		x.t.Fatal(err)
	}
	return errors.Is(err, undone)
}

// doubled is what is promised twice by name, "" for nothing.
func (x *tester) doubled() string {
	last := map[string]books.Reservation{}
	for r, err := range x.Reservations(books.ReservationFilter{}) {
		x.ok(err)
		if r.DeviceID == "" || r.From.IsZero() {
			continue
		}
		if o := last[r.DeviceID]; o.To.After(r.From) {
			return fmt.Sprintf("%+v and %+v", o, r)
		}
		last[r.DeviceID] = r
		for l, err := range x.Loans(books.LoanFilter{Device: r.DeviceID, Now: x.clock.wall}) {
			x.ok(err)
			if l.PersonID != r.PersonID && !l.Overdue && r.From.Before(l.Due) {
				return fmt.Sprintf("%+v, lent to %s until %v", r, l.PersonID, l.Due)
			}
		}
	}
	return ""
}
