// Package safefile writes files so that a power cut leaves the old one or the new one.
package safefile

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"

	"stump/internal/owner"
)

// Write replaces the file at path with data. Root is refused if another user can
// change where path leads; see package owner.
func Write(path string, data []byte, mode os.FileMode) error {
	_, err := Copy(path, bytes.NewReader(data), mode)
	return err
}

// Copy is Write with all that r has. It returns how many bytes that was.
func Copy(path string, r io.Reader, mode os.FileMode) (n int64, err error) {
	if err := owner.Check(path); err != nil {
		return 0, err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-")
	if err != nil {
		var pe *os.PathError
		if errors.As(err, &pe) {
			pe.Path = path // the user knows only this name
		}
		return 0, err
	}
	defer os.Remove(f.Name()) // fails after the rename
	n, err = io.Copy(f, r)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = f.Sync()
	}
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err == nil {
		err = SyncDir(filepath.Dir(path))
	}
	return n, err
}

// RenameNew renames a file, but replaces none: the error is then os.ErrExist.
func RenameNew(old, name string) error {
	err := unix.Renameat2(unix.AT_FDCWD, old, unix.AT_FDCWD, name, unix.RENAME_NOREPLACE)
	switch err {
	case nil:
		return nil
	case unix.EINVAL, unix.ENOSYS, unix.ENOTSUP: // the file system, or the kernel, can't
		if _, err := os.Lstat(name); !errors.Is(err, os.ErrNotExist) {
			return cmp.Or(err, os.ErrExist)
		}
		return os.Rename(old, name)
	}
	return &os.LinkError{Op: "rename", Old: old, New: name, Err: err}
}

// SyncDir makes renames in a folder survive a power cut.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
