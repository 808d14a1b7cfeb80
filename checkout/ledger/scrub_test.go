package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/boltpages"
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
	// Many pages that are free then.
	id := func(i int) string { return fmt.Sprintf("secret-%04d", i) }
	x.ok(x.update(func(t *txn) {
		for i := range 3000 {
			t.putRow(record.TreePeople, id(i), &record.Row{Name: strings.Repeat("x", 300)})
		}
	}))
	x.ok(x.update(func(t *txn) {
		for i := range 3000 {
			t.delete(record.TreePeople, []byte(id(i)))
		}
	}))
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
		if tries == 2 {
			x.verify()
			x.reopen()
		}
	}
	if tries < 4 {
		t.Errorf("the scrub looked %d times whether it is to stop", tries)
	}
	b, err := os.ReadFile(x.Path())
	x.ok(err)
	if bytes.Contains(b, []byte("secret-")) {
		t.Error("what was deleted is still in the file")
	}
	due, err := x.ScrubDue()
	x.ok(err)
	want(t, "scrub due", due, false)
	x.verify()
}

// TestScrubKeepsTheSize: a station that forgets loans scrubs each day, and each day other
// pages are free. A scrub uses those, and no more: in ten years the file must not become
// larger by that, nor the scrubs longer.
func TestScrubKeepsTheSize(t *testing.T) {
	x := newLedger(t)
	had := 0
	rows := func(n int) { // there are
		id := func(i int) string { return fmt.Sprintf("row-%04d", i) }
		x.ok(x.update(func(t *txn) {
			for i := range n {
				t.putRow(record.TreePeople, id(i), &record.Row{Name: strings.Repeat("x", 300)})
			}
			for i := n; i < had; i++ {
				t.delete(record.TreePeople, []byte(id(i)))
			}
		}))
		had = n
	}
	pages := func() (n int64) {
		x.ok(x.view(func(t *txn) { n = t.tx.Size() / boltpages.PageSize }))
		return n
	}
	rows(2000)
	rows(1000)
	x.ok(x.Scrub(t.Context()))
	before := pages()
	const scrubs = 20
	for i := range scrubs {
		rows(300 + i*137%700) // never more than at first
		x.ok(x.Scrub(t.Context()))
	}
	if after := pages(); after > before+2*scrubs {
		t.Errorf("%d scrubs made %d pages of %d", scrubs, after, before)
	}
}
