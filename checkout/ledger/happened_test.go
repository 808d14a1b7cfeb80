package ledger

import (
	"errors"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// TestHappened: what an admin enters later counts from when it happened, and the event
// keeps its own time.
func TestHappened(t *testing.T) {
	x := newLedger(t)
	x.o.Loans.Length = 14 * 24 * time.Hour
	x.reopen()
	day := func(n int) time.Time { return time.Date(2026, 11, n, 9, 0, 0, 0, time.UTC) }
	give := books.Request{Device: "ipad", Person: "ann", Actor: "admin", At: day(19)}
	ev, err := x.Give(give)
	x.ok(err)
	want(t, "its own time", ev.At.Wall.Format(time.DateOnly), "2026-11-21")
	want(t, "in its note", *books.Entry{Event: ev}.JSON().Note, "at: 2026-11-19T09:00:00Z")
	loan := func() (l books.Loan) {
		t.Helper()
		for l, err := range x.Loans(books.LoanFilter{Now: x.clock.wall}) {
			x.ok(err)
			return l
		}
		return l
	}
	for range 2 {
		l := loan()
		want(t, "since", l.Since.Equal(day(19)), true)
		want(t, "due", l.Due.Equal(day(33)), true)
		want(t, "known", l.ClockTrusted, true)
		x.verify()
		x.suspected() // a replay of the events gives the same
		x.ok(x.Close())
		x.salvaged()
	}
	rows := rowsFor(t, x.Ledger, "dir")
	want(t, "the directory hears when", rows[0].Event.At.Wall.Equal(day(19)), true)

	for name, tt := range map[string]struct {
		do  func(books.Request) (checkout.Event, error)
		r   books.Request
		why string
	}{
		"in the future":       {x.Return, books.Request{Device: "ipad", At: day(23)}, "refused: 2026-11-23T09:00:00Z is in the future"},
		"before it was given": {x.Return, books.Request{Device: "ipad", At: day(18)}, "refused: The ipad changed hands later than that, at 2026-11-19T09:00:00Z"},
		"due before":          {x.Give, books.Request{Device: "pixel", Person: "ann", At: day(19), Due: day(18)}, "refused: the due date 2026-11-18T09:00:00Z is before the loan"},
	} {
		tt.r.Actor = "admin"
		if _, err := tt.do(tt.r); !errors.Is(err, checkout.ErrRefused) || err.Error() != tt.why || hint.Of(err) == "" {
			t.Errorf("%s: %v (%s)", name, err, hint.Of(err))
		}
	}
	_, err = x.Return(books.Request{Device: "ipad", Actor: "admin", At: day(20)})
	x.ok(err)
	_, err = x.Give(books.Request{Device: "ipad", Person: "ben", Actor: "admin", At: day(20), Due: day(20).Add(time.Hour)})
	x.ok(err)
	l := loan()
	want(t, "a due date of its own, in the past", l.Due.Equal(day(20).Add(time.Hour)) && l.Overdue, true)
	want(t, "bumped since", x.bump(2, 11).Kind, checkout.Return)
	x.verify()

	x.clock.trusted = false
	if _, err := x.Give(books.Request{Device: "nexus", Person: "ann", Actor: "admin", Due: day(30)}); !errors.Is(err, checkout.ErrRefused) {
		t.Errorf("a due date without a clock: %v", err)
	}
	_, err = x.Give(books.Request{Device: "nexus", Person: "ann", Actor: "admin", At: day(25), Due: day(30)})
	x.ok(err)
	want(t, "known without a clock", loan().ClockTrusted, true)
	x.verify()
	var stored record.Event
	x.ok(x.view(func(t *txn) { seq, _ := t.head(t.l.own); stored = t.event(record.At(t.l.own, seq)) }))
	want(t, "stored", stored.Happened.Equal(day(25)), true)
}
