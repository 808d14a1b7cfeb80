package ledger

import (
	"bytes"
	"encoding/hex"
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/record"
)

// ownerBody is the body of a tags row: the tree, then the id.
func ownerBody(tr record.Tree, id string) []byte { return append([]byte{byte(tr)}, id...) }

// owner returns whose a tag is; the tree of the party is 0 when nobody's. It
// tries the keys before the current one too.
func (t *txn) owner(tag checkout.Tag) (party, error) {
	for i := range t.l.keys.Lookups {
		who, err := t.ownerByLookup(t.l.keys.Find(tag, i))
		if err != nil || who.tree != 0 {
			if err == nil && i > 0 && t.tx.Writable() {
				err = t.setTag(&who, tag) // enrolled under an old key
			}
			return who, err
		}
	}
	return party{}, nil
}

func (t *txn) ownerByLookup(lookup []byte) (party, error) {
	b, err := t.get(record.TreeTags, lookup)
	if b == nil || err != nil {
		return party{}, err
	}
	if len(b) < 2 || kindOf(record.Tree(b[0])) == checkout.Unknown {
		return party{}, t.damaged("the owner of a tag")
	}
	p := party{tree: record.Tree(b[0]), id: string(b[1:])}
	if p.row, err = t.row(p.tree, p.id); err != nil {
		return party{}, err
	}
	if p.row == nil || !bytes.Equal(p.row.Lookup, lookup) {
		return party{}, t.damaged("a tag is said to be that of %s %q, who does not have it", kindOf(p.tree), p.id)
	}
	return p, nil
}

// setTag gives tag to p, in place of the one that p has, and writes the row.
// The caller has made sure that it is nobody else's.
func (t *txn) setTag(p *party, tag checkout.Tag) error {
	if err := t.dropTag(p); err != nil {
		return err
	}
	lookup := t.l.keys.Find(tag, 0)
	p.row.Lookup, p.row.Mask = lookup, t.l.o.Mask(tag)
	// A device's tag opens nothing: it is kept, so that the register can be exported.
	if t.l.o.SealTags || p.row.Pending || p.tree == record.TreeDevices {
		p.row.Sealed = t.l.keys.Seal(tag)
	}
	if err := t.put(record.TreeTags, lookup, ownerBody(p.tree, p.id)); err != nil {
		return err
	}
	if err := t.delete(record.TreeUnknown, lookup); err != nil {
		return err
	}
	return t.putRow(p.tree, p.id, p.row)
}

// dropTag takes p's tag away; the caller writes the row.
func (t *txn) dropTag(p *party) error {
	if p.row.Lookup == nil {
		return nil
	}
	if err := t.delete(record.TreeTags, p.row.Lookup); err != nil {
		return err
	}
	p.row.Lookup, p.row.Sealed, p.row.Mask = nil, nil, ""
	return nil
}

// addPending makes a row for a tag that nobody knows yet. A tag that was pending
// before, turned out to be somebody's and was replaced is nobody's again: it gets
// another ID than then, whose history is that of its owner.
func (t *txn) addPending(tr record.Tree, tag checkout.Tag) (party, error) {
	id := checkout.PendingPrefix + hex.EncodeToString(t.l.keys.Find(tag, 0))
	for n := 2; ; n++ {
		r, err := t.row(tr, id)
		if err != nil {
			return party{}, err
		}
		if r == nil {
			break
		}
		id = fmt.Sprintf("%s%x-%d", checkout.PendingPrefix, t.l.keys.Find(tag, 0), n)
	}
	p := party{tr, id, &record.Row{Pending: true}}
	return p, t.setTag(&p, tag)
}

// Subject returns what the register says of a tag. A tag that nobody has is of
// kind Unknown, unless it was recorded before as pending.
func (l *Ledger) Subject(tag checkout.Tag) (checkout.Subject, error) {
	s := checkout.Subject{Tag: tag}
	err := l.viewForTap(func(t *txn) error {
		p, err := t.owner(tag)
		if err != nil || p.tree == 0 {
			return err
		}
		s.Kind, s.ID, s.Name = kindOf(p.tree), p.id, p.row.Name
		s.Status, s.Pending = p.row.Status, p.row.Pending
		if s.Holder = p.row.Loan.Holder; s.Holder == "" {
			return nil
		}
		s.HolderName, err = t.holderName(s.Holder)
		return err
	})
	return s, err
}

// EnrolPerson gives a tag to a person, in place of the one they have. A
// pending tag becomes theirs with all its bumps. Errors: *TagTakenError.
func (l *Ledger) EnrolPerson(ref string, tag checkout.Tag, actor string, source checkout.Source) (checkout.Event, error) {
	return l.enrol(record.TreePeople, ref, tag, actor, source)
}

// EnrolDevice gives a tag to a device, as EnrolPerson does to a person. The
// device keeps its history.
func (l *Ledger) EnrolDevice(ref string, tag checkout.Tag, actor string, source checkout.Source) (checkout.Event, error) {
	return l.enrol(record.TreeDevices, ref, tag, actor, source)
}

// Resolve says whose a pending tag is; what was recorded under the tag is now
// theirs, in its order. It is EnrolPerson or EnrolDevice by the kind of the
// pending tag.
func (l *Ledger) Resolve(tag checkout.Tag, id string) (checkout.Event, error) {
	s, err := l.Subject(tag)
	if err != nil {
		return checkout.Event{}, err
	}
	if !s.Pending {
		return checkout.Event{}, fmt.Errorf("%w: the tag %s is not pending", checkout.ErrRefused, tag)
	}
	tr := record.TreePeople
	if s.Kind == checkout.KindDevice {
		tr = record.TreeDevices
	}
	return l.enrol(tr, id, tag, "directory", checkout.SourceSync)
}

func (l *Ledger) enrol(tr record.Tree, ref string, tag checkout.Tag, actor string, source checkout.Source) (checkout.Event, error) {
	ev := record.Event{Event: checkout.Event{Actor: actor, Source: source}}
	err := l.update(func(t *txn) error {
		p, err := t.findParty(tr, ref)
		if err != nil {
			return err
		}
		return t.enrol(&ev, p, tag)
	})
	if err != nil {
		return checkout.Event{}, err
	}
	return ev.Event, nil
}

// enrol gives tag to p and appends the event.
func (t *txn) enrol(ev *record.Event, p party, tag checkout.Tag) error {
	if tag.IsZero() {
		return fmt.Errorf("no tag to give to %s %q", kindOf(p.tree), p.id)
	}
	if p.row.Status == checkout.Retired {
		return refused(p, "")
	}
	was, err := t.owner(tag)
	if err != nil {
		return err
	}
	ev.Kind = checkout.Enrol
	switch {
	case was.tree == 0:
	case was.row.Pending && was.tree == p.tree:
		if err := t.takeOver(ev, &p, &was); err != nil {
			return err
		}
	case was.tree == p.tree && was.id == p.id:
		// The same tag again: an event, but nothing changes.
	case was.row.Status == checkout.Retired && !was.row.Pending:
		// Badges of leavers and stickers of scrapped devices are given out again.
		if err := t.dropTag(&was); err != nil {
			return err
		}
		if err := t.putRow(was.tree, was.id, was.row); err != nil {
			return err
		}
	default:
		return &checkout.TagTakenError{Tag: tag, Shown: t.l.o.Mask(tag),
			Owner: was.id, OwnerKind: kindOf(was.tree), Wanted: p.id, WantedKind: kindOf(p.tree)}
	}
	if err := t.setTag(&p, tag); err != nil {
		return err
	}
	if p.tree == record.TreePeople {
		return t.append(ev, &p, nil)
	}
	return t.append(ev, nil, &p)
}

// takeOver turns ev into the resolution of the pending tag was, which is p's.
func (t *txn) takeOver(ev *record.Event, p, was *party) error {
	t.tx.OnCommit(t.l.changes.tell) // rows of the outbox may go now
	ev.Kind, ev.Resolved, ev.Links.Resolved = checkout.Resolve, was.id, was.row.Head
	was.row.Resolved = p.id
	if was.tree == record.TreePeople {
		ev.PersonTag = was.row.Mask
	}
	if was.tree == record.TreeDevices {
		ev.DeviceTag = was.row.Mask
		p.row.Loan = newer(p.row.Loan, was.row.Loan)
		was.row.Loan = record.Loan{}
	}
	if err := t.dropTag(was); err != nil {
		return err
	}
	if err := t.putRow(was.tree, was.id, was.row); err != nil {
		return err
	}
	if was.tree == record.TreeDevices {
		return nil
	}
	var held []party
	err := t.eachRow(record.TreeDevices, func(id string, r *record.Row) error {
		if r.Loan.Holder == was.id {
			held = append(held, party{record.TreeDevices, id, r})
		}
		return nil
	})
	for _, d := range held {
		if err == nil {
			d.row.Loan.Holder = p.id
			err = t.putRow(record.TreeDevices, d.id, d.row)
		}
	}
	return err
}

// newer is the later of two loans of what turned out to be one device.
func newer(s, o record.Loan) record.Loan {
	if o.Since.Compare(s.Since) > 0 {
		return o
	}
	return s
}

// TagNumber returns the tag of a person or device, where its number is kept
// (Options.SealTags, a pending tag, or that of a device).
func (l *Ledger) TagNumber(kind checkout.SubjectKind, id string) (checkout.Tag, error) {
	tr := record.TreePeople
	if kind == checkout.KindDevice {
		tr = record.TreeDevices
	}
	var tag checkout.Tag
	err := l.view(func(t *txn) error {
		r, err := t.row(tr, id)
		if err != nil {
			return err
		}
		if r == nil || r.Sealed == nil {
			return fmt.Errorf("the tag number of %s %q is not kept", kind, id)
		}
		tag, err = l.keys.Unseal(r.Lookup, r.Sealed)
		return err
	})
	return tag, err
}

// Pending lists the tags that wait for the directory to know them, with their
// numbers.
func (l *Ledger) Pending() ([]checkout.Subject, error) {
	var all []checkout.Subject
	err := l.view(func(t *txn) error {
		for _, tr := range []record.Tree{record.TreePeople, record.TreeDevices} {
			err := t.each(tr, []byte(checkout.PendingPrefix), func(k, v []byte) error {
				r, err := record.DecodeRow(v)
				if err != nil || r.Resolved != "" || r.Sealed == nil {
					return err // without its number nobody can be asked about it
				}
				tag, err := l.keys.Unseal(r.Lookup, r.Sealed)
				all = append(all, checkout.Subject{Kind: kindOf(tr), ID: string(k), Tag: tag, Pending: true})
				return err
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}
