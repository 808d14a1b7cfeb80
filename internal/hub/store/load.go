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

// load queues what is to be known of jobs.
func (g *group) load(b *pgx.Batch, jobs []*job) {
	g.stations, g.chains, g.times = map[string]*station{}, map[checkout.Hash]*chain{}, map[checkout.Place]time.Time{}
	g.loans, g.subjects, g.tags = map[string]*loan{}, map[subjectKey]*subject{}, map[string]subjectKey{}
	g.alias, g.awaited = map[subjectKey]string{}, map[checkout.Place]time.Time{}
	w := want(jobs)
	g.loadStations(b, keys(w.stations))
	if len(w.chains) > 0 {
		g.loadAwaited(b, w.chains)
	}
	if len(w.bases) > 0 {
		g.loadBases(b, w.bases)
	}
	if len(w.devices)+len(w.people) > 0 {
		g.loadWho(b, keys(w.devices), keys(w.people))
	}
	if len(w.devices) > 0 {
		g.loadLoans(b, keys(w.devices))
	}
	if len(w.subjects) > 0 {
		g.loadSubjects(b, w.subjects)
	}
	if len(w.tags) > 0 {
		g.loadTags(b, keys(w.tags))
	}
}

// each queues a question. scan points to what a row is read into, and f takes it.
func each(b *pgx.Batch, scan []any, f func() error, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, scan, f)
		return err
	})
}

// loadStations reads stations with their chains.
func (g *group) loadStations(b *pgx.Batch, names []string) {
	var (
		name             string
		own, token, hash []byte
		version, fault   string
		seq              *int64
		ht               *time.Time
	)
	each(b, []any{&name, &own, &token, &version, &fault, &seq, &hash, &ht}, func() error {
		st := &station{name: name, version: version, fault: fault}
		copy(st.chain[:], own)
		copy(st.token[:], token)
		g.stations[name] = st
		if seq != nil {
			c := &chain{genesis: st.chain, seq: uint64(*seq), ht: ht.UTC()}
			copy(c.hash[:], hash)
			g.chains[c.genesis] = c
		}
		return nil
	}, `select s.name, s.chain, s.token, s.version, s.fault, c.seq, c.hash, c.ht from station s left join chain c on c.lab = s.lab and c.genesis = s.chain where s.lab = $1 and s.name = any($2)`, g.id, names)
}

// loadAwaited reads which events of chains the lab has lost, and others are based on.
func (g *group) loadAwaited(b *pgx.Batch, chains map[checkout.Hash]bool) {
	var (
		all     [][]byte
		genesis []byte
		seq     int64
		ht      time.Time
	)
	for h := range chains {
		all = append(all, h[:])
	}
	each(b, []any{&genesis, &seq, &ht}, func() error {
		g.awaited[placeOf(genesis, &seq)] = ht.UTC()
		return nil
	}, `select chain, seq, ht from awaited where lab = $1 and chain = any($2)`, g.id, all)
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

// loadWho reads who or what ids stand for.
func (g *group) loadWho(b *pgx.Batch, devices, people []string) {
	var kind, was, now string
	each(b, []any{&kind, &was, &now}, func() error {
		g.alias[subjectKey{kind, was}] = now
		return nil
	}, `select kind, was, now from alias where lab = $1 and kind in ('device', 'person') and was = any($2)`, g.id, append(devices, people...))
}

// loadNow reads the loans of what devices turned out to be.
func (g *group) loadNow() error {
	var more []string
	for key, now := range g.alias {
		if key.kind == deviceKind && g.loans[now] == nil {
			more = append(more, now)
		}
	}
	if more == nil {
		return nil
	}
	b := &pgx.Batch{}
	g.loadLoans(b, more)
	return g.tx.SendBatch(g.ctx, b).Close()
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
	}, `select `+loanColumns+` from device_loan where lab = $1 and device = any($2)`, g.id, devices)
}

// isNow is who or what an id stands for.
func (g *group) isNow(kind, id string) string {
	if now, ok := g.alias[subjectKey{kind, id}]; ok {
		return now
	}
	return id
}

// flush queues everything that has changed.
func (g *group) flush(b *pgx.Batch) {
	g.queueEvents(b)
	g.queueChains(b)
	for _, st := range g.stations {
		if st.changed {
			b.Queue(`update station set chain = $3, version = $4, fault = $5 where lab = $1 and name = $2`, g.id, st.name, st.chainBytes(), st.version, st.fault)
		}
	}
	g.queueLoans(b)
	g.queueSubjects(b)
	g.save(b)
}

func (g *group) queueChains(b *pgx.Batch) {
	var (
		all, hashes [][]byte
		seqs        []int64
		hts         []time.Time
	)
	for _, c := range g.chains {
		if c.changed {
			all, hashes, seqs, hts = append(all, c.genesis[:]), append(hashes, c.hash[:]), append(seqs, int64(c.seq)), append(hts, c.ht)
		}
	}
	if all != nil {
		b.Queue(`insert into chain (lab, genesis, seq, hash, ht) select $1, genesis, seq, hash, ht from unnest($2::bytea[], $3::bigint[], $4::bytea[], $5::timestamptz[]) as c(genesis, seq, hash, ht)
on conflict (lab, genesis) do update set seq = excluded.seq, hash = excluded.hash, ht = excluded.ht`, g.id, all, seqs, hashes, hts)
	}
}
