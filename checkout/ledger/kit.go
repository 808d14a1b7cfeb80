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
func (t *txn) moveKit(like, kit record.Event, person, device party) error {
	if kits, err := t.kits(); err != nil || !kits[device.id] {
		return err
	}
	var members []party
	err := t.eachRow(record.TreeDevices, func(id string, r *record.Row) error {
		if r.Group == device.id && id != device.id && r.Status == checkout.Active && !r.Loan.Lost {
			members = append(members, party{record.TreeDevices, id, r})
		}
		return nil
	})
	if err != nil {
		return err
	}
	holder := kit.Person // of the members that move
	if kit.From != "" {
		holder = kit.From
	}
	for _, m := range members {
		with := m.row.Loan.Holder
		if kit.Kind == checkout.Checkout && with != "" || kit.Kind == checkout.Handover && with != holder && with != "" || kit.Kind == checkout.Return && with != holder {
			continue
		}
		// The row of the person has a newer head by now.
		p, err := t.row(record.TreePeople, person.id)
		if err != nil {
			return err
		}
		ev := like
		policy := checkout.PolicyHandover
		if kit.Kind == checkout.Return {
			policy = checkout.PolicyReturn
		}
		if err := t.move(&ev, party{record.TreePeople, person.id, p}, m, policy); err != nil {
			return err
		}
	}
	return nil
}

// kits are the groups that devices belong to. They are looked for once, since
// a tap must not take longer the more devices there are.
func (t *txn) kits() (map[string]bool, error) {
	if t.l.kits != nil {
		return t.l.kits, nil
	}
	kits := map[string]bool{}
	err := t.eachRow(record.TreeDevices, func(_ string, r *record.Row) error {
		if r.Group != "" {
			kits[r.Group] = true
		}
		return nil
	})
	if err == nil {
		t.l.kits = kits
	}
	return kits, err
}
