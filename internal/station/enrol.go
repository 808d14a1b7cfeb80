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
	done     chan<- Enrolled
}

// ErrEnrolTimeout is returned when no tag was shown in time.
var ErrEnrolTimeout = errors.New("no unknown tag was shown in time")

// Enrolled is what came of an enrolment.
type Enrolled struct {
	Event checkout.Event
	Err   error
}

// Enrol has the next unknown tag become that of the person or device with
// this id. The channel tells what came of it, at the latest after EnrolWindow;
// a newer enrolment takes the place of an older one. What waits at the desk
// goes on waiting.
func (r *Reader) Enrol(ctx context.Context, kind checkout.SubjectKind, id, name string) (<-chan Enrolled, error) {
	done := make(chan Enrolled, 1)
	a := (*attendTask)(r)
	err := r.call(ctx, func() {
		if a.enrol != nil {
			a.enrol.done <- Enrolled{Err: errors.New("another enrolment took its place")}
		}
		a.enrol = &enrolment{kind: kind, id: id, name: name, until: a.now() + EnrolWindow, done: done}
		a.show(panel.Message{Key: "enrol-next", Person: name})
	})
	return done, err
}

// endEnrolment gives up waiting for a tag.
func (a *attendTask) endEnrolment() {
	a.enrol.done <- Enrolled{Err: ErrEnrolTimeout}
	a.enrol = nil
	a.show(panel.Message{Key: "timeout"})
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
		ev, err = a.o.Ledger.EnrolPerson(e.id, tag, a.Name, checkout.SourceReader)
	} else {
		ev, err = a.o.Ledger.EnrolDevice(e.id, tag, a.Name, checkout.SourceReader)
	}
	e.done <- Enrolled{ev, err}
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
