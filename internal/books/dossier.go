package books

import (
	"context"
	"strings"

	"github.com/google/uuid"

	"stump/checkout"
)

// Dossier is all that is held about a person.
type Dossier struct {
	Person Person `json:"person"`
	// Was are the people that were merged into them.
	Was   []Former `json:"was"`
	Loans []Loan   `json:"loans"`
	// Reservations are those that have not ended.
	Reservations []Reservation `json:"reservations"`
	Events       []Entry       `json:"events"`
	// Named are other events that name them, as actor or in the note.
	Named []Entry `json:"named"`
	// Explain says what is missing here.
	Explain string `json:"explain"`
}

// DossierOf collects all that the books hold about a person.
func DossierOf(ctx context.Context, k Keeper, ref string) (*Dossier, error) {
	d := &Dossier{Was: []Former{}, Loans: []Loan{}, Reservations: []Reservation{}, Events: []Entry{}, Named: []Entry{},
		Explain: "The badge is kept as a keyed hash. Backups, and the systems that events were delivered to, may hold more."}
	var err error
	if d.Person, err = k.FindPerson(ref); err != nil {
		return nil, err
	}
	was, err := k.Formerly(d.Person.ID)
	if err != nil {
		return nil, err
	}
	d.Was = append(d.Was, was...)
	for loan, err := range k.Loans(LoanFilter{Person: d.Person.ID}) {
		if err != nil {
			return nil, err
		}
		d.Loans = append(d.Loans, loan)
	}
	for r, err := range k.Reservations(ReservationFilter{Person: d.Person.ID}) {
		if err != nil {
			return nil, err
		}
		d.Reservations = append(d.Reservations, r)
	}
	own := map[uuid.UUID]bool{}
	for e, err := range k.History(HistoryFilter{Person: d.Person.ID, Kind: AnyKind, Until: ctx}) {
		if err != nil {
			return nil, err
		}
		d.Events = append(d.Events, e)
		own[e.ID] = true
	}
	names := append(was, Former{ID: d.Person.ID, Name: d.Person.Name})
	for e, err := range k.History(HistoryFilter{Kind: AnyKind, Until: ctx}) {
		if err != nil {
			return nil, err
		}
		for _, name := range names {
			if !own[e.ID] && Mentions(&e.Event, name.ID, name.Name) {
				d.Named = append(d.Named, e)
				break
			}
		}
	}
	return d, nil
}

// Mentions reports whether somebody is the actor of an event or named in its note.
func Mentions(ev *checkout.Event, id, name string) bool {
	return ev.Actor != "" && (ev.Actor == id || ev.Actor == name) || ev.Note != "" && strings.Contains(ev.Note, name)
}
