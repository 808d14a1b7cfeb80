package checkout

import (
	"errors"
	"fmt"
)

// ErrRefused is the base of errors that say no to a bump or a request: the
// policy, a retired device, a suspended person. Nothing changed.
var ErrRefused = errors.New("refused")

// RefusedError is the ErrRefused of a tap: of a person or device that takes no
// part, of a device that the policy leaves with its Holder, of a person with something
// overdue, or for a Reason in words.
type RefusedError struct {
	Subject Subject // its name is a masked number while it is pending
	Holder  string  // by name; empty if the policy had no say
	Overdue string  // what the person must bring back first, by name; empty for nothing
	Reason  string  // if it is not set, Subject's status, Holder or Overdue is the reason
}

func (e *RefusedError) Error() string {
	switch {
	case e.Reason != "":
		return fmt.Sprintf("%v: %s", ErrRefused, e.Reason)
	case e.Holder != "":
		return fmt.Sprintf("%v: %s has %s", ErrRefused, e.Holder, e.Subject.Name)
	case e.Overdue != "":
		return fmt.Sprintf("%v: %s must bring back %s first", ErrRefused, e.Subject.Name, e.Overdue)
	}
	s := e.Subject
	if s.Status == LostBadge || s.Status == OldBadge {
		return fmt.Sprintf("%v: the badge of %s is %s", ErrRefused, s.Name, s.Status)
	}
	return fmt.Sprintf("%v: %s is %s", ErrRefused, s.Name, s.Status)
}

// Unwrap is ErrRefused.
func (e *RefusedError) Unwrap() error { return ErrRefused }

// Completion is a pair that the desk completed.
type Completion struct {
	Person, Device Subject
	Policy         Policy
	Overdue        OverduePolicy
	// CheckKits: the parts of a kit that comes back are asked for, if they have a tag.
	CheckKits bool
	// Back: the device is a part that was asked for. It is brought back, or nothing changes.
	Back   bool
	Reader string
	Source Source // SourceReader if empty
	// Actor is who caused it; the person if empty.
	Actor, Note string
}

// Refusal is a bump that was refused, or whose tag nobody knows.
type Refusal struct {
	Tag     Tag
	Unknown bool // nobody has the tag
	// Fits is what an unknown tag can only be, by the site's rules; Unknown for either.
	Fits SubjectKind
	// Person and Device are IDs of the register; empty where nobody knows.
	Person, Device string
	// Reason says why, for people. It has of a number its end only.
	Reason string
	Reader string
	// Count is how often; Noted is whether an event tells of it already.
	Count int
	Noted bool
}
