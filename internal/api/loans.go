package api

import (
	"cmp"
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
)

// who lists the loans. With shown=true the masked number of what is pending stands
// in the place of its name, for a table.
func (s *Server) who(_ *http.Request, q query, p books.Page) (_ iter.Seq2[books.Loan, error], err error) {
	f := books.LoanFilter{Page: p, Person: q.Get("person"), Device: q.Get("device"), Now: s.o.Now()}
	if f.Overdue, err = q.flag("overdue"); err != nil {
		return nil, err
	}
	shown, err := q.flag("shown")
	loans := s.o.Books.Loans(f)
	if shown {
		loans = mapRows(loans, books.Loan.Shown)
	}
	return loans, err
}

func (s *Server) history(_ *http.Request, q query, p books.Page) (iter.Seq2[books.Entry, error], error) {
	f := books.HistoryFilter{Page: p, Person: q.Get("person"), Device: q.Get("device")}
	refused, err := q.flag("refused")
	if err != nil {
		return nil, err
	}
	if f.Kind = checkout.Kind(q.Get("kind")); refused {
		f.Kind = checkout.Refuse
	}
	if f.Kind != "" && f.Kind != books.AnyKind && !slices.Contains(checkout.Kinds, f.Kind) {
		return nil, refuse("use any, or one of "+kindWords(), "kind: %q is none", f.Kind)
	}
	if f.Kind == checkout.Refuse || f.Kind == books.AnyKind {
		s.o.Trace.Save(true)
	}
	if since := q.Get("since"); since != "" {
		if f.Since, err = time.Parse(time.RFC3339, since); err != nil {
			return nil, refuse("write it as 2026-11-21T10:00:00Z", "since: %q is not a time", since)
		}
	}
	shown, err := q.flag("shown")
	entries := s.o.Books.History(f)
	if shown {
		entries = mapRows(entries, books.Entry.Shown)
	}
	return entries, err
}

// kindWords are the kinds of events.
func kindWords() string {
	var words []string
	for _, k := range checkout.Kinds {
		words = append(words, string(k))
	}
	return strings.Join(words, ", ")
}

func (s *Server) give(r *http.Request, g *wire.Give) (any, error) {
	return s.commit(r, books.Keeper.Give, books.Request{Device: g.Device, Person: g.Person, Note: g.Note, At: timeOf(g.At), Due: timeOf(g.Due)})
}

func (s *Server) bring(r *http.Request, b *wire.Bring) (any, error) {
	return s.commit(r, books.Keeper.Return, books.Request{Device: b.Device, Condition: b.Condition, Note: b.Note, At: timeOf(b.At)})
}

func (s *Server) lost(r *http.Request, b *wire.Said) (any, error) {
	return s.commit(r, books.Keeper.Lose, books.Request{Device: r.PathValue("ref"), Condition: b.Condition, Note: b.Note})
}

func (s *Server) found(r *http.Request, b *wire.Said) (any, error) {
	return s.commit(r, books.Keeper.Find, books.Request{Device: r.PathValue("ref"), Condition: b.Condition, Note: b.Note})
}

// commit commits an admin's correction and answers with its event.
func (s *Server) commit(r *http.Request, do func(books.Keeper, books.Request) (checkout.Event, error), c books.Request) (any, error) {
	l, err := s.on(r, checkout.KindDevice, c.Device)
	if err != nil {
		return nil, err
	}
	who := identity.Of(r.Context())
	c.Actor, c.Source = who.Name, who.Source
	ev, err := do(l, c)
	if err != nil {
		return books.Entry{}, err
	}
	s.poke()
	return books.Entry{Event: ev, Time: ev.At.Wall, ClockTrusted: ev.At.Trusted}, nil
}

// timeOf is a time that may be left out.
func timeOf(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return *t
}

// poke makes the display show what has changed.
func (s *Server) poke() {
	if s.o.Panel != nil {
		s.o.Panel.Poke()
	}
}

// enrol gives the next unknown tag to a person or device.
func (s *Server) enrol(r *http.Request, e *wire.Enrol) (any, error) {
	reg := s.people
	switch e.Kind {
	case "person":
		if err := s.needs(r, identity.Admin); err != nil { // a badge takes devices in that name
			return wire.Enrolled{}, err
		}
	case "device":
		reg = s.devices
	default:
		return wire.Enrolled{}, refuse(`use "person" or "device"`, "%q can't be enrolled", e.Kind)
	}
	if e.Name == "" {
		return wire.Enrolled{}, refuse("name who or what the tag is for", "no name")
	}
	answer, err := s.expected(reg, e.Name)
	if err != nil {
		return answer, err
	}
	if answer.New {
		if answer.Warning, err = s.namesakes(reg, e.Name, e.Name); err != nil {
			return answer, err
		}
	}
	wait, err := s.o.Readers[0].Enrol(r.Context(), reg.kind, cmp.Or(str(answer.ID), e.Name), answer.Name, identity.Of(r.Context()).Name)
	if err != nil || !e.Wait {
		return answer, err
	}
	select {
	case res := <-wait:
		answer.ID = known(res.Record.ID)
		return answer, res.Err
	case <-r.Context().Done():
		return answer, context.Cause(r.Context())
	}
}

// expected is whose the next unknown tag will be. The directory may know a name that
// the register does not have; otherwise the name is added when the tag is shown.
func (s *Server) expected(reg *register, ref string) (wire.Enrolled, error) {
	p, err := reg.find(ref)
	if errors.Is(err, books.ErrNotFound) {
		if err := checkout.CheckName(ref); err != nil {
			return wire.Enrolled{}, err
		}
		return s.alike(reg, ref, err)
	}
	p.name = cmp.Or(p.name, ref)
	if err == nil && p.status == checkout.Retired {
		err = &checkout.RefusedError{Subject: checkout.Subject{Kind: reg.kind, ID: p.id, Name: p.name, Status: p.status}}
	}
	return wire.Enrolled{ID: known(p.id), Name: p.name}, err
}

// alike looks for whom or what a name that the register does not have may mean. A
// name in other capitals is found, as it is when the tag is shown; a slip must not
// become a new person.
func (s *Server) alike(reg *register, ref string, missing error) (wire.Enrolled, error) {
	unknown := wire.Enrolled{Name: ref, New: true}
	add := "what is new is added first with `stump devices add`"
	if reg.kind == checkout.KindPerson {
		if s.o.Worker != nil && s.o.Worker.EnrolsPeople() {
			return unknown, nil
		}
		add = "who is new is added first with `stump people add`"
	}
	same, near, err := reg.near(ref)
	switch {
	case err != nil || len(same)+len(near) == 0:
		return unknown, err
	case len(same) == 1:
		return wire.Enrolled{ID: &same[0].id, Name: same[0].name}, nil
	}
	return unknown, hint.Wrap(missing, didYouMean(append(same, near...))+" "+add)
}

// unknown lists the tags that were shown and that nobody has.
func (s *Server) unknown(_ *http.Request, _ query, p books.Page) (iter.Seq2[wire.Unknown, error], error) {
	s.o.Trace.Save(true)
	tags, err := s.o.Books.UnknownTags()
	if err != nil {
		return nil, err
	}
	return short(tags, p, func(t wire.Unknown) []string { return []string{t.Number} })
}
