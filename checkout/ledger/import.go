package ledger

import (
	"errors"
	"fmt"
	"iter"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// Import adds and changes people or devices by id, all of them or none. An empty tag
// keeps the one that there is. Two rows with one id or one tag are an error, as is a
// tag that another owner has. What is wrong with rows, by their own errors or by what is
// found here, is a *books.RowError, or several in *books.BadLines. Any other error of rows
// ends the import.
func (l *Ledger) Import(kind checkout.SubjectKind, rows iter.Seq2[books.ImportRow, error], o books.ImportOptions) (n books.Imported, err error) {
	var bad books.BadLines
	var all []importRow
	for r, err := range rows {
		var row *books.RowError
		switch {
		case errors.As(err, &row):
			bad.Add(row)
		case err != nil:
			return n, err
		default:
			p := party{treeOf(kind), r.ID, &record.Row{Name: r.Name, Email: r.Email, Kind: r.Kind}}
			all = append(all, importRow{p, r.Tag, r.Status, r.Line, r.HasDetail})
		}
	}
	return l.importRows(all, &bad, o)
}

type importRow struct {
	party
	tag    checkout.Tag
	status string
	line   int
	// detail is whether the file has e-mail addresses, or kinds.
	detail bool
}

// errDryRun ends a transaction that is only tried.
var errDryRun = errors.New("a dry run")

func (l *Ledger) importRows(rows []importRow, bad *books.BadLines, o books.ImportOptions) (n books.Imported, err error) {
	rows = l.checkRows(rows, bad)
	err = l.update(func(t *txn) {
		n = books.Imported{}
		t.freeMoved(rows)
		for _, r := range rows {
			if err := t.try(func(t *txn) { t.importRow(r, by(o.Actor, o.Source), &n, o.DryRun) }); err != nil {
				var damaged *DamagedError
				if errors.As(err, &damaged) {
					t.fail(err)
				}
				bad.Add(&books.RowError{Line: r.line, Err: err})
			}
		}
		t.must(bad.Err())
		if o.DryRun {
			t.fail(errDryRun)
		}
	})
	if errors.Is(err, errDryRun) {
		err = nil
	}
	return n, err
}

// checkRows checks the rows against each other, and returns those that are good.
func (l *Ledger) checkRows(rows []importRow, bad *books.BadLines) (good []importRow) {
	ids, tags := map[string]int{}, map[checkout.Tag]int{}
	for i, r := range rows {
		err := r.check()
		if first, twice := ids[r.id]; err == nil && twice {
			err = fmt.Errorf("the id %q is in line %d too", r.id, rows[first].line)
		}
		if first, twice := tags[r.tag]; err == nil && twice && !r.tag.IsZero() {
			err = fmt.Errorf("%s %q has the same tag %s as %q in line %d", r.kind(), r.id, l.o.Mask(r.tag), rows[first].id, rows[first].line)
		}
		if err != nil {
			bad.Add(&books.RowError{Line: r.line, Err: err})
			continue
		}
		ids[r.id], tags[r.tag] = i, i
		good = append(good, r)
	}
	return good
}

// freeMoved removes the tags that go from one row's owner to another, so that an import
// can exchange the badges of two people.
func (t *txn) freeMoved(rows []importRow) {
	next := map[string]bool{} // who gets another tag
	for _, r := range rows {
		next[r.id] = !r.tag.IsZero()
	}
	for _, r := range rows {
		has := t.holding(r.tag)
		if was := t.whose(has); was.tree == r.tree && !was.is(r.party) && next[was.id] && !has.dead() {
			t.dropTag(has)
		}
	}
}

// importRow adds or changes one person or device. With tell it lists what changes.
func (t *txn) importRow(r importRow, ev *record.Event, n *books.Imported, tell bool) {
	p, tally := r.party, &n.Added
	var was record.Row
	if old := t.row(r.tree, r.id); old != nil {
		if now := (party{r.tree, r.id, old}); now.merged() {
			t.fail(hint.Errorf("write that id, or leave the line out", "%q was merged into %q", r.id, old.Resolved))
		}
		was, p.row, tally = *old, old, &n.Unchanged
		p.row.Name = r.row.Name
		if r.detail {
			p.row.Email, p.row.Kind = r.row.Email, r.row.Kind
		}
		if p.row.Name != was.Name || p.row.Email != was.Email || p.row.Kind != was.Kind {
			tally = &n.Changed
		}
	}
	if tally != &n.Unchanged {
		t.save(p)
	}
	if r.status == checkout.Retired.String() && p.row.Status == checkout.Retired {
		r.tag = checkout.Tag{} // a retired entry needs no tag
	}
	if t.change(p, r.tag, r.status, ev) && tally == &n.Unchanged {
		tally = &n.Changed
	}
	*tally++
	if tally == &n.Added {
		n.New = append(n.New, r.id)
	}
	if tell && tally == &n.Changed && len(n.Changes) < books.MaxChanges {
		n.Changes = append(n.Changes, books.ImportChange{ID: r.id, What: changesOf(&was, t.row(r.tree, r.id))})
	}
}

// changesOf tells what is new in a row.
func changesOf(was, is *record.Row) string {
	word := func(r *record.Row) string { return books.Device{Lost: r.Loan.Lost, Status: r.Status}.Word() }
	var all []string
	for _, f := range []struct{ what, was, is string }{
		{"name", was.Name, is.Name}, {"e-mail", was.Email, is.Email}, {"kind", was.Kind, is.Kind},
		{"tag", was.Mask, is.Mask}, {"status", word(was), word(is)},
	} {
		if f.was != f.is {
			all = append(all, fmt.Sprintf("%s %q becomes %q", f.what, f.was, f.is))
		}
	}
	if all == nil {
		return "the tag" // one that looks the same
	}
	return strings.Join(all, ", ")
}
