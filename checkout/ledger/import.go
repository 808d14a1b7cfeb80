package ledger

import (
	"context"
	"errors"
	"iter"

	"stump/checkout"
	"stump/checkout/kit"
	"stump/checkout/ledger/entry"
	"stump/checkout/ledger/journal"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// Import adds and changes people or devices by id, all of them or none. An empty tag
// keeps the one that there is. Two rows with one id or one tag are an error, as is a
// tag that another owner has. What is wrong with rows, by their own errors or by what is
// found here, is a *books.RowError, or several in *books.BadLines. Any other error of rows
// ends the import.
//
// A few rows are one transaction. More are checked beside the ledger, and then applied in
// pieces that taps don't wait for; see package journal. Until then nothing has changed, and
// the end of ctx is the end of the import. Afterwards it is carried out whatever happens,
// by the next start if need be; who no longer waits for that gets a journal.ErrDecided.
func (l *Ledger) Import(ctx context.Context, kind checkout.SubjectKind, rows iter.Seq2[books.ImportRow, error], o books.ImportOptions) (n books.Imported, err error) {
	if l.readOnly {
		return n, ErrReadOnly
	}
	j := journal.New(l.path, l.keys, fewRows)
	c := &importCheck{kind: kind, j: j, o: o}
	err = j.Fill(ctx, l.withHolders(rows), journal.Rules{Kind: kind, Mask: l.o.Mask, Check: func(r books.ImportRow) error {
		return entry.Check(r.ID, entry.New(&r))
	}}, &c.bad)
	if err == nil && j.Big() {
		return l.importBig(ctx, c)
	}
	defer j.Close()
	if err != nil {
		return n, err
	}
	try := l.update
	if o.DryRun {
		try = l.view
	}
	var once importCheck
	err = try(func(t *txn) {
		t.unlessImporting()
		once = *c // this may run twice
		once.rows(t, j.Len())
		t.must(once.bad.Err())
		if !o.DryRun {
			t.countImport()
			t.must(j.Each(0, func(r books.ImportRow, _, _ uint64) bool {
				if err := t.try(func(t *txn) { t.importRow(j, kind, r, by(o.Actor, o.Source)) }); err != nil {
					t.fail(&books.RowError{Line: r.Line, Err: err})
				}
				return true
			}))
		}
	})
	return once.n, err
}

// importCheck tells what the rows of a journal would do, and what they may not. It only
// reads: row by row it foresees what importRow does after the rows before.
type importCheck struct {
	kind checkout.SubjectKind
	j    *journal.Journal
	o    books.ImportOptions
	bad  books.BadLines
	n    books.Imported
	at   uint64          // the place of the next row
	held map[string]bool // who has devices; nil: not read yet in this transaction
}

// rows checks the next rows, at most so many. It reports whether there are more.
func (c *importCheck) rows(t *txn, most int) (more bool) {
	c.held = nil
	t.must(c.j.Each(c.at, func(r books.ImportRow, at, next uint64) bool {
		if more = most == 0; more {
			return false
		}
		most--
		c.at = next
		if c.j.Doubled(at) {
			return true
		}
		err := t.try(func(t *txn) { c.row(t, r, at) })
		var damaged *DamagedError
		if errors.As(err, &damaged) {
			t.fail(err)
		}
		if err != nil {
			c.bad.Add(&books.RowError{Line: r.Line, Err: err})
		}
		return true
	}))
	return more
}

// row checks one row.
func (c *importCheck) row(t *txn, r books.ImportRow, at uint64) {
	p, was := t.imported(c.kind, &r)
	if p.row.Kit != "" && (was == nil || was.Kit != p.row.Kit) {
		c.kit(t, p)
	}
	did, again := false, p.row.Status == checkout.Retired // as in change
	if again {
		did = c.status(t, p, "", r.Status)
	}
	pending := ""
	if has := t.holding(r.Tag); t.wants(p, has, r.Tag) {
		pending = c.tag(t, p, has, r.Tag, at)
		did = true
	}
	if !again {
		did = c.status(t, p, pending, r.Status) || did
	}
	lent := ""
	if t.lends(&record.Event{}, p, &r) {
		did, lent = true, "lent to "+r.Holder
	}
	switch {
	case was == nil:
		if c.n.Added++; c.bad.Lines == nil {
			c.n.New = append(c.n.New, r.ID)
		}
	case did || entry.Changed(was, p.row):
		if c.n.Changed++; c.o.DryRun && len(c.n.Changes) < books.MaxChanges {
			c.n.Changes = append(c.n.Changes, books.ImportChange{ID: r.ID, What: entry.Changes(was, p.row, lent)})
		}
	default:
		c.n.Unchanged++
	}
}

// kit foresees that p becomes a part of a kit: the file may add that, and moves what it says
// is a part of another.
func (c *importCheck) kit(t *txn, p party) {
	box := kit.Device{ID: p.row.Kit}
	r := t.row(record.TreeDevices, box.ID)
	if r != nil {
		box.Name, box.Kit = r.Name, r.Kit
	}
	other, _, ok, err := c.j.ByID(box.ID)
	t.must(err)
	switch {
	case ok && other.Has&books.HasKit != 0:
		box.Name, box.Kit = other.Name, other.Kit
	case ok:
		box.Name = other.Name
	case r == nil:
		t.fail(hint.Errorf("write the id of the box, which is in the register or the file", "%w", &books.NotFoundError{Kind: checkout.KindDevice, Ref: box.ID}))
	}
	part := kit.Device{ID: p.id, Name: p.row.Name}
	for _, of := range t.parts(p.id) {
		other, _, leaves, err := c.j.ByID(of.id)
		t.must(err)
		part.HasParts = part.HasParts || !leaves || other.Has&books.HasKit == 0 || other.Kit == p.id
	}
	t.must(kit.MayJoin(part, box))
}

// tag foresees that p gets a tag, which a row of the ledger may hold. It returns the id of
// the pending badge that becomes p's; "" if it is none.
func (c *importCheck) tag(t *txn, p, has party, tag checkout.Tag, at uint64) (pending string) {
	was := t.whose(has)
	if was.tree == p.tree && !was.is(p) && !was.row.Pending {
		// The owner's own row in the file may free it.
		other, place, ok, err := c.j.ByID(was.id)
		t.must(err)
		switch {
		case !ok:
		case !other.Tag.IsZero() && !has.dead():
			has, was = nobody, nobody
		case place < at && other.Status == checkout.Retired.String():
			was.row.Status = checkout.Retired
		case place < at && other.Status != "":
			was.row.Status = checkout.Active
		}
	}
	t.mayEnrol(p, has, was, tag)
	p.row.Mask = t.l.o.Mask(tag)
	if was.tree == 0 || !was.row.Pending {
		return ""
	}
	p.row.Loan = p.row.Loan.Newer(was.row.Loan)
	return was.id
}

// status foresees what changeStatus does, to somebody whom a pending badge becomes.
func (c *importCheck) status(t *txn, p party, pending, status string) (did bool) {
	if lost := status == books.StatusLost; t.losesOrFinds(p, status) {
		p.row.Loan.Lost, did = lost, true
		if lost {
			p.row.Loan.Holder = ""
		}
	}
	s, changes := statusAfter(p, status)
	if !changes {
		return did
	}
	if s == checkout.Retired {
		if c.held == nil {
			c.held = map[string]bool{}
			t.eachRow(record.TreeDevices, func(_ string, r *record.Row) { c.held[r.Loan.Holder] = true })
		}
		if p.row.Loan.Holder != "" || c.held[p.id] || pending != "" && c.held[pending] {
			t.mustHoldNothing(p, pending)
		}
	}
	p.row.Status = s
	return true
}

// imported returns the person or device of a row with what the row says, and what was
// there before. Nothing is written.
func (t *txn) imported(kind checkout.SubjectKind, r *books.ImportRow) (p party, was *record.Row) {
	p = party{record.TreeOf(kind), r.ID, entry.New(r)}
	old := t.row(p.tree, r.ID)
	if old == nil {
		return p, nil
	}
	if now := (party{p.tree, r.ID, old}); now.merged() {
		t.fail(hint.Errorf("write that id, or leave the line out", "%q was merged into %q", r.ID, old.Resolved))
	}
	before := *old
	entry.Import(old, r)
	if p.row = old; t.needsNoTag(p.tree, r) {
		r.Tag = checkout.Tag{}
	}
	return p, &before
}

// needsNoTag reports whether a line is of somebody who is retired and stays so: its tag is
// not theirs.
func (t *txn) needsNoTag(tr record.Tree, r *books.ImportRow) bool {
	was := t.row(tr, r.ID)
	return was != nil && was.Status == checkout.Retired && r.Status == checkout.Retired.String()
}

// importRow adds or changes one person or device.
func (t *txn) importRow(j *journal.Journal, kind checkout.SubjectKind, r books.ImportRow, ev *record.Event) {
	p, was := t.imported(kind, &r)
	if was == nil || entry.Changed(was, p.row) {
		before := ""
		if was != nil {
			before = was.Kit
		}
		t.rekit(p, before)
		t.saveSaid(p)
		if was != nil {
			t.said(p, was, *ev)
		}
	}
	if !r.Tag.IsZero() {
		t.freeMoved(j, p, r.Tag)
	}
	lent := *ev
	t.change(p, r.Tag, r.Status, ev)
	if t.lends(&lent, p, &r) {
		t.move(&lent, t.holder(r.Holder), p, checkout.PolicyRefuse)
	}
}

// freeMoved frees the tag that p gets, if its owner gets another one by the same file, and
// the tag that p has, if another gets it: so two people can exchange their badges.
func (t *txn) freeMoved(j *journal.Journal, p party, tag checkout.Tag) {
	has := t.holding(tag)
	if was := t.whose(has); was.tree == p.tree && !was.is(p) && !has.dead() {
		other, _, ok, err := j.ByID(was.id)
		t.must(err)
		if ok && !other.Tag.IsZero() {
			t.dropTag(has)
		}
	}
	if p.row.Lookup != nil {
		other, ok, err := j.ByTag(p.row.Lookup)
		t.must(err)
		if ok && other.ID != p.id && !t.needsNoTag(p.tree, &other) {
			t.dropTag(p)
		}
	}
}
