package checkout

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"strings"

	"stump/internal/hint"
)

// Person is a row of the register.
type Person struct {
	ID, Name, Email string
	// Badge is the masked number; empty for none.
	Badge  string
	Status Status
	// Ref is the directory's own key; empty for whom only the station knows.
	Ref string
	// ByDirectory is set when the directory, not an admin, took them out of use.
	ByDirectory bool
}

// HasBadge reports whether the person can bump.
func (p Person) HasBadge() bool { return p.Badge != "" }

// Device is a row of the register.
type Device struct {
	ID, Name string
	// Kind groups devices of a kind, such as "phone"; loan lengths may depend on it.
	Kind string
	// Group names the kit that the device is part of; empty for none.
	Group string
	// Tag is the masked number; empty for none.
	Tag    string
	Status Status
	// Holder and HolderName are who has it; empty when it is free.
	Holder, HolderName string
	Lost               bool
	// Condition is what was said of it last.
	Condition string
	// Ref is the directory's own key; empty for what only the station knows.
	Ref string
	// ByDirectory is set when the directory, not an admin, took it out of use.
	ByDirectory bool
}

// HasTag reports whether the device can be bumped.
func (d Device) HasTag() bool { return d.Tag != "" }

// Word is the status as lists and files have it: "lost" for what can't be found
// and was not given up.
func (d Device) Word() string {
	if d.Lost && d.Status == Active {
		return lostStatus
	}
	return d.Status.String()
}

// ErrNotFound is the base of errors about people and devices that are not in
// the register.
var ErrNotFound = errors.New("not in the register")

// NotFoundError is an ErrNotFound that says who or what.
type NotFoundError struct {
	Kind SubjectKind
	Ref  string
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s %q: %v", e.Kind, e.Ref, ErrNotFound) }
func (e *NotFoundError) Unwrap() error { return ErrNotFound }

// AmbiguousError is a name that several people or devices have.
type AmbiguousError struct {
	Kind SubjectKind
	Name string
	IDs  []string
}

func (e *AmbiguousError) Error() string {
	what := "devices"
	if e.Kind == KindPerson {
		what = "people"
	}
	return fmt.Sprintf("the name %q is that of %d %s: use an id, one of %s", e.Name, len(e.IDs), what, strings.Join(e.IDs, ", "))
}

// ExistsError says that an id is taken.
type ExistsError struct {
	Kind SubjectKind
	ID   string
}

func (e *ExistsError) Error() string { return fmt.Sprintf("there is a %s %q already", e.Kind, e.ID) }

// findParty finds by id, then by exact name.
func (t *txn) findParty(tr tree, ref string) (party, error) {
	if IsPendingID(ref) {
		return party{}, &NotFoundError{kindOf(tr), ref}
	}
	r, err := t.row(tr, ref)
	if r != nil || err != nil {
		return party{tr, ref, r}, err
	}
	var found []party
	err = t.eachRow(tr, func(id string, r *row) error {
		if r.name == ref && !r.pending {
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
		return party{}, &NotFoundError{kindOf(tr), ref}
	}
	e := &AmbiguousError{Kind: kindOf(tr), Name: ref}
	for _, p := range found {
		e.IDs = append(e.IDs, p.id)
	}
	return party{}, e
}

func (p party) person() Person {
	return Person{ID: p.id, Name: p.row.name, Email: p.row.email, Badge: p.row.mask, Status: p.row.status, Ref: p.row.ref, ByDirectory: p.row.byDirectory}
}

// device fills in all but the holder's name.
func (p party) device() Device {
	r := p.row
	return Device{ID: p.id, Name: r.name, Kind: r.kind, Group: r.group, Tag: r.mask, Status: r.status,
		Holder: r.loan.holder, Lost: r.loan.lost, Condition: r.condition, Ref: r.ref, ByDirectory: r.byDirectory}
}

// FindPerson finds a person by id, then by exact name. Errors: ErrNotFound,
// *AmbiguousError.
func (l *Ledger) FindPerson(ref string) (Person, error) {
	var p Person
	err := l.view(func(t *txn) error {
		found, err := t.findParty(treePeople, ref)
		if err == nil {
			p = found.person()
		}
		return err
	})
	return p, err
}

// FindDevice finds a device by id, then by exact name. Errors: ErrNotFound,
// *AmbiguousError.
func (l *Ledger) FindDevice(ref string) (Device, error) {
	var d Device
	err := l.view(func(t *txn) error {
		found, err := t.findParty(treeDevices, ref)
		if err == nil {
			d, err = t.namedDevice(found)
		}
		return err
	})
	return d, err
}

func (t *txn) namedDevice(p party) (Device, error) {
	d := p.device()
	if d.Holder == "" {
		return d, nil
	}
	h, err := t.row(treePeople, d.Holder)
	if h != nil {
		d.HolderName = h.name
		if h.pending {
			d.Holder, d.HolderName = "", h.mask
		}
	}
	return d, err
}

// People yields everybody in the register, retired people too, by id.
func (l *Ledger) People() iter.Seq2[Person, error] {
	return listRows(l, treePeople, func(t *txn, p party) (Person, error) { return p.person(), nil })
}

// Devices yields every device in the register, retired ones too, by id. The
// holder of a device that a pending badge took is its masked number.
func (l *Ledger) Devices() iter.Seq2[Device, error] {
	return listRows(l, treeDevices, (*txn).namedDevice)
}

// listRows copies a tree before it yields, so that a slow reader does not keep
// a transaction open: pages could not be used again meanwhile.
func listRows[T any](l *Ledger, tr tree, f func(*txn, party) (T, error)) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var all []T
		err := l.view(func(t *txn) error {
			return t.eachRow(tr, func(id string, r *row) error {
				if r.pending {
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
func (l *Ledger) AddPerson(p Person, badge Tag, actor string, source Source) error {
	r := &row{name: p.Name, email: p.Email}
	return l.add(party{treePeople, p.ID, r}, badge, stored{Event: Event{Actor: actor, Source: source}})
}

// AddDevice puts a device into the register; a non-zero tag is enrolled too.
// Only ID, Name, Kind and Group of d count.
func (l *Ledger) AddDevice(d Device, tag Tag, actor string, source Source) error {
	r := &row{name: d.Name, kind: d.Kind, group: d.Group}
	return l.add(party{treeDevices, d.ID, r}, tag, stored{Event: Event{Actor: actor, Source: source}})
}

func (l *Ledger) add(p party, tag Tag, ev stored) error {
	if err := p.check(); err != nil {
		return err
	}
	return l.update(func(t *txn) error {
		if old, err := t.row(p.tree, p.id); old != nil || err != nil {
			if err == nil {
				err = &ExistsError{kindOf(p.tree), p.id}
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
	if err := checkID(p.id); err != nil {
		return err
	}
	if err := CheckName(p.row.name); err != nil {
		return err
	}
	if err := checkText("e-mail address", p.row.email, maxName); err != nil {
		return err
	}
	if err := checkText("kind", p.row.kind, maxName); err != nil {
		return err
	}
	return checkText("group", p.row.group, maxName)
}

// Edit is a change to a person or device; nil fields stay as they are.
type Edit struct {
	Name, Email, Kind, Group *string
	// Tag is enrolled in place of the one before; zero stays as it is.
	Tag Tag
	// Status sets Active, Suspended (people) or Retired. A lost device that is
	// active is found.
	Status *Status
}

// EditPerson changes a person. A change of status is an event.
func (l *Ledger) EditPerson(ref string, e Edit, actor string, source Source) error {
	return l.edit(treePeople, ref, e, actor, source)
}

// EditDevice changes a device. A change of status is an event.
func (l *Ledger) EditDevice(ref string, e Edit, actor string, source Source) error {
	return l.edit(treeDevices, ref, e, actor, source)
}

// RetirePerson takes a person out of use; what happened stays. Refused while
// they have a device.
func (l *Ledger) RetirePerson(ref, actor string, source Source) error {
	s := Retired
	return l.edit(treePeople, ref, Edit{Status: &s}, actor, source)
}

// RetireDevice takes a device out of use; what happened stays. Refused while
// somebody has it.
func (l *Ledger) RetireDevice(ref, actor string, source Source) error {
	s := Retired
	return l.edit(treeDevices, ref, Edit{Status: &s}, actor, source)
}

func (l *Ledger) edit(tr tree, ref string, e Edit, actor string, source Source) error {
	if tr == treeDevices && e.Status != nil && *e.Status == Suspended {
		return hint.Errorf("retire it", "a device can't be suspended")
	}
	return l.update(func(t *txn) error {
		p, err := t.findParty(tr, ref)
		if err != nil {
			return err
		}
		for _, f := range []struct{ dst, src *string }{
			{&p.row.name, e.Name}, {&p.row.email, e.Email}, {&p.row.kind, e.Kind}, {&p.row.group, e.Group},
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
		return t.editEvents(p, e, stored{Event: Event{Actor: actor, Source: source}})
	})
}

// editEvents makes the changes that are events: the tag's and the status's.
func (t *txn) editEvents(p party, e Edit, ev stored) error {
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
	if p.row.status == Retired {
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
func (t *txn) setStatus(p party, s Status, ev stored) error {
	ev.Kind, ev.Note = Correct, s.String()
	if s == Retired {
		ev.Kind, ev.Note = Retire, ""
		if err := t.holdsNothing(p); err != nil {
			return err
		}
	}
	p.row.status = s
	if p.tree == treePeople {
		return t.append(&ev, &p, nil)
	}
	return t.append(&ev, nil, &p)
}

// holdsNothing refuses when a loan of the person or device is open.
func (t *txn) holdsNothing(p party) error {
	if p.tree == treeDevices {
		if p.row.loan.holder == "" {
			return nil
		}
		h, err := t.holderName(p.row.loan.holder)
		if err != nil {
			return err
		}
		return fmt.Errorf("%w: %s is with %s: return it first", ErrRefused, nameOr(p), h)
	}
	var held []string
	err := t.eachRow(treeDevices, func(id string, r *row) error {
		if r.loan.holder == p.id {
			held = append(held, nameOr(party{treeDevices, id, r}))
		}
		return nil
	})
	if err == nil && held != nil {
		err = fmt.Errorf("%w: %s still has %s", ErrRefused, nameOr(p), strings.Join(held, ", "))
	}
	return err
}
