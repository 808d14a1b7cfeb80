package ledger

import (
	"bytes"
	"slices"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/count"
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
	b, err := record.Rewrite(t.bucket(record.TreeEvents).Get(record.EventKey(r)), f)
	if err != nil {
		t.damaged("event %d: %v", r.Seq, err)
	}
	t.putEvent(r, b)
}

func (t *txn) eraseEvent(r record.Ref, what eraseParts) {
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

// trail returns the history of a person, newest first.
func (t *txn) trail(p party) (all []stop) {
	ids := map[string]bool{p.id: true}
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
	return all
}

// becameOf returns the pending IDs that became a person.
func (t *txn) becameOf(p party) (ids []string) {
	t.each(record.TreePeople, []byte(checkout.PendingPrefix), func(k, v []byte) {
		if t.decodeRow(record.TreePeople, string(k), v).Resolved == p.id {
			ids = append(ids, string(k))
		}
	})
	return ids
}

// relinkTrail links the rest of a person's history, given newest first, and writes its
// heads.
func (t *txn) relinkTrail(p party, kept []stop) {
	heads := map[string]record.Ref{p.id: {}}
	for _, id := range t.becameOf(p) {
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
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	return l.update(func(t *txn) {
		p := t.find(record.TreePeople, ref)
		t.mustHoldNothing(p)
		for _, st := range t.trail(p) {
			t.each(record.TreeOutbox, record.EventKey(st.at), func(_, _ []byte) {
				t.failf("%w: event %d of %s has not been delivered yet; stump sync shows it", checkout.ErrRefused, st.at.Seq, p.name())
			})
		}
		ev := by(actor, source)
		ev.Kind, ev.Whose = checkout.Erase, l.keys.Whose(p.id, 0)
		ev.Note = "a person was erased from " + count.Of(t.erase(p), "event")
		t.append(ev, nobody, nobody)
	})
}

// eraseAgain erases the person of an Erase event after a backup has brought them back.
func (t *txn) eraseAgain(whose []byte) {
	found := t.rowsWhere(record.TreePeople, func(id string, _ *record.Row) bool {
		for i := range t.l.keys.Lookups {
			if bytes.Equal(t.l.keys.Whose(id, i), whose) {
				return true
			}
		}
		return false
	})
	for _, p := range found {
		t.append(&record.Event{Whose: whose, Event: checkout.Event{Kind: checkout.Erase, Source: checkout.SourceSystem,
			Note: "a person in the backup was erased again from " + count.Of(t.erase(p), "event")}}, nobody, nobody)
	}
}

// erase removes a person, and the pending tags that became theirs, from the register
// and from all events. It returns the number of events.
func (t *txn) erase(p party) int {
	erase := map[record.Ref]eraseParts{}
	for _, st := range t.trail(p) {
		erase[st.at] = eraseParts{person: st.person != "", from: st.from != "", note: true}
	}
	t.events(record.Ref{}, func(at record.Ref, raw []byte) bool {
		ev, err := t.decode(at, raw)
		t.must(err)
		if mentions(&ev.Event, p) {
			erase[at] = erase[at].or(eraseParts{actor: true, note: true})
		}
		return true
	})
	for at, what := range erase {
		t.eraseEvent(at, what)
	}
	for _, b := range t.tagged(p) {
		t.dropTag(b)
	}
	for _, id := range append(t.becameOf(p), p.id) {
		t.delete(record.TreePeople, []byte(id))
	}
	t.put(record.TreeMeta, metaScrub, nil)
	return len(erase)
}

// mentions reports whether a person is the actor of an event or named in its note.
func mentions(ev *checkout.Event, p party) bool {
	return ev.Actor != "" && (ev.Actor == p.id || ev.Actor == p.row.Name) ||
		ev.Note != "" && strings.Contains(ev.Note, p.row.Name)
}
