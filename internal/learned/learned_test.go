package learned

import (
	"bytes"
	"context"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/wiegand"
)

var known = Reader{
	Cards: wiegand.Profile{
		Cards: 50, Even: 49, Shortest: 1_990_000, Longest: 2_010_000, Narrowest: 48_000, Widest: 52_000, Pause: 31_000_000, Bits: []int{26, 34},
	},
	Repeat: 2 * time.Second,
}

// run runs the store's task while f runs, and returns when it has ended.
func run(t *testing.T, s *Store, f func()) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Run(ctx) }()
	f()
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

func TestKeptOverARestart(t *testing.T) {
	dir := t.TempDir()
	s := Open(dir, nil)
	run(t, s, func() {
		s.Update("door", func(r *Reader) { *r = known })
		s.Update("desk", func(r *Reader) { r.Repeat = time.Second })
		if got := s.Reader("door"); !reflect.DeepEqual(got, known) {
			t.Errorf("before: %+v", got)
		}
	})
	s = Open(dir, nil)
	for name, want := range map[string]Reader{"door": known, "desk": {Repeat: time.Second}, "gate": {}} {
		if got := s.Reader(name); !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, want %+v", name, got, want)
		}
	}
	if st, err := os.Stat(filepath.Join(dir, Name)); err != nil || st.Mode().Perm() != 0o640 {
		t.Errorf("the file: %v, %v", st, err)
	}
}

// TestOnlyChangesAreWritten: what is the same costs no write, and what Reader
// returns is the caller's own.
func TestOnlyChangesAreWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		path := filepath.Join(dir, Name)
		s := Open(dir, nil)
		written := func() bool {
			synctest.Wait()
			_, err := os.Stat(path)
			os.Remove(path)
			return err == nil
		}
		run(t, s, func() {
			for _, step := range []struct {
				name   string
				change func(*Reader)
				want   bool
			}{
				{"nothing", func(*Reader) {}, false},
				{"something", func(r *Reader) { *r = known.clone() }, true},
				{"the same", func(r *Reader) { *r = known.clone() }, false},
				{"one of the lengths", func(r *Reader) { r.Cards.Bits[1] = 37 }, true},
			} {
				s.Update("door", step.change)
				if got := written(); got != step.want {
					t.Errorf("%s: written %v", step.name, got)
				}
			}
			s.Reader("door").Cards.Bits[0] = 1
		})
		if got := s.Reader("door").Cards.Bits; got[0] != 26 || got[1] != 37 || written() {
			t.Errorf("changed from outside: %v", got)
		}
	})
}

func TestDamaged(t *testing.T) {
	whole := `{"door":{"cards":{"cards":50},"repeat_ns":5}}`
	for name, tt := range map[string]struct {
		file string
		said int
		want Reader
	}{
		"whole":       {whole, 0, Reader{Cards: wiegand.Profile{Cards: 50}, Repeat: 5}},
		"later keys":  {`{"door":{"repeat_ns":5,"mood":"good"}}`, 0, Reader{Repeat: 5}},
		"null":        {"null", 0, Reader{}},
		"empty":       {"", 1, Reader{}},
		"cut":         {whole[:len(whole)-2], 1, Reader{}},
		"other types": {`{"door":{"repeat_ns":5},"desk":{"cards":7}}`, 1, Reader{}},
		"garbage":     {"\x00\xff", 1, Reader{}},
	} {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, Name), []byte(tt.file), 0o600); err != nil {
			t.Fatal(err)
		}
		var log bytes.Buffer
		s := Open(dir, slog.New(slog.NewTextHandler(&log, nil)))
		if got := s.Reader("door"); !reflect.DeepEqual(got, tt.want) || strings.Count(log.String(), "\n") != tt.said {
			t.Errorf("%s: %+v, log %q", name, got, log.String())
		}
		run(t, s, func() { s.Update("desk", func(r *Reader) { r.Repeat = time.Second }) })
		if s := Open(dir, nil); !reflect.DeepEqual(s.Reader("door"), tt.want) || s.Reader("desk").Repeat != time.Second {
			t.Errorf("%s: not replaced: %+v", name, s.readers)
		}
	}
}

// TestNoDisk: the daemon goes on without a file.
func TestNoDisk(t *testing.T) {
	var log bytes.Buffer
	s := Open(filepath.Join(t.TempDir(), "gone"), slog.New(slog.NewTextHandler(&log, nil)))
	run(t, s, func() { s.Update("door", func(r *Reader) { r.Repeat = time.Second }) })
	if s.Reader("door").Repeat != time.Second || !strings.Contains(log.String(), "not saved") {
		t.Errorf("%+v, log %q", s.readers, log.String())
	}
	var none *Store
	none.Update("door", func(*Reader) { t.Error("a nil store was changed") })
	if got := none.Reader("door"); !reflect.DeepEqual(got, Reader{}) {
		t.Errorf("a nil store: %+v", got)
	}
}
