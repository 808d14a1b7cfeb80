package ledger

import (
	"bytes"
	"slices"

	"stump/checkout"
	"stump/checkout/ledger/booking"
	"stump/checkout/ledger/entry"
	"stump/checkout/ledger/once"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/count"
	"stump/internal/hint"
)

// Erasing removes salts and values about a person from the sides of events. The cores
// stay, so the chain verifies and the device keeps its history; without its salt a
// commitment reveals nothing. Links of other events skip an erased event, so they don't
// reveal whose it was.

// eraseParts are the parts of an event that can be erased.
type eraseParts struct{ person, from, actor, note bool }

func (a eraseParts) or(b eraseParts) eraseParts {
	return eraseParts{a.person || b.person, a.from || b.from, a.actor || b.actor, a.note || b.note}
}

// rewriteSide changes the part of a record that may be rewritten.
func (t *txn) rewriteSide(r record.Ref, f func(s *record.Secrets, l *record.Links, erased *bool)) {
	old := t.bucket(record.TreeEvents).Get(record.EventKey(r))
	b, err := record.Rewrite(old, f)
	if err != nil {
		t.damaged("event %d: %v", r.Seq, err)
	}
	if !bytes.Equal(b, old) {
		t.putEvent(r, b)
	}
}

func (t *txn) eraseEvent(r record.Ref, what eraseParts) {
	if what.person { // what they have reserved has no other end
		t.must(booking.In(t.tx).Drop(r))
	}
	t.rewriteSide(r, func(s *record.Secrets, l *record.Links, erased *bool) {
		*erased = true
		if what.person {
			s.Person, l.Person = nil, record.Ref{}
		}
		if what.from {
			s.From, l.From = nil, record.Ref{}
		}
		if what.actor {
			s.Actor = nil
		}
		if what.note {
			s.Note = nil
		}
	})
}

// stop is an event in a person's history. person, from and resolved are the ids that the
// person has in these fields of the event, their own or that of a pending tag; "" where
// the field is not about them.
type stop struct {
	at                     record.Ref
	person, from, resolved string
}

// trail returns the history of a person, newest first, and all ids that they have in it.
func (t *txn) trail(p party) (all []stop, ids map[string]bool) {
	ids = map[string]bool{p.id: true}
	mine := func(id string) string {
		if ids[id] {
			return id
		}
		return ""
	}
	t.walk(p, func(r record.Ref, ev *record.Event) bool {
		if ev.Resolved != "" && ids[ev.Person] {
			ids[ev.Resolved] = true
		}
		all = append(all, stop{r, mine(ev.Person), mine(ev.From), mine(ev.Resolved)})
		return true
	})
	return all, ids
}

// relinkTrail links the rest of a person's history, given newest first, and writes the
// heads of all ids that they have.
func (t *txn) relinkTrail(ids map[string]bool, kept []stop) {
	heads := map[string]record.Ref{}
	for id := range ids {
		heads[id] = record.Ref{}
	}
	for _, st := range slices.Backward(kept) {
		t.rewriteSide(st.at, func(_ *record.Secrets, l *record.Links, _ *bool) {
			if st.resolved != "" {
				l.Resolved = heads[st.resolved]
			}
			if st.person != "" {
				l.Person = heads[st.person]
			}
			if st.from != "" && st.from != st.person {
				l.From = heads[st.from]
			}
		})
		for _, id := range []string{st.person, st.from} {
			if id != "" {
				heads[id] = st.at
			}
		}
	}
	for id, head := range heads {
		if r := t.row(record.TreePeople, id); r != nil && r.Head != head {
			r.Head = head
			t.putRow(record.TreePeople, id, r)
		}
	}
}

// ErasePerson erases a person: their row, their badge, and their part in every event,
// also as actor or in a note. It is refused while they have a device or one of their
// events waits for delivery. Free pages hold the erased values until Scrub, and older
// backups until they are rotated.
func (l *Ledger) ErasePerson(ref, actor string, source checkout.Source) error {
	return l.erasePerson(ref, actor, source, func(*txn) {})
}

// erasePerson is ErasePerson. also is called in its transaction.
func (l *Ledger) erasePerson(ref, actor string, source checkout.Source, also func(*txn)) error {
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	found := &mentions{}
	for more := true; more; { // taps go on meanwhile
		err := l.view(func(t *txn) {
			p := t.find(record.TreePeople, ref)
			if found.whose == nil {
				t.mustErase(ref, p)
			}
			more = t.mentions(found, p, mentionsRead)
		})
		if err != nil {
			return err
		}
	}
	return l.update(func(t *txn) {
		p := t.find(record.TreePeople, ref)
		t.mustErase(ref, p)
		ev := by(actor, source)
		ev.Kind = checkout.Erase
		for _, id := range append([]string{p.id}, idsOf(t.becameOf(p))...) {
			ev.Whose = append(ev.Whose, l.keys.Whose(id, 0)...)
		}
		also(t)
		t.must(booking.In(t.tx).Forget(p.id))
		ev.Note = "a person was erased from " + count.Of(t.erase(p, found), "event")
		t.append(ev, nobody, nobody)
	})
}

// mustErase ends the transaction if a person can't be erased now.
func (t *txn) mustErase(ref string, p party) {
	t.unlessImporting()
	if t.known(record.TreePeople, ref).merged() {
		t.fail(hint.Errorf("erase that one, with all that was "+ref+"'s", "%w: %s was merged into %s", checkout.ErrRefused, ref, p.id))
	}
	t.mustHoldNothing(p)
	trail, _ := t.trail(p)
	for _, st := range trail {
		t.each(record.TreeOutbox, record.EventKey(st.at), func(_, _ []byte) {
			t.failf("%w: event %d of %s has not been delivered yet; stump sync shows it", checkout.ErrRefused, st.at.Seq, p.name())
		})
	}
}

func idsOf(all []party) (ids []string) {
	for _, p := range all {
		if p.merged() {
			ids = append(ids, p.id)
		}
	}
	return ids
}

// eraseAgain erases the person of an Erase event after a backup has brought them back.
// whose has a keyed hash of each id that they had.
func (t *txn) eraseAgain(whose []byte) {
	found := t.rowsWhere(record.TreePeople, func(id string, r *record.Row) bool {
		for i := range t.l.keys.Lookups {
			mine := t.l.keys.Whose(id, i)
			for one := range slices.Chunk(whose, len(mine)) {
				if bytes.Equal(mine, one) && r.Resolved == "" { // with whom they became, they go
					return true
				}
			}
		}
		return false
	})
	for _, p := range found {
		t.append(&record.Event{Whose: whose, Event: checkout.Event{Kind: checkout.Erase, Source: checkout.SourceSystem,
			Note: "a person in the backup was erased again from " + count.Of(t.erase(p, &mentions{}), "event")}}, nobody, nobody)
	}
}

// mentions are the events whose actor is a person, or whose note names them, as far as
// all events have been looked at.
type mentions struct {
	whose []string   // their ids and names
	last  record.Ref // looked at
	in    []record.Ref
}

// mentionsRead is how many events are looked at in one transaction.
const mentionsRead = 2000

// mentions looks at the next events, at most most of them, for a person under any of the
// rows that are theirs; if these have changed, at all once more. It reports whether there
// may be more.
func (t *txn) mentions(m *mentions, p party, most int) bool {
	rows := append(t.becameOf(p), p)
	whose := []string{}
	for _, r := range rows {
		whose = append(whose, r.id, r.row.Name)
	}
	if !slices.Equal(whose, m.whose) {
		*m = mentions{whose: whose}
	}
	n := 0
	t.events(m.last, func(at record.Ref, raw []byte) bool {
		if n == most {
			return false
		}
		ev, err := t.decode(at, raw)
		t.must(err)
		if mention(&ev.Event, rows) {
			m.in = append(m.in, at)
		}
		n, m.last = n+1, at
		return true
	})
	return n == most
}

// erase removes a person, and the pending tags that became theirs, from the register
// and from all events, of which those that mention them may have been found already. It
// returns the number of events.
func (t *txn) erase(p party, found *mentions) int {
	here := *found // the transaction may be tried again
	here.in = slices.Clone(here.in)
	erase := map[record.Ref]eraseParts{}
	trail, _ := t.trail(p)
	for _, st := range trail {
		erase[st.at] = eraseParts{person: st.person != "", from: st.from != "", note: true}
	}
	became := t.becameOf(p)
	for t.mentions(&here, p, mentionsRead) {
	}
	for _, at := range here.in {
		erase[at] = erase[at].or(eraseParts{actor: true, note: true})
	}
	for at, what := range erase {
		t.eraseEvent(at, what)
	}
	for _, b := range t.tagged(p) {
		t.dropTag(b)
	}
	for _, r := range append(became, p) {
		t.delete(record.TreePeople, []byte(r.id))
		for _, d := range t.rowsWhere(record.TreeDevices, func(_ string, d *record.Row) bool { return !r.row.Pending && entry.Forget(d, r.row.Name) }) {
			t.save(d)
		}
	}
	t.must(once.Erase(t.tx))
	t.put(record.TreeMeta, metaScrub, nil)
	return len(erase)
}

// mention reports whether a person is the actor of an event or named in its note, under
// any of the rows that are theirs.
func mention(ev *checkout.Event, rows []party) bool {
	return slices.ContainsFunc(rows, func(p party) bool { return !p.row.Pending && books.Mentions(ev, p.id, p.row.Name) })
}
