package directory

import (
	"context"
	"errors"
	"time"

	"stump/checkout"
	"stump/directory/call"
)

// Seen tells the worker of a tap of a known tag. If the directory was not asked
// about it for Config.KnownFor, it is asked behind the tap. It never blocks.
func (w *Worker) Seen(tag checkout.Tag) {
	if w.finder == nil || tag.IsZero() {
		return
	}
	if _, ok := w.lookups.recent(tag, w.o.Timing.KnownFor, 0); ok {
		return
	}
	select {
	case w.lookups.behind <- tag:
	default: // busy: another tap will come
	}
}

// lookupLoop refreshes names behind the taps and resolves pending tags.
func (w *Worker) lookupLoop(ctx context.Context) {
	var changed <-chan struct{}
	if w.senders[0].to != nil {
		changed = w.o.Outbox.Changed(Main)
	}
	for ctx.Err() == nil {
		var again <-chan time.Time
		if _, down := w.main.isDown(); !down && w.resolvePending(ctx) {
			again = time.After(w.o.Timing.UnknownFor)
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
	if _, down := w.main.isDown(); down {
		return
	}
	if _, ok := w.lookups.recent(tag, w.o.Timing.KnownFor, w.o.Timing.UnknownFor); ok {
		return
	}
	was, known, err := w.o.Register.ByTag(tag)
	if err != nil || !known {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeout)
	defer cancel()
	if a, err := w.ask(ctx, tag, was.Kind); err == nil && a.Kind == checkout.Unknown {
		// It stays as it is: a directory that lacks something blanks nothing.
		w.log.Info("the directory no longer knows a tag; the register keeps it", "tag", tag, "name", was.Name)
	}
}

// resolvePending asks about the tags that were bumped while nobody could be
// asked, and reports whether there are any that nobody knows yet.
func (w *Worker) resolvePending(ctx context.Context) (more bool) {
	tags, err := w.o.Register.PendingTags(pendingAtOnce)
	if err != nil {
		w.log.Error("pending tags can't be read", "error", err)
		return true
	}
	for _, p := range tags {
		if _, ok := w.lookups.recent(p.Tag, 0, w.o.Timing.UnknownFor); ok || ctx.Err() != nil {
			continue
		}
		short, cancel := context.WithTimeout(ctx, lookupTimeout)
		a, err := w.ask(short, p.Tag, p.Kind)
		cancel()
		if errors.Is(err, call.ErrOffline) {
			return true
		}
		switch {
		case err != nil:
			w.log.Warn("a pending tag can't be resolved", "tag", p.Tag, "error", err)
		case a.Kind != checkout.Unknown:
			w.log.Info("a pending tag is resolved", "tag", p.Tag, "name", a.Name)
		}
	}
	return len(tags) > 0
}
