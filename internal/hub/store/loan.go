package store

import (
	"bytes"
	"cmp"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/checkout/custody"
	"stump/checkout/ledger/record"
)

// Erased stands for whoever was erased: it is no id that anybody can have.
const Erased = " erased"

// loan is the row of a device: its last statement, and what was said of it since.
type loan struct {
	device   string
	ver      int64
	place    checkout.Place
	ht       time.Time
	person   string
	station  string
	length   int64 // in seconds
	lost     bool
	kit      string
	doubtful bool
	said     custody.Statement // place and time of the event that said something of it last
	changed  bool
}

func (l *loan) statement() custody.Statement {
	return custody.Statement{Place: l.place, At: l.ht, Device: l.device, Person: l.person}
}

// change gives a row that has changed a new version.
func (g *group) change(l *loan) { l.ver, l.changed = g.next(), true }

// nameOf is what the lab calls the station of a chain, which calls itself so in its events.
func (g *group) nameOf(chain checkout.Hash, itself string) string {
	for name, st := range g.stations {
		if st.chain == chain {
			return name
		}
	}
	return itself
}

// move takes a statement of who has a device.
func (g *group) move(s custody.Statement, e *event) error {
	l := g.loans[s.Device]
	if l == nil {
		l = &loan{device: s.Device}
		g.loans[s.Device] = l
	}
	before := l.statement()
	if before.Place != (checkout.Place{}) && custody.Newest(before, s) != s {
		return g.late(s)
	}
	sight := see(before, s, g.times)
	*l = loan{
		device: s.Device, place: s.Place, ht: s.At, person: s.Person, station: g.nameOf(s.Chain, e.Station),
		length: int64(e.Loan / time.Second), kit: e.Kit, lost: e.Kind == checkout.Lost, doubtful: sight == custody.Doubtful || e.Mark == checkout.MarkDoubtful,
	}
	if l.person == "" {
		l.length = 0
	}
	g.change(l)
	return g.list(sight, before, s)
}

// see is custody.See of a statement whose base the lab may never have had: that was before
// the station joined, and so nothing was missed.
func see(before, s custody.Statement, times map[checkout.Place]time.Time) custody.Sight {
	if before.Place == (checkout.Place{}) && times[s.Base].IsZero() {
		return custody.Seen
	}
	return custody.See(before, s)
}

// say takes an event that says something of a loan: for how long it is, or that an admin
// has looked at it.
func (g *group) say(s custody.Statement, e *event) {
	l := g.loans[s.Device]
	if l == nil || l.place != s.Base || l.person == "" || custody.Compare(l.said, s) > 0 {
		return
	}
	switch {
	case (e.Kind == checkout.Extend || e.Kind == checkout.Correct) && e.Loan != 0:
		l.length = int64(e.Loan / time.Second)
	case e.Mark == checkout.MarkRight:
		l.doubtful = false
		g.rows.Queue(`update conflict set settled = $4 where lab = $1 and chain = $2 and seq = $3 and settled is null`, g.id, l.place.Chain[:], int64(l.place.Seq), s.At)
	default:
		return
	}
	l.said = s
	g.change(l)
}

// saidBefore takes what was said of a statement before the lab had it again.
func (g *group) saidBefore(s custody.Statement) error {
	if err := g.flushEvents(); err != nil {
		return err
	}
	rows, err := g.tx.Query(g.ctx, `select ht, record from event where lab = $1 and device = $2 and not moves and base_chain = $3 and base_seq = $4 order by ht, chain, seq`,
		g.id, s.Device, s.Chain[:], int64(s.Seq))
	if err != nil {
		return err
	}
	var (
		ht  time.Time
		raw []byte
	)
	_, err = pgx.ForEachRow(rows, []any{&ht, &raw}, func() error {
		ev, err := record.Decode(raw)
		if err == nil {
			g.say(custody.Statement{Place: checkout.Place{Chain: ev.Chain, Seq: ev.Seq}, Device: s.Device, Base: ev.Base, At: ht.UTC()}, &event{Event: &ev})
		}
		return err
	})
	return err
}

// late takes a statement that is not the newest of its device: nothing changes, but what
// comes after it in lab time may have been made without knowing of it. The row comes down
// again: until now its station has held its own statement for the newest.
func (g *group) late(s custody.Statement) error {
	g.change(g.loans[s.Device])
	if err := g.flushEvents(); err != nil {
		return err
	}
	return g.amid(s)
}

// amid looks again at a statement between others, and at the one after it. All are written.
func (g *group) amid(s custody.Statement) error {
	before, err := g.statement(s.Device, besideColumns+` and (ht, chain, seq) < ($3, $4, $5) order by ht desc, chain desc, seq desc limit 1`, s.At, s.Chain[:], int64(s.Seq))
	if err != nil {
		return err
	}
	after, err := g.statement(s.Device, besideColumns+` and (ht, chain, seq) > ($3, $4, $5) order by ht, chain, seq limit 1`, s.At, s.Chain[:], int64(s.Seq))
	if err != nil {
		return err
	}
	if err := g.list(see(before.Statement, s, g.times), before.Statement, s); err != nil {
		return err
	}
	if after.Seq == 0 {
		return nil
	}
	sight := see(s, after.Statement, g.times)
	if l := g.loans[s.Device]; after.Place == l.place {
		if err := g.doubt(l, sight == custody.Doubtful || after.mark == checkout.MarkDoubtful); err != nil {
			return err
		}
	}
	if sight == custody.Seen { // the lab had lost what it is based on
		g.rows.Queue(`delete from conflict where lab = $1 and chain = $2 and seq = $3 and settled is null`, g.id, after.Chain[:], int64(after.Seq))
	}
	return g.list(sight, s, after.Statement)
}

// doubt says of the last statement of a device whether it is doubtful, unless an admin has
// looked at it.
func (g *group) doubt(l *loan, doubtful bool) error {
	if l.doubtful == doubtful {
		return nil
	}
	var settled bool
	err := g.tx.QueryRow(g.ctx, `select count(*) > 0 from conflict where lab = $1 and chain = $2 and seq = $3 and settled is not null`, g.id, l.place.Chain[:], int64(l.place.Seq)).Scan(&settled)
	if err == nil && !settled {
		l.doubtful = doubtful
		g.change(l)
	}
	return err
}

// one returns a statement by its place.
func (g *group) one(device string, p checkout.Place) (marked, error) {
	return g.statement(device, besideColumns+` and chain = $3 and seq = $4`, p.Chain[:], int64(p.Seq))
}

// marked is a statement that was read again, with its mark.
type marked struct {
	custody.Statement
	mark checkout.Mark
}

const besideColumns = `select chain, seq, ht, person, record from event where lab = $1 and device = $2 and moves`

// statement returns one statement of a device; the zero one if there is none.
func (g *group) statement(device, sql string, args ...any) (o marked, err error) {
	var (
		chain, raw []byte
		seq        int64
		person     *string
	)
	err = g.tx.QueryRow(g.ctx, sql, append([]any{g.id, device}, args...)...).Scan(&chain, &seq, &o.At, &person, &raw)
	if errors.Is(err, pgx.ErrNoRows) {
		return marked{}, nil
	}
	if err != nil {
		return o, err
	}
	ev, err := record.Decode(raw)
	if err != nil {
		return o, err
	}
	o.Device, o.Place, o.Base, o.At, o.mark = device, placeOf(chain, &seq), ev.Base, o.At.UTC(), ev.Mark
	if ev.Kind == checkout.Checkout || ev.Kind == checkout.Handover {
		if o.Person = Erased; person != nil {
			o.Person = *person
		}
	}
	return o, nil
}

// placeOf reads the place of an event.
func placeOf(chain []byte, seq *int64) (p checkout.Place) {
	if seq == nil || len(chain) != len(p.Chain) {
		return p
	}
	return checkout.Place{Chain: checkout.Hash(chain), Seq: uint64(*seq)}
}

// list lists a statement whose station did not see the one before it.
func (g *group) list(sight custody.Sight, before, s custody.Statement) error {
	if sight == custody.Seen {
		return nil
	}
	g.rows.Queue(`insert into conflict (lab, id, kind, device, chain, seq, before_chain, before_seq, station, at)
values ($1, $2, $3, $4, $5, $6, $7, $8, '', $9)
on conflict (lab, chain, seq) do update set kind = excluded.kind, before_chain = excluded.before_chain, before_seq = excluded.before_seq`,
		g.id, g.next(), string(sight), s.Device, s.Chain[:], int64(s.Seq), nullPlace(before.Place), int64(before.Seq), s.At)
	return nil
}

func nullPlace(p checkout.Place) []byte {
	if p.Seq == 0 {
		return nil
	}
	return bytes.Clone(p.Chain[:])
}

const saveLoans = `insert into device_loan (lab, device, ver, chain, seq, ht, person, station, length, lost, kit, doubtful, said_ht, said_chain, said_seq)
select lab, device, ver, chain, seq, ht, person, station, length, lost, kit, doubtful, case when said_seq > 0 then said_ht end, nullif(said_chain, ''::bytea), nullif(said_seq, 0)
from unnest($1::bigint[], $2::text[], $3::bigint[], $4::bytea[], $5::bigint[], $6::timestamptz[], $7::text[], $8::text[], $9::bigint[], $10::boolean[], $11::text[], $12::boolean[], $13::timestamptz[], $14::bytea[], $15::bigint[])
as l(lab, device, ver, chain, seq, ht, person, station, length, lost, kit, doubtful, said_ht, said_chain, said_seq)
on conflict (lab, device) do update set ver = excluded.ver, chain = excluded.chain, seq = excluded.seq, ht = excluded.ht, person = excluded.person, station = excluded.station,
length = excluded.length, lost = excluded.lost, kit = excluded.kit, doubtful = excluded.doubtful, said_ht = excluded.said_ht, said_chain = excluded.said_chain, said_seq = excluded.said_seq`

func queueLoans(b *pgx.Batch, groups []*group) {
	var (
		devices, people, stations, kits     []string
		labs, vers, seqs, lengths, saidSeqs []int64
		chains, saidChains                  [][]byte
		hts, saids                          []time.Time
		lost, doubtful                      []bool
	)
	for _, g := range groups {
		for _, l := range g.loans {
			if !l.changed {
				continue
			}
			labs, devices, people, stations, kits = append(labs, g.id), append(devices, l.device), append(people, l.person), append(stations, l.station), append(kits, l.kit)
			vers, seqs, lengths, saidSeqs = append(vers, l.ver), append(seqs, int64(l.place.Seq)), append(lengths, l.length), append(saidSeqs, int64(l.said.Seq))
			chains, saidChains = append(chains, bytes.Clone(l.place.Chain[:])), append(saidChains, bytes.Clone(l.said.Chain[:]))
			hts, saids = append(hts, l.ht), append(saids, cmp.Or(l.said.At, epochStart))
			lost, doubtful = append(lost, l.lost), append(doubtful, l.doubtful)
		}
	}
	if labs != nil {
		b.Queue(saveLoans, labs, devices, vers, chains, seqs, hts, people, stations, lengths, lost, kits, doubtful, saids, saidChains, saidSeqs)
	}
}
