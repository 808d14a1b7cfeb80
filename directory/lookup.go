package directory

import (
	"context"
	"errors"
	"sync"
	"time"

	"stump/checkout"
	"stump/directory/call"
)

// Numbers of the look-ups.
const (
	lookupTimeout = 5 * time.Second // somebody may be standing there
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
	hint  checkout.SubjectKind
}

// recent returns the last answer about a tag if it still counts.
func (l *lookups) recent(t checkout.Tag, known, unknown time.Duration) (lookup, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	k, ok := l.asked[t]
	if !ok {
		return k, false
	}
	life := unknown
	if k.known {
		life = known
	}
	return k, time.Since(k.at) < life
}

func (l *lookups) note(t checkout.Tag, known bool, hint checkout.SubjectKind) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.asked == nil {
		l.asked = map[checkout.Tag]lookup{}
	}
	if len(l.asked) >= lookupsKept {
		// Any will do: what is forgotten is only asked once more.
		for old := range l.asked {
			delete(l.asked, old)
			break
		}
	}
	l.asked[t] = lookup{time.Now(), known, hint}
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
// writes what it says into the register: when Known, the ledger's Subject knows
// it from then on. An answer of "not known" counts for Config.UnknownFor.
//
// The error is ErrOffline (errors.Is) when the directory can't be asked now or
// is known to be down; then it returns at once, and the bump is to be recorded
// as pending. It takes 5 s at most.
func (w *Worker) WhatIs(ctx context.Context, tag checkout.Tag, hint checkout.SubjectKind) (checkout.SyncRow, error) {
	nobody := checkout.SyncRow{}
	switch {
	case w.finder == nil && w.puller != nil:
		return nobody, w.pulledWithout()
	case w.finder == nil:
		return nobody, nil
	}
	if _, ok := w.lookups.recent(tag, 0, w.o.Timing.UnknownFor); ok {
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

// pulledWithout is what a directory that is only pulled says of a tag that the
// register does not know: nothing, if the last pull failed; else that it was not
// there then, and the next pull comes early.
func (w *Worker) pulledWithout() error {
	p := &w.pulls
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case p.failed:
		return call.Outcome{Verdict: call.Down, Reason: p.failure.Reason}
	case p.last.IsZero():
		return call.Outcome{Verdict: call.Down, Reason: "the directory was not pulled yet"}
	case time.Since(p.last) > w.o.Timing.UnknownFor:
		poke(p.kick)
	}
	return nil
}

// impatient has a directory that is down asked again soon: somebody stands
// there whom it might know.
func (w *Worker) impatient() {
	w.main.hurryAfter(w.main.back.Early)
	poke(w.senders[0].wake)
}

// ask asks and learns.
func (w *Worker) ask(ctx context.Context, tag checkout.Tag, hint checkout.SubjectKind) (checkout.SyncRow, error) {
	a, err := w.finder.WhatIs(ctx, tag, hint)
	if err != nil {
		return checkout.SyncRow{}, w.noteTrouble(ctx, err)
	}
	w.main.heard()
	if a.Kind == checkout.Unknown {
		w.lookups.note(tag, false, hint)
		return a, nil
	}
	a.Tag = tag
	rec, err := w.learn(recordOf(a))
	if err != nil {
		return checkout.SyncRow{}, err
	}
	w.lookups.note(tag, true, hint)
	return rec.row(), nil
}

// noteTrouble tells the directory's place of a call that failed, so that the
// next person does not wait for what nobody answers.
func (w *Worker) noteTrouble(ctx context.Context, err error) error {
	o, ok := call.OfError(err)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		o, ok = call.Outcome{Verdict: call.Down, Reason: w.dir.String() + ": no answer within the time that somebody will stand there"}, true
		err = o
	case ctx.Err() != nil || !ok:
		return err
	case o.Verdict != call.BadConfig:
		o.Verdict = call.Down
	}
	w.main.trouble(o)
	poke(w.senders[0].wake) // who probes from now on
	return err
}

// learn writes what the directory says of one tag.
func (w *Worker) learn(in Record) (Record, error) {
	if w.o.Register == nil {
		return in, nil
	}
	was, known, err := w.o.Register.ByTag(in.Tag)
	if err != nil {
		return Record{}, err
	}
	switch {
	case !known:
		return w.apply(in, Asker{})
	case was.Kind != in.Kind:
		w.log.Warn("the directory and the register disagree about a tag; the register's word stays",
			"tag", in.Tag, "directory", in.Kind, "register", was.Kind)
		return was, nil
	}
	in.Tag = checkout.Tag{} // has it already
	in.Inactive = was.Inactive
	if in.Ref == "" {
		in.Ref = was.Ref
	}
	now := merge(was, in)
	if !changed(was, now) {
		return was, nil
	}
	return w.apply(now, Asker{})
}

// apply writes one record.
func (w *Worker) apply(r Record, by Asker) (Record, error) {
	out, err := w.o.Register.Apply([]Record{r}, by)
	if err != nil {
		return Record{}, err
	}
	w.resolved()
	return out[0], nil
}
