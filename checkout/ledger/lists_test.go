package ledger

import (
	"errors"
	"path/filepath"
	"testing"

	"stump/checkout"
	"stump/internal/books"
)

// TestLongSearch: a page of the history that finds nothing in many events ends early, and
// goes on where it ended. The whole list has no such end.
func TestLongSearch(t *testing.T) {
	path := filepath.Join(t.TempDir(), "ledger.db")
	if err := fillLedger(path, maxSearch+500); err != nil {
		t.Fatal(err)
	}
	l, err := Open(path, benchOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if _, err := l.Lose(books.Request{Device: benchDevice(1), Actor: "admin", Note: "the last event"}); err != nil {
		t.Fatal(err)
	}
	lost := func(p books.Page) (found []books.Entry, end error) {
		for e, err := range l.History(books.HistoryFilter{Page: p, Kind: checkout.Lost}) {
			if err != nil {
				return found, err
			}
			found = append(found, e)
		}
		return found, nil
	}
	if found, err := lost(books.Page{}); len(found) != 1 || err != nil {
		t.Errorf("the whole list has %d, %v", len(found), err)
	}
	search := books.Page{Limit: 10, Find: benchDevice(1)}
	var pages, events int
	for {
		n := 0
		var end *books.UnfinishedError
		for e, err := range l.History(books.HistoryFilter{Page: search}) {
			if err != nil {
				if !errors.As(err, &end) {
					t.Fatal(err)
				}
				break
			}
			n++
			search.After = e.Key()
		}
		events += n
		if end != nil {
			pages++
			search.After = end.Key
		} else if n < search.Limit {
			break
		}
	}
	whole := 0
	for _, err := range l.History(books.HistoryFilter{Page: books.Page{Find: benchDevice(1)}}) {
		if err != nil {
			t.Fatal(err)
		}
		whole++
	}
	if events != whole || whole == 0 || pages == 0 {
		t.Errorf("%d events on pages of which %d ended early, and %d in the whole list", events, pages, whole)
	}
}
