package boltfile

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
	state, backups := t.TempDir(), t.TempDir()
	put(t, state, "ledger.db.new-1", "ledger.db.holder.new-2", "ledger.db.copy-3", "ledger.db.check", "ledger.db.check.new-4", "ledger.db.restored",
		"ledger.db.restored.new", "ledger.db.salvaged.new", "ledger.db.scrubbed", "ledger.db.schema-1.new-5")
	put(t, backups, "ledger-000000000007-20261121T100000Z.db.new-6")
	kept := []string{"ledger.db", "ledger.db.holder", "ledger.db.newest", "ledger.db.suspect", "ledger.db.damaged-20261121T100000Z-x",
		"ledger.db.replaced-20261121T100000Z-restored-a-new-b", "ledger.db.schema-1", "mine.new-1", "ledger.db2.new-1", "site.key"}
	put(t, state, kept...)
	keptBackups := []string{"ledger-000000000007-20261121T100000Z.db", "ledger-a.db.new", "other.db.new-1"}
	put(t, backups, keptBackups...)
	// Links, folders, what is in use, and what another user has.
	outside := t.TempDir()
	put(t, outside, "precious")
	ok(t, os.Symlink(filepath.Join(outside, "precious"), filepath.Join(state, "ledger.db.new-link")),
		os.Mkdir(filepath.Join(state, "ledger.db.new-folder"), 0o700))
	busy, err := os.Create(filepath.Join(backups, "ledger-7.db.new-busy"))
	ok(t, err, syscall.Flock(int(busy.Fd()), syscall.LOCK_EX))
	defer busy.Close()
	kept, keptBackups = append(kept, "ledger.db.new-link", "ledger.db.new-folder"), append(keptBackups, "ledger-7.db.new-busy")
	if os.Geteuid() == 0 {
		put(t, state, "ledger.db.new-theirs")
		ok(t, os.Chown(filepath.Join(state, "ledger.db.new-theirs"), 65534, 65534))
		kept = append(kept, "ledger.db.new-theirs")
	}
	removed, err := RemoveLeftovers(filepath.Join(state, "ledger.db"), backups, filepath.Join(state, "none"))
	ok(t, err)
	if len(removed) != 11 {
		t.Errorf("removed %v", removed)
	}
	for dir, want := range map[string][]string{state: kept, backups: keptBackups, outside: {"precious"}} {
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
}
