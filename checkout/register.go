package checkout

import (
	"errors"
	"fmt"
	"strings"
)

// lostStatus stands for a device that can't be found, see Ledger.Lose.
const StatusLost = "lost"

// ImportRow is a line of an import of people or devices.
type ImportRow struct {
	ID, Name string
	Email    string // a person's
	Kind     string // a device's
	// HasDetail is whether the file has e-mail addresses, or kinds, at all; without,
	// they stay.
	HasDetail bool
	// Tag is zero for "keep what there is".
	Tag Tag
	// Status is active, suspended (people only), lost (devices only) or retired; ""
	// keeps what there is.
	Status string
	// Line is the line of the file, for errors; 0 if there is none.
	Line int
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
		return StatusLost
	}
	return d.Status.String()
}

// SyncRow is what the directory says of a person or device.
type SyncRow struct {
	Kind SubjectKind
	// ID is the register's; empty for somebody new, whose id is made from the name.
	ID string
	// Ref is the directory's own key.
	Ref               string
	Name, Email, Type string
	// Tag is zero to keep the present one. A tag of somebody else of the same kind
	// is taken from them.
	Tag Tag
	// Inactive suspends a person and retires a device; else they are active
	// again, unless an admin took them out of use.
	Inactive bool
}

// Holding is who has a device by the directory's word.
type Holding struct {
	Free bool   `json:"free"`
	Ref  string `json:"ref,omitempty"`  // the directory's key of the holder
	ID   string `json:"id,omitempty"`   // the register's, where known
	Name string `json:"name,omitempty"` // for people
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

// Edit is a change to a person or device; nil fields stay as they are.
type Edit struct {
	Name, Email, Kind, Group *string
	// Tag is enrolled in place of the one before; zero stays as it is.
	Tag Tag
	// Status sets Active, Suspended (people) or Retired. A lost device that is
	// active is found.
	Status *Status
}

// TagTakenError says that a tag is somebody else's.
type TagTakenError struct {
	Tag        Tag
	Shown      string // what is shown of the tag
	Owner      string // id
	OwnerKind  SubjectKind
	Wanted     string // id of who should have got it
	WantedKind SubjectKind
}

func (e *TagTakenError) Error() string {
	return fmt.Sprintf("the tag %s can't be given to %s %q: it is that of %s %q", e.Shown, e.WantedKind, e.Wanted, e.OwnerKind, e.Owner)
}
