package daemon

import (
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/internal/hint"
	"stump/internal/testkit"
)

func TestKeyPath(t *testing.T) {
	cfg := parse(t, "")
	credentials := t.TempDir()
	if got := keyPath(cfg, "/state"); got != "/state/site.key" {
		t.Errorf("beside the ledger: %s", got)
	}
	t.Setenv("CREDENTIALS_DIRECTORY", credentials)
	if got := keyPath(cfg, "/state"); got != "/state/site.key" {
		t.Errorf("without a credential of this name: %s", got)
	}
	credential := filepath.Join(credentials, "site-key")
	if err := os.WriteFile(credential, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if got := keyPath(cfg, "/state"); got != credential {
		t.Errorf("with a credential: %s", got)
	}
	cfg.Privacy.KeyFile = "/etc/stump/key"
	if got := keyPath(cfg, "/state"); got != "/etc/stump/key" {
		t.Errorf("configured: %s", got)
	}
}

// TestOpenLedger goes through a ledger's life: there is none, it is created, its
// key is readable for others, its key is lost.
func TestOpenLedger(t *testing.T) {
	o := simOptions(t, "")
	log := new(testkit.Log)
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	local := places{directory: directory.Local{}}
	if _, err := OpenLedger(o.Config, o.StateDir, true); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("%v", err)
	}
	l, err := openOrCreate(o, local)
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if l, err = OpenLedger(o.Config, o.StateDir, true); err != nil {
		t.Fatal(err)
	}
	l.Close()

	key := filepath.Join(o.StateDir, "site.key")
	if err := os.Chmod(key, 0o644); err != nil {
		t.Fatal(err)
	}
	if l, err = openOrCreate(o, local); err != nil {
		t.Fatal(err)
	}
	l.Close()
	if log.Count("others may read the site key") != 1 {
		t.Errorf("the log says\n%s", log)
	}

	if err := os.Remove(key); err != nil {
		t.Fatal(err)
	}
	for name, open := range map[string]func() (*ledger.Ledger, error){
		"daemon":  func() (*ledger.Ledger, error) { return openOrCreate(o, local) },
		"command": func() (*ledger.Ledger, error) { return OpenLedger(o.Config, o.StateDir, false) },
	} {
		if _, err := open(); err == nil || !strings.Contains(hint.Of(err), "belong together") {
			t.Errorf("%s without the key: %v", name, err)
		}
	}
	if exists(key) {
		t.Error("a new key was made, which fits no backup")
	}
}

// TestCheckInChild runs this test's program as the child.
func TestCheckInChild(t *testing.T) {
	d := newSim(t, "")
	addSeed(t, d)
	path := filepath.Join(t.TempDir(), "copy.db")
	if err := d.Ledger.BackupTo(path); err != nil {
		t.Fatal(err)
	}
	if err := CheckInChild(t.Context(), path); err != nil {
		t.Errorf("a good copy: %v", err)
	}
	if err := os.Truncate(path, 100); err != nil {
		t.Fatal(err)
	}
	err := CheckInChild(t.Context(), path)
	if err == nil || errors.Is(err, ledger.ErrNotChecked) || strings.Contains(err.Error(), "\n") {
		t.Errorf("a bad copy: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := CheckInChild(ctx, path); !errors.Is(err, ledger.ErrNotChecked) {
		t.Errorf("stopped: %v", err)
	}
}
