package loan

import (
	"fmt"
	"time"

	"stump/checkout"
	"stump/internal/count"
)

// Reason is why a loan does not begin, end or last longer.
type Reason string

// The reasons, and what a RefusedError says with each.
const (
	Has     Reason = "has"        // By has What already
	Nobody  Reason = "nobody"     // nobody has What
	Another Reason = "another"    // somebody else has What
	IsLost  Reason = "lost"       // What is lost already
	NotLost Reason = "not-lost"   // What is not lost
	Future  Reason = "future"     // it would have happened At, which is to come
	Moved   Reason = "moved"      // What changed hands later, At
	NoClock Reason = "no-clock"   // the station does not know the time
	Before  Reason = "before"     // the end, At, is before the loan
	Unknown Reason = "unknown"    // the station does not know since when What is lent
	AtMost  Reason = "at-most"    // What can be extended until At
	Sooner  Reason = "sooner"     // What is due later than that already
	Endless Reason = "no-end"     // What is lent without an end
	Past    Reason = "past"       // What would be due At, which is past
	Booked  Reason = "booked"     // What is reserved for By from At on
	Admins  Reason = "only-admin" // only admins extend loans
	Often   Reason = "often"      // What was extended Count times already
)

// RefusedError is the checkout.ErrRefused of a loan. What is the name of a device, By that of
// a person.
type RefusedError struct {
	Reason   Reason
	What, By string
	At       time.Time
	Count    int
	// Remedy is what to do, for who types commands; empty where it is the usual.
	Remedy string
}

func (e *RefusedError) Error() string { return fmt.Sprintf("%v: %s", checkout.ErrRefused, e.why()) }

func (e *RefusedError) why() string {
	at := e.At.Format(time.RFC3339)
	switch e.Reason {
	case Has:
		return e.By + " has " + e.What + " already"
	case Nobody:
		return "nobody has " + e.What
	case Another:
		return "somebody else has " + e.What
	case IsLost:
		return e.What + " is lost already"
	case NotLost:
		return e.What + " is not lost"
	case Future:
		return at + " is in the future"
	case Moved:
		return e.What + " changed hands later than that, at " + at
	case NoClock:
		return "the station does not know the time"
	case Before:
		return "the due date " + at + " is before the loan"
	case Unknown:
		return "the station does not know when " + e.What + " was lent"
	case AtMost:
		return e.What + " can be extended until " + at + " at most"
	case Sooner:
		return e.What + " is due later than that already"
	case Endless:
		return e.What + " is lent without an end"
	case Past:
		return e.What + " would be due at " + at + ", which is past"
	case Booked:
		return e.What + " is reserved for " + e.By + " from " + at
	case Often:
		return e.What + " was extended " + count.Of(e.Count, "time") + " already"
	}
	return "only admins extend loans here"
}

// Hint says what to do.
func (e *RefusedError) Hint() string { return e.Remedy }

func (e *RefusedError) Unwrap() error { return checkout.ErrRefused }
