package ledger

import (
	"stump/checkout"
	"stump/checkout/ledger/record"
)

// A kit is a device that others belong to: their group is its id. Who bumps
// the kit, by the tag on its case, takes or returns everything in it, in one
// transaction with an event for each device. A device of a kit can also be
// bumped by itself.

// moveKit does with the devices of a kit what was done with the kit. Those that
// are lost, retired or with somebody else stay where they are; who took
// the kit sees in the list of loans what was in it.
func (t *txn) moveKit(like, kit record.Event, person, device party) {
	if !t.kits()[device.id] {
		return
	}
	holder := kit.Person // of the members that move
	if kit.From != "" {
		holder = kit.From
	}
	policy := checkout.PolicyHandover
	if kit.Kind == checkout.Return {
		policy = checkout.PolicyReturn
	}
	for _, m := range t.rowsWhere(record.TreeDevices, func(id string, r *record.Row) bool {
		return r.Group == device.id && id != device.id && r.Status == checkout.Active && !r.Loan.Lost
	}) {
		with := m.row.Loan.Holder
		if with == holder && kit.Kind != checkout.Checkout || with == "" && kit.Kind != checkout.Return {
			// The row of the person has a newer head by now.
			ev := like
			t.move(&ev, party{record.TreePeople, person.id, t.row(record.TreePeople, person.id)}, m, policy)
		}
	}
}

// kits are the groups that devices belong to. They are looked for once, since
// a tap must not take longer the more devices there are.
func (t *txn) kits() map[string]bool {
	if t.l.kits == nil {
		kits := map[string]bool{}
		t.eachRow(record.TreeDevices, func(_ string, r *record.Row) { kits[r.Group] = r.Group != "" })
		t.l.kits = kits
	}
	return t.l.kits
}
