package checkout

import "fmt"

// PersonRow is a line of an import of people.
type PersonRow struct {
	ID, Name, Email string
	// Badge is zero for "keep what there is".
	Badge Tag
	// Line is the line of the file, for errors; 0 if there is none.
	Line int
}

// DeviceRow is a line of an import of devices.
type DeviceRow struct {
	ID, Name, Kind string
	// HasKind is whether the file has kinds at all; without, they stay.
	HasKind bool
	// Tag is zero for "keep what there is".
	Tag  Tag
	Line int
}

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
func (l *Ledger) ImportPeople(rows []PersonRow, actor string, source Source) error {
	all := make([]importRow, len(rows))
	for i, r := range rows {
		all[i] = importRow{party{treePeople, r.ID, &row{name: r.Name, email: r.Email}}, r.Badge, r.Line, true}
	}
	return l.importRows(all, Event{Actor: actor, Source: source})
}

// ImportDevices does for devices what ImportPeople does for people.
func (l *Ledger) ImportDevices(rows []DeviceRow, actor string, source Source) error {
	all := make([]importRow, len(rows))
	for i, r := range rows {
		all[i] = importRow{party{treeDevices, r.ID, &row{name: r.Name, kind: r.Kind}}, r.Tag, r.Line, r.HasKind}
	}
	return l.importRows(all, Event{Actor: actor, Source: source})
}

type importRow struct {
	party
	tag     Tag
	line    int
	hasKind bool
}

func (l *Ledger) importRows(rows []importRow, ev Event) error {
	if err := l.checkRows(rows); err != nil {
		return err
	}
	return l.update(func(t *txn) error {
		if err := t.freeMoved(rows); err != nil {
			return err
		}
		for _, r := range rows {
			if err := t.importRow(r, ev); err != nil {
				return &RowError{r.line, err}
			}
		}
		return nil
	})
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
func (t *txn) importRow(r importRow, ev Event) error {
	old, err := t.row(r.tree, r.id)
	if err != nil {
		return err
	}
	p := r.party
	if old != nil {
		p.row = old
		p.row.name, p.row.email = r.row.name, r.row.email
		if r.hasKind {
			p.row.kind = r.row.kind
		}
	}
	if err := t.putRow(p.tree, p.id, p.row); err != nil || r.tag.IsZero() {
		return err
	}
	was, err := t.owner(r.tag)
	if err != nil || was.tree == p.tree && was.id == p.id {
		return err // the same tag as before is no event
	}
	return t.enrol(&ev, p, r.tag)
}
