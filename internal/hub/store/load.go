package store

import (
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

// keysOf are keys of several labs.
type keysOf struct {
	labs         []int64
	kinds, names []string
	hashes       [][]byte
	seqs         []int64
}

func (k *keysOf) name(lab int64, name string) {
	k.labs, k.names = append(k.labs, lab), append(k.names, name)
}

func (k *keysOf) subject(lab int64, key subjectKey) {
	k.labs, k.kinds, k.names = append(k.labs, lab), append(k.kinds, key.kind), append(k.names, key.id)
}

func (k *keysOf) place(lab int64, p checkout.Place) {
	k.labs, k.hashes, k.seqs = append(k.labs, lab), append(k.hashes, p.Chain[:]), append(k.seqs, int64(p.Seq))
}

// load queues what is to be known of the jobs of all groups.
func load(b *pgx.Batch, groups map[int64]*group) {
	var stations, chains, bases, who, devices, subjects, tags keysOf
	for lab, g := range groups {
		w := want(g.jobs)
		for name := range w.stations {
			stations.name(lab, name)
		}
		for h := range w.chains {
			chains.place(lab, checkout.Place{Chain: h})
		}
		for p := range w.bases {
			bases.place(lab, p)
		}
		for id := range w.people {
			who.subject(lab, subjectKey{personKind, id})
		}
		for id := range w.devices {
			who.subject(lab, subjectKey{deviceKind, id})
			devices.name(lab, id)
		}
		for key := range w.subjects {
			subjects.subject(lab, key)
		}
		for tag := range w.tags {
			tags.name(lab, tag)
		}
	}
	for _, one := range []struct {
		keys  *keysOf
		queue func(*pgx.Batch, map[int64]*group, *keysOf)
	}{
		{&stations, loadStations}, {&chains, loadAwaited}, {&bases, loadBases}, {&who, loadWho}, {&devices, loadLoans}, {&subjects, loadSubjects}, {&tags, loadTags},
	} {
		if len(one.keys.labs) > 0 {
			one.queue(b, groups, one.keys)
		}
	}
}

// only is a group by itself, as load takes it.
func (g *group) only() map[int64]*group { return map[int64]*group{g.id: g} }

// each queues a question. scan points to what a row is read into, and f takes it.
func each(b *pgx.Batch, scan []any, f func() error, sql string, args ...any) {
	b.Queue(sql, args...).Query(func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, scan, f)
		return err
	})
}

// loadStations reads stations with their chains.
func loadStations(b *pgx.Batch, groups map[int64]*group, k *keysOf) {
	var (
		lab              int64
		name             string
		own, token, hash []byte
		version, fault   string
		url              string
		seq              *int64
		ht               *time.Time
	)
	each(b, []any{&lab, &name, &own, &token, &version, &fault, &url, &seq, &hash, &ht}, func() error {
		st := &station{name: name, version: version, fault: fault, url: url}
		copy(st.chain[:], own)
		copy(st.token[:], token)
		groups[lab].stations[name] = st
		if seq != nil {
			c := &chain{genesis: st.chain, seq: uint64(*seq), ht: ht.UTC()}
			copy(c.hash[:], hash)
			groups[lab].chains[c.genesis] = c
		}
		return nil
	}, `select s.lab, s.name, s.chain, s.token, s.version, s.fault, s.url, c.seq, c.hash, c.ht from unnest($1::bigint[], $2::text[]) as w(lab, name)
join station s on s.lab = w.lab and s.name = w.name left join chain c on c.lab = s.lab and c.genesis = s.chain`, k.labs, k.names)
}

// loadAwaited reads which events of chains the lab has lost, and others are based on.
func loadAwaited(b *pgx.Batch, groups map[int64]*group, k *keysOf) {
	var (
		lab, seq int64
		genesis  []byte
		ht       time.Time
	)
	each(b, []any{&lab, &genesis, &seq, &ht}, func() error {
		groups[lab].awaited[placeOf(genesis, &seq)] = ht.UTC()
		return nil
	}, `select a.lab, a.chain, a.seq, a.ht from unnest($1::bigint[], $2::bytea[]) as w(lab, chain) join awaited a on a.lab = w.lab and a.chain = w.chain`, k.labs, k.hashes)
}

// loadBases reads the lab times of events that others are based on.
func loadBases(b *pgx.Batch, groups map[int64]*group, k *keysOf) {
	var (
		lab, seq int64
		chain    []byte
		ht       time.Time
	)
	each(b, []any{&lab, &chain, &seq, &ht}, func() error {
		groups[lab].times[placeOf(chain, &seq)] = ht.UTC()
		return nil
	}, `select e.lab, e.chain, e.seq, e.ht from unnest($1::bigint[], $2::bytea[], $3::bigint[]) as w(lab, chain, seq)
join event e on e.lab = w.lab and e.chain = w.chain and e.seq = w.seq`, k.labs, k.hashes, k.seqs)
}

// loadWho reads who or what ids stand for.
func loadWho(b *pgx.Batch, groups map[int64]*group, k *keysOf) {
	var (
		lab            int64
		kind, was, now string
	)
	each(b, []any{&lab, &kind, &was, &now}, func() error {
		groups[lab].alias[subjectKey{kind, was}] = now
		return nil
	}, `select a.lab, a.kind, a.was, a.now from unnest($1::bigint[], $2::text[], $3::text[]) as w(lab, kind, id)
join alias a on a.lab = w.lab and a.kind = w.kind and a.was = w.id`, k.labs, k.kinds, k.names)
}

// loadNow reads the loans of what devices turned out to be.
func (g *group) loadNow() error {
	var more keysOf
	for key, now := range g.alias {
		if key.kind == deviceKind && g.loans[now] == nil {
			more.name(g.id, now)
		}
	}
	if more.labs == nil {
		return nil
	}
	b := &pgx.Batch{}
	loadLoans(b, g.only(), &more)
	return g.tx.SendBatch(g.ctx, b).Close()
}

// loanColumns are those of a device_loan d.
const loanColumns = `d.lab, d.device, d.ver, d.chain, d.seq, d.ht, d.person, d.station, d.length, d.lost, d.kit, d.doubtful, d.said_ht, d.said_chain, d.said_seq`

// loanScan reads rows of loanColumns.
type loanScan struct {
	loan
	lab              int64
	chain, saidChain []byte
	seq              int64
	saidSeq          *int64
	saidHT           *time.Time
}

func (r *loanScan) into() []any {
	return []any{&r.lab, &r.device, &r.ver, &r.chain, &r.seq, &r.ht, &r.person, &r.station, &r.length, &r.lost, &r.kit, &r.doubtful, &r.saidHT, &r.saidChain, &r.saidSeq}
}

func (r *loanScan) row() *loan {
	l := r.loan
	l.ht, l.place, l.said = r.ht.UTC(), placeOf(r.chain, &r.seq), custody.Statement{Place: placeOf(r.saidChain, r.saidSeq)}
	if r.saidHT != nil {
		l.said.At = r.saidHT.UTC()
	}
	return &l
}

// loadLoans reads who has devices.
func loadLoans(b *pgx.Batch, groups map[int64]*group, k *keysOf) {
	var r loanScan
	each(b, r.into(), func() error {
		groups[r.lab].loans[r.device] = r.row()
		return nil
	}, `select `+loanColumns+` from unnest($1::bigint[], $2::text[]) as w(lab, device) join device_loan d on d.lab = w.lab and d.device = w.device`, k.labs, k.names)
}

// isNow is who or what an id stands for.
func (g *group) isNow(kind, id string) string {
	if now, ok := g.alias[subjectKey{kind, id}]; ok {
		return now
	}
	return id
}

// flush queues everything that has changed in labs.
func flush(b *pgx.Batch, groups []*group) {
	queueEvents(b, groups)
	queueChains(b, groups)
	labs := make([]*lab, len(groups))
	for i, g := range groups {
		labs[i] = g.lab
		for _, st := range g.stations {
			if st.changed {
				b.Queue(`update station set chain = $3, version = $4, fault = $5, url = $6 where lab = $1 and name = $2`, g.id, st.name, st.chainBytes(), st.version, st.fault, st.url)
			}
		}
	}
	queueLoans(b, groups)
	queueSubjects(b, groups)
	save(b, labs...)
}

func queueChains(b *pgx.Batch, groups []*group) {
	var (
		labs, seqs  []int64
		all, hashes [][]byte
		hts         []time.Time
	)
	for _, g := range groups {
		for _, c := range g.chains {
			if c.changed {
				labs, all, hashes, seqs, hts = append(labs, g.id), append(all, c.genesis[:]), append(hashes, c.hash[:]), append(seqs, int64(c.seq)), append(hts, c.ht)
			}
		}
	}
	if all != nil {
		b.Queue(`insert into chain (lab, genesis, seq, hash, ht) select * from unnest($1::bigint[], $2::bytea[], $3::bigint[], $4::bytea[], $5::timestamptz[])
on conflict (lab, genesis) do update set seq = excluded.seq, hash = excluded.hash, ht = excluded.ht`, labs, all, seqs, hashes, hts)
	}
}
