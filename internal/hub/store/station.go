package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/internal/lab/wire"
)

// Sender is the station that a token belongs to.
type Sender struct {
	Lab   int64
	Name  string
	token [32]byte
}

// station is a row of the stations.
type station struct {
	name           string
	chain          checkout.Hash
	token          [32]byte
	version, fault string
	url            string
	changed        bool
}

// chainBytes is the chain as the database has it.
func (st *station) chainBytes() []byte {
	if st.chain.IsZero() {
		return nil
	}
	return st.chain[:]
}

// known is whose a token is, as it was lately.
type known struct {
	Sender
	until time.Time
}

// trustFor is how long a token is not asked of again. What changes anything looks at it
// once more.
const trustFor = 5 * time.Second

// mostKnown is how many tokens are remembered.
const mostKnown = 50_000

// Sender returns whose a token is. Errors: a *Problem if it is nobody's.
func (s *Store) Sender(ctx context.Context, token string) (Sender, error) {
	d, now := digest(token), time.Now()
	s.mu.Lock()
	k, ok := s.known[d]
	s.mu.Unlock()
	if ok && now.Before(k.until) {
		return k.Sender, nil
	}
	from := Sender{token: d}
	err := s.pool.QueryRow(ctx, `select lab, name from station where token = $1`, d[:]).Scan(&from.Lab, &from.Name)
	if errors.Is(err, pgx.ErrNoRows) {
		return from, errNoToken
	}
	if err != nil {
		return from, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.known) >= mostKnown {
		clear(s.known)
	}
	s.known[d] = known{from, now.Add(trustFor)}
	return from, nil
}

// Head is what the hub has of a station.
func (s *Store) Head(ctx context.Context, from Sender) (h wire.Head, err error) {
	var (
		ver, seq *int64
		chain    []byte
	)
	err = s.pool.QueryRow(ctx, `select l.epoch, l.ver, greatest(l.newest, clock_timestamp()), s.name, c.seq, c.hash from lab l
join station s on s.lab = l.id left join chain c on c.lab = s.lab and c.genesis = s.chain where l.id = $1 and s.name = $2 and s.token = $3`, from.Lab, from.Name, from.token[:]).
		Scan(&h.Epoch, &ver, &h.At, &h.Name, &seq, &chain)
	if errors.Is(err, pgx.ErrNoRows) {
		return h, errNoToken
	}
	if err != nil {
		return h, err
	}
	h.Ver, h.At = uint64(*ver), h.At.UTC()
	if p := placeOf(chain, seq); p.Seq != 0 {
		h.Newest = wire.Link{Seq: p.Seq, Hash: p.Chain.String()}
	}
	return h, nil
}

// Leave takes a station out of its lab. What it did stays.
func (s *Store) Leave(ctx context.Context, from Sender) error {
	var l *lab
	err := s.write(ctx, func(tx pgx.Tx) (err error) {
		if l, err = s.lock(ctx, tx, from.Lab); err != nil {
			return err
		}
		done, err := tx.Exec(ctx, `update station set token = null where lab = $1 and name = $2 and token = $3`, from.Lab, from.Name, from.token[:])
		if err != nil {
			return err
		}
		if done.RowsAffected() == 0 {
			return errNoToken
		}
		return l.changeMembers(ctx, tx)
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	delete(s.known, from.token)
	s.mu.Unlock()
	s.tell(from.Lab, l.epoch, l.ver)
	return nil
}

// changeMembers gives the list of stations a new version.
func (l *lab) changeMembers(ctx context.Context, tx pgx.Tx) error {
	l.members = l.next()
	b := &pgx.Batch{}
	save(b, l)
	return tx.SendBatch(ctx, b).Close()
}

// Station is a member of a lab, as an admin sees it.
type Station struct {
	wire.Member
	Left bool `json:"left"`
	// Unerased are people who were erased, and of whom the station has not heard so yet.
	Unerased []string `json:"unerased"`
}

// memberRows is the list of stations. A lag of 10,000 is that or more.
const memberRows = `select s.name, s.chain, s.heard, s.version, s.fault, s.url, s.office, s.token is null,
  (select count(*) from (select 1 from subject r where r.lab = s.lab and r.ver > case when s.epoch = l.epoch then s.since else 0 end limit 5000) as r) +
  (select count(*) from (select 1 from device_loan d where d.lab = s.lab and d.ver > case when s.epoch = l.epoch then s.since else 0 end limit 5000) as d)
from station s join lab l on l.id = s.lab where s.lab = $1 order by s.name`

// scanMembers reads rows of memberRows.
func scanMembers(rows pgx.Rows) (all []Station, err error) {
	var (
		one   Station
		chain []byte
		lag   int64
	)
	_, err = pgx.ForEachRow(rows, []any{&one.Name, &chain, &one.Heard, &one.Version, &one.Fault, &one.URL, &one.Office, &one.Left, &lag}, func() error {
		st := one
		var h checkout.Hash
		copy(h[:], chain)
		st.Chain, st.Heard, st.Lag = h.String(), one.Heard.UTC(), uint64(lag)
		all = append(all, st)
		return nil
	})
	return all, err
}

// Stations are those of a lab, also those that have left.
func (s *Store) Stations(ctx context.Context, lab int64) (all []Station, err error) {
	err = s.read(ctx, func(tx pgx.Tx) error {
		rows, err := tx.Query(ctx, memberRows, lab)
		if err != nil {
			return err
		}
		if all, err = scanMembers(rows); err != nil {
			return err
		}
		for i := range all {
			st := &all[i]
			st.Unerased = []string{}
			if st.Left {
				continue
			}
			rows, err := tx.Query(ctx, `select r.id from subject r join lab l on l.id = r.lab join station s on s.lab = r.lab and s.name = $2
where r.lab = $1 and r.kind = 'person' and r.erased and (r.ver > s.since or s.epoch <> l.epoch) order by r.id`, lab, st.Name)
			if err != nil {
				return err
			}
			if st.Unerased, err = pgx.AppendRows(st.Unerased, rows, pgx.RowTo[string]); err != nil {
				return err
			}
		}
		return nil
	})
	return all, err
}
