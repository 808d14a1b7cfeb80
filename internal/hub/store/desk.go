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

// What waits is bounded: a station sends again what was not taken.
const (
	mostWaiting = 192 << 20 // bytes
	mostJobs    = 256       // in a transaction
	mostEvents  = 5000      // in a transaction
	committers  = 4         // transactions at once
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

// desk is what a hub knows of a lab.
type desk struct {
	newest
	changed chan struct{} // is closed when that changes
	waiting int           // who waits for it
}

// queue is where what changes labs waits for its turn. Whoever comes while others are
// committed is committed together with all who have come meanwhile: a commit waits for the
// disk, and takes no longer for many. A lab is in one transaction at a time.
type queue struct {
	jobs    []*job
	bytes   int
	taking  map[int64]bool // labs
	working int            // committers
}

// some takes the next jobs out of the queue, of labs that are in no transaction.
func (q *queue) some() (jobs []*job) {
	events, rest := 0, q.jobs[:0:0]
	own := map[int64]bool{}
	for _, j := range q.jobs {
		lab := j.from.Lab
		if len(jobs) == mostJobs || len(jobs) > 0 && events+len(j.events) > mostEvents || q.taking[lab] && !own[lab] {
			rest = append(rest, j)
			continue
		}
		q.taking[lab], own[lab] = true, true
		jobs, events, q.bytes = append(jobs, j), events+len(j.events), q.bytes-j.size
	}
	q.jobs = rest
	return jobs
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
	q := &s.queue
	if q.bytes+p.size > mostWaiting {
		s.mu.Unlock()
		return nil, errBusy
	}
	q.jobs, q.bytes = append(q.jobs, j), q.bytes+p.size
	if q.working < committers && !q.taking[from.Lab] {
		q.working++
		s.done.Go(s.serve)
	}
	s.mu.Unlock()
	select {
	case <-j.done:
		return j.receipts, j.err
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// serve commits what waits until nothing does that it may take.
func (s *Store) serve() {
	for {
		s.mu.Lock()
		jobs := s.queue.some()
		if jobs == nil {
			s.queue.working--
			s.mu.Unlock()
			return
		}
		s.mu.Unlock()
		s.commit(jobs)
		s.mu.Lock()
		for _, j := range jobs {
			delete(s.queue.taking, j.from.Lab)
		}
		s.mu.Unlock()
		for _, j := range jobs {
			close(j.done)
		}
	}
}

// commitTime is how long a transaction may take.
const commitTime = time.Minute

// commit makes one transaction of jobs, or one of each where that fails: none must suffer
// from another's.
func (s *Store) commit(jobs []*job) {
	err := s.take(jobs)
	if len(jobs) > 1 && isOfData(err) {
		for _, j := range jobs {
			s.commit([]*job{j})
		}
		return
	}
	if err != nil {
		for _, j := range jobs {
			j.receipts, j.err = nil, err
		}
	}
}

// isOfData reports whether the database has refused what was to be written, and not that
// something is written.
func isOfData(err error) bool {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (strings.HasPrefix(pg.Code, "22") || strings.HasPrefix(pg.Code, "23") || strings.HasPrefix(pg.Code, "54"))
}
