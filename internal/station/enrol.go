package station

import (
	"context"
	"errors"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/panel"
	"stump/wiegand"
)

// enrolWindow is how long an enrolment waits for the tag.
const enrolWindow = 60 * time.Second

// enrolment is a tag that an admin expects somebody to show.
type enrolment struct {
	kind  checkout.SubjectKind
	who   string // name or id
	name  string // on the display
	actor string
	until time.Duration
	done  chan<- Enrolled // takes one without blocking
	over  chan struct{}   // closed then
}

// end tells what came of it.
func (e *enrolment) end(got Enrolled) {
	e.done <- got
	close(e.over)
}

// What ends an enrolment without a tag.
var (
	ErrNotShown = hint.Errorf("ask again, and show the tag at the reader within a minute", "no unknown tag was shown in time")
	ErrReplaced = hint.Errorf("ask again when that one has its tag", "another enrolment took its place")
)

// Enrolled is what came of an enrolment.
type Enrolled struct {
	Record books.SyncRow
	Err    error
}

// Enrol gives the next unknown tag to a person or device: who is a name or an
// id, name is what the display says. The channel gets the result, at the latest
// soon after enrolWindow; a newer enrolment replaces an older one. When ctx ends
// before a tag was shown, so does the enrolment, with its cause. A device that
// is enrolled leaves what waits at the desk waiting, and known tags are taps as
// always.
func (r *Reader) Enrol(ctx context.Context, kind checkout.SubjectKind, who, name, actor string) (<-chan Enrolled, error) {
	done := make(chan Enrolled, 1)
	a := r.attendant
	e := &enrolment{kind: kind, who: who, name: name, actor: actor, until: a.now() + enrolWindow, done: done, over: make(chan struct{})}
	err := a.do(ctx, func() {
		if a.enrol != nil {
			a.enrol.end(Enrolled{Err: ErrReplaced})
		}
		a.enrol = e
		if m := a.prompt(); m != nil {
			a.show(*m)
		}
	})
	if err == nil {
		context.AfterFunc(ctx, func() { a.withdraw(e, context.Cause(ctx)) })
	}
	return done, err
}

// withdraw ends an enrolment before its tag was shown.
func (a *attendant) withdraw(e *enrolment, cause error) {
	a.post(func() {
		if a.enrol == e {
			a.enrol = nil
			e.end(Enrolled{Err: cause})
			a.o.Panel.Over(a.prompt(), "enrol-next")
		}
	})
	select {
	case <-e.over: // also when the tag was shown, and the directory has answered
	case <-a.ctx.Done():
		select {
		case e.done <- Enrolled{Err: ErrStopping}:
		default:
		}
	}
}

// endEnrolment gives up waiting for a tag.
func (a *attendant) endEnrolment() {
	a.enrol.end(Enrolled{Err: ErrNotShown})
	a.enrol = nil
	a.timedOut()
}

// enrolTag gives the tag that was shown to whom an admin expects it for.
func (a *attendant) enrolTag(read wiegand.Read, tag checkout.Tag) answer {
	e := a.enrol
	a.enrol = nil
	// It may have been tapped as an unknown tag just now, and its next reads
	// are not yet taps of its new owner.
	a.desk.Forget(tag)
	a.desk.Tap(time.Duration(read.End), checkout.Subject{Tag: tag, Fits: e.kind})
	a.visits++
	a.give(directory.EnrolRequest{
		Kind: e.kind, Who: e.who, Tag: tag, Actor: e.actor, Source: checkout.SourceReader, Admin: true,
	}, func(rec books.SyncRow, err error, alone bool) {
		e.end(Enrolled{rec, err})
		var got answer
		if alone {
			got = a.show(enrolled(rec, err))
		}
		a.answered.note(read.End, got)
	})
	return answer{asking: true}
}

// give asks the directory to give a tag to somebody. done gets the result; alone
// is false if somebody else has come meanwhile, whom it must not disturb.
func (a *attendant) give(r directory.EnrolRequest, done func(rec books.SyncRow, err error, alone bool)) {
	r.Policy = a.o.EnrolPeople
	visit := a.visits
	query := func(ctx context.Context) (books.SyncRow, error) { return a.o.Directory.Enrol(ctx, r) }
	a.ask(r.Tag, &question{limit: EnrolTime, query: query, done: func(rec books.SyncRow, err error) {
		switch {
		case errors.Is(err, ledger.ErrCannotSave):
			a.log.Error("not enrolled", "err", err)
		case errors.Is(err, call.ErrNobody) && !r.Admin: // mistyped
		case err != nil:
			a.log.Warn("not enrolled", "err", err)
		default:
			a.log.Info("enrolled", "id", rec.ID, "tag", a.mask(r.Tag))
		}
		done(rec, err, a.visits == visit && !a.leased())
	}})
}

// enrolled is what the display says of an enrolment.
func enrolled(rec books.SyncRow, err error) panel.Message {
	switch {
	case errors.Is(err, ledger.ErrCannotSave):
		return panel.Message{Key: CannotSave(err)}
	case err != nil:
		return panel.Message{Key: "refused", Detail: enrolProblem(err)}
	}
	return panel.Message{Key: "enrolled", Person: rec.Name}
}

// enrolProblem is why somebody was not enrolled, short enough for a display.
func enrolProblem(err error) string {
	for _, p := range []struct {
		err  error
		text string
	}{
		{directory.ErrHasBadge, "has a badge"},
		{directory.ErrTaken, "tag is taken"},
		{directory.ErrAmbiguous, "several have it"},
		{call.ErrNobody, "nobody by name"},
		{call.ErrOffline, "try again later"},
	} {
		if errors.Is(err, p.err) {
			return p.text
		}
	}
	return err.Error()
}
