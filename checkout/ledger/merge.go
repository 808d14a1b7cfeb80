package ledger

import (
	"fmt"

	"stump/checkout"
	"stump/checkout/ledger/entry"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/count"
	"stump/internal/hint"
)

// Two people of the register may turn out to be one: a directory gave somebody a new key
// with a new name. Merging is an event like that of a pending tag that found its owner.
// The row of the one that goes stays, retired and with the other in Resolved, since
// events name it: whoever asks for it is led to the other. Row by row Resolved names who
// they are now, never somebody who was merged later.

// merged reports whether p is the row of somebody who was merged into another.
func (p party) merged() bool { return p.tree != 0 && p.row.Resolved != "" && !p.row.Pending }

// MergePeople makes old and into one person: the loans, badges and history of old are
// those of into from then on, as is the mail address if into has none. old is retired,
// and its id leads to into. Both are ids or exact names. Errors: ErrNotFound,
// *AmbiguousError, ErrRefused.
func (l *Ledger) MergePeople(old, into, actor string, source checkout.Source) (checkout.Event, error) {
	return l.commitEvent(func(t *txn, ev *record.Event) {
		t.unlessImporting()
		ev.Actor, ev.Source = actor, source
		was, p := t.known(record.TreePeople, old), t.find(record.TreePeople, into)
		if was.tree == 0 || was.row.Pending {
			was = t.find(record.TreePeople, old)
		}
		t.mayMerge(was, p)
		t.merge(ev, p, was)
	})
}

func (t *txn) mayMerge(was, p party) {
	switch {
	case was.merged() && was.row.Resolved == p.id:
		t.fail(hint.Errorf("nothing is left to do", "%w: %s is %s already", checkout.ErrRefused, was.id, p.id))
	case was.merged():
		t.fail(hint.Errorf(fmt.Sprintf("merge %s if all three are one", was.row.Resolved), "%w: %s was merged into %s", checkout.ErrRefused, was.id, was.row.Resolved))
	case was.is(p):
		t.fail(hint.Errorf("name who goes, then who stays: two different people", "%w: both are %s", checkout.ErrRefused, p.id))
	case p.row.Status == checkout.Retired:
		t.refuse(p, "")
	}
}

// merge makes ev the event that was is p.
func (t *txn) merge(ev *record.Event, p, was party) {
	t.tx.OnCommit(t.l.changes.Tell) // waiting rows go out under the other key
	ev.Kind, ev.Resolved, ev.Links.Resolved = checkout.Merge, was.id, was.row.Head
	held := t.heldBy(was.id)
	for _, d := range held {
		d.row.Loan.Holder = p.id
		t.save(d)
	}
	ev.Note = fmt.Sprintf("%s (%s), with %s, is %s", was.name(), was.id, count.Of(len(held), "device"), p.id)
	if was.row.Lookup != nil {
		t.moveBadge(was, p)
	}
	for _, r := range t.becameOf(was) { // their further badges, and who was merged into them
		r.row.Resolved = p.id
		t.save(r)
	}
	entry.Merge(p.row, was.row)
	was.row.Resolved, was.row.Status, was.row.ByDirectory = p.id, checkout.Retired, false
	t.save(was)
	t.append(ev, p, nobody)
}

// moveBadge gives the first badge of one person to another, beside those that they have.
func (t *txn) moveBadge(from, to party) {
	if to.row.Lookup == nil {
		t.moveTag(from, to)
		return
	}
	t.moveTag(from, t.newPending(to.tree, from.row.Lookup, to.id))
}

// becameOf returns the rows that became a person: further badges, pending tags, and
// people who were merged into them.
func (t *txn) becameOf(p party) []party {
	return t.rowsWhere(p.tree, func(_ string, r *record.Row) bool { return r.Resolved == p.id })
}

// isNow returns the id of who somebody is now. While nothing is written each is read
// once.
func (t *txn) isNow(id string) string {
	now, known := t.people[id]
	if known && !t.tx.Writable() {
		return now
	}
	if now = id; t.known(record.TreePeople, id).merged() {
		now = t.row(record.TreePeople, id).Resolved
	}
	if t.people == nil {
		t.people = map[string]string{}
	}
	t.people[id] = now
	return now
}

// Formerly returns who was merged into a person, by id.
func (l *Ledger) Formerly(id string) (all []books.Former, err error) {
	err = l.view(func(t *txn) {
		for _, was := range t.becameOf(party{tree: record.TreePeople, id: id}) {
			if was.merged() {
				all = append(all, books.Former{ID: was.id, Name: was.row.Name})
			}
		}
	})
	return all, err
}
