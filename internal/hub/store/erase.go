package store

import (
	"slices"

	"github.com/jackc/pgx/v5"

	"stump/checkout/ledger/record"
)

// erase takes everything personal of a person, or of a device, out of the lab: what the
// register has, and the sides of events. What comes later is erased when it comes, and
// stations hear of it as of any other row.
func (g *group) erase(s *subject, ver int64) error {
	s.doc, s.erased, s.ver, s.changed = map[string]field{erasedField: {Value: "1", Ver: ver}}, true, ver, true
	for lookup, owner := range g.tags {
		if owner == s.subjectKey {
			delete(g.tags, lookup)
		}
	}
	g.rows.Queue(`delete from subject_tag where lab = $1 and kind = $2 and id = $3`, g.id, s.kind, s.id)
	g.rows.Queue(`delete from conflict where lab = $1 and subject_kind = $2 and subject = $3`, g.id, s.kind, s.id)
	if s.kind != personKind {
		return nil
	}
	g.erased[s.id] = true
	if err := g.loadHeld(s.id); err != nil {
		return err
	}
	if err := g.loadFormer(s.id); err != nil {
		return err
	}
	for _, l := range g.loans {
		if l.person == s.id {
			l.person = Erased
			g.change(l)
		}
	}
	if err := g.eraseEvents(s.id); err != nil {
		return err
	}
	for key, now := range g.alias { // who was merged into them
		was := g.subjects[key]
		if key.kind == personKind && now == s.id && was != nil && !was.erased {
			if err := g.erase(was, g.next()); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadHeld reads the loans of a person, but those that have been read.
func (g *group) loadHeld(person string) error {
	rows, err := g.tx.Query(g.ctx, `select `+loanColumns+` from device_loan where lab = $1 and person = $2`, g.id, person)
	if err != nil {
		return err
	}
	var r loanScan
	_, err = pgx.ForEachRow(rows, r.into(), func() error {
		if g.loans[r.device] == nil {
			g.loans[r.device] = r.row()
		}
		return nil
	})
	return err
}

// loadFormer reads who else a person was, with their rows.
func (g *group) loadFormer(person string) error {
	rows, err := g.tx.Query(g.ctx, `select was from alias where lab = $1 and kind = 'person' and now = $2`, g.id, person)
	if err != nil {
		return err
	}
	var was string
	wanted := map[subjectKey]bool{}
	_, err = pgx.ForEachRow(rows, []any{&was}, func() error {
		key := subjectKey{personKind, was}
		g.alias[key] = person
		if g.subjects[key] == nil {
			wanted[key] = true
		}
		return nil
	})
	if err != nil || len(wanted) == 0 {
		return err
	}
	b := &pgx.Batch{}
	g.loadSubjects(b, wanted)
	return g.tx.SendBatch(g.ctx, b).Close()
}

// eraseAtOnce is how many events are read at a time.
const eraseAtOnce = 500

// eraseEvents erases the sides of the events of a person that the lab has.
func (g *group) eraseEvents(person string) error {
	if err := g.flushEvents(); err != nil {
		return err
	}
	for {
		rows, err := g.tx.Query(g.ctx, `select chain, seq, record from event where lab = $1 and (person = $2 or former = $2 or actor = $2) limit $3`, g.id, person, eraseAtOnce)
		if err != nil {
			return err
		}
		var (
			chain, raw []byte
			seq        int64
			n          int
		)
		b := &pgx.Batch{}
		_, err = pgx.ForEachRow(rows, []any{&chain, &seq, &raw}, func() error {
			e := &event{}
			ev, err := record.Decode(raw)
			if err != nil {
				return err
			}
			e.Event, e.written = &ev, slices.Clone(raw)
			e.person, e.former, e.actor = g.isNow(personKind, ev.Person), g.isNow(personKind, ev.From), ""
			if ev.Actor != ev.Person {
				e.actor = g.isNow(personKind, ev.Actor)
			}
			if err := g.forget(e); err != nil {
				return err
			}
			n++
			b.Queue(`update event set record = $4, person = nullif($5, ''), former = nullif($6, ''), actor = nullif($7, '') where lab = $1 and chain = $2 and seq = $3`,
				g.id, slices.Clone(chain), seq, e.written, e.person, e.former, e.actor)
			return nil
		})
		if err != nil {
			return err
		}
		if n == 0 {
			return nil
		}
		if err := g.tx.SendBatch(g.ctx, b).Close(); err != nil {
			return err
		}
	}
}

// forget erases what an event says of people who were erased.
func (g *group) forget(e *event) error {
	person, former, actor := g.erased[e.person], g.erased[e.former], g.erased[e.actor]
	if !person && !former && !actor {
		return nil
	}
	raw, err := record.Rewrite(e.written, func(s *record.Secrets, l *record.Links, erased *bool) {
		*erased = true
		s.Note = nil // it may name them
		if person {
			s.Person, l.Person = nil, record.Ref{}
		}
		if former {
			s.From, l.From = nil, record.Ref{}
		}
		if actor {
			s.Actor = nil
		}
	})
	if err != nil {
		return err
	}
	e.written = raw
	if person {
		e.person = ""
	}
	if former {
		e.former = ""
	}
	if actor {
		e.actor = ""
	}
	return nil
}
