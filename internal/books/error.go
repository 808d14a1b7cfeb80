package books

import (
	"errors"
	"fmt"
	"strings"

	"stump/checkout"
)

// ErrNotFound is the base of errors about people and devices that are not in
// the register.
var ErrNotFound = errors.New("not in the register")

// NotFoundError is an ErrNotFound that says who or what.
type NotFoundError struct {
	Kind checkout.SubjectKind
	Ref  string
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("%s %q: %v", e.Kind, e.Ref, ErrNotFound) }

func (e *NotFoundError) Unwrap() error { return ErrNotFound }

// AmbiguousError is a name that several people or devices have.
type AmbiguousError struct {
	Kind checkout.SubjectKind
	Name string
	IDs  []string
}

func (e *AmbiguousError) Error() string {
	what := "devices"
	if e.Kind == checkout.KindPerson {
		what = "people"
	}
	return fmt.Sprintf("the name %q is that of %d %s: use an id, one of %s", e.Name, len(e.IDs), what, strings.Join(e.IDs, ", "))
}

// ExistsError says that an id is taken.
type ExistsError struct {
	Kind checkout.SubjectKind
	ID   string
}

func (e *ExistsError) Error() string { return fmt.Sprintf("there is a %s %q already", e.Kind, e.ID) }

// TagTakenError says that a tag is somebody else's.
type TagTakenError struct {
	Tag        checkout.Tag
	Shown      string // what is shown of the tag
	Owner      string // id
	OwnerKind  checkout.SubjectKind
	Wanted     string // id of who should have got it
	WantedKind checkout.SubjectKind
}

func (e *TagTakenError) Error() string {
	return fmt.Sprintf("the tag %s can't be given to %s %q: it is that of %s %q", e.Shown, e.WantedKind, e.Wanted, e.OwnerKind, e.Owner)
}
