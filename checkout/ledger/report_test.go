package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"stump/checkout/ledger/boltfile"
)

// TestWasHere: each trace of a ledger counts, and other files don't.
func TestWasHere(t *testing.T) {
	for name, want := range map[string]bool{"": false, "site.key": false, "ledger.db2": false, "ledger.db.new": false, "ledger.db": true,
		"ledger.db.holder": true, "ledger.db.newest": true, "ledger.db.damaged-1": true, "ledger.db.replaced-1": true, "ledger.db.schema-1": true} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		if name != "" {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := WasHere(path, "", "lab"); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// TestMissingUnderAProcess: a file that was removed under a process which has it open is
// not begun again.
func TestMissingUnderAProcess(t *testing.T) {
	x := newLedger(t)
	x.ok(x.Close())
	cmd, out := child(t, "taps", "STUMP_TEST_LEDGER="+x.path)
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	if !out.Scan() || out.Text() != "open" {
		t.Fatal(out.Text())
	}
	h, err := boltfile.ReadHolder(x.path)
	x.ok(err)
	x.ok(os.Remove(x.path))
	_, _, err = OpenOrSalvage(x.path, x.o)
	if locked, ok := err.(*LockedError); !ok || locked.PID != h.PID {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(x.path); !os.IsNotExist(err) {
		t.Error(fmt.Sprint("a new file: ", err))
	}
}
