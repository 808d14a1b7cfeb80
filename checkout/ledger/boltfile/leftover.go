package boltfile

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"syscall"

	"stump/internal/owner"
)

// RemoveLeftovers removes the temporary files that a power cut or a kill left
// beside the ledger at path and in the folders of its backups. It removes only
// regular files with these names that belong to this user and that no process has
// locked. The caller has the ledger open. It returns what it removed.
func RemoveLeftovers(path string, dirs ...string) (removed []string, err error) {
	base := filepath.Base(path)
	patterns := map[string][]string{filepath.Dir(path): {
		base + ".new", base + ".new-*", base + ".*.new-*", base + ".copy-*", base + ".check",
		base + ".restored", base + ".restored.*", base + ".salvaged", base + ".salvaged.*", base + ".scrubbed", base + ".scrubbed.*",
	}}
	for _, dir := range dirs {
		patterns[dir] = append(patterns[dir], "ledger-*.db.new-*")
	}
	for dir, names := range patterns {
		if owner.Check(dir) != nil {
			continue
		}
		all, rerr := os.ReadDir(dir)
		if rerr != nil && !errors.Is(rerr, os.ErrNotExist) {
			err = errors.Join(err, rerr)
		}
		for _, e := range all {
			ours := slices.ContainsFunc(names, func(p string) bool { ok, _ := filepath.Match(p, e.Name()); return ok })
			if !ours {
				continue
			}
			file := filepath.Join(dir, e.Name())
			gone, rerr := removeIdle(file)
			if err = errors.Join(err, rerr); gone {
				removed = append(removed, file)
			}
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
