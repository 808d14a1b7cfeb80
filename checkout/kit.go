package checkout

// A kit is a device that others belong to: their group is its id. Who bumps
// the kit, by the tag on its case, takes or returns everything in it, in one
// transaction with an event for each device. A device of a kit can also be
// bumped by itself.

// moveKit does with the devices of a kit what was done with the kit. Those that
// are lost, retired or with somebody else stay where they are; who took
// the kit sees in the list of loans what was in it.
func (t *txn) moveKit(like, kit stored, person, device party) error {
	if kits, err := t.kits(); err != nil || !kits[device.id] {
		return err
	}
	var members []party
	err := t.eachRow(treeDevices, func(id string, r *row) error {
		if r.group == device.id && id != device.id && r.status == Active && !r.loan.lost {
			members = append(members, party{treeDevices, id, r})
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
		with := m.row.loan.holder
		if kit.Kind == Checkout && with != "" || kit.Kind == Handover && with != holder && with != "" || kit.Kind == Return && with != holder {
			continue
		}
		// The row of the person has a newer head by now.
		p, err := t.row(treePeople, person.id)
		if err != nil {
			return err
		}
		ev := like
		policy := PolicyHandover
		if kit.Kind == Return {
			policy = PolicyReturn
		}
		if err := t.move(&ev, party{treePeople, person.id, p}, m, policy); err != nil {
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
	err := t.eachRow(treeDevices, func(_ string, r *row) error {
		if r.group != "" {
			kits[r.group] = true
		}
		return nil
	})
	if err == nil {
		t.l.kits = kits
	}
	return kits, err
}
