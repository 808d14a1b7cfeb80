// Package loan has the rules of who is lent which devices, and for how long: when a loan
// ends, and who may let it end later. They are pure: each brings its time.
package loan

import (
	"time"

	"stump/checkout"
)

// Rules say to whom and for how long devices are lent. The zero Rules are no limit.
type Rules struct {
	// Length is how long a device is lent, 0 for no limit. Kinds has exceptions, by the
	// device's kind.
	Length time.Duration
	Kinds  map[string]time.Duration
	// Groups are lengths for people in a group, in place of Length.
	Groups map[string]time.Duration
	// Needs are the groups of which people must be in one to take a device of a kind.
	Needs map[string][]string
	// Limit is how many devices of a kind somebody may have, or of AllKinds.
	Limit map[string]int
	// Extensions is how often who has a device may let the loan end later, 0 for never.
	// Admins always may.
	Extensions int
	// Calendar moves the ends of loans to when the lab is open.
	Calendar Calendar
}

// Lends is how long a device of a kind is lent to somebody in groups, 0 for no limit: as
// long as the kind, or as the longest of the groups; of both the shorter.
func (r Rules) Lends(kind string, groups checkout.Groups) time.Duration {
	length, ofKind := r.Kinds[kind]
	own, ofGroup := time.Duration(0), false
	for group, d := range r.Groups {
		if !groups.Has(group) {
			continue
		}
		if ofGroup {
			d = longer(own, d)
		}
		own, ofGroup = d, true
	}
	switch {
	case ofKind && ofGroup:
		return shorter(length, own)
	case ofGroup:
		return own
	case ofKind:
		return length
	}
	return r.Length
}

// Lasts is the length of a loan to somebody in groups that begins at a time, in whole seconds,
// 0 for no end. A zero begin is not known: no day is then closed.
func (r Rules) Lasts(kind string, groups checkout.Groups, begin time.Time) time.Duration {
	length := r.Lends(kind, groups)
	if length == 0 || begin.IsZero() {
		return length
	}
	return max(r.Calendar.End(begin, length).Sub(begin), time.Second)
}

// Extension is the wish that a loan end later.
type Extension struct {
	Device, Kind string          // the device's name and kind
	Groups       checkout.Groups // of who has it
	// Since is when the loan began, Now the time; zero where they are not known.
	Since, Now time.Time
	// Length is that of the loan until now, 0 for no end.
	Length time.Duration
	// Until is when it shall end; zero: later by as much as such a device is lent.
	Until time.Time
	// Own: who has the device wishes so, and not an admin. Before is how often they did.
	Own    bool
	Before int
	// Reserved returns from when and for whom, by name, the device is reserved for others
	// before a time; zero if it is not. Nil: it is not.
	Reserved func(until time.Time) (from time.Time, by string)
}

// Extend returns the new length of a loan, at least 1 s. Errors are checkout.ErrRefused,
// and say what to do.
func (r Rules) Extend(e Extension) (time.Duration, error) {
	if err := r.mayExtend(e); err != nil {
		return 0, err
	}
	length, usual := time.Duration(0), r.Lends(e.Kind, e.Groups)
	if e.Length > 0 && usual > 0 {
		length = e.Length + usual
		if !e.Since.IsZero() {
			length = max(r.Calendar.End(e.Since.Add(e.Length), usual).Sub(e.Since), e.Length)
		}
	}
	if !e.Until.IsZero() {
		if e.Since.IsZero() {
			return 0, e.refused(Unknown, time.Time{}, e.remedy(length))
		}
		until := e.Until.Sub(e.Since).Round(time.Second)
		switch {
		case e.Own && until > length:
			return 0, e.refused(AtMost, e.Since.Add(length), "ask an admin")
		case e.Own && until <= e.Length:
			return 0, e.refused(Sooner, time.Time{}, "give a later one")
		}
		length = until
	} else if length == 0 {
		return 0, e.refused(Endless, time.Time{}, e.remedy(length))
	}
	if length < time.Second {
		return 0, e.refused(Before, e.Until, "give a later one")
	}
	return e.ends(length)
}

// ends is a length as far as its end is to come, and the device free until then.
func (e Extension) ends(length time.Duration) (time.Duration, error) {
	if e.Since.IsZero() {
		return length, nil
	}
	length, err := e.free(length)
	if err != nil {
		return 0, err
	}
	if end := e.Since.Add(length); !e.Now.IsZero() && !end.After(e.Now) {
		return 0, e.refused(Past, end, "give a later one, or bring it back")
	}
	return length, nil
}

// free is a length as far as the device is not reserved for others. What was asked for is
// not made shorter.
func (e Extension) free(length time.Duration) (time.Duration, error) {
	if e.Reserved == nil || e.Length > 0 && length <= e.Length {
		return length, nil
	}
	from, by := e.Reserved(e.Since.Add(length))
	if from.IsZero() {
		return length, nil
	}
	if until := from.Sub(e.Since); e.Until.IsZero() && until > e.Length {
		return until, nil
	}
	return 0, &RefusedError{Reason: Booked, What: e.Device, By: by, At: from, Remedy: "give an earlier end, or bring it back; `stump reservations` shows what is reserved"}
}

// remedy is what to do where a loan can't be extended as it was asked, but would by length.
func (e Extension) remedy(length time.Duration) string {
	switch {
	case !e.Since.IsZero():
		return "say until when, with --due"
	case length == 0:
		return "set the station's clock first; a loan from before that has no due date but by its length"
	}
	return "leave the due date out: the loan then lasts as much longer as such a device is lent"
}

// mayExtend is whether who has a device may extend the loan.
func (r Rules) mayExtend(e Extension) error {
	no := e.refused(Endless, time.Time{}, "keep it")
	switch {
	case !e.Own || e.Before < r.Extensions && e.Length > 0:
		return nil
	case r.Extensions == 0:
		no.Reason, no.Remedy = Admins, "ask an admin, or bring it back"
	case e.Before >= r.Extensions:
		no.Reason, no.Count, no.Remedy = Often, e.Before, "ask an admin, or bring it back"
	}
	return no
}

func (e Extension) refused(why Reason, at time.Time, remedy string) *RefusedError {
	return &RefusedError{Reason: why, What: e.Device, At: at, Remedy: remedy}
}
