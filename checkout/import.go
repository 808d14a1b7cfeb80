package checkout

import (
	"bytes"
	"fmt"
	"slices"
)

// PersonRow is a line of an import of people.
type PersonRow struct {
	ID, Name, Email string
	// HasEmail is whether the file has e-mail addresses at all; without, they
	// stay.
	HasEmail bool
	// Badge is zero for "keep what there is".
	Badge Tag
	// Status is active, suspended or retired; "" keeps what there is.
	Status string
	// Line is the line of the file, for errors; 0 if there is none.
	Line int
}

// DeviceRow is a line of an import of devices.
type DeviceRow struct {
	ID, Name, Kind string
	// HasKind is whether the file has kinds at all; without, they stay.
	HasKind bool
	// Tag is zero for "keep what there is".
	Tag Tag
	// Status is active, lost or retired; "" keeps what there is.
	Status string
	Line   int
}

// Imported counts what an import did with its rows.
type Imported struct{ Added, Changed, Unchanged int }

// RowError is what is wrong with a line of an import. Nothing was imported.
type RowError struct {
	Line int
	Err  error
}

func (e *RowError) Error() string { return fmt.Sprintf("line %d: %v", e.Line, e.Err) }
func (e *RowError) Unwrap() error { return e.Err }

// ImportPeople adds and changes people by id, all of them or none. An empty
// badge keeps the one that there is. Two rows with one id or one badge are an
// error, as is a badge that somebody else has.
func (l *Ledger) ImportPeople(rows []PersonRow, actor string, source Source) (Imported, error) {
	all := make([]importRow, len(rows))
	for i, r := range rows {
		all[i] = importRow{party{treePeople, r.ID, &row{name: r.Name, email: r.Email}}, r.Badge, r.Status, r.Line, r.HasEmail}
	}
	return l.importRows(all, stored{Event: Event{Actor: actor, Source: source}})
}

// ImportDevices does for devices what ImportPeople does for people.
func (l *Ledger) ImportDevices(rows []DeviceRow, actor string, source Source) (Imported, error) {
	all := make([]importRow, len(rows))
	for i, r := range rows {
		all[i] = importRow{party{treeDevices, r.ID, &row{name: r.Name, kind: r.Kind}}, r.Tag, r.Status, r.Line, r.HasKind}
	}
	return l.importRows(all, stored{Event: Event{Actor: actor, Source: source}})
}

type importRow struct {
	party
	tag    Tag
	status string
	line   int
	// detail is whether the file has e-mail addresses, or kinds.
	detail bool
}

func (l *Ledger) importRows(rows []importRow, ev stored) (Imported, error) {
	var n Imported
	if err := l.checkRows(rows); err != nil {
		return n, err
	}
	err := l.update(func(t *txn) error {
		n = Imported{}
		if err := t.freeMoved(rows); err != nil {
			return err
		}
		for _, r := range rows {
			if err := t.importRow(r, ev, &n); err != nil {
				return &RowError{r.line, err}
			}
		}
		return nil
	})
	return n, err
}

// checkRows finds what is wrong with the rows among themselves.
func (l *Ledger) checkRows(rows []importRow) error {
	ids, tags := map[string]int{}, map[Tag]importRow{}
	for _, r := range rows {
		if err := r.check(); err != nil {
			return &RowError{r.line, err}
		}
		if first, ok := ids[r.id]; ok {
			return &RowError{r.line, fmt.Errorf("the id %q is in line %d too", r.id, first)}
		}
		ids[r.id] = r.line
		if r.tag.IsZero() {
			continue
		}
		if first, ok := tags[r.tag]; ok {
			return &RowError{r.line, fmt.Errorf("%s %q has the same tag %s as %q in line %d", kindOf(r.tree), r.id, l.o.Mask(r.tag), first.id, first.line)}
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
func (t *txn) importRow(r importRow, ev stored, n *Imported) error {
	old, err := t.row(r.tree, r.id)
	if err != nil {
		return err
	}
	p, tally := r.party, &n.Added
	if old != nil {
		before := old.encode()
		p.row, tally = old, &n.Unchanged
		p.row.name = r.row.name
		if r.detail {
			p.row.email, p.row.kind = r.row.email, r.row.kind
		}
		if !bytes.Equal(before, p.row.encode()) {
			tally = &n.Changed
		}
	}
	if tally != &n.Unchanged {
		if err := t.putRow(p.tree, p.id, p.row); err != nil {
			return err
		}
	}
	changes := []func(party, importRow, stored) (bool, error){t.importTag, t.importStatus}
	if p.row.status == Retired {
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
func (t *txn) importTag(p party, r importRow, ev stored) (bool, error) {
	if r.tag.IsZero() || r.status == Retired.String() && p.row.status == Retired {
		return false, nil // what is out of use needs no tag
	}
	was, err := t.owner(r.tag)
	if err != nil || was.tree == p.tree && was.id == p.id {
		return false, err
	}
	return true, t.enrol(&ev, p, r.tag)
}

// importStatus gives p the row's status.
func (t *txn) importStatus(p party, r importRow, ev stored) (bool, error) {
	if r.status == "" {
		return false, nil
	}
	return t.changeStatus(p, r.status, ev)
}

// changeStatus gives p a status by its word, "lost" too; the same status as before is
// no event.
func (t *txn) changeStatus(p party, status string, ev stored) (bool, error) {
	did := false
	if lost := status == lostStatus; p.tree == treeDevices && lost != p.row.loan.lost && status != Retired.String() {
		did = true
		ev := ev
		ev.Kind = Found
		if lost {
			ev.Kind = Lost
			if h := p.row.loan.holder; h != "" {
				if err := t.setFrom(&ev, h); err != nil {
					return false, err
				}
			}
		}
		if err := t.append(&ev, nil, &p); err != nil {
			return false, err
		}
	}
	for _, s := range []Status{Active, Suspended, Retired} {
		// What is lost is in use: it comes back by itself when it is bumped.
		if (s.String() == status || s == Active && status == lostStatus) && s != p.row.status {
			p.row.byDirectory = false
			return true, t.setStatus(p, s, ev)
		}
	}
	return did, nil
}
