package checkout

import (
	"bytes"
	"encoding/hex"
	"fmt"
)

// ownerBody is the body of a tags row: the tree, then the id.
func ownerBody(tr tree, id string) []byte { return append([]byte{byte(tr)}, id...) }

// owner returns whose a tag is; the tree of the party is 0 when nobody's. It
// tries the keys before the current one too.
func (t *txn) owner(tag Tag) (party, error) {
	for i := range t.l.keys.lookups {
		who, err := t.ownerByLookup(t.l.keys.find(tag, i))
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
	b, err := t.get(treeTags, lookup)
	if b == nil || err != nil {
		return party{}, err
	}
	if len(b) < 2 || kindOf(tree(b[0])) == Unknown {
		return party{}, t.damaged("the owner of a tag")
	}
	p := party{tree: tree(b[0]), id: string(b[1:])}
	if p.row, err = t.row(p.tree, p.id); err != nil {
		return party{}, err
	}
	if p.row == nil || !bytes.Equal(p.row.lookup, lookup) {
		return party{}, t.damaged("a tag is said to be that of %s %q, who does not have it", kindOf(p.tree), p.id)
	}
	return p, nil
}

// setTag gives tag to p, in place of the one that p has, and writes the row.
// The caller has made sure that it is nobody else's.
func (t *txn) setTag(p *party, tag Tag) error {
	if err := t.dropTag(p); err != nil {
		return err
	}
	lookup := t.l.keys.find(tag, 0)
	p.row.lookup, p.row.mask = lookup, t.l.o.Mask(tag)
	// A device's tag opens nothing: it is kept, so that the register can be exported.
	if t.l.o.SealTags || p.row.pending || p.tree == treeDevices {
		p.row.sealed = t.l.keys.seal(tag)
	}
	if err := t.put(treeTags, lookup, ownerBody(p.tree, p.id)); err != nil {
		return err
	}
	if err := t.delete(treeUnknown, lookup); err != nil {
		return err
	}
	return t.putRow(p.tree, p.id, p.row)
}

// dropTag takes p's tag away; the caller writes the row.
func (t *txn) dropTag(p *party) error {
	if p.row.lookup == nil {
		return nil
	}
	if err := t.delete(treeTags, p.row.lookup); err != nil {
		return err
	}
	p.row.lookup, p.row.sealed, p.row.mask = nil, nil, ""
	return nil
}

// addPending makes a row for a tag that nobody knows yet. A tag that was pending
// before, turned out to be somebody's and was replaced is nobody's again: it gets
// another ID than then, whose history is that of its owner.
func (t *txn) addPending(tr tree, tag Tag) (party, error) {
	id := pendingPrefix + hex.EncodeToString(t.l.keys.find(tag, 0))
	for n := 2; ; n++ {
		r, err := t.row(tr, id)
		if err != nil {
			return party{}, err
		}
		if r == nil {
			break
		}
		id = fmt.Sprintf("%s%x-%d", pendingPrefix, t.l.keys.find(tag, 0), n)
	}
	p := party{tr, id, &row{pending: true}}
	return p, t.setTag(&p, tag)
}

// Subject returns what the register says of a tag. A tag that nobody has is of
// kind Unknown, unless it was recorded before as pending.
func (l *Ledger) Subject(tag Tag) (Subject, error) {
	s := Subject{Tag: tag}
	err := l.viewForTap(func(t *txn) error {
		p, err := t.owner(tag)
		if err != nil || p.tree == 0 {
			return err
		}
		s.Kind, s.ID, s.Name = kindOf(p.tree), p.id, p.row.name
		s.Status, s.Pending = p.row.status, p.row.pending
		if s.Holder = p.row.loan.holder; s.Holder == "" {
			return nil
		}
		s.HolderName, err = t.holderName(s.Holder)
		return err
	})
	return s, err
}

// EnrolPerson gives a tag to a person, in place of the one they have. A
// pending tag becomes theirs with all its bumps. Errors: *TagTakenError.
func (l *Ledger) EnrolPerson(ref string, tag Tag, actor string, source Source) (Event, error) {
	return l.enrol(treePeople, ref, tag, actor, source)
}

// EnrolDevice gives a tag to a device, as EnrolPerson does to a person. The
// device keeps its history.
func (l *Ledger) EnrolDevice(ref string, tag Tag, actor string, source Source) (Event, error) {
	return l.enrol(treeDevices, ref, tag, actor, source)
}

// Resolve says whose a pending tag is; what was recorded under the tag is now
// theirs, in its order. It is EnrolPerson or EnrolDevice by the kind of the
// pending tag.
func (l *Ledger) Resolve(tag Tag, id string) (Event, error) {
	s, err := l.Subject(tag)
	if err != nil {
		return Event{}, err
	}
	if !s.Pending {
		return Event{}, fmt.Errorf("%w: the tag %s is not pending", ErrRefused, tag)
	}
	tr := treePeople
	if s.Kind == KindDevice {
		tr = treeDevices
	}
	return l.enrol(tr, id, tag, "directory", SourceSync)
}

// TagTakenError says that a tag is somebody else's.
type TagTakenError struct {
	Tag        Tag
	Shown      string // what is shown of the tag
	Owner      string // id
	OwnerKind  SubjectKind
	Wanted     string // id of who should have got it
	WantedKind SubjectKind
}

func (e *TagTakenError) Error() string {
	return fmt.Sprintf("the tag %s can't be given to %s %q: it is that of %s %q", e.Shown, e.WantedKind, e.Wanted, e.OwnerKind, e.Owner)
}

func (l *Ledger) enrol(tr tree, ref string, tag Tag, actor string, source Source) (Event, error) {
	ev := stored{Event: Event{Actor: actor, Source: source}}
	err := l.update(func(t *txn) error {
		p, err := t.findParty(tr, ref)
		if err != nil {
			return err
		}
		return t.enrol(&ev, p, tag)
	})
	if err != nil {
		return Event{}, err
	}
	return ev.Event, nil
}

// enrol gives tag to p and appends the event.
func (t *txn) enrol(ev *stored, p party, tag Tag) error {
	if tag.IsZero() {
		return fmt.Errorf("no tag to give to %s %q", kindOf(p.tree), p.id)
	}
	if p.row.status == Retired {
		return refused(p, "")
	}
	was, err := t.owner(tag)
	if err != nil {
		return err
	}
	ev.Kind = Enrol
	switch {
	case was.tree == 0:
	case was.row.pending && was.tree == p.tree:
		if err := t.takeOver(ev, &p, &was); err != nil {
			return err
		}
	case was.tree == p.tree && was.id == p.id:
		// The same tag again: an event, but nothing changes.
	case was.row.status == Retired && !was.row.pending:
		// Badges of leavers and stickers of scrapped devices are given out again.
		if err := t.dropTag(&was); err != nil {
			return err
		}
		if err := t.putRow(was.tree, was.id, was.row); err != nil {
			return err
		}
	default:
		return &TagTakenError{tag, t.l.o.Mask(tag), was.id, kindOf(was.tree), p.id, kindOf(p.tree)}
	}
	if err := t.setTag(&p, tag); err != nil {
		return err
	}
	if p.tree == treePeople {
		return t.append(ev, &p, nil)
	}
	return t.append(ev, nil, &p)
}

// takeOver turns ev into the resolution of the pending tag was, which is p's.
func (t *txn) takeOver(ev *stored, p, was *party) error {
	t.tx.OnCommit(t.l.changes.tell) // rows of the outbox may go now
	ev.Kind, ev.resolved, ev.links.resolved = Resolve, was.id, was.row.head
	was.row.resolved = p.id
	if was.tree == treePeople {
		ev.PersonTag = was.row.mask
	}
	if was.tree == treeDevices {
		ev.DeviceTag = was.row.mask
		p.row.loan = newer(p.row.loan, was.row.loan)
		was.row.loan = loanState{}
	}
	if err := t.dropTag(was); err != nil {
		return err
	}
	if err := t.putRow(was.tree, was.id, was.row); err != nil {
		return err
	}
	if was.tree == treeDevices {
		return nil
	}
	var held []party
	err := t.eachRow(treeDevices, func(id string, r *row) error {
		if r.loan.holder == was.id {
			held = append(held, party{treeDevices, id, r})
		}
		return nil
	})
	for _, d := range held {
		if err == nil {
			d.row.loan.holder = p.id
			err = t.putRow(treeDevices, d.id, d.row)
		}
	}
	return err
}

// newer is the later of two loans of what turned out to be one device.
func newer(s, o loanState) loanState {
	if o.since.compare(s.since) > 0 {
		return o
	}
	return s
}

// TagNumber returns the tag of a person or device, where its number is kept
// (Options.SealTags, a pending tag, or that of a device).
func (l *Ledger) TagNumber(kind SubjectKind, id string) (Tag, error) {
	tr := treePeople
	if kind == KindDevice {
		tr = treeDevices
	}
	var tag Tag
	err := l.view(func(t *txn) error {
		r, err := t.row(tr, id)
		if err != nil {
			return err
		}
		if r == nil || r.sealed == nil {
			return fmt.Errorf("the tag number of %s %q is not kept", kind, id)
		}
		tag, err = l.keys.unseal(r.lookup, r.sealed)
		return err
	})
	return tag, err
}

// Pending lists the tags that wait for the directory to know them, with their
// numbers.
func (l *Ledger) Pending() ([]Subject, error) {
	var all []Subject
	err := l.view(func(t *txn) error {
		for _, tr := range []tree{treePeople, treeDevices} {
			err := t.each(tr, []byte(pendingPrefix), func(k, v []byte) error {
				r, err := decodeRow(v)
				if err != nil || r.resolved != "" || r.sealed == nil {
					return err // without its number nobody can be asked about it
				}
				tag, err := l.keys.unseal(r.lookup, r.sealed)
				all = append(all, Subject{Kind: kindOf(tr), ID: string(k), Tag: tag, Pending: true})
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
