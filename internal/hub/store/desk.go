package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"

	"stump/internal/hint"
	"stump/internal/lab/wire"
)

// What waits at a lab is bounded: a station sends again what was not taken.
const (
	mostWaiting = 64 << 20 // bytes
	mostJobs    = 256      // in a transaction
	mostEvents  = 5000     // in a transaction
)

// job is an Append that waits to be committed.
type job struct {
	from Sender
	*parcel
	came time.Time
	done chan struct{}

	receipts []wire.Accepted
	err      error
}

// desk is where what changes a lab waits for its lock. Whoever comes while others are
// committed is committed together with all who have come meanwhile: a commit waits for the
// disk, and takes no longer for many.
type desk struct {
	queue []*job
	bytes int
	busy  bool

	// epoch and ver are the newest that are known, and changed is closed when they change.
	epoch, ver int64
	changed    chan struct{}
	waiting    int // who waits for that
}

// desk returns that of a lab. mu is held.
func (s *Store) desk(lab int64) *desk {
	d := s.labs[lab]
	if d == nil {
		d = &desk{changed: make(chan struct{})}
		s.labs[lab] = d
	}
	return d
}

// errBusy is temporary.
var errBusy = hint.Errorf("send it again in a minute", "more waits at the hub than it can take")

// Busy reports whether an error is temporary, because too much waits.
func Busy(err error) bool { return err == errBusy }

// Append takes the next events of a station's chain, and what it has changed in the
// register: all of it, or nothing. Errors that the station can do something about are
// *Problem. When ctx ends, it may be taken all the same.
func (s *Store) Append(ctx context.Context, from Sender, a *wire.Append) ([]wire.Accepted, error) {
	p, err := open(a)
	if err != nil {
		return nil, err
	}
	j := &job{from: from, parcel: p, came: time.Now(), done: make(chan struct{})}
	s.mu.Lock()
	d := s.desk(from.Lab)
	if d.bytes+p.size > mostWaiting {
		s.mu.Unlock()
		return nil, errBusy
	}
	d.queue, d.bytes = append(d.queue, j), d.bytes+p.size
	if !d.busy {
		d.busy = true
		s.done.Go(func() { s.serve(from.Lab, d) })
	}
	s.mu.Unlock()
	select {
	case <-j.done:
		return j.receipts, j.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// serve commits what waits until nothing does.
func (s *Store) serve(lab int64, d *desk) {
	for {
		s.mu.Lock()
		n, events := 0, 0
		for n < len(d.queue) && n < mostJobs && (n == 0 || events+len(d.queue[n].events) <= mostEvents) {
			events += len(d.queue[n].events)
			n++
		}
		if n == 0 {
			d.queue, d.busy = nil, false
			s.mu.Unlock()
			return
		}
		jobs := d.queue[:n:n]
		d.queue = d.queue[n:]
		for _, j := range jobs {
			d.bytes -= j.size
		}
		s.mu.Unlock()
		s.commit(lab, jobs)
	}
}

// commitTime is how long a transaction may take.
const commitTime = time.Minute

// commit makes one transaction of jobs, or one of each where that fails: none must suffer
// from another's.
func (s *Store) commit(lab int64, jobs []*job) {
	err := s.take(lab, jobs)
	if len(jobs) > 1 && isOfData(err) {
		for _, j := range jobs {
			s.commit(lab, []*job{j})
		}
		return
	}
	for _, j := range jobs {
		if err != nil {
			j.receipts, j.err = nil, err
		}
		close(j.done)
	}
}

// isOfData reports whether the database has refused what was to be written, and not that
// something is written.
func isOfData(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") || strings.HasPrefix(pg.Code, "54"))
}
