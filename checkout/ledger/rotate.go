package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/record"
	"stump/internal/hint"
	"stump/internal/owner"
	"stump/internal/safefile"
)

// BackupOptions say where automatic backups go.
type BackupOptions struct {
	// Dir is the folder; it is made if it is not there.
	Dir string
	// Apart refuses a folder that is not there, or is on the ledger's own file
	// system: a disk that is not mounted looks so.
	Apart bool
	// Keep is how many backups of this ledger stay; 14 if zero.
	Keep int
	// Quick leaves out the check of the backup.
	Quick bool
	// Good is a backup that was checked before, and needs no check again.
	Good string
	// Check runs bbolt's own check; see VerifyOptions.
	Check func(ctx context.Context, path string) error
}

// Backup is the newest backup in a folder.
type Backup struct {
	File string // "": the ledger has no event yet
	Seq  uint64 // of its newest event
	New  bool   // it was made just now
	// Others are files in the folder that are named like a backup, and are none of
	// this ledger: another station's, or damaged. They are left alone.
	Others []string
}

const backupPattern = "ledger-*.db"

// backupName is for people: what a file is a backup of, and of when, is in it.
func backupName(seq uint64, at time.Time) string {
	return fmt.Sprintf("ledger-%012d-%s.db", seq, at.UTC().Format("20060102T150405Z"))
}

// AutoBackup makes a backup in a folder and checks it. If the newest backup has
// every event already, it checks that instead, once. Of this ledger's backups
// it then removes the oldest above Keep. A backup that doesn't hold is set aside
// as ledger-CHAIN.bad, and no older one is removed.
func (l *Ledger) AutoBackup(ctx context.Context, o BackupOptions) (Backup, error) {
	if err := l.backupFolder(o); err != nil {
		return Backup{}, fmt.Errorf("backup: %w", err)
	}
	info, err := l.Info()
	if err != nil || info.Seq == 0 {
		return Backup{}, err
	}
	own, others, err := l.backups(o.Dir)
	b := Backup{Others: others}
	if err != nil {
		return b, fmt.Errorf("backup: %w", err)
	}
	if n := len(own); n > 0 && own[n-1].chain == info.Chain && own[n-1].seq == info.Seq {
		newest := own[n-1].file
		err := l.holds(ctx, newest, o)
		if !errors.Is(err, errBad) {
			b.File, b.Seq = newest, info.Seq
			return b, err
		}
		if err := setBad(newest, newest, info.Chain); err != nil {
			return b, err
		}
		own = own[:n-1]
	}
	if b.File, err = l.addBackup(ctx, o, info); err != nil {
		return b, err
	}
	b.Seq, b.New = info.Seq, true
	for _, old := range own[:max(0, len(own)+1-cmp.Or(o.Keep, 14))] {
		if err := os.Remove(old.file); err != nil {
			return b, fmt.Errorf("remove an old backup: %w", err)
		}
	}
	return b, nil
}

func (l *Ledger) backupFolder(o BackupOptions) error {
	if !o.Apart {
		return owner.MkdirAll(o.Dir, 0o750)
	}
	var there, here syscall.Stat_t
	if err := syscall.Stat(o.Dir, &there); err != nil {
		return hint.Wrap(&os.PathError{Op: "stat", Path: o.Dir, Err: err}, "mount the disk, and make the folder on it for the daemon's user")
	}
	if err := syscall.Stat(filepath.Dir(l.path), &here); err != nil {
		return err
	}
	if there.Dev == here.Dev {
		return hint.Errorf("mount the disk, or name a folder on another one", "%s is on the same disk as the ledger", o.Dir)
	}
	return owner.Check(o.Dir)
}

// errBad is a backup that isn't whole.
var errBad = errors.New("does not hold")

// holds checks a backup as a ledger is verified.
func (l *Ledger) holds(ctx context.Context, file string, o BackupOptions) error {
	if o.Quick || file == o.Good {
		return nil
	}
	var damaged *boltfile.DamagedError
	c, err := OpenReadOnly(file, l.o)
	if errors.As(err, &damaged) {
		return fmt.Errorf("%w: %s", errBad, damaged.Reason)
	} else if err != nil {
		return err
	}
	defer c.Close()
	report, err := c.Verify(ctx, VerifyOptions{Check: o.Check})
	if err == nil && !report.OK() {
		err = fmt.Errorf("%w: %v", errBad, report)
	}
	return err
}

// addBackup makes a backup, under a name that no other file has.
func (l *Ledger) addBackup(ctx context.Context, o BackupOptions, info Info) (string, error) {
	path := filepath.Join(o.Dir, backupName(info.Seq, l.o.Stamp().Wall))
	tmp, err := boltfile.NewCopy(path, l.copyOut)
	if err != nil {
		return "", fmt.Errorf("backup to %s: %w", path, err)
	}
	defer os.Remove(tmp) // fails after the rename
	if err := l.holds(ctx, tmp, o); errors.Is(err, errBad) {
		bad := setBad(tmp, path, info.Chain)
		return "", hint.Wrap(errors.Join(fmt.Errorf("the backup %s %w", path, err), bad), "`stump verify` says what is wrong with the ledger itself")
	} else if err != nil {
		return "", fmt.Errorf("check the backup %s: %w", path, err)
	}
	for i := 1; ; i++ {
		name := path
		if i > 1 {
			name = fmt.Sprintf("%s-%d.db", strings.TrimSuffix(path, ".db"), i)
		}
		err := safefile.RenameNew(tmp, name)
		if errors.Is(err, os.ErrExist) && i < 1000 {
			continue
		}
		if err == nil {
			err = safefile.SyncDir(o.Dir)
		}
		return name, err
	}
}

// setBad keeps the newest backup that doesn't hold, for whoever looks into it.
func setBad(file, name string, chain checkout.Hash) error {
	return os.Rename(file, filepath.Join(filepath.Dir(name), fmt.Sprintf("ledger-%.8s.bad", chain)))
}

// identity is what a file holds: a chain up to an event, as of a transaction.
type identity struct {
	chain   checkout.Hash
	seq     uint64
	txid    int
	station string // as it was called at the newest event
}

// identify returns what is in a ledger's file, for which no key is needed.
func identify(path string) (id identity, err error) {
	db, file, err := boltfile.Open(path, boltfile.Options{ReadOnly: true})
	if err != nil {
		return id, err
	}
	defer boltfile.Shut(path, db, file)
	l := &Ledger{path: path, readOnly: true, db: db}
	err = l.guard(func() error {
		return l.viewNow(func(t *txn) {
			t.checkTrees()
			own, chains := t.ownChain()
			id.txid, id.chain = t.tx.ID(), chains[own].ID
			id.seq, _ = t.head(own)
			ev, err := record.Decode(t.bucket(record.TreeEvents).Get(record.EventKey(record.At(own, id.seq))))
			t.must(err)
			id.station = ev.Station
		})
	})
	return id, err
}

// errNoBackup is an entry of a folder that isn't named like a backup.
var errNoBackup = errors.New("not a backup's name")

func identifyEntry(dir string, e os.DirEntry) (identity, error) {
	if ok, _ := filepath.Match(backupPattern, e.Name()); !ok {
		return identity{}, errNoBackup
	}
	if !e.Type().IsRegular() {
		return identity{}, errors.New("not a regular file")
	}
	return identify(filepath.Join(dir, e.Name()))
}

// ownChain returns the chains of a file and which is its own, of any schema.
func (t *txn) ownChain() (own uint16, chains map[uint16]record.Chain) {
	if t.readSchema() != 1 {
		return t.readOwn(), t.chains()
	}
	chains = t.chains1()
	for i, c := range chains {
		if !c.ID.IsZero() {
			own = max(own, i)
		}
	}
	return own, chains
}

// found is a backup in a folder.
type found struct {
	identity
	file string
}

// backups lists this ledger's backups in a folder, oldest first, and the other
// files with such names. The clock and the names say nothing of their order.
func (l *Ledger) backups(dir string) (own []found, others []string, err error) {
	mine := map[checkout.Hash]uint16{}
	err = l.view(func(t *txn) {
		for i, c := range t.chains() {
			mine[c.ID] = i // the later chain has the higher index
		}
	})
	if err != nil {
		return nil, nil, err
	}
	all, err := os.ReadDir(dir)
	for _, e := range all {
		f := found{file: filepath.Join(dir, e.Name())}
		var bad error
		f.identity, bad = identifyEntry(dir, e)
		_, ours := mine[f.chain]
		switch {
		case bad == errNoBackup:
		case bad == nil && ours:
			own = append(own, f)
		default:
			others = append(others, f.file)
		}
	}
	slices.SortStableFunc(own, func(a, b found) int {
		return cmp.Or(cmp.Compare(mine[a.chain], mine[b.chain]), cmp.Compare(a.seq, b.seq), cmp.Compare(a.txid, b.txid))
	})
	return own, others, err
}
