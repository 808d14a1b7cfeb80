package ledger

import (
	"stump/checkout"
	"stump/checkout/ledger/record"
)

// A kit is a device that others belong to: their group is its id. A bump of the kit, by
// the tag on its case, takes or returns everything in it, in one transaction with an
// event for each device. A device of a kit can also be bumped alone.

// moveKit moves the devices of a kit as the kit was moved. Devices that are lost, retired
// or with another person stay where they are; the list of loans shows what was in the
// kit.
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
		return r.Kit == device.id && id != device.id && r.Status == checkout.Active && !r.Loan.Lost
	}) {
		with := m.row.Loan.Holder
		if with == holder && kit.Kind != checkout.Checkout || with == "" && kit.Kind != checkout.Return {
			// Read the person again, since each event changes the head of their history.
			ev := like
			t.move(&ev, party{record.TreePeople, person.id, t.row(record.TreePeople, person.id)}, m, policy)
		}
	}
}

// kits returns the groups that devices belong to. It reads all devices once and caches
// the result, since a tap must not take longer the more devices there are.
func (t *txn) kits() map[string]bool {
	if t.l.kits == nil {
		kits := map[string]bool{}
		t.eachRow(record.TreeDevices, func(_ string, r *record.Row) { kits[r.Kit] = r.Kit != "" })
		t.l.kits = kits
	}
	return t.l.kits
}
