package ledger

import (
	"context"
	"errors"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// endsAfter is a context that ends when it has been asked so many times.
type endsAfter struct {
	context.Context
	times int
}

func (e *endsAfter) Err() error {
	if e.times--; e.times < 0 {
		return context.Canceled
	}
	return nil
}

// A station that is to stop does not finish a scrub first: wherever it is broken
// off, the ledger is as it was, and the scrub is still due.
func TestScrubGivesUp(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(1, 11)
	x.bump(2, 12)
	x.deliverAll()
	x.ok(x.ErasePerson("ann", "admin", checkout.SourceCLI))
	who, tries := x.who(), 0
	for ; ; tries++ {
		err := x.Scrub(&endsAfter{t.Context(), tries})
		if err == nil {
			break
		}
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("after %d reads: %v", tries, err)
		}
		due, err := x.ScrubDue()
		x.ok(err)
		want(t, "scrub due", due, true)
		want(t, "who", x.who(), who)
	}
	if tries < len(record.Trees) {
		t.Errorf("the scrub looked %d times whether it is to stop", tries)
	}
	due, err := x.ScrubDue()
	x.ok(err)
	want(t, "scrub due", due, false)
	x.verify()
}
