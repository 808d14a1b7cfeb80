package boltfile

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/boltpages"
	"stump/internal/safefile"
)

// Copy makes a ledger file with what fill writes: temporary name, sync, a
// look at it, rename, sync of the folder.
func Copy(path string, fill func(io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = checkMetasAt(f.Name())
	}
	if err == nil {
		Crash("backup-rename")
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = safefile.SyncDir(filepath.Dir(path))
	}
	return err
}

// CrashHook is called at the named points of a write, so that a test can end
// the process there.
var CrashHook func(point string)

func Crash(point string) {
	if CrashHook != nil {
		CrashHook(point)
	}
}

// Create makes a ledger file with what fill writes into it. It appears
// under its name only when it is whole.
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
			return os.OpenFile(name, flag|os.O_EXCL, mode) // not through a link that was put there since
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
