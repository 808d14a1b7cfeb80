package checkout

import (
	"flag"
	"fmt"
	"slices"
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
	armed   []modelEntry // devices that lie there from then on, by a pair, also a refused or repeated one
	failed  modelEntry   // the newest tap that could not be saved
	again   bool         // it may be tapped again at once
	answers []modelEntry // what was said, by its time; who is the device of a "lies"
	missed  string       // parts that nobody has bumped, since the last outcome
	counts  []modelEntry // when counting began, ended, and went on
	window  time.Duration
}

type modelSight struct {
	at       time.Duration
	who      byte
	known    bool
	interval time.Duration // what was learned of the reader up to this read
}

// modelEntry is a thing that changed what waits.
type modelEntry struct {
	at             time.Duration
	what           string // "tap", "pair" (saved), "cancel", "over", "asked"
	who            byte   // tap, asked
	person, device byte   // pair
	seq            uint64
	sights         int    // an armed device: how many reads there were
	asks           string // pair: the parts of a kit that came back without them
}

// alike: gaps that differ by 5 % of their mean at most.
func alike(gaps ...time.Duration) (time.Duration, bool) {
	var sum time.Duration
	for _, g := range gaps {
		sum += g / time.Duration(len(gaps))
	}
	for _, g := range gaps {
		if g < sum-sum/20 || g > sum+sum/20 {
			return sum, false
		}
	}
	return sum, true
}

// learned goes through all reads: four even gaps of one tag, with nothing in between,
// are the interval; three that are too short for it unlearn it.
func (m *deskModel) learned() (interval time.Duration) {
	short := 0
	for i := 1; i < len(m.sights); i++ {
		gap := m.sights[i].at - m.sights[i-1].at
		if m.sights[i].who != m.sights[i-1].who {
			continue
		}
		if _, ok := alike(interval, gap); ok {
			short = 0
		} else if gap > Presentation && gap < interval*4/5 {
			short++
		}
		if short == 3 {
			interval, short = 0, 0
		}
		if i < 4 || slices.ContainsFunc(m.sights[i-4:i+1], func(s modelSight) bool { return s.who != m.sights[i].who }) {
			continue
		}
		var gaps []time.Duration
		for j := i - 3; j <= i; j++ {
			gaps = append(gaps, m.sights[j].at-m.sights[j-1].at)
		}
		mean, ok := alike(gaps...)
		if _, known := alike(interval, mean); ok && !known && slices.Max(gaps) <= 5*time.Minute {
			interval, short = mean, 0
		}
	}
	return interval
}

// counting: it was begun, or a device was counted, less than the window ago, and it was not
// ended since.
func (m *deskModel) counting(at time.Duration) bool {
	if len(m.counts) == 0 {
		return false
	}
	last := m.counts[len(m.counts)-1]
	return last.what != "end" && at < last.at+m.window
}

// count begins it for a window, 0 ends it.
func (m *deskModel) count(at, window time.Duration) {
	what := map[bool]string{true: "end", false: "begin"}[window == 0]
	m.window, m.counts = window, append(m.counts, modelEntry{at: at, what: what})
}

// waits says who waits at the time at, by the last entry alone.
func (m *deskModel) waits(at time.Duration) (byte, bool) {
	if len(m.entries) == 0 || m.o.Alone {
		return 0, false
	}
	switch e := m.entries[len(m.entries)-1]; e.what {
	case "tap":
		return e.who, at < e.at+m.o.Window
	case "pair", "cancel":
		return e.person, m.o.Batch > 0 && at < e.at+m.o.Batch || m.parts() != "" && at < e.at+m.o.Window
	}
	return 0, false
}

// parts are those that were asked for since the badge waits, and not bumped since.
func (m *deskModel) parts() (left string) {
	first := len(m.entries)
	for first > 0 && (m.entries[first-1].what == "pair" || m.entries[first-1].what == "cancel") {
		first--
	}
	for _, e := range m.entries[first:] {
		left = strings.ReplaceAll(left, string(e.device), "") + e.asks
	}
	return left
}

// forPartsOnly: the badge takes no other device any more.
func (m *deskModel) forPartsOnly(at time.Duration) bool {
	return m.parts() != "" && !(m.o.Batch > 0 && at < m.entries[len(m.entries)-1].at+m.o.Batch)
}

// then adds what ends what waits: nobody asks for its parts any more.
func (m *deskModel) then(e modelEntry) {
	m.missed += m.parts()
	m.entries = append(m.entries, e)
}

// told is an outcome with the parts that are missed since the last one.
func (m *deskModel) told(outcome string) string {
	if m.missed != "" {
		outcome += " misses " + m.missed
	}
	m.missed = ""
	return outcome
}

// repeated: the last sighting of the tag was at most 1.5 s ago, or 1.2 intervals, and
// the register has not forgotten whose it is. The newest sight is this one.
func (m *deskModel) repeated() bool {
	now := m.sights[len(m.sights)-1]
	for i := len(m.sights) - 2; i >= 0; i-- {
		if s := m.sights[i]; s.who == now.who {
			if m.again && now.who == m.failed.who && now.at-m.failed.at <= 1500*time.Millisecond {
				return false
			}
			return now.at-s.at <= max(1500*time.Millisecond, now.interval*6/5) && (now.known || !s.known)
		}
	}
	return false
}

// lies: the device of the newest read has not been absent since its last pair. While
// another tag is held to the reader, nobody can tell.
func (m *deskModel) lies() bool {
	now := m.sights[len(m.sights)-1]
	lies, seen, from := false, time.Duration(0), 0
	for _, e := range m.armed {
		if e.device == now.who {
			lies, seen, from = true, e.at, e.sights
		}
	}
	for i := from; i < len(m.sights) && lies; i++ {
		s, absence := m.sights[i], max(3*time.Second, m.sights[i].interval*5/2)
		if i > 0 && m.sights[i-1].who != now.who && s.who != now.who {
			if gap := s.at - m.sights[i-1].at; gap <= max(1500*time.Millisecond, s.interval*6/5) {
				seen += gap
			}
		}
		lies = s.at-seen < absence
		if s.who == now.who {
			seen = s.at
		}
	}
	return lies && now.known
}

// arm: from now on the device lies on the reader.
func (m *deskModel) arm(at time.Duration, device byte) {
	m.armed = append(m.armed, modelEntry{at: at, device: device, sights: len(m.sights)})
}

// ignored is what a read is that is no tap: "lies" if that is said.
func (m *deskModel) ignored(at time.Duration, who byte) string {
	if !m.lies() {
		return "ignored"
	}
	var last time.Duration
	said := false // since the last other answer
	for _, e := range m.answers {
		last = max(last, e.at)
		said = said && e.who != 0 || e.who == who
	}
	if at-last <= 3*time.Second || said && m.repeated() {
		return "ignored"
	}
	m.answers = append(m.answers, modelEntry{at: at, who: who})
	return "lies"
}

// guarded: the device's last pair was with the same person, less than SamePair ago, or
// in the batch that goes on.
func (m *deskModel) guarded(person, device byte, at time.Duration) (uint64, bool) {
	batch := !m.o.Alone
	for i := len(m.entries) - 1; i >= 0; i-- {
		e := m.entries[i]
		batch = batch && (e.what == "pair" || e.what == "cancel")
		if e.device == device && e.what == "cancel" {
			return 0, false
		}
		if e.what == "pair" && e.device == device {
			return e.seq, e.person == person && at-e.at < m.o.SamePair || batch
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

// arrive notes a read and says "" for a tap, which ends what an open question
// suspends; else what it is.
func (m *deskModel) arrive(at time.Duration, who byte, known bool) string {
	m.sights = append(m.sights, modelSight{at: at, who: who, known: known})
	m.sights[len(m.sights)-1].interval = m.learned()
	q := m.open()
	if m.lies() || m.repeated() || q != nil && q.who == who {
		return m.ignored(at, who)
	}
	m.again = m.again && m.failed.who != who
	if q != nil { // what it suspended is over
		m.entries = m.entries[:len(m.entries)-1]
		m.then(modelEntry{what: "over"})
	}
	return ""
}

// ask: somebody taps a tag that the directory is asked about.
func (m *deskModel) ask(at time.Duration, who byte) string {
	if m.arrive(at, who, false) != "" {
		return "ignored"
	}
	m.entries = append(m.entries, modelEntry{at: at, what: "asked", who: who})
	return "asking"
}

// answer: a question that is still open is as if it had never been, and is is
// who tapped at its time; '?' or 'u' for nobody.
func (m *deskModel) answer(at time.Duration, who, is byte, fate string, seq uint64) string {
	q := m.open()
	if q == nil || q.at != at || q.who != who {
		return "late"
	}
	m.entries = m.entries[:len(m.entries)-1]
	return m.told(m.act(at, is, fate, seq))
}

func isPerson(who byte) bool { return who >= 'A' && who <= 'Z' }

// tap returns what the desk should say; saved is the fate of a pair: done,
// refused or failed, with the sequence number it gets.
func (m *deskModel) tap(at time.Duration, who byte, fate string, seq uint64) string {
	if what := m.arrive(at, who, who != '?' && who != 'u'); what != "" {
		return what
	}
	return m.told(m.act(at, who, fate, seq))
}

// act is the table of the design.
func (m *deskModel) act(at time.Duration, who byte, fate string, seq uint64) string {
	m.answers = append(m.answers, modelEntry{at: at})
	other, ok := m.waits(at)
	if device := who == 'r' || who >= 'a' && who <= 'c'; device && m.counting(at) && !(ok && isPerson(other)) {
		m.then(modelEntry{what: "over"})
		m.counts = append(m.counts, modelEntry{at: at, what: "counted"})
		return "counted"
	}
	switch who {
	case 'r':
		return "refused"
	case 'u':
		return "unknown-tag"
	case 'S', 'L', '?':
		ok = ok && !m.forPartsOnly(at)
		m.then(modelEntry{what: "over"})
		said := map[bool]string{true: "unknown-tag", false: "refused"}[who == '?']
		if ok {
			said += " ends " + string(other)
		}
		return said
	}
	if ok && !isPerson(who) && m.forPartsOnly(at) && !strings.ContainsRune(m.parts(), rune(who)) {
		return "not-asked"
	}
	if m.o.Alone && isPerson(who) {
		return "returns-only"
	}
	if !m.o.Alone && (!ok || isPerson(other) == isPerson(who)) {
		m.then(modelEntry{at: at, what: "tap", who: who})
		if isPerson(who) {
			return "wait-device"
		}
		return "wait-badge"
	}
	person, device := other, who
	if m.o.Alone {
		person = 0
	}
	if isPerson(who) {
		person, device = who, other
	}
	if seq, ok := m.guarded(person, device, at); ok {
		if m.o.Batch <= 0 && m.parts() == "" || isPerson(who) {
			m.entries = append(m.entries, modelEntry{what: "over"})
		}
		m.arm(at, device)
		return fmt.Sprint("repeat-result ", seq)
	}
	back := ""
	if ok && strings.ContainsRune(m.parts(), rune(device)) {
		back = " back"
	}
	switch fate {
	case "done", "kit":
		e := modelEntry{at: at, what: "pair", person: person, device: device, seq: seq}
		if fate == "kit" && !m.o.Alone {
			e.asks = partsOf(device)
		}
		m.entries = append(m.entries, e)
		m.arm(at, device)
	case "refused":
		m.entries = append(m.entries, modelEntry{at: at, what: "cancel", person: person, device: device})
		m.arm(at, device)
	case "failed":
		limit := max(1500*time.Millisecond, m.learned()*6/5)
		m.again = m.failed.who != who || at-m.failed.at > limit
		m.failed = modelEntry{at: at, who: who}
	}
	return "complete " + strings.Trim(string([]byte{person, device}), "\x00") + back
}

// partsOf are the parts of a kit that comes back in a game.
func partsOf(kit byte) string { return strings.ReplaceAll("abc", string(kit), "")[:2] }

// expire: whoever waited before and does not any more.
func (m *deskModel) expire(at time.Duration) string {
	_, before := m.waits(-1 << 62)
	if _, still := m.waits(at); !still && before {
		m.then(modelEntry{what: "over"})
	} else if m.missed == "" {
		return "-"
	}
	return m.told("timed-out")
}

// deskStep is one step of a random sequence: a tap, a tap that is asked about,
// the answer to a question, or the timer.
type deskStep struct {
	wait time.Duration
	what string // "tap", "ask", "answer", "timer", "count", for as long as the reader repeats it
	who  byte   // tap and ask
	more int    // tap: how often the reader repeats it, after the same time each
	none bool   // the answer: the tag is nobody's
	back int    // the answer: to how many questions before the newest
	fate string
}

func genDeskStep() *rapid.Generator[deskStep] {
	// The instants around every rule, and some others.
	var waits []time.Duration
	for _, d := range []time.Duration{0, Presentation, Absence, DefaultSamePair, 20 * time.Second, DefaultWindow} {
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
			what: rapid.SampledFrom([]string{"tap", "tap", "tap", "tap", "tap", "tap", "tap", "tap", "ask", "ask", "ask", "answer", "answer", "answer", "timer", "timer", "count"}).Draw(t, "what"),
			who:  rapid.SampledFrom([]byte("AABbCaabbcAaBb?SrLu")).Draw(t, "who"),
			more: rapid.SampledFrom([]int{0, 0, 0, 0, 0, 0, 0, 1, 2, 5}).Draw(t, "more"),
			none: rapid.IntRange(0, 3).Draw(t, "none") == 0,
			back: rapid.SampledFrom([]int{0, 0, 0, 1, 2}).Draw(t, "back"),
			fate: rapid.SampledFrom([]string{"done", "done", "done", "kit", "kit", "refused", "failed"}).Draw(t, "fate"),
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
	case "count":
		window := time.Duration(s.more) * 20 * time.Second
		g.desk.Count(at, window)
		g.model.count(at, window)
	case "timer":
		got, want = "-", g.model.expire(at)
		if missed, ended := g.desk.Expire(at); ended {
			got = misses("timed-out", missed)
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
			if !isPerson(who) {
				is, subject.Fits = 'u', KindDevice
			}
		}
		want = g.model.answer(q.at, who, is, s.fate, seq)
		out := g.desk.Answer(q.at, subject)
		got = misses(g.said(out, s.fate, seq), out.Missed)
	default:
		want = g.model.tap(at, s.who, s.fate, seq)
		out := g.desk.Tap(at, deskSubject(s.who))
		got = misses(g.said(out, s.fate, seq), out.Missed)
	}
	return got, want
}

// misses is an outcome with the parts that are missed.
func misses(outcome string, parts []Subject) string {
	for i, p := range parts {
		if i == 0 {
			outcome += " misses "
		}
		outcome += p.ID
	}
	return outcome
}

// said ends a pair by its fate and returns the outcome as the model says it.
func (g *deskGame) said(o Outcome, fate string, seq uint64) string {
	switch o.Kind {
	case Complete:
		switch fate {
		case "done", "kit":
			ev := Event{Seq: seq}
			if fate == "kit" {
				for _, p := range partsOf(o.Device.ID[0]) {
					ev.Asked = append(ev.Asked, deskSubject(byte(p)))
				}
			}
			g.desk.Done(ev)
		case "refused":
			g.desk.Refuse()
		case "failed":
			g.desk.Failed()
		}
		said := fmt.Sprintf("complete %s%s", o.Person.ID, o.Device.ID)
		if o.Back {
			said += " back"
		}
		return said
	case RepeatResult:
		return fmt.Sprint("repeat-result ", o.Result.Seq)
	}
	if o.Ended.Kind != Unknown {
		return string(o.Kind) + " ends " + o.Ended.ID
	}
	return string(o.Kind)
}

// repeated makes further steps of what the reader repeats.
func repeated(steps []deskStep) (all []deskStep) {
	for _, s := range steps {
		all = append(all, s)
		for range s.more {
			if s.what == "tap" {
				all = append(all, s)
			}
		}
	}
	return all
}

// manyChecks makes rapid play 10,000 games in this test.
func manyChecks(t *testing.T) {
	before := flag.Lookup("rapid.checks").Value.String()
	t.Cleanup(func() { flag.Set("rapid.checks", before) })
	flag.Set("rapid.checks", "10000")
}

// TestDeskAgainstModel compares the desk with the model in 10,000 random
// sequences of 25 to 60 steps.
func TestDeskAgainstModel(t *testing.T) {
	manyChecks(t)
	steps := rapid.SliceOfN(genDeskStep(), 25, 60)
	batches := rapid.SampledFrom([]time.Duration{0, 0, 20 * time.Second})
	seen := map[string]int{}
	taken, answered, learned, back, missed := 0, 0, 0, 0, 0
	rapid.Check(t, func(t *rapid.T) {
		o := DeskOptions{Window: DefaultWindow, SamePair: DefaultSamePair, Batch: batches.Draw(t, "batch"), Alone: rapid.IntRange(0, 4).Draw(t, "alone") == 0}
		g := deskGame{desk: NewDesk(o), model: &deskModel{o: o}}
		var at time.Duration
		for i, s := range repeated(steps.Draw(t, "steps")) {
			at += s.wait
			got, want := g.step(at, s, uint64(i+1))
			if got != want {
				t.Fatalf("step %d at %v, %s %c: the desk says %q, the model %q", i, at, s.what, s.who, got, want)
			}
			if seen[got[:min(8, len(got))]]++; s.what == "count" {
				continue
			}
			taken++
			if s.what == "answer" && strings.HasPrefix(got, "complete") {
				answered++
			}
			if strings.Contains(got, " back") {
				back++
			}
			if strings.Contains(got, " misses ") {
				missed++
			}
			if g.desk.Interval() > Presentation {
				learned++
			}
		}
	})
	for _, k := range []string{"ignored", "asking", "late", "wait-dev", "wait-bad", "complete", "repeat-r", "refused", "unknown-", "timed-ou", "lies", "not-aske", "counted", "returns-"} {
		if seen[k]*1000 < taken {
			t.Errorf("only %d of %d steps had the outcome %s: the sequences are too tame", seen[k], taken, k)
		}
	}
	if learned*50 < taken {
		t.Errorf("in only %d of %d steps an interval was learned", learned, taken)
	}
	if back*1000 < taken || missed*1000 < taken {
		t.Errorf("in %d steps, %d parts came back, and %d times some were missed", taken, back, missed)
	}
	if answered*1000 < taken {
		t.Errorf("only %d of %d steps were an answer that completed a pair", answered, taken)
	}
}
