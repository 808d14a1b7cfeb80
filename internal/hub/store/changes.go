package store

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
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
		changed := s.listen(from.Lab)
		c, err := s.changes(ctx, from, epoch, int64(since))
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

// stationsOf are the stations of a lab.
func stationsOf(ctx context.Context, tx pgx.Tx, lab int64) (all []wire.Member, err error) {
	rows, err := tx.Query(ctx, memberRows, lab)
	if err != nil {
		return nil, err
	}
	of, err := scanMembers(rows)
	for _, m := range of {
		if !m.Left {
			all = append(all, m.Member)
		}
	}
	return all, err
}

// few is of how many stations the list is sent to each of them now and then, so that they
// know when others were heard.
const few = 100

// fewStations are the stations of a lab that has few.
func (s *Store) fewStations(ctx context.Context, lab int64) (all []wire.Member, err error) {
	err = s.read(ctx, func(tx pgx.Tx) (err error) {
		var n int
		if err := tx.QueryRow(ctx, `select count(*) from station where lab = $1 and token is not null`, lab).Scan(&n); err != nil || n > few {
			return err
		}
		all, err = stationsOf(ctx, tx, lab)
		return err
	})
	return all, err
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

// changes reads one page.
func (s *Store) changes(ctx context.Context, from Sender, epoch, since int64) (c wire.Changes, err error) {
	c = wire.Changes{Subjects: []wire.Subject{}, Loans: []wire.Loan{}}
	err = s.read(ctx, func(tx pgx.Tx) error {
		c.Subjects, c.Loans, c.Stations = c.Subjects[:0], c.Loans[:0], nil
		var ver, members int64
		err := tx.QueryRow(ctx, `select l.epoch, l.ver, l.members_ver, greatest(l.newest, clock_timestamp()) from lab l join station s on s.lab = l.id where l.id = $1 and s.name = $2 and s.token = $3`,
			from.Lab, from.Name, from.token[:]).Scan(&c.Epoch, &ver, &members, &c.At)
		if err == pgx.ErrNoRows {
			return errNoToken
		}
		if err != nil {
			return err
		}
		c.At = c.At.UTC()
		if c.Epoch != epoch {
			since = 0
		}
		if since > ver {
			return errAhead
		}
		if since == ver {
			c.Ver = uint64(since)
			return nil
		}
		if err := page(ctx, tx, from.Lab, since, &c); err != nil {
			return err
		}
		if !c.More {
			c.Ver = uint64(ver)
		}
		if members > since && members <= int64(c.Ver) {
			c.Stations, err = stationsOf(ctx, tx, from.Lab)
			return err
		}
		return nil
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
