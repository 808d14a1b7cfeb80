package safefile

import (
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

func ok(t *testing.T, errs ...error) {
	t.Helper()
	for _, err := range errs {
		if err != nil {
			t.Fatal(err)
		}
	}
}

func put(t *testing.T, dir string, names ...string) {
	t.Helper()
	for _, name := range names {
		ok(t, os.WriteFile(filepath.Join(dir, name), []byte("half"), 0o600))
	}
}

func TestRemoveLeftovers(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	gone := []string{"a.new-1", "a.holder.new-2", "a.check"}
	kept := []string{"a", "a.new", "a.damaged-x-new-b", "b.new-1", "aa.new-1"}
	put(t, dir, append(gone, kept...)...)
	// Links, folders, what is in use, and what another user has.
	put(t, outside, "precious")
	ok(t, os.Symlink(filepath.Join(outside, "precious"), filepath.Join(dir, "a.new-link")), os.Mkdir(filepath.Join(dir, "a.new-folder"), 0o700),
		syscall.Mkfifo(filepath.Join(dir, "a.new-pipe"), 0o600))
	busy, err := os.Create(filepath.Join(dir, "a.new-busy"))
	ok(t, err, syscall.Flock(int(busy.Fd()), syscall.LOCK_EX))
	defer busy.Close()
	kept = append(kept, "a.new-link", "a.new-folder", "a.new-pipe", "a.new-busy")
	if os.Geteuid() == 0 {
		put(t, dir, "a.new-theirs")
		ok(t, os.Chown(filepath.Join(dir, "a.new-theirs"), 65534, 65534))
		kept = append(kept, "a.new-theirs")
	}
	patterns := []string{"a.new-*", "a.*.new-*", "a.check"}
	removed, err := RemoveLeftovers(dir, patterns...)
	ok(t, err)
	if len(removed) != len(gone) {
		t.Errorf("removed %v", removed)
	}
	for dir, want := range map[string][]string{dir: kept, outside: {"precious"}} {
		var got []string
		all, err := os.ReadDir(dir)
		ok(t, err)
		for _, e := range all {
			got = append(got, e.Name())
		}
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("in %s there is %v, want %v", dir, got, want)
		}
	}
	if removed, err := RemoveLeftovers(filepath.Join(dir, "none"), patterns...); err != nil || removed != nil {
		t.Errorf("a folder that does not exist: %v, %v", removed, err)
	}
	if os.Geteuid() == 0 {
		ok(t, os.Chown(dir, 65534, 65534))
		put(t, dir, "a.check")
		if removed, err := RemoveLeftovers(dir, patterns...); err == nil || removed != nil {
			t.Errorf("another user's folder: %v, %v", removed, err)
		}
	}
}
