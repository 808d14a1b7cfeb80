package ledger

import (
	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Dossier is all that is held about a person.
type Dossier struct {
	Person checkout.Person  `json:"person"`
	Loans  []checkout.Loan  `json:"loans"`
	Events []checkout.Entry `json:"events"`
	// Named are other events that name them, as actor or in the note.
	Named []checkout.Entry `json:"named"`
	// Explain says what is missing here.
	Explain string `json:"explain"`
}

// PersonDossier collects all that is held about a person.
func (l *Ledger) PersonDossier(ref string) (*Dossier, error) {
	d := &Dossier{Loans: []checkout.Loan{}, Events: []checkout.Entry{}, Named: []checkout.Entry{},
		Explain: "The badge is kept as a keyed hash. Backups, and the systems that events were delivered to, may hold more."}
	var err error
	if d.Person, err = l.FindPerson(ref); err != nil {
		return nil, err
	}
	for loan, err := range l.Loans(checkout.LoanFilter{Person: d.Person.ID}) {
		if err != nil {
			return nil, err
		}
		d.Loans = append(d.Loans, loan)
	}
	own := map[[16]byte]bool{}
	for e, err := range l.History(checkout.HistoryFilter{Person: d.Person.ID}) {
		if err != nil {
			return nil, err
		}
		d.Events = append(d.Events, e)
		own[e.ID] = true
	}
	p := party{record.TreePeople, d.Person.ID, &record.Row{Name: d.Person.Name}}
	for e, err := range l.History(checkout.HistoryFilter{}) {
		if err != nil {
			return nil, err
		}
		if !own[e.ID] && mentions(&e.Event, p) {
			d.Named = append(d.Named, e)
		}
	}
	return d, nil
}
