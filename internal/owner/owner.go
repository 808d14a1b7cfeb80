// Package owner keeps other users from leading root astray: a user who may write
// to a folder on the way to a file can replace it with a link or rename it, at any
// moment.
//
// So root uses a path only if no other user can change where it leads (Check).
// If one user can, the whole process first becomes that user (Become). A link then
// leads to nothing that this user couldn't reach without us. Nothing has to be
// checked again, and no call needs special care. A process that isn't root's needs
// nothing of this: it can do no more than its user.
package owner

import (
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"slices"
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

// Of returns the user who can change where path leads: root, or the one other user
// who owns folders or links on the way. The last element need not exist. In a
// folder that all users share, such as /tmp, the one before it must. It is an error
// if several users can change where path leads.
func Of(path string) (User, error) {
	w := &way{path: path}
	err := w.walk(path)
	return w.owner, err
}

// way is a path that is followed as the kernel does, see path_resolution(7).
type way struct {
	path   string // as it was named
	owner  User
	shared bool // the last folder is one that all users share
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
			return nil // only the owners so far can put something there
		case err == syscall.ENOENT:
			return hint.Errorf("make it first: mkdir -m 700 "+at, "root won't make the folder %s: any user could be faster: %w", at, err)
		case err != nil:
			return &os.PathError{Op: "stat", Path: at, Err: err}
		}
		if err := w.pass(at, &st); err != nil {
			return err
		}
		if st.Mode&syscall.S_IFMT == syscall.S_IFLNK {
			if links++; links > 40 {
				return &os.PathError{Op: "stat", Path: w.path, Err: syscall.ELOOP}
			}
			var err error
			if at, rest, err = follow(at, rest); err != nil {
				return err
			}
			continue
		}
		if rest = slices.DeleteFunc(rest, func(name string) bool { return name == "" || name == "." }); len(rest) == 0 {
			return nil
		}
		at, rest = filepath.Join(at, rest[0]), rest[1:] // at has no link, so .. is the folder above
	}
}

// follow returns the folder that the link at starts from, and what comes next.
func follow(at string, rest []string) (string, []string, error) {
	to, err := os.Readlink(at)
	if at = filepath.Dir(at); filepath.IsAbs(to) {
		at = "/"
	}
	return at, append(strings.Split(to, "/"), rest...), err
}

// pass notes whose the folder, link or file at is.
func (w *way) pass(at string, st *syscall.Stat_t) error {
	kind := st.Mode & syscall.S_IFMT
	// The owner of a file can replace it only in a shared folder.
	if kind != syscall.S_IFDIR && kind != syscall.S_IFLNK && !w.shared {
		return nil
	}
	others := kind == syscall.S_IFDIR && (st.Mode&syscall.S_IWOTH != 0 || st.Mode&syscall.S_IWGRP != 0 && st.Gid != 0)
	w.shared = others && st.Mode&syscall.S_ISVTX != 0
	if st.Uid == 0 {
		if others && !w.shared {
			return hint.Errorf("name a folder that one user alone may write to", "root won't use %s: several users may write to the folder %s", w.path, at)
		}
		return nil
	}
	u := User{int(st.Uid), int(st.Gid)}
	if w.owner.UID != 0 && w.owner.UID != u.UID {
		return hint.Errorf("run stump as the user whose files they are: sudo -u NAME stump …", "root won't use %s: both %v and %v can change where it leads", w.path, w.owner, u)
	}
	w.owner = u
	return nil
}

// Check refuses a path if this process is root's and another user can change where
// it leads.
func Check(path string) error {
	if os.Geteuid() != 0 {
		return nil
	}
	u, err := Of(path)
	if err == nil && u.UID != 0 {
		err = hint.Errorf(fmt.Sprintf("run stump as that user: sudo -u %v stump …", u), "root won't use %s: the user %v can change where it leads", path, u)
	}
	return err
}

// Become makes a process of root's, for good, the user who can change where path
// leads. Open files that only root may read before.
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
		// The user must not control this process, which has root's open files and
		// terminal.
		err = unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0)
	}
	if err != nil {
		return hint.Errorf(fmt.Sprintf("run stump as that user: sudo -u %v stump …", u), "root can't become the user %v, who owns %s: %w", u, path, err)
	}
	return nil
}

// groups returns the groups of the user. A user whom the system doesn't know gets
// the group of the folder, but never root's.
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
