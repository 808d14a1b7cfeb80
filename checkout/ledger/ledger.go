package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"
	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/grouped"
	"stump/checkout/ledger/journal"
	"stump/checkout/ledger/kits"
	"stump/checkout/ledger/lane"
	"stump/checkout/ledger/oldchains"
	"stump/checkout/ledger/record"
	"stump/checkout/loan"
	"stump/checkout/reservation"
	"stump/internal/books"
	"stump/internal/clock"
	"stump/internal/hint"
	"stump/internal/notify"
	"stump/internal/sitekey"
)

// Options say how to open a ledger. Station and SiteKey are required.
type Options struct {
	// Station is this station's name, 1 to 64 printable characters.
	Station string
	// SiteKey is the 32 bytes under which tags are looked up; see package sitekey.
	SiteKey []byte
	// OldKeys find tags that were enrolled before the key was rotated.
	OldKeys [][]byte
	// Sinks are the destinations of the outbox. Each event gets a row for each.
	Sinks []string
	// Mask returns what is shown of a tag, which must not be the whole number. Tag.String
	// if nil.
	Mask func(checkout.Tag) string
	// SealTags keeps every badge's number, encrypted under the site key, for a directory
	// that needs it. The numbers of pending tags are always kept.
	SealTags bool
	// Stamp returns the time of an event; clock.Now if nil.
	Stamp func() checkout.Stamp
	// Loans are the rules of how long devices are lent.
	Loans loan.Rules
	// Reservations are the rules of what is reserved.
	Reservations reservation.Rules
	// Notify are the kinds of events of which people get mails, see [checkout.Notices].
	Notify []checkout.Kind
	// MaxSize is the limit of the file in bytes; none if zero.
	MaxSize int
	// Backups is a folder with backups of this ledger; empty for none. If only they are
	// left, OpenOrSalvage reports that the ledger is gone.
	Backups string
	// LockTimeout is how long to wait for another process's lock; 1 s if zero.
	LockTimeout time.Duration
	// Slow is the time after which a commit counts as slow; 2 s if zero.
	Slow time.Duration
	// Logger is silent if nil.
	Logger *slog.Logger
}

func (o *Options) fill() (*sitekey.Ring, error) {
	if err := checkout.CheckID(o.Station); err != nil {
		return nil, fmt.Errorf("station name: %w", err)
	}
	for _, s := range o.Sinks {
		if err := checkout.CheckID(s); err != nil {
			return nil, fmt.Errorf("sink name: %w", err)
		}
	}
	if o.Stamp == nil {
		o.Stamp = clock.Now
	}
	if o.Mask == nil {
		o.Mask = checkout.Tag.String
	}
	if o.Slow == 0 {
		o.Slow = 2 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return sitekey.NewRing(o.SiteKey, o.OldKeys)
}

// Ledger is the store of events, loans, people, devices and the outbox. All
// methods are safe for concurrent use.
type Ledger struct {
	*core
	terms books.Terms // of changes, see On
	whole bool        // see Whole
}

// core is what all that [Ledger.On] returns have in common.
type core struct {
	path     string
	o        Options
	keys     *sitekey.Ring
	readOnly bool

	importer *journal.Importer

	upkeep  sync.Mutex // one verify or erasure at a time; taken before writing
	writing *lane.Lane // one writer at a time; taken before mu

	mu     sync.RWMutex // guards the following fields; held for reading in a transaction
	db     *bolt.DB     // nil: closed, or to be reopened after a fault
	file   *os.File     // under db
	note   *beside.Note // of the newest event; nil: it can't be written; guarded by writing
	closed bool

	ceiling  uint64          // the highest reserved number, see boltfile.Holder
	own      uint16          // index of the chain that is continued
	old      *oldchains.File // a file of schema 1, open for reading only
	sinkIDs  map[string]uint16
	segment  uuid.UUID
	commits  boltfile.Commits
	failures chan struct{}    // see Failures
	changes  notify.Listeners // of the outbox
	appended notify.Bell

	ofKind    grouped.IDs // devices by their kind; guarded by writing
	held      grouped.IDs // devices by their holder; guarded by writing
	unsaid    unsaid
	labHeard  atomic.Pointer[time.Time]    // nil: not read yet
	suspected atomic.Pointer[DamagedError] // noted for the next start
	salvages  int                          // in this run; guarded by writing
	stale     bool                         // db could not be reopened, and is for reading only; guarded by writing
}

// Keys of the meta tree.
var (
	metaSchema  = []byte("schema")
	metaSegment = []byte("segment")
	metaKey     = []byte("key") // by which the ledger recognises its site key
)

// Create makes a new, empty ledger at path, where no file may exist, and opens it. A power
// cut leaves the whole file or none.
func Create(path string, o Options) (*Ledger, error) {
	if _, err := o.fill(); err != nil {
		return nil, err
	}
	path, err := boltfile.Resolve(path)
	if err != nil {
		return nil, err
	}
	err = boltfile.Create(path, func(db *bolt.DB) error { return (&Ledger{core: &core{path: path, db: db}}).updateNow((*txn).initTrees) })
	if err != nil {
		return nil, fmt.Errorf("make a ledger: %w", err)
	}
	return Open(path, o)
}

// initTrees makes the trees of an empty file.
func (t *txn) initTrees() {
	for _, tr := range record.Trees {
		_, err := t.tx.CreateBucket(tr.Bucket())
		t.must(err)
	}
	segment := uuid.New()
	t.put(record.TreeMeta, metaSchema, binary.AppendUvarint(nil, schema))
	t.put(record.TreeMeta, metaSegment, segment[:])
	t.putChain(1, record.Chain{})
	t.setOwn(1)
}

// Open opens the ledger at path. It reads only a few pages. Errors: os.ErrNotExist, *LockedError, *DamagedError, *NewerError,
// ErrWrongKey.
func Open(path string, o Options) (*Ledger, error) { return open(path, o, false) }

// OpenReadOnly opens the ledger at path for reading. While a daemon has it open, the error
// is a *LockedError.
func OpenReadOnly(path string, o Options) (*Ledger, error) { return open(path, o, true) }

func open(path string, o Options, readOnly bool) (*Ledger, error) {
	keys, err := o.fill()
	if err != nil {
		return nil, err
	}
	if path, err = boltfile.Resolve(path); err != nil {
		return nil, err
	}
	l := &Ledger{core: &core{path: path, o: o, keys: keys, writing: lane.New(), readOnly: readOnly, failures: make(chan struct{}, 1)}}
	l.importer = l.newImporter()
	if err := l.reopen(); err != nil {
		return nil, err
	}
	if readOnly {
		return l, nil
	}
	l.openNewest()
	err = l.guard(l.checkNewest)
	if err == nil {
		err = l.importer.Resume(func(f func(*bolt.Tx) error) error { return l.viewAny(func(t *txn) { t.must(f(t.tx)) }) })
	}
	if err != nil {
		l.Close()
		return nil, err
	}
	return l, nil
}

// reopen opens the file and reads what is kept in memory. The caller holds mu, or no one
// else uses the ledger.
func (l *Ledger) reopen() error {
	db, file, err := boltfile.Open(l.path, boltfile.Options{LockTimeout: l.o.LockTimeout, MaxSize: l.o.MaxSize, ReadOnly: l.readOnly})
	if err != nil {
		return err
	}
	l.db, l.file = db, file
	if err := l.load(); err != nil {
		l.drop()
		return err
	}
	return nil
}

// load migrates and checks the file, and reads what is kept in memory.
func (l *Ledger) load() (err error) {
	defer boltfile.Recover(l.path, &err)()
	if err := l.migrate(); err != nil {
		return err
	}
	l.sinkIDs = map[string]uint16{}
	missing, seq := false, uint64(0)
	err = l.viewNow(func(t *txn) {
		t.checkTrees()
		t.readNames()
		if missing = t.incomplete(); !missing {
			seq = t.checkHead()
		}
	})
	if err != nil || l.readOnly {
		return err
	}
	l.ceiling = 0
	l.reserve(seq + 1)
	if !missing {
		return nil
	}
	return l.updateNow((*txn).addNames)
}

// ErrWrongKey says that the tags were enrolled under another site key.
var ErrWrongKey = hint.Errorf("put back the key file that belongs to it, from where you keep it", "the site key is not the one this ledger was made with")

// checkTrees checks that the file is a ledger, and reads its segment.
func (t *txn) checkTrees() {
	for _, tr := range record.Trees {
		if t.bucket(tr) == nil {
			t.damaged("the tree %q is missing", tr)
		}
	}
	b := t.get(record.TreeMeta, metaSegment)
	if len(b) != 16 {
		t.damaged("no segment id")
	}
	t.l.segment = uuid.UUID(b)
}

// readNames reads the indexes of the own chain and of the sinks.
func (t *txn) readNames() {
	t.l.own = t.readOwn()
	t.each(record.TreeMeta, record.MetaSink(""), func(k, v []byte) {
		c, err := record.Unpack(record.SinkForm, v)
		if err != nil {
			t.damaged("the row %q: %v", k, err)
		}
		name := string(bytes.TrimPrefix(k, record.MetaSink("")))
		if c.Name != "" && c.Name != name {
			t.damaged("the row of the sink %q is that of %q", name, c.Name)
		}
		t.l.sinkIDs[name] = c.Index
	})
}

// incomplete reports whether the file lacks a sink, the current key or the list of kits.
func (t *txn) incomplete() bool {
	check := t.get(record.TreeMeta, metaKey)
	known := check == nil
	for i := range t.l.keys.Lookups {
		known = known || bytes.Equal(check, t.l.keys.Check(i))
	}
	if !known {
		t.fail(ErrWrongKey)
	}
	return !bytes.Equal(check, t.l.keys.Check(0)) || !kits.Made(t.tx) ||
		slices.ContainsFunc(t.l.o.Sinks, func(s string) bool { return t.l.sinkIDs[s] == 0 })
}

// addNames writes what incomplete found missing.
func (t *txn) addNames() {
	l := t.l
	for _, s := range l.o.Sinks {
		if l.sinkIDs[s] == 0 {
			l.sinkIDs[s] = uint16(len(l.sinkIDs) + 1)
			t.putSink(s, record.Sink{Index: l.sinkIDs[s]})
		}
	}
	t.put(record.TreeMeta, metaKey, l.keys.Check(0))
	if !kits.Made(t.tx) {
		t.must(kits.Make(t.tx, t.inKits()))
	}
}

// checkHead compares the newest event with the head in the meta tree, which differ if the
// ledger has lost its end.
func (t *txn) checkHead() (seq uint64) {
	seq, hash := t.head(t.l.own)
	if seq > 0 && t.event(record.At(t.l.own, seq)).Hash != hash {
		t.damaged("event %d is not the one that the head names", seq)
	}
	return seq
}

// drop closes the file.
func (l *Ledger) drop() {
	if l.db != nil {
		boltfile.Shut(l.path, l.db, l.file)
	}
	l.db, l.file = nil, nil
}

// Close waits for running transactions and closes the file. An import that is being applied
// goes on when the ledger is opened again.
func (l *Ledger) Close() error {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.writing.Forget()
	l.importer.Stop()
	l.mu.Lock()
	defer l.mu.Unlock()
	db := l.db
	if db == nil { // closed before, or damaged while it ran
		return nil
	}
	l.db, l.file = nil, nil
	err := db.Close()
	l.closeNewest()
	return err
}

// Path returns the file's path.
func (l *Ledger) Path() string { return l.path }

// What the file says.
type (
	DamagedError = boltfile.DamagedError
	LockedError  = boltfile.LockedError
	Health       = boltfile.Health
)

// The errors of the disk are those of package boltfile.
var (
	ErrCannotSave = boltfile.ErrCannotSave
	ErrStopped    = boltfile.ErrStopped
)

// ErrClosed is returned by every method after Close.
var ErrClosed = errors.New("the ledger is closed")

// ErrReadOnly is returned by every writing method of a ledger that was opened read-only.
var ErrReadOnly = errors.New("the ledger is open for reading only")

// CheckFile runs bbolt's own check over a file; see [boltfile.Check].
func CheckFile(path string) error { return boltfile.Check(path) }
