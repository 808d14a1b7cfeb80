package safefile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"stump/internal/owner"
)

// RemoveLeftovers removes the temporary files that a power cut or a kill left in a
// folder, and returns them. It removes only regular files that match a pattern of
// filepath.Match, belong to this user, and are locked by no process.
func RemoveLeftovers(dir string, patterns ...string) (removed []string, err error) {
	if err := owner.Check(dir); err != nil {
		return nil, err
	}
	all, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	for _, e := range all {
		ours := slices.ContainsFunc(patterns, func(p string) bool { ok, _ := filepath.Match(p, e.Name()); return ok })
		if !ours {
			continue
		}
		file := filepath.Join(dir, e.Name())
		gone, rerr := removeIdle(file)
		if err = errors.Join(err, rerr); gone {
			removed = append(removed, file)
		}
	}
	return removed, err
}

// removeIdle removes a regular file of this user if no process has locked it.
func removeIdle(file string) (bool, error) {
	f, err := os.OpenFile(file, os.O_RDONLY|syscall.O_NOFOLLOW|syscall.O_NONBLOCK, 0)
	if err != nil {
		return false, nil // a link, or another user's
	}
	defer f.Close()
	var st syscall.Stat_t
	if err := syscall.Fstat(int(f.Fd()), &st); err != nil || st.Mode&syscall.S_IFMT != syscall.S_IFREG || int(st.Uid) != os.Geteuid() {
		return false, err
	}
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == syscall.EWOULDBLOCK {
		return false, nil
	}
	return true, os.Remove(file)
}
