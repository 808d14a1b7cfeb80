package ledger

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"unicode"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Sync updates people and devices from the directory in one transaction. A change of a tag
// or status is an event, which the directory doesn't get. It returns the rows with their
// ids: all, or where a tap waits at least the first. If one is refused, none is written.
func (l *Ledger) Sync(rows []books.SyncRow, actor string, source checkout.Source) (out []books.SyncRow, err error) {
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
	if was := t.whose(has); was.tree == treeOf(r.Kind) && was.id != r.ID && !was.row.Pending && !t.lost(r.Tag) {
		t.dropTag(has)
	}
}

// sync adds or changes one row.
func (t *txn) sync(r *books.SyncRow, ev *record.Event) {
	tr := treeOf(r.Kind)
	p := party{tr, r.ID, &record.Row{}}
	if r.ID == "" {
		r.ID = t.newID(tr, r.Name)
		p.id = r.ID
	} else if p.row = t.row(tr, r.ID); p.row == nil {
		t.failf("not in the register")
	}
	if p.merged() {
		return // the key that they had before comes to nothing
	}
	was := *p.row
	p.row.Ref, p.row.Name = r.Ref, r.Name
	if tr == record.TreePeople {
		p.row.Email = r.Email
		if r.HasGroups {
			p.row.RefGroups, p.row.Groups = r.Groups, p.row.Groups.Without(r.Groups)
		}
	} else {
		p.row.Kind = r.Type
		p.row.Serial, p.row.Place, p.row.Link = cmp.Or(r.Serial, was.Serial), cmp.Or(r.Place, was.Place), cmp.Or(r.Link, was.Link)
	}
	t.must(p.check())
	t.save(p)
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

// newID makes an id from a name: "Jane Doe" becomes jane-doe, the next one jane-doe-2.
func (t *txn) newID(tr record.Tree, name string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(name) {
		switch {
		case unicode.IsLetter(r) || unicode.IsDigit(r):
			b.WriteRune(r)
		case b.Len() > 0 && !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
		if b.Len() > 40 {
			break
		}
	}
	base := strings.Trim(b.String(), "-")
	if base == "" {
		base = kindOf(tr).String()
	}
	id := func(n int) string {
		if n == 1 {
			return base
		}
		return fmt.Sprintf("%s-%d", base, n)
	}
	taken, free := 0, 1
	for t.row(tr, id(free)) != nil { // a directory may have thousands of one name
		taken, free = free, 2*free
	}
	for free-taken > 1 {
		if n := (taken + free) / 2; t.row(tr, id(n)) != nil {
			taken = n
		} else {
			free = n
		}
	}
	return id(free)
}
