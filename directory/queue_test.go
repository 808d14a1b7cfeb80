package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"stump/directory/call"

	"stump/checkout"
)

// addKeyed adds an event under a key, as the ledger does for a tag without an
// owner.
func addKeyed(m *Memory, seq int, key string, pending bool) {
	m.mu.Lock()
	ev := event(seq, key)
	if pending {
		ev.Device = ""
	}
	for _, s := range m.sinks {
		s.rows[ev.Seq] = Row{Seq: ev.Seq, Event: ev, Key: key, Pending: pending, RowState: RowState{State: Queued}}
		s.order = append(s.order, ev.Seq)
		for _, c := range s.changed {
			poke(c)
		}
	}
	m.mu.Unlock()
}

// resolveKey gives a row another key, as the ledger does when the register
// learns whose the tag is.
func resolveKey(m *Memory, seq uint64, key string, pending bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, s := range m.sinks {
		if r, ok := s.rows[seq]; ok {
			r.Key, r.Pending = key, pending
			s.rows[seq] = r
		}
	}
}

// A tag turns out to be that of a device of which an earlier event waits: both
// are told, in their order.
func TestLearnedBehindARowThatWaits(t *testing.T) {
	for _, first := range []call.Verdict{call.Failing, call.Refused} {
		t.Run(first.String(), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := NewMemory("hook")
				addKeyed(out, 1, "ipad", false)
				addKeyed(out, 2, "~tag", true)
				addKeyed(out, 3, "pixel", false)
				hook := &hookStage{}
				bad := map[uint64]call.Verdict{1: first, 2: call.Refused}
				hook.stage.answer = func(d call.Delivery) call.Outcome { return call.Outcome{Verdict: bad[d.Event.Seq], Reason: "x"} }
				w, stop := start(t, Options{Outbox: out, Webhooks: map[string]Deliverer{"hook": hook}, Random: func(n int64) int64 { return n - 1 }})
				defer stop()
				if first == call.Failing {
					time.Sleep(2 * time.Second)
				}
				synctest.Wait()
				resolveKey(out, 2, "ipad", false) // the tag is the ipad's
				addKeyed(out, 4, "ipad", false)
				time.Sleep(time.Second / 2)
				synctest.Wait()
				hook.stage.mu.Lock()
				clear(bad)
				hook.stage.mu.Unlock()
				st, _ := w.Status()
				t.Logf("stuck as shown: %+v", st.Sinks[0].StuckRows)
				t.Logf("retry 2: %v", w.Retry("2@hook"))
				time.Sleep(48 * time.Hour)
				synctest.Wait()
				t.Logf("told %v", hook.seqs())
				t.Logf("retry 1: %v", w.Retry("1@hook"))
				time.Sleep(48 * time.Hour)
				synctest.Wait()
				n, _ := out.Backlog("hook")
				if n != 0 || !slices.IsSorted(slices.DeleteFunc(hook.seqs(), func(n uint64) bool { return n == 3 })) {
					r, _ := out.Row("hook", 1)
					t.Errorf("told %v, %d rows left after two days of a healthy hook and a retry of both; row 1: %+v", hook.seqs(), n, r.RowState)
				}
			})
		})
	}
}

// The device is known and the badge not yet: later events of the device wait.
func TestHalfKnownRowHoldsItsDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := openLedger(t, Main)
		place := &stage{caps: everything}
		bump(t, l, bobBadge, ipadTag) // out; both are pending
		bump(t, l, bobBadge, ipadTag) // in
		w, stop := start(t, Options{Directory: place, Outbox: l, Register: l})
		defer stop()
		time.Sleep(time.Second)
		// Somebody enrols the device; whose the badge was is not known yet.
		if _, err := l.Apply([]Record{{Kind: checkout.KindPerson, Name: "Ann", Tag: annBadge}, {Kind: checkout.KindDevice, Name: "iPad", Tag: ipadTag}}, Asker{}); err != nil {
			t.Fatal(err)
		}
		bump(t, l, annBadge, ipadTag) // out
		time.Sleep(time.Second)
		early := place.seqs()
		l.Apply([]Record{{Kind: checkout.KindPerson, Name: "Bob", Tag: bobBadge}}, Asker{})
		w.Hurry()
		time.Sleep(time.Hour)
		synctest.Wait()
		got := place.seqs()
		t.Logf("early %v, all %v", early, got)
		if !slices.IsSorted(got) {
			for _, ev := range place.told {
				t.Logf("%d %s %s from %q of %s", ev.Seq, ev.Kind, ev.PersonName, ev.FromName, ev.DeviceName)
			}
			t.Errorf("told %v (before Bob was known: %v): not the order of the device", got, early)
		}
	})
}

// A row whose wait is over does not overtake an earlier one whose tag has turned
// out to be the same device's meanwhile.
func TestLearnedGoesBeforeRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := NewMemory(Main)
		addKeyed(out, 1, "~tag", true)
		addKeyed(out, 2, "ipad", false)
		addKeyed(out, 3, "pixel", false)
		place := &stage{caps: everything}
		failed := false
		place.answer = func(d call.Delivery) call.Outcome {
			if d.Event.Seq == 2 && !failed {
				failed = true
				return call.Outcome{Verdict: call.Failing, Reason: "429", After: 12 * time.Second}
			}
			return call.Outcome{}
		}
		slow := &slowStage{place, func(d call.Delivery) {
			switch d.Event.Seq {
			case 2:
				time.Sleep(time.Millisecond)
			case 3: // beside 2, answered after it: the place works
				time.Sleep(100 * time.Millisecond)
			case 4: // 20 s on its way; meanwhile the tag is learned, and the wait of 2 ends
				time.Sleep(5 * time.Second)
				resolveKey(out, 1, "ipad", false)
				time.Sleep(15 * time.Second)
			}
		}}
		_, stop := start(t, Options{Directory: slow, Outbox: out})
		defer stop()
		time.Sleep(time.Second)
		addKeyed(out, 4, "fold", false)
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{3, 4, 1, 2}) {
			t.Errorf("told %v, want 1 before 2: both are the ipad's, and 1 could be told when 2 was", got)
		}
	})
}

// slowStage does something before each call.
type slowStage struct {
	*stage
	before func(call.Delivery)
}

func (s *slowStage) Deliver(ctx context.Context, d call.Delivery) call.Outcome {
	s.before(d)
	return s.stage.Deliver(ctx, d)
}

// resolving does something before each page is read.
type resolving struct {
	*Memory
	on func(from uint64, limit int)
}

func (r resolving) Rows(sink string, from uint64, limit int) (Page, error) {
	r.on(from, limit)
	return r.Memory.Rows(sink, from, limit)
}

// A tag gets its owner between two pages of the way through the outbox.
func TestLearnedWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := NewMemory(Main)
		addKeyed(m, 1, "~tag", true)
		addKeyed(m, 2, "~tag", true)
		out := resolving{Memory: m, on: func(from uint64, _ int) {
			if from == 2 { // the page after row 1
				resolveKey(m, 1, "ipad", false)
				resolveKey(m, 2, "ipad", false)
			}
		}}
		caps := everything
		caps.Repeatable = false // most is 1, so the first page is one row
		place := &stage{caps: caps}
		w, stop := start(t, Options{Directory: place, Outbox: out})
		defer stop()
		time.Sleep(time.Second)
		w.Hurry()
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1, 2}) {
			t.Errorf("told %v, want 1, 2", got)
		}
	})
}

// Rows that always fail do not keep one from being tried that would get through.
func TestPoisonsDoNotStarveOthers(t *testing.T) {
	for _, poisons := range []int{1, 5, 20} {
		var tookMax time.Duration
		never := 0
		for range 4 {
			synctest.Test(t, func(t *testing.T) {
				out := NewMemory(Main)
				for i := range poisons + 1 {
					out.Add(event(i+1, fmt.Sprint("d", i)), false)
				}
				heal := time.Now().Add(time.Hour)
				var told time.Time
				place := &stage{caps: everything}
				place.answer = func(d call.Delivery) call.Outcome {
					if int(d.Event.Seq) <= poisons || time.Now().Before(heal) {
						return call.Outcome{Verdict: call.Failing, Reason: "host failed (500 Internal Server Error)"}
					}
					told = time.Now()
					return call.Outcome{}
				}
				_, stop := start(t, Options{Directory: place, Outbox: out})
				defer stop()
				time.Sleep(7 * 24 * time.Hour)
				synctest.Wait()
				place.mu.Lock()
				defer place.mu.Unlock()
				if told.IsZero() {
					never++
				} else {
					tookMax = max(tookMax, told.Sub(heal))
				}
			})
		}
		if never > 0 || tookMax > 12*time.Hour {
			t.Errorf("%d poisons: a row that the place would take was told after %v, %d of 4 not within a week", poisons, tookMax, never)
		}
	}
}

// A call that may still be counted is not made again at once because somebody
// asks for it.
func TestRetryWithinSettle(t *testing.T) {
	for _, after := range []time.Duration{0, 10 * time.Minute} {
		for _, restart := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				out := NewMemory(Main)
				out.Add(event(1, "ipad"), false)
				caps := everything
				caps.Settle = time.Minute
				place := &stage{caps: caps}
				place.answer = func(d call.Delivery) call.Outcome {
					if len(place.calls) == 1 {
						return call.Outcome{Verdict: call.Failing, Late: true, Reason: "no answer", After: after}
					}
					return call.Outcome{}
				}
				o := Options{Directory: place, Outbox: out}
				w, stop := start(t, o)
				time.Sleep(2 * time.Second)
				if restart {
					stop()
					w, stop = start(t, o)
				}
				defer stop()
				w.Hurry()
				t.Log(w.Retry("1"))
				time.Sleep(20 * time.Minute)
				synctest.Wait()
				if c := place.called(); len(c) != 2 || c[1].Sub(c[0]) < time.Minute {
					t.Errorf("asked to wait %v, restart %v: calls at %v, want two, a minute apart at least", after, restart, c)
				}
			})
		}
	}
}

// An event in whose telling the station was killed may have been counted: it is
// told again when a person has seen that.
func TestRetryOfSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := NewMemory(Main)
		out.Add(event(1, "ipad"), false)
		out.SaveRows(Main, map[uint64]RowState{1: {State: Sending, Attempts: 1}})
		caps := everything
		caps.Repeatable = false
		place := &stage{caps: caps, probed: probed{alive: func() call.Outcome { return call.Outcome{Verdict: call.Down} }}}
		w, stop := start(t, Options{Directory: place, Outbox: out})
		defer stop()
		time.Sleep(time.Minute)
		err := w.Retry("1")
		place.mu.Lock()
		place.alive = nil
		place.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		if r, _ := out.Row(Main, 1); err == nil || len(place.called()) > 0 || r.State != InDoubt {
			t.Errorf("retry of a row that may have been counted: %v, told %v, and it is %s", err, place.seqs(), r.State)
		}
		if err := w.Retry("1"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1}) {
			t.Errorf("told %v when a person had looked, want it told", got)
		}
	})
}

// halves is a toggle that tells a hand-over in two calls.
type halves struct{ *stage }

func (halves) IfCounted(call.Delivery) string { return "it was" }

func (halves) NextStep(d call.Delivery) string {
	if d.Step == "" {
		return "returned"
	}
	return ""
}

// Somebody asks for a hand-over in whose first half the station was killed, sees
// that it was counted, and says so: the second half is still to be told.
func TestHalfOfAHandoverAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := NewMemory(Main)
		out.Add(event(1, "ipad"), false)
		out.SaveRows(Main, map[uint64]RowState{1: {State: Sending, Attempts: 1}})
		caps := everything
		caps.Repeatable = false
		place := &stage{caps: caps, probed: probed{alive: func() call.Outcome { return call.Outcome{Verdict: call.Down} }}}
		var steps []string
		place.answer = func(d call.Delivery) call.Outcome {
			steps = append(steps, d.Step)
			return call.Outcome{}
		}
		w, stop := start(t, Options{Directory: halves{place}, Outbox: out})
		defer stop()
		time.Sleep(time.Minute)
		if err := w.Retry("1"); err == nil {
			t.Error("told again, and nobody has looked")
		}
		if err := w.Accept("1", "admin"); err != nil {
			t.Error(err)
		}
		place.mu.Lock()
		place.alive = nil
		place.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		if !slices.Equal(steps, []string{"returned"}) {
			t.Errorf("told %q, want the second half", steps)
		}
	})
}

// damaged can't read one row by itself.
type damaged struct {
	*Memory
	mu  sync.Mutex
	bad uint64
}

func (d *damaged) Row(sink string, seq uint64) (Row, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if seq == d.bad {
		return Row{}, errors.New("damaged")
	}
	return d.Memory.Row(sink, seq)
}

// A row that the ledger can't read holds nobody else.
func TestUnreadableRowHoldsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &damaged{Memory: NewMemory(Main)}
		out.Add(event(1, "ipad"), false)
		place := &stage{caps: everything}
		place.answer = func(d call.Delivery) call.Outcome {
			if d.Event.Seq == 1 {
				return call.Outcome{Verdict: call.Failing, Reason: "500"}
			}
			return call.Outcome{}
		}
		_, stop := start(t, Options{Directory: place, Outbox: out})
		defer stop()
		time.Sleep(time.Minute)
		out.mu.Lock()
		out.bad = 1
		out.mu.Unlock()
		time.Sleep(time.Hour)
		for i := range 5 {
			out.Add(event(i+2, fmt.Sprint("d", i)), false)
			time.Sleep(time.Hour)
		}
		synctest.Wait()
		if got := place.seqs(); len(got) != 5 {
			t.Errorf("told %v, want 2 to 6", got)
		}
	})
}

// A tag turned out to be a device's, of which a later event waits for its next
// try: what is before that one is told first, also when an admin let the tag's
// first event go at the same moment.
func TestTryAgainWaitsForWhatGotItsKey(t *testing.T) {
	out := NewMemory("hook")
	addKeyed(out, 1, "~tag", true)
	addKeyed(out, 2, "~tag", true)
	addKeyed(out, 3, "d0", false)
	q := newQueue("hook", out, call.Capabilities{Repeatable: true})
	rows, _, err := q.pick(128, true)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	q.hold(rows[0], time.Time{})                  // refused
	q.back(rows[1])                               // so not sent
	q.hold(rows[2], time.Now().Add(-time.Second)) // failed, and its wait is over
	resolveKey(out, 1, "d0", true)
	resolveKey(out, 2, "d0", true)
	q.release(1)
	var seqs []uint64
	rows, _, err = q.pick(128, true)
	for _, r := range rows {
		seqs = append(seqs, r.Seq)
	}
	if err != nil || !slices.Equal(seqs, []uint64{1, 2}) {
		t.Errorf("%d may be told, %v, want 1 and 2", seqs, err)
	}
	if rows, _, err = q.pick(128, true); err != nil || len(rows) != 1 || rows[0].Seq != 3 {
		t.Errorf("then %+v, %v, want 3", rows, err)
	}
}
