package reservation

import (
	"fmt"
	"time"

	"stump/checkout"
	"stump/internal/count"
)

// Reason is why something is not reserved.
type Reason string

// The reasons, and what a RefusedError says with each.
const (
	Lent      Reason = "lent"      // What is with By until To
	Booked    Reason = "booked"    // What is reserved for By from From to To
	Few       Reason = "few"       // there are Count of the Kind; one of them is By's from From to To, unless By is empty
	NoKind    Reason = "no-kind"   // no device in use is of the Kind
	Unused    Reason = "unused"    // What is not in use
	Backwards Reason = "backwards" // it would be over at To, before it begins
	TooLong   Reason = "too-long"  // it would last longer than Longest
	HalfTimes Reason = "one-time"  // it has a From or a To, and not both
	NoClock   Reason = "no-clock"  // the station does not know the time
	Waits     Reason = "waits"     // By waits for it already
	Has       Reason = "has"       // By, who would be the next, has What
	Others    Reason = "others"    // it is somebody else's to cancel
)

// RefusedError says why something is not reserved, or not cancelled. What is the name of a
// device, By that of a person.
type RefusedError struct {
	Reason         Reason
	What, Kind, By string
	From, To       time.Time
	Count          int
}

func (e *RefusedError) Error() string { return fmt.Sprintf("%v: %s", checkout.ErrRefused, e.why()) }

func (e *RefusedError) why() string {
	from, to := stamp(e.From.Local()), stamp(e.To.Local())
	switch e.Reason {
	case Lent:
		return fmt.Sprintf("%s is with %s until %s", e.What, e.By, to)
	case Booked:
		return fmt.Sprintf("%s is reserved for %s from %s to %s", e.What, e.By, from, to)
	case Few:
		is := "are " + count.Of(e.Count, "device")
		if e.Count == 1 {
			is = "is 1 device"
		}
		if e.By == "" {
			return fmt.Sprintf("of the kind %s there %s, and none is free for all of that", e.Kind, is)
		}
		return fmt.Sprintf("of the kind %s there %s, reserved then, too: by %s from %s to %s", e.Kind, is, e.By, from, to)
	case NoKind:
		return fmt.Sprintf("no device in use is of the kind %q", e.Kind)
	case Unused:
		return e.What + " is not in use"
	case Backwards:
		return fmt.Sprintf("it would be over at %s, before it begins", stamp(e.To))
	case TooLong:
		return fmt.Sprintf("a reservation lasts %d days at most", int(Longest/(24*time.Hour)))
	case HalfTimes:
		return "one of the times is missing"
	case NoClock:
		return "the station does not know the time"
	case Waits:
		return e.By + " waits for it already"
	case Has:
		return fmt.Sprintf("%s has %s", e.By, e.What)
	}
	return "somebody else has made this reservation"
}

var remedies = map[Reason]string{
	Lent: "reserve it from then on", NoKind: "`stump devices list` shows the kinds", Unused: "reserve another", Backwards: "give a later end",
	TooLong: "reserve it for less, or give it out", HalfTimes: "say from when and until when, or neither to be the next", NoClock: "set its clock",
	Waits: "wait", Has: "extend the loan", Others: "ask who has made it, or an admin",
}

// Hint says what to do.
func (e *RefusedError) Hint() string {
	if remedy, ok := remedies[e.Reason]; ok {
		return remedy
	}
	return "`stump reservations` shows what is reserved, `stump reservations free` what is free"
}

func (e *RefusedError) Unwrap() error { return checkout.ErrRefused }
