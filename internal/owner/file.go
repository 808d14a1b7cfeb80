package owner

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"

	"stump/internal/hint"
)

// MkdirAll makes a folder and those above it, and checks it.
func MkdirAll(dir string, mode os.FileMode) error {
	if err := Check(dir); err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	if err := os.MkdirAll(dir, mode); err != nil {
		return err
	}
	return Check(dir) // another user may have made it in a shared folder
}

// Create opens a file for writing as os.Create does, with this mode if it is new.
// Root uses no file or link of another user.
func Create(path string, mode os.FileMode) (*os.File, error) {
	if err := Check(path); err != nil {
		return nil, err
	}
	// O_EXCL follows no link. If something exists by now, it must pass the check
	// too; then no other user can replace it.
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if !errors.Is(err, os.ErrExist) {
		return f, err
	}
	if err := Check(path); err != nil {
		return nil, err
	}
	return os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, mode)
}

// Open opens a file for reading. If another user can change where path leads, root
// opens only a regular file of that user: any other may be one that the user wants
// to learn from root.
func Open(path string) (*os.File, error) {
	if os.Geteuid() != 0 {
		return os.Open(path)
	}
	u, err := Of(path)
	if err != nil {
		return nil, err
	}
	if u.UID == 0 {
		return os.Open(path)
	}
	fd, err := unix.Open(path, unix.O_PATH|unix.O_CLOEXEC, 0) // opening a device or a pipe has effects
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return nil, &os.PathError{Op: "stat", Path: path, Err: err}
	}
	if int(st.Uid) != u.UID || st.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, hint.Errorf("copy it to a folder that only root may write to",
			"root won't read %s: the user %v can change where it leads, and it is not a file of that user", path, u)
	}
	return os.Open(fmt.Sprintf("/proc/self/fd/%d", fd))
}
