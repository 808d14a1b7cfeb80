package ledger

import (
	"context"
	"errors"
	"path/filepath"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// manyEvents is a ledger whose events need several of the pieces in which they are looked at.
func manyEvents(t *testing.T) *Ledger {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := fillLedger(path, 5000); err != nil {
		t.Fatal(err)
	}
	o := benchOptions()
	o.Sinks = nil
	l, err := Open(path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func entries(t *testing.T, l *Ledger, f books.HistoryFilter) (all []books.Entry) {
	t.Helper()
	for e, err := range l.History(f) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
	return all
}

func mustHold(t *testing.T, l *Ledger) {
	t.Helper()
	r, err := l.Verify(t.Context(), VerifyOptions{})
	if err != nil || !r.OK() {
		t.Errorf("%v, %v", r, err)
	}
}

func TestHistorySinceInPieces(t *testing.T) {
	l := manyEvents(t)
	all := entries(t, l, books.HistoryFilter{Kind: books.AnyKind})
	for _, first := range []int{0, 1, 999, 2999, 3000, 3001, 4998} {
		got := entries(t, l, books.HistoryFilter{Kind: books.AnyKind, Since: all[first].Time})
		if len(got) != len(all)-first || got[0].ID != all[first].ID {
			t.Errorf("since event %d: %d events, want %d", first+1, len(got), len(all)-first)
		}
	}
}

// A search ends with who asked for it.
func TestHistoryEnds(t *testing.T) {
	l := manyEvents(t)
	nothing := books.Page{Find: "nobody at all"}
	for name, f := range map[string]books.HistoryFilter{
		"all":            {},
		"of one person":  {Person: benchPerson(1)},
		"nothing found":  {Page: nothing},
		"the first":      {Page: nothing, Since: time.Unix(1, 0)},
		"before nothing": {Page: books.Page{Find: "x", Limit: 10}},
	} {
		for times := range 2 {
			f.Until = &endsAfter{t.Context(), times}
			n, ended := 0, error(nil)
			for _, err := range l.History(f) {
				if n++; err != nil {
					ended = err
				}
			}
			if !errors.Is(ended, context.Canceled) || n > historyBatch+1 {
				t.Errorf("%s: %d rows, then %v", name, n, ended)
			}
		}
	}
}

func TestRetentionInPieces(t *testing.T) {
	l := manyEvents(t)
	var before []string
	for loan, err := range l.Loans(books.LoanFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		before = append(before, loan.DeviceID+" "+loan.PersonID)
	}
	all := entries(t, l, books.HistoryFilter{})
	n, err := l.Anonymise(t.Context(), all[len(all)-1].Time.Add(time.Hour))
	if err != nil || n < 4000 {
		t.Fatalf("%d events, %v", n, err)
	}
	mustHold(t, l)
	for _, e := range entries(t, l, books.HistoryFilter{Kind: checkout.Return}) {
		if e.Person != "" || e.From != "" {
			t.Fatalf("event %d is still %s's", e.Seq, e.Person)
		}
	}
	i := 0
	for loan, err := range l.Loans(books.LoanFilter{}) {
		if err != nil || loan.DeviceID+" "+loan.PersonID != before[i] {
			t.Fatalf("the loan of %s is another: %v", loan.DeviceID, err)
		}
		i++
	}
	if again, err := l.Anonymise(t.Context(), all[len(all)-1].Time); again != 0 || err != nil {
		t.Errorf("a second time: %d events, %v", again, err)
	}
}

// Retention that is broken off anywhere leaves whole histories, and goes on.
func TestRetentionEnds(t *testing.T) {
	l := manyEvents(t)
	all := entries(t, l, books.HistoryFilter{})
	before := all[1500].Time
	ended := 0
	for times := 1; ; times += 7 {
		_, err := l.Anonymise(&endsAfter{t.Context(), times}, before)
		mustHold(t, l)
		if err == nil {
			break
		}
		if ended++; !errors.Is(err, context.Canceled) {
			t.Fatal(err)
		}
	}
	if ended < 3 {
		t.Errorf("it was broken off %d times only", ended)
	}
	for _, e := range entries(t, l, books.HistoryFilter{Kind: checkout.Return})[:700] {
		if e.Person != "" {
			t.Fatalf("event %d is still %s's", e.Seq, e.Person)
		}
	}
}

// Who is erased is found as the actor of an event, wherever it is.
func TestEraseInPieces(t *testing.T) {
	l := manyEvents(t)
	if err := l.update(func(t *txn) {
		t.putRow(record.TreePeople, "zed", &record.Row{Name: "Zed Zwei"})
		t.benchBump("zed", benchDevice(900))
		t.benchBump("zed", benchDevice(900))
	}); err != nil {
		t.Fatal(err)
	}
	if err := l.ErasePerson("zed", "admin", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	mustHold(t, l)
	for _, e := range entries(t, l, books.HistoryFilter{Kind: books.AnyKind}) {
		if e.Person == "zed" || e.Actor == "zed" {
			t.Errorf("event %d still names them", e.Seq)
		}
	}
}
