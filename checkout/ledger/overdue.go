package ledger

import (
	"slices"
	"time"

	"stump/checkout"
	"stump/checkout/kit"
	"stump/checkout/ledger/record"
	"stump/checkout/loan"
)

// mayHave returns the ids of all devices that a person may have.
func (t *txn) mayHave(person string) map[string]bool {
	return t.l.held.Of(person, func() {
		t.eachRow(record.TreeDevices, func(id string, r *record.Row) { t.l.held.Note(r.Loan.Holder, id) })
	})
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

// against is what the rules say against it that a person takes a device with the parts that go
// along, and which of them it is about. A rule about what is out of service keeps no kit back for
// a part: what is in repair is not in it.
func (t *txn) against(person, device party, move kit.Move) (checkout.Why, party) {
	wish := loan.Wish{Kind: device.row.Kind, Groups: person.groups(), Unknown: person.row.Pending}
	if wish.Out = device.row.Out; wish.Out != "" {
		wish.Today = t.today()
	}
	rules := &t.l.o.Loans
	takes := []party{device}
	if len(rules.Needs)+len(rules.Limit) > 0 {
		for _, p := range t.inside(device) {
			if p.ofKit(p.in).Fate(move, kit.Trust) == kit.Goes {
				takes = append(takes, p.party)
			}
		}
	}
	if slices.ContainsFunc(takes, func(p party) bool { return rules.Counts(p.row.Kind) }) {
		wish.Has = map[string]int{}
		for id := range t.mayHave(person.id) {
			if d := t.known(record.TreeDevices, id); d != nobody && d.row.Loan.Holder == person.id {
				if wish.Has[d.row.Kind]++; !t.withKit(d) {
					wish.All++
				}
			}
		}
	}
	for _, p := range takes {
		wish.Kind = p.row.Kind
		if why := rules.May(wish); why != (checkout.Why{}) {
			return why, p
		}
		wish = wish.Take()
		wish.Part, wish.Out = true, ""
	}
	return checkout.Why{}, nobody
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
	if why, of := t.against(person, device, kitMoves[kind]); why != (checkout.Why{}) {
		s := checkout.Subject{Kind: checkout.KindDevice, ID: of.id, Name: of.name()}
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
