package directory

import (
	"context"
	"fmt"
	"slices"
	"sync"
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

// stage is a place that does what a test says, and remembers when it was called.
type stage struct {
	probed
	caps   call.Capabilities
	got    []checkout.Event                 // delivered events
	calls  []time.Time                      // deliveries, whatever their outcome
	answer func(call.Delivery) call.Outcome // nil: OK
}

func (s *stage) Capabilities() call.Capabilities { return s.caps }

// probed is a place that can only be probed.
type probed struct {
	mu     sync.Mutex
	probes []time.Time
	alive  func() call.Outcome // nil: OK
}

func (s *probed) String() string { return "stage" }

func (s *probed) Probe(context.Context) call.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.probes = append(s.probes, time.Now())
	if s.alive == nil {
		return call.Outcome{}
	}
	return s.alive()
}

func (s *stage) Deliver(_ context.Context, d call.Delivery) call.Outcome {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls = append(s.calls, time.Now())
	var o call.Outcome
	if s.answer != nil {
		o = s.answer(d)
	}
	if o.Verdict == call.OK || o.Verdict == call.Conflict {
		s.got = append(s.got, d.Event)
	}
	return o
}

func (s *stage) seqs() (seqs []uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, ev := range s.got {
		seqs = append(seqs, ev.Seq)
	}
	return seqs
}

func (s *probed) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.probes)
}

func (s *stage) called() []time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.calls)
}

var everything = call.Capabilities{Repeatable: true, Identities: true, Parallel: 4}

// newWorker is NewWorker; without a directory, with the local register.
func newWorker(o Options) *Worker {
	if o.Directory == nil {
		o.Directory = Local{}
	}
	return NewWorker(o)
}

// start runs a worker in a bubble until the test ends; the function it returns
// ends it before.
func start(t *testing.T, o Options) (*Worker, func()) {
	t.Helper()
	w := newWorker(o)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- w.Run(ctx) }()
	stop := sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	t.Cleanup(stop)
	return w, stop
}

func TestOrderPerDeviceAndOthersFlowOn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad", "pixel", "ipad", "pixel", "nexus")
		place := &stage{caps: everything}
		place.answer = func(d call.Delivery) call.Outcome {
			if d.Event.Seq == 1 {
				return call.Outcome{Verdict: call.Refused, Reason: "the directory says: Unknown Device"}
			}
			return call.Outcome{}
		}
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		synctest.Wait()
		got := place.seqs()
		slices.Sort(got)
		if want := []uint64{2, 4, 5}; !slices.Equal(got, want) {
			t.Fatalf("delivered %v, want %v: only the ipad waits", got, want)
		}
		r, err := out.row(Main, 1)
		if err != nil || r.State != record.Parked || r.Reason != "the directory says: Unknown Device" {
			t.Fatalf("row 1: %+v, %v", r, err)
		}
		place.mu.Lock()
		place.answer = nil
		place.got = nil
		place.mu.Unlock()
		if err := w.Retry("1"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1, 3}) {
			t.Fatalf("after retry delivered %v, want 1 then 3", got)
		}
		if b := out.waiting(Main); b != 0 {
			t.Fatalf("backlog %d, want none", b)
		}
	})
}

func TestOutageProbes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		for i := range 100 {
			out.take(fmt.Sprint("d", i))
		}
		down := call.Outcome{Verdict: call.Down, Reason: "host refuses the connection"}
		place := &stage{caps: everything, probed: probed{alive: func() call.Outcome { return down }}}
		begin := time.Now()
		_, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		synctest.Wait()
		if n := place.probed.count(); n != 1 {
			t.Fatalf("%d probes at start, want 1", n)
		}
		time.Sleep(14 * 24 * time.Hour)
		synctest.Wait()
		place.mu.Lock()
		if len(place.calls) != 0 {
			t.Errorf("%d deliveries to a dead place, want none", len(place.calls))
		}
		early := 0
		for i := 1; i < len(place.probes); i++ {
			gap, at := place.probes[i].Sub(place.probes[i-1]), place.probes[i-1].Sub(begin)
			limit := 15 * time.Minute
			if at < 10*time.Minute {
				early++
				limit = 30 * time.Second
			}
			if gap > limit {
				t.Errorf("%v between probes at %v, want ≤ %v", gap, at, limit)
			}
		}
		t.Logf("%d probes in the first 10 min, %d in two weeks", early, len(place.probes))
		if n := len(place.probes); n > 14*24*12 {
			t.Errorf("%d probes in two weeks: that is no back-off", n)
		}
		place.alive = nil
		place.mu.Unlock()
		time.Sleep(15 * time.Minute)
		synctest.Wait()
		if got := len(place.seqs()); got != 100 {
			t.Errorf("%d delivered after healing, want 100", got)
		}
	})
}

func TestNetworkReturns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out, network := newBox(t, Main), make(chan struct{})
		out.take("ipad")
		place := &stage{caps: everything, probed: probed{alive: func() call.Outcome { return call.Outcome{Verdict: call.Down} }}}
		_, stop := start(t, Options{Directory: place, Ledger: out, Network: network})
		defer stop()
		time.Sleep(time.Hour)
		place.mu.Lock()
		place.alive = nil
		place.mu.Unlock()
		network <- struct{}{}
		time.Sleep(time.Second)
		synctest.Wait()
		if got := place.seqs(); len(got) != 1 {
			t.Errorf("delivered %v within a second of the network's return, want event 1", got)
		}
	})
}

func TestRetryAfterIsHonouredAndClamped(t *testing.T) {
	for _, tc := range []struct{ asked, min, max time.Duration }{
		{40 * time.Second, 40 * time.Second, 41 * time.Second},
		{365 * 24 * time.Hour, 15 * time.Minute, 15*time.Minute + time.Second},
		{1, time.Second, 2 * time.Second},
	} {
		synctest.Test(t, func(t *testing.T) {
			out := newBox(t, Main)
			out.take("ipad")
			place := &stage{caps: everything}
			place.answer = func(call.Delivery) call.Outcome {
				if len(place.calls) == 1 {
					return call.Outcome{Verdict: call.Down, After: tc.asked}
				}
				return call.Outcome{}
			}
			_, stop := start(t, Options{Directory: place, Ledger: out})
			defer stop()
			time.Sleep(time.Hour)
			synctest.Wait()
			calls := place.called()
			if len(calls) != 2 {
				t.Fatalf("%d calls, want 2", len(calls))
			}
			if gap := calls[1].Sub(calls[0]); gap < tc.min || gap > tc.max {
				t.Errorf("asked to wait %v, waited %v", tc.asked, gap)
			}
		})
	}
}

func TestConfigurationErrorStopsAndBurnsNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad")
		out.take("pixel")
		place := &stage{caps: everything}
		place.answer = func(call.Delivery) call.Outcome {
			return call.Outcome{Verdict: call.BadConfig, Reason: "host denies access (401 Unauthorized)"}
		}
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(14 * time.Minute)
		synctest.Wait()
		for seq := range uint64(2) {
			if r, err := out.row(Main, seq+1); err != nil || r.State != record.Queued || r.Attempts != 0 {
				t.Errorf("row %d: %+v, %v, want it queued without attempts", seq+1, r.OutboxRow, err)
			}
		}
		if n := len(place.called()); n > 2 {
			t.Errorf("%d calls in 14 min after a 401, want no more", n)
		}
		place.mu.Lock()
		place.answer = nil
		place.mu.Unlock()
		w.Hurry() // a person corrected it
		time.Sleep(time.Second)
		synctest.Wait()
		if got := place.seqs(); len(got) != 2 {
			t.Errorf("delivered %v after the repair, want both", got)
		}
	})
}

// A row that failed by itself and then met a 401 is delivered after that is
// corrected, without a retry by anybody.
func TestFailedRowOutlivesConfigurationError(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad")
		place := &stage{caps: everything}
		place.answer = func(call.Delivery) call.Outcome {
			switch len(place.calls) {
			case 1:
				return call.Outcome{Verdict: call.Failing, Reason: "host failed (500 Internal Server Error)"}
			case 2:
				return call.Outcome{Verdict: call.BadConfig, Reason: "host denies access (401 Unauthorized)"}
			}
			return call.Outcome{}
		}
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(20 * time.Minute)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1}) || len(place.called()) != 3 {
			t.Errorf("delivered %v in %d calls, want it delivered with the third, after the 401", got, len(place.called()))
		}
		if st, err := w.Status(); err != nil || st.Sinks[0].State != up || st.Sinks[0].Backlog != 0 {
			t.Errorf("%+v, %v, want it up and nothing waiting", st.Sinks, err)
		}
	})
}

// Only Snipe-IT's state shows whether an event was delivered: the next is sent when
// the row of the previous one is gone, or a kill would repeat both.
func TestNextIsSentWhenTheLastIsMarked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		for range 3 {
			out.take("ipad")
		}
		caps := everything
		caps.Settle = time.Minute
		place := &stage{caps: caps}
		place.answer = func(d call.Delivery) call.Outcome {
			if n := out.waiting(Main); n != 4-int(d.Event.Seq) {
				t.Errorf("event %d delivered with %d rows left", d.Event.Seq, n)
			}
			return call.Outcome{}
		}
		_, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1, 2, 3}) {
			t.Errorf("delivered %v", got)
		}
	})
}

// A row that fails while the place accepts others is parked; while nothing gets
// through, it is retried for ever.
func TestPoisonIsDistinguishedFromOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad")
		place := &stage{caps: everything}
		place.answer = func(d call.Delivery) call.Outcome {
			if d.Event.Seq == 1 {
				return call.Outcome{Verdict: call.Failing, Reason: "host failed (500 Internal Server Error)"}
			}
			return call.Outcome{}
		}
		_, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if r, _ := out.row(Main, 1); r.State != record.Queued || r.Attempts < parkAfter {
			t.Fatalf("row 1 alone: %+v, want it still queued after many attempts", r.OutboxRow)
		}
		out.take("pixel")
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{2}) {
			t.Fatalf("delivered %v, want 2: others flow on", got)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if r, _ := out.row(Main, 1); r.State != record.Parked {
			t.Fatalf("row 1 beside others: %+v, want it parked", r.OutboxRow)
		}
	})
}

// countedRows counts the rows that are read in pages, and those that are read by
// themselves.
type countedRows struct {
	*box
	read, single atomic.Int64
}

func (c *countedRows) OutboxOf(sink string, key ledger.RowKey) (ledger.OutboxRow, error) {
	c.single.Add(1)
	return c.box.OutboxOf(sink, key)
}

func (c *countedRows) OutboxFrom(sink string, from ledger.RowKey, limit int) (ledger.OutboxPage, error) {
	p, err := c.box.OutboxFrom(sink, from, limit)
	c.read.Add(int64(len(p.Rows)))
	return p, err
}

// A server fails for a day while many events wait: not all of them are read for
// each try.
func TestFailuresDoNotReadEverythingAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const waiting = 900
		out := &countedRows{box: newBox(t, Main)}
		for seq := range waiting {
			out.take([]string{"ipad", "pixel", "fold"}[seq%3])
		}
		var heals time.Time
		place := &stage{caps: everything}
		place.answer = func(call.Delivery) call.Outcome {
			if time.Now().Before(heals) {
				return call.Outcome{Verdict: call.Failing, Reason: "host failed (500 Internal Server Error)"}
			}
			return call.Outcome{}
		}
		heals = time.Now().Add(24 * time.Hour)
		_, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		if n := len(place.called()); n < 100 || out.read.Load() > 2*waiting {
			t.Errorf("%d calls, and %d rows read on the way, want no more than %d", n, out.read.Load(), 2*waiting)
		}
		time.Sleep(time.Hour)
		synctest.Wait()
		if n := len(place.seqs()); n != waiting {
			t.Errorf("%d delivered after healing, want all %d", n, waiting)
		}
	})
}

// Rows that wait for an admin are not read again for every delivery, nor when
// somebody hurries.
func TestStuckRowsAreNotReadAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &countedRows{box: newBox(t, Main)}
		for i := range 20 {
			out.take(fmt.Sprint("d", i))
		}
		place := &stage{caps: everything}
		place.answer = func(d call.Delivery) call.Outcome {
			if d.Event.Device != "pixel" {
				return call.Outcome{Verdict: call.Refused, Reason: "no"}
			}
			return call.Outcome{}
		}
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		for range 50 {
			time.Sleep(time.Minute)
			out.take("pixel")
			w.Hurry()
		}
		synctest.Wait()
		if n, got := out.single.Load(), len(place.seqs()); n != 0 || got != 50 {
			t.Errorf("%d rows were read by themselves for %d deliveries", n, got)
		}
	})
}

// A call that must not be repeated is in doubt after a kill.
func TestKilledWhileSending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		out.take("ipad")
		out.take("pixel")
		out.save(Main, 1, record.OutboxRow{State: record.Sending, Attempts: 1})
		caps := everything
		caps.Repeatable = false
		place := &stage{caps: caps}
		_, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{2}) {
			t.Errorf("delivered %v, want only 2", got)
		}
		if r, _ := out.row(Main, 1); r.State != record.InDoubt || r.Remedy != "look in the directory after a minute: if it was counted, accept; if not, retry" {
			t.Errorf("row 1: %+v, want it in doubt", r.OutboxRow)
		}
	})
}

func TestPendingWaitsForTheRegister(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main, "hook")
		ipad := out.known(checkout.KindDevice, "ipad")
		out.complete(out.subject(checkout.KindPerson, annBadge), ipad)
		out.complete(out.ann(), ipad) // from an unknown person
		place, hook := &stage{caps: everything}, &hookStage{}
		w, stop := start(t, Options{Directory: place, Ledger: out, Webhooks: map[string]Deliverer{"hook": hook}})
		defer stop()
		synctest.Wait()
		if got := place.seqs(); got != nil {
			t.Fatalf("delivered %v before anybody knows whose badge it was", got)
		}
		if got := hook.seqs(); !slices.Equal(got, []uint64{1, 2}) {
			t.Fatalf("webhook delivered %v, want both at once", got)
		}
		out.sync(books.SyncRow{Kind: checkout.KindPerson, Name: "Eve", Tag: annBadge})
		w.Hurry()
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1, 2}) {
			t.Fatalf("delivered %v after the badge was known, want 1, 2", got)
		}
	})
}

// hookStage is a stage that is not a Directory, so has no probe.
type hookStage struct{ stage stage }

func (h *hookStage) Deliver(ctx context.Context, d call.Delivery) call.Outcome {
	return h.stage.Deliver(ctx, d)
}
func (h *hookStage) Capabilities() call.Capabilities {
	return call.Capabilities{Repeatable: true, Parallel: 8}
}
func (h *hookStage) String() string { return "hook" }
func (h *hookStage) seqs() []uint64 { return h.stage.seqs() }

// What a slow receiver accepted is marked soon, so that the status shows progress
// and a kill repeats little.
func TestSlowReceiverIsMarkedSoon(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, "hook")
		for i := range 100 {
			out.take(fmt.Sprint("d", i))
		}
		hook := &hookStage{}
		slow := &slowStage{&hook.stage, func(call.Delivery) { time.Sleep(10 * time.Second) }}
		hook.stage.caps = hook.Capabilities()
		_, stop := start(t, Options{Ledger: out, Webhooks: map[string]Deliverer{"hook": struct{ Deliverer }{slow}}})
		for range 5 {
			time.Sleep(10 * time.Second)
			synctest.Wait()
			left := out.waiting("hook")
			if n := len(hook.seqs()); 100-left < n-8 {
				t.Errorf("%d delivered, %d waiting", n, left)
			}
		}
		stop()
	})
}

func TestLedgerFullNeverDeliversTwice(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &faulty{box: newBox(t, Main), fails: errFull}
		out.take("ipad")
		place := &stage{caps: everything}
		_, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(time.Hour)
		out.fail(nil)
		time.Sleep(time.Minute)
		synctest.Wait()
		if got := place.seqs(); !slices.Equal(got, []uint64{1}) {
			t.Errorf("delivered %v, want 1 once", got)
		}
		if b := out.waiting(Main); b != 0 {
			t.Errorf("backlog %d after the disk had room", b)
		}
	})
}

// A server without its database may refuse everything: one command retries it all.
func TestRetryParked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		for i := range 20 {
			out.take(fmt.Sprint("d", i))
		}
		place := &stage{caps: everything, answer: func(call.Delivery) call.Outcome { return call.Outcome{Verdict: call.Refused, Reason: "no database"} }}
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		synctest.Wait()
		place.mu.Lock()
		place.answer = nil
		place.mu.Unlock()
		if err := w.Retry("parked"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if n := len(place.seqs()); n != 20 {
			t.Errorf("%d delivered, want 20", n)
		}
	})
}

// Hurry also ends the waits of rows.
func TestHurryEndsTheWaitsOfRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := newBox(t, Main)
		for i := range 10 {
			out.take(fmt.Sprint("d", i))
		}
		place := &stage{caps: everything, answer: func(call.Delivery) call.Outcome { return call.Outcome{Verdict: call.Failing, Reason: "500"} }}
		w, stop := start(t, Options{Directory: place, Ledger: out})
		defer stop()
		time.Sleep(24 * time.Hour)
		place.mu.Lock()
		place.answer = nil
		place.mu.Unlock()
		w.Hurry()
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if n := len(place.seqs()); n != 10 {
			t.Errorf("%d delivered two seconds after somebody hurried, want 10", n)
		}
	})
}

// Writes about a dead place compete with the commits of taps: a failed probe writes
// nothing, and a row that is the probe writes one row, however many wait.
func TestDeadPlacesWriteLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &faulty{box: newBox(t, Main, "hook")}
		for i := range 500 {
			out.take(fmt.Sprint("d", i%50))
		}
		away := call.Outcome{Verdict: call.Down, Reason: "away"}
		dir := &stage{caps: everything, probed: probed{alive: func() call.Outcome { return away }}}
		hook := &hookStage{stage: stage{caps: everything, answer: func(call.Delivery) call.Outcome { return away }}}
		_, stop := start(t, Options{Directory: dir, Ledger: out, Webhooks: map[string]Deliverer{"hook": hook}})
		defer stop()
		time.Sleep(time.Hour)
		synctest.Wait()
		calls := len(hook.stage.called())
		// The first batch does not know yet that the place is dead.
		if probes := dir.probed.count(); probes < 20 || len(dir.called()) != 0 || calls < 20 || out.writes > calls {
			t.Errorf("%d writes in an hour of %d probes of the directory and %d calls of the webhook", out.writes, probes, calls)
		}
	})
}
