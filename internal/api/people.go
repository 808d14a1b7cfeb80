package api

import (
	"cmp"
	"fmt"
	"iter"
	"net/http"
	"strings"

	"stump/checkout"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
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

// present leaves out who was merged into another.
func present(all iter.Seq2[books.Person, error]) iter.Seq2[books.Person, error] {
	return func(yield func(books.Person, error) bool) {
		for p, err := range all {
			if (err != nil || p.MergedInto == "") && !yield(p, err) {
				return
			}
		}
	}
}

// folded is a name without what people write differently: capitals and blanks.
func folded(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// namesakes warns of people who have the name of another. id is whom the change was
// about. Two devices may well have one name. There is no warning if the people can't be
// listed, for the change is saved.
func (s *Server) namesakes(reg *register, id, name string) string {
	if reg.kind != checkout.KindPerson || name == "" {
		return ""
	}
	for p, err := range present(s.o.Books.People(books.Page{})) {
		if err == nil && p.ID != id && folded(p.Name) == folded(name) {
			return twins(p.Name, p.ID, id)
		}
	}
	return ""
}

// newTwins warns of new people who have the name of another, if they can be listed.
func (s *Server) newTwins(ids []string) string {
	if len(ids) == 0 {
		return ""
	}
	isNew := map[string]bool{}
	for _, id := range ids {
		isNew[id] = true
	}
	first, n, names := "", 0, map[string]string{} // id of the first by name
	for p, err := range inPages(s.o.Books) {
		if err != nil {
			return ""
		}
		name := folded(p.Name)
		there, twice := names[name]
		if !twice {
			names[name] = p.ID
		} else if isNew[p.ID] || isNew[there] {
			id := p.ID
			if !isNew[id] {
				id, there = there, id
			}
			first = cmp.Or(first, twins(p.Name, there, id))
			n++
			delete(isNew, id) // once is enough
		}
	}
	return wire.Several(n, first)
}

// inPages yields everybody, as present does, but holds a thousand at most.
func inPages(l books.Keeper) iter.Seq2[books.Person, error] {
	return func(yield func(books.Person, error) bool) {
		for page := (books.Page{Limit: 1000}); ; {
			n := 0
			for p, err := range l.People(page) {
				n++
				page.After = p.ID
				if (err != nil || p.MergedInto == "") && !yield(p, err) || err != nil {
					return
				}
			}
			if n < page.Limit {
				return
			}
		}
	}
}

// twins says that two people have one name.
func twins(name, there, id string) string {
	return fmt.Sprintf("there is another %s (%s); are they one? stump people merge %s %s", name, there, hint.ShellWord(id), hint.ShellWord(there))
}
