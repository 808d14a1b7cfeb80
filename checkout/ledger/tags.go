package ledger

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// ownerBody is the body of a row of the tags tree: the tree, then the id.
func ownerBody(tr record.Tree, id string) []byte { return append([]byte{byte(tr)}, id...) }

// whose returns the person or device of a row that holds a tag: itself, or for a badge
// beside the first its person.
func (t *txn) whose(p party) party {
	if p.tree == 0 || p.row.Resolved == "" {
		return p
	}
	return t.known(p.tree, p.row.Resolved)
}

// holding returns the row that holds a tag, or nobody. It also tries the site keys
// before the current one.
func (t *txn) holding(tag checkout.Tag) party {
	for i := range t.l.keys.Lookups {
		who := t.ownerByLookup(t.l.keys.Find(tag, i))
		if who.tree == 0 {
			continue
		}
		if i > 0 && t.tx.Writable() {
			t.setTag(who, tag) // enrolled under an old key
		}
		return who
	}
	return nobody
}

func (t *txn) ownerByLookup(lookup []byte) party {
	b := t.get(record.TreeTags, lookup)
	if b == nil {
		return nobody
	}
	if len(b) < 2 || record.Tree(b[0]).Kind() == checkout.Unknown {
		t.damaged("the owner of a tag")
	}
	p := party{tree: record.Tree(b[0]), id: string(b[1:])}
	p.row = t.row(p.tree, p.id)
	if p.row == nil || !bytes.Equal(p.row.Lookup, lookup) {
		t.damaged("a tag belongs to %s %q, whose row has another", p.kind(), p.id)
	}
	return p
}

// setTag replaces the tag of p and writes the row. The caller has checked that no one
// else has the tag.
func (t *txn) setTag(p party, tag checkout.Tag) {
	t.dropTag(p)
	lookup := t.l.keys.Find(tag, 0)
	p.row.Lookup, p.row.Mask = lookup, t.l.o.Mask(tag)
	// A device's tag opens no doors. It is kept so that the register can be exported.
	if t.l.o.SealTags || p.row.Pending && p.row.Resolved == "" || p.tree == record.TreeDevices {
		p.row.Sealed = t.l.keys.Seal(tag)
	}
	t.put(record.TreeTags, lookup, ownerBody(p.tree, p.id))
	t.delete(record.TreeUnknown, lookup)
	t.save(p)
}

// dropTag removes the tag of p, if it has one, and writes the row.
func (t *txn) dropTag(p party) {
	if p.row.Lookup == nil {
		return
	}
	t.delete(record.TreeTags, p.row.Lookup)
	p.row.Lookup, p.row.Sealed, p.row.Mask = nil, nil, ""
	if p.row.Resolved != "" && p.row.Head.Seq == 0 {
		t.delete(p.tree, []byte(p.id)) // no event needs the row
		return
	}
	t.save(p)
}

// newPending makes a row for a tag; resolved is whose it is, if that is known. If the tag
// had such a row before, it gets a new ID, since the old ID's history belongs to its
// owner.
func (t *txn) newPending(tr record.Tree, lookup []byte, resolved string) party {
	id := checkout.PendingPrefix + hex.EncodeToString(lookup)
	for first, n := id, 2; t.row(tr, id) != nil; n++ {
		id = fmt.Sprintf("%s-%d", first, n)
	}
	return party{tr, id, &record.Row{Pending: true, Resolved: resolved}}
}

// Subject returns what the register knows about a tag. A tag without an owner has the
// kind Unknown, unless it is pending.
func (l *Ledger) Subject(tag checkout.Tag) (checkout.Subject, error) {
	s := checkout.Subject{Tag: tag}
	err := l.viewForTap(func(t *txn) {
		has := t.holding(tag)
		if p := t.whose(has); p.tree != 0 {
			t.tell(&s, p)
			s.Status = max(s.Status, has.row.Status)
		}
	})
	return s, err
}

// Scanned returns what the register knows about the device with an id, as its tag would be
// looked up. Of one without a tag, [checkout.NoTag] stands for it. If no device has the id,
// the kind is Unknown.
func (l *Ledger) Scanned(id string) (s checkout.Subject, err error) {
	err = l.viewForTap(func(t *txn) {
		p := t.known(record.TreeDevices, id)
		if p.tree == 0 || p.row.Pending {
			return
		}
		if s.Tag = checkout.NoTag(id); p.row.Sealed != nil {
			s.Tag = t.unseal(p.row)
		}
		t.tell(&s, p)
	})
	return s, err
}

// tell notes what the register knows about p.
func (t *txn) tell(s *checkout.Subject, p party) {
	s.Kind, s.ID, s.Name, s.Status, s.Pending = p.kind(), p.id, p.row.Name, p.row.Status, p.row.Pending
	if s.Holder = p.row.Loan.Holder; s.Holder != "" {
		s.HolderName = t.holderName(s.Holder)
	}
	if t.out(p.row) {
		s.Against = checkout.Why{Out: p.row.Out, Today: t.today()}
	}
	s.Doubtful = p.row.Loan.Mark == checkout.MarkDoubtful || p.row.LabDoubt
	if p.tree == record.TreeDevices && booking.In(t.tx).Any() {
		var err error
		s.ReservedBy, s.ReservedFrom, err = t.bookings().Next(p.id, t.usual(p.row.Kind, "", t.l.o.Stamp()))
		t.must(err)
	}
}

// EnrolPerson gives a tag to a person, beside the badges that they have. A pending tag
// becomes theirs with all its bumps. Errors: *TagTakenError.
func (l *Ledger) EnrolPerson(ref string, tag checkout.Tag, actor string, source checkout.Source) (checkout.Event, error) {
	return l.enrol(record.TreePeople, ref, tag, actor, source)
}

// EnrolDevice gives a tag to a device, in place of its current one. The device keeps
// its history.
func (l *Ledger) EnrolDevice(ref string, tag checkout.Tag, actor string, source checkout.Source) (checkout.Event, error) {
	return l.enrol(record.TreeDevices, ref, tag, actor, source)
}

// Resolve gives a pending tag to its owner, with what was recorded under the tag. It is
// EnrolPerson or EnrolDevice, by the kind of the pending tag.
func (l *Ledger) Resolve(tag checkout.Tag, id string) (checkout.Event, error) {
	s, err := l.Subject(tag)
	if err != nil {
		return checkout.Event{}, err
	}
	if !s.Pending {
		return checkout.Event{}, fmt.Errorf("%w: the tag %s is not pending", checkout.ErrRefused, tag)
	}
	return l.enrol(record.TreeOf(s.Kind), id, tag, "directory", checkout.SourceSync)
}

func (l *Ledger) enrol(tr record.Tree, ref string, tag checkout.Tag, actor string, source checkout.Source) (checkout.Event, error) {
	return l.commitEvent(func(t *txn, ev *record.Event) {
		ev.Actor, ev.Source = actor, source
		t.enrol(ev, t.find(tr, ref), tag, tr == record.TreePeople)
	})
}

// enrol gives tag to p and appends the event. With beside, a person keeps the badge that
// they have; else the tag takes its place.
func (t *txn) enrol(ev *record.Event, p party, tag checkout.Tag, beside bool) {
	if tag.IsZero() {
		t.failf("no tag to give to %s %q", p.kind(), p.id)
	}
	has := t.holding(tag)
	was := t.whose(has)
	t.mayEnrol(p, has, was, tag)
	ev.Kind = checkout.Enrol
	switch {
	case was.tree == 0, was.is(p):
		// The same tag again is an event, but changes nothing.
	case was.row.Pending && was.tree == p.tree:
		t.takeOver(ev, p, was)
	default:
		t.dropTag(has) // badges and stickers are used again
	}
	t.attach(ev, p, tag, beside)
	t.appendFor(ev, p)
}

// mayEnrol ends the transaction if p can't have a tag, which has holds and was owns.
func (t *txn) mayEnrol(p, has, was party, tag checkout.Tag) {
	switch {
	case p.row.Status == checkout.Retired:
		t.refuse(p, "")
	case was.tree == 0:
	case has.row.Status == checkout.LostBadge:
		t.refuseBadge(has)
	case was.is(p), was.row.Pending && was.tree == p.tree:
	case has.row.Status == checkout.OldBadge, was.row.Status == checkout.Retired && !was.row.Pending:
	default:
		t.fail(&books.TagTakenError{Tag: tag, Shown: t.l.o.Mask(tag),
			Owner: was.id, OwnerKind: was.kind(), Wanted: p.id, WantedKind: p.kind()})
	}
}

// untag takes a tag away from p, which is an event. A further badge becomes the first.
func (t *txn) untag(p party, tag checkout.Tag, ev record.Event) {
	has := t.holding(tag)
	if !t.whose(has).is(p) || has.dead() {
		t.fail(hint.Errorf("look whose it is now", "%s does not have this tag any more", p.name()))
	}
	if has.is(p) {
		has = p
	}
	ev.Kind, ev.Note = checkout.Correct, "tag "+has.row.Mask+" taken away"
	t.dropTag(has)
	if p.tree == record.TreePeople {
		t.promote(p)
	}
	t.appendFor(&ev, p)
}

// takeOver makes ev the Resolve event that gives the pending tag was to p.
func (t *txn) takeOver(ev *record.Event, p, was party) {
	t.tx.OnCommit(t.l.changes.Tell) // waiting rows can be sent now
	ev.Kind, ev.Resolved, ev.Links.Resolved = checkout.Resolve, was.id, was.row.Head
	was.row.Resolved = p.id
	if was.tree == record.TreePeople {
		ev.PersonTag = was.row.Mask
		for _, d := range t.heldBy(was.id) {
			d.row.Loan.Holder = p.id
			t.save(d)
		}
	} else {
		ev.DeviceTag = was.row.Mask
		p.row.Loan = p.row.Loan.Newer(was.row.Loan)
		was.row.Loan = record.Loan{}
	}
	t.dropTag(was)
}

// heldBy returns the devices that a person has.
func (t *txn) heldBy(id string) []party {
	return t.rowsWhere(record.TreeDevices, func(_ string, r *record.Row) bool { return r.Loan.Holder == id })
}

// TagNumber returns the tag of a person or device, if its number is kept: with
// Options.SealTags, for devices, and while it is pending.
func (l *Ledger) TagNumber(kind checkout.SubjectKind, id string) (tag checkout.Tag, err error) {
	err = l.view(func(t *txn) {
		for _, p := range t.tagged(t.known(record.TreeOf(kind), id)) {
			if p.row.Sealed != nil && p.row.Status <= checkout.Suspended {
				tag = t.unseal(p.row)
				return
			}
		}
		t.failf("the tag number of %s %q is not kept", kind, id)
	})
	return tag, err
}

func (t *txn) unseal(r *record.Row) checkout.Tag {
	tag, err := t.l.keys.Unseal(r.Lookup, r.Sealed)
	t.must(err)
	return tag
}

// Pending lists the pending tags with their numbers.
func (l *Ledger) Pending() (all []checkout.Subject, err error) {
	err = l.view(func(t *txn) {
		for _, tr := range []record.Tree{record.TreePeople, record.TreeDevices} {
			t.each(tr, []byte(checkout.PendingPrefix), func(k, v []byte) {
				r := t.decodeRow(tr, string(k), v)
				if r.Resolved == "" && r.Sealed != nil { // without its number, the directory can't be asked
					all = append(all, checkout.Subject{Kind: tr.Kind(), ID: string(k), Tag: t.unseal(r), Pending: true})
				}
			})
		}
	})
	return all, err
}
