package ledger

import (
	"fmt"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/reservation"
	"stump/internal/books"
)

// benchReserved is a ledger with n reservations of 400 devices of 10 kinds, half of them by
// name, over two years.
func benchReserved(b *testing.B, n int) *tester {
	b.Helper()
	x := newEmptyLedger(b)
	x.o.Loans.Length, x.o.Reservations, x.o.Sinks = 14*oneDay, reservation.Rules{NoShow: oneDay}, nil
	x.reopen()
	x.ok(x.AddPerson(books.Person{ID: "ann", Name: "Ann"}, tag(1), "admin", checkout.SourceCLI))
	x.ok(x.AddPerson(books.Person{ID: "ben", Name: "Ben"}, tag(2), "admin", checkout.SourceCLI))
	for i := range 400 {
		x.ok(x.AddDevice(books.Device{ID: fmt.Sprintf("d%03d", i), Name: "Device", Kind: fmt.Sprint("kind ", i%10)}, tag(1000+i), "admin", checkout.SourceCLI))
	}
	x.ok(x.update(func(t *txn) { // in one transaction
		for i := range n {
			from := x.clock.wall.Add(time.Duration(24+i*17520/max(n, 1)) * time.Hour)
			w := books.Booking{Device: fmt.Sprintf("d%03d", i*7%400), Person: "ben", Actor: "admin", From: from, To: from.Add(48 * time.Hour)}
			if i%2 == 0 {
				w.Device, w.Kind = "", fmt.Sprint("kind ", i/2%10)
			}
			_, err := t.bookings().Reserve(w)
			t.must(err)
		}
	}))
	return x
}

// BenchmarkReservations has what is asked of 10,000 reservations, and what they cost a tap.
func BenchmarkReservations(b *testing.B) {
	x := benchReserved(b, 10_000)
	b.Run("next", func(b *testing.B) {
		for b.Loop() {
			for _, err := range x.Reservations(books.ReservationFilter{Device: "d007", Page: books.Page{Limit: 1}}) {
				x.ok(err)
			}
		}
	})
	b.Run("free on a Friday", func(b *testing.B) {
		for b.Loop() {
			for _, err := range x.Free(x.in(300), x.in(301)) {
				x.ok(err)
			}
		}
	})
	for _, n := range []int{0, 10_000} {
		b.Run(fmt.Sprintf("tap beside %d", n), func(b *testing.B) {
			x := benchReserved(b, n)
			s, person := x.subject(1007), x.subject(1)
			for b.Loop() {
				x.clock.add(10 * time.Second)
				_, err := x.Complete(checkout.Completion{Person: person, Device: s, Reader: "door"})
				x.ok(err)
			}
		})
	}
}
