package checkout

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrRefused is the base of errors that say no to a bump or a request: the
// policy, a retired device, a suspended person. Nothing changed.
var ErrRefused = errors.New("refused")

// RefusedError is the ErrRefused of a tap: of a person or device that takes no
// part, of a device that the policy leaves with its Holder, of a person with something
// overdue, of a device that the rules of loans keep from Whom, or for a Reason in words.
type RefusedError struct {
	Subject Subject // its name is a masked number while it is pending
	Holder  string  // by name; empty if the policy had no say
	Overdue string  // what the person must bring back first, by name; empty for nothing
	// ReservedBy is who has reserved the device, by name, and ReservedFrom from when; empty
	// where it is not refused for that.
	ReservedBy   string
	ReservedFrom time.Time
	Why          Why    // the rule; the zero Why if it is none
	Whom         string // who asked for the device, by name, with Why
	NotOut       bool   // nobody has the device, which should come back
	Reason       string // if it is not set, Subject's status, Holder, Overdue or Why is the reason
}

// Why is why somebody does not get a device by the rules of loans; the zero Why is no reason.
type Why struct {
	// Out: the device is out of service until this day. Today is empty while it is not known.
	Out, Today Day
	// Needs: the person is in none of these groups.
	Needs Groups
	// Limit: they have that many devices of the kind Of already, or of all kinds if Of is
	// empty; it is above 0 where there is a limit.
	Limit int
	Of    string
}

// Most is the limit in short: "3 phone", or "3".
func (w Why) Most() string { return strings.TrimSpace(fmt.Sprint(w.Limit, " ", w.Of)) }

// String is the reason for people; empty for none.
func (w Why) String() string {
	switch {
	case w.Out != "":
		return "out of service until " + string(w.Out)
	case w.Needs != "":
		return "not in the group " + strings.ReplaceAll(string(w.Needs), "\n", " or ")
	case w.Limit != 0:
		return "the limit is " + w.Most()
	}
	return ""
}

func (e *RefusedError) Error() string {
	switch {
	case e.Reason != "":
		return fmt.Sprintf("%v: %s", ErrRefused, e.Reason)
	case e.NotOut:
		return fmt.Sprintf("%v: nobody has %s", ErrRefused, e.Subject.Name)
	case e.Holder != "":
		return fmt.Sprintf("%v: %s has %s", ErrRefused, e.Holder, e.Subject.Name)
	case e.Overdue != "":
		return fmt.Sprintf("%v: %s must bring back %s first", ErrRefused, e.Subject.Name, e.Overdue)
	case e.ReservedBy != "":
		return fmt.Sprintf("%v: %s is reserved for %s from %s", ErrRefused, e.Subject.Name, e.ReservedBy, e.ReservedFrom.Local().Format(time.RFC3339))
	}
	s := e.Subject
	if e.Why != (Why{}) {
		return fmt.Sprintf("%v: %s does not get %s: %v", ErrRefused, e.Whom, s.Name, e.Why)
	}
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
	Reserved       ReservedPolicy
	// CheckKits: the parts of a kit that comes back are asked for, if they have a tag.
	CheckKits bool
	// CheckUntagged: so are those without one, which are named at the keyboard.
	CheckUntagged bool
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
