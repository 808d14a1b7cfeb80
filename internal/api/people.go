package api

import (
	"net/http"

	"stump/checkout"
	"stump/internal/api/namesake"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
)

// merge makes the person of the path one with another, who stays.
func (s *Server) merge(r *http.Request, m *wire.Merge) (any, error) {
	old := r.PathValue("ref")
	if m.Into == "" {
		return nil, refuse("name who goes, then who stays", "nobody to merge %s into", old)
	}
	l, err := s.on(r, checkout.KindPerson, old)
	if err != nil {
		return nil, err
	}
	by := identity.Of(r.Context())
	ev, err := l.MergePeople(old, m.Into, by.Name, by.Source)
	if err != nil {
		return nil, err
	}
	s.poke()
	return books.Entry{Event: ev, Time: ev.At.Wall, ClockTrusted: ev.At.Trusted}, nil
}

// showPerson is one person with what they have.
func (s *Server) showPerson(r *http.Request) (any, error) {
	p, err := s.o.Books.FindPerson(r.PathValue("ref"))
	if err != nil {
		return nil, err
	}
	shown := wire.PersonShown{Version: wire.Version{Revision: p.Revision}, Person: personParty(p).row.(wire.Person), DirectoryGroups: groupNames(p.DirectoryGroups), Loans: []wire.Who{}, Was: []books.Former{}}
	was, err := s.o.Books.Formerly(p.ID)
	if err != nil {
		return nil, err
	}
	shown.Was = append(shown.Was, was...)
	for loan, err := range s.o.Books.Loans(books.LoanFilter{Person: p.ID, Now: s.o.Now()}) {
		if err != nil {
			return nil, err
		}
		shown.Loans = append(shown.Loans, loan.JSON())
	}
	return shown, nil
}

// showDevice is one device with who has it.
func (s *Server) showDevice(r *http.Request) (any, error) {
	d, err := s.o.Books.FindDevice(r.PathValue("ref"))
	if err != nil {
		return nil, err
	}
	shown := wire.DeviceShown{Version: wire.Version{Revision: d.Revision}, Device: deviceParty(d).row.(wire.Device), Parts: []wire.Part{}}
	parts, err := s.o.Books.Parts(d.ID)
	if err != nil {
		return nil, err
	}
	for _, p := range parts {
		shown.Parts = append(shown.Parts, wire.Part{Device: deviceParty(p.Device).row.(wire.Device), In: p.In, Missing: p.Missing})
	}
	for loan, err := range s.o.Books.Loans(books.LoanFilter{Device: d.ID, Now: s.o.Now()}) {
		if err != nil {
			return nil, err
		}
		who := loan.JSON()
		shown.Loan = &who
	}
	return shown, nil
}

// namesakes warns of people who have the name of another.
func (s *Server) namesakes(reg *register, id, name string) string {
	if reg.kind != checkout.KindPerson {
		return ""
	}
	return namesake.Of(s.o.Books, id, name)
}
