package checkout

import (
	"time"
)

// Tap is a good read at a reader: the time of its last edge on the monotonic
// clock, and what the register says of the tag.
type Tap struct {
	At      time.Duration
	Reader  string
	Subject Subject
}

// DeskOptions are the times of a desk. All are counted on the clock of Tap.At.
type DeskOptions struct {
	// Window is how long a badge or device waits for the other; 60 s if zero.
	Window time.Duration
	// Repeat is how long the same tag is taken for the reader repeating
	// itself, counted from its last sighting; 1.5 s if zero, off if negative.
	Repeat time.Duration
	// SamePair is how long after a completion the same pair does not undo it;
	// 5 s if zero, off if negative.
	SamePair time.Duration
	// Batch is how long the badge keeps waiting after a completion, so that
	// one badge takes many devices; zero is off.
	Batch time.Duration
}

// The times of the design.
const (
	DefaultWindow   = 60 * time.Second
	DefaultRepeat   = 1500 * time.Millisecond
	DefaultSamePair = 5 * time.Second
)

// OutcomeKind says what a tap did.
type OutcomeKind uint8

// The outcomes of a tap, and of the window's end.
const (
	// Ignored: the reader repeated itself. Nothing changed, nothing to say.
	Ignored OutcomeKind = iota
	// WaitDevice: Person waits for a device.
	WaitDevice
	// WaitBadge: Device waits for a badge.
	WaitBadge
	// Complete: Person and Device are a pair. The caller commits it and calls
	// Done, Refuse or Failed before the next tap.
	Complete
	// RepeatResult: the pair was completed a moment ago; Result is what it
	// became, to be shown again.
	RepeatResult
	// Refused: Person or Device is retired or suspended. What waits, waits on.
	Refused
	// UnknownTag: the tag is nobody's (Person and Device are zero). What
	// waits, waits on.
	UnknownTag
	// TimedOut: Person or Device had waited in vain.
	TimedOut
)

var outcomeNames = [...]string{"ignored", "wait-device", "wait-badge", "complete", "repeat-result", "refused", "unknown-tag", "timed-out"}

// String returns a short name for logs.
func (k OutcomeKind) String() string {
	if int(k) < len(outcomeNames) {
		return outcomeNames[k]
	}
	return "invalid"
}

// Outcome is what a tap did. Only the subjects that it names are set.
type Outcome struct {
	Kind           OutcomeKind
	Person, Device Subject
	// Result is the event that a RepeatResult repeats.
	Result *Event
}

// waiting is the badge or device that waits, and until when.
type waiting struct {
	subject Subject // Kind is Unknown when nothing waits
	until   time.Duration
}

// sighting is when a tag was last seen.
type sighting struct {
	key string
	at  time.Duration
}

// completion is what a device's last pair became.
type completion struct {
	person, device string // keys
	at             time.Duration
	event          Event
}

// openPair is a pair that the caller is committing.
type openPair struct {
	person, device Subject
	at             time.Duration
	before         waiting // what waited before the completing tap
	key            string  // the completing tap's
}

// Desk holds the rules that turn taps into outcomes, one desk a reader. It is
// pure: the clock is in the taps. Not safe for concurrent use.
type Desk struct {
	o      DeskOptions
	wait   waiting
	seen   []sighting   // at most as many as tags fit into Repeat
	recent []completion // at most as many as devices fit into SamePair
	pair   *openPair
}

// NewDesk returns a desk at which nothing waits.
func NewDesk(o DeskOptions) *Desk {
	def := func(d *time.Duration, v time.Duration) {
		if *d == 0 {
			*d = v
		}
	}
	def(&o.Window, DefaultWindow)
	def(&o.Repeat, DefaultRepeat)
	def(&o.SamePair, DefaultSamePair)
	return &Desk{o: o}
}

// Tap says what t does. Taps come in the order of their times.
func (d *Desk) Tap(t Tap) Outcome {
	d.pair = nil
	d.forget(t.At)
	if d.repeated(t) {
		return Outcome{Kind: Ignored}
	}
	s, other := t.Subject, d.wait.subject
	if t.At >= d.wait.until {
		other = Subject{} // the window ended before this tap
	}
	switch {
	case s.Kind == KindPerson && s.Status != Active:
		return Outcome{Kind: Refused, Person: s}
	case s.Kind == KindDevice && s.Status != Active:
		return Outcome{Kind: Refused, Device: s}
	case s.Kind == KindPerson && other.Kind == KindDevice:
		return d.complete(t, s, other)
	case s.Kind == KindDevice && other.Kind == KindPerson:
		return d.complete(t, other, s)
	case s.Kind == KindPerson:
		d.wait = waiting{s, t.At + d.o.Window}
		return Outcome{Kind: WaitDevice, Person: s}
	case s.Kind == KindDevice:
		d.wait = waiting{s, t.At + d.o.Window}
		return Outcome{Kind: WaitBadge, Device: s}
	}
	return Outcome{Kind: UnknownTag}
}

// forget drops what no guard needs any more at the time now.
func (d *Desk) forget(now time.Duration) {
	seen := d.seen[:0]
	for _, s := range d.seen {
		if now-s.at < d.o.Repeat {
			seen = append(seen, s)
		}
	}
	d.seen = seen
	recent := d.recent[:0]
	for _, c := range d.recent {
		if now-c.at < d.o.SamePair {
			recent = append(recent, c)
		}
	}
	d.recent = recent
}

// repeated notes the sighting of t's tag and reports whether the reader
// repeats itself. Every sighting counts, so that a card left on the reader
// stays one tap.
func (d *Desk) repeated(t Tap) bool {
	key := t.Subject.key()
	for i := range d.seen {
		if d.seen[i].key == key {
			d.seen[i].at = t.At
			return true
		}
	}
	d.seen = append(d.seen, sighting{key, t.At})
	return false
}

// complete is the second half of a pair.
func (d *Desk) complete(t Tap, person, device Subject) Outcome {
	for _, c := range d.recent {
		if c.person == person.key() && c.device == device.key() {
			ev := c.event
			// In a batch the badge goes on waiting as if nothing had been.
			if t.Subject.Kind == KindPerson || d.o.Batch <= 0 {
				d.wait = waiting{}
			}
			return Outcome{Kind: RepeatResult, Person: person, Device: device, Result: &ev}
		}
	}
	d.pair = &openPair{person: person, device: device, at: t.At, before: d.wait, key: t.Subject.key()}
	d.wait = waiting{}
	return Outcome{Kind: Complete, Person: person, Device: device}
}

// Done says what the last Complete became. The same pair does not undo it for
// a while, and in batch mode the badge goes on waiting.
func (d *Desk) Done(ev Event) {
	p := d.pair
	if p == nil {
		return
	}
	// An earlier pair of this device is history: repeating its result would
	// say that somebody has it who has not.
	dev := p.device.key()
	recent := d.recent[:0]
	for _, c := range d.recent {
		if c.device != dev {
			recent = append(recent, c)
		}
	}
	d.recent = append(recent, completion{p.person.key(), dev, p.at, ev})
	d.over()
}

// Refuse says that the policy refused the last Complete: the pair is over, and
// nothing changed that could be undone.
func (d *Desk) Refuse() {
	if d.pair != nil {
		d.over()
	}
}

// over ends the open pair; in batch mode the badge goes on waiting.
func (d *Desk) over() {
	if d.o.Batch > 0 {
		d.wait = waiting{d.pair.person, d.pair.at + d.o.Batch}
	}
	d.pair = nil
}

// Failed says that the last Complete could not be saved: the desk is as if
// the completing tap had not happened, so that it can be bumped again.
func (d *Desk) Failed() {
	p := d.pair
	if p == nil {
		return
	}
	d.wait, d.pair = p.before, nil
	seen := d.seen[:0]
	for _, s := range d.seen {
		if s.key != p.key {
			seen = append(seen, s)
		}
	}
	d.seen = seen
}

// Deadline returns when what waits will have waited in vain.
func (d *Desk) Deadline() (t time.Duration, ok bool) {
	return d.wait.until, d.wait.subject.Kind != Unknown
}

// Waiting returns the badge or device that waits, if any.
func (d *Desk) Waiting() (Subject, bool) {
	return d.wait.subject, d.wait.subject.Kind != Unknown
}

// Expire tells the desk that every tap before now has been given to it. It
// returns TimedOut once when the window has ended. Since a tap carries the
// time of its last edge, and its frame is known to be over only later, now is
// the time up to which the reader's frames are known, not the time of day.
func (d *Desk) Expire(now time.Duration) (Outcome, bool) {
	w := d.wait
	if w.subject.Kind == Unknown || now < w.until {
		return Outcome{}, false
	}
	d.wait = waiting{}
	o := Outcome{Kind: TimedOut}
	if w.subject.Kind == KindPerson {
		o.Person = w.subject
	} else {
		o.Device = w.subject
	}
	return o, true
}
