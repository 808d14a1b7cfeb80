package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
	"stump/internal/books"
)

// A tag turns out to be that of a device of which an earlier event waits: both
// are delivered, in their order.
func TestLearnedBehindARowThatWaits(t *testing.T) {
	for _, first := range []call.Verdict{call.Failing, call.Refused} {
		t.Run(string(first), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				out := newBox(t, "hook")
				out.take("ipad")
				out.stray(out.ann())
				out.take("pixel")
				hook := &hookStage{}
				bad := map[uint64]call.Verdict{1: first, 2: call.Refused}
				hook.stage.answer = func(d call.Delivery) call.Outcome { return call.Outcome{Verdict: bad[d.Event.Seq], Reason: "x"} }
				w, stop := start(t, Options{Ledger: out, Webhooks: map[string]Deliverer{"hook": hook}, backoff: drawing(func(n int64) int64 { return n - 1 })})
				defer stop()
				if first == call.Failing {
					time.Sleep(2 * time.Second)
				}
				synctest.Wait()
				out.own("ipad")
				out.take("ipad")
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
				t.Logf("delivered %v", hook.seqs())
				t.Logf("retry 1: %v", w.Retry("1@hook"))
				time.Sleep(48 * time.Hour)
				synctest.Wait()
				n := out.waiting("hook")
				if n != 0 || !slices.IsSorted(slices.DeleteFunc(hook.seqs(), func(n uint64) bool { return n == 3 })) {
					r, _ := out.row("hook", 1)
					t.Errorf("delivered %v, %d rows left after two days of a healthy hook and a retry of both; row 1: %+v", hook.seqs(), n, r.OutboxRow)
				}
			})
		})
	}
}

// The device is known and the badge not yet: later events of the device wait.
func TestHalfKnownRowHoldsItsDevice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := newBox(t, Main)
		place := &stage{caps: everything}
		l.bump(bobBadge, ipadTag) // out; both are pending
		l.bump(bobBadge, ipadTag) // in
		w, stop := start(t, Options{Directory: place, Ledger: l})
		defer stop()
		time.Sleep(time.Second)
		// Somebody enrols the device; whose the badge was is not known yet.
		l.sync(books.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Tag: annBadge}, books.SyncRow{Kind: checkout.KindDevice, Name: "iPad", Tag: ipadTag})
		l.bump(annBadge, ipadTag) // out
		time.Sleep(time.Second)
		early := place.seqs()
		l.sync(books.SyncRow{Kind: checkout.KindPerson, Name: "Bob", Tag: bobBadge})
		w.Hurry()
		time.Sleep(time.Hour)
		synctest.Wait()
		got := place.seqs()
		t.Logf("early %v, all %v", early, got)
		if !slices.IsSorted(got) {
			for _, ev := range place.got {
				t.Logf("%d %s %s from %q of %s", ev.Seq, ev.Kind, ev.PersonName, ev.FromName, ev.DeviceName)
			}
			t.Errorf("delivered %v (before Bob was known: %v): not the order of the device", got, early)
		}
	})
}

// A row whose wait is over does not overtake an earlier one whose tag turned out to
// be the same device's meanwhile.
func TestLearnedGoesBeforeRetried(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.stray(out.ann())
		out.take("ipad", "pixel")
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
				out.own("ipad")
				time.Sleep(15 * time.Second)
			}
		}}
		_, stop := start(t, Options{Directory: slow, Ledger: out})
		defer stop()
		time.Sleep(time.Second)
		out.take("fold")
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{3, 4, 1, 2}) {
			t.Errorf("delivered %v, want 1 before 2: both are the ipad's, and 1 could be delivered when 2 was", got)
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
	*box
	on func(from ledger.RowKey)
}

func (r resolving) OutboxFrom(sink string, from ledger.RowKey, limit int) (ledger.OutboxPage, error) {
	r.on(from)
	return r.box.OutboxFrom(sink, from, limit)
}

// A tag gets its owner between two pages of the outbox.
func TestLearnedWhileReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newBox(t, Main)
		m.stray(m.ann())
		m.stray(m.ann())
		out := resolving{box: m, on: func(from ledger.RowKey) {
			if from == keyOf(2) { // the page after row 1
				m.own("ipad")
			}
		}}
		caps := everything
		caps.Repeatable = false // most is 1, so the first page is one row
		place := &stage{caps: caps}
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(time.Second)
		w.Hurry()
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1, 2}) {
			t.Errorf("delivered %v, want 1, 2", got)
		}
	})
}

// Rows that always fail don't keep others from being tried.
func TestPoisonsDoNotStarveOthers(t *testing.T) {
	for _, poisons := range []int{1, 5, 20} {
		var tookMax time.Duration
		never := 0
		for range 4 {
			synctest.Test(t, func(t *testing.T) {
				out := newBox(t, Main)
				for i := range poisons + 1 {
					out.take(fmt.Sprint("d", i))
				}
				heal := time.Now().Add(time.Hour)
				var delivered time.Time
				place := &stage{caps: everything}
				place.answer = func(d call.Delivery) call.Outcome {
					if int(d.Event.Seq) <= poisons || time.Now().Before(heal) {
						return call.Outcome{Verdict: call.Failing, Reason: "host failed (500 Internal Server Error)"}
					}
					delivered = time.Now()
					return call.Outcome{}
				}
				_, stop := start(t, Options{Directory: place, Ledger: out})
				defer stop()
				time.Sleep(7 * 24 * time.Hour)
				synctest.Wait()
				place.mu.Lock()
				defer place.mu.Unlock()
				if delivered.IsZero() {
					never++
				} else {
					tookMax = max(tookMax, delivered.Sub(heal))
				}
			})
		}
		if never > 0 || tookMax > 12*time.Hour {
			t.Errorf("%d poisons: a row that the place would take was delivered after %v, %d of 4 not within a week", poisons, tookMax, never)
		}
	}
}

// A call that may still be counted is not repeated at once, even if an admin asks.
func TestRetryWithinSettle(t *testing.T) {
	for _, after := range []time.Duration{0, 10 * time.Minute} {
		for _, restart := range []bool{false, true} {
			synctest.Test(t, func(t *testing.T) {
				out := newBox(t, Main)
				out.take("ipad")
				caps := everything
				caps.Settle = time.Minute
				place := &stage{caps: caps}
				place.answer = func(d call.Delivery) call.Outcome {
					if len(place.calls) == 1 {
						return call.Outcome{Verdict: call.Failing, Late: true, Reason: "no answer", After: after}
					}
					return call.Outcome{}
				}
				o := Options{Directory: place, Ledger: out}
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

// An event whose call was interrupted by a kill may have been counted: it is only
// retried after a person has looked.
func TestRetryOfSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad")
		out.save(Main, 1, record.OutboxRow{State: record.Sending, Attempts: 1})
		caps := everything
		caps.Repeatable = false
		place := &stage{caps: caps, probed: probed{alive: func() call.Outcome { return call.Outcome{Verdict: call.Down} }}}
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(time.Minute)
		err := w.Retry("1")
		place.mu.Lock()
		place.alive = nil
		place.mu.Unlock()
		time.Sleep(time.Hour)
		synctest.Wait()
		if r, _ := out.row(Main, 1); err == nil || len(place.called()) > 0 || r.State != record.InDoubt {
			t.Errorf("retry of a row that may have been counted: %v, delivered %v, and it is %s", err, place.seqs(), r.State)
		}
		if err := w.Retry("1"); err != nil {
			t.Error(err)
		}
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1}) {
			t.Errorf("delivered %v when a person had looked, want it delivered", got)
		}
	})
}

// halves is a toggle that needs two calls for a hand-over.
type halves struct{ *stage }

func (halves) IfCounted(call.Delivery) string { return "it was" }

func (halves) NextStep(d call.Delivery) string {
	if d.Step == "" {
		return "returned"
	}
	return ""
}

// The first call of a hand-over is interrupted by a kill. An admin retries it, sees
// that it was counted, and accepts: the second call is still to be made.
func TestHalfOfAHandoverAccepted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad")
		out.save(Main, 1, record.OutboxRow{State: record.Sending, Attempts: 1})
		caps := everything
		caps.Repeatable = false
		place := &stage{caps: caps, probed: probed{alive: func() call.Outcome { return call.Outcome{Verdict: call.Down} }}}
		var steps []string
		place.answer = func(d call.Delivery) call.Outcome {
			steps = append(steps, d.Step)
			return call.Outcome{}
		}
		w, stop := start(t, Options{Directory: halves{place}, Ledger: out})
		defer stop()
		time.Sleep(time.Minute)
		if err := w.Retry("1"); err == nil {
			t.Error("delivered again, and nobody has looked")
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
			t.Errorf("delivered %q, want the second half", steps)
		}
	})
}

// damaged can't read one row by itself.
type damaged struct {
	*box
	bad atomic.Uint64
}

func (d *damaged) OutboxOf(sink string, key ledger.RowKey) (ledger.OutboxRow, error) {
	if key == keyOf(d.bad.Load()) {
		return ledger.OutboxRow{}, errors.New("damaged")
	}
	return d.box.OutboxOf(sink, key)
}

// A row that the ledger can't read holds no other device.
func TestUnreadableRowHoldsNobodyElse(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &damaged{box: newBox(t, Main)}
		out.take("ipad")
		place := &stage{caps: everything}
		place.answer = func(d call.Delivery) call.Outcome {
			if d.Event.Seq == 1 {
				return call.Outcome{Verdict: call.Failing, Reason: "500"}
			}
			return call.Outcome{}
		}
		_, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(time.Minute)
		out.bad.Store(1)
		time.Sleep(time.Hour)
		for i := range 5 {
			out.take(fmt.Sprint("d", i))
			time.Sleep(time.Hour)
		}
		synctest.Wait()
		if got := place.seqs(); len(got) != 5 {
			t.Errorf("delivered %v, want 2 to 6", got)
		}
	})
}

// A row vanishes while it waits, as by a salvage: its device goes on.
func TestHeldRowThatVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad", "pixel", "ipad")
		place := &stage{caps: everything}
		place.answer = func(d call.Delivery) call.Outcome {
			if d.Event.Seq == 1 {
				return call.Outcome{Verdict: call.Failing, Reason: "500"}
			}
			return call.Outcome{}
		}
		_, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(time.Millisecond)
		if err := out.Delivered(Main, keyOf(1)); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{2, 3}) {
			t.Errorf("delivered %v, want 2 and 3", got)
		}
	})
}

// A tag turns out to be that of a device with a later event that waits for its next
// try. The tag's events come before that, even if an admin released the first of
// them at the same moment.
func TestTryAgainWaitsForWhatGotItsKey(t *testing.T) {
	out := newBox(t, "hook")
	nobody := out.subject(checkout.KindPerson, bobBadge)
	out.stray(nobody)
	out.stray(nobody)
	out.take("d0")
	q := newQueue("hook", out, call.Capabilities{Repeatable: true})
	rows, _, err := q.pick(128, true)
	if err != nil || len(rows) != 3 {
		t.Fatalf("%d rows, %v", len(rows), err)
	}
	q.hold(rows[0], time.Time{})                  // refused
	q.back(rows[1])                               // so not sent
	q.hold(rows[2], time.Now().Add(-time.Second)) // failed, and its wait is over
	out.own("d0")                                 // the badge is still unknown
	q.release(keyOf(1))
	var seqs []uint64
	rows, _, err = q.pick(128, true)
	for _, r := range rows {
		seqs = append(seqs, r.Event.Seq)
	}
	if err != nil || !slices.Equal(seqs, []uint64{1, 2}) {
		t.Errorf("%d may be delivered, %v, want 1 and 2", seqs, err)
	}
	if rows, _, err = q.pick(128, true); err != nil || len(rows) != 1 || rows[0].Event.Seq != 3 {
		t.Errorf("then %+v, %v, want 3", rows, err)
	}
}
