package ledger

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// outbox returns all rows of a sink, or of all with "".
func outbox(l *Ledger, sink string) (all []OutboxRow, err error) {
	sinks := []string{sink}
	if sink == "" {
		if sinks, err = l.Sinks(); err != nil {
			return nil, err
		}
		slices.Sort(sinks)
	}
	for _, s := range sinks {
		for p := (OutboxPage{}); !p.End; {
			if p, err = l.OutboxFrom(s, p.Next, 100); err != nil {
				return nil, err
			}
			all = append(all, p.Rows...)
		}
	}
	return all, nil
}

func rowsFor(t testing.TB, l *Ledger, sink string) []OutboxRow {
	t.Helper()
	all, err := outbox(l, sink)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func seqsOf(rows []OutboxRow) (seqs []uint64) {
	for _, r := range rows {
		seqs = append(seqs, r.Key.Seq)
	}
	return seqs
}

// keysOf are the keys of rows of the own chain.
func keysOf(seqs ...uint64) (keys []RowKey) {
	for _, seq := range seqs {
		keys = append(keys, record.At(1, seq))
	}
	return keys
}

// Pages of any size put together are the outbox, also where most of it is
// another sink's, which no transaction passes at once.
func TestOutboxPages(t *testing.T) {
	x := newLedger(t)
	first, err := x.Info()
	x.ok(err)
	x.ok(x.update(func(t *txn) {
		for range pageKeys + 10 {
			t.benchBump("ann", "ipad")
		}
	}))
	hook := seqsOf(rowsFor(t, x.Ledger, "hook"))
	want(t, "rows", len(hook), pageKeys+10)
	last := hook[len(hook)-1]
	var mine, others []uint64
	for seq := first.Seq + 1; seq <= last; seq++ {
		if seq%1000 == 7 {
			mine = append(mine, seq)
		} else {
			others = append(others, seq)
		}
	}
	x.ok(x.Delivered("dir", keysOf(others...)...))
	x.ok(x.SaveOutbox("dir", OutboxRow{Key: record.At(1, mine[1]), OutboxRow: record.OutboxRow{State: record.Conflict}}))
	for _, limit := range []int{1, 2, 100} {
		var got, parked []uint64
		pages := 0
		for p := (OutboxPage{}); !p.End; pages++ {
			p, err = x.OutboxFrom("dir", p.Next, limit)
			x.ok(err)
			got = append(got, seqsOf(p.Rows)...)
		}
		for p := (OutboxPage{}); !p.End; {
			p, err = x.StuckFrom("dir", p.Next, limit)
			x.ok(err)
			parked = append(parked, seqsOf(p.Rows)...)
		}
		want(t, "rows", fmt.Sprint(got), fmt.Sprint(mine))
		want(t, "parked", fmt.Sprint(parked), fmt.Sprint(mine[1:2]))
		if pages < 2 {
			t.Errorf("%d page: a transaction passed them all", pages)
		}
	}
	p, err := x.OutboxFrom("dir", record.At(1, last+1), 10)
	x.ok(err)
	if !p.End || p.Next != record.At(1, last+1) {
		t.Errorf("at the end: %+v", p)
	}
}

func TestOutboxDrop(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7
	x.bump(1, 11) // 8
	x.bump(2, 12) // 9
	x.ok(x.Drop("dir", keysOf(7, 9, 999), "root", checkout.SourceCLI, "no matter"))
	want(t, "left", fmt.Sprint(seqsOf(rowsFor(t, x.Ledger, "dir"))), "[8]")
	want(t, "the other sink has its own", len(rowsFor(t, x.Ledger, "hook")), 3)
	if err := x.Drop("dir", keysOf(7, 9), "root", checkout.SourceCLI, "again"); !errors.Is(err, ErrNotQueued) {
		t.Error(err)
	}
	if _, err := x.OutboxOf("dir", record.At(1, 7)); !errors.Is(err, ErrNotQueued) {
		t.Error(err)
	}
	row, err := x.OutboxOf("dir", record.At(1, 8))
	x.ok(err)
	want(t, "row", string(row.Event.Kind)+row.ID, "return8")
	want(t, "each is an event of its device", x.history(books.HistoryFilter{Device: "ipad"})+" "+x.history(books.HistoryFilter{Device: "pixel"}),
		"4:enrol 7:checkout 8:return 10:correct 5:enrol 9:checkout 11:correct")
	for e, err := range x.History(books.HistoryFilter{Device: "pixel"}) {
		x.ok(err)
		if e.Kind == checkout.Correct {
			want(t, "note", e.Note, "event 9 for dir: not delivered: no matter")
		}
	}
	n, err := x.Backlog("dir")
	x.ok(err)
	want(t, "backlog", n, 1)
	x.verify()
}
