package ledger

import (
	"cmp"
	"fmt"
	"iter"
	"slices"

	"stump/checkout"
	"stump/checkout/kit"
	"stump/checkout/ledger/kits"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// A kit is a device that others are parts of: their rows name it. When it changes hands, the
// parts in it do so in the same transaction, with an event for each that names the kit, too.
// A part that went with its kit, and of which nothing else was heard, is in it.

// checks are which parts of kits a pair asks for.
func checks(c checkout.Completion) kit.Check {
	if c.CheckKits && c.CheckUntagged {
		return kit.Every
	} else if c.CheckKits {
		return kit.Tagged
	}
	return kit.Trust
}

// parts are the parts of a kit, by id.
func (t *txn) parts(box string) (all []party) {
	if !kits.Made(t.tx) { // a file that was opened for reading only
		return t.rowsWhere(record.TreeDevices, func(_ string, r *record.Row) bool { return r.Kit == box })
	}
	for _, id := range kits.Parts(t.tx, box) {
		p := t.known(record.TreeDevices, id)
		if p.tree == 0 {
			t.damaged("the kit %q has a part %q, which is not in the register", box, id)
		}
		all = append(all, p)
	}
	return all
}

// inKit reports whether a part is in its kit, as far as is known.
func (p party) inKit(box party) bool {
	is, of := p.row.Loan, box.row.Loan
	return p.took(box) && is.Holder == of.Holder && is.Since.Compare(of.Since) > 0
}

// missing reports whether a part that somebody took with its kit is no longer in it.
func (p party) missing(box party) bool {
	return p.took(box) && !p.inKit(box)
}

// took reports whether somebody has a part who took it with its kit.
func (p party) took(box party) bool {
	return p.row.Loan.Holder != "" && p.row.Loan.Kit == box.id && p.row.Kit == box.id
}

// withKit reports whether a device is in its kit, and so counts as one with it: for what is
// overdue, and for limits of how many somebody may have.
func (t *txn) withKit(p party) bool {
	if p.row.Loan.Kit == "" {
		return false
	}
	box := t.known(record.TreeDevices, p.row.Loan.Kit)
	return box.tree != 0 && p.inKit(box)
}

// ofKit is what the rules of kits need to know of a part.
func (p party) ofKit(in bool) kit.Part {
	r := p.row
	return kit.Part{Retired: r.Status != checkout.Active, Lost: r.Loan.Lost, Held: r.Loan.Holder != "", In: in, Tagged: r.Lookup != nil}
}

// kitMoves are what events are for a kit.
var kitMoves = map[checkout.Kind]kit.Move{checkout.Checkout: kit.Out, checkout.Handover: kit.On, checkout.Return: kit.Back}

// moveKit moves the parts of a kit as ev has moved it, except for those that without names by
// id, and notes in ev what whoever stands there must know. parts are as they were before.
func (t *txn) moveKit(ev *record.Event, person, box party, parts []part, check kit.Check, without ...string) {
	if len(parts) == 0 {
		return
	}
	t.together = &together{map[string]*record.Row{}, map[string]uint64{}}
	defer t.together.end(t)
	for _, p := range parts {
		fate := p.ofKit(p.in).Fate(kitMoves[ev.Kind], check)
		if fate == kit.Goes && slices.Contains(without, p.id) {
			continue
		}
		switch fate {
		case kit.Goes:
			ev.Along = append(ev.Along, p.name())
			t.along(ev, person, p.party, box)
		case kit.Lacks:
			ev.Without = append(ev.Without, p.name())
		case kit.Asked:
			asked := checkout.Subject{Kind: checkout.KindDevice, ID: p.id, Name: p.name(), Kit: box.id, KitName: box.name(),
				Holder: p.row.Loan.Holder, HolderName: t.holderName(p.row.Loan.Holder)}
			if p.row.Lookup == nil {
				asked.Tag = checkout.NoTag(p.id)
			}
			ev.Asked = append(ev.Asked, asked)
		}
	}
}

// together is what each event of one move would write again, besides the head of the chain.
type together struct {
	people map[string]*record.Row
	queued map[string]uint64 // events, by sink
}

func (all *together) end(t *txn) {
	seq, hash := t.head(t.l.own)
	t.together = nil
	t.setHead(t.l.own, seq, hash)
	for sink, n := range all.queued {
		t.count(sink, n, 0)
	}
	for id, r := range all.people {
		t.putRow(record.TreePeople, id, r)
	}
}

// along appends the event of a part that goes with its kit: as that of the kit, ev, at the
// same time and for as long.
func (t *txn) along(ev *record.Event, person, part, box party) {
	t.append(&record.Event{Event: checkout.Event{Kind: ev.Kind, Source: ev.Source, Reader: ev.Reader, Actor: ev.Actor, Note: ev.Note,
		From: ev.From, FromName: ev.FromName, FromTag: ev.FromTag, At: ev.At, Happened: ev.Happened, Loan: ev.Loan, Due: ev.Due, Kit: box.id}}, person, part)
}

// part is a part of a kit, and whether it is in it.
type part struct {
	party
	in bool
}

// inside are the parts of a kit, and whether they are in it now.
func (t *txn) inside(box party) (all []part) {
	for _, p := range t.parts(box.id) {
		all = append(all, part{p, p.inKit(box)})
	}
	return all
}

// refind notes that a part, which was not in its kit, has moved: with the last of them the
// kit is complete again.
func (t *txn) refind(part party, was record.Loan) {
	if was.Holder == "" || was.Kit == "" || was.Kit != part.row.Kit || part.row.Loan.Kit == was.Kit && part.row.Loan.Holder != "" {
		return
	}
	box := t.known(record.TreeDevices, was.Kit)
	if box.tree == 0 || box.row.Condition != string(checkout.Incomplete) {
		return
	}
	if !slices.ContainsFunc(t.parts(box.id), func(p party) bool { return p.id != part.id && p.missing(box) }) {
		box.row.Condition = ""
		t.save(box)
	}
}

// Incomplete records that a kit came back without some of its parts, by id: they stay with
// whom they are. Of those that are no longer missing nothing is said; if none is, there is no
// event, and the one that is returned has no number.
func (l *Ledger) Incomplete(box string, parts []string, reader string) (checkout.Event, error) {
	return l.commitEvent(func(t *txn, ev *record.Event) {
		ev.Event = checkout.Event{Source: checkout.SourceReader, Reader: reader}
		t.noteMissing(ev, t.find(record.TreeDevices, box), parts)
	})
}

// noteMissing appends the event of a kit without parts, if they are missing.
func (t *txn) noteMissing(ev *record.Event, box party, parts []string) {
	for _, p := range t.parts(box.id) {
		if slices.Contains(parts, p.id) && p.missing(box) {
			ev.Missing = append(ev.Missing, p.name())
		}
	}
	if ev.Missing != nil {
		ev.Kind, ev.Condition = checkout.Incomplete, string(checkout.Incomplete)
		t.append(ev, nobody, box)
	}
}

// setKit makes a device a part of a kit, "" of none, and does not save it.
func (t *txn) setKit(p party, box string) {
	if was := p.row.Kit; was != "" {
		t.must(kits.Remove(t.tx, was, p.id))
	}
	if p.row.Kit = box; box != "" {
		t.must(kits.Add(t.tx, box, p.id))
	}
}

// rekit makes the list follow a row that names another kit than before.
func (t *txn) rekit(p party, before string) {
	if now := p.row.Kit; now != before {
		p.row.Kit = before
		t.setKit(p, now)
	}
}

// join makes a device a part of the kit that ref names, "" of none, and does not save it.
func (t *txn) join(p party, ref string) {
	if ref == "" {
		t.setKit(p, "")
		return
	}
	box := t.find(record.TreeDevices, ref)
	if err := kit.MayJoin(t.kitDevice(p), t.kitDevice(box)); err != nil {
		t.failf("%w: %w", checkout.ErrRefused, err)
	}
	t.setKit(p, box.id)
}

func (t *txn) kitDevice(p party) kit.Device {
	return kit.Device{ID: p.id, Name: cmp.Or(p.row.Name, p.id), Kit: p.row.Kit, Retired: p.row.Status == checkout.Retired, HasParts: len(t.parts(p.id)) > 0}
}

// inKits yields each part with its kit, by the rows.
func (t *txn) inKits() iter.Seq2[string, string] {
	return func(yield func(string, string) bool) {
		for _, p := range t.rowsWhere(record.TreeDevices, func(_ string, r *record.Row) bool { return r.Kit != "" }) {
			if !yield(p.id, p.row.Kit) {
				return
			}
		}
	}
}

// Parts returns the parts of a kit, by id. Errors: ErrNotFound, *AmbiguousError.
func (l *Ledger) Parts(ref string) (all []books.Part, err error) {
	err = l.view(func(t *txn) {
		box := t.find(record.TreeDevices, ref)
		for _, p := range t.parts(box.id) {
			all = append(all, books.Part{Device: t.device(p), In: p.inKit(box), Missing: p.missing(box)})
		}
	})
	return all, err
}

// lacking are the parts of a kit that refs name, which must be in it.
func (t *txn) lacking(box party, parts []part, refs []string) (ids []string) {
	for _, ref := range refs {
		p := t.find(record.TreeDevices, ref)
		switch {
		case p.row.Kit != box.id:
			t.fail(hint.Errorf(fmt.Sprintf("`stump devices show %s` lists its parts", box.id), "%w: %s is no part of %s", checkout.ErrRefused, p.name(), box.name()))
		case !slices.ContainsFunc(parts, func(of part) bool { return of.id == p.id && of.in }):
			t.fail(hint.Errorf("leave it out", "%w: %s was not in %s", checkout.ErrRefused, p.name(), box.name()))
		}
		ids = append(ids, p.id)
	}
	return ids
}
