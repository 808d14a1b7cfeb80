package ledger

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/journal"
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

// TestPages reads a register in pieces: each row once, by id, in no transaction while
// somebody looks at it, and either from before an import or from after it.
func TestPages(t *testing.T) {
	was := listRows
	t.Cleanup(func() { listRows = was })
	x := newLedger(t)
	for i := range 25 {
		x.ok(x.AddPerson(books.Person{ID: fmt.Sprintf("p%02d", i), Name: fmt.Sprintf("Person %d", i%3)}, checkout.Tag{}, "admin", checkout.SourceCLI))
	}
	ids := func(l *Ledger, p books.Page, each func()) (all []string, err error) {
		for person, err := range l.People(p) {
			if err != nil {
				return all, err
			}
			if all = append(all, person.ID); each != nil {
				each()
			}
		}
		return all, nil
	}
	pages := []books.Page{{}, {Limit: 1}, {Limit: 7}, {Limit: 10}, {Limit: 28}, {Limit: 99}, {After: "p03"}, {After: "p03", Limit: 5}, {Find: "Person 1"},
		{Find: "Person 1", Limit: 4}, {Find: "Person 1", Limit: 4, After: "p10"}, {Find: "nobody"}, {After: "p24"}}
	var whole [][]string
	for _, p := range pages {
		all, err := ids(x.Ledger, p, nil)
		x.ok(err)
		whole = append(whole, all)
	}
	want(t, "everybody", len(whole[0]), 28)
	want(t, "a page", fmt.Sprint(whole[7]), "[p04 p05 p06 p07 p08]")
	for listRows = range 12 {
		for i, p := range pages {
			all, err := ids(x.Ledger, p, func() {
				if n := x.db.Stats().OpenTxN; n > 0 {
					t.Errorf("%d transactions are open while a row is looked at", n)
				}
			})
			x.ok(err)
			want(t, fmt.Sprintf("%+v, %d rows at once", p, listRows), fmt.Sprint(all), fmt.Sprint(whole[i]))
		}
	}
	for big := range 2 {
		bigImports(t, 500*(1-big), 3)
		listRows = 10
		for name, l := range map[string]*Ledger{"": x.Ledger, "whole": x.Whole()} {
			n := 0
			all, err := ids(l, books.Page{}, func() {
				if n++; n == 10 {
					_, err := x.importing(checkout.KindPerson, []books.ImportRow{{ID: "p00", Name: "Changed", Line: 2}, {ID: "p24", Name: "Changed", Line: 3}})
					x.ok(err)
					x.settled()
				}
			})
			if name == "" && (err != nil || len(all) != 28) || name != "" && (!errors.Is(err, journal.ErrBusy) || len(all) != 10) {
				t.Errorf("an import after 10 rows, %q: %d rows, %v", name, len(all), err)
			}
		}
	}
	// A row that changes meanwhile is as it is read, and what comes and goes ends nothing.
	n, names := 0, ""
	for person, err := range x.Whole().People(books.Page{}) {
		x.ok(err)
		if n++; n == 10 {
			x.ok(x.EditPerson("p10", books.Edit{Name: new("Later")}, "admin", checkout.SourceCLI))
			x.ok(x.ErasePerson("p12", "admin", checkout.SourceCLI))
			x.ok(x.AddPerson(books.Person{ID: "p99", Name: "New"}, checkout.Tag{}, "admin", checkout.SourceCLI))
			x.ok(x.AddPerson(books.Person{ID: "a", Name: "Too late"}, checkout.Tag{}, "admin", checkout.SourceCLI))
		}
		names += person.ID + " " + person.Name + "; "
	}
	if n != 28 || !strings.Contains(names, "p10 Later; p11 Person 2; p13 ") || !strings.HasSuffix(names, "p99 New; ") || strings.Contains(names, "late;") {
		t.Error(n, names)
	}
}
