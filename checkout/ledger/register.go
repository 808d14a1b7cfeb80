package ledger

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/hint"
)

// findParty finds by id, then by exact name.
func (t *txn) findParty(tr record.Tree, ref string) (party, error) {
	if checkout.IsPendingID(ref) {
		return party{}, &checkout.NotFoundError{Kind: kindOf(tr), Ref: ref}
	}
	r, err := t.row(tr, ref)
	if r != nil || err != nil {
		return party{tr, ref, r}, err
	}
	var found []party
	err = t.eachRow(tr, func(id string, r *record.Row) error {
		if r.Name == ref && !r.Pending {
			found = append(found, party{tr, id, r})
		}
		return nil
	})
	switch {
	case err != nil:
		return party{}, err
	case len(found) == 1:
		return found[0], nil
	case len(found) == 0 || ref == "":
		return party{}, &checkout.NotFoundError{Kind: kindOf(tr), Ref: ref}
	}
	e := &checkout.AmbiguousError{Kind: kindOf(tr), Name: ref}
	for _, p := range found {
		e.IDs = append(e.IDs, p.id)
	}
	return party{}, e
}

func (p party) person() checkout.Person {
	return checkout.Person{ID: p.id, Name: p.row.Name, Email: p.row.Email, Badge: p.row.Mask, Status: p.row.Status, Ref: p.row.Ref, ByDirectory: p.row.ByDirectory}
}

// device fills in all but the holder's name.
func (p party) device() checkout.Device {
	r := p.row
	return checkout.Device{ID: p.id, Name: r.Name, Kind: r.Kind, Group: r.Group, Tag: r.Mask, Status: r.Status,
		Holder: r.Loan.Holder, Lost: r.Loan.Lost, Condition: r.Condition, Ref: r.Ref, ByDirectory: r.ByDirectory}
}

// FindPerson finds a person by id, then by exact name. Errors: ErrNotFound,
// *AmbiguousError.
func (l *Ledger) FindPerson(ref string) (checkout.Person, error) {
	var p checkout.Person
	err := l.view(func(t *txn) error {
		found, err := t.findParty(record.TreePeople, ref)
		if err == nil {
			p = found.person()
		}
		return err
	})
	return p, err
}

// FindDevice finds a device by id, then by exact name. Errors: ErrNotFound,
// *AmbiguousError.
func (l *Ledger) FindDevice(ref string) (checkout.Device, error) {
	var d checkout.Device
	err := l.view(func(t *txn) error {
		found, err := t.findParty(record.TreeDevices, ref)
		if err == nil {
			d, err = t.namedDevice(found)
		}
		return err
	})
	return d, err
}

func (t *txn) namedDevice(p party) (checkout.Device, error) {
	d := p.device()
	if d.Holder == "" {
		return d, nil
	}
	h, err := t.row(record.TreePeople, d.Holder)
	if h != nil {
		d.HolderName = h.Name
		if h.Pending {
			d.Holder, d.HolderName = "", h.Mask
		}
	}
	return d, err
}

// People yields everybody in the register, retired people too, by id.
func (l *Ledger) People() iter.Seq2[checkout.Person, error] {
	return listRows(l, record.TreePeople, func(t *txn, p party) (checkout.Person, error) { return p.person(), nil })
}

// Devices yields every device in the register, retired ones too, by id. The
// holder of a device that a pending badge took is its masked number.
func (l *Ledger) Devices() iter.Seq2[checkout.Device, error] {
	return listRows(l, record.TreeDevices, (*txn).namedDevice)
}

// listRows copies a tree before it yields, so that a slow reader does not keep
// a transaction open: pages could not be used again meanwhile.
func listRows[T any](l *Ledger, tr record.Tree, f func(*txn, party) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		err := l.view(func(t *txn) error {
			return t.eachRow(tr, func(id string, r *record.Row) error {
				if r.Pending {
					return nil
				}
				v, err := f(t, party{tr, id, r})
				all = append(all, v)
				return err
			})
		})
		if err != nil {
			var zero T
			yield(zero, err)
			return
		}
		for _, v := range all {
			if !yield(v, nil) {
				return
			}
		}
	}
}

// AddPerson puts a person into the register; a non-zero badge is enrolled too.
// Only ID, Name and Email of p count.
func (l *Ledger) AddPerson(p checkout.Person, badge checkout.Tag, actor string, source checkout.Source) error {
	r := &record.Row{Name: p.Name, Email: p.Email}
	return l.add(party{record.TreePeople, p.ID, r}, badge, record.Event{Event: checkout.Event{Actor: actor, Source: source}})
}

// AddDevice puts a device into the register; a non-zero tag is enrolled too.
// Only ID, Name, Kind and Group of d count.
func (l *Ledger) AddDevice(d checkout.Device, tag checkout.Tag, actor string, source checkout.Source) error {
	r := &record.Row{Name: d.Name, Kind: d.Kind, Group: d.Group}
	return l.add(party{record.TreeDevices, d.ID, r}, tag, record.Event{Event: checkout.Event{Actor: actor, Source: source}})
}

func (l *Ledger) add(p party, tag checkout.Tag, ev record.Event) error {
	if err := p.check(); err != nil {
		return err
	}
	return l.update(func(t *txn) error {
		if old, err := t.row(p.tree, p.id); old != nil || err != nil {
			if err == nil {
				err = &checkout.ExistsError{Kind: kindOf(p.tree), ID: p.id}
			}
			return err
		}
		if tag.IsZero() {
			return t.putRow(p.tree, p.id, p.row)
		}
		return t.enrol(&ev, p, tag)
	})
}

// check validates what comes from outside.
func (p party) check() error {
	if err := checkout.CheckID(p.id); err != nil {
		return err
	}
	if err := checkout.CheckName(p.row.Name); err != nil {
		return err
	}
	if err := checkout.CheckText("e-mail address", p.row.Email, checkout.MaxName); err != nil {
		return err
	}
	if err := checkout.CheckText("kind", p.row.Kind, checkout.MaxName); err != nil {
		return err
	}
	return checkout.CheckText("group", p.row.Group, checkout.MaxName)
}

// EditPerson changes a person. A change of status is an event.
func (l *Ledger) EditPerson(ref string, e checkout.Edit, actor string, source checkout.Source) error {
	return l.edit(record.TreePeople, ref, e, actor, source)
}

// EditDevice changes a device. A change of status is an event.
func (l *Ledger) EditDevice(ref string, e checkout.Edit, actor string, source checkout.Source) error {
	return l.edit(record.TreeDevices, ref, e, actor, source)
}

// RetirePerson takes a person out of use; what happened stays. Refused while
// they have a device.
func (l *Ledger) RetirePerson(ref, actor string, source checkout.Source) error {
	s := checkout.Retired
	return l.edit(record.TreePeople, ref, checkout.Edit{Status: &s}, actor, source)
}

// RetireDevice takes a device out of use; what happened stays. Refused while
// somebody has it.
func (l *Ledger) RetireDevice(ref, actor string, source checkout.Source) error {
	s := checkout.Retired
	return l.edit(record.TreeDevices, ref, checkout.Edit{Status: &s}, actor, source)
}

func (l *Ledger) edit(tr record.Tree, ref string, e checkout.Edit, actor string, source checkout.Source) error {
	if tr == record.TreeDevices && e.Status != nil && *e.Status == checkout.Suspended {
		return hint.Errorf("retire it", "a device can't be suspended")
	}
	return l.update(func(t *txn) error {
		p, err := t.findParty(tr, ref)
		if err != nil {
			return err
		}
		for _, f := range []struct{ dst, src *string }{
			{&p.row.Name, e.Name}, {&p.row.Email, e.Email}, {&p.row.Kind, e.Kind}, {&p.row.Group, e.Group},
		} {
			if f.src != nil {
				*f.dst = *f.src
			}
		}
		if err := p.check(); err != nil {
			return err
		}
		if err := t.putRow(tr, p.id, p.row); err != nil {
			return err
		}
		return t.editEvents(p, e, record.Event{Event: checkout.Event{Actor: actor, Source: source}})
	})
}

// editEvents makes the changes that are events: the tag's and the status's.
func (t *txn) editEvents(p party, e checkout.Edit, ev record.Event) error {
	steps := []func() error{
		func() (err error) {
			if e.Tag.IsZero() {
				return nil
			}
			ev := ev
			if err := t.enrol(&ev, p, e.Tag); err != nil {
				return err
			}
			// It may have taken over what a pending tag did.
			p.row, err = t.row(p.tree, p.id)
			return err
		},
		func() error {
			if e.Status == nil {
				return nil
			}
			_, err := t.changeStatus(p, e.Status.String(), ev)
			return err
		},
	}
	if p.row.Status == checkout.Retired {
		slices.Reverse(steps) // who comes back may have a tag again
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// setStatus changes a status and appends the event.
func (t *txn) setStatus(p party, s checkout.Status, ev record.Event) error {
	ev.Kind, ev.Note = checkout.Correct, s.String()
	if s == checkout.Retired {
		ev.Kind, ev.Note = checkout.Retire, ""
		if err := t.holdsNothing(p); err != nil {
			return err
		}
	}
	p.row.Status = s
	if p.tree == record.TreePeople {
		return t.append(&ev, &p, nil)
	}
	return t.append(&ev, nil, &p)
}

// holdsNothing refuses when a loan of the person or device is open.
func (t *txn) holdsNothing(p party) error {
	if p.tree == record.TreeDevices {
		if p.row.Loan.Holder == "" {
			return nil
		}
		h, err := t.holderName(p.row.Loan.Holder)
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: %s is with %s: return it first", checkout.ErrRefused, nameOr(p), h)
	}
	var held []string
	err := t.eachRow(record.TreeDevices, func(id string, r *record.Row) error {
		if r.Loan.Holder == p.id {
			held = append(held, nameOr(party{record.TreeDevices, id, r}))
		}
		return nil
	})
	if err == nil && held != nil {
		err = fmt.Errorf("%w: %s still has %s", checkout.ErrRefused, nameOr(p), strings.Join(held, ", "))
	}
	return err
}
