// Package learned keeps over restarts what a station has learned of its readers:
// one file, readers.json in the state folder, by the reader's name.
//
// It is memory first. Update changes that at once and never waits for the disk;
// the store's task writes the file when something has changed. Whoever learns
// therefore calls Update when something matters has changed, a handful of times
// in a reader's life: an SD card wears out. A file that is missing or damaged
// means that nothing was learned: readers are learned anew.
package learned

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"sync"
	"time"

	"stump/internal/safefile"
	"stump/wiegand"
)

// Name is the file's name in the state folder.
const Name = "readers.json"

// Reader is what was learned of one reader. The zero Reader is one that nothing
// is known of.
type Reader struct {
	// Cards are what its cards look like.
	Cards wiegand.Profile `json:"cards"`
	// Repeat is the interval at which it repeats a tag that lies on it, 0
	// when it has not been seen to.
	Repeat time.Duration `json:"repeat_ns"`
}

func (r Reader) clone() Reader {
	r.Cards.Bits = slices.Clone(r.Cards.Bits)
	return r
}

// Store is the memory and its file. It is safe for concurrent use. A nil Store
// knows nothing and keeps nothing.
type Store struct {
	path    string
	log     *slog.Logger
	changed chan struct{} // has room for one

	mu      sync.Mutex
	readers map[string]Reader
}

// Open reads the file in the state folder. A file that can't be read is logged,
// and counts as empty; the next change replaces it. A nil log is silent.
func Open(dir string, log *slog.Logger) *Store {
	s := &Store{
		path: filepath.Join(dir, Name), log: cmp.Or(log, slog.New(slog.DiscardHandler)),
		changed: make(chan struct{}, 1), readers: map[string]Reader{},
	}
	raw, err := os.ReadFile(s.path)
	if err == nil {
		err = json.Unmarshal(raw, &s.readers)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		s.log.Warn("what was learned of the readers can't be read; it is learned anew", "file", s.path, "err", err)
	}
	if err != nil || s.readers == nil {
		s.readers = map[string]Reader{} // also of half a file nothing
	}
	return s
}

// Reader is what is known of a reader.
func (s *Store) Reader(name string) Reader {
	if s == nil {
		return Reader{}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.readers[name].clone()
}

// Update changes what is known of a reader. If change changes anything, the file
// is written, by the store's task.
func (s *Store) Update(name string, change func(*Reader)) {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.readers[name].clone()
	change(&r)
	if reflect.DeepEqual(r, s.readers[name]) {
		return
	}
	s.readers[name] = r
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

func (s *Store) String() string { return "learned readers" }

// Run writes the file after every change until ctx is done, and then what is
// not written yet.
func (s *Store) Run(ctx context.Context) error {
	for {
		select {
		case <-s.changed:
			s.write()
		case <-ctx.Done():
			select {
			case <-s.changed:
				s.write()
			default:
			}
			return nil
		}
	}
}

// write replaces the file. A disk that fails costs what was learned, and no tap.
func (s *Store) write() {
	s.mu.Lock()
	raw, err := json.MarshalIndent(s.readers, "", "\t")
	s.mu.Unlock()
	if err == nil {
		err = safefile.Write(s.path, append(raw, '\n'), 0o640)
	}
	if err != nil {
		s.log.Warn("what was learned of the readers is not saved", "file", s.path, "err", err)
	}
}
