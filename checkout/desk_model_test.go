package checkout

import (
	"flag"
	"fmt"
	"strings"
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
	at    time.Duration
	who   byte
	known bool
	off   bool // the tap did not count, since it could not be saved
}

// modelEntry is a thing that changed what waits.
type modelEntry struct {
	at             time.Duration
	what           string // "tap", "pair" (saved), "cancel", "over", "asked"
	who            byte   // tap, asked
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

// repeated: the last sighting of the tag was less than Repeat ago, and the
// register has not forgotten whose it is.
func (m *deskModel) repeated(who byte, at time.Duration, known bool) bool {
	for i := len(m.sights) - 1; i >= 0; i-- {
		if s := m.sights[i]; s.who == who && !s.off {
			return at-s.at < m.o.Repeat && (known || !s.known)
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

// open is the question that was not answered, if nothing came after it.
func (m *deskModel) open() *modelEntry {
	if n := len(m.entries); n > 0 && m.entries[n-1].what == "asked" {
		return &m.entries[n-1]
	}
	return nil
}

// arrive: a tap that is no repeat ends what an open question suspends.
func (m *deskModel) arrive(at time.Duration, who byte, known bool) bool {
	q, repeated := m.open(), m.repeated(who, at, known)
	m.sights = append(m.sights, modelSight{at: at, who: who, known: known})
	if repeated || q != nil && q.who == who {
		return false
	}
	if q != nil {
		m.entries = append(m.entries, modelEntry{what: "over"})
	}
	return true
}

// ask: somebody taps a tag that the directory is asked about.
func (m *deskModel) ask(at time.Duration, who byte) string {
	if !m.arrive(at, who, false) {
		return "ignored"
	}
	m.entries = append(m.entries, modelEntry{at: at, what: "asked", who: who})
	return "asking"
}

// answer: a question that is still open is as if it had never been, and is is
// who tapped at its time; '?' for nobody.
func (m *deskModel) answer(at time.Duration, who, is byte, fate string, seq uint64) string {
	q := m.open()
	if q == nil || q.at != at || q.who != who {
		return "late"
	}
	m.entries = m.entries[:len(m.entries)-1]
	return m.act(at, is, fate, seq)
}

func isPerson(who byte) bool { return who >= 'A' && who <= 'Z' }

// tap returns what the desk should say; saved is the fate of a pair: done,
// refused or failed, with the sequence number it gets.
func (m *deskModel) tap(at time.Duration, who byte, fate string, seq uint64) string {
	if !m.arrive(at, who, who != '?') {
		return "ignored"
	}
	return m.act(at, who, fate, seq)
}

// act is the table of the design.
func (m *deskModel) act(at time.Duration, who byte, fate string, seq uint64) string {
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
	_, before := m.waits(-1 << 62)
	if _, still := m.waits(at); still || !before {
		return "-"
	}
	m.entries = append(m.entries, modelEntry{what: "over"})
	return "timed-out"
}

// deskStep is one step of a random sequence: a tap, a tap that is asked about,
// the answer to a question, or the timer.
type deskStep struct {
	wait time.Duration
	what string // "tap", "ask", "answer", "timer"
	who  byte   // tap and ask
	none bool   // the answer: the tag is nobody's
	back int    // the answer: to how many questions before the newest
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
			what: rapid.SampledFrom([]string{"tap", "tap", "tap", "tap", "tap", "ask", "ask", "answer", "answer", "timer"}).Draw(t, "what"),
			who:  rapid.SampledFrom([]byte("AABbCaabbc?Sr")).Draw(t, "who"),
			none: rapid.IntRange(0, 3).Draw(t, "none") == 0,
			back: rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "back"),
			fate: rapid.SampledFrom([]string{"done", "done", "done", "refused", "failed"}).Draw(t, "fate"),
		}
	})
}

// deskGame plays the same steps to the desk and to the model.
type deskGame struct {
	desk  *Desk
	model *deskModel
	asked []sighting // the questions, by the tag of a letter
}

// step returns what the desk and the model say of a step.
func (g *deskGame) step(at time.Duration, s deskStep, seq uint64) (got, want string) {
	switch s.what {
	case "timer":
		got, want = "-", g.model.expire(at)
		if g.desk.Expire(at) {
			got = "timed-out"
		}
	case "ask":
		tag := deskSubject(s.who).Tag
		got, want = "ignored", g.model.ask(at, s.who)
		if g.desk.Asked(at, tag) {
			got = "asking"
		}
		g.asked = append(g.asked, sighting{tag: tag, at: at})
	case "answer":
		if s.back >= len(g.asked) {
			return "-", "-"
		}
		q := g.asked[len(g.asked)-1-s.back]
		who := q.tag.Value[15]
		is, subject := who, deskSubject(who)
		if s.none {
			is, subject = '?', Subject{Tag: q.tag}
		}
		want = g.model.answer(q.at, who, is, s.fate, seq)
		got = g.said(g.desk.Answer(q.at, subject), s.fate, seq)
	default:
		want = g.model.tap(at, s.who, s.fate, seq)
		got = g.said(g.desk.Tap(at, deskSubject(s.who)), s.fate, seq)
	}
	return got, want
}

// said ends a pair by its fate and returns the outcome as the model says it.
func (g *deskGame) said(o Outcome, fate string, seq uint64) string {
	switch o.Kind {
	case Complete:
		switch fate {
		case "done":
			g.desk.Done(Event{Seq: seq})
		case "refused":
			g.desk.Refuse()
		case "failed":
			g.desk.Failed()
		}
		return fmt.Sprintf("complete %s%s", o.Person.ID, o.Device.ID)
	case RepeatResult:
		return fmt.Sprint("repeat-result ", o.Result.Seq)
	}
	return string(o.Kind)
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
	taken, answered := 0, 0
	rapid.Check(t, func(t *rapid.T) {
		o := DeskOptions{Window: DefaultWindow, Repeat: DefaultRepeat, SamePair: DefaultSamePair, Batch: batches.Draw(t, "batch")}
		g := deskGame{desk: NewDesk(o), model: &deskModel{o: o}}
		var at time.Duration
		for i, s := range steps.Draw(t, "steps") {
			at += s.wait
			got, want := g.step(at, s, uint64(i+1))
			if got != want {
				t.Fatalf("step %d at %v, %s %c: the desk says %q, the model %q", i, at, s.what, s.who, got, want)
			}
			seen[got[:min(8, len(got))]]++
			taken++
			if s.what == "answer" && strings.HasPrefix(got, "complete") {
				answered++
			}
		}
	})
	for _, k := range []string{"ignored", "asking", "late", "wait-dev", "wait-bad", "complete", "repeat-r", "refused", "unknown-", "timed-ou"} {
		if seen[k]*500 < taken {
			t.Errorf("only %d of %d steps had the outcome %s: the sequences are too tame", seen[k], taken, k)
		}
	}
	if answered*1000 < taken {
		t.Errorf("only %d of %d steps were an answer that completed a pair", answered, taken)
	}
}
