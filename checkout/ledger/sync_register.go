package ledger

import (
	"fmt"
	"strings"
	"unicode"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Sync brings people and devices up to what the directory says, all or nothing,
// in one transaction. What changes a tag or a status is an event, which is not
// told to the directory. It returns the rows with their ids.
func (l *Ledger) Sync(rows []checkout.SyncRow, actor string, source checkout.Source) ([]checkout.SyncRow, error) {
	out := append([]checkout.SyncRow(nil), rows...)
	err := l.update(func(t *txn) error {
		for _, r := range rows {
			if err := t.takeFromOther(r); err != nil {
				return err
			}
		}
		for i := range out {
			if err := t.sync(&out[i], record.Event{Event: checkout.Event{Actor: actor, Source: source}}); err != nil {
				return fmt.Errorf("%s %q: %w", rows[i].Kind, rows[i].Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func treeOf(k checkout.SubjectKind) record.Tree {
	if k == checkout.KindDevice {
		return record.TreeDevices
	}
	return record.TreePeople
}

// takeFromOther makes a tag free that is another's and not pending.
func (t *txn) takeFromOther(r checkout.SyncRow) error {
	if r.Tag.IsZero() {
		return nil
	}
	was, err := t.owner(r.Tag)
	if err != nil || was.tree != treeOf(r.Kind) || was.id == r.ID || was.row.Pending {
		return err
	}
	if err := t.dropTag(&was); err != nil {
		return err
	}
	return t.putRow(was.tree, was.id, was.row)
}

// sync adds or changes one row.
func (t *txn) sync(r *checkout.SyncRow, ev record.Event) error {
	p := party{tree: treeOf(r.Kind), id: r.ID, row: new(record.Row)}
	if r.ID == "" {
		var err error
		if r.ID, err = t.newID(p.tree, r.Name); err != nil {
			return err
		}
		p.id = r.ID
	} else {
		old, err := t.row(p.tree, r.ID)
		if err != nil {
			return err
		}
		if old == nil {
			return errNoSuchID
		}
		p.row = old
	}
	p.row.Ref, p.row.Name = r.Ref, r.Name
	if p.tree == record.TreePeople {
		p.row.Email = r.Email
	} else {
		p.row.Kind = r.Type
	}
	if err := p.check(); err != nil {
		return err
	}
	if err := t.putRow(p.tree, p.id, p.row); err != nil {
		return err
	}
	if err := t.syncTag(p, r.Tag, ev); err != nil {
		return err
	}
	return t.syncStatus(p, r.Inactive, ev)
}

func (t *txn) syncTag(p party, tag checkout.Tag, ev record.Event) error {
	if tag.IsZero() || p.row.Status == checkout.Retired {
		return nil
	}
	was, err := t.owner(tag)
	if err != nil || was.tree == p.tree && was.id == p.id {
		return err // the same tag as before is no event
	}
	return t.enrol(&ev, p, tag)
}

func (t *txn) syncStatus(p party, inactive bool, ev record.Event) error {
	want := checkout.Active
	if inactive {
		want = checkout.Suspended
		if p.tree == record.TreeDevices {
			want = checkout.Retired
		}
	}
	if p.row.Status == want || p.row.Status != checkout.Active && !p.row.ByDirectory {
		return nil
	}
	p.row.ByDirectory = want != checkout.Active
	return t.setStatus(p, want, ev)
}

// newID makes an id of a name: "Jane Doe" is jane-doe, the next one jane-doe-2.
func (t *txn) newID(tr record.Tree, name string) (string, error) {
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
	id := base
	for n := 2; ; n++ {
		old, err := t.row(tr, id)
		if old == nil || err != nil {
			return id, err
		}
		id = fmt.Sprintf("%s-%d", base, n)
	}
}
