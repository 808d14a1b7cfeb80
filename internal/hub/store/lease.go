package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/internal/lab/wire"
)

const (
	// leaseTime is how long a station has a work without asking for it again. It asks three
	// times as often.
	leaseTime = 2 * time.Minute
	// doneTime is how long it is known what was done: longer than people are reminded of a loan.
	doneTime = 3 * 366 * 24 * time.Hour
	// mostDone is how many things one question may name, and mostWord how many bytes each has.
	mostDone, mostWord = 500, 1000
)

// Lease gives a station a work that one of the lab does for all, or lets it go on with it. Who
// has it keeps it for a while; then whoever asks first has it, under a higher fence. Of what the
// station is about to do it answers what nobody has done yet. Errors: a *Problem with the code
// "fenced" where the fence is that of a station which had the work before.
func (s *Store) Lease(ctx context.Context, from Sender, ask *wire.Lease) (got wire.Leased, err error) {
	if ask.Work == "" || len(ask.Work) > mostWord || len(ask.Done) > mostDone {
		return got, problem(wire.CodeInvalid, "ask for less at once", "the work has no name, or a long one, or there is too much of it")
	}
	for _, what := range ask.Done {
		if len(what) > mostWord {
			return got, problem(wire.CodeInvalid, "give it a shorter name", "what is to be done has a name of %d bytes", len(what))
		}
	}
	err = s.write(ctx, func(tx pgx.Tx) error {
		got = wire.Leased{Fresh: []string{}}
		l, err := lockLease(ctx, tx, from, ask.Work)
		if err != nil {
			return err
		}
		switch mine, over := l.station == from.Name, !l.now.Before(l.until); {
		case ask.Fence != 0 && (!mine || ask.Fence != uint64(l.fence)):
			return errFenced
		case ask.Fence != 0:
		case !mine && !over:
			got.For = int64(l.until.Sub(l.now))
			return nil
		default:
			if l.fence++; !mine {
				_, err = tx.Exec(ctx, `delete from done where lab = $1 and at < $2`, from.Lab, l.now.Add(-doneTime))
			}
		}
		if err != nil {
			return err
		}
		got.Fence, got.For = uint64(l.fence), int64(s.leaseTime)
		if _, err := tx.Exec(ctx, `update lease set station = $3, fence = $4, until = $5 where lab = $1 and work = $2`, from.Lab, ask.Work, from.Name, l.fence, l.now.Add(s.leaseTime)); err != nil {
			return err
		}
		// What the station itself has asked for before, it has perhaps not done.
		rows, err := tx.Query(ctx, `insert into done (lab, work, what, station, at) select $1, $2, what, $4, $5 from unnest($3::text[]) as w(what)
on conflict (lab, work, what) do update set at = excluded.at where done.station = excluded.station returning what`, from.Lab, ask.Work, ask.Done, from.Name, l.now)
		if err != nil {
			return err
		}
		got.Fresh, err = pgx.AppendRows(got.Fresh, rows, pgx.RowTo[string])
		return err
	})
	return got, err
}

var errFenced = problem(wire.CodeFenced, "nothing is to be done: the other one does it", "another station of the lab does this now")

// lease is a row of the leases, locked.
type lease struct {
	station    string
	fence      int64
	until, now time.Time
}

// lockLease locks the row of a work until tx ends. A new one is nobody's.
func lockLease(ctx context.Context, tx pgx.Tx, from Sender, work string) (l lease, err error) {
	b := &pgx.Batch{}
	b.Queue(`select 1 from station where lab = $1 and name = $2 and token = $3`, from.Lab, from.Name, from.token[:]).QueryRow(func(row pgx.Row) error {
		var member int
		if err := row.Scan(&member); errors.Is(err, pgx.ErrNoRows) {
			return errNoToken
		} else if err != nil {
			return err
		}
		return nil
	})
	b.Queue(`insert into lease (lab, work, station, fence, until) values ($1, $2, '', 0, clock_timestamp()) on conflict (lab, work) do nothing`, from.Lab, work)
	b.Queue(`select station, fence, until from lease where lab = $1 and work = $2 for update`, from.Lab, work).QueryRow(func(row pgx.Row) error {
		return row.Scan(&l.station, &l.fence, &l.until)
	})
	b.Queue(`select clock_timestamp()`).QueryRow(func(row pgx.Row) error { return row.Scan(&l.now) })
	return l, tx.SendBatch(ctx, b).Close()
}

// outdated reports whether a station sends what it has done under a lease that is another's by now.
func (g *group) outdated(j *job) (is bool, err error) {
	if j.Fence == 0 {
		return false, nil
	}
	var (
		station string
		fence   int64
	)
	err = g.tx.QueryRow(g.ctx, `select station, fence from lease where lab = $1 and work = $2 for update`, g.id, j.Work).Scan(&station, &fence)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil // the database has lost it, with whoever came after
	}
	return station != j.from.Name || uint64(fence) != j.Fence, err
}
