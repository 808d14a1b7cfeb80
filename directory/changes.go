package directory

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"stump/directory/call"
	"stump/internal/books"
)

// pullLoop pulls at start, on schedule, and after a failure soon, or when the
// directory answers again. In between it asks for the loans that changed.
func (w *Worker) pullLoop(ctx context.Context) {
	var next time.Time // whole pull
	for whole := true; ctx.Err() == nil; whole = w.rest(ctx, next) {
		select {
		case <-w.main.up: // that was before this pull
		default:
		}
		next = w.readOnce(ctx, whole, next)
	}
}

// readOnce reads the directory, or only what has changed there, if it is this station's turn.
// It returns when all of it is to be read next.
func (w *Worker) readOnce(ctx context.Context, whole bool, next time.Time) time.Time {
	if w.turn != nil {
		if !w.turn.Begin() {
			return time.Now().Add(w.nextPull())
		}
		defer w.turn.End()
	}
	if whole {
		_ = w.Pull(ctx, false) // the status says why it failed
		return time.Now().Add(w.nextPull())
	}
	if w.works() {
		w.pullChanges(ctx)
	}
	return next
}

// rest waits for the next pull, at the latest at the time next, and reports whether it
// is to be a whole one. A place that is down is not asked: what looks after its health
// tells when it is back.
func (w *Worker) rest(ctx context.Context, next time.Time) (whole bool) {
	w.pulls.mu.Lock()
	failed := w.pulls.failures > 0
	w.pulls.mu.Unlock()
	works, wait := w.works(), time.Until(next)
	whole = true
	if soon := w.nextChanges(); w.changer != nil && !failed && works && soon < wait {
		wait, whole = soon, false
	}
	var back <-chan struct{}
	if failed || !works {
		back = w.main.up
	}
	select {
	case <-ctx.Done():
	case <-w.pulls.kick:
		return true
	case <-back:
		return failed || w.changer == nil
	case <-time.After(wait):
	}
	return whole
}

// nextChanges is how long to wait with the next question for changes.
func (w *Worker) nextChanges() time.Duration {
	l, every := &w.loans, w.timing.LoansEvery
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fails > 0 {
		return max(every, w.main.back.wait(l.fails, time.Since(l.since), 0))
	}
	// The stations of a house should not ask together.
	return every - every/20 + time.Duration(w.main.back.random(int64(every/10)+1))
}

// newestMark is from when on changes will be asked for; "" if the directory can't say,
// or nobody will ask.
func (w *Worker) newestMark(ctx context.Context) (mark string) {
	if w.changer != nil {
		_, mark, _ = w.changer.Changes(ctx, "") // what is wrong, the pull will meet, or the next question
	}
	return mark
}

// begin notes that everything up to the mark is known and will be compared.
func (l *loans) begin(mark string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mark, l.failure, l.fails = mark, nil, 0
	clear(l.apart)
	clear(l.many)
}

// pullChanges takes over the loans that changed since the last question.
func (w *Worker) pullChanges(ctx context.Context) {
	w.pulls.one.Lock()
	defer w.pulls.one.Unlock()
	err := w.changes(ctx)
	switch {
	case err != nil && errors.Is(ctx.Err(), context.Canceled):
		return // says nothing about the directory
	case errors.Is(err, call.ErrTooMany):
		if w.sincePull() >= longAgo {
			poke(w.pulls.kick)
		}
		err = nil
	case err != nil:
		w.crossCheck(ctx, err)
	}
	l := &w.loans
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure = err; err == nil {
		l.fails = 0
		return
	}
	if l.fails++; l.fails == 1 {
		l.since = time.Now()
		w.log.Warn("the loans that changed can't be asked for", "place", w.dir.String(), "reason", err)
	}
}

// longAgo is how old a pull is at least when another is made before its time.
const longAgo = 5 * time.Minute

// sincePull is how long ago the last good pull was.
func (w *Worker) sincePull() time.Duration {
	w.pulls.mu.Lock()
	defer w.pulls.mu.Unlock()
	return time.Since(w.pulls.last)
}

func (w *Worker) changes(ctx context.Context) error {
	moment, err := w.ledger.Moment(Main, w.dir.String())
	if err != nil {
		return fmt.Errorf("reading the outbox: %w", err)
	}
	l := &w.loans
	l.mu.Lock()
	since, settled := l.mark, l.settled
	if !moment.Same(l.moment) {
		settled = nil
	}
	l.mu.Unlock()
	seen, mark, err := w.changer.Changes(ctx, since)
	if err != nil {
		return err
	}
	w.main.heard()
	// What is read again, since stamps are coarse, need not be compared again.
	fresh := slices.DeleteFunc(slices.Clone(seen), func(s books.Seen) bool { return settled[s.Device] == s })
	// What changed a moment ago is no lost database.
	if err := w.takeOver(moment, fresh, nil); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.mark = mark
	if l.settled == nil {
		l.settled = map[string]books.Seen{}
	}
	for _, s := range seen {
		if settled[s.Device] == s {
			l.settled[s.Device] = s
		}
	}
	return nil
}

// trouble says why nobody knows what changed; "" if somebody does.
func (l *loans) trouble() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failure == nil {
		return ""
	}
	return "what changed since the pull can't be asked for: " + l.failure.Error()
}
