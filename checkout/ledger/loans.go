package ledger

import (
	"iter"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// Loans yields who has what, by device id. An unknown Person or Device in the
// filter is an error.
func (l *Ledger) Loans(f checkout.LoanFilter) iter.Seq2[checkout.Loan, error] {
	return func(yield func(checkout.Loan, error) bool) {
		loans, err := l.loans(f)
		if err != nil {
			yield(checkout.Loan{}, err)
			return
		}
		for _, loan := range loans {
			if !yield(loan, nil) {
				return
			}
		}
	}
}

// loans reads all in one transaction: who has what at one moment.
func (l *Ledger) loans(f checkout.LoanFilter) ([]checkout.Loan, error) {
	if f.Now.IsZero() {
		f.Now = time.Now()
	}
	var all []checkout.Loan
	err := l.view(func(t *txn) error {
		v := loanView{txn: t, filter: f, clock: times{t: t}, trusted: l.o.Stamp().Trusted, people: map[string]*record.Row{}}
		if f.Person != "" {
			p, err := t.findParty(record.TreePeople, f.Person)
			if err != nil {
				return err
			}
			v.person = p.id
		}
		add := func(id string, r *record.Row) error {
			loan, ok, err := v.loan(id, r)
			if ok {
				all = append(all, loan)
			}
			return err
		}
		if f.Device != "" {
			d, err := t.findParty(record.TreeDevices, f.Device)
			if err != nil {
				return err
			}
			return add(d.id, d.row)
		}
		return t.eachRow(record.TreeDevices, add)
	})
	return all, err
}

// loanView turns rows of devices into loans.
type loanView struct {
	*txn
	filter checkout.LoanFilter
	person string // id to keep, or empty
	clock  times
	// trusted is whether the wall clock is right now.
	trusted bool
	people  map[string]*record.Row // those seen so far
}

func (v *loanView) loan(id string, r *record.Row) (loan checkout.Loan, ok bool, err error) {
	s := r.Loan
	if s.Holder == "" || v.person != "" && s.Holder != v.person {
		return loan, false, nil
	}
	p, seen := v.people[s.Holder]
	if !seen {
		if p, err = v.row(record.TreePeople, s.Holder); err != nil {
			return loan, false, err
		}
		if p == nil {
			return loan, false, v.damaged("a loan names %q, who is not in the register", s.Holder)
		}
		v.people[s.Holder] = p
	}
	loan = checkout.Loan{Device: r.Name, DeviceID: id, Person: p.Name, PersonID: s.Holder,
		Station: s.Station, Kind: r.Kind, Group: r.Group}
	if v.l.old != nil { // schema 1 has no labels in its rows
		loan.Station = v.l.old.chains[s.Since.Chain].Name
	}
	if loan.Since, loan.ClockTrusted, err = v.clock.wall(s.At); err != nil {
		return loan, false, err
	}
	if s.Length > 0 {
		loan.Due = loan.Since.Add(s.Length)
		// A clock that is right now says nothing about a loan from when it was
		// not; two times of the same doubtful clock can be compared.
		comparable := loan.ClockTrusted || !v.trusted
		loan.Overdue = comparable && v.filter.Now.After(loan.Due)
	}
	if r.Pending {
		loan.DeviceID, loan.DeviceTag = "", r.Mask
	}
	if p.Pending {
		loan.PersonID, loan.PersonTag = "", p.Mask
	}
	return loan, loan.Overdue || !v.filter.Overdue, nil
}
