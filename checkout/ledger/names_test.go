package ledger

import (
	"testing"

	"stump/checkout"
	"stump/internal/books"
)

// A directory may have thousands of one name: each has an id, quickly found.
func TestManyOfOneName(t *testing.T) {
	l := newLedger(t)
	const n = 800
	var rows []books.SyncRow
	for range n {
		rows = append(rows, books.SyncRow{Kind: checkout.KindPerson, Ref: "x", Name: "Ann"})
	}
	if _, err := l.Sync(rows, "directory", checkout.SourceSync); err != nil {
		t.Fatal(err)
	}
	seen, last := 0, ""
	for p, err := range l.People(books.Page{}) {
		if err != nil || p.ID <= last {
			t.Fatalf("%+v after %q, %v", p, last, err)
		}
		if last = p.ID; p.Ref == "x" {
			seen++
		}
	}
	if seen != n {
		t.Errorf("%d of %d are listed", seen, n)
	}
	for _, id := range []string{"ann", "ann-2", "ann-9", "ann-100"} {
		if _, err := l.FindPerson(id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}
}
