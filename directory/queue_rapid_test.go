package directory

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"stump/directory/call"
)

type qop struct {
	what    string
	device  int
	pending bool
	verdict call.Verdict
	n       int
	wait    time.Duration
}

func drawQ(rt *rapid.T, merges bool) []qop {
	whats := []string{"tap", "tap", "tap", "tap", "fault", "fault", "kill", "stop", "retry", "retryparked", "drop", "accept", "hurry", "resolve", "status", "probe"}
	if merges {
		whats = append(whats, "merge", "half")
	}
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
		case "merge", "half", "resolve", "retry", "drop", "accept":
			o.device = rapid.IntRange(0, 3).Draw(rt, "device")
			o.n = rapid.IntRange(1, 12).Draw(rt, "n")
		}
		o.wait = rapid.SampledFrom([]time.Duration{0, 0, 15 * time.Millisecond, 300 * time.Millisecond, time.Second, 20 * time.Second, 5 * time.Minute, time.Hour}).Draw(rt, "wait")
		return o
	}), 1, 25).Draw(rt, "ops")
}

func playQ(t *testing.T, ops []qop, caps call.Capabilities, probe bool) (wrong string) {
	m := NewMemory(Main)
	var faults []qop
	removed := map[uint64]bool{} // by a person
	place := &stage{caps: caps}
	told := map[uint64]int{}
	exempt := map[uint64]bool{} // in flight when keys changed
	place.answer = func(d call.Delivery) call.Outcome {
		m.mu.Lock()
		rows := m.sinks[Main].rows
		me := rows[d.Event.Seq]
		q := newQueue(Main, m, caps)
		for seq, r := range rows {
			if !exempt[d.Event.Seq] && seq < d.Event.Seq && q.key(r) == q.key(me) && told[seq] == 0 && wrong == "" {
				wrong = fmt.Sprintf("%d tried while %d (%+v) of the same %s waits", d.Event.Seq, seq, r.RowState, q.key(r))
			}
		}
		delete(exempt, d.Event.Seq)
		m.mu.Unlock()
		dev := 0
		fmt.Sscanf(d.Event.Device, "d%d", &dev)
		for i := range faults {
			f := &faults[i]
			if f.n > 0 && (f.device == -1 || f.device == dev) {
				f.n--
				o := call.Outcome{Verdict: f.verdict, Reason: "fault"}
				if f.verdict == call.Failing && caps.Settle > 0 {
					o.Late = f.n%2 == 0
				}
				if f.verdict == call.InDoubt && caps.Repeatable {
					o.Verdict = call.Failing
				}
				return o
			}
		}
		told[d.Event.Seq]++
		if told[d.Event.Seq] > 1 && wrong == "" {
			wrong = fmt.Sprintf("%d told twice", d.Event.Seq)
		}
		return call.Outcome{}
	}
	var w *Worker
	var stop func()
	boot := func() {
		slow := &slowStage{place, func(d call.Delivery) { time.Sleep(10 * time.Millisecond) }}
		if probe {
			w = NewWorker(Options{Directory: slow, Outbox: m})
		} else {
			w = NewWorker(Options{Outbox: m, Webhooks: map[string]Deliverer{Main: struct{ Deliverer }{slow}}})
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		ww := w
		go func() { done <- ww.Run(ctx) }()
		stop = func() { cancel(); <-done }
	}
	boot()
	sender := func() *sender { return w.sender(Main) }
	invariant := func(when string) {
		synctest.Wait()
		s := sender()
		s.mu.Lock()
		defer s.mu.Unlock()
		m.mu.Lock()
		defer m.mu.Unlock()
		for seq, r := range m.sinks[Main].rows {
			h := s.queue.held[s.queue.key(r)]
			if seq < s.queue.cursor && !s.inflight[seq] && (h == nil || h.seq > seq) && wrong == "" {
				// a chain in flight or an unlearned hold covers it too
				covered := len(s.inflight) > 0
				for _, h := range s.queue.held {
					covered = covered || h.pending && h.seq <= seq
				}
				if !covered {
					wrong = fmt.Sprintf("%s: row %d %+v is behind the cursor %d and not held (%+v)", when, seq, r.RowState, s.queue.cursor, h)
				}
			}
		}
	}
	seq := 0
	defer func() { stop() }()
	for i, o := range ops {
		switch o.what {
		case "tap":
			seq++
			m.mu.Lock()
			ev := event(seq, fmt.Sprint("d", o.device))
			key := fmt.Sprint("d", o.device)
			if o.device == 3 { // a tag; "merge" makes it d0
				key = "~tag"
				o.pending = true
			}
			s := m.sinks[Main]
			s.rows[ev.Seq] = Row{Seq: ev.Seq, Event: ev, Key: key, Pending: o.pending, RowState: RowState{State: Queued}}
			s.order = append(s.order, ev.Seq)
			for _, c := range s.changed {
				poke(c)
			}
			m.mu.Unlock()
		case "fault":
			m.mu.Lock()
			faults = append(faults, o)
			m.mu.Unlock()
		case "kill", "stop":
			stop()
			boot()
		case "retry":
			w.Retry(RowID(Main, uint64(o.n)))
		case "retryparked":
			w.Retry("parked")
		case "drop":
			if w.Drop(RowID(Main, uint64(o.n)), "admin", "x") == nil {
				removed[uint64(o.n)] = true
			}
		case "accept":
			if w.Accept(RowID(Main, uint64(o.n)), "admin") == nil {
				removed[uint64(o.n)] = true
			}
		case "hurry":
			w.Hurry()
		case "status":
			w.Status()
		case "probe":
			place.mu.Lock()
			if place.alive == nil {
				place.alive = func() call.Outcome { return call.Outcome{Verdict: call.Down, Reason: "down"} }
			} else {
				place.alive = nil
			}
			place.mu.Unlock()
		case "resolve", "merge", "half":
			sender().mu.Lock()
			m.mu.Lock()
			for n := range sender().inflight {
				exempt[n] = true
			}
			sender().mu.Unlock()
			for n, r := range m.sinks[Main].rows {
				if o.what == "half" && r.Key == "~tag" {
					r.Key = "d0"
				} else if o.what == "merge" && r.Key == "~tag" {
					r.Key = "d0"
					r.Pending = false
				} else if o.what == "resolve" && r.Key != "~tag" {
					r.Pending = false
				}
				m.sinks[Main].rows[n] = r
			}
			for _, c := range m.sinks[Main].changed {
				poke(c)
			}
			m.mu.Unlock()
		}
		time.Sleep(o.wait)
		invariant(fmt.Sprintf("after op %d (%s)", i, o.what))
		if wrong != "" {
			return wrong
		}
	}
	place.mu.Lock()
	faults, place.alive = nil, nil
	place.mu.Unlock()
	m.mu.Lock()
	for n, r := range m.sinks[Main].rows {
		r.Pending = false
		m.sinks[Main].rows[n] = r
	}
	m.mu.Unlock()
	poke(sender().wake)
	for range 30 {
		time.Sleep(20 * time.Minute)
		invariant("healing")
		st, _ := w.Status()
		for _, s := range st.Sinks {
			for _, r := range s.Stuck {
				w.Retry(r.ID)
			}
		}
	}
	time.Sleep(time.Hour)
	synctest.Wait()
	if n, _ := m.Backlog(Main); n != 0 && wrong == "" {
		var left []string
		for seq, r := range m.sinks[Main].rows {
			left = append(left, fmt.Sprintf("%d %s %+v", seq, r.Key, r.RowState))
		}
		slices.Sort(left)
		wrong = fmt.Sprintf("%d rows left: %q; cursor %d", n, left, sender().queue.cursor)
	}
	return wrong
}

func TestQueueProperties(t *testing.T) {
	kinds := map[string]call.Capabilities{
		"webhook":   {Repeatable: true, Parallel: 4},
		"directory": {Repeatable: true, Identities: true, Parallel: 4},
		"settle":    {Repeatable: true, Identities: true, Parallel: 4, Settle: time.Minute},
		"toggle":    {Identities: true, Parallel: 1},
	}
	for name, caps := range kinds {
		for _, merges := range []bool{false, true} {
			t.Run(fmt.Sprint(name, "/merges=", merges), func(t *testing.T) {
				t.Parallel()
				rapid.Check(t, func(rt *rapid.T) {
					ops := drawQ(rt, merges)
					var wrong string
					synctest.Test(t, func(t *testing.T) { wrong = playQ(t, ops, caps, name != "webhook") })
					if wrong != "" {
						rt.Fatal(wrong)
					}
				})
			})
		}
	}
}
