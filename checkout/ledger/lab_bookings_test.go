package ledger

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/reservation"
	"stump/internal/books"
)

// lendingLab is a lab of two stations in which devices are lent for two weeks.
func lendingLab(t *testing.T) (b *testLab, a, z *tester) {
	b, a, z = labOfTwo(t)
	for _, x := range []*tester{a, z} {
		x.o.Loans.Length, x.o.Loans.Extensions = 14*oneDay, 5
		x.o.Reservations = reservation.Rules{NoShow: oneDay}
		x.reopen()
	}
	return b, a, z
}

// ids are the ids of the reservations.
func (x *tester) ids() (all []string) {
	x.t.Helper()
	for r, err := range x.Reservations(books.ReservationFilter{}) {
		x.ok(err)
		all = append(all, r.ID)
	}
	return all
}

// clashes is what clashes: "ben ipad 1-3: the iPad is reserved …".
func (x *tester) clashes() string {
	x.t.Helper()
	all, err := x.Clashes()
	x.ok(err)
	var lines []string
	for _, c := range all {
		lines = append(lines, fmt.Sprintf("%s %s: %s", c.PersonID, c.DeviceID+c.Kind, x.reason(c.With)))
	}
	return strings.Join(lines, ", ")
}

func (x *tester) reason(err error) string {
	x.t.Helper()
	var no *reservation.RefusedError
	if !errors.As(err, &no) {
		x.t.Fatalf("%v is no refusal", err)
	}
	return fmt.Sprintf("%s %s %d", no.Reason, no.By, no.Count)
}

// TestLabHasReservations: what was reserved at one station is so at the other, and ends there,
// too, by hand or when the device is fetched.
func TestLabHasReservations(t *testing.T) {
	b, a, z := lendingLab(t)
	a.book("ann", "ipad", 1, 3)
	a.book("ben", "phone", 0.1, 2)
	b.meet(a, z)
	want(t, "there", z.booked(books.ReservationFilter{}), "ben phone 0.1-2, ann ipad 1-3")
	if _, err := z.Reserve(z.wish("cem", "ipad", 2, 4)); err == nil || z.reason(err) != "booked Ann 0" {
		t.Error("twice, at two stations:", err)
	}
	ids := z.ids()
	if len(ids) != 2 || !strings.Contains(ids[1], "@") || strings.Contains(a.ids()[1], "@") {
		t.Fatal("the ids", ids, a.ids())
	}
	for _, id := range []string{a.ids()[1], ids[1] + "0", strings.Split(ids[1], "@")[0] + "@0123456789", "x@" + strings.Split(ids[1], "@")[1], "7@"} {
		var none *books.UnreservedError
		if _, err := z.CancelReservation(id, "", "", "admin", checkout.SourceCLI); !errors.As(err, &none) {
			t.Errorf("the reservation %q: %v", id, err)
		}
	}
	if _, err := z.CancelReservation(ids[1], "ben", "", "ben", checkout.SourceAPI); !errors.Is(err, checkout.ErrRefused) {
		t.Error("somebody else's:", err)
	}
	ev, err := z.CancelReservation(ids[1], "ann", "", "ann", checkout.SourceAPI)
	z.ok(err)
	want(t, "what the event is about", fmt.Sprint(ev.Booking.Seq, "@", ev.Booking.Chain.String()[:8]), ids[1])
	b.meet(a, z)
	want(t, "cancelled, at its own station", a.booked(books.ReservationFilter{}), "ben phone 0.1-2")
	want(t, "and said", a.kinds("reserve cancel"), "reserve ann, reserve ben, cancel ann")

	ev = z.bump(2, 12)
	want(t, "fetched", fmt.Sprint(ev.Booking.Seq, "@", ev.Booking.Chain.String()[:8]), ids[0])
	want(t, "until it is over", ev.Loan.Round(1e9).String(), "48h0m0s")
	b.meet(a, z)
	for _, x := range []*tester{a, z} {
		want(t, "nothing is left", x.booked(books.ReservationFilter{}), "")
		x.sound()
		x.reopen()
		x.sound()
	}
	b.meet(a, z)
	want(t, "news when nothing is new", b.tell(a) || b.tell(z), false)
}

// TestReservedApart: what two stations promise while they are apart is said at both, until one
// of the two is cancelled at either.
func TestReservedApart(t *testing.T) {
	for name, tt := range map[string]struct {
		what   [2]string
		clash  [2]string // at a and z
		cancel int       // 0: a's, 1: z's
	}{
		"a device":             {[2]string{"ipad", "ipad"}, [2]string{"ben ipad: booked Ann 0", "ann ipad: booked Ben 0"}, 0},
		"the other is ended":   {[2]string{"ipad", "ipad"}, [2]string{"ben ipad: booked Ann 0", "ann ipad: booked Ben 0"}, 1},
		"a device and another": {[2]string{"ipad", "pixel"}, [2]string{"", ""}, 0},
		"enough of a kind":     {[2]string{"phone", "phone"}, [2]string{"", ""}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			b, a, z := lendingLab(t)
			a.book("ann", tt.what[0], 1, 3)
			z.book("ben", tt.what[1], 2, 4)
			b.meet(a, z)
			want(t, "at a", a.clashes(), tt.clash[0])
			want(t, "at z", z.clashes(), tt.clash[1])
			for _, x := range []*tester{a, z} {
				x.sound()
				if n := len(x.ids()); n != 2 {
					t.Errorf("%d reservations", n)
				}
			}
			_, err := a.CancelReservation(a.ids()[tt.cancel], "", "", "admin", checkout.SourceCLI)
			a.ok(err)
			b.meet(a, z)
			for _, x := range []*tester{a, z} {
				want(t, "one is cancelled", x.clashes(), "")
				want(t, "the other stays", len(x.ids()), 1)
				x.sound()
			}
		})
	}
}

// TestTooFewApart: of a kind, as many are promised at two stations as there are, and one more.
func TestTooFewApart(t *testing.T) {
	b, a, z := lendingLab(t)
	a.book("ann", "phone", 1, 3)
	a.book("cem", "phone", 1, 3)
	z.book("ben", "phone", 2, 4)
	z.book("cem", "phone", 2, 4)
	b.meet(a, z)
	if got := a.clashes(); !strings.Contains(got, "phone: few") || !strings.HasSuffix(got, " 3") {
		t.Errorf("at a: %q", got)
	}
	a.sound()
	z.sound()
}

// TestLineOfTheLab: who waits at one station gets what comes back at the other, and of two who
// wait at two stations the one who came first.
func TestLineOfTheLab(t *testing.T) {
	b, a, z := lendingLab(t)
	a.bump(1, 11)
	b.meet(a, z)
	z.clock.add(1e9)
	z.book("cem", "ipad", 0, 0)
	a.clock.add(2e9)
	z.clock.add(1e9)
	a.book("ben", "ipad", 0, 0)
	b.meet(a, z)
	want(t, "the line", len(a.ids()), 2)
	back := a.bump(1, 11)
	want(t, "it is back", back.Kind, checkout.Return)
	want(t, "the other station is asked first", a.kinds("ready"), "")
	b.meet(a, z)
	want(t, "told", z.kinds("ready"), "ready cem")
	want(t, "and nobody else", a.kinds("ready"), "")
	want(t, "kept, for both to see", a.booked(books.ReservationFilter{Person: "cem"}), "cem ipad 0-1")
	ev := a.bump(3, 11)
	want(t, "fetched", ev.ReservedBy, "")
	b.meet(a, z)
	want(t, "who is next", a.booked(books.ReservationFilter{})+z.booked(books.ReservationFilter{}), "ben ipad -ben ipad -")
	z.bump(3, 11)
	b.meet(a, z)
	want(t, "their turn", a.kinds("ready"), "ready ben")
	a.sound()
	z.sound()
}

// TestReservationsLeaveTheLab: who leaves or is erased anywhere has reserved nothing, and a
// station that leaves the lab keeps only its own.
func TestReservationsLeaveTheLab(t *testing.T) {
	b, a, z := lendingLab(t)
	a.book("ann", "ipad", 1, 3)
	a.book("ben", "pixel", 1, 3)
	z.book("cem", "nexus", 1, 3)
	b.meet(a, z)
	z.ok(z.RetirePerson("ann", "admin", checkout.SourceCLI))
	b.meet(a, z)
	for _, x := range []*tester{a, z} {
		want(t, "without who left", x.booked(books.ReservationFilter{Person: "ann"}), "")
		want(t, "the others", len(x.ids()), 2)
		x.sound()
	}
	a.deliverAll()
	a.ok(a.ErasePerson("ben", "admin", checkout.SourceCLI))
	b.meet(a, z)
	z.ok(z.EraseGone())
	b.meet(a, z)
	for _, x := range []*tester{a, z} {
		want(t, "without who was erased", x.booked(books.ReservationFilter{}), "cem nexus 1-3")
		x.sound()
	}
	a.ok(a.LeaveLab())
	z.ok(z.LeaveLab())
	want(t, "alone", a.booked(books.ReservationFilter{}), "")
	want(t, "alone", z.booked(books.ReservationFilter{}), "cem nexus 1-3")
	a.sound()
	z.sound()
}

// TestForeignReservationIsOver: another station's reservation that is over goes by itself, in
// case that station does not say so any more.
func TestForeignReservationIsOver(t *testing.T) {
	b, a, z := lendingLab(t)
	a.book("ann", "ipad", 1, 3)
	b.meet(a, z)
	z.clock.add(2*oneDay + oneDay/2)
	_, err := z.LapseReservations()
	z.ok(err)
	want(t, "nobody came, which its own station says", len(z.ids()), 1)
	z.clock.add(oneDay)
	next, err := z.LapseReservations()
	z.ok(err)
	want(t, "over", len(z.ids()), 0)
	want(t, "no event", z.kinds("cancel"), "")
	want(t, "nothing may lapse", next.IsZero(), true)
	z.sound()
}
