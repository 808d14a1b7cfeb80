package station

import (
	"context"
	"errors"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/internal/panel"
)

// EnrolWindow is how long an enrolment waits for the tag.
const EnrolWindow = 60 * time.Second

// enrolment is a tag that an admin expects to be shown.
type enrolment struct {
	kind  checkout.SubjectKind
	who   string // name or id
	name  string // as the display calls them
	actor string
	until time.Duration
	done  chan<- Enrolled
}

// ErrEnrolTimeout is returned when no tag was shown in time.
var ErrEnrolTimeout = errors.New("no unknown tag was shown in time")

// Enrolled is what came of an enrolment.
type Enrolled struct {
	Record directory.Record
	Err    error
}

// Enrol has the next unknown tag become that of the person or device who, a
// name or an id; the display calls them name. The channel tells what came of it,
// at the latest after EnrolWindow; a newer enrolment takes the place of an older
// one. What waits at the desk goes on waiting, and known tags are taps as ever.
func (r *Reader) Enrol(ctx context.Context, kind checkout.SubjectKind, who, name, actor string) (<-chan Enrolled, error) {
	done := make(chan Enrolled, 1)
	a := (*attendTask)(r)
	err := r.call(ctx, func() {
		if a.enrol != nil {
			a.enrol.done <- Enrolled{Err: errors.New("another enrolment took its place")}
		}
		a.enrol = &enrolment{kind: kind, who: who, name: name, actor: actor, until: a.now() + EnrolWindow, done: done}
		a.stranger = stranger{repeat: a.stranger.repeat} // an unknown tag may be there still
		if m := a.prompt(); m != nil {
			a.show(*m)
		}
	})
	return done, err
}

// endEnrolment gives up waiting for a tag.
func (a *attendTask) endEnrolment() {
	a.enrol.done <- Enrolled{Err: ErrEnrolTimeout}
	a.enrol = nil
	a.timedOut()
}

// enrolTime is how long somebody waits for the directory to enrol them.
const enrolTime = 5 * time.Second

// enrolTag gives the tag that was shown to whom it was expected for.
func (a *attendTask) enrolTag(tag checkout.Tag) uint64 {
	e := a.enrol
	a.enrol = nil
	ctx, cancel := context.WithTimeout(context.Background(), enrolTime)
	defer cancel()
	rec, err := a.o.Directory.Enrol(ctx, directory.EnrolRequest{
		Kind: directoryKind(e.kind), Who: e.who, Tag: tag, Actor: e.actor, Source: checkout.SourceReader,
		Policy: a.o.EnrolPeople, Admin: true,
	})
	e.done <- Enrolled{rec, err}
	switch {
	case errors.Is(err, ledger.ErrCannotSave):
		a.log.Error("not enrolled", "err", err)
		return a.show(panel.Message{Key: "cannot-save"})
	case err != nil:
		a.log.Warn("not enrolled", "err", err)
		return a.show(panel.Message{Key: "refused", Detail: enrolProblem(err)})
	}
	a.log.Info("enrolled", "id", rec.ID, "tag", a.mask(tag))
	return a.show(panel.Message{Key: "enrolled", Person: rec.Name})
}
