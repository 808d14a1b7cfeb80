package ledger

import (
	"errors"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// TestExtendOwn: who has a device extends the loan as often as the rules let them, over a
// restart; an admin's extensions don't count, and the next loan begins anew.
func TestExtendOwn(t *testing.T) {
	x := newLedger(t)
	x.o.Loans.Length, x.o.Loans.Extensions = 24*time.Hour, 1
	x.reopen()
	x.bump(1, 11) // ann
	own := func(who string) (checkout.Event, error) {
		return x.Extend(books.Request{Device: "ipad", Actor: who, Own: who, Source: checkout.SourceWeb})
	}
	refused := func(why string, err error) {
		t.Helper()
		if !errors.Is(err, checkout.ErrRefused) || !strings.Contains(err.Error(), why) {
			t.Errorf("%v, want %s", err, why)
		}
	}
	due := func() string {
		for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall}) {
			x.ok(err)
			return l.Due.Format("02T15:04")
		}
		return "nobody has it"
	}
	before := due()
	_, err := own("ben")
	refused("somebody else has The ipad", err)
	want(t, "due, still", due(), before)

	_, err = x.Extend(books.Request{Device: "ipad", Actor: "root"})
	x.ok(err)
	ev, err := own("ann")
	x.ok(err)
	want(t, "the event", string(ev.Kind)+" "+ev.Person+" "+ev.Actor+" "+ev.Due.Format("02T15:04"), "extend ann ann "+due())
	want(t, "in words", *books.Entry{Event: ev}.JSON().Note, "due: "+ev.Due.Format(time.RFC3339))
	x.reopen()
	_, err = own("ann")
	refused("extended 1 time already", err)
	x.verify()
	was := due()
	x.ok(x.Close())
	x.salvaged() // a replay of the events gives the same
	want(t, "due after a salvage", due(), was)

	x.bump(2, 11) // to ben
	_, err = own("ben")
	x.ok(err)
	x.verify()
}

// TestExtensionsAreForgotten: with a loan that ended long ago goes who extended it.
func TestExtensionsAreForgotten(t *testing.T) {
	x := newLedger(t)
	x.o.Loans.Length, x.o.Loans.Extensions = 24*time.Hour, 9
	x.reopen()
	x.bump(1, 11)
	for range 2 {
		_, err := x.Extend(books.Request{Device: "ipad", Actor: "ann", Own: "ann", Note: "for Ann"})
		x.ok(err)
	}
	x.bump(1, 11)
	x.bump(1, 12)
	_, err := x.Extend(books.Request{Device: "pixel", Actor: "ann", Own: "ann", Note: "for Ann, still"})
	x.ok(err)
	x.deliverAll()
	x.clock.wall = x.clock.wall.Add(100 * 24 * time.Hour)
	_, err = x.Anonymise(t.Context(), x.clock.wall.Add(-time.Hour))
	x.ok(err)
	want(t, "of the ipad", strings.Contains(x.people("ipad"), "ann"), false)
	want(t, "of the pixel, which she has", strings.Contains(x.people("pixel"), "ann"), true)
	for e, err := range x.History(books.HistoryFilter{Device: "ipad"}) {
		x.ok(err)
		if e.Person != "" || e.Actor == "ann" || e.Note != "" {
			t.Errorf("%s by %q of %q: %q", e.Kind, e.Actor, e.Person, e.Note)
		}
	}
	x.verify()
}
