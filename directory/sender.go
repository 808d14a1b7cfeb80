package directory

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"stump/directory/call"
)

// Numbers of the sender.
const (
	// batchRows is how many rows of a repeatable sink are marked in one
	// transaction, and batchTime after how long none is begun any more: as many may
	// be told twice after a kill, and until then they seem to wait.
	batchRows = 128
	batchTime = 2 * time.Second
	// parkAfter is how often a row may fail once the place has served others.
	parkAfter = 5
	// grace is what a call that is on its way gets when the daemon stops.
	grace = 5 * time.Second
)

// wasStopped is the trouble of a row whose call a kill cut off.
const wasStopped = "the station stopped while it told the directory"

// sender tells one place what its rows of the outbox say.
type sender struct {
	name   string
	place  fmt.Stringer
	to     Deliverer                          // nil: nothing is delivered
	probe  func(context.Context) call.Outcome // nil: a row is the probe
	out    Outbox
	caps   call.Capabilities
	health *place
	log    *slog.Logger
	wake   chan struct{} // retry, network, register: look again

	mu       sync.Mutex // held while rows are picked, and by retry, drop, accept
	queue    *queue
	inflight map[uint64]bool     // rows that are being sent
	failing  map[uint64]*failure // rows that failed by themselves

	behind atomic.Bool // a row waits for a person: for who must not wait for mu
}

// failure is a row's own trouble.
type failure struct {
	first time.Time
	alone int // failures since others got through
}

func newSender(name string, place fmt.Stringer, out Outbox, pl *place, log *slog.Logger) *sender {
	s := &sender{
		name: name, place: place, out: out, health: pl, log: log,
		wake: make(chan struct{}, 1), inflight: map[uint64]bool{}, failing: map[uint64]*failure{},
	}
	if to, ok := place.(Deliverer); ok {
		s.to, s.caps = to, to.Capabilities()
	}
	if d, ok := place.(Directory); ok {
		s.probe = d.Probe
	}
	s.queue = newQueue(name, out, s.caps)
	return s
}

// run drains the outbox until ctx ends.
func (s *sender) run(ctx context.Context) {
	var changed <-chan struct{}
	if s.to != nil {
		changed = s.out.Changed(s.name)
	}
	s.mu.Lock()
	s.queue = newQueue(s.name, s.out, s.caps)
	s.mu.Unlock()
	for ctx.Err() == nil {
		wait, health := s.health.wait()
		if wait > 0 {
			// Taps come and go; they don't make a dead place answer.
			s.survey()
			s.sleep(ctx, wait, nil)
			continue
		}
		if health != Up && s.probe != nil {
			if o := s.probe(ctx); o.Verdict != call.OK {
				if ctx.Err() == nil {
					s.health.trouble(o)
				}
				continue
			}
		}
		sent, err := s.round(ctx, health)
		switch {
		case err != nil:
			s.log.Error("outbox can't be read or written; trying again", "sink", s.name, "error", err)
			s.sleep(ctx, 10*time.Second, nil)
		case !sent:
			if health != Up && s.probe != nil && !s.hasFailing() {
				s.health.ok()
			}
			s.idle(ctx, changed)
		}
	}
}

// survey learns which rows wait for a person, for the status and the display's
// mark. It lets go of the queue between the pieces.
func (s *sender) survey() error {
	for whole := s.to == nil; !whole; {
		var err error
		s.mu.Lock()
		whole, err = s.queue.survey()
		s.behind.Store(s.queue.anyStuck())
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// idle waits for something to do.
func (s *sender) idle(ctx context.Context, changed <-chan struct{}) {
	wait := time.Duration(-1)
	if due, ok := s.due(); ok {
		wait = max(time.Until(due), 0)
	}
	s.sleep(ctx, wait, changed)
}

// due is when a row that waits by itself is tried again, false if none does.
func (s *sender) due() (time.Time, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queue.due()
}

// sleep waits for d (forever if negative), a wake-up, a change or the end.
func (s *sender) sleep(ctx context.Context, d time.Duration, changed <-chan struct{}) {
	var after <-chan time.Time
	if d >= 0 {
		t := time.NewTimer(d)
		defer t.Stop()
		after = t.C
	}
	select {
	case <-ctx.Done():
	case <-after:
	case <-s.wake:
	case <-changed:
	}
}

// round sends what may be sent now: one row to a place that has yet to prove
// itself, a batch to one that works. It reports whether there was anything.
func (s *sender) round(ctx context.Context, health Health) (bool, error) {
	if s.to == nil {
		return false, nil
	}
	// Where only the state there tells whether a row was told (Settle), the next
	// is sent when this one is marked: after a kill in between it would look as
	// if neither were.
	most := 1
	if s.caps.Repeatable && s.caps.Settle == 0 && (health == Up || health == Starting) {
		most = batchRows
	}
	var rows []Row
	for more := true; len(rows) == 0; {
		if !more || ctx.Err() != nil {
			return false, nil
		}
		var err error
		s.mu.Lock()
		rows, more, err = s.queue.pick(most, health == Up)
		s.behind.Store(s.queue.anyStuck())
		for _, r := range rows {
			s.inflight[r.Seq] = true
		}
		s.mu.Unlock()
		if err != nil {
			return false, err
		}
	}
	s.settle(ctx, s.send(ctx, rows))
	s.mu.Lock()
	clear(s.inflight)
	s.mu.Unlock()
	return true, nil
}

// batch is what became of some rows.
type batch struct {
	mu        sync.Mutex
	delivered []uint64
	kept      []Row // sent and still there, with their new state
	untouched []Row // not sent after all
	stop      bool  // the place is in trouble
	end       time.Time
}

// send tells the rows, those of one device one after the other, several devices
// at once if the place can take it.
func (s *sender) send(ctx context.Context, rows []Row) *batch {
	b := &batch{end: time.Now().Add(batchTime)}
	var chains [][]Row
	at := map[string]int{}
	for _, r := range rows {
		key := s.queue.key(r)
		i, ok := at[key]
		if !ok {
			i = len(chains)
			at[key] = i
			chains = append(chains, nil)
		}
		chains[i] = append(chains[i], r)
	}
	if len(chains) == 1 || s.caps.Parallel <= 1 {
		for _, c := range chains {
			s.chain(ctx, b, c)
		}
		return b
	}
	work := make(chan []Row)
	var wg sync.WaitGroup
	for range min(s.caps.Parallel, len(chains)) {
		wg.Go(func() {
			for c := range work {
				s.chain(ctx, b, c)
			}
		})
	}
	for _, c := range chains {
		work <- c
	}
	close(work)
	wg.Wait()
	return b
}

// chain sends the rows of one device until one does not get through.
func (s *sender) chain(ctx context.Context, b *batch, rows []Row) {
	for len(rows) > 0 {
		b.mu.Lock()
		stop := b.stop || ctx.Err() != nil || time.Now().After(b.end)
		b.mu.Unlock()
		if stop {
			break
		}
		through := s.one(ctx, b, rows[0])
		rows = rows[1:]
		if !through {
			break
		}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.untouched = append(b.untouched, rows...)
}

// one sends one row, all its parts, and reports whether it is delivered.
func (s *sender) one(ctx context.Context, b *batch, r Row) bool {
	if !s.caps.Repeatable && r.State == Sending {
		s.judge(b, r, call.Outcome{Verdict: call.InDoubt, Reason: wasStopped})
		return false
	}
	for {
		d, err := s.out.Open(s.name, r, s.caps.Tags)
		if err != nil {
			s.judge(b, r, call.Outcome{Verdict: call.Refused, Reason: "the ledger can't open it: " + err.Error(), Remedy: "see the log, then retry"})
			return false
		}
		d.Step, d.Force = r.Step, r.Force
		r.Attempts++
		if !s.caps.Repeatable || s.caps.Settle > 0 {
			// Written before the call: after a kill it says that nobody can tell.
			r.State = Sending
			if err := s.out.SaveRows(s.name, map[uint64]RowState{r.Seq: r.RowState}); err != nil {
				r.State = Queued
				s.log.Error("outbox can't be written, so nothing is sent", "sink", s.name, "error", err)
				b.mu.Lock()
				b.untouched, b.stop = append(b.untouched, r), true
				b.mu.Unlock()
				s.health.trouble(call.Outcome{Verdict: call.Down, Reason: "the ledger can't be written: " + err.Error()})
				return false
			}
		}
		o := s.deliver(ctx, d)
		if o.Verdict != call.Part {
			return s.judge(b, r, o)
		}
		r.Step, r.Attempts, r.State = o.Step, 0, Queued
		if s.caps.Repeatable {
			continue
		}
		s.record(ctx, func() error {
			return s.out.SaveRows(s.name, map[uint64]RowState{r.Seq: r.RowState})
		})
		if ctx.Err() != nil {
			return s.judge(b, r, call.Outcome{Verdict: call.Down, Reason: "the station stopped between two calls"})
		}
	}
}

// deliver makes the call. When the daemon stops, a call that is on its way gets
// a moment to come to its end, since a broken one may have been counted.
func (s *sender) deliver(ctx context.Context, d call.Delivery) call.Outcome {
	call, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(grace, cancel)
		context.AfterFunc(call, func() { t.Stop() })
	})()
	return s.to.Deliver(call, d)
}

// record repeats a write until the ledger takes it: the call is made, and to
// forget that would make it again.
func (s *sender) record(ctx context.Context, write func() error) {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := write()
		if err == nil {
			return
		}
		s.log.Error("outbox can't be written; what was told is kept in memory", "sink", s.name, "error", err)
		select {
		case <-ctx.Done():
			return
		case <-time.After(wait):
		}
	}
}
