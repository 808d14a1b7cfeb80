package api

import (
	"cmp"
	"iter"
	"net/http"
	"strings"

	"stump/checkout"
	"stump/directory"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/inbox"
)

// inbox lists what waits for who asks.
func (s *Server) inbox(r *http.Request, _ query, p books.Page) (iter.Seq2[inbox.Row, error], error) {
	all, err := s.waiting(r)
	if err != nil {
		return nil, err
	}
	return short(all, p, func(row inbox.Row) []string { return []string{row.What, row.ID} })
}

// waiting is what waits for who asks.
func (s *Server) waiting(r *http.Request) ([]inbox.Row, error) {
	s.o.Trace.Save(true)
	from := inbox.Station{Books: s.o.Books, Now: s.o.Now(), Conditions: s.o.Conditions}
	if s.o.Worker != nil {
		from.Status = s.o.Worker.Status
	}
	if s.o.Ledger != nil {
		from.Info = s.o.Ledger.Info
	}
	if s.o.Disputes != nil {
		from.Lab = func() []inbox.Row { return s.o.Disputes.Waiting(r.Context()) }
	}
	return from.Waiting(identity.Of(r.Context()).May(identity.Admin))
}

// assign gives an unknown tag of the list to a person or device, as an enrolment would
// give it when it is shown.
func (s *Server) assign(r *http.Request, in *wire.NewEnrolment) (any, error) {
	e, err := s.enrolment(r, *in)
	if err != nil {
		return nil, err
	}
	tag, err := s.o.Books.UnknownTag(r.PathValue("id"))
	if err != nil {
		return nil, err
	}
	by := identity.Of(r.Context())
	row, err := s.o.Worker.Enrol(r.Context(), directory.EnrolRequest{
		Kind: e.reg.kind, Who: cmp.Or(e.who.id, e.who.name), Tag: tag, Actor: by.Name, Source: by.Source, Admin: true})
	if err != nil {
		return nil, err
	}
	s.poke()
	got := wire.Assigned{Kind: in.Kind, Name: cmp.Or(row.Name, e.who.name), New: e.who.isNew, Warning: wire.Warn(e.warning)}
	if e.reg.kind == checkout.KindPerson {
		got.PersonID = known(row.ID)
	} else {
		got.DeviceID = known(row.ID)
	}
	return got, nil
}

// ignore leaves an unknown tag out of the list.
func (s *Server) ignore(r *http.Request) (any, error) {
	return struct{}{}, s.o.Books.IgnoreTag(r.PathValue("id"))
}

// answers are what the pages of the inbox do.
func (s *Server) answers() console.Inbox {
	worker := s.o.Worker
	return console.Inbox{
		Waiting: s.waiting,
		Assign: func(r *http.Request, id, kind, name string) error {
			r.SetPathValue("id", id)
			_, err := s.assign(r, &wire.NewEnrolment{Kind: kind, Name: strings.TrimSpace(name)})
			return s.said(r, err)
		},
		Retry: func(id string) error { return stuck(worker.Retry(id)) },
		Drop: func(id, actor string, source checkout.Source, note string) error {
			return stuck(worker.Drop(id, actor, source, note))
		},
		Accept: s.accept,
	}
}

// accept accepts what a row of the inbox asks for.
func (s *Server) accept(r *http.Request, id string) error {
	by := identity.Of(r.Context()).Name
	if s.o.Disputes != nil {
		if is, err := s.o.Disputes.Accept(r.Context(), id, by); is {
			return err
		}
	}
	return stuck(s.o.Worker.Accept(id, by))
}

// said is an error as who asks may read it, with a remedy unless nobody foresaw it.
func (s *Server) said(r *http.Request, err error) error {
	if err == nil {
		return nil
	}
	code, remedy := s.explain(err)
	if hint.Of(err) == "" && code != wire.CodeInternal {
		err = hint.Wrap(err, cmp.Or(remedy, "choose another name, or another tag"))
	}
	return withheld(identity.Of(r.Context()), code, err)
}
