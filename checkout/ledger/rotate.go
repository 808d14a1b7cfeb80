package ledger

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sort"
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
	// Dir is the folder. It is made if it does not exist.
	Dir string
	// Apart refuses a folder that does not exist or is on the ledger's file system,
	// as it is while its disk is not mounted.
	Apart bool
	// Keep is how many backups of this ledger stay; 14 if zero.
	Keep int
	// Quick skips the check of the backup.
	Quick bool
	// Good is the backup that an earlier call checked. It is not checked again.
	Good string
	// Check runs bbolt's own check; see VerifyOptions.
	Check func(ctx context.Context, path string) error
}

// Backup is the newest backup in a folder.
type Backup struct {
	File string // "": the ledger has no event yet
	Seq  uint64 // of its newest event
	New  bool   // it was made just now
	// Others are the files in the folder with a backup's name that are another ledger's,
	// and Damaged those that can't be read. They are left alone.
	Others, Damaged []string
}

const backupPattern = "ledger-*.db"

// backupName makes a name for people. Stump itself goes by what is in the file.
func backupName(seq uint64, at time.Time) string {
	return fmt.Sprintf("ledger-%012d-%s.db", seq, at.UTC().Format("20060102T150405Z"))
}

// AutoBackup makes a backup in a folder, checks it, and removes the oldest backups
// of this ledger beyond Keep. If the newest backup already has every event, it
// checks that one instead. A backup that fails is renamed to ledger-CHAIN.bad.
func (l *Ledger) AutoBackup(ctx context.Context, o BackupOptions) (b Backup, err error) {
	if err := l.backupFolder(o); err != nil {
		return b, err
	}
	info, err := l.Info()
	if err != nil || info.Seq == 0 {
		return b, err
	}
	own, err := l.backups(o.Dir, &b)
	if err != nil {
		return b, err
	}
	if n := len(own); n > 0 && own[n-1].chain == info.Chain && own[n-1].seq == info.Seq {
		b.File = own[n-1].file
		if err = l.holds(ctx, b.File, o); errors.Is(err, errBad) {
			err = setBad(b.File, info.Chain)
			b.File, own = "", own[:n-1]
		}
	}
	if err == nil && b.File == "" {
		b.New = true
		b.File, err = l.addBackup(ctx, o, info)
		own = append(own, identity{file: b.File})
	}
	if err != nil {
		return b, err
	}
	b.Seq = info.Seq
	return b, rotate(own, o)
}

// rotate removes the oldest backups. It keeps the last in the list and, if that was
// not checked, the one that was.
func rotate(own []identity, o BackupOptions) error {
	for _, old := range own[:max(0, len(own)-cmp.Or(o.Keep, 14))] {
		if o.Quick && old.file == o.Good {
			continue
		}
		if err := os.Remove(old.file); err != nil {
			return fmt.Errorf("remove an old backup: %w", err)
		}
	}
	return nil
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

// errBad is a backup that fails its check.
var errBad = errors.New("does not hold")

// holds verifies a backup.
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

// addBackup makes a backup under a new name.
func (l *Ledger) addBackup(ctx context.Context, o BackupOptions, info Info) (string, error) {
	path := filepath.Join(o.Dir, backupName(info.Seq, l.o.Stamp().Wall))
	tmp, err := boltfile.NewCopy(path, l.copyOut)
	if err != nil {
		return "", fmt.Errorf("backup to %s: %w", path, err)
	}
	defer os.Remove(tmp) // fails after the rename
	if err := l.holds(ctx, tmp, o); errors.Is(err, errBad) {
		bad := setBad(tmp, info.Chain)
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

// setBad keeps one backup that failed its check, so that somebody can examine it.
func setBad(file string, chain checkout.Hash) error {
	return os.Rename(file, filepath.Join(filepath.Dir(file), fmt.Sprintf("ledger-%.8s.bad", chain)))
}

// identity says what a file holds: which chain, up to which event and transaction.
type identity struct {
	file    string
	chain   checkout.Hash
	seq     uint64
	txid    int
	station string // its name at the newest event
}

// identify reads the identity of a ledger's file, which needs no key.
func identify(path string) (id identity, err error) {
	id.file = path
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
			if id.seq, _ = t.head(own); id.seq == 0 {
				return
			}
			ev, err := record.Decode(t.bucket(record.TreeEvents).Get(record.EventKey(record.At(own, id.seq))))
			if err != nil {
				t.damaged("event %d: %v", id.seq, err)
			}
			id.station = ev.Station
		})
	})
	return id, err
}

// errNoBackup is an entry of a folder without a backup's name.
var errNoBackup = errors.New("not a backup's name")

func identifyEntry(dir string, e os.DirEntry) (identity, error) {
	path := filepath.Join(dir, e.Name())
	if ok, _ := filepath.Match(backupPattern, e.Name()); !ok {
		return identity{}, errNoBackup
	}
	if !e.Type().IsRegular() {
		return identity{file: path}, errors.New("not a regular file")
	}
	return identify(path)
}

// ownChain returns the chains of a file of any schema, and which one is its own.
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

// backups lists this ledger's backups in a folder, oldest first, and adds the other files
// with a backup's name to b. The order depends on what is in them, not on clocks or names.
func (l *Ledger) backups(dir string, b *Backup) (own []identity, err error) {
	mine := map[checkout.Hash]uint16{}
	err = l.view(func(t *txn) {
		for i, c := range t.chains() {
			mine[c.ID] = i // the later chain has the higher index
		}
	})
	if err != nil {
		return nil, err
	}
	all, err := os.ReadDir(dir)
	for _, e := range all {
		f, bad := identifyEntry(dir, e)
		_, ours := mine[f.chain]
		var damaged *DamagedError
		switch {
		case bad == errNoBackup:
		case errors.As(bad, &damaged):
			b.Damaged = append(b.Damaged, f.file)
		case bad == nil && ours:
			own = append(own, f)
		default:
			b.Others = append(b.Others, f.file)
		}
	}
	sort.SliceStable(own, func(i, j int) bool {
		a, b := own[i], own[j]
		return cmp.Or(cmp.Compare(mine[a.chain], mine[b.chain]), cmp.Compare(a.seq, b.seq), cmp.Compare(a.txid, b.txid)) < 0
	})
	return own, err
}
