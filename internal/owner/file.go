package owner

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"stump/internal/hint"
)

// MkdirAll makes a folder, and those above it, that root may use.
func MkdirAll(dir string, mode os.FileMode) error {
	if err := Check(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	return Check(dir) // in a shared folder another user may have made it
}

// Create opens a file for writing, as os.Create does, with this mode if it is
// new. In a shared folder root uses no file and no link of another user's.
func Create(path string, mode os.FileMode) (*os.File, error) {
	if err := Check(path); err != nil {
		return nil, err
	}
	// With O_EXCL no link is followed. What is there must pass the check once
	// more, and then nobody else can exchange it.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if !errors.Is(err, os.ErrExist) {
		return f, err
	}
	if err := Check(path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
}

// Open opens a regular file for reading. If another user decides what path leads
// to, root opens only a file of that user's: any other may be one that the user
// wants root to read.
func Open(path string) (*os.File, error) {
	var u User
	if os.Geteuid() == 0 {
		var err error
		if u, err = Of(path); err != nil {
			return nil, err
		}
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0) // to open a device or a pipe has effects
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	switch {
	case st.Mode&unix.S_IFMT != unix.S_IFREG:
		return nil, hint.Errorf("name a file", "%s is not a regular file", path)
	case u.UID != 0 && int(st.Uid) != u.UID:
		return nil, hint.Errorf("copy it to a folder that only root may write to", "root won't read %s: the user %v may change what it is, and it isn't theirs", path, u)
	}
	f, err := os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
	var pe *os.PathError
	if errors.As(err, &pe) {
		pe.Path = path
	}
	return f, err
}
