package ledger

import (
	"time"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/checkout/loan"
)

// holdings are the devices that people may have: those that they had since it was made, by
// the person's id. A tap must not take longer the more devices there are.
type holdings struct {
	by   map[string]map[string]bool
	size int
	most int // rebuilt when it has grown beyond that
}

// note adds who has a device.
func (h *holdings) note(holder, device string) {
	if holder == "" || h.by[holder][device] {
		return
	}
	if h.by[holder] == nil {
		h.by[holder] = map[string]bool{}
	}
	h.by[holder][device] = true
	h.size++
}

// mayHave returns the ids of all devices that a person may have.
func (t *txn) mayHave(person string) map[string]bool {
	if h := t.l.held; h == nil || h.size > h.most {
		t.l.held = &holdings{by: map[string]map[string]bool{}}
		t.eachRow(record.TreeDevices, func(id string, r *record.Row) { t.l.held.note(r.Loan.Holder, id) })
		t.l.held.most = 2*t.l.held.size + 1000
	}
	return t.l.held.by[person]
}

// overdue is the name of the device that a person should have brought back the longest ago;
// "" for none, and while the time is not known.
func (t *txn) overdue(person party) string {
	now := t.l.o.Stamp()
	if !now.Trusted {
		return ""
	}
	v := t.loansNow()
	v.filter.Overdue, v.person = true, person.id
	name, since := "", time.Time{}
	for id := range t.mayHave(person.id) {
		d := t.known(record.TreeDevices, id)
		if d == nobody || t.withKit(d) {
			continue
		}
		if l, late := v.loan(id, d.row); late && (name == "" || l.Due.Before(since)) {
			name, since = d.name(), l.Due
		}
	}
	return name
}

// against is what the rules say against it that a person takes a device.
func (t *txn) against(person, device party) checkout.Why {
	wish := loan.Wish{Kind: device.row.Kind, Groups: person.groups(), Unknown: person.row.Pending}
	if wish.Out = device.row.Out; wish.Out != "" {
		wish.Today = t.today()
	}
	if t.l.o.Loans.Counts(wish.Kind) {
		wish.Has = map[string]int{}
		for id := range t.mayHave(person.id) {
			if d := t.known(record.TreeDevices, id); d != nobody && d.row.Loan.Holder == person.id && !t.withKit(d) {
				wish.Has[d.row.Kind]++
			}
		}
	}
	return t.l.o.Loans.May(wish)
}

// groups are those of a person, by anybody's word.
func (p party) groups() checkout.Groups {
	if p.row == nil {
		return ""
	}
	return p.row.Groups.And(p.row.RefGroups)
}

// mayBorrow refuses what the rules of loans don't allow, and notes in the event what somebody
// has overdue who takes another device.
func (t *txn) mayBorrow(ev *record.Event, person, device party, c checkout.Completion) {
	kind, ok := checkout.Decide(c.Policy, person.id, device.row.Loan.Holder)
	if !ok || kind == checkout.Return {
		return
	}
	if why := t.against(person, device); why != (checkout.Why{}) {
		s := checkout.Subject{Kind: checkout.KindDevice, ID: device.id, Name: device.name()}
		t.fail(&checkout.RefusedError{Subject: s, Why: why, Whom: person.name()})
	}
	if c.Overdue == "" {
		return
	}
	ev.Overdue = t.overdue(person)
	if ev.Overdue != "" && c.Overdue == checkout.OverdueRefuse {
		t.fail(&checkout.RefusedError{Subject: checkout.Subject{Kind: checkout.KindPerson, ID: person.id, Name: person.name()}, Overdue: ev.Overdue})
	}
}
