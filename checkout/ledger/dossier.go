package ledger

import (
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Dossier is all that is held about a person.
type Dossier struct {
	Person books.Person `json:"person"`
	// Was are the people that were merged into them.
	Was    []books.Former `json:"was"`
	Loans  []books.Loan   `json:"loans"`
	Events []books.Entry  `json:"events"`
	// Named are other events that name them, as actor or in the note.
	Named []books.Entry `json:"named"`
	// Explain says what is missing here.
	Explain string `json:"explain"`
}

// PersonDossier collects all that is held about a person.
func (l *Ledger) PersonDossier(ref string) (*Dossier, error) {
	d := &Dossier{Was: []books.Former{}, Loans: []books.Loan{}, Events: []books.Entry{}, Named: []books.Entry{},
		Explain: "The badge is kept as a keyed hash. Backups, and the systems that events were delivered to, may hold more."}
	var err error
	if d.Person, err = l.FindPerson(ref); err != nil {
		return nil, err
	}
	for loan, err := range l.Loans(books.LoanFilter{Person: d.Person.ID}) {
		if err != nil {
			return nil, err
		}
		d.Loans = append(d.Loans, loan)
	}
	own := map[[16]byte]bool{}
	for e, err := range l.History(books.HistoryFilter{Person: d.Person.ID, Kind: books.AnyKind}) {
		if err != nil {
			return nil, err
		}
		d.Events = append(d.Events, e)
		own[e.ID] = true
	}
	rows := []party{{record.TreePeople, d.Person.ID, &record.Row{Name: d.Person.Name}}}
	formerly, err := l.Formerly(d.Person.ID)
	if err != nil {
		return nil, err
	}
	for _, was := range formerly {
		d.Was = append(d.Was, was)
		rows = append(rows, party{record.TreePeople, was.ID, &record.Row{Name: was.Name}})
	}
	for e, err := range l.History(books.HistoryFilter{Kind: books.AnyKind}) {
		if err != nil {
			return nil, err
		}
		if !own[e.ID] && mentions(&e.Event, rows...) {
			d.Named = append(d.Named, e)
		}
	}
	return d, nil
}
