package api

import (
	"iter"
	"net/http"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// who lists the loans. With shown=true the masked number of what is pending stands
// in the place of its name, for a table.
func (s *Server) who(r *http.Request) (iter.Seq2[books.Loan, error], error) {
	q, err := params(r, "person", "device", "overdue", "shown")
	if err != nil {
		return nil, err
	}
	f := books.LoanFilter{Person: q.Get("person"), Device: q.Get("device"), Now: s.o.Now()}
	if f.Overdue, err = q.flag("overdue"); err != nil {
		return nil, err
	}
	shown, err := q.flag("shown")
	loans := s.o.Ledger.Loans(f)
	if shown {
		loans = mapRows(loans, books.Loan.Shown)
	}
	return loans, err
}

func (s *Server) history(r *http.Request) (iter.Seq2[books.Entry, error], error) {
	q, err := params(r, "person", "device", "since")
	if err != nil {
		return nil, err
	}
	f := books.HistoryFilter{Person: q.Get("person"), Device: q.Get("device")}
	if since := q.Get("since"); since != "" {
		if f.Since, err = time.Parse(time.RFC3339, since); err != nil {
			return nil, refuse("write it as 2026-11-21T10:00:00Z", "since: %q is not a time", since)
		}
	}
	return s.o.Ledger.History(f), nil
}

func (s *Server) give(r *http.Request, g Give) (books.Entry, error) {
	return s.commit(r, s.o.Ledger.Give, books.Request{Device: g.Device, Person: g.Person, Note: g.Note})
}

func (s *Server) bring(r *http.Request, b Bring) (books.Entry, error) {
	return s.commit(r, s.o.Ledger.Return, books.Request{Device: b.Device, Condition: b.Condition, Note: b.Note})
}

func (s *Server) lost(r *http.Request, b Bring) (books.Entry, error) {
	return s.commit(r, s.o.Ledger.Lose, books.Request{Device: r.PathValue("ref"), Condition: b.Condition, Note: b.Note})
}

func (s *Server) found(r *http.Request, b Bring) (books.Entry, error) {
	return s.commit(r, s.o.Ledger.Find, books.Request{Device: r.PathValue("ref"), Condition: b.Condition, Note: b.Note})
}

// commit commits an admin's correction and answers with its event.
func (s *Server) commit(r *http.Request, do func(books.Request) (checkout.Event, error), c books.Request) (books.Entry, error) {
	c.Actor, c.Source = actor(r), checkout.SourceCLI
	ev, err := do(c)
	if err != nil {
		return books.Entry{}, err
	}
	s.poke()
	return books.Entry{Event: ev, Time: ev.At.Wall, ClockTrusted: ev.At.Trusted}, nil
}

// poke makes the display show what has changed.
func (s *Server) poke() {
	if s.o.Panel != nil {
		s.o.Panel.Poke()
	}
}
