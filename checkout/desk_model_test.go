package checkout

import (
	"flag"
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// deskModel is the desk as the design tells it, in the plainest way: it keeps
// everything that ever happened and, at each tap, looks back through all of it.
type deskModel struct {
	o       DeskOptions
	sights  []modelSight
	entries []modelEntry
}

type modelSight struct {
	at  time.Duration
	who byte
	off bool // the tap did not count, since it could not be saved
}

// modelEntry is a thing that changed what waits.
type modelEntry struct {
	at             time.Duration
	what           string // "tap", "pair" (saved), "cancel", "over"
	who            byte   // tap
	person, device byte   // pair
	seq            uint64
}

// waits says who waits at the time at, by the last entry alone.
func (m *deskModel) waits(at time.Duration) (byte, bool) {
	if len(m.entries) == 0 {
		return 0, false
	}
	switch e := m.entries[len(m.entries)-1]; e.what {
	case "tap":
		return e.who, at < e.at+m.o.Window
	case "pair", "cancel":
		return e.person, m.o.Batch > 0 && at < e.at+m.o.Batch
	}
	return 0, false
}

// repeated: the last sighting of the tag was less than Repeat ago.
func (m *deskModel) repeated(who byte, at time.Duration) bool {
	for i := len(m.sights) - 1; i >= 0; i-- {
		if s := m.sights[i]; s.who == who && !s.off {
			return at-s.at < m.o.Repeat
		}
	}
	return false
}

// guarded: the device's last pair was with the same person, less than SamePair ago.
func (m *deskModel) guarded(person, device byte, at time.Duration) (uint64, bool) {
	for i := len(m.entries) - 1; i >= 0; i-- {
		if e := m.entries[i]; e.what == "pair" && e.device == device {
			return e.seq, e.person == person && at-e.at < m.o.SamePair
		}
	}
	return 0, false
}

func isPerson(who byte) bool { return who >= 'A' && who <= 'Z' }

// tap returns what the desk should say; saved is the fate of a pair: done,
// refused or failed, with the sequence number it gets.
func (m *deskModel) tap(at time.Duration, who byte, fate string, seq uint64) string {
	repeated := m.repeated(who, at)
	m.sights = append(m.sights, modelSight{at: at, who: who})
	if repeated {
		return "ignored"
	}
	if who == 'S' || who == 'r' {
		return "refused"
	}
	if who == '?' {
		return "unknown-tag"
	}
	other, ok := m.waits(at)
	if !ok || isPerson(other) == isPerson(who) {
		m.entries = append(m.entries, modelEntry{at: at, what: "tap", who: who})
		if isPerson(who) {
			return "wait-device"
		}
		return "wait-badge"
	}
	person, device := other, who
	if isPerson(who) {
		person, device = who, other
	}
	if seq, ok := m.guarded(person, device, at); ok {
		if m.o.Batch <= 0 || isPerson(who) {
			m.entries = append(m.entries, modelEntry{what: "over"})
		}
		return fmt.Sprint("repeat-result ", seq)
	}
	switch fate {
	case "done":
		m.entries = append(m.entries, modelEntry{at: at, what: "pair", person: person, device: device, seq: seq})
	case "refused":
		m.entries = append(m.entries, modelEntry{at: at, what: "cancel", person: person, device: device})
	case "failed":
		for i := range m.sights {
			if m.sights[i].who == who {
				m.sights[i].off = true
			}
		}
	}
	return fmt.Sprintf("complete %c%c", person, device)
}

// expire: whoever waited before and does not any more.
func (m *deskModel) expire(at time.Duration) string {
	who, _ := m.waits(at)
	_, before := m.waits(-1 << 62)
	if _, still := m.waits(at); still || !before {
		return "-"
	}
	m.entries = append(m.entries, modelEntry{what: "over"})
	return fmt.Sprintf("timed-out %c", who)
}

// deskStep is one step of a random sequence.
type deskStep struct {
	wait time.Duration
	who  byte // '-' is the timer
	fate string
}

func genDeskStep() *rapid.Generator[deskStep] {
	// The instants around every rule, and some others.
	var waits []time.Duration
	for _, d := range []time.Duration{0, DefaultRepeat, DefaultSamePair, 20 * time.Second, DefaultWindow} {
		waits = append(waits, d, d+1, d/2, d/3)
		if d > 0 {
			waits = append(waits, d-1)
		}
	}
	// More often a quick succession, or few pairs would ever meet.
	waits = append(waits, time.Second, time.Second, 1600*time.Millisecond, 1600*time.Millisecond, 2*time.Second)
	return rapid.Custom(func(t *rapid.T) deskStep {
		return deskStep{
			wait: rapid.SampledFrom(waits).Draw(t, "wait"),
			who:  rapid.SampledFrom([]byte("AABBCaabbc?Sr-")).Draw(t, "who"),
			fate: rapid.SampledFrom([]string{"done", "done", "done", "refused", "failed"}).Draw(t, "fate"),
		}
	})
}

// TestDeskAgainstModel compares the desk with the model in 10,000 random
// sequences of 25 to 60 steps.
func TestDeskAgainstModel(t *testing.T) {
	checks := flag.Lookup("rapid.checks")
	before := checks.Value.String()
	defer flag.Set("rapid.checks", before)
	flag.Set("rapid.checks", "10000")
	steps := rapid.SliceOfN(genDeskStep(), 25, 60)
	batches := rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Second})
	seen := map[string]int{}
	taken := 0
	rapid.Check(t, func(t *rapid.T) {
		o := DeskOptions{Window: DefaultWindow, Repeat: DefaultRepeat, SamePair: DefaultSamePair, Batch: batches.Draw(t, "batch")}
		d, m := NewDesk(o), &deskModel{o: o}
		var at time.Duration
		for i, s := range steps.Draw(t, "steps") {
			at += s.wait
			var got, want string
			if s.who == '-' {
				want = m.expire(at)
				got = "-"
				if o, ok := d.Expire(at); ok {
					got = fmt.Sprintf("%v %s%s", o.Kind, o.Person.ID, o.Device.ID)
				}
			} else {
				want = m.tap(at, s.who, s.fate, uint64(i+1))
				got = deskTap(d, at, s, uint64(i+1))
			}
			if got != want {
				t.Fatalf("step %d at %v, %c: the desk says %q, the model %q", i, at, s.who, got, want)
			}
			seen[got[:min(8, len(got))]]++
			taken++
		}
	})
	for _, k := range []string{"ignored", "wait-dev", "wait-bad", "complete", "repeat-r", "refused", "unknown-", "timed-ou"} {
		if seen[k]*500 < taken {
			t.Errorf("only %d of %d steps had the outcome %s: the sequences are too tame", seen[k], taken, k)
		}
	}
}

func deskTap(d *Desk, at time.Duration, s deskStep, seq uint64) string {
	o := d.Tap(Tap{At: at, Subject: deskSubject(s.who)})
	switch o.Kind {
	case Complete:
		switch s.fate {
		case "done":
			d.Done(Event{Seq: seq})
		case "refused":
			d.Refuse()
		case "failed":
			d.Failed()
		}
		return fmt.Sprintf("complete %s%s", o.Person.ID, o.Device.ID)
	case RepeatResult:
		return fmt.Sprint("repeat-result ", o.Result.Seq)
	}
	return o.Kind.String()
}
