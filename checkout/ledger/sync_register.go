package ledger

import (
	"slices"

	"stump/checkout"
	"stump/checkout/ledger/entry"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Sync updates people and devices from the directory in one transaction. A change of a tag
// or status is an event, which the directory doesn't get. It returns the rows with their
// ids: all, or where a tap waits at least the first. If one is refused, none is written.
func (l *Ledger) Sync(rows []books.SyncRow, actor string, source checkout.Source) (out []books.SyncRow, err error) {
	if len(rows) > 1 { // a bump waits for a single one
		l.writing.MakeRoom()
	}
	err = l.updateMany(func(t *txn) {
		out = slices.Clone(rows)
		for i := range out {
			if i > 0 && l.waits() {
				out = out[:i]
				return
			}
			t.takeFromOther(rows[i])
			if err := t.try(func(t *txn) { t.sync(&out[i], by(actor, source)) }); err != nil {
				t.failf("%s %q: %w", rows[i].Kind, rows[i].Name, err)
			}
		}
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// takeFromOther frees a tag that belongs to another person or device and is not pending.
func (t *txn) takeFromOther(r books.SyncRow) {
	has := t.holding(r.Tag)
	if was := t.whose(has); was.tree == record.TreeOf(r.Kind) && was.id != r.ID && !was.row.Pending && !t.lost(r.Tag) {
		t.dropTag(has)
	}
}

// sync adds or changes one row.
func (t *txn) sync(r *books.SyncRow, ev *record.Event) {
	tr := record.TreeOf(r.Kind)
	p := party{tr, r.ID, &record.Row{}}
	if r.ID == "" {
		r.ID = entry.ID(r.Kind, r.Name, func(id string) bool { return t.row(tr, id) != nil })
		p.id = r.ID
	} else if p.row = t.row(tr, r.ID); p.row == nil {
		t.failf("not in the register")
	}
	if p.merged() {
		return // the key that they had before comes to nothing
	}
	was := *p.row
	entry.Sync(p.row, r)
	t.must(entry.Check(p.id, p.row))
	t.saveSaid(p)
	if was.RefGroups != p.row.RefGroups { // who may have what is a matter of record
		t.said(p, &was, *ev)
	}
	switch has := t.holding(r.Tag); {
	case p.row.Status == checkout.Retired:
	case r.Beside && (!t.whose(has).is(p) || has.dead()):
		like := *ev
		t.enrol(&like, p, r.Tag, true)
	case !t.lost(r.Tag):
		t.change(p, r.Tag, "", ev)
	}
	want := checkout.Active
	switch {
	case r.Inactive && tr == record.TreeDevices:
		want = checkout.Retired
	case r.Inactive:
		want = checkout.Suspended
	}
	if p.row.Status == want || p.row.Status != checkout.Active && !p.row.ByDirectory {
		return
	}
	p.row.ByDirectory = want != checkout.Active
	t.setStatus(p, want, *ev)
}
