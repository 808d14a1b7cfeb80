package ledger

import (
	"fmt"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/hint"
)

// A person's first badge is in their own row. Each further one has a row under a pending
// ID, with the person in Resolved: it is a pending tag that has found its owner, and goes
// on being bumped. The row stays when the badge is lost or replaced, so that the desk can
// say so.

// dead reports whether p is the row of a badge that is lost or replaced.
func (p party) dead() bool {
	return p.tree != 0 && (p.row.Status == checkout.LostBadge || p.row.Status == checkout.OldBadge)
}

// lost reports whether a tag is a badge that was reported lost.
func (t *txn) lost(tag checkout.Tag) bool {
	has := t.holding(tag)
	return has.tree != 0 && has.row.Status == checkout.LostBadge
}

// tagged returns the rows with tags of p: its own, then those of further badges.
func (t *txn) tagged(p party) (all []party) {
	if p.tree == 0 {
		return nil
	}
	if p.row.Lookup != nil {
		all = append(all, p)
	}
	if p.tree == record.TreePeople {
		all = append(all, t.furtherBadges()[p.id]...)
	}
	return all
}

// furtherBadges returns the rows of further badges by their owner. While nothing is
// written they are read once.
func (t *txn) furtherBadges() map[string][]party {
	if t.further != nil && !t.tx.Writable() {
		return t.further
	}
	t.further = map[string][]party{}
	t.each(record.TreePeople, []byte(checkout.PendingPrefix), func(k, v []byte) {
		if r := t.decodeRow(record.TreePeople, string(k), v); r.Resolved != "" && r.Lookup != nil {
			t.further[r.Resolved] = append(t.further[r.Resolved], party{record.TreePeople, string(k), r})
		}
	})
	return t.further
}

// badges lists the badges of a person.
func (t *txn) badges(p party) (all []books.Badge) {
	for _, b := range t.tagged(p) {
		badge := books.Badge{Number: b.row.Mask}
		if b.dead() {
			badge.Status = b.row.Status
		}
		all = append(all, badge)
	}
	return all
}

// attach gives p a tag that is free or one of its own.
func (t *txn) attach(ev *record.Event, p party, tag checkout.Tag, beside bool) {
	has, to := t.holding(tag), p
	switch {
	case has.dead():
		t.dropTag(has)
	case has.tree != 0 && !has.is(p):
		return // a further badge of theirs
	}
	switch {
	case p.row.Lookup == nil, p.tree == record.TreeDevices, has.is(p):
	case beside:
		to = t.newPending(p.tree, t.l.keys.Find(tag, 0), p.id)
	default:
		ev.Note = "in place of " + p.row.Mask
		t.setAside(p, checkout.OldBadge)
	}
	t.setTag(to, tag)
}

// moveTag gives the tag of one row to another.
func (t *txn) moveTag(from, to party) {
	to.row.Lookup, to.row.Sealed, to.row.Mask = from.row.Lookup, from.row.Sealed, from.row.Mask
	t.dropTag(from)
	t.put(record.TreeTags, to.row.Lookup, ownerBody(to.tree, to.id))
	t.save(to)
}

// setAside moves the first badge of p to a row of its own.
func (t *txn) setAside(p party, why checkout.Status) {
	b := t.newPending(p.tree, p.row.Lookup, p.id)
	b.row.Status = why
	t.moveTag(p, b)
}

// lose reports a badge of p as lost. The next of their badges becomes the first.
func (t *txn) lose(p party, want books.BadgeRef, ev record.Event) {
	b := t.badge(p, want)
	ev.Kind, ev.Note = checkout.Lost, "badge "+b.row.Mask
	if b.is(p) {
		t.setAside(p, checkout.LostBadge)
	} else {
		b.row.Status = checkout.LostBadge
		t.save(b)
	}
	t.promote(p)
	t.append(&ev, p, nobody)
}

// regain says that a lost or replaced badge of p is one again.
func (t *txn) regain(p party, want books.BadgeRef, ev record.Event) {
	b := t.badge(p, want)
	ev.Kind, ev.Note = checkout.Found, "badge "+b.row.Mask
	if b.dead() {
		b.row.Status = checkout.Active
		t.save(b)
	}
	t.promote(p)
	t.append(&ev, p, nobody)
}

// promote makes a further badge of p the first one if they have no first.
func (t *txn) promote(p party) {
	for _, b := range t.tagged(p) {
		if p.row.Lookup == nil && !b.dead() {
			t.moveTag(b, p)
		}
	}
}

// badge finds a badge of p, by its number or by what is shown of it.
func (t *txn) badge(p party, want books.BadgeRef) (found party) {
	var shown []string
	n := 0
	for _, b := range t.tagged(p) {
		shown = append(shown, b.row.Mask)
		if t.holding(want.Tag).is(b) || want.Tag.IsZero() && b.row.Mask == want.Shown {
			found = b
			n++
		}
	}
	switch {
	case n > 1:
		t.fail(hint.Errorf("give its whole number", "%s has %d badges %s", p.name(), n, want.Shown))
	case n == 0:
		t.fail(hint.Errorf("their badges: "+strings.Join(shown, " "), "%s has no such badge", p.name()))
	}
	return found
}

// refuseBadge ends the transaction, because the badge of a row is lost or replaced.
func (t *txn) refuseBadge(b party) {
	who := t.whose(b)
	err := &checkout.RefusedError{Subject: checkout.Subject{Kind: checkout.KindPerson, ID: who.id, Name: who.name(), Status: b.row.Status}}
	t.fail(hint.Wrap(err, fmt.Sprintf("if it is there again: `stump people edit %s --found-badge %s`", who.id, b.row.Mask)))
}
