package directory

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"stump/checkout"
	"stump/directory/call"
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
	// Admin: asked for by somebody with the right to replace a badge and to add
	// a person, not by whoever stands at the keyboard.
	Admin bool
}

// Errors of enrolment. Their words are for the display's log, not its rows.
var (
	ErrEnrolOff = errors.New("badges are enrolled by an admin only")
	// ErrHasBadge keeps whoever stands at the keyboard from becoming somebody
	// else by typing their name.
	ErrHasBadge = errors.New("this person has a badge already: an admin can replace it")
)

// Enrol gives a tag to a person or a device. A directory with a rule of its own
// (Capabilities.Enrol) decides about people, and must be up for it; else the
// register and the policy decide. Errors: ErrEnrolOff, ErrTaken, ErrNobody,
// ErrAmbiguous, ErrHasBadge, ErrOffline.
func (w *Worker) Enrol(ctx context.Context, r EnrolRequest) (checkout.SyncRow, error) {
	rec, err := w.enrol(ctx, r)
	return rec.row(), err
}

func (w *Worker) enrol(ctx context.Context, r EnrolRequest) (Record, error) {
	if w.o.Register == nil {
		return Record{}, errNotRunning
	}
	r.Who = strings.TrimSpace(r.Who)
	if r.Who == "" {
		return Record{}, errors.New("a name is needed")
	}
	if r.Kind == checkout.KindPerson && !r.Admin && r.Policy == EnrolOff {
		return Record{}, ErrEnrolOff
	}
	if owner, taken, err := w.o.Register.ByTag(r.Tag); err != nil {
		return Record{}, err
	} else if taken && !strings.EqualFold(owner.Name, r.Who) && owner.ID != r.Who {
		return Record{}, fmt.Errorf("%w: %s", ErrTaken, owner.Name)
	}
	if r.Kind == checkout.KindPerson && w.enroller != nil {
		return w.enrolThere(ctx, r)
	}
	rec, err := w.find(r)
	switch {
	case errors.Is(err, call.ErrNobody) && (r.Kind == checkout.KindDevice || r.Admin || r.Policy == EnrolFree):
		rec = Record{Kind: r.Kind, Name: r.Who}
	case err != nil:
		return Record{}, err
	case rec.HasTag && !r.Admin && r.Kind == checkout.KindPerson:
		return Record{}, ErrHasBadge
	}
	rec.Tag = r.Tag
	return w.enrolled(rec, r)
}

// EnrolsPeople reports whether the directory itself decides who gets a badge,
// so that a name which the register does not have is nothing unusual.
func (w *Worker) EnrolsPeople() bool { return w.enroller != nil }

// enrolThere asks the directory, whose word is final.
func (w *Worker) enrolThere(ctx context.Context, r EnrolRequest) (Record, error) {
	if o, down := w.main.isDown(); down {
		return Record{}, o
	}
	ctx, cancel := context.WithTimeout(ctx, 2*lookupTimeout)
	defer cancel()
	row, err := w.enroller.Enrol(ctx, r.Who, r.Tag)
	if err != nil {
		return Record{}, w.noteTrouble(ctx, err)
	}
	w.main.heard()
	rec := recordOf(row)
	rec.Tag = r.Tag
	// Somebody whom the register has without a badge gets this one.
	if own, err := w.find(EnrolRequest{Kind: checkout.KindPerson, Who: rec.Name}); err == nil && !own.HasTag {
		in := rec
		if in.Ref == "" {
			in.Ref = own.Ref
		}
		rec = merge(own, in)
	}
	return w.enrolled(rec, r)
}

func (w *Worker) enrolled(rec Record, r EnrolRequest) (Record, error) {
	rec, err := w.apply(rec, Asker{r.Actor, r.Source})
	if err == nil {
		w.lookups.note(r.Tag, true, r.Kind)
	}
	return rec, err
}

// find looks for an active person or device by id or by name, which must be
// the only one.
func (w *Worker) find(r EnrolRequest) (Record, error) {
	var found []Record
	for rec, err := range w.o.Register.Records() {
		if err != nil {
			return Record{}, err
		}
		if rec.Kind != r.Kind || rec.Inactive || rec.Retired {
			continue
		}
		if rec.ID == r.Who {
			return rec, nil
		}
		if strings.EqualFold(rec.Name, r.Who) {
			found = append(found, rec)
		}
	}
	switch len(found) {
	case 0:
		return Record{}, fmt.Errorf("%w: %s", call.ErrNobody, r.Who)
	case 1:
		return found[0], nil
	}
	var ids []string
	for _, f := range found {
		ids = append(ids, f.ID)
	}
	return Record{}, fmt.Errorf("%w: %s is %s", ErrAmbiguous, r.Who, strings.Join(ids, ", "))
}
