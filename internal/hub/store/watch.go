package store

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
)

// newest is the newest that a hub knows of a lab.
type newest struct{ epoch, ver int64 }

// listen returns what is known of a lab, and what is closed when that changes.
func (s *Store) listen(lab int64) (newest, <-chan struct{}) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := s.desk(lab)
	d.waiting++
	return d.newest, d.changed
}

func (s *Store) unlisten(lab int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.desk(lab).waiting--
}

// tell wakes those who wait for a change of a lab.
func (s *Store) tell(lab, epoch, ver int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if d, now := s.desk(lab), (newest{epoch, ver}); d.newest != now {
		d.newest = now
		close(d.changed)
		d.changed = make(chan struct{})
	}
}

// lookEvery is how soon a hub learns of what another one has changed.
const lookEvery = 250 * time.Millisecond

// watch asks for what other hubs have changed, of the labs for which somebody waits.
func (s *Store) watch(ctx context.Context) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var labs []int64
		s.mu.Lock()
		for id, d := range s.labs {
			if d.waiting > 0 {
				labs = append(labs, id)
			}
		}
		s.mu.Unlock()
		if labs == nil {
			continue
		}
		rows, _ := s.pool.Query(ctx, `select id, epoch, ver from lab where id = any($1)`, labs)
		var id, epoch, ver int64
		_, err := pgx.ForEachRow(rows, []any{&id, &epoch, &ver}, func() error {
			s.tell(id, epoch, ver)
			return nil
		})
		if err != nil && ctx.Err() == nil {
			s.log.Warn("can't ask for changes", "err", err)
		}
	}
}

// place is a station of a lab.
type place struct {
	lab  int64
	name string
}

// asked is when a station was heard, and the rows that it has.
type asked struct {
	at           time.Time
	epoch, since int64
	rows         bool // else it only was heard
}

// Heard notes that a station was heard.
func (s *Store) Heard(from Sender) { s.heard(from, asked{}) }

func (s *Store) heard(from Sender, a asked) {
	a.at = time.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	p := place{from.Lab, from.Name}
	if was := s.asked[p]; was.rows && !a.rows {
		a.epoch, a.since, a.rows = was.epoch, was.since, true
	}
	s.asked[p] = a
}

// noteEvery is how often it is written when stations were heard.
const noteEvery = 2 * time.Second

// note writes when stations were heard, all at once.
func (s *Store) note(ctx context.Context) {
	tick := time.NewTicker(noteEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), noteEvery)
			defer cancel()
			s.noteNow(last)
			return
		case <-tick.C:
			s.noteNow(ctx)
		}
	}
}

func (s *Store) noteNow(ctx context.Context) {
	s.mu.Lock()
	all := s.asked
	s.asked = map[place]asked{}
	s.mu.Unlock()
	for some := range slices.Chunk(slices.SortedFunc(maps.Keys(all), place.compare), 1000) {
		if err := s.noteSome(ctx, some, all); err != nil {
			s.log.Warn("can't note which stations were heard", "err", err)
			return
		}
	}
}

// noteSome writes what some stations have asked, in the order of their names, so that two
// hubs don't wait for each other.
func (s *Store) noteSome(ctx context.Context, some []place, all map[place]asked) error {
	n := len(some)
	labs, names, at := make([]int64, n), make([]string, n), make([]time.Time, n)
	epochs, sinces, rows := make([]int64, n), make([]int64, n), make([]bool, n)
	for i, p := range some {
		a := all[p]
		labs[i], names[i], at[i], epochs[i], sinces[i], rows[i] = p.lab, p.name, a.at, a.epoch, a.since, a.rows
	}
	return s.write(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update station s set heard = greatest(s.heard, a.at), epoch = case when a.rows then a.epoch else s.epoch end, since = case when a.rows then a.since else s.since end
from unnest($1::bigint[], $2::text[], $3::timestamptz[], $4::bigint[], $5::bigint[], $6::boolean[]) as a(lab, name, at, epoch, since, rows) where s.lab = a.lab and s.name = a.name`,
			labs, names, at, epochs, sinces, rows)
		return err
	})
}

func (p place) compare(o place) int {
	return cmp.Or(cmp.Compare(p.lab, o.lab), cmp.Compare(p.name, o.name))
}
