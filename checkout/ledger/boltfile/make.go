package boltfile

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/boltpages"
	"stump/internal/owner"
	"stump/internal/safefile"
)

// Copy writes a ledger file with fill and puts it at path, in place of any other. After
// a power cut, path is the old file or the whole new one.
func Copy(ctx context.Context, path string, fill func(io.Writer) error) error {
	tmp, err := NewCopy(ctx, path, fill)
	if err != nil {
		return err
	}
	Crash("backup-rename")
	if err := os.Rename(tmp, path); err != nil {
		os.Remove(tmp)
		return err
	}
	return safefile.SyncDir(filepath.Dir(path))
}

// Copying is a file that a copy is written to, until its context is done.
type Copying struct {
	Context  context.Context
	File     *os.File
	Progress func(done, total uint64) // bytes; nil for nobody
	Total    uint64
	Full     bool // the file takes no more
	done     uint64
}

// Write is io.Writer's.
func (c *Copying) Write(b []byte) (int, error) {
	if err := c.Context.Err(); err != nil {
		return 0, err
	}
	n, err := c.File.Write(b)
	c.Full = err != nil
	c.done += uint64(n)
	if c.Progress != nil {
		c.Progress(c.done, c.Total)
	}
	return n, err
}

// Temporary are patterns of the names of temporary files that are made beside a
// ledger with this name, also by a salvage, a restore, a check and a scrub.
func Temporary(base string) []string {
	all := []string{".new", ".new-*", ".*.new-*", ".copy-*", ".check"}
	for _, made := range []string{".restored", ".salvaged", ".scrubbed"} {
		all = append(all, made, made+".*")
	}
	for i := range all {
		all[i] = base + all[i]
	}
	return all
}

// NewCopy makes a temporary file beside path with what fill writes, and syncs it, unless
// ctx ends before: a slow disk takes minutes. The file is locked while it is written, so
// that nobody takes it for a leftover.
func NewCopy(ctx context.Context, path string, fill func(io.Writer) error) (tmp string, err error) {
	if err := owner.Check(path); err != nil {
		return "", err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-")
	if err != nil {
		return "", err
	}
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) // some file systems have no locks
	err = fill(&synced{ctx: ctx, f: f})
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = checkMetasAt(f.Name())
	}
	if err != nil {
		os.Remove(f.Name())
	}
	return f.Name(), err
}

// synced syncs a file each time that so many bytes are written: the disk needs not much
// longer, and a context that ends is not found out behind all of them.
type synced struct {
	ctx      context.Context
	f        *os.File
	unsynced int
}

const syncEvery = 4 << 20

// Write is io.Writer's.
func (s *synced) Write(b []byte) (n int, err error) {
	if err = s.ctx.Err(); err == nil {
		n, err = s.f.Write(b)
	}
	if s.unsynced += n; err == nil && s.unsynced >= syncEvery {
		s.unsynced, err = 0, s.f.Sync()
	}
	return n, err
}

// CrashHook is for tests: Crash calls it with the name of the point, so that it can end
// the process there.
var CrashHook func(point string)

// Crash marks a point of a write at which tests end the process.
func Crash(point string) {
	if CrashHook != nil {
		CrashHook(point)
	}
}

// Create writes a new ledger file with fill. After a power cut, path is the whole file
// or nothing. An existing file is os.ErrExist.
func Create(path string, fill func(*bolt.DB) error) error {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s: %w", path, os.ErrExist)
	}
	tmp := path + ".new"
	if err := os.Remove(tmp); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	db, err := bolt.Open(tmp, 0o640, &bolt.Options{
		Timeout: time.Second, PageSize: boltpages.PageSize, FreelistType: bolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			return os.OpenFile(name, flag|os.O_EXCL, mode) // O_EXCL follows no link
		},
	})
	if err != nil {
		return err
	}
	err = fill(db)
	if err == nil {
		err = db.Sync()
	}
	if cerr := db.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		Crash("create-rename")
		err = os.Rename(tmp, path)
	}
	if err == nil {
		Crash("create-sync-dir")
		err = safefile.SyncDir(filepath.Dir(path))
	}
	if err != nil {
		os.Remove(tmp)
	}
	return err
}
