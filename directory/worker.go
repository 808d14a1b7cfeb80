package directory

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/record"
	"stump/directory/call"
	"stump/internal/books"
)

// Options are what a Worker works with.
type Options struct {
	Directory Directory
	// Webhooks are more places for events, by name.
	Webhooks map[string]Deliverer
	Ledger   Ledger
	Timing   Timing
	Logger   *slog.Logger // nil is silent
	// Network is received from when the network may have come back, see
	// NetworkChanges; nil: nobody watches it.
	Network <-chan struct{}
	// Clock is this board's, with whether it is right; nil: that is not known.
	Clock func() checkout.Stamp
	// Moved is called after the directory's word has changed who has what; may be nil.
	Moved func()
	// Turn says whether this station reads the directory, of those of a lab; nil: it does.
	Turn Turn

	backoff *backoff // for tests; nil: the default
}

// Turn is the work of reading the directory, which one station of a lab does for all.
type Turn interface {
	// Begin reports whether it is this station's, which then reads until End.
	Begin() bool
	End()
}

// Worker delivers events to the places, and keeps the register in step with the
// directory. It is a task.
type Worker struct {
	ledger Ledger
	dir    Directory
	// What else the directory can do; nil: it can't.
	puller   Puller
	changer  Changer
	finder   Finder
	enroller Enroller

	timing  Timing
	network <-chan struct{}
	clock   func() checkout.Stamp
	log     *slog.Logger
	senders []*sender // the directory's first
	main    *health   // of the directory
	pulls   pulls
	loans   loans
	turn    Turn
	moved   func()
	lookups lookups
}

// NewWorker returns a worker that does nothing until Run.
func NewWorker(o Options) *Worker {
	w := &Worker{ledger: o.Ledger, dir: o.Directory, timing: o.Timing.withDefaults(), network: o.Network, clock: o.Clock, log: o.Logger, turn: o.Turn}
	if w.log == nil {
		w.log = slog.New(slog.DiscardHandler)
	}
	if w.moved = o.Moved; w.moved == nil {
		w.moved = func() {}
	}
	w.pulls.kick = make(chan struct{}, 1)
	w.lookups.asked, w.lookups.behind = map[checkout.Tag]lookup{}, make(chan checkout.Tag, 64)
	w.puller, _ = o.Directory.(Puller)
	if w.timing.LoansEvery > 0 {
		w.changer, _ = o.Directory.(Changer)
	}
	w.finder, _ = o.Directory.(Finder)
	if e, ok := o.Directory.(Enroller); ok && e.EnrolsPeople() {
		w.enroller = e
	}
	back := defaultBackoff
	if o.backoff != nil {
		back = *o.backoff
	}
	w.main = w.add(back, Main, o.Directory)
	for _, name := range slices.Sorted(maps.Keys(o.Webhooks)) {
		w.add(back, name, o.Webhooks[name])
	}
	return w
}

func (w *Worker) add(back backoff, sink string, place fmt.Stringer) *health {
	h := newHealth(back, func(state string, o call.Outcome) {
		log := w.log.With("sink", sink, "place", place.String())
		switch state {
		case up:
			log.Info("answers")
		case down:
			log.Warn("does not answer; events wait", "reason", o.Reason)
		case stopped:
			log.Error("stopped; events wait until this is put right", "reason", o.Reason, "remedy", o.Remedy)
		}
	})
	w.senders = append(w.senders, newSender(sink, place, w.ledger, h, w.log))
	return h
}

// Run works until ctx ends, and then returns nil when no call is on its way
// any more.
func (w *Worker) Run(ctx context.Context) error {
	var wg sync.WaitGroup
	for _, s := range w.senders {
		wg.Go(func() { s.run(ctx) })
	}
	wg.Go(func() { w.watchNetwork(ctx) })
	if w.puller != nil {
		wg.Go(func() { w.pullLoop(ctx) })
	} else if _, err := w.ledger.Moment(Main, w.dir.String()); err != nil {
		w.log.Error("the ledger does not know which directory this is", "error", err)
	}
	if w.finder != nil {
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
		case <-w.network:
			w.Hurry()
		}
	}
}

// wakeSenders makes the senders look at the outbox again.
func (w *Worker) wakeSenders() {
	for _, s := range w.senders {
		poke(s.wake)
	}
}

// Turned is to be called when the directory has become this station's to read.
func (w *Worker) Turned() { poke(w.pulls.kick) }

// Hurry retries every place that is down or stopped now, and every event that
// waits for its next try.
func (w *Worker) Hurry() {
	for _, s := range w.senders {
		s.health.hurry(s.health.back.hurried)
		s.mu.Lock()
		s.queue.hurry()
		s.mu.Unlock()
	}
	w.wakeSenders()
	if st := w.pullStatus(); st != nil && st.Error != nil {
		poke(w.pulls.kick)
	}
}

// rowID names a row for people: the event's ID, and the webhook's name.
func rowID(sink string, r ledger.OutboxRow) string {
	if sink == Main {
		return r.ID
	}
	return r.ID + "@" + sink
}

// parseRowID reads what rowID writes.
func (w *Worker) parseRowID(id string) (sink string, key ledger.RowKey, err error) {
	of, sink, hook := strings.Cut(id, "@")
	if !hook {
		sink = Main
	}
	if key, err = w.ledger.ParseRow(of); err != nil {
		err = fmt.Errorf("%q is not an id such as 17, or 17@hook (stump sync lists them)", id)
	}
	return sink, key, err
}

// sender finds who delivers to a sink, nil if nobody does.
func (w *Worker) sender(sink string) *sender {
	for _, s := range w.senders {
		if s.sink == sink && s.to != nil {
			return s
		}
	}
	return nil
}

// errSending: the row is on its way right now.
var errSending = errors.New("this event is being delivered right now: try again in a moment")

// act carries out an admin's decision about a row, while it is not being sent.
func (w *Worker) act(id string, do func(*sender, ledger.OutboxRow) error) error {
	sink, key, err := w.parseRowID(id)
	if err != nil {
		return err
	}
	s := w.sender(sink)
	if s == nil {
		return fmt.Errorf("%q: no events are delivered to %q", id, sink)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	// Its outcome may be about to be written.
	for end := time.Now().Add(2 * time.Second); s.inflight[key]; {
		if time.Now().After(end) {
			return errSending
		}
		s.mu.Unlock()
		time.Sleep(20 * time.Millisecond)
		s.mu.Lock()
	}
	r, err := s.ledger.OutboxOf(sink, key)
	if err != nil {
		return err
	}
	if err := do(s, r); err != nil {
		return err
	}
	delete(s.failing, key)
	s.queue.release(key)
	s.mark()
	s.health.hurry(s.health.back.hurried)
	poke(s.wake)
	return nil
}

// settle is act for a decision that ends a row. The directory may have changed its mind
// since the row was stuck, and while it was its word did not count.
func (w *Worker) settle(id string, do func(*sender, ledger.OutboxRow) error) error {
	err := w.act(id, do)
	if err == nil && w.puller != nil {
		poke(w.pulls.kick)
	}
	return err
}

// Retry delivers an event again that is stuck, or one that waits at once. "all"
// retries every place and every event now; "parked" retries all events that were
// refused, as after a server whose database was away.
func (w *Worker) Retry(id string) error {
	switch id {
	case "", "all":
		w.Hurry()
		return nil
	case "parked":
		return w.retryParked()
	}
	return w.act(id, func(s *sender, r ledger.OutboxRow) error {
		// Next is wall time, and the clock may have jumped.
		if wait := time.Until(r.Next); r.State == record.InDoubt && wait > 0 && wait <= s.health.back.doubt {
			return &tooSoonError{id, wait}
		}
		if r.State == record.Sending {
			return s.retrySending(id, r)
		}
		again := record.OutboxRow{Step: r.Step, Force: r.State == record.Conflict, Asked: r.Asked, Touched: r.Touched || r.State == record.InDoubt}
		return s.ledger.SaveOutbox(s.sink, ledger.OutboxRow{Key: r.Key, OutboxRow: again})
	})
}

// tooSoonError is a retry of a call that may yet be counted.
type tooSoonError struct {
	id   string
	wait time.Duration
}

func (e *tooSoonError) Error() string {
	return fmt.Sprintf("%s may still be counted by a slow server: look again in %s", e.id, sinceWords(e.wait+time.Second))
}

// retrySending answers a retry of an event whose call may have been made: the
// station stopped during the call, or there was no answer.
func (s *sender) retrySending(id string, r ledger.OutboxRow) error {
	if s.caps.Repeatable {
		return fmt.Errorf("%s may still be counted by a slow server: it is checked and retried automatically", id)
	}
	// The row is not judged yet, because the place is down.
	r.State, r.Reason, r.Remedy = record.InDoubt, cutOff, s.lookFor(r)
	if err := s.ledger.SaveOutbox(s.sink, r); err != nil {
		return err
	}
	s.queue.hold(r, time.Time{})
	s.mark()
	return fmt.Errorf("the station stopped during the call for %s, which may have been counted: %s", id, r.Remedy)
}

func (w *Worker) retryParked() error {
	for _, s := range w.senders {
		keys, err := s.stuck()
		if err != nil {
			return err
		}
		for _, key := range keys {
			r, err := s.ledger.OutboxOf(s.sink, key)
			if err == nil && r.State == record.Parked {
				err = w.Retry(rowID(s.sink, r))
			}
			if err != nil && !errors.Is(err, ledger.ErrNotQueued) {
				return err
			}
		}
	}
	return nil
}

// allOf begins the id that stands for all events of a place: all@oldhook.
const allOf = "all@"

// Drop gives up delivering an event, or all events of a place that is no longer
// configured. The note says why, and is kept with an event for each.
func (w *Worker) Drop(id, actor string, source checkout.Source, note string) error {
	if strings.TrimSpace(note) == "" {
		return errors.New("dropping an event needs a note that says why")
	}
	if sink, all := strings.CutPrefix(id, allOf); all {
		return w.dropAll(sink, actor, source, note)
	}
	if sink, key, err := w.parseRowID(id); err == nil && w.sender(sink) == nil {
		// For a place that is no longer configured there is nothing else to do.
		return w.ledger.Drop(sink, []ledger.RowKey{key}, actor, source, note)
	}
	return w.settle(id, func(s *sender, r ledger.OutboxRow) error {
		return s.ledger.Drop(s.sink, []ledger.RowKey{r.Key}, actor, source, note)
	})
}

// dropAll drops all rows of a place that is gone, some in each transaction, so that
// taps go on. After an interruption, call it again.
func (w *Worker) dropAll(sink, actor string, source checkout.Source, note string) error {
	if w.sender(sink) != nil {
		return fmt.Errorf("%q is in the configuration: remove it and restart stump before dropping all its events", sink)
	}
	sinks, err := w.ledger.Sinks()
	if err != nil {
		return err
	}
	if !slices.Contains(sinks, sink) {
		return fmt.Errorf("nothing waits for %q (stump sync names the places)", sink)
	}
	for p := (ledger.OutboxPage{}); !p.End; {
		if p, err = w.ledger.OutboxFrom(sink, p.Next, batchRows); err != nil {
			return err
		}
		keys := make([]ledger.RowKey, len(p.Rows))
		for i, r := range p.Rows {
			keys[i] = r.Key
		}
		if len(keys) == 0 {
			continue
		}
		if err := w.ledger.Drop(sink, keys, actor, source, note); err != nil && !errors.Is(err, ledger.ErrNotQueued) {
			return err
		}
	}
	return nil
}

// Accept accepts the directory's word in a conflict, and corrects the ledger. Of an
// event in doubt it says that the call was counted, and of a doubtful device that it is
// where the ledger has it.
func (w *Worker) Accept(id, actor string) error {
	err := w.accept(id, actor)
	if sink, key, unread := w.parseRowID(id); errors.Is(err, ledger.ErrNotQueued) && unread == nil && sink == Main {
		_, err = w.ledger.Right(key, actor)
	}
	return err
}

func (w *Worker) accept(id, actor string) error {
	return w.settle(id, func(s *sender, r ledger.OutboxRow) error {
		switch {
		case r.State == record.Conflict && r.Theirs != nil:
			holder, err := w.holder(*r.Theirs)
			if err == nil {
				_, err = s.ledger.AcceptTheirs(s.sink, r.Key, holder, actor)
			}
			return err
		case r.State == record.InDoubt:
			if steps, ok := s.to.(Stepper); ok {
				if next := steps.NextStep(call.Delivery{Event: r.Event, Step: r.Step}); next != "" {
					return s.ledger.SaveOutbox(s.sink, ledger.OutboxRow{Key: r.Key, OutboxRow: record.OutboxRow{Step: next}})
				}
			}
			w.log.Info("a lost event was counted after all", "event", r.Event.Seq, "actor", actor)
			return s.ledger.Delivered(s.sink, r.Key)
		}
		return fmt.Errorf("%s: the directory said nothing that could be accepted: retry or drop it", id)
	})
}

// holder is the register's id of who has a device by the directory's word; "" is
// nobody.
func (w *Worker) holder(theirs books.Holding) (string, error) {
	if theirs.Free || theirs.ID != "" {
		return theirs.ID, nil
	}
	for p, err := range w.ledger.People(books.Page{}) {
		if err != nil {
			return "", err
		}
		if p.Ref == theirs.Ref && p.Ref != "" {
			return p.ID, nil
		}
	}
	return "", fmt.Errorf("the directory says that %s has it, who is not in the register: pull first, or retry", theirs.Name)
}
