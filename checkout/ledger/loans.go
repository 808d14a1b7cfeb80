package ledger

import (
	"iter"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/bootclock"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// Loans yields who has what at one moment, sorted by device id. An unknown Person or
// Device in the filter is an error.
func (l *Ledger) Loans(f books.LoanFilter) iter.Seq2[books.Loan, error] {
	if f.Now.IsZero() {
		f.Now = time.Now()
	}
	return list(l, record.TreeDevices, f.Page, func(t *txn) (only string, _ func(party) (books.Loan, bool)) {
		v := loanView{txn: t, filter: f, clock: t.times(), trusted: l.o.Stamp().Trusted, people: map[string]*record.Row{}, boxes: map[string]party{}}
		if f.Person != "" {
			v.person = t.find(record.TreePeople, f.Person).id
		}
		if f.Device != "" {
			only = t.find(record.TreeDevices, f.Device).id
		}
		return only, func(d party) (books.Loan, bool) {
			loan, ok := v.loan(d.id, d.row)
			return loan.At(d.id), ok && f.Finds(loan.Device, loan.DeviceID, loan.Person, loan.PersonID)
		}
	})
}

// loansNow sees all loans.
func (t *txn) loansNow() *loanView {
	now := t.l.o.Stamp()
	return &loanView{txn: t, filter: books.LoanFilter{Now: now.Wall}, clock: t.times(), trusted: now.Trusted, people: map[string]*record.Row{}}
}

// loanView turns rows of devices into loans.
type loanView struct {
	*txn
	filter books.LoanFilter
	person string // id to keep, or empty
	clock  *bootclock.Times
	// trusted is whether the wall clock is right now.
	trusted bool
	people  map[string]*record.Row // those seen so far
	boxes   map[string]party       // the same of kits
}

func (v *loanView) loan(id string, r *record.Row) (loan books.Loan, ok bool) {
	s := r.Loan
	if s.Holder == "" || v.person != "" && s.Holder != v.person {
		return loan, false
	}
	p := v.people[s.Holder]
	if p == nil {
		p = v.lookHolder(s.Holder)
		v.people[s.Holder] = p
	}
	loan = books.Loan{Device: r.Name, DeviceID: id, Person: p.Name, PersonID: s.Holder,
		Station: s.Station, Kind: r.Kind, Doubtful: s.Mark == checkout.MarkDoubtful || r.LabDoubt}
	v.inKit(&loan, party{record.TreeDevices, id, r})
	if v.l.old != nil { // schema 1 has no labels in its rows
		loan.Station = v.l.old.Chains[s.Since.Chain].Name
	}
	loan.Since, loan.ClockTrusted = v.clock.Wall(s.At)
	since, known := v.clock.Began(s)
	loan.Began, loan.Meant, loan.Told, loan.Stage = v.place(s.Since), since, v.place(s.Told), s.Stage
	if s.Changed.Seq != 0 {
		loan.Meant, _ = v.clock.Wall(v.event(s.Changed).At)
	}
	if known && !loan.ClockTrusted {
		loan.Before = since
	}
	if s.Length > 0 {
		loan.Due = since.Truncate(time.Second).Add(s.Length) // as it was said
		// The time now can't be compared with one from a clock that was wrong then,
		// unless the clock is still the same.
		if known || !v.trusted {
			loan.Overdue = v.filter.Now.After(loan.Due)
			loan.DueSoon = !loan.Overdue && !loan.Due.After(v.filter.Now.Add(books.Soon))
		}
	}
	if r.Pending {
		loan.DeviceID, loan.DeviceTag = "", r.Mask
	}
	if p.Pending {
		loan.PersonID, loan.PersonTag = "", p.Mask
	}
	f := v.filter
	if f.Missing && !loan.Missing {
		return loan, false
	}
	return loan, loan.Overdue && f.Overdue || loan.DueSoon && f.DueSoon || !f.Overdue && !f.DueSoon
}

// inKit says of a loan whether the device was taken with its kit, and is missing from it.
func (v *loanView) inKit(loan *books.Loan, p party) {
	id := p.row.Loan.Kit
	if id == "" || id != p.row.Kit {
		return
	}
	box, seen := v.boxes[id]
	if !seen {
		if box = v.known(record.TreeDevices, id); v.boxes != nil {
			v.boxes[id] = box
		}
	}
	if box.tree != 0 {
		loan.Kit, loan.Missing = id, p.missing(box)
	}
}
