package directory

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

const (
	lookupTimeout = 5 * time.Second // somebody may be waiting
	lookupsKept   = 4096            // tags remembered
	pendingAtOnce = 100
)

// lookups remembers what the directory said of tags, and when.
type lookups struct {
	mu     sync.Mutex
	asked  map[checkout.Tag]lookup
	behind chan checkout.Tag // known tags whose name is to be asked again
}

type lookup struct {
	at    time.Time
	known bool
}

// recent reports whether the last answer about a tag still counts.
func (l *lookups) recent(t checkout.Tag, known, unknown time.Duration) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, ok := l.asked[t]
	if k.known {
		unknown = known
	}
	return ok && time.Since(k.at) < unknown
}

func (l *lookups) note(t checkout.Tag, known bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.asked) >= lookupsKept {
		// Any of them: it is only asked about once more.
		for old := range l.asked {
			delete(l.asked, old)
			break
		}
	}
	l.asked[t] = lookup{time.Now(), known}
}

// forget drops the "not known" answers: the register has changed.
func (l *lookups) forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	for t, k := range l.asked {
		if !k.known {
			delete(l.asked, t)
		}
	}
}

// WhatIs asks the directory about a tag that the register does not know, and
// writes what it says into the register: unless the kind is Unknown, the
// ledger's Subject knows the tag from then on. An answer of "not known" counts
// for Timing.UnknownFor.
//
// The error is ErrOffline (errors.Is) when the directory can't be asked now or
// is known to be down; then it returns at once, and the tap is to be recorded
// as pending. It takes 5 s at most.
func (w *Worker) WhatIs(ctx context.Context, tag checkout.Tag, hint checkout.SubjectKind) (books.SyncRow, error) {
	nobody := books.SyncRow{}
	switch {
	case w.finder == nil && w.puller != nil:
		return nobody, w.unpulled()
	case w.finder == nil, w.lookups.recent(tag, 0, w.timing.UnknownFor):
		return nobody, nil
	}
	if o, down := w.main.isDown(); down {
		w.impatient()
		return nobody, o
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	return w.ask(ctx, tag, hint)
}

// unpulled answers for a directory that is only pulled, about a tag that is not in
// the register: nobody can say if the last pull failed; else the directory did
// not have the tag then, and the next pull comes early.
func (w *Worker) unpulled() error {
	p := &w.pulls
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.failures > 0:
		return call.Outcome{Verdict: call.Down, Reason: p.failure.Reason}
	case p.last.IsZero():
		return call.Outcome{Verdict: call.Down, Reason: "the directory was not pulled yet"}
	case time.Since(p.last) > w.timing.UnknownFor:
		poke(p.kick)
	}
	return nil
}

// impatient shortens the retry delay of a directory that is down, because someone
// is waiting whom it might know.
func (w *Worker) impatient() {
	w.main.hurry(w.main.back.early)
	poke(w.senders[0].wake)
}

// ask asks, and writes the answer into the register.
func (w *Worker) ask(ctx context.Context, tag checkout.Tag, hint checkout.SubjectKind) (books.SyncRow, error) {
	row, err := w.finder.WhatIs(ctx, tag, hint)
	if err != nil {
		return books.SyncRow{}, w.noteTrouble(ctx, err)
	}
	w.main.heard()
	if row.Kind != checkout.Unknown {
		row.Tag = tag
		if row, err = w.learn(row); err != nil {
			return books.SyncRow{}, err
		}
	}
	w.lookups.note(tag, row.Kind != checkout.Unknown)
	return row, nil
}

// noteTrouble notes that a call of the directory failed, so that the next person
// does not wait for it.
func (w *Worker) noteTrouble(ctx context.Context, err error) error {
	o, ok := call.OfError(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		o = call.Outcome{Verdict: call.Down, Reason: w.dir.String() + ": no answer while somebody was waiting"}
		err = o
	case ctx.Err() != nil || !ok:
		return err
	case o.Verdict != call.BadConfig:
		o.Verdict = call.Down
	}
	w.main.trouble(o)
	poke(w.senders[0].wake) // to probe from now on
	return err
}

// learn writes what the directory says of one tag.
func (w *Worker) learn(in books.SyncRow) (books.SyncRow, error) {
	was, err := ownerOf(w.ledger, in.Tag)
	switch {
	case err != nil:
		return books.SyncRow{}, err
	case was.Kind == checkout.Unknown:
		return w.write(in, Main, checkout.SourceSync)
	case was.Kind != in.Kind:
		w.log.Warn("the directory and the register disagree about a tag; the register's word stays",
			"tag", in.Tag, "directory", in.Kind, "register", was.Kind)
		return was.SyncRow, nil
	}
	in.Tag, in.Inactive, in.Ref = checkout.Tag{}, was.Inactive, cmp.Or(in.Ref, was.Ref)
	now := was.Merge(in)
	if now == was.SyncRow {
		return now, nil
	}
	return w.write(now, Main, checkout.SourceSync)
}

// write writes one row into the register.
func (w *Worker) write(r books.SyncRow, actor string, source checkout.Source) (books.SyncRow, error) {
	rows, err := w.ledger.Sync([]books.SyncRow{r}, actor, source)
	if err != nil {
		return books.SyncRow{}, err
	}
	w.wakeSenders() // tags may have found their owners
	return rows[0], nil
}

// Seen notes a tap of a known tag. If the directory was not asked about it for
// Timing.KnownFor, it is asked behind the tap. It never blocks.
func (w *Worker) Seen(tag checkout.Tag) {
	if w.finder == nil || tag.IsZero() || w.lookups.recent(tag, w.timing.KnownFor, 0) {
		return
	}
	select {
	case w.lookups.behind <- tag:
	default: // busy: another tap will come
	}
}

// lookupLoop refreshes names behind the taps and resolves pending tags.
func (w *Worker) lookupLoop(ctx context.Context) {
	changed := w.ledger.OutboxChanged()
	for ctx.Err() == nil {
		var again <-chan time.Time
		if _, down := w.main.isDown(); !down && w.resolvePending(ctx) {
			again = time.After(w.timing.UnknownFor)
		}
		select {
		case <-ctx.Done():
		case <-changed:
		case <-again:
		case <-w.main.up:
		case tag := <-w.lookups.behind:
			w.refresh(ctx, tag)
		}
	}
}

func (w *Worker) refresh(ctx context.Context, tag checkout.Tag) {
	if _, down := w.main.isDown(); down || w.lookups.recent(tag, w.timing.KnownFor, w.timing.UnknownFor) {
		return
	}
	was, err := ownerOf(w.ledger, tag)
	if err != nil || was.Kind == checkout.Unknown {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if row, err := w.ask(ctx, tag, was.Kind); err == nil && row.Kind == checkout.Unknown {
		// What the directory lacks never blanks the register.
		w.log.Info("the directory no longer knows a tag; the register keeps it", "tag", tag, "name", was.Name)
	}
}

// resolvePending asks about the tags that were unknown while the directory was
// down, and reports whether any are left.
func (w *Worker) resolvePending(ctx context.Context) (more bool) {
	tags, err := w.ledger.Pending()
	if err != nil {
		w.log.Error("pending tags can't be read", "error", err)
		return true
	}
	for _, p := range tags[:min(len(tags), pendingAtOnce)] {
		if ctx.Err() != nil || w.lookups.recent(p.Tag, 0, w.timing.UnknownFor) {
			continue
		}
		short, cancel := context.WithTimeout(ctx, lookupTimeout)
		row, err := w.ask(short, p.Tag, p.Kind)
		cancel()
		switch {
		case errors.Is(err, call.ErrOffline):
			return true
		case err != nil:
			w.log.Warn("a pending tag can't be resolved", "tag", p.Tag, "error", err)
		case row.Kind != checkout.Unknown:
			w.log.Info("a pending tag is resolved", "tag", p.Tag, "name", row.Name)
		}
	}
	return len(tags) > 0
}
