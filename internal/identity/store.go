package identity

import (
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"stump/internal/safefile"
)

// FileName is the store's file in the state folder, readable by its owner alone.
const FileName = "access.json"

// saveLater is how long what can be lost waits for the disk: when a token was last
// used, who was refused, who looked at whom. An SD card wears out.
const saveLater = 10 * time.Minute

// Options are what a store works with. All may be zero.
type Options struct {
	Now    func() time.Time // the wall clock; time.Now if nil
	Secret func() string    // a new secret; crypto/rand's Text if nil
	Log    *slog.Logger     // nil is silent
}

// Store keeps tokens, sessions, one-time links, and the newest refusals and looks. It is a task,
// and safe for concurrent use.
type Store struct {
	o       Options
	path    string
	changed chan struct{} // has room for one

	saving sync.Mutex // held while the file is written; taken before mu

	mu       sync.Mutex
	tokens   []*tokenRow
	feeds    []*feedRow
	lab      string        // see Lab
	sessions []*sessionRow // the oldest first
	links    []link        // the oldest first
	bump     *bump         // the login at the reader, not in the file; nil for none
	refused  []Refusal     // the oldest first
	looks    []Look        // the oldest first
	limits   limiter
}

// contents are those of the file.
type contents struct {
	Tokens   []*tokenRow   `json:"tokens"`
	Feeds    []*feedRow    `json:"feeds,omitempty"`
	Lab      string        `json:"lab,omitempty"`
	Sessions []*sessionRow `json:"sessions"`
	Refused  []Refusal     `json:"refused"`
	Looks    []Look        `json:"looks"`
	Links    []link        `json:"links,omitempty"`
}

// Open reads the file in the state folder dir. One that can't be read is put aside, and
// nobody but the socket's users has access until there are new tokens.
func Open(dir string, o Options) *Store {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Secret == nil {
		o.Secret = rand.Text
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	s := &Store{o: o, path: filepath.Join(dir, FileName), changed: make(chan struct{}, 1)}
	var c contents
	raw, err := os.ReadFile(s.path)
	if err == nil {
		err = json.Unmarshal(raw, &c)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		aside := s.path + ".damaged"
		o.Log.Error("tokens and sessions can't be read: make new ones", "err", err, "kept", aside, "aside", os.Rename(s.path, aside))
	default:
		s.tokens, s.feeds, s.lab, s.sessions, s.refused, s.looks, s.links = c.Tokens, c.Feeds, c.Lab, c.Sessions, c.Refused, c.Looks, c.Links
	}
	return s
}

// String is task.Task's.
func (s *Store) String() string { return "tokens and sessions" }

// Run writes what waits for the disk until ctx is done, and then the rest.
func (s *Store) Run(ctx context.Context) error {
	for {
		select {
		case <-s.changed:
			select {
			case <-time.After(saveLater):
			case <-ctx.Done():
			}
			select {
			case <-s.changed:
			default:
			}
			s.saveOrSay()
		case <-ctx.Done():
			select {
			case <-s.changed:
				s.saveOrSay()
			default:
			}
			return nil
		}
	}
}

// touch has the file written later.
func (s *Store) touch() {
	select {
	case s.changed <- struct{}{}:
	default:
	}
}

// save writes the file.
func (s *Store) save() error {
	s.saving.Lock()
	defer s.saving.Unlock()
	s.mu.Lock()
	raw, err := json.Marshal(contents{s.tokens, s.feeds, s.lab, s.sessions, s.refused, s.looks, s.links})
	s.mu.Unlock()
	if err != nil {
		return err
	}
	return safefile.Write(s.path, raw, 0o600)
}

func (s *Store) saveOrSay() {
	if err := s.save(); err != nil {
		s.o.Log.Error("tokens and sessions can't be saved", "err", err)
	}
}

// hash is what is kept of a secret. Secrets are random: one round is enough.
func hash(secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return hex.EncodeToString(sum[:])
}

// keepNewest takes the first rows of a list away that are too many.
func keepNewest[T any](list []T, most int) []T {
	return slices.Delete(list, 0, max(0, len(list)-most))
}
