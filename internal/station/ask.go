package station

import (
	"context"
	"fmt"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/credential"
	"stump/internal/panel"
	"stump/wiegand"
)

// How long a person waits for the directory, and how much it is asked at once.
const (
	askTime   = time.Second     // whose tag this is
	EnrolTime = 5 * time.Second // whether somebody may have it
	maxAsked  = 8               // questions of one desk
)

// errBusy is the error of a question that is one too many.
var errBusy = fmt.Errorf("%w: it still has not answered other questions", call.ErrOffline)

// question is one call of the directory, beside the desk.
type question struct {
	limit time.Duration
	query func(context.Context) (books.SyncRow, error)
	done  func(books.SyncRow, error) // nil after it was called; query may still run
}

// ask asks the directory about a tag: query runs in a goroutine of its own, and
// done gets its result in the attendant's loop. After limit, done gets an error
// instead, even if query still runs. A tag has one question at a time, a desk
// maxAsked; one too many gets its error at once. When the attendant has stopped,
// done is not called.
func (a *attendant) ask(tag checkout.Tag, q *question) {
	end := func(got books.SyncRow, err error) {
		if done := q.done; done != nil {
			q.done = nil
			done(got, err)
		}
	}
	if a.asked[tag] != nil || len(a.asked) >= maxAsked {
		end(books.SyncRow{}, errBusy)
		return
	}
	a.asked[tag] = q
	ctx, cancel := context.WithTimeout(a.ctx, q.limit)
	stop := context.AfterFunc(ctx, func() {
		a.post(func() { end(books.SyncRow{}, fmt.Errorf("%w: no answer within %v", call.ErrOffline, q.limit)) })
	})
	go func() {
		got, err := q.query(ctx)
		stop()
		cancel()
		a.post(func() {
			delete(a.asked, tag)
			end(got, err)
		})
	}()
}

// asking reports whether the directory is being asked about a tag and somebody
// waits for the answer.
func (a *attendant) asking(tag checkout.Tag) bool {
	q := a.asked[tag]
	return q != nil && q.done != nil
}

// identify asks the directory who or what has a tag that is not in the register.
func (a *attendant) identify(read wiegand.Read, tag checkout.Tag) answer {
	if !a.desk.Asked(time.Duration(read.End), tag) {
		return answer{repeated: true}
	}
	a.visits++
	kind := a.kind(read)
	a.ask(tag, &question{
		limit: askTime,
		query: func(ctx context.Context) (books.SyncRow, error) { return a.o.Directory.WhatIs(ctx, tag, kind) },
		done:  func(_ books.SyncRow, err error) { a.answered.note(read.End, a.identified(read, tag, err)) },
	})
	return answer{asking: true}
}

// identified takes the directory's answer to the desk. What the directory knows
// of the tag is in the register by now. If it can't be asked, a tag that fits a
// rule is pending: the tap is recorded with it.
func (a *attendant) identified(read wiegand.Read, tag checkout.Tag, cannotAsk error) answer {
	subject, err := a.o.Ledger.Subject(tag)
	kind := a.kind(read)
	if err == nil && subject.Kind == checkout.Unknown && cannotAsk != nil && kind != checkout.Unknown {
		a.log.Info("pending tag: the directory can't be asked", "tag", a.mask(tag), "kind", kind, "err", cannotAsk)
		subject = checkout.Subject{Kind: kind, Pending: true}
	}
	subject.Tag, subject.Fits = tag, kind
	a.edge = time.Duration(read.End)
	out := a.desk.Answer(a.edge, subject)
	switch {
	case err != nil && out.Kind != checkout.Late:
		return a.unreadable(err)
	case err == nil && subject.Kind == checkout.Unknown:
		a.unsaid = a.missed(out.Missed)
		got := a.unknown(read, subject, out)
		a.unsaid = nil // a question for a name comes first
		return got
	case out.Kind == checkout.Late:
		return answer{}
	}
	return a.outcome(out)
}

// unknown shows the number of a tag that nobody knows, unless somebody else has
// come meanwhile, and lists it.
func (a *attendant) unknown(read wiegand.Read, s checkout.Subject, out checkout.Outcome) answer {
	a.log.Info("unknown tag", "tag", a.mask(s.Tag))
	a.watch.bumped(Unknown)
	a.trace(checkout.Refusal{Tag: s.Tag, Unknown: true, Fits: s.Fits, Reason: unknownReasons[s.Fits]})
	ended := a.ended(out)
	switch {
	case out.Kind == checkout.Late:
		return answer{}
	case a.mayNumber(s.Fits):
		if n := a.askNumber(read, s.Tag, s.Fits == checkout.KindPerson); n.shown {
			return answer{shown: a.afterEnd(ended, *n.message(a.now()))}
		}
	case s.Fits == checkout.KindPerson && a.mayType():
		return a.askName(read, s.Tag, ended)
	}
	return a.show(panel.Message{Key: unknownKeys[s.Fits], Number: credential.String(read.Bits, a.r.Formats), Ended: ended})
}

// afterEnd shows a question, after whose turn is over if it is somebody's.
func (a *attendant) afterEnd(ended string, m panel.Message) (shown uint64) {
	if ended == "" {
		return a.o.Panel.Show(m)
	}
	return a.o.Panel.Show(panel.Message{Key: "ended", Ended: ended, Then: &m})
}
