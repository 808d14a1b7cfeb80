package api

import (
	"cmp"
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
)

// who lists the loans. With shown=true the masked number of what is pending stands
// in the place of its name, for a table.
func (s *Server) who(_ *http.Request, q query, p books.Page) (_ iter.Seq2[books.Loan, error], err error) {
	f := books.LoanFilter{Page: p, Person: q.Get("person"), Device: q.Get("device"), Now: s.o.Now()}
	if f.Overdue, err = q.flag("overdue"); err != nil {
		return nil, err
	}
	if f.DueSoon, err = q.flag("due_soon"); err != nil {
		return nil, err
	}
	if f.Missing, err = q.flag("missing"); err != nil {
		return nil, err
	}
	shown, err := q.flag("shown")
	loans := s.o.Books.Loans(f)
	if shown {
		loans = mapRows(loans, books.Loan.Shown)
	}
	return loans, err
}

func (s *Server) history(r *http.Request, q query, p books.Page) (iter.Seq2[books.Entry, error], error) {
	f := books.HistoryFilter{Page: p, Person: q.Get("person"), Device: q.Get("device"), Until: r.Context()}
	refused, err := q.flag("refused")
	if err != nil {
		return nil, err
	}
	f.Kind = checkout.Kind(q.Get("kind"))
	switch {
	case f.Kind != "" && f.Kind != books.AnyKind && !slices.Contains(checkout.Kinds, f.Kind):
		return nil, refuse("use any, or one of "+kindWords(), "kind: %q is none", f.Kind)
	case refused && f.Kind != "" && f.Kind != checkout.Refuse:
		return nil, refuse("ask for one of them", "refusals are no events of the kind %s", f.Kind)
	case refused:
		f.Kind = checkout.Refuse
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
	e, err := s.commit(r, books.Keeper.Give, books.Request{Device: g.Device, Person: g.Person, Note: g.Note, At: timeOf(g.At), Due: timeOf(g.Due)})
	if e.Against == "" {
		return e, err
	}
	return struct {
		wire.History
		wire.Warning
	}{e.JSON(), wire.Warn("against the rules of loans: " + e.Against)}, err
}

func (s *Server) bring(r *http.Request, b *wire.Bring) (any, error) {
	return s.commit(r, books.Keeper.Return, books.Request{Device: b.Device, Condition: b.Condition, Note: b.Note, At: timeOf(b.At), Missing: b.Missing})
}

func (s *Server) lost(r *http.Request, b *wire.Said) (any, error) {
	return s.commit(r, books.Keeper.Lose, books.Request{Device: r.PathValue("ref"), Condition: b.Condition, Note: b.Note})
}

func (s *Server) found(r *http.Request, b *wire.Said) (any, error) {
	return s.commit(r, books.Keeper.Find, books.Request{Device: r.PathValue("ref"), Condition: b.Condition, Note: b.Note})
}

// extend lets a loan end later: an admin any, others their own.
func (s *Server) extend(r *http.Request, e *wire.Extend) (any, error) {
	c := books.Request{Device: r.PathValue("ref"), Due: timeOf(e.Due), Note: e.Note}
	if !identity.Of(r.Context()).May(identity.Admin) {
		me, err := s.me(r)
		if err != nil {
			return nil, err
		}
		c.Own = me.ID
	}
	return s.commit(r, books.Keeper.Extend, c)
}

// commit commits an admin's correction, or the word of who has a device, and answers with
// its event.
func (s *Server) commit(r *http.Request, do func(books.Keeper, books.Request) (checkout.Event, error), c books.Request) (e books.Entry, err error) {
	l, err := s.on(r, checkout.KindDevice, c.Device)
	if err != nil {
		return e, err
	}
	who := identity.Of(r.Context())
	c.Actor, c.Source = cmp.Or(c.Own, who.Name), who.Source
	ev, err := do(l, c)
	if err != nil {
		return e, err
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

// unknown lists the tags that were shown and that nobody has.
func (s *Server) unknown(_ *http.Request, _ query, p books.Page) (iter.Seq2[wire.Unknown, error], error) {
	s.o.Trace.Save(true)
	tags, err := s.o.Books.UnknownTags()
	if err != nil {
		return nil, err
	}
	return short(tags, p, func(t wire.Unknown) []string { return []string{t.Number} })
}
