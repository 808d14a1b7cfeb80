package checkout

import (
	"cmp"
	"slices"
	"time"
)

// DeskOptions are the times of a desk.
type DeskOptions struct {
	// Window is how long a badge or device waits for the other; 60 s if zero.
	Window time.Duration
	// Repeat is how long after its last sighting a tag counts as repeated by
	// the reader; 1.5 s if zero, off if negative.
	Repeat time.Duration
	// SamePair is how long after a completion the same pair does not undo it;
	// 5 s if zero, off if negative.
	SamePair time.Duration
	// Batch is how long the badge keeps waiting after a completion, so that
	// one badge takes many devices; zero is off.
	Batch time.Duration
}

// The default times of a desk.
const (
	DefaultWindow   = 60 * time.Second
	DefaultRepeat   = 1500 * time.Millisecond
	DefaultSamePair = 5 * time.Second
)

// OutcomeKind says what a tap did.
type OutcomeKind string

// The outcomes of a tap and of an answer.
const (
	Ignored      OutcomeKind = "ignored"       // the reader repeated the tag: nothing changed, nothing to say
	Late         OutcomeKind = "late"          // another tap came before the answer: nothing changed, nothing to say
	WaitDevice   OutcomeKind = "wait-device"   // Person waits for a device
	WaitBadge    OutcomeKind = "wait-badge"    // Device waits for a badge
	RepeatResult OutcomeKind = "repeat-result" // the pair was completed a moment ago: Result is shown again
	// Complete: Person and Device are a pair. The caller commits it and calls
	// Done, Refuse or Failed before the next tap.
	Complete OutcomeKind = "complete"
	// Refused: Person or Device is retired or suspended. What waits keeps
	// waiting.
	Refused OutcomeKind = "refused"
	// UnknownTag: the tag belongs to nobody. What waits keeps waiting.
	UnknownTag OutcomeKind = "unknown-tag"
)

// Outcome is what a tap did. Only the subjects that it names are set.
type Outcome struct {
	Kind           OutcomeKind
	Person, Device Subject
	Result         *Event // that a RepeatResult repeats
}

// waiting is the badge or device that waits, and until when.
type waiting struct {
	subject Subject // Kind is Unknown when nothing waits
	until   time.Duration
}

// sighting is when a tag was seen, and whether the register knew it.
type sighting struct {
	tag   Tag
	at    time.Duration
	known bool
}

// completion is what a device's last pair became.
type completion struct {
	person, device Tag
	at             time.Duration
	event          Event
}

// openPair is a pair that the caller is committing.
type openPair struct {
	person, device Subject
	at             time.Duration
	before         waiting // what waited before the completing tap
	tag            Tag     // the completing tap's
}

// Desk holds the rules that turn taps into outcomes, one desk a reader. It is
// pure: each input carries its time, that of the last edge on the monotonic
// clock. Two taps are of the same person or device when their tags are equal:
// the ID of a pending tag changes when it is resolved, the tag does not. A Desk
// is not safe for concurrent use.
type Desk struct {
	o      DeskOptions
	wait   waiting
	asked  sighting     // the tag that the directory is being asked about; zero for none
	seen   []sighting   // the last sighting of each tag, for Repeat
	recent []completion // at most as many as devices fit into SamePair
	pair   *openPair
}

// NewDesk returns a desk at which nothing waits.
func NewDesk(o DeskOptions) *Desk {
	o.Window = cmp.Or(o.Window, DefaultWindow)
	o.Repeat = cmp.Or(o.Repeat, DefaultRepeat)
	o.SamePair = cmp.Or(o.SamePair, DefaultSamePair)
	return &Desk{o: o}
}

// Tap says what a tap of s does. Taps come in the order of their times.
func (d *Desk) Tap(at time.Duration, s Subject) Outcome {
	if !d.arrive(sighting{s.Tag, at, s.Kind != Unknown}) {
		return Outcome{Kind: Ignored}
	}
	return d.act(at, s)
}

// Asked says that somebody tapped a tag that the directory is being asked
// about; false means that it is not a new tap. Until Answer is called, what
// waits is suspended: it does not time out, and the next tap ends it, because
// nobody knows yet who stands at the desk.
func (d *Desk) Asked(at time.Duration, tag Tag) bool {
	s := sighting{tag: tag, at: at}
	if !d.arrive(s) {
		return false
	}
	d.asked = s
	return true
}

// Answer says that the tag which was asked about at that time is that of s. If
// no other tap came since, it does what a tap of s would have done then; else
// it returns Late.
func (d *Desk) Answer(at time.Duration, s Subject) Outcome {
	d.pair = nil
	if d.asked != (sighting{tag: s.Tag, at: at}) {
		return Outcome{Kind: Late}
	}
	d.asked = sighting{}
	return d.act(at, s)
}

// arrive notes a sighting and reports whether it is a tap. A tap ends an open
// question, and what that had suspended.
func (d *Desk) arrive(now sighting) bool {
	d.pair = nil
	if d.repeated(now) || now.tag == d.asked.tag {
		return false
	}
	if d.asked != (sighting{}) {
		d.asked, d.wait = sighting{}, waiting{}
	}
	d.seen = slices.DeleteFunc(d.seen, func(s sighting) bool { return now.at-s.at >= d.o.Repeat })
	d.recent = slices.DeleteFunc(d.recent, func(c completion) bool { return now.at-c.at >= d.o.SamePair })
	return true
}

// act is the rule of the desk.
func (d *Desk) act(at time.Duration, s Subject) Outcome {
	other := d.wait.subject
	if at >= d.wait.until {
		other = Subject{} // the window ended before this tap
	}
	out := Outcome{Kind: WaitDevice, Person: s}
	switch s.Kind {
	case Unknown:
		return Outcome{Kind: UnknownTag}
	case KindDevice:
		out = Outcome{Kind: WaitBadge, Device: s}
	}
	switch {
	case s.Status != Active:
		out.Kind = Refused
	case other.Kind == Unknown || other.Kind == s.Kind:
		d.wait = waiting{s, at + d.o.Window}
	case s.Kind == KindPerson:
		return d.complete(at, s.Tag, s, other)
	default:
		return d.complete(at, s.Tag, other, s)
	}
	return out
}

// repeated notes a sighting and reports whether the reader repeats the tag.
// Every sighting counts, so a card left on the reader stays one tap; but a tag
// that has lost its owner meanwhile is a new one.
func (d *Desk) repeated(now sighting) bool {
	for i, s := range d.seen {
		if s.tag == now.tag {
			d.seen[i] = now
			return now.at-s.at < d.o.Repeat && (now.known || !s.known)
		}
	}
	d.seen = append(d.seen, now)
	return false
}

// Forget drops the sighting of a tag: its next read is a tap.
func (d *Desk) Forget(tag Tag) {
	d.seen = slices.DeleteFunc(d.seen, func(s sighting) bool { return s.tag == tag })
}

// complete is the second half of a pair; tag is that of the completing tap.
func (d *Desk) complete(at time.Duration, tag Tag, person, device Subject) Outcome {
	for _, c := range d.recent {
		if c.person == person.Tag && c.device == device.Tag {
			// In a batch the badge keeps waiting as if nothing had happened.
			if tag == person.Tag || d.o.Batch <= 0 {
				d.wait = waiting{}
			}
			return Outcome{Kind: RepeatResult, Person: person, Device: device, Result: &c.event}
		}
	}
	d.pair = &openPair{person, device, at, d.wait, tag}
	d.wait = waiting{}
	return Outcome{Kind: Complete, Person: person, Device: device}
}

// Done says what the last Complete became. The same pair does not undo it for
// a while, and in batch mode the badge keeps waiting.
func (d *Desk) Done(ev Event) {
	p := d.pair
	if p == nil {
		return
	}
	// An earlier pair of this device must not be repeated any more: it names
	// somebody who does not have the device now.
	d.recent = slices.DeleteFunc(d.recent, func(c completion) bool { return c.device == p.device.Tag })
	d.recent = append(d.recent, completion{p.person.Tag, p.device.Tag, p.at, ev})
	d.over()
}

// Refuse says that the policy refused the last Complete: the pair is over, and
// there is no result to repeat.
func (d *Desk) Refuse() {
	if d.pair != nil {
		d.over()
	}
}

// over ends the open pair; in batch mode the badge keeps waiting.
func (d *Desk) over() {
	if d.o.Batch > 0 {
		d.wait = waiting{d.pair.person, d.pair.at + d.o.Batch}
	}
	d.pair = nil
}

// Failed says that the last Complete could not be saved: the desk is as if
// the completing tap had not happened, and it can be tapped again at once.
func (d *Desk) Failed() {
	if d.pair == nil {
		return
	}
	d.Forget(d.pair.tag)
	d.wait, d.pair = d.pair.before, nil
}

// Deadline returns when the window of what waits ends; false while nothing
// waits, or a question suspends it.
func (d *Desk) Deadline() (t time.Duration, ok bool) {
	return d.wait.until, d.wait.subject.Kind != Unknown && d.asked == (sighting{})
}

// Waiting returns the badge or device that waits, suspended or not.
func (d *Desk) Waiting() (Subject, bool) {
	return d.wait.subject, d.wait.subject.Kind != Unknown
}

// Expire says that every tap before now has been given to the desk, and reports
// once that the window has ended. A tap carries the time of its last edge, and
// the end of its frame is known only later: now is the time up to which the
// reader's frames are known, not the time of day.
func (d *Desk) Expire(now time.Duration) bool {
	if until, ok := d.Deadline(); !ok || now < until {
		return false
	}
	d.wait = waiting{}
	return true
}
