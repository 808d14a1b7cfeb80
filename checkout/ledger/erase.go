package ledger

import (
	"bytes"
	"fmt"
	"strings"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/count"
)

// Erasure. An event keeps its core, so the chain verifies and the device keeps
// its history; of its side, the salts and values that are about a person go, and
// with a salt the commitment says nothing any more. Links of other events that
// led through an erased one are led past it, so that nobody can tell from them
// whose it was.

// eraseParts are the parts of an event that can be erased.
type eraseParts struct{ person, from, actor, note bool }

func (a eraseParts) or(b eraseParts) eraseParts {
	return eraseParts{a.person || b.person, a.from || b.from, a.actor || b.actor, a.note || b.note}
}

// rewriteSide changes the part of a record that may be rewritten.
func (t *txn) rewriteSide(r record.Ref, f func(s *record.Secrets, l *record.Links, erased *bool)) error {
	b, err := record.Rewrite(t.tx.Bucket(record.TreeEvents.Bucket()).Get(record.EventKey(r)), f)
	if err != nil {
		return t.damaged("event %d: %v", r.Seq, err)
	}
	return t.putEvent(r, b)
}

func (t *txn) eraseEvent(r record.Ref, what eraseParts) error {
	return t.rewriteSide(r, func(s *record.Secrets, l *record.Links, erased *bool) {
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

// stop is an event in a person's history. person and from are the ids under
// which they are in it, their own or that of a tag which was pending; "" for
// not in that part.
type stop struct {
	at                     record.Ref
	person, from, resolved string
}

// trail returns the history of a person, newest first.
func (t *txn) trail(p party) ([]stop, error) {
	var all []stop
	ids := map[string]bool{p.id: true}
	mine := func(id string) string {
		if ids[id] {
			return id
		}
		return ""
	}
	err := t.walk(p, func(r record.Ref, ev *record.Event) error {
		if ev.Resolved != "" && ids[ev.Person] {
			ids[ev.Resolved] = true
		}
		all = append(all, stop{r, mine(ev.Person), mine(ev.From), mine(ev.Resolved)})
		return nil
	})
	return all, err
}

// relinkTrail links what is kept of a person's history, newest first, and
// writes the heads of it.
func (t *txn) relinkTrail(p party, kept []stop) error {
	heads := map[string]record.Ref{p.id: {}}
	err := t.each(record.TreePeople, []byte(checkout.PendingPrefix), func(k, v []byte) error {
		r, err := record.DecodeRow(v)
		if err == nil && r.Resolved == p.id {
			heads[string(k)] = record.Ref{}
		}
		return err
	})
	if err != nil {
		return err
	}
	for i := len(kept) - 1; i >= 0; i-- {
		st := kept[i]
		err := t.rewriteSide(st.at, func(_ *record.Secrets, l *record.Links, _ *bool) {
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
		if err != nil {
			return err
		}
		for _, id := range []string{st.person, st.from} {
			if id != "" {
				heads[id] = st.at
			}
		}
	}
	for id, head := range heads {
		r, err := t.row(record.TreePeople, id)
		if err != nil {
			return err
		}
		if r == nil || r.Head == head {
			continue
		}
		r.Head = head
		if err := t.putRow(record.TreePeople, id, r); err != nil {
			return err
		}
	}
	return nil
}

// ErasePerson erases a person: their row, their badge, and their part in every
// event, also where they are only named as actor or in a note. Refused while
// they have a device, or while a sink has not been told of one of their events.
// Pages that are free still hold what was erased until Scrub, and backups from
// before until they are rotated.
func (l *Ledger) ErasePerson(ref, actor string, source checkout.Source) error {
	l.upkeep.Lock()
	defer l.upkeep.Unlock()
	return l.update(func(t *txn) error {
		p, err := t.findParty(record.TreePeople, ref)
		if err != nil {
			return err
		}
		if err := t.holdsNothing(p); err != nil {
			return err
		}
		if err := t.undelivered(p); err != nil {
			return err
		}
		n, err := t.erase(p)
		if err != nil {
			return err
		}
		ev := record.Event{Whose: l.keys.Whose(p.id, 0), Event: checkout.Event{Kind: checkout.Erase, Actor: actor, Source: source,
			Note: "a person was erased from " + count.Of(n, "event")}}
		return t.append(&ev, nil, nil)
	})
}

// erase takes a person out of the register and of all events, and returns how
// many those were.
func (t *txn) erase(p party) (n int, err error) {
	if n, err = t.eraseHistory(p); err != nil {
		return n, err
	}
	if err := t.dropTag(&p); err != nil {
		return n, err
	}
	if err := t.eraseRows(p); err != nil {
		return n, err
	}
	return n, t.put(record.TreeMeta, metaScrub, nil)
}

// eraseAgain erases the person of an Erase event from what a backup brought back.
func (t *txn) eraseAgain(whose []byte) error {
	var p party
	err := t.eachRow(record.TreePeople, func(id string, r *record.Row) error {
		for i := range t.l.keys.Lookups {
			if bytes.Equal(t.l.keys.Whose(id, i), whose) {
				p = party{record.TreePeople, id, r}
			}
		}
		return nil
	})
	if err != nil || p.row == nil {
		return err
	}
	n, err := t.erase(p)
	if err != nil {
		return err
	}
	ev := record.Event{Whose: whose, Event: checkout.Event{Kind: checkout.Erase, Source: checkout.SourceSystem,
		Note: "a person whom a backup brought back was erased again from " + count.Of(n, "event")}}
	return t.append(&ev, nil, nil)
}

// undelivered refuses while an event of a person is in the outbox.
func (t *txn) undelivered(p party) error {
	trail, err := t.trail(p)
	if err != nil {
		return err
	}
	for _, st := range trail {
		if err := t.delivered(st.at, p); err != nil {
			return err
		}
	}
	return nil
}

// eraseHistory erases a person from all events.
func (t *txn) eraseHistory(p party) (n int, err error) {
	trail, err := t.trail(p)
	if err != nil {
		return 0, err
	}
	erase := map[record.Ref]eraseParts{}
	for _, st := range trail {
		erase[st.at] = eraseParts{person: st.person != "", from: st.from != "", note: true}
	}
	c := t.tx.Bucket(record.TreeEvents.Bucket()).Cursor()
	for k, b := c.First(); k != nil; k, b = c.Next() {
		at, ok := record.ParseEventKey(k)
		if !ok {
			return 0, t.damaged("an event key")
		}
		ev, err := t.decode(at, b)
		if err != nil {
			return 0, err
		}
		if mentions(&ev.Event, p) {
			erase[at] = erase[at].or(eraseParts{actor: true, note: true})
		}
	}
	for at, what := range erase {
		if err := t.eraseEvent(at, what); err != nil {
			return 0, err
		}
	}
	return len(erase), nil
}

// delivered refuses while an event is in the outbox.
func (t *txn) delivered(at record.Ref, p party) error {
	return t.each(record.TreeOutbox, record.EventKey(at), func(_, _ []byte) error {
		return fmt.Errorf("%w: event %d of %s has not been delivered yet; stump sync shows it", checkout.ErrRefused, at.Seq, nameOr(p))
	})
}

// eraseRows takes a person out of the register, with the pending tags that
// turned out to be theirs.
func (t *txn) eraseRows(p party) error {
	ids := []string{p.id}
	err := t.each(record.TreePeople, []byte(checkout.PendingPrefix), func(k, v []byte) error {
		r, err := record.DecodeRow(v)
		if err == nil && r.Resolved == p.id {
			ids = append(ids, string(k))
		}
		return err
	})
	for _, id := range ids {
		if err == nil {
			err = t.delete(record.TreePeople, []byte(id))
		}
	}
	return err
}

// mentions reports whether a person is the actor of an event, or in its note.
func mentions(ev *checkout.Event, p party) bool {
	return ev.Actor != "" && (ev.Actor == p.id || ev.Actor == p.row.Name) ||
		ev.Note != "" && strings.Contains(ev.Note, p.row.Name)
}
