package station

import (
	"context"
	"errors"
	"time"

	"stump/checkout"
	"stump/internal/panel"
)

// EnrolWindow is how long an enrolment waits for the tag.
const EnrolWindow = 60 * time.Second

// enrolment is a tag that somebody is expected to show.
type enrolment struct {
	kind     checkout.SubjectKind
	id, name string
	until    time.Duration
	done     func(checkout.Event, error)
}

// ErrEnrolTimeout is returned when no tag was shown in time.
var ErrEnrolTimeout = errors.New("no unknown tag was shown in time")

// Enrol waits for the next unknown tag and gives it to the person or device
// with this id. What waits at the desk goes on waiting.
func (r *Reader) Enrol(ctx context.Context, kind checkout.SubjectKind, id, name string) (checkout.Event, error) {
	type result struct {
		ev  checkout.Event
		err error
	}
	results := make(chan result, 1)
	ctx, cancel := context.WithTimeout(ctx, EnrolWindow)
	defer cancel()
	a := (*attendTask)(r)
	mine := &enrolment{kind: kind, id: id, name: name, done: func(ev checkout.Event, err error) { results <- result{ev, err} }}
	err := r.call(ctx, func() {
		mine.until = a.now() + EnrolWindow
		a.enrol = mine
		a.show(panel.Message{Key: "enrol-next", Person: name})
	})
	if err != nil {
		return checkout.Event{}, err
	}
	select {
	case res := <-results:
		return res.ev, res.err
	case <-ctx.Done():
		// Whoever asked has gone: the next unknown tag must not become theirs.
		r.withdraw(mine)
		return checkout.Event{}, ErrEnrolTimeout
	}
}

func (r *Reader) withdraw(mine *enrolment) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	_ = r.call(ctx, func() {
		if r.enrol == mine {
			r.enrol = nil
			(*attendTask)(r).show(panel.Message{Key: "timeout"})
		}
	})
}

// enrolTag gives the tag that was shown to whom it was expected for.
func (a *attendTask) enrolTag(tag checkout.Tag) uint64 {
	e := a.enrol
	a.enrol = nil
	var (
		ev  checkout.Event
		err error
	)
	if e.kind == checkout.KindPerson {
		ev, err = a.o.Ledger.EnrolPerson(e.id, tag, checkout.By{Source: checkout.SourceReader, Reader: a.Name})
	} else {
		ev, err = a.o.Ledger.EnrolDevice(e.id, tag, checkout.By{Source: checkout.SourceReader, Reader: a.Name})
	}
	e.done(ev, err)
	if err != nil {
		a.log.Error("not enrolled", "err", err)
		return a.show(panel.Message{Key: "cannot-save"})
	}
	a.log.Info("enrolled", "id", e.id, "tag", tag)
	return a.show(panel.Message{Key: "enrolled", Person: e.name})
}

// enrolRefused says whose the tag is already; the enrolment goes on waiting.
func (a *attendTask) enrolRefused(s checkout.Subject) uint64 {
	return a.show(panel.Message{Key: "refused", Detail: name(s)})
}
