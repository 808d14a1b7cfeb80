package store

import (
	"context"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"stump/checkout"
	"stump/checkout/custody"
	"stump/internal/lab/wire"
)

// lab is the row of a lab, locked.
type lab struct {
	id         int64
	name       string
	epoch      int64
	seq, ver   int64
	members    int64     // the version of the list of stations
	newest     time.Time // the newest lab time that was given
	key        []byte    // the check of its site key
	now        time.Time // by the database's clock, never before newest
	before     [3]int64  // epoch, seq, ver as they were read
	membersWas int64
}

// lockLabs locks labs until the transaction ends, all in the same order. What follows in the
// batch sees what the one before has left, and the clock is asked when the locks have come.
func lockLabs(b *pgx.Batch, labs map[int64]*lab) {
	var row lab
	into := []any{&row.id, &row.name, &row.epoch, &row.seq, &row.ver, &row.members, &row.newest, &row.key}
	each(b, into, func() error {
		*labs[row.id] = row
		return nil
	}, `select id, name, epoch, seq, ver, members_ver, newest, key_check from lab where id = any($1) order by id for update`, slices.Sorted(maps.Keys(labs)))
	b.Queue(`select clock_timestamp()`).QueryRow(func(row pgx.Row) error {
		var now time.Time
		err := row.Scan(&now)
		for _, l := range labs {
			l.now = now
		}
		return err
	})
}

// locked is to be called when the batch is done.
func (s *Store) locked(l *lab) {
	if s.testOnlyClock != nil {
		l.now = s.testOnlyClock()
	}
	if l.now.Before(l.newest) {
		l.now = l.newest
	}
	l.before, l.membersWas = [3]int64{l.epoch, l.seq, l.ver}, l.members
}

// lock locks a lab until tx ends.
func (s *Store) lock(ctx context.Context, tx pgx.Tx, id int64) (*lab, error) {
	l, b := &lab{}, &pgx.Batch{}
	lockLabs(b, map[int64]*lab{id: l})
	err := tx.SendBatch(ctx, b).Close()
	s.locked(l)
	return l, err
}

// next is the version of the next row.
func (l *lab) next() int64 { l.ver++; return l.ver }

// lost begins a new epoch: the database has lost what was acknowledged. An epoch is named
// by the time, so that none comes twice, whatever the database is set back to.
func (l *lab) lost() { l.epoch = max(l.epoch+1, l.now.UnixMicro()) }

// save queues the rows of labs that have changed.
func save(b *pgx.Batch, labs ...*lab) {
	var (
		ids, epochs, seqs, vers, members []int64
		newest                           []time.Time
	)
	for _, l := range labs {
		if l.before != [3]int64{l.epoch, l.seq, l.ver} || l.membersWas != l.members {
			ids, epochs, seqs, vers, members, newest = append(ids, l.id), append(epochs, l.epoch), append(seqs, l.seq), append(vers, l.ver), append(members, l.members), append(newest, l.newest)
		}
	}
	if ids != nil {
		b.Queue(`update lab l set epoch = n.epoch, seq = n.seq, ver = n.ver, members_ver = n.members_ver, newest = n.newest
from unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::timestamptz[]) as n(id, epoch, seq, ver, members_ver, newest) where l.id = n.id`,
			ids, epochs, seqs, vers, members, newest)
	}
}

// chain is what the lab has of a chain.
type chain struct {
	genesis checkout.Hash
	seq     uint64
	hash    checkout.Hash
	ht      time.Time
	changed bool
}

func (c *chain) link() wire.Link { return wire.Link{Seq: c.seq, Hash: c.hash.String()} }

// group is what a transaction does to one lab.
type group struct {
	ctx context.Context
	tx  querier
	*lab
	jobs []*job
	keys func(lab string) (func(person string) []byte, error)
	// arrived is that of the store.
	arrived *arrivals

	stations map[string]*station
	chains   map[checkout.Hash]*chain
	times    map[checkout.Place]time.Time // lab times of bases
	loans    map[string]*loan
	subjects map[subjectKey]*subject
	tags     map[string]subjectKey
	alias    map[subjectKey]string
	awaited  map[checkout.Place]time.Time

	events []*event // that are not written yet
	rows   *pgx.Batch
}

// querier is a transaction, or a connection that has one.
type querier interface {
	Query(ctx context.Context, sql string, args ...any) (pgx.Rows, error)
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
	SendBatch(ctx context.Context, b *pgx.Batch) pgx.BatchResults
}

// take commits jobs in one transaction, and tells those who wait for changes.
func (s *Store) take(jobs []*job) error {
	ctx, cancel := context.WithTimeout(context.Background(), commitTime)
	defer cancel()
	var groups map[int64]*group
	err := again(ctx, func() error {
		return s.pool.AcquireFunc(ctx, func(conn *pgxpool.Conn) (err error) {
			if groups, err = s.takeBy(ctx, conn, jobs); err != nil && conn.Conn().PgConn().TxStatus() != 'I' {
				_, _ = conn.Exec(ctx, `rollback`) // else the pool throws the connection away
			}
			return err
		})
	})
	if err == nil {
		for id, g := range groups {
			s.tell(id, g.epoch, g.ver)
		}
	}
	return err
}

// takeBy commits jobs by a connection. Where nothing is out of the ordinary it asks twice:
// for the locks with all that it needs to know, and with all that it writes for the commit.
func (s *Store) takeBy(ctx context.Context, conn querier, jobs []*job) (map[int64]*group, error) {
	groups, labs := map[int64]*group{}, map[int64]*lab{}
	for _, j := range jobs {
		g := groups[j.from.Lab]
		if g == nil {
			g = newGroup(ctx, conn, j.from.Lab)
			g.keys, g.arrived = s.keys, &s.arrived
			groups[j.from.Lab], labs[j.from.Lab] = g, g.lab
		}
		g.jobs = append(g.jobs, j)
	}
	b := &pgx.Batch{}
	b.Queue(`begin`)
	lockLabs(b, labs)
	load(b, groups)
	if err := conn.SendBatch(ctx, b).Close(); err != nil {
		return nil, err
	}
	b = &pgx.Batch{}
	for _, g := range groups {
		s.locked(g.lab)
		if err := g.run(); err != nil {
			return nil, err
		}
		b.QueuedQueries = append(b.QueuedQueries, g.rows.QueuedQueries...)
	}
	flush(b, slices.Collect(maps.Values(groups)))
	b.Queue(`commit`)
	return groups, conn.SendBatch(ctx, b).Close()
}

func newGroup(ctx context.Context, conn querier, id int64) *group {
	return &group{
		ctx: ctx, tx: conn, lab: &lab{id: id}, rows: &pgx.Batch{},
		stations: map[string]*station{}, chains: map[checkout.Hash]*chain{}, times: map[checkout.Place]time.Time{}, loans: map[string]*loan{},
		subjects: map[subjectKey]*subject{}, tags: map[string]subjectKey{}, alias: map[subjectKey]string{}, awaited: map[checkout.Place]time.Time{},
	}
}

// run does the jobs of a lab.
func (g *group) run() error {
	if err := g.loadNow(); err != nil {
		return err
	}
	for _, j := range g.jobs {
		j.receipts = nil
		if j.err = g.job(j); isFatal(j.err) {
			return j.err
		}
	}
	return nil
}

// isFatal reports whether an error is of the transaction, and not of a job alone.
func isFatal(err error) bool {
	_, own := err.(*Problem)
	return err != nil && !own
}

// head is what the lab has of a station.
func (g *group) head(st *station) wire.Head {
	h := wire.Head{Epoch: g.epoch, Ver: uint64(g.ver), At: g.now, Name: st.name}
	if c := g.chains[st.chain]; c != nil {
		h.Newest = c.link()
	}
	return h
}

// job takes the events and patches of one station. What it refuses changes nothing.
func (g *group) job(j *job) error {
	st := g.stations[j.from.Name]
	switch {
	case st == nil || st.token != j.from.token:
		return errNoToken
	case j.chain.IsZero() && len(j.events) == 0: // of a station without events
	case st.chain.IsZero():
		if err := g.begin(st, j); err != nil {
			return err
		}
	case st.chain != j.chain:
		return problem(wire.CodeForged, "ask whoever keeps the hub", "this token is for another chain")
	}
	if st.chain.IsZero() {
		g.hears(st, j)
		return g.patches(j)
	}
	c := g.chains[st.chain]
	if c == nil { // the station joined with it, and the lab has none of its events
		c = &chain{genesis: st.chain}
		g.chains[st.chain] = c
	}
	old, err := g.known(st, c, j)
	if err != nil {
		return err
	}
	j.receipts = old
	g.hears(st, j)
	waited := time.Since(j.came)
	at := g.now.Add(-waited)
	sent := g.arrived.sent(st.chain, j.Boot, time.Duration(j.Mono), at)
	if at.Before(g.newest) {
		at = g.newest
	}
	if sent.Before(at) {
		at = sent
	}
	// The register comes first: a station that reads rows a page at a time must meet people and
	// devices before it hears of their loans.
	if err := g.patches(j); err != nil {
		return err
	}
	contact := custody.Contact{BootID: j.Boot, Mono: time.Duration(j.Mono), At: at}
	for i := len(old); i < len(j.events); i++ {
		receipt, err := g.accept(contact, c, &j.events[i], j.Records[i])
		if err != nil {
			return err
		}
		j.receipts = append(j.receipts, receipt)
	}
	return nil
}

// hears notes how a station is.
func (g *group) hears(st *station, j *job) {
	of := j.Station
	if !isSite(of.URL) {
		of.URL = ""
	}
	if of.Version != st.version || of.Fault != st.fault || of.URL != st.url {
		st.version, st.fault, st.url, st.changed = of.Version, of.Fault, of.URL, true
		g.members = g.next()
	}
}

// isSite reports whether an address can be that of a station's pages: admins follow it.
func isSite(address string) bool {
	u, err := url.Parse(address)
	return err == nil && (u.Scheme == "https" || u.Scheme == "http") && u.Host != "" && len(address) <= mostURL
}

// mostURL is how many bytes the address of a station may have.
const mostURL = 300

// begin gives a station the chain whose first event it sends.
func (g *group) begin(st *station, j *job) error {
	taken := false
	if err := g.tx.QueryRow(g.ctx, `select count(*) > 0 from chain where lab = $1 and genesis = $2`, g.id, j.chain[:]).Scan(&taken); err != nil {
		return err
	}
	switch {
	case taken || g.chains[j.chain] != nil:
		return problem(wire.CodeForked, "join this board with --as NAME, and it begins a chain of its own", "the chain is another station's, whose card was copied")
	case j.After.Seq != 0:
		if j.Epoch == 0 || j.Epoch == g.epoch {
			g.lost()
		}
		return behind(g.head(st))
	case len(j.events) == 0:
		return nil
	}
	g.chains[j.chain] = &chain{genesis: j.chain}
	st.chain, st.changed = j.chain, true
	g.members = g.next()
	return nil
}

// known returns the receipts of the events at the beginning of a job that the lab has
// already. The rest follows what it has.
func (g *group) known(st *station, c *chain, j *job) ([]wire.Accepted, error) {
	switch {
	case j.After.Seq > c.seq:
		if j.Epoch == 0 || j.Epoch == g.epoch {
			g.lost()
		}
		return nil, behind(g.head(st))
	case j.After.Seq == c.seq && j.after != c.hash:
		return nil, errForked
	case j.After.Seq == c.seq:
		return nil, nil
	case len(j.events) == 0:
		return nil, behind(g.head(st))
	}
	last := min(j.events[len(j.events)-1].Seq, c.seq)
	had, err := g.sent(c.genesis, max(j.After.Seq, 1), last)
	if err != nil {
		return nil, err
	}
	if j.After.Seq > 0 && had[j.After.Seq].hash != j.after {
		return nil, errForked
	}
	var old []wire.Accepted
	for i := range j.events {
		ev := &j.events[i]
		if ev.Seq > c.seq {
			break
		}
		if had[ev.Seq].hash != ev.Hash {
			return nil, errForked
		}
		old = append(old, had[ev.Seq].Accepted)
	}
	// What follows has to follow the newest that the lab has. Only a segment, which says
	// so, may leave out what the lab has and the station has lost.
	if n := len(old); n < len(j.events) {
		if first := &j.events[n]; first.Prev != c.hash && !isSegment(first, c.seq) {
			return nil, errForked
		}
	}
	return old, nil
}

var errForked = problem(wire.CodeForked, "if its card was copied, join this board with --as NAME, and it begins a chain of its own; if its ledger was restored, with --replace NAME",
	"another board has written other events into this chain")

var errNoToken = problem(wire.CodeNotHere, "join the station again, with a code of `stump-hub join-code`", "the station is not, or no longer, in this lab")
