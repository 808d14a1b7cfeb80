package store

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/checkout/custody"
)

// wanted is what jobs are about.
type wanted struct {
	stations, devices, people, tags map[string]bool
	chains                          map[checkout.Hash]bool
	bases                           map[checkout.Place]bool
	subjects                        map[subjectKey]bool
}

func want(jobs []*job) *wanted {
	w := &wanted{stations: map[string]bool{}, devices: map[string]bool{}, people: map[string]bool{}, tags: map[string]bool{},
		chains: map[checkout.Hash]bool{}, bases: map[checkout.Place]bool{}, subjects: map[subjectKey]bool{}}
	for _, j := range jobs {
		w.stations[j.from.Name] = true
		if !j.chain.IsZero() {
			w.chains[j.chain] = true
		}
		for i := range j.events {
			ev := &j.events[i]
			if ev.Base.Seq != 0 && (ev.Base.Chain != j.chain || ev.Base.Seq <= j.After.Seq) {
				w.bases[ev.Base] = true
			}
			w.devices[ev.Device] = true
			for _, id := range []string{ev.Person, ev.From, ev.Actor} {
				w.people[id] = true
			}
			if ev.Resolved != "" {
				w.people[ev.Resolved], w.devices[ev.Resolved] = true, true
			}
		}
		for i := range j.Patches {
			p := &j.Patches[i]
			w.subjects[subjectKey{p.Kind, p.ID}] = true
			for name := range p.Fields {
				if tag, ok := strings.CutPrefix(name, tagField); ok {
					w.tags[tag] = true
				}
			}
		}
	}
	delete(w.devices, "")
	delete(w.people, "")
	return w
}

func keys(m map[string]bool) []string { return slices.Collect(maps.Keys(m)) }

// load reads what jobs are about.
func (g *group) load(jobs []*job) error {
	g.stations, g.chains, g.times = map[string]*station{}, map[checkout.Hash]*chain{}, map[checkout.Place]time.Time{}
	g.loans, g.subjects, g.tags = map[string]*loan{}, map[subjectKey]*subject{}, map[string]subjectKey{}
	g.alias, g.erased, g.awaited = map[subjectKey]string{}, map[string]bool{}, map[checkout.Place]time.Time{}
	w, b := want(jobs), &pgx.Batch{}
	g.loadStations(b, keys(w.stations))
	if len(w.chains) > 0 {
		g.loadChains(b, w)
	}
	if len(w.bases) > 0 {
		g.loadBases(b, w.bases)
	}
	if len(w.devices)+len(w.people) > 0 {
		g.loadAliases(b, keys(w.devices), keys(w.people))
	}
	if len(w.devices) > 0 {
		g.loadLoans(b, keys(w.devices))
	}
	if len(w.people) > 0 {
		g.loadErased(b, keys(w.people))
	}
	if len(w.subjects) > 0 {
		g.loadSubjects(b, w.subjects)
	}
	if len(w.tags) > 0 {
		g.loadTags(b, keys(w.tags))
	}
	return g.tx.SendBatch(g.ctx, b).Close()
}

// each queues a question. scan points to what a row is read into, and f takes it.
func each(b *pgx.Batch, scan []any, f func() error, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, scan, f)
		return err
	})
}

func (g *group) loadStations(b *pgx.Batch, names []string) {
	var (
		name           string
		chain, token   []byte
		version, fault string
	)
	each(b, []any{&name, &chain, &token, &version, &fault}, func() error {
		st := &station{name: name, version: version, fault: fault}
		copy(st.chain[:], chain)
		copy(st.token[:], token)
		g.stations[name] = st
		return nil
	}, `select name, chain, token, version, fault from station where lab = $1 and name = any($2)`, g.id, names)
}

// loadChains reads the chains of the events and of their bases, and which events are
// awaited of them.
func (g *group) loadChains(b *pgx.Batch, w *wanted) {
	var (
		all           [][]byte
		genesis, hash []byte
		seq           int64
		ht            time.Time
	)
	for p := range w.bases {
		w.chains[p.Chain] = true
	}
	for h := range w.chains {
		all = append(all, h[:])
	}
	each(b, []any{&genesis, &seq, &ht}, func() error {
		g.awaited[placeOf(genesis, &seq)] = ht.UTC()
		return nil
	}, `select chain, seq, ht from awaited where lab = $1 and chain = any($2)`, g.id, all)
	each(b, []any{&genesis, &seq, &hash, &ht}, func() error {
		c := &chain{seq: uint64(seq), ht: ht.UTC()}
		copy(c.genesis[:], genesis)
		copy(c.hash[:], hash)
		g.chains[c.genesis] = c
		return nil
	}, `select genesis, seq, hash, ht from chain where lab = $1 and genesis = any($2)`, g.id, all)
}

func (g *group) loadBases(b *pgx.Batch, wanted map[checkout.Place]bool) {
	var (
		chains [][]byte
		seqs   []int64
		chain  []byte
		seq    int64
		ht     time.Time
	)
	for p := range wanted {
		chains, seqs = append(chains, p.Chain[:]), append(seqs, int64(p.Seq))
	}
	each(b, []any{&chain, &seq, &ht}, func() error {
		g.times[placeOf(chain, &seq)] = ht.UTC()
		return nil
	}, `select e.chain, e.seq, e.ht from unnest($2::bytea[], $3::bigint[]) as w(chain, seq) join event e on e.lab = $1 and e.chain = w.chain and e.seq = w.seq`, g.id, chains, seqs)
}

func (g *group) loadAliases(b *pgx.Batch, devices, people []string) {
	var kind, was, now string
	each(b, []any{&kind, &was, &now}, func() error {
		g.alias[subjectKey{kind, was}] = now
		return nil
	}, `select kind, was, now from alias where lab = $1 and (kind = 'device' and was = any($2) or kind = 'person' and was = any($3))`, g.id, devices, people)
}

const loanColumns = `device, ver, chain, seq, ht, person, station, length, lost, kit, doubtful, said_ht, said_chain, said_seq`

// loanScan reads rows of loanColumns.
type loanScan struct {
	loan
	chain, saidChain []byte
	seq              int64
	saidSeq          *int64
	saidHT           *time.Time
}

func (r *loanScan) into() []any {
	return []any{&r.device, &r.ver, &r.chain, &r.seq, &r.ht, &r.person, &r.station, &r.length, &r.lost, &r.kit, &r.doubtful, &r.saidHT, &r.saidChain, &r.saidSeq}
}

func (r *loanScan) row() *loan {
	l := r.loan
	l.ht, l.place, l.said = r.ht.UTC(), placeOf(r.chain, &r.seq), custody.Statement{Place: placeOf(r.saidChain, r.saidSeq)}
	if r.saidHT != nil {
		l.said.At = r.saidHT.UTC()
	}
	return &l
}

func (g *group) loadLoans(b *pgx.Batch, devices []string) {
	var r loanScan
	each(b, r.into(), func() error {
		g.loans[r.device] = r.row()
		return nil
	}, `select `+loanColumns+` from device_loan where lab = $1 and (device = any($2) or device in (select now from alias where lab = $1 and kind = 'device' and was = any($2)))`, g.id, devices)
}

func (g *group) loadErased(b *pgx.Batch, people []string) {
	var id string
	each(b, []any{&id}, func() error {
		g.erased[id] = true
		return nil
	}, `select id from subject where lab = $1 and kind = 'person' and erased and (id = any($2) or id in (select now from alias where lab = $1 and kind = 'person' and was = any($2)))`, g.id, people)
}

// isNow is who or what an id stands for.
func (g *group) isNow(kind, id string) string {
	if now, ok := g.alias[subjectKey{kind, id}]; ok {
		return now
	}
	return id
}

// flush writes everything that has changed.
func (g *group) flush() error {
	b := g.rows
	g.queueEvents(b)
	for _, c := range g.chains {
		if c.changed {
			b.Queue(`insert into chain (lab, genesis, seq, hash, ht) values ($1, $2, $3, $4, $5)
on conflict (lab, genesis) do update set seq = excluded.seq, hash = excluded.hash, ht = excluded.ht`, g.id, c.genesis[:], int64(c.seq), c.hash[:], c.ht)
		}
	}
	for _, st := range g.stations {
		if st.changed {
			b.Queue(`update station set chain = $3, version = $4, fault = $5 where lab = $1 and name = $2`, g.id, st.name, st.chainBytes(), st.version, st.fault)
		}
	}
	g.queueLoans(b)
	g.queueSubjects(b)
	g.save(b)
	if b.Len() == 0 {
		return nil
	}
	return g.tx.SendBatch(g.ctx, b).Close()
}
