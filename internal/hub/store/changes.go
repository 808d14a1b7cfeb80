package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/internal/lab/wire"
)

// Changes returns the rows that are newer than since, as soon as there are some, or none
// after a while. In another epoch they begin with the first.
func (s *Store) Changes(ctx context.Context, from Sender, epoch int64, since uint64, wait time.Duration) (wire.Changes, error) {
	s.heard(from, asked{epoch: epoch, since: int64(since), rows: true})
	end := time.Now().Add(wait)
	for {
		known, changed := s.listen(from.Lab)
		c, err := s.changes(ctx, from, question{from.Lab, epoch, int64(since), known})
		if err == errAhead {
			s.unlisten(from.Lab)
			if err := s.loseRows(ctx, from.Lab, epoch); err != nil {
				return c, err
			}
			continue
		}
		over := !time.Now().Before(end)
		if err != nil || c.Epoch != epoch || c.Ver > since || over {
			s.unlisten(from.Lab)
			if err == nil && over && c.Stations == nil {
				c.Stations, err = s.fewStations(ctx, from.Lab)
			}
			return c, err
		}
		err = await(ctx, changed, end)
		s.unlisten(from.Lab)
		if err != nil {
			return c, err
		}
	}
}

// The list of stations is sent to each of few whenever one is new, and now and then besides,
// so that they know when others were heard. Of some more a station gets it once, when it
// begins. In a larger lab it would be most of what is sent; only the hub has it.
const few, some = 100, 1000

// stationsOf are the stations of a lab, if they are no more than most.
func stationsOf(ctx context.Context, tx pgx.Tx, lab int64, most int) (list []wire.Member, err error) {
	var n int
	if err := tx.QueryRow(ctx, `select count(*) from (select 1 from station where lab = $1 and token is not null limit $2) as s`, lab, most+1).Scan(&n); err != nil || n > most {
		return nil, err
	}
	rows, err := tx.Query(ctx, memberRows, lab)
	if err != nil {
		return nil, err
	}
	of, err := scanMembers(rows)
	for _, m := range of {
		if !m.Left {
			list = append(list, m.Member)
		}
	}
	return list, err
}

// fewStations are the stations of a lab that has few.
func (s *Store) fewStations(ctx context.Context, lab int64) (list []wire.Member, err error) {
	err = s.read(ctx, func(tx pgx.Tx) (err error) {
		list, err = stationsOf(ctx, tx, lab, few)
		return err
	})
	return list, err
}

// await waits for a change, or for the end.
func await(ctx context.Context, changed <-chan struct{}, end time.Time) error {
	t := time.NewTimer(time.Until(end))
	defer t.Stop()
	select {
	case <-changed:
	case <-t.C:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	return nil
}

// errAhead says that a station has rows that the lab has not.
var errAhead = errors.New("the station has newer rows than the lab")

// loseRows begins a new epoch, unless another station has noticed it first.
func (s *Store) loseRows(ctx context.Context, id, epoch int64) error {
	return s.write(ctx, func(tx pgx.Tx) error {
		l, err := s.lock(ctx, tx, id)
		if err != nil || l.epoch != epoch {
			return err
		}
		l.lost()
		b := &pgx.Batch{}
		save(b, l)
		return tx.SendBatch(ctx, b).Close()
	})
}

// question is what a station asks. Thousands may wait with the same one: it is asked once of
// the database for all who ask at once, and know the same newest version. What was asked
// before that was known does not answer it.
type question struct {
	lab, epoch, since int64
	known             newest
}

// changes reads one page for a station.
func (s *Store) changes(ctx context.Context, from Sender, q question) (c wire.Changes, err error) {
	answers := s.asking.DoChan(fmt.Sprint(q), func() (any, error) {
		ctx, cancel := context.WithTimeout(context.Background(), readTime)
		defer cancel()
		return s.rows(ctx, q)
	})
	select {
	case <-ctx.Done():
		return c, context.Cause(ctx)
	case got := <-answers:
		a, _ := got.Val.(answer)
		if c = a.Changes; got.Err != nil || !a.others {
			return c, got.Err
		}
	}
	// It may not be one of the stations any more.
	var member bool
	err = s.pool.QueryRow(ctx, `select count(*) > 0 from station where lab = $1 and name = $2 and token = $3`, from.Lab, from.Name, from.token[:]).Scan(&member)
	if err == nil && !member {
		err = errNoToken
	}
	return c, err
}

// readTime is how long a page may take.
const readTime = 30 * time.Second

// answer is a page. others: the lab has other stations than before.
type answer struct {
	wire.Changes
	others bool
}

// rows reads one page.
func (s *Store) rows(ctx context.Context, q question) (c answer, err error) {
	err = s.read(ctx, func(tx pgx.Tx) error {
		c.others, c.Changes = false, wire.Changes{Subjects: []wire.Subject{}, Loans: []wire.Loan{}}
		var ver, members int64
		since := q.since
		err := tx.QueryRow(ctx, `select epoch, ver, members_ver, greatest(newest, clock_timestamp()) from lab where id = $1`, q.lab).Scan(&c.Epoch, &ver, &members, &c.At)
		if err != nil {
			return err
		}
		c.At = c.At.UTC()
		if c.Epoch != q.epoch {
			since = 0
		}
		if since > ver {
			return errAhead
		}
		if since == ver {
			c.Ver = uint64(since)
			return nil
		}
		if err := page(ctx, tx, q.lab, since, &c.Changes); err != nil {
			return err
		}
		if !c.More {
			c.Ver = uint64(ver)
		}
		if c.others = members > since && members <= int64(c.Ver); c.others {
			most := few
			if since == 0 {
				most = some
			}
			c.Stations, err = stationsOf(ctx, tx, q.lab, most)
		}
		return err
	})
	return c, err
}

// page reads the next rows into c, and cuts them where there are too many.
func page(ctx context.Context, tx pgx.Tx, lab, since int64, c *wire.Changes) error {
	b := &pgx.Batch{}
	var (
		sub subject
		doc []byte
		l   loanScan
	)
	each(b, []any{&sub.kind, &sub.id, &sub.ver, &doc}, func() error {
		sub.doc = nil
		if err := json.Unmarshal(doc, &sub.doc); err != nil {
			return err
		}
		c.Subjects = append(c.Subjects, sub.wire())
		return nil
	}, `select kind, id, ver, doc from subject where lab = $1 and ver > $2 order by ver limit $3`, lab, since, wire.MaxRows+1)
	each(b, l.into(), func() error {
		c.Loans = append(c.Loans, l.row().wire())
		return nil
	}, `select `+loanColumns+` from device_loan d where d.lab = $1 and d.ver > $2 order by d.ver limit $3`, lab, since, wire.MaxRows+1)
	if err := tx.SendBatch(ctx, b).Close(); err != nil {
		return err
	}
	if len(c.Subjects)+len(c.Loans) <= wire.MaxRows {
		return nil
	}
	vers := make([]uint64, 0, len(c.Subjects)+len(c.Loans))
	for _, s := range c.Subjects {
		vers = append(vers, s.Ver)
	}
	for _, l := range c.Loans {
		vers = append(vers, l.Ver)
	}
	slices.Sort(vers)
	c.More, c.Ver = true, vers[wire.MaxRows-1]
	n, _ := slices.BinarySearchFunc(c.Subjects, c.Ver+1, func(s wire.Subject, v uint64) int { return cmp.Compare(s.Ver, v) })
	m, _ := slices.BinarySearchFunc(c.Loans, c.Ver+1, func(l wire.Loan, v uint64) int { return cmp.Compare(l.Ver, v) })
	c.Subjects, c.Loans = c.Subjects[:n], c.Loans[:m]
	return nil
}

// wire is the loan as stations get it.
func (l *loan) wire() wire.Loan {
	return wire.Loan{
		Device: l.device, Ver: uint64(l.ver), Person: l.person, Chain: l.place.Chain.String(), Seq: l.place.Seq, At: l.ht,
		Station: l.station, Length: l.length, Lost: l.lost, Kit: l.kit, Doubtful: l.doubtful,
	}
}
