package directory

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
)

const (
	// batchRows is how many rows of a repeatable sink are marked in one
	// transaction, and batchTime is after how long no more are begun. After a kill
	// so many are delivered twice, and until they are marked they seem to wait.
	batchRows = 128
	batchTime = 2 * time.Second
	// parkAfter is how often a row may fail after the place accepted others.
	parkAfter = 5
	// grace is how long a call may still take when the daemon stops, which has two
	// seconds for all.
	grace = time.Second
)

// cutOff is the reason of a row whose call was interrupted by a kill.
const cutOff = "the station stopped during the call"

// sender delivers the rows of one sink to its place.
type sender struct {
	sink   string
	place  fmt.Stringer
	to     Deliverer // nil: nothing is delivered
	caps   call.Capabilities
	probe  func(context.Context) call.Outcome // nil: a row is the probe
	ledger Ledger
	health *health
	log    *slog.Logger
	wake   chan struct{} // retry, network, register: look again

	mu       sync.Mutex // held while rows are picked, and by retry, drop, accept
	queue    *queue
	inflight map[ledger.RowKey]bool
	failing  map[ledger.RowKey]*failure

	behind atomic.Bool // a row is stuck: for callers that must not wait for mu
}

// failure is a row's own trouble.
type failure struct {
	first   time.Time
	alone   int    // failures since the place accepted others
	refused string // the words of a refusal, see refusals.go
}

func newSender(sink string, place fmt.Stringer, l Ledger, h *health, log *slog.Logger) *sender {
	s := &sender{
		sink: sink, place: place, ledger: l, health: h, log: log,
		wake: make(chan struct{}, 1), inflight: map[ledger.RowKey]bool{}, failing: map[ledger.RowKey]*failure{},
	}
	if to, ok := place.(Deliverer); ok {
		s.to, s.caps = to, to.Capabilities()
	}
	if d, ok := place.(Directory); ok {
		s.probe = d.Probe
	}
	s.queue = newQueue(sink, l, s.caps)
	return s
}

// run drains the outbox until ctx ends.
func (s *sender) run(ctx context.Context) {
	var changed <-chan struct{}
	if s.to != nil {
		changed = s.ledger.OutboxChanged()
	}
	for ctx.Err() == nil {
		wait, state := s.health.wait()
		if wait > 0 {
			// New events don't make a dead place answer.
			s.survey()
			s.sleep(ctx, wait, nil)
			continue
		}
		if state != up && s.probe != nil {
			if o := s.probe(ctx); o.Verdict != call.OK {
				if ctx.Err() == nil {
					s.health.trouble(o)
				}
				continue
			}
		}
		sent, err := s.round(ctx, state)
		switch {
		case err != nil:
			s.log.Error("outbox can't be read or written; trying again", "sink", s.sink, "error", err)
			s.sleep(ctx, 10*time.Second, nil)
		case !sent:
			if state != up && s.probe != nil && !s.hasFailing() {
				s.health.ok()
			}
			s.idle(ctx, changed)
		}
	}
}

// survey finds the stuck rows, for the status and the display's mark. It unlocks
// the queue between pages.
func (s *sender) survey() error {
	for whole := s.to == nil; !whole; {
		var err error
		s.mu.Lock()
		whole, err = s.queue.survey()
		s.mark()
		s.mu.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

// mark notes for Behind whether a row is stuck. The caller holds mu.
func (s *sender) mark() { s.behind.Store(len(s.queue.stuck()) > 0) }

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

// sleep waits for d (for ever if negative), a wake-up, a change or the end.
func (s *sender) sleep(ctx context.Context, d time.Duration, changed <-chan struct{}) {
	var after <-chan time.Time
	if d >= 0 {
		after = time.After(d)
	}
	select {
	case <-ctx.Done():
	case <-after:
	case <-s.wake:
	case <-changed:
	}
}

// round sends what may be sent now: one row to a place that has yet to prove
// itself, a batch to one that works. It reports whether there was any.
func (s *sender) round(ctx context.Context, state string) (bool, error) {
	if s.to == nil {
		return false, nil
	}
	// Where only the place's state shows whether a row was delivered (Settle), the
	// next is sent after this one is marked: after a kill in between, the state
	// would show neither.
	most := 1
	if s.caps.Repeatable && s.caps.Settle == 0 && (state == up || state == starting) {
		most = batchRows
	}
	var rows []ledger.OutboxRow
	for more := true; len(rows) == 0; {
		if !more || ctx.Err() != nil {
			return false, nil
		}
		var err error
		s.mu.Lock()
		rows, more, err = s.queue.pick(most, state == up)
		s.mark()
		for _, r := range rows {
			s.inflight[r.Key] = true
		}
		s.mu.Unlock()
		if err != nil {
			return false, err
		}
	}
	s.finish(ctx, s.send(ctx, rows))
	s.mu.Lock()
	clear(s.inflight)
	s.mu.Unlock()
	return true, nil
}

// batch is what became of some rows.
type batch struct {
	mu        sync.Mutex
	delivered []ledger.RowKey
	told      map[ledger.RowKey]string // revisions of some that were delivered
	kept      []ledger.OutboxRow       // sent and still there, with their new state
	later     []ledger.OutboxRow       // that wait by themselves, for a reason of our own
	unmarked  []ledger.OutboxRow       // of these, those that were marked as sent
	untouched []ledger.OutboxRow       // not sent after all
	refused   []refusal                // what to do about them is decided last
	through   bool                     // the place took an event
	stop      bool                     // the place is in trouble
	end       time.Time
}

// send sends the rows: those of a lane in order, several lanes at a time if the
// place allows it.
func (s *sender) send(ctx context.Context, rows []ledger.OutboxRow) *batch {
	b := &batch{end: time.Now().Add(batchTime)}
	var lanes [][]ledger.OutboxRow
	at := map[string]int{}
	for _, r := range rows {
		i, ok := at[laneOf(r)]
		if !ok {
			i = len(lanes)
			at[laneOf(r)] = i
			lanes = append(lanes, nil)
		}
		lanes[i] = append(lanes[i], r)
	}
	work := make(chan []ledger.OutboxRow)
	var wg sync.WaitGroup
	for range min(s.caps.Parallel, len(lanes)) {
		wg.Go(func() {
			for rows := range work {
				s.lane(ctx, b, rows)
			}
		})
	}
	for _, rows := range lanes {
		work <- rows
	}
	close(work)
	wg.Wait()
	s.refused(b)
	return b
}

// lane sends the rows of a lane until one does not get through.
func (s *sender) lane(ctx context.Context, b *batch, rows []ledger.OutboxRow) {
	for through := true; through && len(rows) > 0 && !b.over(ctx); rows = rows[1:] {
		through = s.one(ctx, b, rows[0])
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.untouched = append(b.untouched, rows...)
}

// over reports whether no more rows are to be begun.
func (b *batch) over(ctx context.Context) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.stop || ctx.Err() != nil || time.Now().After(b.end)
}

// one sends a row, all its steps, and reports whether it is delivered.
func (s *sender) one(ctx context.Context, b *batch, r ledger.OutboxRow) bool {
	if !s.caps.Repeatable && r.State == record.Sending {
		return s.judge(b, r, call.Outcome{Verdict: call.InDoubt, Reason: cutOff})
	}
	r.Touched = r.Touched || r.State == record.Sending
	for {
		d, err := s.open(r)
		if err != nil {
			return s.judge(b, r, call.Outcome{Verdict: call.Refused, Reason: "the ledger can't open it: " + err.Error(), Remedy: "see the log, then retry"})
		}
		r.Attempts++
		// Written before the call: after a kill, it may have been made.
		d.Mark = func(asked string) error {
			r.State, r.Touched, r.Asked = record.Sending, true, asked
			return s.ledger.SaveOutbox(s.sink, r)
		}
		if !s.caps.Repeatable {
			r.State = record.Sending
			if err := s.ledger.SaveOutbox(s.sink, r); err != nil {
				s.log.Error("outbox can't be written, so nothing is sent", "sink", s.sink, "error", err)
				b.mu.Lock()
				b.untouched, b.stop = append(b.untouched, r), true
				b.mu.Unlock()
				s.health.trouble(call.Outcome{Verdict: call.Down, Reason: "the ledger can't be written: " + err.Error()})
				return false
			}
		}
		touched, asked := r.Touched, r.Asked
		o := s.deliver(ctx, d)
		switch o.Verdict {
		case call.Down, call.BadConfig, call.Refused, call.Later: // it was certainly not counted
			r.Touched, r.Asked = touched, asked
		}
		if o.Doubt != "" && !s.save(ctx, func() error { return s.ledger.Doubt(r.Key, s.sink, o.Doubt) }) {
			o = call.Outcome{Verdict: call.Down, Reason: "the station stopped"}
		}
		if o.Verdict != call.Part {
			return s.judge(b, r, o)
		}
		r.Step, r.Attempts, r.State = o.Step, 0, record.Queued
		if s.caps.Repeatable {
			continue
		}
		s.save(ctx, func() error { return s.ledger.SaveOutbox(s.sink, r) })
		if ctx.Err() != nil {
			return s.judge(b, r, call.Outcome{Verdict: call.Down, Reason: "the station stopped between two calls"})
		}
	}
}

// open makes the delivery of a row, with the directory's own keys, and with tags
// if the place needs them.
func (s *sender) open(r ledger.OutboxRow) (call.Delivery, error) {
	ev := r.Event
	d := call.Delivery{Event: ev, Step: r.Step, Force: r.Force, Touched: r.Touched, Asked: r.Asked}
	for _, p := range []struct {
		kind checkout.SubjectKind
		id   string
		tag  *checkout.Tag
		ref  *string
	}{
		{checkout.KindPerson, ev.Person, &d.PersonTag, &d.PersonRef},
		{checkout.KindPerson, ev.From, &d.FromTag, &d.FromRef},
		{checkout.KindDevice, ev.Device, &d.DeviceTag, &d.DeviceRef},
	} {
		if p.id == "" {
			continue
		}
		m, err := find(s.ledger, p.kind, p.id)
		if err != nil {
			return d, err
		}
		*p.ref = m.Ref
		d.FormerRefs = append(d.FormerRefs, m.Former...)
		if p.kind == checkout.KindDevice {
			d.Home, d.Rev = m.home, m.rev
		}
		if s.caps.Tags {
			// Without the number the place refuses the event.
			*p.tag, _ = s.ledger.TagNumber(p.kind, p.id)
		}
	}
	return d, nil
}

// deliver makes the call. When the daemon stops, the call gets a moment to end,
// since one that is cut off may have been counted.
func (s *sender) deliver(ctx context.Context, d call.Delivery) call.Outcome {
	graced, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, func() {
		t := time.AfterFunc(grace, cancel)
		context.AfterFunc(graced, func() { t.Stop() })
	})()
	return s.to.Deliver(graced, d)
}

// finish writes what became of a batch, and remembers which lanes wait.
func (s *sender) finish(ctx context.Context, b *batch) {
	s.mu.Lock()
	for _, r := range b.kept {
		switch {
		case r.State.Stuck():
			s.queue.hold(r, time.Time{})
		case s.failing[r.Key] != nil:
			s.queue.hold(r, r.Next) // others go first
		default:
			s.queue.release(r.Key)
			s.queue.from(r.Key) // the place is dead: this row is the next probe
		}
	}
	for _, r := range b.later {
		s.queue.hold(r, r.Next)
	}
	s.queue.release(b.delivered...)
	for _, r := range b.untouched {
		s.queue.back(r)
	}
	s.mark()
	s.mu.Unlock()
	for key, rev := range b.told {
		s.save(ctx, func() error { return s.ledger.Told(s.sink, key, rev) })
	}
	if len(b.delivered) > len(b.told) {
		s.save(ctx, func() error { return s.ledger.Delivered(s.sink, b.delivered...) })
	}
	if rows := append(b.kept, b.unmarked...); len(rows) > 0 {
		s.save(ctx, func() error { return s.ledger.SaveOutbox(s.sink, rows...) })
	}
}

// save repeats a write until it succeeds, or ctx ends: forgetting that a call was made
// would repeat it. It reports whether it succeeded.
func (s *sender) save(ctx context.Context, write func() error) bool {
	for wait := time.Second; ; wait = min(2*wait, 30*time.Second) {
		err := write()
		if err == nil {
			return true
		}
		s.log.Error("outbox can't be written; what was delivered is kept in memory", "sink", s.sink, "error", err)
		select {
		case <-ctx.Done():
			return false
		case <-time.After(wait):
		}
	}
}
