package ledger

import (
	"bytes"
	"fmt"
	"slices"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// ImportPeople adds and changes people by id, all of them or none. An empty
// badge keeps the one that there is. Two rows with one id or one badge are an
// error, as is a badge that somebody else has.
func (l *Ledger) ImportPeople(rows []checkout.PersonRow, actor string, source checkout.Source) (checkout.Imported, error) {
	all := make([]importRow, len(rows))
	for i, r := range rows {
		all[i] = importRow{party{record.TreePeople, r.ID, &record.Row{Name: r.Name, Email: r.Email}}, r.Badge, r.Status, r.Line, r.HasEmail}
	}
	return l.importRows(all, record.Event{Event: checkout.Event{Actor: actor, Source: source}})
}

// ImportDevices does for devices what ImportPeople does for people.
func (l *Ledger) ImportDevices(rows []checkout.DeviceRow, actor string, source checkout.Source) (checkout.Imported, error) {
	all := make([]importRow, len(rows))
	for i, r := range rows {
		all[i] = importRow{party{record.TreeDevices, r.ID, &record.Row{Name: r.Name, Kind: r.Kind}}, r.Tag, r.Status, r.Line, r.HasKind}
	}
	return l.importRows(all, record.Event{Event: checkout.Event{Actor: actor, Source: source}})
}

type importRow struct {
	party
	tag    checkout.Tag
	status string
	line   int
	// detail is whether the file has e-mail addresses, or kinds.
	detail bool
}

func (l *Ledger) importRows(rows []importRow, ev record.Event) (checkout.Imported, error) {
	var n checkout.Imported
	if err := l.checkRows(rows); err != nil {
		return n, err
	}
	err := l.update(func(t *txn) error {
		n = checkout.Imported{}
		if err := t.freeMoved(rows); err != nil {
			return err
		}
		for _, r := range rows {
			if err := t.importRow(r, ev, &n); err != nil {
				return &checkout.RowError{Line: r.line, Err: err}
			}
		}
		return nil
	})
	return n, err
}

// checkRows finds what is wrong with the rows among themselves.
func (l *Ledger) checkRows(rows []importRow) error {
	ids, tags := map[string]int{}, map[checkout.Tag]importRow{}
	for _, r := range rows {
		if err := r.check(); err != nil {
			return &checkout.RowError{Line: r.line, Err: err}
		}
		if first, ok := ids[r.id]; ok {
			return &checkout.RowError{Line: r.line, Err: fmt.Errorf("the id %q is in line %d too", r.id, first)}
		}
		ids[r.id] = r.line
		if r.tag.IsZero() {
			continue
		}
		if first, ok := tags[r.tag]; ok {
			return &checkout.RowError{Line: r.line, Err: fmt.Errorf("%s %q has the same tag %s as %q in line %d", kindOf(r.tree), r.id, l.o.Mask(r.tag), first.id, first.line)}
		}
		tags[r.tag] = r
	}
	return nil
}

// freeMoved takes tags away from those whose row gives them another one, so
// that an import may exchange the badges of two people.
func (t *txn) freeMoved(rows []importRow) error {
	for _, r := range rows {
		old, err := t.row(r.tree, r.id)
		if err != nil {
			return err
		}
		if old == nil || r.tag.IsZero() {
			continue
		}
		was, err := t.owner(r.tag)
		if err != nil || was.tree == r.tree && was.id == r.id {
			if err != nil {
				return err
			}
			continue
		}
		p := party{r.tree, r.id, old}
		if err := t.dropTag(&p); err != nil {
			return err
		}
		if err := t.putRow(p.tree, p.id, p.row); err != nil {
			return err
		}
	}
	return nil
}

// importRow adds or changes one person or device.
func (t *txn) importRow(r importRow, ev record.Event, n *checkout.Imported) error {
	old, err := t.row(r.tree, r.id)
	if err != nil {
		return err
	}
	p, tally := r.party, &n.Added
	if old != nil {
		before := old.Encode()
		p.row, tally = old, &n.Unchanged
		p.row.Name = r.row.Name
		if r.detail {
			p.row.Email, p.row.Kind = r.row.Email, r.row.Kind
		}
		if !bytes.Equal(before, p.row.Encode()) {
			tally = &n.Changed
		}
	}
	if tally != &n.Unchanged {
		if err := t.putRow(p.tree, p.id, p.row); err != nil {
			return err
		}
	}
	changes := []func(party, importRow, record.Event) (bool, error){t.importTag, t.importStatus}
	if p.row.Status == checkout.Retired {
		slices.Reverse(changes) // who comes back may have a tag again
	}
	events := 0
	for _, change := range changes {
		did, err := change(p, r, ev)
		if err != nil {
			return err
		}
		if !did {
			continue
		}
		events++
		if p.row, err = t.row(p.tree, p.id); err != nil {
			return err
		}
	}
	if events > 0 && tally == &n.Unchanged {
		tally = &n.Changed
	}
	*tally++
	return nil
}

// importTag enrols the row's tag; the same tag as before is no event.
func (t *txn) importTag(p party, r importRow, ev record.Event) (bool, error) {
	if r.tag.IsZero() || r.status == checkout.Retired.String() && p.row.Status == checkout.Retired {
		return false, nil // what is out of use needs no tag
	}
	was, err := t.owner(r.tag)
	if err != nil || was.tree == p.tree && was.id == p.id {
		return false, err
	}
	return true, t.enrol(&ev, p, r.tag)
}

// importStatus gives p the row's status.
func (t *txn) importStatus(p party, r importRow, ev record.Event) (bool, error) {
	if r.status == "" {
		return false, nil
	}
	return t.changeStatus(p, r.status, ev)
}

// changeStatus gives p a status by its word, "lost" too; the same status as before is
// no event.
func (t *txn) changeStatus(p party, status string, ev record.Event) (bool, error) {
	did := false
	if lost := status == checkout.StatusLost; p.tree == record.TreeDevices && lost != p.row.Loan.Lost && status != checkout.Retired.String() {
		did = true
		ev := ev
		ev.Kind = checkout.Found
		if lost {
			ev.Kind = checkout.Lost
			if h := p.row.Loan.Holder; h != "" {
				if err := t.setFrom(&ev, h); err != nil {
					return false, err
				}
			}
		}
		if err := t.append(&ev, nil, &p); err != nil {
			return false, err
		}
	}
	for _, s := range []checkout.Status{checkout.Active, checkout.Suspended, checkout.Retired} {
		// What is lost is in use: it comes back by itself when it is bumped.
		if (s.String() == status || s == checkout.Active && status == checkout.StatusLost) && s != p.row.Status {
			p.row.ByDirectory = false
			return true, t.setStatus(p, s, ev)
		}
	}
	return did, nil
}
