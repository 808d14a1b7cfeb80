package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"stump/checkout"
	"stump/directory/call"
)

// Options are what a Worker works with.
type Options struct {
	Directory Directory
	// Webhooks are told besides, under their names.
	Webhooks map[string]Deliverer
	Outbox   Outbox
	Register Register
	Timing   Timing
	Backoff  Backoff
	Logger   *slog.Logger // nil is silent
	// Network is received from when the network may have come back, see
	// NetworkChanges; nil: nobody tells.
	Network <-chan struct{}
	// Random draws from [0, n); nil is math/rand.
	Random func(n int64) int64
}

// Worker tells the places what they must know, and keeps the register as the
// directory has it. It is a task.
type Worker struct {
	o   Options
	dir Directory
	// What the directory can do besides; nil: it can't.
	puller   Puller
	finder   Finder
	enroller Enroller

	log     *slog.Logger
	senders []*sender // the directory's first
	main    *place
	pulls   puller
	lookups lookups
}

// NewWorker returns a worker that does nothing until Run.
func NewWorker(o Options) *Worker {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Directory == nil {
		o.Directory = Local{}
	}
	if o.Random == nil {
		o.Random = jitter
	}
	o.Timing = o.Timing.withDefaults()
	w := &Worker{o: o, dir: o.Directory, log: o.Logger}
	w.pulls.kick = make(chan struct{}, 1)
	w.lookups.behind = make(chan checkout.Tag, 64)
	w.puller, _ = o.Directory.(Puller)
	w.finder, _ = o.Directory.(Finder)
	if e, ok := o.Directory.(Enroller); ok && e.EnrolsPeople() {
		w.enroller = e
	}
	w.main = newPlace(o.Backoff, o.Random)
	w.add(Main, o.Directory, w.main)
	for _, name := range slices.Sorted(maps.Keys(o.Webhooks)) {
		w.add(name, o.Webhooks[name], newPlace(o.Backoff, o.Random))
	}
	return w
}

func (w *Worker) add(name string, to fmt.Stringer, pl *place) {
	pl.change = func(h Health, o call.Outcome) {
		switch h {
		case Up:
			w.log.Info("answers", "sink", name, "place", to.String())
		case Unheard:
			w.log.Warn("does not answer; events wait", "sink", name, "place", to.String(), "reason", o.Reason)
		case Stopped:
			w.log.Error("stopped; events wait until this is put right", "sink", name, "place", to.String(), "reason", o.Reason, "remedy", o.Remedy)
		}
	}
	w.senders = append(w.senders, newSender(name, to, w.o.Outbox, pl, w.log))
}

// Run works until ctx ends, and then returns nil when no call is on its way
// any more.
func (w *Worker) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, s := range w.senders {
		wg.Go(func() { s.run(ctx) })
	}
	wg.Go(func() { w.watchNetwork(ctx) })
	if w.puller != nil && w.o.Register != nil {
		wg.Go(func() { w.pullLoop(ctx) })
	}
	if w.finder != nil && w.o.Register != nil {
		wg.Go(func() { w.lookupLoop(ctx) })
	}
	wg.Wait()
	return nil
}

func (w *Worker) String() string { return "directory worker (" + w.dir.String() + ")" }

func (w *Worker) watchNetwork(ctx context.Context) {
	for {
		select {
		case <-ctx.Done():
			return
		case _, ok := <-w.o.Network:
			if !ok {
				return
			}
			w.Hurry()
		}
	}
}

// Hurry makes every place that is down or stopped be asked again now.
func (w *Worker) Hurry() {
	for _, s := range w.senders {
		s.health.hurry()
		s.mu.Lock()
		s.queue.hurry(time.Now())
		s.mu.Unlock()
		poke(s.wake)
	}
	if st := w.pullStatus(); st != nil && st.Error != nil {
		poke(w.pulls.kick)
	}
}

// RowID names a row for people: the event's number, and the webhook's name.
func RowID(sink string, seq uint64) string {
	if sink == Main {
		return strconv.FormatUint(seq, 10)
	}
	return strconv.FormatUint(seq, 10) + "@" + sink
}

// parseRowID is the reverse of RowID.
func parseRowID(id string) (sink string, seq uint64, err error) {
	num, sink, hook := strings.Cut(id, "@")
	if !hook {
		sink = Main
	}
	seq, err = strconv.ParseUint(num, 10, 64)
	if err != nil {
		err = fmt.Errorf("%q is not an id such as 17, or 17@hook (stump sync lists them)", id)
	}
	return sink, seq, err
}

// sender finds who sends to a sink, nil if nobody does.
func (w *Worker) sender(sink string) *sender {
	for _, s := range w.senders {
		if s.name == sink && s.to != nil {
			return s
		}
	}
	return nil
}

// errSending: the row is on its way right now.
var errSending = errors.New("this event is being told right now: try again in a moment")

// admin settles a row while it is not being sent.
func (w *Worker) admin(id string, act func(*sender, Row) error) error {
	sink, seq, err := parseRowID(id)
	if err != nil {
		return err
	}
	s := w.sender(sink)
	if s == nil {
		return fmt.Errorf("%q: nothing is told to %q", id, sink)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// What became of it may just be being written.
	for end := time.Now().Add(2 * time.Second); s.inflight[seq]; {
		if time.Now().After(end) {
			return errSending
		}
		s.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		s.mu.Lock()
	}
	r, err := s.out.Row(sink, seq)
	if err != nil {
		return err
	}
	if err := act(s, r); err != nil {
		return err
	}
	delete(s.failing, r.Seq)
	s.queue.release(r.Seq)
	s.behind.Store(s.queue.anyStuck())
	s.health.hurry()
	poke(s.wake)
	return nil
}

// Retry tells a parked event or a conflict again, or one that waits at once.
// "all" asks every place again now; "parked" tells all again that was refused,
// as after a server whose database was away.
func (w *Worker) Retry(id string) error {
	switch id {
	case "", "all":
		w.Hurry()
		return nil
	case "parked":
		return w.retryParked()
	}
	return w.admin(id, func(s *sender, r Row) error {
		// Next is wall time: a clock that jumped must not hold anybody up.
		if wait := time.Until(r.Next); r.State == InDoubt && wait > 0 && wait <= s.health.back.Doubt {
			return fmt.Errorf("%s may still be counted by a slow server: look again in %s", id, sinceWords(wait+time.Second))
		}
		if r.State == Sending {
			return s.retrySending(id, r)
		}
		st := RowState{State: Queued, Step: r.Step, Force: r.State == InConflict}
		return s.out.SaveRows(s.name, map[uint64]RowState{r.Seq: st})
	})
}

// retrySending answers who wants an event told again whose call may have been
// made: the station stopped in the middle of it, or no answer came.
func (s *sender) retrySending(id string, r Row) error {
	if s.caps.Repeatable {
		return fmt.Errorf("%s may still be counted by a slow server: it is looked up and told again by itself", id)
	}
	// Nobody has asked yet, for the place is down.
	r.State, r.Reason, r.Remedy = InDoubt, wasStopped, s.lookFor(r)
	if err := s.out.SaveRows(s.name, map[uint64]RowState{r.Seq: r.RowState}); err != nil {
		return err
	}
	s.queue.hold(r, time.Time{})
	s.behind.Store(true)
	return fmt.Errorf("the station stopped while it told %s, which may have been counted: %s", id, r.Remedy)
}

func (w *Worker) retryParked() error {
	for _, s := range w.senders {
		seqs, err := s.stuck()
		if err != nil {
			return err
		}
		for _, seq := range seqs {
			r, err := s.out.Row(s.name, seq)
			if errors.Is(err, ErrNoRow) || err == nil && r.State != Parked {
				continue
			}
			if err == nil {
				err = w.Retry(RowID(s.name, seq))
			}
			if err != nil && !errors.Is(err, ErrNoRow) {
				return err
			}
		}
	}
	return nil
}

// allOf begins the id that stands for all events of a place: all@oldhook.
const allOf = "all@"

// Drop gives up telling an event, or all events of a place that is no longer
// configured. The note says why, and is kept with an event for each.
func (w *Worker) Drop(id, actor, note string) error {
	if strings.TrimSpace(note) == "" {
		return errors.New("dropping an event needs a note that says why")
	}
	if sink, all := strings.CutPrefix(id, allOf); all {
		return w.dropAll(sink, actor, note)
	}
	if sink, seq, err := parseRowID(id); err == nil && w.sender(sink) == nil {
		// Of a place that is no longer configured nothing else can be done.
		return w.o.Outbox.Dropped(sink, []uint64{seq}, actor, note)
	}
	return w.admin(id, func(s *sender, r Row) error {
		return s.out.Dropped(s.name, []uint64{r.Seq}, actor, note)
	})
}

// dropAll drops what waits for a place that is gone, some rows a transaction, so
// that taps go on. Broken off, it goes on where it was when called again.
func (w *Worker) dropAll(sink, actor, note string) error {
	if w.sender(sink) != nil {
		return fmt.Errorf("%q is in the configuration: take it out and restart stump before everything that waits for it is dropped", sink)
	}
	sinks, err := w.o.Outbox.Sinks()
	if err != nil {
		return err
	}
	if !slices.Contains(sinks, sink) {
		return fmt.Errorf("nothing waits for %q (stump sync names the places)", sink)
	}
	for p := (Page{}); !p.End; {
		if p, err = w.o.Outbox.Rows(sink, p.Next, batchRows); err != nil {
			return err
		}
		seqs := make([]uint64, len(p.Rows))
		for i, r := range p.Rows {
			seqs[i] = r.Seq
		}
		if len(seqs) == 0 {
			continue
		}
		if err := w.o.Outbox.Dropped(sink, seqs, actor, note); err != nil && !errors.Is(err, ErrNoRow) {
			return err
		}
	}
	return nil
}

// Accept takes the directory's word in a conflict: the ledger is corrected. Of
// an event that was lost it says that the directory has it.
func (w *Worker) Accept(id, actor string) error {
	return w.admin(id, func(s *sender, r Row) error {
		switch {
		case r.State == InConflict && r.Theirs != nil:
			return s.out.Accepted(s.name, r.Seq, *r.Theirs, actor)
		case r.State == InDoubt:
			if steps, ok := s.to.(Stepper); ok {
				if next := steps.NextStep(call.Delivery{Event: r.Event, Step: r.Step}); next != "" {
					return s.out.SaveRows(s.name, map[uint64]RowState{r.Seq: {State: Queued, Step: next}})
				}
			}
			w.log.Info("a lost event was counted after all", "event", r.Seq, "actor", actor)
			return s.out.Delivered(s.name, []uint64{r.Seq})
		}
		return fmt.Errorf("%s: there is no word of the directory to accept: retry or drop it", id)
	})
}
