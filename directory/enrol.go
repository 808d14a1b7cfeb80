package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// EnrolPolicy says who may be given a badge at the station.
type EnrolPolicy string

// The policies, [enroll] people.
const (
	EnrolFree  EnrolPolicy = "free"         // any name makes a person
	EnrolKnown EnrolPolicy = "known-people" // the name must be known
	EnrolOff   EnrolPolicy = "off"          // only an admin enrols
)

// EnrolRequest asks for a tag to be given to somebody or something.
type EnrolRequest struct {
	Kind   checkout.SubjectKind
	Who    string // name or register id
	Tag    checkout.Tag
	Actor  string
	Source checkout.Source
	Policy EnrolPolicy
	// Admin is set for requests of an admin, who may add a person, or a badge to
	// those that they have, rather than of somebody at the keyboard.
	Admin bool
}

// Errors of enrolment.
var (
	ErrEnrolOff = errors.New("badges are enrolled by an admin only")
	// ErrHasBadge keeps somebody at the keyboard from becoming somebody else by
	// typing their name.
	ErrHasBadge = errors.New("this person has a badge already: an admin can add another")
	// ErrAmbiguous: the name fits several people.
	ErrAmbiguous = errors.New("several people have that name")
	// ErrTaken: the tag belongs to somebody or something else.
	ErrTaken = errors.New("this tag belongs to someone else")
)

// Enrol gives a tag to a person or a device. A directory with a rule of its own
// (Enroller) decides about people, and must be up for it; else the register and
// the policy decide. Errors: ErrEnrolOff, ErrTaken, call.ErrNobody, ErrAmbiguous,
// ErrHasBadge, call.ErrOffline.
func (w *Worker) Enrol(ctx context.Context, r EnrolRequest) (books.SyncRow, error) {
	row, err := w.enrolment(ctx, r)
	if err != nil {
		return books.SyncRow{}, err
	}
	row.Tag, row.Beside = r.Tag, r.Kind == checkout.KindPerson
	if row, err = w.write(row, r.Actor, r.Source); err == nil {
		w.lookups.note(r.Tag, true)
	}
	return row, err
}

// EnrolsPeople reports whether the directory itself decides who gets a badge,
// so that a name which is not in the register is nothing unusual.
func (w *Worker) EnrolsPeople() bool { return w.enroller != nil }

// enrolment finds who or what is to have the tag.
func (w *Worker) enrolment(ctx context.Context, r EnrolRequest) (books.SyncRow, error) {
	r.Who = strings.TrimSpace(r.Who)
	if err := w.mayHave(r); err != nil {
		return books.SyncRow{}, err
	}
	person := r.Kind == checkout.KindPerson
	if person && w.enroller != nil {
		return w.enrolThere(ctx, r)
	}
	m, err := w.named(r)
	switch {
	case errors.Is(err, call.ErrNobody) && (!person || r.Admin || r.Policy == EnrolFree):
		return books.SyncRow{Kind: r.Kind, Name: r.Who}, nil
	case err == nil && m.hasTag && !r.Admin && person:
		err = ErrHasBadge
	}
	return m.SyncRow, err
}

// mayHave checks what needs no look at who it is: the policy, and that the tag is
// free or theirs.
func (w *Worker) mayHave(r EnrolRequest) error {
	if r.Who == "" {
		return errors.New("a name is needed")
	}
	if r.Kind == checkout.KindPerson && !r.Admin && r.Policy == EnrolOff {
		return ErrEnrolOff
	}
	owner, err := ownerOf(w.ledger, r.Tag)
	if err == nil && owner.Kind != checkout.Unknown && !strings.EqualFold(owner.Name, r.Who) && owner.ID != r.Who {
		err = fmt.Errorf("%w: %s", ErrTaken, owner.Name)
	}
	return err
}

// enrolThere asks the directory, whose word is final.
func (w *Worker) enrolThere(ctx context.Context, r EnrolRequest) (books.SyncRow, error) {
	if o, down := w.main.isDown(); down {
		return books.SyncRow{}, o
	}
	ctx, cancel := context.WithTimeout(ctx, 2*lookupTimeout)
	defer cancel()
	if own, err := w.named(r); err == nil {
		r.Who = own.Name // an id means nothing there
	}
	row, err := w.enroller.Enrol(ctx, r.Who, r.Tag)
	if err != nil {
		return books.SyncRow{}, w.noteTrouble(ctx, err)
	}
	w.main.heard()
	// A person in the register without a badge gets this one.
	if own, err := w.named(EnrolRequest{Kind: checkout.KindPerson, Who: row.Name}); err == nil && !own.hasTag {
		if row.Ref == "" {
			row.Ref = own.Ref
		}
		row = own.Merge(row)
	}
	return row, nil
}

// named looks for an active person or device by id or by name, which must be
// the only one.
func (w *Worker) named(r EnrolRequest) (member, error) {
	all, err := members(w.ledger, 0)
	if err != nil {
		return member{}, err
	}
	var ids []string
	for _, m := range all {
		if m.Kind != r.Kind || m.Inactive {
			continue
		}
		if m.ID == r.Who {
			return w.stillThere(r.Kind, m.ID)
		}
		if strings.EqualFold(m.Name, r.Who) {
			ids = append(ids, m.ID)
		}
	}
	switch len(ids) {
	case 0:
		return member{}, fmt.Errorf("%w: %s", call.ErrNobody, r.Who)
	case 1:
		return w.stillThere(r.Kind, ids[0])
	}
	return member{}, fmt.Errorf("%w: %s is %s", ErrAmbiguous, r.Who, strings.Join(ids, ", "))
}

// stillThere returns a person or device that was listed.
func (w *Worker) stillThere(kind checkout.SubjectKind, id string) (member, error) {
	m, err := find(w.ledger, kind, id)
	if err == nil && m.ID == "" {
		err = fmt.Errorf("%w: %s", call.ErrNobody, id)
	}
	return m, err
}
