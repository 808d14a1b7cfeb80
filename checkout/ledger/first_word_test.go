package ledger

import (
	"fmt"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// TestFirstWord: the directory's word counts where the device never moved before the
// event, nor since; then an event of the directory gives the device back, once.
func TestFirstWord(t *testing.T) {
	for _, c := range []struct {
		name  string
		bumps int // before the event that the directory answered
		later int // after it
		taken bool
		lost  bool // an admin had marked it lost and found before
	}{
		{name: "first", taken: true},
		{name: "moved before", bumps: 2},
		{name: "moved since", later: 1},
		{name: "came back and went out since", later: 2},
		{name: "found before", lost: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			x := newLedgerWith(t, DirectorySink, "hook")
			x.bump(1, 12) // another device proves nothing
			if c.lost {
				_, err := x.Lose(books.Request{Device: "ipad", Actor: "admin"})
				x.ok(err)
				_, err = x.Find(books.Request{Device: "ipad", Actor: "admin"})
				x.ok(err)
			}
			for range c.bumps {
				x.bump(1, 11)
			}
			ev := x.bump(1, 11)
			for range c.later {
				x.bump(1, 11)
			}
			before, hook := x.who(), len(rowsFor(t, x.Ledger, "hook"))
			taken, err := x.FirstWord(DirectorySink, record.At(1, ev.Seq), "")
			x.ok(err)
			want(t, "taken", taken, c.taken)
			_, err = x.OutboxOf(DirectorySink, record.At(1, ev.Seq))
			want(t, "the row is gone", err != nil, c.taken)
			if !c.taken {
				want(t, "who", x.who(), before)
				return
			}
			want(t, "who", x.who(), "pixel=ann")
			last := x.newest(t)
			want(t, "event", fmt.Sprint(last.Kind, last.Person, last.Actor, last.Source, last.Base.Seq == ev.Seq), fmt.Sprint(checkout.Return, "ann", DirectorySink, checkout.SourceSync, true))
			want(t, "told to the webhook", len(rowsFor(t, x.Ledger, "hook")), hook+1)
			for _, r := range rowsFor(t, x.Ledger, DirectorySink) {
				want(t, "told to the directory", r.Event.Device, "pixel")
			}
			taken, err = x.FirstWord(DirectorySink, record.At(1, ev.Seq), "")
			x.ok(err)
			want(t, "twice", taken, false)
			want(t, "the next bump", x.bump(2, 11).Kind, checkout.Checkout)
		})
	}
}

// A device that had an unknown tag when it moved is found under the id that it has now,
// with what it did before.
func TestFirstWordOfPendingDevice(t *testing.T) {
	for _, before := range []int{0, 2} {
		x := newLedgerWith(t, DirectorySink)
		for range before {
			x.bump(1, 13)
		}
		stray := checkout.Subject{Kind: checkout.KindDevice, Tag: tag(77), Pending: true}
		ev, err := x.Complete(checkout.Completion{Person: x.subject(1), Device: stray})
		x.ok(err)
		_, err = x.Sync([]books.SyncRow{{Kind: checkout.KindDevice, ID: "nexus", Name: "The nexus", Tag: tag(77)}}, DirectorySink, checkout.SourceSync)
		x.ok(err)
		want(t, "who", x.who(), "nexus=ann")
		taken, err := x.FirstWord(DirectorySink, record.At(1, ev.Seq), "")
		x.ok(err)
		want(t, fmt.Sprint("taken after ", before), fmt.Sprint(taken, x.who() == ""), fmt.Sprint(before == 0, before == 0))
	}
}

// newLedgerWith is newLedger with other sinks.
func newLedgerWith(t *testing.T, sinks ...string) *tester {
	t.Helper()
	x := newLedger(t)
	x.Close()
	x.o.Sinks = sinks
	l, err := Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	return x
}

// newest is the newest event.
func (x *tester) newest(t *testing.T) (last books.Entry) {
	t.Helper()
	for e, err := range x.History(books.HistoryFilter{Kind: books.AnyKind}) {
		x.ok(err)
		last = e
	}
	return last
}
