package ledger

import (
	"bytes"
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// Import adds and changes people or devices by id, all of them or none. An empty tag
// keeps the one that there is. Two rows with one id or one tag are an error, as is a
// tag that another owner has. What is wrong with a row is a *books.RowError.
func (l *Ledger) Import(kind checkout.SubjectKind, rows []books.ImportRow, actor string, source checkout.Source) (books.Imported, error) {
	all := make([]importRow, len(rows))
	for i, r := range rows {
		all[i] = importRow{party{treeOf(kind), r.ID, &record.Row{Name: r.Name, Email: r.Email, Kind: r.Kind}}, r.Tag, r.Status, r.Line, r.HasDetail}
	}
	return l.importRows(all, by(actor, source))
}

type importRow struct {
	party
	tag    checkout.Tag
	status string
	line   int
	// detail is whether the file has e-mail addresses, or kinds.
	detail bool
}

func (l *Ledger) importRows(rows []importRow, ev *record.Event) (n books.Imported, err error) {
	if err := l.checkRows(rows); err != nil {
		return n, err
	}
	err = l.update(func(t *txn) {
		n = books.Imported{}
		t.freeMoved(rows)
		for _, r := range rows {
			if err := t.try(func(t *txn) { t.importRow(r, ev, &n) }); err != nil {
				t.fail(&books.RowError{Line: r.line, Err: err})
			}
		}
	})
	return n, err
}

// checkRows checks the rows against each other.
func (l *Ledger) checkRows(rows []importRow) error {
	ids, tags := map[string]int{}, map[checkout.Tag]importRow{}
	for _, r := range rows {
		err := r.check()
		if first, twice := ids[r.id]; err == nil && twice {
			err = fmt.Errorf("the id %q is in line %d too", r.id, first)
		}
		if first, twice := tags[r.tag]; err == nil && twice && !r.tag.IsZero() {
			err = fmt.Errorf("%s %q has the same tag %s as %q in line %d", r.kind(), r.id, l.o.Mask(r.tag), first.id, first.line)
		}
		if err != nil {
			return &books.RowError{Line: r.line, Err: err}
		}
		ids[r.id], tags[r.tag] = r.line, r
	}
	return nil
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

// importRow adds or changes one person or device.
func (t *txn) importRow(r importRow, ev *record.Event, n *books.Imported) {
	p, tally := r.party, &n.Added
	if old := t.row(r.tree, r.id); old != nil {
		if now := (party{r.tree, r.id, old}); now.merged() {
			t.fail(hint.Errorf("write that id, or leave the line out", "%q was merged into %q", r.id, old.Resolved))
		}
		before := record.Pack(record.RowForm(old))
		p.row, tally = old, &n.Unchanged
		p.row.Name = r.row.Name
		if r.detail {
			p.row.Email, p.row.Kind = r.row.Email, r.row.Kind
		}
		if !bytes.Equal(before, record.Pack(record.RowForm(p.row))) {
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
}
