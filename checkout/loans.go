package checkout

import (
	"encoding/json"
	"iter"
	"time"
)

// Loan is one device in one person's hands.
type Loan struct {
	// Device and Person are names, empty for a pending tag; DeviceID and
	// PersonID are empty then too.
	Device, DeviceID string
	Person, PersonID string
	Since            time.Time
	// ClockTrusted is whether Since is known to be right.
	ClockTrusted bool
	// Due is when the device should be back, as good as Since is known; zero
	// for no limit.
	Due     time.Time
	Overdue bool
	// Pending is set when the device or the person is not yet known; Note has
	// the masked number.
	Pending bool
	Note    string
	Station string
	// Kind and Group are the device's.
	Kind, Group string
}

// LoanJSON is a loan as `who --json` writes it: every key is there, unknown is
// null.
type LoanJSON struct {
	Device       *string    `json:"device"`
	DeviceID     *string    `json:"device_id"`
	Person       *string    `json:"person"`
	PersonID     *string    `json:"person_id"`
	Since        *time.Time `json:"since"`
	ClockTrusted bool       `json:"clock_trusted"`
	Due          *time.Time `json:"due"`
	Overdue      bool       `json:"overdue"`
	Pending      bool       `json:"pending"`
	Station      *string    `json:"station"`
	Note         *string    `json:"note"`
}

// JSON returns the loan's written form.
func (l Loan) JSON() LoanJSON {
	return LoanJSON{
		null(l.Device), null(l.DeviceID), null(l.Person), null(l.PersonID), nullTime(l.Since), l.ClockTrusted,
		nullTime(l.Due), l.Overdue, l.Pending, null(l.Station), null(l.Note),
	}
}

// MarshalJSON writes LoanJSON.
func (l Loan) MarshalJSON() ([]byte, error) { return json.Marshal(l.JSON()) }

// null turns the empty string into JSON's null.
func null(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// nullTime is a time in seconds, with its zone.
func nullTime(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.Truncate(time.Second)
	return &t
}

// LoanFilter chooses loans. Person and Device are IDs or exact names.
type LoanFilter struct {
	Person, Device string
	// Overdue keeps only what should have been back by Now.
	Overdue bool
	// Now is the time to compare due dates with; time.Now if zero.
	Now time.Time
}

// Loans yields who has what, by device id. An unknown Person or Device in the
// filter is an error.
func (l *Ledger) Loans(f LoanFilter) iter.Seq2[Loan, error] {
	return func(yield func(Loan, error) bool) {
		loans, err := l.loans(f)
		if err != nil {
			yield(Loan{}, err)
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
func (l *Ledger) loans(f LoanFilter) ([]Loan, error) {
	if f.Now.IsZero() {
		f.Now = time.Now()
	}
	var all []Loan
	err := l.view(func(t *txn) error {
		v := loanView{txn: t, filter: f, clock: times{t: t}, trusted: l.o.Stamp().Trusted, people: map[string]*row{}}
		if f.Person != "" {
			p, err := t.findParty(treePeople, f.Person)
			if err != nil {
				return err
			}
			v.person = p.id
		}
		add := func(id string, r *row) error {
			loan, ok, err := v.loan(id, r)
			if ok {
				all = append(all, loan)
			}
			return err
		}
		if f.Device != "" {
			d, err := t.findParty(treeDevices, f.Device)
			if err != nil {
				return err
			}
			return add(d.id, d.row)
		}
		return t.eachRow(treeDevices, add)
	})
	return all, err
}

// loanView turns rows of devices into loans.
type loanView struct {
	*txn
	filter LoanFilter
	person string // id to keep, or empty
	clock  times
	// trusted is whether the wall clock is right now.
	trusted bool
	people  map[string]*row // those seen so far
}

func (v *loanView) loan(id string, r *row) (loan Loan, ok bool, err error) {
	s := r.loan
	if s.holder == "" || v.person != "" && s.holder != v.person {
		return loan, false, nil
	}
	p, seen := v.people[s.holder]
	if !seen {
		if p, err = v.row(treePeople, s.holder); err != nil {
			return loan, false, err
		}
		if p == nil {
			return loan, false, v.damaged("a loan names %q, who is not in the register", s.holder)
		}
		v.people[s.holder] = p
	}
	loan = Loan{Device: r.name, DeviceID: id, Person: p.name, PersonID: s.holder,
		Station: v.l.names[s.since.station], Kind: r.kind, Group: r.group}
	if loan.Since, loan.ClockTrusted, err = v.clock.wall(s.at); err != nil {
		return loan, false, err
	}
	if s.length > 0 {
		loan.Due = loan.Since.Add(s.length)
		// A clock that is right now says nothing about a loan from when it was
		// not; two times of the same doubtful clock can be compared.
		comparable := loan.ClockTrusted || !v.trusted
		loan.Overdue = comparable && v.filter.Now.After(loan.Due)
	}
	if r.pending {
		loan.DeviceID, loan.Pending, loan.Note = "", true, pendingNote(loan.Note, "device", r.mask)
	}
	if p.pending {
		loan.PersonID, loan.Pending, loan.Note = "", true, pendingNote(loan.Note, "badge", p.mask)
	}
	return loan, loan.Overdue || !v.filter.Overdue, nil
}

// pendingNote adds a masked number to a note.
func pendingNote(note, what, mask string) string {
	if note != "" {
		note += ", "
	}
	return note + what + " " + mask
}
