package checkout

import "slices"

// Notice is what somebody is told of a device that changed hands, so that they notice what was
// done with a copy of their badge.
type Notice string

// The notices.
const (
	NoticeTaken    Notice = "taken"      // it was taken in their name
	NoticeOver     Notice = "taken-over" // so it was, from somebody else
	NoticeHanded   Notice = "handed-on"  // somebody else has it now
	NoticeReturned Notice = "returned"   // it came back in their name
	NoticeBrought  Notice = "brought"    // somebody else brought it back
	NoticeLeft     Notice = "left"       // it was left at a reader where nobody shows a badge
)

// Told is who is told what of an event, and who else it was about; empty for nobody.
type Told struct {
	Whom, Other string
	Notice      Notice
}

// Notices is who is told of an event, if people are told of these kinds. Who had a device that
// comes back without a badge is always told. Of the parts of a kit nobody is, and of what the
// directory says, it tells people itself.
func Notices(kinds []Kind, ev *Event) []Told {
	left := ev.Kind == Return && ev.Person == "" && ev.From != ""
	if ev.Kit != "" || ev.Source == SourceSync || !left && !slices.Contains(kinds, ev.Kind) {
		return nil
	}
	switch {
	case left:
		return []Told{{ev.From, "", NoticeLeft}}
	case ev.Kind == Checkout:
		return []Told{{ev.Person, "", NoticeTaken}}
	case ev.Kind == Handover:
		return []Told{{ev.Person, ev.From, NoticeOver}, {ev.From, ev.Person, NoticeHanded}}
	case ev.Kind == Return && ev.From != "" && ev.From != ev.Person:
		return []Told{{ev.From, ev.Person, NoticeBrought}}
	case ev.Kind == Return:
		return []Told{{ev.Person, "", NoticeReturned}}
	}
	return nil
}
