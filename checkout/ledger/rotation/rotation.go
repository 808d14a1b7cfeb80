// Package rotation keeps the newest backups of a ledger in a folder.
package rotation

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"syscall"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/internal/hint"
	"stump/internal/owner"
	"stump/internal/safefile"
)

// Options say where automatic backups go.
type Options struct {
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
	// Check runs bbolt's own check; see the ledger's VerifyOptions.
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

// Identity says what a file holds: which chain, up to which event and transaction.
type Identity struct {
	File    string
	Chain   checkout.Hash
	Seq     uint64
	Txid    int
	Station string // its name at the newest event
}

// Source is the ledger that is backed up.
type Source struct {
	Path   string
	Newest Identity // its own
	At     time.Time
	// Chains are the chains in it; the later one has the higher index.
	Chains map[checkout.Hash]uint16
	// CopyOut writes a copy.
	CopyOut func(io.Writer) error
	// Identify reads the identity of a ledger's file.
	Identify func(path string) (Identity, error)
	// Verify checks a backup. The error wraps ErrBad if it does not hold.
	Verify func(ctx context.Context, file string) error
}

const backupPattern = "ledger-*.db"

// backupName makes a name for people. Stump itself goes by what is in the file.
func backupName(seq uint64, at time.Time) string {
	return fmt.Sprintf("ledger-%012d-%s.db", seq, at.UTC().Format("20060102T150405Z"))
}

// Rotate makes a backup in a folder, checks it, and removes the oldest backups of the
// ledger beyond Keep. If the newest backup already has every event, it checks that one
// instead. A backup that fails is renamed to ledger-CHAIN.bad.
func Rotate(ctx context.Context, o Options, s Source) (b Backup, err error) {
	if err := s.folder(o); err != nil || s.Newest.Seq == 0 {
		return b, err
	}
	own, err := s.List(o.Dir, &b)
	if err != nil {
		return b, err
	}
	if n := len(own); n > 0 && own[n-1].Chain == s.Newest.Chain && own[n-1].Seq == s.Newest.Seq {
		b.File = own[n-1].File
		if err = s.holds(ctx, b.File, o); errors.Is(err, ErrBad) {
			err = setBad(b.File, s.Newest.Chain)
			b.File, own = "", own[:n-1]
		}
	}
	if err == nil && b.File == "" {
		if s.room(o.Dir) != nil { // since there are more than are to be kept, perhaps
			if err := rotate(own, o); err != nil {
				return b, err
			}
		}
		b.New = true
		b.File, err = s.add(ctx, o)
		own = append(own, Identity{File: b.File})
	}
	if err != nil {
		return b, err
	}
	b.Seq = s.Newest.Seq
	return b, rotate(own, o)
}

// rotate removes the oldest backups. It keeps the last in the list and, if that was
// not checked, the one that was.
func rotate(own []Identity, o Options) error {
	for _, old := range own[:max(0, len(own)-cmp.Or(o.Keep, 14))] {
		if o.Quick && old.File == o.Good {
			continue
		}
		if err := os.Remove(old.File); err != nil {
			return fmt.Errorf("remove an old backup: %w", err)
		}
	}
	return nil
}

// folder makes or checks the folder.
func (s Source) folder(o Options) error {
	if !o.Apart {
		return owner.MkdirAll(o.Dir, 0o750)
	}
	var there, here syscall.Stat_t
	if err := syscall.Stat(o.Dir, &there); err != nil {
		return hint.Wrap(&os.PathError{Op: "stat", Path: o.Dir, Err: err}, "mount the disk, and make the folder on it for the daemon's user")
	}
	if err := syscall.Stat(filepath.Dir(s.Path), &here); err != nil {
		return err
	}
	if there.Dev == here.Dev {
		return hint.Errorf("mount the disk, or name a folder on another one", "%s is on the same disk as the ledger", o.Dir)
	}
	return owner.Check(o.Dir)
}

// spare is how many bytes a backup leaves free for bumps on the ledger's own disk.
const spare = 8 << 20

// room refuses a backup that would take the room that bumps need. On another disk there
// are none.
func (s Source) room(dir string) error {
	var there, here syscall.Stat_t
	var fs syscall.Statfs_t
	if syscall.Stat(s.Path, &here) != nil || syscall.Stat(dir, &there) != nil || here.Dev != there.Dev || syscall.Statfs(dir, &fs) != nil {
		return nil
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < here.Size+spare {
		return hint.Errorf("make room on that disk, name a folder on another, or keep fewer: dir and keep in the table [backup]",
			"%d MB are free, a backup takes %d MB, and %d MB are for bumps: %w", free>>20, (here.Size+1<<20-1)>>20, int64(spare)>>20, syscall.ENOSPC)
	}
	return nil
}

// ErrBad is a backup that fails its check.
var ErrBad = errors.New("does not hold")

// holds verifies a backup, unless that is not wanted.
func (s Source) holds(ctx context.Context, file string, o Options) error {
	if o.Quick || file == o.Good {
		return nil
	}
	return s.Verify(ctx, file)
}

// add makes a backup under a new name.
func (s Source) add(ctx context.Context, o Options) (string, error) {
	path := filepath.Join(o.Dir, backupName(s.Newest.Seq, s.At))
	if err := s.room(o.Dir); err != nil {
		return "", fmt.Errorf("backup to %s: %w", path, err)
	}
	tmp, err := boltfile.NewCopy(ctx, path, s.CopyOut)
	if err != nil {
		return "", fmt.Errorf("backup to %s: %w", path, err)
	}
	defer os.Remove(tmp) // fails after the rename
	if err := s.holds(ctx, tmp, o); errors.Is(err, ErrBad) {
		bad := setBad(tmp, s.Newest.Chain)
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

// errNoBackup is an entry of a folder without a backup's name.
var errNoBackup = errors.New("not a backup's name")

// Entry identifies an entry of a folder.
func Entry(dir string, e os.DirEntry, identify func(path string) (Identity, error)) (Identity, error) {
	path := filepath.Join(dir, e.Name())
	if ok, _ := filepath.Match(backupPattern, e.Name()); !ok {
		return Identity{}, errNoBackup
	}
	if !e.Type().IsRegular() {
		return Identity{File: path}, errors.New("not a regular file")
	}
	return identify(path)
}

// List lists this ledger's backups in a folder, oldest first, and adds the other files with
// a backup's name to b. The order depends on what is in them, not on clocks or names.
func (s Source) List(dir string, b *Backup) (own []Identity, err error) {
	all, err := os.ReadDir(dir)
	for _, e := range all {
		f, bad := Entry(dir, e, s.Identify)
		_, ours := s.Chains[f.Chain]
		var damaged *boltfile.DamagedError
		switch {
		case bad == errNoBackup:
		case errors.As(bad, &damaged):
			b.Damaged = append(b.Damaged, f.File)
		case bad == nil && ours:
			own = append(own, f)
		default:
			b.Others = append(b.Others, f.File)
		}
	}
	sort.SliceStable(own, func(i, j int) bool {
		a, b := own[i], own[j]
		return cmp.Or(cmp.Compare(s.Chains[a.Chain], s.Chains[b.Chain]), cmp.Compare(a.Seq, b.Seq), cmp.Compare(a.Txid, b.Txid)) < 0
	})
	return own, err
}
