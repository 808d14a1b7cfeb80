// Package boltfile opens, creates and copies the file of a ledger. Damage and locks are
// typed errors, and power cuts leave whole files.
package boltfile

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"

	"stump/checkout/ledger/boltpages"
	"stump/internal/hint"
	"stump/internal/owner"
)

// Check runs bbolt's own check on the file at path. bbolt may panic in its own
// goroutine when the file is damaged, so call it in a separate process.
func Check(path string) error {
	db, _, err := Open(path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bolt.Tx) error {
		var errs []error
		for err := range tx.Check() {
			if len(errs) < 10 {
				errs = append(errs, err)
			}
		}
		return errors.Join(errs...)
	})
}

// CheckMetas checks the two meta pages of a file. It must run before bbolt, which
// initialises an empty file, panics on a short one, and silently falls back to the
// previous transaction when one meta page is damaged.
func CheckMetas(f *os.File, path string) error {
	st, err := f.Stat()
	if err != nil {
		return err
	}
	if st.Size() == 0 {
		return Damaged(path, "the file is empty")
	}
	if st.Size() < 4*boltpages.PageSize {
		return Damaged(path, fmt.Sprintf("the file is cut short: %d bytes", st.Size()))
	}
	var txids [2]uint64
	for slot := range int64(2) {
		m, err := boltpages.ReadMeta(f, slot)
		txids[slot] = m.Txid
		if err != nil {
			return Damaged(path, fmt.Sprintf("meta page %d: %v", slot, err))
		}
		if m.High > uint64(st.Size())/boltpages.PageSize {
			return Damaged(path, fmt.Sprintf("the file is cut short: %d bytes of at least %d", st.Size(), m.High*boltpages.PageSize))
		}
		if m.Root >= m.High || (m.Freelist >= m.High && m.Freelist != boltpages.NoPage) {
			return Damaged(path, fmt.Sprintf("meta page %d points outside the file", slot))
		}
	}
	if txids[0] == txids[1] {
		return Damaged(path, "both meta pages are of the same transaction")
	}
	return nil
}

func checkMetasAt(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return CheckMetas(f, path)
}

// Resolve returns the path of the ledger's file, which need not exist. It follows a
// link, because a rename over the link would leave the ledger behind on the other disk.
// It refuses a link to nothing, and anything but a regular file. It also refuses root
// if another user can change where path leads; see package owner.
func Resolve(path string) (string, error) {
	if err := owner.Check(path); err != nil {
		return "", err
	}
	st, err := os.Lstat(path)
	if err == nil && st.Mode()&os.ModeSymlink != 0 {
		link := path
		if path, err = filepath.EvalSymlinks(link); errors.Is(err, os.ErrNotExist) {
			to, _ := os.Readlink(link)
			return "", hint.Errorf("mount its disk, or remove the link", "the ledger %s is a link to %s, which does not exist", link, to)
		}
		if err == nil {
			st, err = os.Stat(path)
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return path, nil
	}
	if err == nil && !st.Mode().IsRegular() {
		err = hint.Errorf("move it away, or choose another folder with --state", "the ledger %s is not a regular file", path)
	}
	return path, err
}

// Options say how to open a file.
type Options struct {
	LockTimeout time.Duration // how long to wait for another process's lock; 1 s if zero
	MaxSize     int           // of the file in bytes; no limit if zero
	ReadOnly    bool
}

// Open opens an existing file. It also returns the file below bbolt, so that Shut can
// close it when bbolt no longer can. Errors: os.ErrNotExist, *DamagedError,
// *LockedError.
func Open(path string, o Options) (db *bolt.DB, file *os.File, err error) {
	if err := checkMetasAt(path); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil && file != nil {
			letGo(file) // bbolt does not when it panics
		}
	}()
	defer Recover(path, &err)()
	var opened *os.File
	db, err = bolt.Open(path, 0o640, &bolt.Options{
		Timeout:  cmp.Or(o.LockTimeout, time.Second),
		ReadOnly: o.ReadOnly,
		PageSize: boltpages.PageSize,
		MaxSize:  o.MaxSize,
		// Growing the map waits for all readers, so make that rare.
		InitialMmapSize: mapSize(path),
		FreelistType:    bolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			if opened != nil { // a copy is made, of this file even if it was moved away
				return os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", opened.Fd()), flag&^os.O_CREATE, mode)
			}
			// Only Create makes a new file.
			f, err := os.OpenFile(name, flag&^os.O_CREATE, mode)
			file, opened = f, f
			return f, err
		},
	})
	if errors.Is(err, berrors.ErrTimeout) {
		return nil, nil, LockedBy(path)
	}
	if err != nil {
		return nil, nil, err
	}
	db.AllocSize = 256 << 10
	return db, file, nil
}

// letGo closes a file that bbolt can no longer close. It unlocks the file first, since
// the map of the file would keep the lock.
func letGo(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	_ = f.Close()
}

// mapSize is the size of the map in bytes, with room for the file to grow.
func mapSize(path string) int {
	size := int64(32 << 20)
	if st, err := os.Stat(path); err == nil {
		for size < st.Size()+st.Size()/4 {
			size *= 2
		}
	}
	const most = 1 << 30 // what fits into a 32-bit address space
	return int(min(size, most))
}

// Shut closes a file after a fault. bbolt waits for ever for a transaction that a panic
// has left open, so after a second Shut closes only the file, which releases the lock.
func Shut(path string, db *bolt.DB, file *os.File) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		var err error
		defer Recover(path, &err)()
		err = db.Close()
	}()
	select {
	case <-done:
	case <-time.After(time.Second):
		letGo(file)
	}
}
