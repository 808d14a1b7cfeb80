// Package boltfile opens, makes and copies the file of a ledger, so that damage,
// locks and power cuts are errors with a name.
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

// Check runs bbolt's own check over the file at path. It may panic in a
// goroutine of bbolt's when the file is damaged, so it is for a process that
// does nothing else; see VerifyOptions.Check.
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

// CheckMetas looks at a file before bbolt does, since bbolt makes an empty
// file anew, panics on a short one, and goes back a transaction without a word
// when one meta page is damaged. It reads two pages.
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
		return Damaged(path, "both meta pages are of one transaction")
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

// Resolve returns the file that path names, which need not be there yet. A link
// is followed, since a rename in its place would leave the ledger behind on the
// other disk. What isn't a regular file is not ours to set aside. Root is refused
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
			return "", hint.Errorf("mount the disk that it is on, or take the link away", "the ledger %s is a link to %s, which is not there", link, to)
		}
		if err == nil {
			st, err = os.Stat(path)
		}
	}
	if errors.Is(err, os.ErrNotExist) {
		return path, nil
	}
	if err == nil && !st.Mode().IsRegular() {
		err = hint.Errorf("move away what lies there, or name another folder with --state", "the ledger %s is not a regular file", path)
	}
	return path, err
}

// Options are how a file is opened.
type Options struct {
	// LockTimeout is how long to wait for another process to let go; 1 s if zero.
	LockTimeout time.Duration
	MaxSize     int // of the file, in bytes; none if zero
	ReadOnly    bool
}

// Open opens an existing file. It returns the file under bbolt too, so
// that it can be closed when bbolt can't do it any more.
func Open(path string, o Options) (db *bolt.DB, file *os.File, err error) {
	if err := checkMetasAt(path); err != nil {
		return nil, nil, err
	}
	defer func() {
		if err != nil && file != nil {
			letGo(file) // bbolt has not, when it panicked
		}
	}()
	defer Recover(path, &err)()
	timeout := cmp.Or(o.LockTimeout, time.Second)
	db, err = bolt.Open(path, 0o640, &bolt.Options{
		Timeout:  timeout,
		ReadOnly: o.ReadOnly,
		PageSize: boltpages.PageSize,
		MaxSize:  o.MaxSize,
		// The map grows only when no reader is in a transaction: make that rare.
		InitialMmapSize: mapSize(path),
		FreelistType:    bolt.FreelistMapType,
		OpenFile: func(name string, flag int, mode os.FileMode) (*os.File, error) {
			// Never create: an empty ledger is made by Create alone.
			f, err := os.OpenFile(name, flag&^os.O_CREATE, mode)
			file = f
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

// letGo closes a file that bbolt can't close any more. Its lock goes first: it
// stays with the map of the file otherwise.
func letGo(f *os.File) {
	_ = syscall.Flock(int(f.Fd()), syscall.LOCK_UN)
	_ = f.Close()
}

// mapSize is how much of the address space a ledger is given, so that it can
// grow for long before the map must.
func mapSize(path string) int {
	size := int64(32 << 20)
	if st, err := os.Stat(path); err == nil {
		for size < st.Size()+st.Size()/4 {
			size *= 2
		}
	}
	const most = 1 << 30 // what a 32-bit address space has to spare
	return int(min(size, most))
}

// Shut closes a file that has met a fault. bbolt would wait for ever for a
// transaction that a panic has left open; closing the file lets go of the lock
// in any case.
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
