// Package owner keeps root from being led astray by other users: whoever may
// write to a folder on the way to a file decides, with a link or a rename, which
// file it is.
//
// Root therefore acts on a path only if nobody else can change what it leads to
// (Check). Otherwise the whole process first becomes the one user who can
// (Become). Then a link leads to nothing that this user couldn't reach without
// us, whenever it is put there: no check has to be repeated, and no call has to
// be made in a special way. A process that isn't root's is left as it is: it can
// do no more than its user can.
package owner

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"stump/internal/hint"
)

// User is a user of the system; the zero value is root.
type User struct{ UID, GID int }

// String is the user's name, or the number of one without a name.
func (u User) String() string {
	if known, err := user.LookupId(strconv.Itoa(u.UID)); err == nil {
		return known.Username
	}
	return strconv.Itoa(u.UID)
}

// Of returns the user who decides what path leads to: root, or the one other
// user who owns folders or links on the way. The last element need not exist; the
// folder must, in one where all users keep files. It is an error if several users
// could decide.
func Of(path string) (User, error) {
	w := &way{path: path}
	err := w.walk(path)
	return w.owner, err
}

// way is a path that is followed as the kernel does (path_resolution(7)).
type way struct {
	path   string // as it was named
	owner  User
	shared bool // the folder reached last is one in which all users keep files, such as /tmp
}

func (w *way) walk(path string) error {
	if !filepath.IsAbs(path) {
		here, err := os.Getwd()
		if err != nil {
			return err
		}
		path = here + "/" + path
	}
	at, rest := "/", strings.Split(path, "/")
	for links := 0; ; {
		var st syscall.Stat_t
		switch err := syscall.Lstat(at, &st); {
		case (err == syscall.ENOENT || err == syscall.ENOTDIR) && (len(rest) == 0 || !w.shared):
			return nil // only those who were passed can put something there
		case err != nil:
			return &os.PathError{Op: "stat", Path: at, Err: err}
		}
		if err := w.pass(at, &st); err != nil {
			return err
		}
		if st.Mode&syscall.S_IFMT == syscall.S_IFLNK {
			to, err := os.Readlink(at)
			if links++; err == nil && links > 40 {
				err = &os.PathError{Op: "stat", Path: w.path, Err: syscall.ELOOP}
			}
			if err != nil {
				return err
			}
			rest = append(strings.Split(to, "/"), rest...)
			if at = filepath.Dir(at); filepath.IsAbs(to) {
				at = "/"
			}
			continue
		}
		for len(rest) > 0 && (rest[0] == "" || rest[0] == ".") {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			return nil
		}
		at, rest = filepath.Join(at, rest[0]), rest[1:] // no link is left in at, so .. is the folder above
	}
}

// pass notes whose the folder, link or file at is.
func (w *way) pass(at string, st *syscall.Stat_t) error {
	kind := st.Mode & syscall.S_IFMT
	// Whoever owns a file may write to it, but only in a shared folder exchange it.
	if kind != syscall.S_IFDIR && kind != syscall.S_IFLNK && !w.shared {
		return nil
	}
	others := kind == syscall.S_IFDIR && (st.Mode&syscall.S_IWOTH != 0 || st.Mode&syscall.S_IWGRP != 0 && st.Gid != 0)
	w.shared = others && st.Mode&syscall.S_ISVTX != 0
	if st.Uid == 0 {
		if others && !w.shared {
			return hint.Errorf("name a folder that one user alone may write to", "root won't touch %s: several users may write to the folder %s", w.path, at)
		}
		return nil
	}
	u := User{int(st.Uid), int(st.Gid)}
	if w.owner.UID != 0 && w.owner.UID != u.UID {
		return hint.Errorf("run stump as the user whose files they are: sudo -u NAME stump …", "root won't touch %s: both %v and %v may change what it is", w.path, w.owner, u)
	}
	w.owner = u
	return nil
}

// Check refuses a path if this process is root's and another user decides what
// it leads to.
func Check(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := Of(path)
	if err == nil && u.UID != 0 {
		err = hint.Errorf(fmt.Sprintf("run stump as that user: sudo -u %v stump …", u), "root won't touch %s: the user %v may change what it is", path, u)
	}
	return err
}

// Become makes a process of root's, for good, the user who decides what path
// leads to. Files that only root may read are to be opened before.
func Become(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := Of(path)
	if err != nil || u.UID == 0 {
		return err
	}
	gid, groups := u.groups()
	if err = syscall.Setgroups(groups); err == nil {
		err = syscall.Setresgid(gid, gid, gid)
	}
	if err == nil {
		err = syscall.Setresuid(u.UID, u.UID, u.UID)
	}
	if err == nil {
		// The user may not look into us: root's open files are here, and root's
		// terminal.
		err = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	}
	if err != nil {
		return hint.Errorf(fmt.Sprintf("run stump as that user: sudo -u %v stump …", u), "root can't become the user %v, who owns %s: %w", u, path, err)
	}
	return nil
}

// groups are the user's own, as the system knows them. A user whom it doesn't
// know has the group of their folder, but never root's.
func (u User) groups() (gid int, all []int) {
	if known, err := user.LookupId(strconv.Itoa(u.UID)); err == nil {
		if gid, err = strconv.Atoi(known.Gid); err == nil {
			ids, _ := known.GroupIds()
			for _, id := range ids {
				if n, err := strconv.Atoi(id); err == nil {
					all = append(all, n)
				}
			}
			return gid, all
		}
	}
	if u.GID != 0 {
		return u.GID, nil
	}
	const nogroup = 65534
	return nogroup, nil
}
