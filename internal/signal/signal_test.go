package signal

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// lab has one reader and a clock.
type lab struct {
	mu    sync.Mutex
	dir   string
	now   time.Time
	wrong bool // the clock
	count Count
}

func (l *lab) open(t *testing.T) *Store {
	t.Helper()
	return Open(l.dir, Options{
		Now: func() (time.Time, bool) { return l.now, !l.wrong },
		Count: func() map[string]Count {
			l.mu.Lock()
			defer l.mu.Unlock()
			return map[string]Count{"door": {l.count.Good, maps.Clone(l.count.Bad)}}
		},
	})
}

func (l *lab) reads(good, parity, noise uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.count.Bad == nil {
		l.count.Bad = map[string]uint64{}
	}
	l.count.Good += good
	l.count.Bad["parity"] += parity
	l.count.Bad["noise"] += noise
}

func want(t *testing.T, name string, s *Store, want ...Week) {
	t.Helper()
	if got := s.Of("door"); len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
		t.Errorf("%s: %+v, want %+v", name, got, want)
	}
}

// TestWeeks: each week has its own counts, what was counted before the clock was right goes to
// the week in which it is set, and nothing is counted twice.
func TestWeeks(t *testing.T) {
	l := &lab{dir: t.TempDir(), now: time.Date(2026, 11, 29, 23, 0, 0, 0, time.UTC), wrong: true} // a Sunday
	s := l.open(t)
	l.reads(3, 1, 0)
	want(t, "before the time is known", s)
	l.wrong = false
	first := Week{"2026-11-23", 3, map[string]uint64{"parity": 1}}
	want(t, "the first week", s, first)
	want(t, "once more", s, first)
	l.now = l.now.Add(2 * time.Hour)
	want(t, "nothing new", s, first)
	l.reads(10, 0, 5)
	second := Week{"2026-11-30", 10, map[string]uint64{"noise": 5}}
	want(t, "the second", s, first, second)
	l.now = l.now.Add(-3 * time.Hour) // the clock was set back
	l.reads(1, 0, 0)
	first.Good++
	want(t, "the first again", s, first, second)
	if got := s.Of("gate"); got != nil {
		t.Errorf("another reader: %+v", got)
	}
	if r, s := second.Refused(), second.Share(); r != 5 || int(s) != 66 {
		t.Errorf("%d refused, %v %%", r, s)
	}
	if s := (Week{}).Share(); s != 100 {
		t.Errorf("of none %v %%", s)
	}
	s.Of("door")[0].Bad["parity"] = 99 // what it returns is the caller's own
	want(t, "unchanged", s, first, second)
}

// TestBounded: half a year is kept, in a few kB.
func TestBounded(t *testing.T) {
	l := &lab{dir: t.TempDir(), now: time.Date(2026, 1, 5, 12, 0, 0, 0, time.UTC)}
	s := l.open(t)
	for range 60 {
		l.now = l.now.AddDate(0, 0, 7)
		l.reads(1000, 10, 20)
		s.look()
	}
	weeks := s.Of("door")
	if len(weeks) != Weeks || weeks[Weeks-1].Begins != "2027-03-01" || weeks[0].Good != 1000 {
		t.Errorf("%d weeks, %+v", len(weeks), weeks)
	}
	s.write()
	if st, err := os.Stat(filepath.Join(l.dir, FileName)); err != nil || st.Size() > 3000 || st.Mode().Perm() != 0o640 {
		t.Errorf("%v, %v", st, err)
	}
}

// TestKept: the weeks survive a restart, and the file is written every four hours and at the end, but not
// for nothing.
func TestKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &lab{dir: t.TempDir(), now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
		s := l.open(t)
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- s.Run(ctx) }()
		path := filepath.Join(l.dir, FileName)
		time.Sleep(every + time.Minute)
		if _, err := os.Stat(path); err == nil {
			t.Error("it was written for nothing")
		}
		l.reads(7, 0, 0)
		time.Sleep(every - 2*time.Minute)
		if _, err := os.Stat(path); err == nil {
			t.Error("it was written too soon")
		}
		time.Sleep(3 * time.Minute)
		want(t, "after four hours", Open(l.dir, Options{Now: s.o.Now, Count: func() map[string]Count { return nil }}), Week{"2026-11-30", 7, map[string]uint64{}})
		l.reads(1, 1, 0)
		s.Of("door") // somebody looks at the page, which is no reason to forget it
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		l.count = Count{} // a reader begins anew
		again := l.open(t)
		l.reads(2, 0, 0)
		want(t, "after a restart", again, Week{"2026-11-30", 10, map[string]uint64{"parity": 1}})
	})
}

// TestDamaged: of a file that can't be read nothing is taken, and the next count replaces it.
func TestDamaged(t *testing.T) {
	l := &lab{dir: t.TempDir(), now: time.Date(2026, 11, 30, 12, 0, 0, 0, time.UTC)}
	path := filepath.Join(l.dir, FileName)
	for _, text := range []string{`{"door":[{"begins":"2026-11-23","good":1}],`, "null", ""} {
		if err := os.WriteFile(path, []byte(text), 0o640); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		l.count = Count{}
		s := Open(l.dir, Options{Now: func() (time.Time, bool) { return l.now, true }, Count: func() map[string]Count { return map[string]Count{"door": l.count} }, Log: slog.New(slog.NewTextHandler(&log, nil))})
		want(t, text, s)
		if (log.Len() > 0) != (text != "null") {
			t.Errorf("%q: %s", text, &log)
		}
		l.reads(4, 0, 0)
		s.look()
		s.write()
		want(t, text, Open(l.dir, Options{Now: s.o.Now, Count: func() map[string]Count { return nil }}), Week{"2026-11-30", 4, map[string]uint64{}})
	}
	var none *Store
	if none.Of("door") != nil {
		t.Error("without a store there is something")
	}
}
