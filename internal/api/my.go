package api

import (
	"errors"
	"iter"
	"net/http"
	"slices"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
)

// myLoans lists what who asks has.
func (s *Server) myLoans(r *http.Request, q query, p books.Page) (iter.Seq2[books.Loan, error], error) {
	if err := s.mine(r, q); err != nil {
		return nil, err
	}
	return s.who(r, q, p)
}

// myHistory lists the events of who asks.
func (s *Server) myHistory(r *http.Request, q query, p books.Page) (iter.Seq2[books.Entry, error], error) {
	if err := s.mine(r, q); err != nil {
		return nil, err
	}
	return s.history(r, q, p)
}

// mine makes a query one for who asks, who must be in the register.
func (s *Server) mine(r *http.Request, q query) error {
	me, err := s.me(r)
	q.Set("person", me.ID)
	return err
}

// me is who asks, in the register.
func (s *Server) me(r *http.Request) (books.Person, error) {
	id := identity.Of(r.Context()).Person
	nobody := problem(wire.CodeNotFound, "log in at the reader, or with an account whose e-mail address is in the register", "who asks is nobody in the register")
	if id == "" {
		return books.Person{}, nobody
	}
	p, err := s.o.Books.FindPerson(id)
	if errors.Is(err, books.ErrNotFound) || err == nil && p.Status == checkout.Retired {
		return books.Person{}, nobody
	}
	if err == nil && p.ID != id { // merged into another; or somebody else has the id as a name
		var was []books.Former
		was, err = s.o.Books.Formerly(p.ID)
		if err == nil && !slices.ContainsFunc(was, func(f books.Former) bool { return f.ID == id }) {
			return books.Person{}, nobody
		}
	}
	return p, err
}
