package store

import (
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/checkout/custody"
	"stump/checkout/ledger/record"
	"stump/internal/lab/wire"
)

// event is a row of the events.
type event struct {
	*record.Event
	labSeq  int64
	ht      time.Time
	device  string // as it is known now, as the people are
	moves   bool
	person  string
	former  string
	actor   string
	written []byte
}

// sent is what the lab has of an event.
type sent struct {
	hash checkout.Hash
	wire.Accepted
}

// sent returns events of a chain, by their numbers.
func (g *group) sent(genesis checkout.Hash, from, to uint64) (map[uint64]sent, error) {
	if err := g.flushEvents(); err != nil {
		return nil, err
	}
	rows, err := g.tx.Query(g.ctx, `select seq, lab_seq, ht, record from event where lab = $1 and chain = $2 and seq between $3 and $4`, g.id, genesis[:], int64(from), int64(to))
	if err != nil {
		return nil, err
	}
	all := map[uint64]sent{}
	var (
		seq, labSeq int64
		ht          time.Time
		raw         []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&seq, &labSeq, &ht, &raw}, func() error {
		parts, err := record.Split(raw)
		all[uint64(seq)] = sent{parts.Hash, wire.Accepted{LabSeq: uint64(labSeq), HT: ht.UTC()}}
		return err
	})
	return all, err
}

// epochStart is the lab time of what nobody knows the time of.
var epochStart = time.Unix(0, 0).UTC()

// accept takes the next event of a chain.
func (g *group) accept(contact custody.Contact, c *chain, ev *record.Event, raw []byte) (wire.Accepted, error) {
	e := &event{Event: ev, written: raw}
	g.name(e)
	s := custody.Statement{Place: checkout.Place{Chain: ev.Chain, Seq: ev.Seq}, Device: e.device, Base: ev.Base, Stamp: ev.At, Person: g.holder(e)}
	lost, err := g.date(contact, c, &s, ev.Heard)
	if err != nil {
		return wire.Accepted{}, err
	}
	g.seq++
	e.ht, e.labSeq = s.At, g.seq
	g.times[s.Place] = e.ht
	c.seq, c.hash, c.ht, c.changed = ev.Seq, ev.Hash, e.ht, true
	if err := g.forget(e); err != nil {
		return wire.Accepted{}, err
	}
	g.events = append(g.events, e)
	return wire.Accepted{LabSeq: uint64(e.labSeq), HT: e.ht}, g.apply(s, e, lost)
}

// name says who and what an event is about, by the ids of today.
func (g *group) name(e *event) {
	e.device, e.person, e.former, e.actor = g.isNow(deviceKind, e.Device), g.isNow(personKind, e.Person), g.isNow(personKind, e.From), ""
	if e.Actor != e.Person {
		e.actor = g.isNow(personKind, e.Actor)
	}
}

// date gives a statement its lab time. lost: the lab had it once, and has taken events since
// that are based on it; it comes before them.
func (g *group) date(contact custody.Contact, c *chain, s *custody.Statement, heard time.Time) (lost bool, err error) {
	s.Heard = heard
	if s.Heard.Before(epochStart) {
		s.Heard = epochStart
	}
	if s.Heard.After(contact.At) { // nobody has heard a time that has not come
		s.Heard = contact.At
	}
	base, known := g.times[s.Base]
	s.At = contact.Time(*s, base, c.ht).Truncate(custody.Tick).UTC()
	if before, ok := g.awaited[s.Place]; ok {
		lost = true
		if most := before.Add(-custody.Tick); s.At.After(most) && most.After(c.ht) {
			s.At = most
		}
		delete(g.awaited, s.Place)
		g.rows.Queue(`delete from awaited where lab = $1 and chain = $2 and seq = $3`, g.id, s.Chain[:], int64(s.Seq))
	}
	if !known && s.Base.Seq > 0 {
		lost, err := g.misses(s.Base)
		if err != nil {
			return false, err
		}
		if lost {
			g.await(s)
		}
	}
	if s.At.After(g.newest) {
		g.newest = s.At
	}
	return lost, nil
}

// misses reports whether the lab has a chain, and not this event of it.
func (g *group) misses(p checkout.Place) (bool, error) {
	if c := g.chains[p.Chain]; c != nil {
		return p.Seq > c.seq, nil
	}
	var missing bool
	err := g.tx.QueryRow(g.ctx, `select seq < $3 from chain where lab = $1 and genesis = $2`, g.id, p.Chain[:], int64(p.Seq)).Scan(&missing)
	if errors.Is(err, pgx.ErrNoRows) {
		err = nil
	}
	return missing, err
}

// await notes that the lab has lost the base of a statement, which will come after it.
func (g *group) await(s *custody.Statement) {
	g.rows.Queue(`insert into awaited (lab, chain, seq, ht) values ($1, $2, $3, $4) on conflict (lab, chain, seq) do update set ht = least(awaited.ht, excluded.ht)`,
		g.id, s.Base.Chain[:], int64(s.Base.Seq), s.At)
	if at, ok := g.awaited[s.Base]; !ok || s.At.Before(at) {
		g.awaited[s.Base] = s.At
	}
}

// apply changes the rows that an event speaks of.
func (g *group) apply(s custody.Statement, e *event, lost bool) error {
	switch {
	case e.Resolved != "":
		return g.resolve(e)
	case e.Kind == checkout.Erase && len(e.Whose) > 0 && !e.Heard.IsZero():
		return g.eraseWhose(e.Whose)
	case e.device == "":
		return nil
	case !e.Kind.MovesDevice():
		g.say(s, e)
		return nil
	}
	e.moves = true
	if err := g.move(s, e); err != nil || !lost {
		return err
	}
	return g.saidBefore(s)
}

// holder is who has the device after an event; empty for nobody.
func (g *group) holder(e *event) string {
	if e.Kind == checkout.Checkout || e.Kind == checkout.Handover {
		return e.person
	}
	return ""
}

// insertEvents writes events.
const insertEvents = `insert into event (lab, chain, seq, lab_seq, ht, kind, device, moves, person, former, actor, base_chain, base_seq, record)
select lab, chain, seq, lab_seq, ht, kind, nullif(device, ''), moves, nullif(person, ''), nullif(former, ''), nullif(actor, ''), nullif(base_chain, ''::bytea), nullif(base_seq, 0), record
from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bigint[], $5::timestamptz[], $6::text[], $7::text[], $8::boolean[], $9::text[], $10::text[], $11::text[], $12::bytea[], $13::bigint[], $14::bytea[])
as e(lab, chain, seq, lab_seq, ht, kind, device, moves, person, former, actor, base_chain, base_seq, record)`

// queueEvents queues those that are not written yet.
func queueEvents(b *pgx.Batch, groups []*group) {
	var (
		chains, bases, raws                     [][]byte
		labs, seqs, labSeqs, baseSeqs           []int64
		hts                                     []time.Time
		moves                                   []bool
		kinds, devices, people, formers, actors []string
	)
	for _, g := range groups {
		for _, e := range g.events {
			base, baseSeq := []byte{}, int64(0)
			if e.Base.Seq != 0 {
				base, baseSeq = e.Base.Chain[:], int64(e.Base.Seq)
			}
			labs, chains, seqs, labSeqs, hts = append(labs, g.id), append(chains, e.Chain[:]), append(seqs, int64(e.Seq)), append(labSeqs, e.labSeq), append(hts, e.ht)
			kinds, devices, moves, raws = append(kinds, string(e.Kind)), append(devices, e.device), append(moves, e.moves), append(raws, e.written)
			people, formers, actors = append(people, e.person), append(formers, e.former), append(actors, e.actor)
			bases, baseSeqs = append(bases, base), append(baseSeqs, baseSeq)
		}
		g.events = nil
	}
	if labs != nil {
		b.Queue(insertEvents, labs, chains, seqs, labSeqs, hts, kinds, devices, moves, people, formers, actors, bases, baseSeqs, raws)
	}
}

// flushEvents writes what waits now, for a question that must see it. Rows of which there
// is one, such as loans, are written at the end.
func (g *group) flushEvents() error {
	b := g.rows
	g.rows = &pgx.Batch{}
	if queueEvents(b, []*group{g}); b.Len() == 0 {
		return nil
	}
	return g.tx.SendBatch(g.ctx, b).Close()
}
