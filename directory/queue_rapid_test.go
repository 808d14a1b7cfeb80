package directory

import (
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
)

// qop is a step of what a queue goes through.
type qop struct {
	what    string
	device  int // 3 is the stray
	pending bool
	verdict call.Verdict
	n       int
	wait    time.Duration
}

func drawQ(rt *rapid.T) []qop {
	whats := []string{"tap", "tap", "tap", "tap", "fault", "fault", "kill", "retry", "retryparked", "drop", "accept", "hurry", "resolve", "status", "probe", "merge", "half"}
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) qop {
		o := qop{what: rapid.SampledFrom(whats).Draw(rt, "what")}
		switch o.what {
		case "tap":
			o.device = rapid.IntRange(0, 3).Draw(rt, "device")
			o.pending = rapid.IntRange(0, 5).Draw(rt, "pending") == 0
		case "fault":
			o.verdict = rapid.SampledFrom([]call.Verdict{call.Down, call.Failing, call.Failing, call.Failing, call.InDoubt, call.Refused, call.Conflict, call.BadConfig}).Draw(rt, "verdict")
			o.device = rapid.IntRange(-1, 3).Draw(rt, "device")
			o.n = rapid.SampledFrom([]int{1, 1, 2, 3, 50}).Draw(rt, "n")
		case "retry", "drop", "accept":
			o.n = rapid.IntRange(1, 12).Draw(rt, "n")
		}
		o.wait = rapid.SampledFrom([]time.Duration{0, 0, 15 * time.Millisecond, 300 * time.Millisecond, time.Second, 20 * time.Second, 5 * time.Minute, time.Hour}).Draw(rt, "wait")
		return o
	}), 1, 25).Draw(rt, "ops")
}

// queueModel is a place and a ledger whose devices are d0, d1, d2 and a stray,
// which turns out to be d0, and then there is another.
type queueModel struct {
	*box
	caps  call.Capabilities
	probe bool // the place is a Directory
	place *stage
	w     *Worker
	stop  func()

	mu        sync.Mutex
	faults    []qop
	delivered map[ledger.RowKey]int
	exempt    map[ledger.RowKey]bool // on their way when lanes changed
	wrong     string

	device checkout.Tag   // of the stray
	owner  checkout.Tag   // of whoever takes it, whom nobody knows
	people []checkout.Tag // others whom nobody knows
	tags   uint64
}

func newQueueModel(t *testing.T, caps call.Capabilities, probe bool) *queueModel {
	m := &queueModel{box: newBox(t, Main), caps: caps, probe: probe, delivered: map[ledger.RowKey]int{}, exempt: map[ledger.RowKey]bool{}}
	m.place = &stage{caps: caps, answer: m.answer}
	m.newStray()
	m.boot(t)
	return m
}

func (m *queueModel) boot(t *testing.T) {
	slow := &slowStage{m.place, func(call.Delivery) { time.Sleep(10 * time.Millisecond) }}
	o := Options{Directory: slow, Ledger: m}
	if !m.probe {
		o = Options{Ledger: m, Webhooks: map[string]Deliverer{Main: struct{ Deliverer }{slow}}}
	}
	m.w, m.stop = start(t, o)
}

func (m *queueModel) newTag() checkout.Tag {
	m.tags++
	return testkit.Tag(1000+m.tags, 26)
}

func (m *queueModel) newStray() { m.device, m.owner = m.newTag(), m.newTag() }

func (m *queueModel) fault(format string, a ...any) {
	if m.wrong == "" {
		m.wrong = fmt.Sprintf(format, a...)
	}
}

// answer is the place's. Nothing may be delivered before what is first in its
// lane, and nothing twice.
func (m *queueModel) answer(d call.Delivery) call.Outcome {
	m.mu.Lock()
	defer m.mu.Unlock()
	me := keyOf(d.Event.Seq)
	lane := ""
	for _, r := range m.rows(Main) {
		if r.Key == me {
			lane = laneOf(r)
		}
	}
	for _, r := range m.rows(Main) {
		if !m.exempt[me] && r.Key.Compare(me) < 0 && laneOf(r) == lane && m.delivered[r.Key] == 0 {
			m.fault("%v tried while %v (%+v) waits in the same lane", me, r.Key, r.OutboxRow)
		}
	}
	delete(m.exempt, me)
	device := 3
	fmt.Sscanf(d.Event.Device, "d%d", &device)
	for i := range m.faults {
		f := &m.faults[i]
		if f.n == 0 || f.device != -1 && f.device != device {
			continue
		}
		f.n--
		o := call.Outcome{Verdict: f.verdict, Reason: "fault", Late: f.verdict == call.Failing && m.caps.Settle > 0 && f.n%2 == 0}
		if f.verdict == call.InDoubt && m.caps.Repeatable {
			o.Verdict = call.Failing
		}
		return o
	}
	if m.delivered[me]++; m.delivered[me] > 1 {
		m.fault("%v delivered twice", me)
	}
	return call.Outcome{}
}

// check holds the queue to the ledger: a row that is behind the cursor is held, on
// its way, or in a lane about to be learned.
func (m *queueModel) check(when string) {
	synctest.Wait()
	s := m.w.sender(Main)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range m.rows(Main) {
		h := s.queue.held[laneOf(r)]
		covered := len(s.inflight) > 0 || r.Key.Compare(s.queue.cursor) >= 0 || h != nil && h.first.Compare(r.Key) <= 0
		for _, h := range s.queue.held {
			covered = covered || h.pending && h.first.Compare(r.Key) <= 0
		}
		if !covered {
			m.fault("%s: row %v %+v is behind the cursor %v and not held (%+v)", when, r.Key, r.OutboxRow, s.queue.cursor, h)
		}
	}
}

// learn tells the register whose the stray is, or who people are, or both.
func (m *queueModel) learn(stray, people bool) {
	s := m.w.sender(Main)
	s.mu.Lock()
	m.mu.Lock()
	for key := range s.inflight {
		m.exempt[key] = true
	}
	m.mu.Unlock()
	s.mu.Unlock()
	if stray {
		m.sync(books.SyncRow{Kind: checkout.KindDevice, ID: m.known(checkout.KindDevice, "d0").ID, Name: "d0", Tag: m.device})
		m.people = append(m.people, m.owner)
		m.newStray()
	}
	if people {
		for _, tag := range m.people {
			m.sync(books.SyncRow{Kind: checkout.KindPerson, Name: "Somebody", Tag: tag})
		}
		m.people = nil
	}
}

func (m *queueModel) tap(o qop) {
	person := m.ann()
	if o.device == 3 {
		m.complete(m.subject(checkout.KindPerson, m.owner), m.subject(checkout.KindDevice, m.device))
		return
	}
	if o.pending {
		m.people = append(m.people, m.newTag())
		person = m.subject(checkout.KindPerson, m.people[len(m.people)-1])
	}
	m.complete(person, m.known(checkout.KindDevice, fmt.Sprint("d", o.device)))
}

func (m *queueModel) do(t *testing.T, o qop) {
	id := fmt.Sprint(o.n)
	switch o.what {
	case "tap":
		m.tap(o)
	case "fault":
		m.mu.Lock()
		m.faults = append(m.faults, o)
		m.mu.Unlock()
	case "kill":
		m.stop()
		m.boot(t)
	case "retry":
		m.w.Retry(id)
	case "retryparked":
		m.w.Retry("parked")
	case "drop":
		m.w.Drop(id, "admin", checkout.SourceWeb, "x")
	case "accept":
		m.w.Accept(id, "admin")
	case "hurry":
		m.w.Hurry()
	case "status":
		m.w.Status()
	case "probe":
		m.place.mu.Lock()
		if m.place.alive == nil {
			m.place.alive = func() call.Outcome { return call.Outcome{Verdict: call.Down, Reason: "down"} }
		} else {
			m.place.alive = nil
		}
		m.place.mu.Unlock()
	case "resolve", "merge", "half":
		m.learn(o.what != "resolve", o.what != "half")
	}
}

// heal mends everything, and retries what is stuck: in the end nothing waits.
func (m *queueModel) heal() {
	m.place.mu.Lock()
	m.place.alive = nil
	m.place.mu.Unlock()
	m.mu.Lock()
	m.faults = nil
	m.mu.Unlock()
	m.learn(true, true)
	m.w.wakeSenders()
	for range 30 {
		time.Sleep(20 * time.Minute)
		m.check("healing")
		st, _ := m.w.Status()
		for _, s := range st.Sinks {
			for _, r := range s.Stuck {
				m.w.Retry(r.ID)
			}
		}
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	var left []string
	for _, r := range m.rows(Main) {
		left = append(left, fmt.Sprintf("%v %s %+v", r.Key, laneOf(r), r.OutboxRow))
	}
	if len(left) > 0 {
		m.fault("left: %q; cursor %v", left, m.w.sender(Main).queue.cursor)
	}
}

func playQ(t *testing.T, ops []qop, caps call.Capabilities, probe bool) string {
	m := newQueueModel(t, caps, probe)
	defer func() { m.stop() }()
	for i, o := range ops {
		m.do(t, o)
		time.Sleep(o.wait)
		m.check(fmt.Sprintf("after op %d (%s)", i, o.what))
		if m.wrong != "" {
			return m.wrong
		}
	}
	m.heal()
	return m.wrong
}

func TestQueueProperties(t *testing.T) {
	kinds := map[string]call.Capabilities{
		"webhook":   {Repeatable: true, Parallel: 4},
		"directory": {Repeatable: true, Identities: true, Parallel: 4},
		"settle":    {Repeatable: true, Identities: true, Parallel: 4, Settle: time.Minute},
		"toggle":    {Identities: true, Parallel: 1},
	}
	for name, caps := range kinds {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			rapid.Check(t, func(rt *rapid.T) {
				ops := drawQ(rt)
				var wrong string
				synctest.Test(t, func(t *testing.T) { wrong = playQ(t, ops, caps, name != "webhook") })
				if wrong != "" {
					rt.Fatal(wrong)
				}
			})
		})
	}
}
