package checkout

import (
	"bytes"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// crowd is a simulated lab of people around one reader, with an oracle that knows what
// the desk can't: who stands there, in whose hand a tag is, and what only lies there.
//
// People come, bump a badge or a device, hold them there, hold two tags at once, are
// refused, leave, come back, and leave devices and badges on the reader; the directory
// answers late; the disk fails. They have manners: who finds somebody else's turn
// on the display bumps a badge first. Whether that helps is up to the desk.
type crowd struct {
	*rapid.T
	desk     *Desk
	at       time.Duration
	interval time.Duration // at which the reader repeats a tag

	here   byte   // who stands there; 0: nobody
	came   bool   // and has bumped a badge since
	lying  []byte // what lies on the reader; the last is on top, and alone is read
	next   time.Duration
	lent   map[byte]bool // devices on the reader that were not lifted since their pair
	asked  map[byte]time.Duration
	answer map[byte]time.Duration // when the directory says whose a tag is
	knows  map[byte]bool          // the register knows it by now
	saved  map[byte]Event         // the newest event of a device
	seq    uint64
	seen   map[string]int
}

// The people: M has a badge that nobody knows, N one that the directory knows, L the
// lost badge of somebody, S is suspended. Of the devices r is retired, u belongs to
// nobody and can only be a device, n is known to the directory.
const crowdPeople, crowdDevices = "ABCSLMN", "abcrun"

func (c *crowd) subject(tag byte) Subject {
	s := deskSubject(tag)
	if tag == 'M' || (tag == 'N' || tag == 'n') && !c.knows[tag] {
		s = Subject{Tag: s.Tag}
	}
	return s
}

// read is what the reader sends of a tag; hand is whether somebody holds it there.
func (c *crowd) read(tag byte, hand bool) {
	c.note("%c is read, in a hand: %v", tag, hand)
	if (tag == 'M' || tag == 'N' || tag == 'n') && !c.knows[tag] {
		if c.desk.Asked(c.at, c.subject(tag).Tag) {
			c.asked[tag] = c.at
			c.answer[tag] = c.at + rapid.SampledFrom([]time.Duration{50, 400, 999}).Draw(c.T, "answers after ms")*time.Millisecond
		}
		return
	}
	c.hear(c.desk.Tap(c.at, c.subject(tag)))
}

// hear is told the outcome, and holds it against what is so.
func (c *crowd) hear(o Outcome) {
	c.note("the desk says %s %s%s", o.Kind, o.Person.ID, o.Device.ID)
	c.seen[string(o.Kind)]++
	switch o.Kind {
	case RepeatResult:
		if ev := c.saved[o.Device.ID[0]]; ev.Seq != o.Result.Seq || ev.Person != o.Person.ID {
			c.Fatalf("told again is event %d, the newest of %s is %d", o.Result.Seq, o.Device.ID, ev.Seq)
		}
		c.lent[o.Device.ID[0]] = bytes.IndexByte(c.lying, o.Device.ID[0]) >= 0
	case Complete:
		c.complete(o.Person.ID[0], o.Device.ID[0])
	}
}

func (c *crowd) complete(person, device byte) {
	switch {
	case c.here != person:
		c.Fatalf("%c gets %c, and %q stands there", person, device, c.here)
	case c.lent[device]:
		c.Fatalf("%c gets %c, which lies there since its last pair", person, device)
	}
	switch rapid.SampledFrom([]string{"saved", "saved", "saved", "not saved", "refused"}).Draw(c.T, "fate") {
	case "not saved":
		c.desk.Failed()
		return
	case "refused":
		c.desk.Refuse()
	default:
		c.seq++
		c.saved[device] = Event{Seq: c.seq, Person: string(person)}
		c.desk.Done(c.saved[device])
	}
	c.lent[device] = bytes.IndexByte(c.lying, device) >= 0
}

// pass lets time pass: what lies there is read again, and answers come.
func (c *crowd) pass(d time.Duration) {
	for end := c.at + d; ; {
		then, tag := end, byte(0)
		for t, at := range c.answer {
			if at < then || at == then && t < tag {
				then, tag = at, t
			}
		}
		if len(c.lying) > 0 && c.next < then {
			c.at, c.next = max(c.at, c.next), max(c.at, c.next)+c.interval
			c.read(c.lying[len(c.lying)-1], false)
			continue
		}
		if c.at = max(c.at, then); tag == 0 {
			c.desk.Expire(c.at)
			return
		}
		delete(c.answer, tag)
		if tag != 'M' && rapid.IntRange(0, 3).Draw(c.T, "nobody's") > 0 {
			c.knows[tag] = true
		}
		s := c.subject(tag)
		if tag == 'n' {
			s.Fits = KindDevice
		}
		c.hear(c.desk.Answer(c.asked[tag], s))
	}
}

// hold is a tag, or two in turn, held to the reader, which reads nothing below.
func (c *crowd) hold(tags ...byte) {
	for _, tag := range tags {
		c.lent[tag] = false // it was lifted
	}
	for i := range rapid.SampledFrom([]int{1, 1, 1, 2, 5}).Draw(c.T, "reads") * len(tags) {
		if i > 0 {
			lying := c.lying
			c.lying = nil
			c.pass(max(c.interval/time.Duration(len(tags)), 100*time.Millisecond))
			c.lying = lying
		}
		c.read(tags[i%len(tags)], true)
	}
	c.next = c.at + c.interval
}

func (c *crowd) note(format string, a ...any) { c.Logf("%v: "+format, append([]any{c.at}, a...)...) }

// gone is how long the desk needs to see that a tag was taken away.
func (c *crowd) gone() time.Duration { return max(Absence, c.interval*5/2) + time.Millisecond }

// step is what somebody does next.
func (c *crowd) step() {
	c.pass(rapid.SampledFrom([]time.Duration{300, 700, 1600, 1900, 3100, 4000, 6000, 9000, 61000}).Draw(c.T, "ms") * time.Millisecond)
	if c.here == 0 {
		c.pass(max(Presentation, c.interval*6/5)) // nobody changes places faster
		c.here, c.came = rapid.SampledFrom([]byte(crowdPeople)).Draw(c.T, "comes"), false
		c.note("%c comes", c.here)
	}
	device := rapid.SampledFrom([]byte(crowdDevices)).Draw(c.T, "device")
	on := bytes.IndexByte(c.lying, device)
	what := rapid.SampledFrom([]string{"badge", "badge", "device", "device", "device", "both", "put", "take", "leave", "leave"}).Draw(c.T, "does")
	if s, waits := c.desk.Waiting(); !c.came && waits && s.Kind == KindPerson && what != "leave" {
		what = "badge"
	}
	switch {
	case what == "leave":
		c.pass(Presentation + max(2*c.interval, time.Second)) // what lies there is read once more, and answered
		c.here = 0
	case what == "badge":
		c.hold(c.here)
		c.came = true
	case what == "both" && on < 0:
		c.hold(c.here, device)
		c.came = true
	case what == "device" && on < 0:
		c.hold(device)
	case what == "put" && on < 0:
		c.lying = append(c.lying, device)
		c.hold(device)
	case what == "take" && on >= 0:
		c.lying = append(c.lying[:on:on], c.lying[on+1:]...)
		c.pass(c.gone())
	}
}

// TestCrowd: no device is ever booked to somebody who isn't there, or handed on while it
// lies on the reader; nobody is told yes for what isn't saved.
func TestCrowd(t *testing.T) {
	manyChecks(t)
	seen := map[string]int{}
	rapid.Check(t, func(t *rapid.T) {
		c := &crowd{T: t, lent: map[byte]bool{}, asked: map[byte]time.Duration{}, answer: map[byte]time.Duration{},
			knows: map[byte]bool{}, saved: map[byte]Event{}, seen: seen}
		c.interval = rapid.SampledFrom([]time.Duration{700, 1000, 1400, 2000, 2400}).Draw(t, "repeats after ms") * time.Millisecond
		o := DeskOptions{Batch: rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Second}).Draw(t, "batch")}
		if c.interval > Presentation {
			o.Repeat = c.interval // five bumps by a quick hand would unlearn it
		}
		c.desk = NewDesk(o)
		for range rapid.IntRange(10, 60).Draw(t, "steps") {
			c.step()
		}
	})
	for _, k := range []OutcomeKind{Complete, Lies, Refused, UnknownTag, Late, RepeatResult, Ignored} {
		if seen[string(k)] == 0 {
			t.Errorf("the crowd is too tame: nothing had the outcome %s", k)
		}
	}
}
