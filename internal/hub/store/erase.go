package store

import (
	"bytes"
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
	if err := g.endBookings(s.id); err != nil {
		return err
	}
	former, err := g.loadFormer(s.id)
	if err != nil {
		return err
	}
	if err := g.becomes(personKind, s.id, Erased); err != nil {
		return err
	}
	for _, was := range former { // who was merged into them
		if was.erased {
			continue
		}
		if err := g.erase(was, g.next()); err != nil {
			return err
		}
	}
	return nil
}

// endBookings ends what a person has reserved.
func (g *group) endBookings(person string) error {
	rows, err := g.tx.Query(g.ctx, `select id from subject where lab = $1 and kind = 'reservation' and doc -> 'person' ->> 'v' = $2`, g.id, person)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for key, s := range g.subjects { // those that are not written yet
		if key.kind == bookingKind && s.doc["person"].Value == person && !slices.Contains(all, key.id) {
			all = append(all, key.id)
		}
	}
	for _, id := range all {
		key, ver := subjectKey{bookingKind, id}, g.next()
		g.subjects[key] = &subject{subjectKey: key, ver: ver, doc: map[string]field{"ended": {Value: "1", Ver: ver}}, changed: true}
	}
	return nil
}

// eraseWhose erases whom a station has erased that was in the lab by then. Its event does not
// tell who that is, but who has the site key can find out.
func (g *group) eraseWhose(whose []byte) error {
	if g.keys == nil {
		return nil
	}
	of, err := g.keys(g.lab.name)
	if err != nil || of == nil {
		return err
	}
	if err := g.flushEvents(); err != nil {
		return err
	}
	rows, err := g.tx.Query(g.ctx, `select id from subject where lab = $1 and kind = 'person' and not erased`, g.id)
	if err != nil {
		return err
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return err
	}
	for _, id := range all {
		is := of(id)
		key := subjectKey{personKind, id}
		if !slices.ContainsFunc(slices.Collect(slices.Chunk(whose, len(is))), func(one []byte) bool { return bytes.Equal(one, is) }) {
			continue
		}
		if g.subjects[key] == nil {
			var want keysOf
			want.subject(g.id, key)
			b := &pgx.Batch{}
			loadSubjects(b, g.only(), &want)
			if err := g.tx.SendBatch(g.ctx, b).Close(); err != nil {
				return err
			}
		}
		if s := g.subjects[key]; !s.erased {
			if err := g.erase(s, g.next()); err != nil {
				return err
			}
		}
	}
	return nil
}

// loadHeld reads the loans of a person, but those that have been read.
func (g *group) loadHeld(person string) error {
	rows, err := g.tx.Query(g.ctx, `select `+loanColumns+` from device_loan d where d.lab = $1 and d.person = $2`, g.id, person)
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

// loadFormer reads the rows of those who a person was before.
func (g *group) loadFormer(person string) (former []*subject, err error) {
	rows, err := g.tx.Query(g.ctx, `select was from alias where lab = $1 and kind = 'person' and now = $2`, g.id, person)
	if err != nil {
		return nil, err
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil || len(all) == 0 {
		return nil, err
	}
	var wanted keysOf
	for _, was := range all {
		key := subjectKey{personKind, was}
		g.alias[key] = person
		if g.subjects[key] == nil {
			wanted.subject(g.id, key)
		}
	}
	b := &pgx.Batch{}
	loadSubjects(b, g.only(), &wanted)
	if err := g.tx.SendBatch(g.ctx, b).Close(); err != nil {
		return nil, err
	}
	for _, was := range all {
		if s := g.subjects[subjectKey{personKind, was}]; s != nil {
			former = append(former, s)
		}
	}
	return former, nil
}

// eraseAtOnce is how many events are read at a time.
const eraseAtOnce = 500

// eraseEvents erases the sides of the events of a person that the lab has. All are written.
func (g *group) eraseEvents(person string) error {
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
			g.name(e)
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
	person, former, actor := e.person == Erased, e.former == Erased, e.actor == Erased
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
