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
	// Repeat is the interval at which the reader repeats a tag that lies on it;
	// learned if zero.
	Repeat time.Duration
	// Learned is the interval that was learned earlier, zero for none.
	Learned time.Duration
	// SamePair is how long after a completion the same pair does not undo it;
	// 5 s if zero.
	SamePair time.Duration
	// Batch is how long the badge keeps waiting after a completion, so that
	// one badge takes many devices; zero is off.
	Batch time.Duration
	// Alone: a device that is bumped comes back, and badges do nothing.
	Alone bool
}

// The default times of a desk.
const (
	DefaultWindow   = 60 * time.Second
	DefaultSamePair = 5 * time.Second
)

// OutcomeKind says what a tap did.
type OutcomeKind string

// The outcomes of a tap and of an answer.
const (
	Ignored      OutcomeKind = "ignored"       // the tag is still there: nothing changed, nothing to say
	Late         OutcomeKind = "late"          // another tap came before the answer: nothing changed, nothing to say
	WaitDevice   OutcomeKind = "wait-device"   // Person waits for a device
	WaitBadge    OutcomeKind = "wait-badge"    // Device waits for a badge
	RepeatResult OutcomeKind = "repeat-result" // the pair was completed a moment ago: Result is shown again
	// Lies: Device lies on the reader since its completion. What waits keeps
	// waiting.
	Lies OutcomeKind = "lies"
	// Complete: Person and Device are a pair; without a Person the device comes back alone. The caller commits it and calls
	// Done, Refuse or Failed before the next tap.
	Complete OutcomeKind = "complete"
	// NotAsked: the station waits for the parts of a kit, and Device is none of them. What
	// waits keeps waiting.
	NotAsked OutcomeKind = "not-asked"
	// Counted: Device is here, as the stock-taking notes.
	Counted OutcomeKind = "counted"
	// ReturnsOnly: Person can do nothing at this reader.
	ReturnsOnly OutcomeKind = "returns-only"
	// Refused: Person or Device takes no part. What waited for a refused badge is
	// over, since somebody else stands at the desk.
	Refused OutcomeKind = "refused"
	// UnknownTag: the tag belongs to nobody. What waits is over, unless the tag
	// can only be a device.
	UnknownTag OutcomeKind = "unknown-tag"
)

// Outcome is what a tap did. Only the subjects that it names are set.
type Outcome struct {
	Kind           OutcomeKind
	Person, Device Subject
	Ended          Subject // whose turn it was, and is no more
	Result         *Event  // that a RepeatResult repeats
	// Back: Device is a part that was asked for. The pair brings it back, or it is refused.
	Back bool
	// Missed are the parts of kits that nobody has bumped: the desk asks no longer.
	Missed []Subject
}

// waiting is the badge or device that waits, and until when.
type waiting struct {
	subject Subject // Kind is Unknown when nothing waits
	until   time.Duration
	moved   []Tag // the devices of a batch
	// parts are those of a kit that the badge has brought back, without them. Until the end
	// of a batch it takes any device, then only these.
	parts []Subject
	batch time.Duration
}

// completion is a device's last pair, and whether the device still lies on the reader.
type completion struct {
	person, device Tag
	at             time.Duration
	event          *Event        // nil: the policy refused
	lies           bool          // it has not been absent since
	seen           time.Duration // when it was there last, as far as the reader could tell
	said           bool          // that it lies there, since the last answer
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
	o        DeskOptions
	reads    presentations
	wait     waiting
	asked    sighting      // the tag that the directory is being asked about; zero for none
	recent   []completion  // one a device, while the rules need it
	answered time.Duration // when something was said last
	pair     *openPair
	failed   sighting  // the newest tap whose pair could not be saved
	again    bool      // that tag may be tapped again
	missed   []Subject // of kits, since the last outcome
	// counting is until when devices are counted, and counts for how long each goes on with it.
	counting, counts time.Duration
}

// NewDesk returns a desk at which nothing waits.
func NewDesk(o DeskOptions) *Desk {
	o.Window = cmp.Or(o.Window, DefaultWindow)
	o.SamePair = cmp.Or(o.SamePair, DefaultSamePair)
	return &Desk{o: o, reads: presentations{fixed: o.Repeat > 0, interval: cmp.Or(o.Repeat, o.Learned)}}
}

// Interval returns the interval at which the reader repeats a tag that lies on it,
// zero while it is not known.
func (d *Desk) Interval() time.Duration { return d.reads.interval }

// Tap says what a tap of s does. Taps come in the order of their times.
func (d *Desk) Tap(at time.Duration, s Subject) Outcome {
	switch d.arrive(sighting{s.Tag, at, s.Kind != Unknown}) {
	case Ignored:
		return Outcome{Kind: Ignored}
	case Lies:
		return Outcome{Kind: Lies, Device: s}
	}
	return d.told(d.act(at, s))
}

// Asked says that somebody tapped a tag that the directory is being asked
// about; false means that it is not a new tap. Until Answer is called, what
// waits is suspended: it does not time out, and the next tap ends it, because
// nobody knows yet who stands at the desk.
func (d *Desk) Asked(at time.Duration, tag Tag) bool {
	s := sighting{tag: tag, at: at}
	if d.arrive(s) != "" {
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
	return d.told(d.act(at, s))
}

// told adds to an outcome which parts are missed.
func (d *Desk) told(out Outcome) Outcome {
	out.Missed, d.missed = d.missed, nil
	return out
}

// end ends what waits.
func (d *Desk) end() {
	d.missed = append(d.missed, d.wait.parts...)
	d.wait = waiting{}
}

// arrive notes a sighting and returns "" for a tap; else what the sighting is. A tap
// ends an open question, and what that had suspended.
func (d *Desk) arrive(now sighting) OutcomeKind {
	d.pair = nil
	same, before, busy := d.reads.read(now)
	if lying := d.lying(now, before, busy); lying != nil && now.known {
		if now.at-d.answered <= Absence || same && lying.said {
			return Ignored
		}
		lying.said, d.answered = true, now.at
		return Lies
	}
	if d.again && now.tag == d.failed.tag && now.at-d.failed.at <= Presentation {
		d.again, same = false, false
	}
	if same || now.tag == d.asked.tag {
		return Ignored
	}
	if d.asked != (sighting{}) {
		d.asked = sighting{}
		d.end()
	}
	return ""
}

// lying returns the completion whose device lies on the reader and was seen now. Tags
// that are held to the reader hide a device below them, which is not absent while
// they keep it busy. Completions that no rule needs any more are dropped.
func (d *Desk) lying(now sighting, before Tag, busy time.Duration) (found *completion) {
	for i := range d.recent {
		c := &d.recent[i]
		mine := c.device == now.tag
		if !mine && before != c.device {
			c.seen += busy
		}
		if c.lies = c.lies && now.at-c.seen < d.reads.absence(); c.lies && mine {
			c.seen, found = now.at, c
		}
	}
	if found == nil && d.asked == (sighting{}) { // an answer may go back to what was
		d.recent = slices.DeleteFunc(d.recent, func(c completion) bool {
			return !c.lies && now.at-c.at >= d.o.SamePair && !slices.Contains(d.wait.moved, c.device)
		})
	}
	return found
}

// act is the rule of the desk.
func (d *Desk) act(at time.Duration, s Subject) Outcome {
	d.answer(at)
	other, open, part := d.wait.subject, false, false
	if at >= d.wait.until {
		other = Subject{} // the window ended before this tap
	} else if d.wait.parts != nil {
		open = at >= d.wait.batch // what waits is for parts alone
		for _, p := range d.wait.parts {
			if p.ID == s.ID {
				part, s.Kit, s.KitName = true, p.Kit, p.KitName
			}
		}
	}
	if at < d.counting && s.Kind == KindDevice && other.Kind != KindPerson {
		d.end()
		d.counting = at + d.counts
		return Outcome{Kind: Counted, Device: s}
	}
	if d.o.Alone && s.Kind != Unknown && s.Status == Active {
		return d.alone(at, s)
	}
	out := Outcome{Kind: WaitDevice, Person: s}
	switch {
	case s.Kind == Unknown:
		out = Outcome{Kind: UnknownTag}
	case s.Kind == KindDevice:
		out = Outcome{Kind: WaitBadge, Device: s}
	}
	if s.Kind != Unknown && s.Status != Active {
		out.Kind = Refused
	}
	switch {
	case out.Kind == Refused && s.Kind == KindDevice, out.Kind == UnknownTag && s.Fits == KindDevice:
	case out.Kind == Refused, out.Kind == UnknownTag:
		// Who stands at the desk is who bumped last, and that is nobody who may
		// take the device or for whom one may be taken.
		if !open { // else it was nobody's turn
			out.Ended = other
		}
		d.end()
	case open && !part && s.Kind == KindDevice:
		return Outcome{Kind: NotAsked, Device: s}
	case other.Kind == Unknown || other.Kind == s.Kind:
		d.end()
		d.wait = waiting{subject: s, until: at + d.o.Window}
	case s.Kind == KindPerson:
		return d.complete(at, s.Tag, s, other)
	default:
		out := d.complete(at, s.Tag, other, s)
		out.Back = part && out.Kind == Complete
		return out
	}
	return out
}

// alone is the rule of a desk at which devices come back without a badge.
func (d *Desk) alone(at time.Duration, s Subject) Outcome {
	if s.Kind == KindPerson {
		return Outcome{Kind: ReturnsOnly, Person: s}
	}
	return d.complete(at, s.Tag, Subject{}, s)
}

// Count has the desk count devices that are bumped while no badge waits, for so long after a
// time and after each of them; 0 ends that.
func (d *Desk) Count(at, window time.Duration) {
	d.counting, d.counts = at+window, window
	if window <= 0 {
		d.counting = 0
	}
}

// Counting is until when devices are counted; ok is false if they are not.
func (d *Desk) Counting(now time.Duration) (until time.Duration, ok bool) {
	return d.counting, now < d.counting
}

// answer notes that something is said.
func (d *Desk) answer(at time.Duration) {
	d.answered = max(d.answered, at)
	for i := range d.recent {
		d.recent[i].said = false
	}
}

// Forget drops the sighting of a tag: its next read is a tap.
func (d *Desk) Forget(tag Tag) {
	d.reads.forget(tag)
	d.recent = slices.DeleteFunc(d.recent, func(c completion) bool { return c.device == tag })
}

// complete is the second half of a pair; tag is that of the completing tap.
func (d *Desk) complete(at time.Duration, tag Tag, person, device Subject) Outcome {
	for i := range d.recent {
		c := &d.recent[i]
		again := c.person == person.Tag && at-c.at < d.o.SamePair || slices.Contains(d.wait.moved, device.Tag)
		if c.device != device.Tag || c.event == nil || !again || !c.event.StillSo(device.Holder) {
			continue
		}
		// In a batch the badge keeps waiting as if nothing had happened.
		if tag == person.Tag || d.o.Batch <= 0 && d.wait.parts == nil {
			d.wait = waiting{}
		}
		c.lies, c.seen = true, at
		return Outcome{Kind: RepeatResult, Person: person, Device: device, Result: c.event}
	}
	d.pair = &openPair{person, device, at, d.wait, tag}
	d.wait = waiting{}
	return Outcome{Kind: Complete, Person: person, Device: device}
}

// Done says what the last Complete became. The same pair does not undo it for
// a while, and in batch mode the badge keeps waiting.
func (d *Desk) Done(ev Event) { d.over(&ev) }

// Refuse says that the policy refused the last Complete: the pair is over, and
// there is no result to repeat.
func (d *Desk) Refuse() { d.over(nil) }

// over ends the open pair with its event, if it has one. The device lies on the
// reader from then on; in batch mode the badge keeps waiting.
func (d *Desk) over(ev *Event) {
	p := d.pair
	if p == nil {
		return
	}
	d.pair = nil
	// An earlier pair of this device must not be repeated any more: it names
	// somebody who does not have the device now.
	d.recent = slices.DeleteFunc(d.recent, func(c completion) bool { return c.device == p.device.Tag })
	d.recent = append(d.recent, completion{person: p.person.Tag, device: p.device.Tag, at: p.at, event: ev, lies: true, seen: p.at})
	next := waiting{subject: p.person, moved: p.before.moved}
	for _, s := range p.before.parts {
		if s.ID != p.device.ID {
			next.parts = append(next.parts, s)
		}
	}
	if ev != nil {
		next.moved = append(slices.Clip(p.before.moved), p.device.Tag)
		next.parts = append(next.parts, ev.Asked...)
	}
	if d.o.Batch > 0 {
		next.batch = p.at + d.o.Batch
		next.until = next.batch
	}
	if next.parts != nil {
		next.until = max(next.until, p.at+d.o.Window)
	}
	if next.until > 0 && p.person.Kind == KindPerson {
		d.wait = next
	}
}

// Failed says that the last Complete could not be saved: the desk is as if
// the completing tap had not happened, and it can be tapped again at once. That is
// once: a tag that only lies there must not try on when its person has left.
func (d *Desk) Failed() {
	p := d.pair
	if p == nil {
		return
	}
	d.again = p.tag != d.failed.tag || p.at-d.failed.at > d.reads.limit()
	d.failed = sighting{tag: p.tag, at: p.at}
	d.wait, d.pair = p.before, nil
}

// Miss says that nobody will bring the parts of kits that are asked for, and returns them.
// In a batch the badge keeps waiting.
func (d *Desk) Miss() []Subject {
	if d.wait.parts == nil {
		return nil
	}
	batch := waiting{subject: d.wait.subject, until: d.wait.batch, moved: d.wait.moved, batch: d.wait.batch}
	d.end()
	if batch.batch > 0 {
		d.wait = batch
	}
	return d.told(Outcome{}).Missed
}

// Deadline returns when the window of what waits ends; false while nothing
// waits, or a question suspends it.
func (d *Desk) Deadline() (t time.Duration, ok bool) {
	if d.missed != nil {
		return 0, true
	}
	return d.wait.until, d.wait.subject.Kind != Unknown && d.asked == (sighting{})
}

// Waiting returns the badge or device that waits, suspended or not.
func (d *Desk) Waiting() (Subject, bool) {
	return d.wait.subject, d.wait.subject.Kind != Unknown
}

// Parts returns the parts of kits that are asked for, suspended or not.
func (d *Desk) Parts() []Subject { return d.wait.parts }

// Expire says that every tap before now has been given to the desk, and reports
// once that the window has ended. A tap carries the time of its last edge, and
// the end of its frame is known only later: now is the time up to which the
// reader's frames are known, not the time of day. missed are the parts that nobody has
// bumped.
func (d *Desk) Expire(now time.Duration) (missed []Subject, ended bool) {
	if until, ok := d.Deadline(); !ok || now < until {
		return nil, false
	}
	if now >= d.wait.until && d.asked == (sighting{}) {
		d.end()
	}
	return d.told(Outcome{}).Missed, true
}
