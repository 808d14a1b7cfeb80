// Package signal keeps for half a year how well the readers of a station are read: for each
// week how many frames were good, and how many were refused for which fault. It is one small
// file, signal.json in the state folder.
//
// Counting costs a tap nothing: now and then the store's task reads what the readers have
// counted since their start. An SD card wears out, so the file is written every few hours and
// at the end; a power cut costs those hours.
package signal

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"stump/internal/safefile"
)

// FileName is the store's file in the state folder.
const FileName = "signal.json"

// Weeks is how many weeks are kept of a reader, and every how often the readers are asked.
const (
	Weeks = 26
	every = 4 * time.Hour
)

// Week is how a reader was read in a week. Good are its good reads, and Bad the refused
// frames by fault.
type Week struct {
	Begins string            `json:"begins"` // a Monday, 2026-11-30
	Good   uint64            `json:"good"`
	Bad    map[string]uint64 `json:"bad"`
}

// Refused are all refused frames of the week.
func (w Week) Refused() (n uint64) {
	for _, bad := range w.Bad {
		n += bad
	}
	return n
}

// Share is which share of the frames were good, in percent; 100 of none.
func (w Week) Share() float64 {
	if w.Good+w.Refused() == 0 {
		return 100
	}
	return 100 * float64(w.Good) / float64(w.Good+w.Refused())
}

// Count is what a reader has counted since its start.
type Count struct {
	Good uint64
	Bad  map[string]uint64
}

// Options are what a store works with.
type Options struct {
	// Count reads what each reader has counted, by its name.
	Count func() map[string]Count
	// Now is the wall clock in the lab's zone, and whether it is right: what is counted
	// before it is, counts for the week in which it is set.
	Now func() (time.Time, bool)
	Log *slog.Logger // nil is silent
}

// Store is the weeks and their file. It is a task, and safe for concurrent use.
type Store struct {
	o    Options
	path string

	mu    sync.Mutex
	weeks map[string][]Week // by reader, the oldest first
	seen  map[string]Count  // at the last look
	news  bool              // there is more than in the file
}

// Open reads the file in the state folder. One that can't be read counts as empty.
func Open(dir string, o Options) *Store {
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	s := &Store{o: o, path: filepath.Join(dir, FileName), weeks: map[string][]Week{}, seen: map[string]Count{}}
	raw, err := os.ReadFile(s.path)
	if err == nil {
		err = json.Unmarshal(raw, &s.weeks)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		o.Log.Warn("how the readers were read can't be read; it is counted anew", "file", s.path, "err", err)
	}
	if err != nil || s.weeks == nil {
		s.weeks = map[string][]Week{} // also of half a file nothing
	}
	return s
}

// Of returns the weeks of a reader, the oldest first, with what was counted up to now.
func (s *Store) Of(reader string) []Week {
	if s == nil {
		return nil
	}
	s.look()
	s.mu.Lock()
	defer s.mu.Unlock()
	weeks := slices.Clone(s.weeks[reader])
	for i := range weeks {
		weeks[i].Bad = maps.Clone(weeks[i].Bad)
	}
	return weeks
}

// look adds what the readers have counted since the last look.
func (s *Store) look() {
	now, right := s.o.Now()
	if !right {
		return
	}
	y, m, d := now.Date()
	monday := time.Date(y, m, d-(int(now.Weekday())+6)%7, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
	counts := s.o.Count()
	s.mu.Lock()
	defer s.mu.Unlock()
	for reader, count := range counts {
		seen := s.seen[reader]
		s.seen[reader] = Count{count.Good, maps.Clone(count.Bad)}
		good, bad := count.Good-seen.Good, map[string]uint64{}
		for fault, n := range count.Bad {
			if n > seen.Bad[fault] {
				bad[fault] = n - seen.Bad[fault]
			}
		}
		if good == 0 && len(bad) == 0 {
			continue
		}
		s.news = true
		w := s.week(reader, monday)
		w.Good += good
		for fault, n := range bad {
			w.Bad[fault] += n
		}
	}
}

// week is the week of a reader that begins on a day.
func (s *Store) week(reader, monday string) *Week {
	weeks := s.weeks[reader]
	i, there := slices.BinarySearchFunc(weeks, monday, func(w Week, day string) int { return cmp.Compare(w.Begins, day) })
	if !there {
		weeks = slices.Insert(weeks, i, Week{Begins: monday, Bad: map[string]uint64{}})
		if over := len(weeks) - Weeks; over > 0 {
			weeks = slices.Delete(weeks, 0, over)
			i = max(i-over, 0)
		}
		s.weeks[reader] = weeks
	}
	if weeks[i].Bad == nil {
		weeks[i].Bad = map[string]uint64{}
	}
	return &weeks[i]
}

func (s *Store) String() string { return "weeks of the readers" }

// Run counts and writes until ctx is done, and then once more.
func (s *Store) Run(ctx context.Context) error {
	for end := false; !end; {
		select {
		case <-time.After(every):
		case <-ctx.Done():
			end = true
		}
		s.look()
		s.write()
	}
	return nil
}

// write replaces the file, unless that says it all. A disk that fails is tried again after
// the next hours.
func (s *Store) write() {
	s.mu.Lock()
	news := s.news
	raw, err := json.Marshal(s.weeks)
	s.news = false
	s.mu.Unlock()
	if !news {
		return
	}
	if err == nil {
		err = safefile.Write(s.path, append(raw, '\n'), 0o640)
	}
	if err != nil {
		s.mu.Lock()
		s.news = true
		s.mu.Unlock()
		s.o.Log.Warn("how the readers were read is not saved", "file", s.path, "err", err)
	}
}
