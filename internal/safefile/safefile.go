// Package safefile writes files so that a power cut leaves the old one or the new one.
package safefile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// adopt gives what root has made to the owner of its folder: what an admin does
// with sudo must not lock the daemon out.
func Adopt(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	var file, dir syscall.Stat_t
	if err := errors.Join(syscall.Stat(path, &file), syscall.Stat(filepath.Dir(path), &dir)); err != nil {
		return err
	}
	if file.Uid == dir.Uid && file.Gid == dir.Gid {
		return nil
	}
	return os.Chown(path, int(dir.Uid), int(dir.Gid))
}

// writeFileSync replaces the file at path by data: temporary name, sync,
// rename, sync of the folder.
func Write(path string, data []byte, mode os.FileMode) error {
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".new-")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // fails after the rename
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(mode)
	}
	if err == nil {
		err = Adopt(f.Name())
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
	return err
}

// syncDir makes renames in a folder survive a power cut.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	return d.Sync()
}
