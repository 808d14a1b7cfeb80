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
	l, err := openOrCreate(o, local, nil)
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
	if l, err = openOrCreate(o, local, nil); err != nil {
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
		"daemon":  func() (*ledger.Ledger, error) { return openOrCreate(o, local, nil) },
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
	if err := d.Ledger.BackupTo(context.Background(), path); err != nil {
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

// TestTidy: a start removes the temporary files of Stump's own names, and no others.
func TestTidy(t *testing.T) {
	o := simOptions(t, "")
	log := new(testkit.Log)
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	backups, key := filepath.Join(o.StateDir, "backups"), filepath.Join(t.TempDir(), "key")
	o.Config.Privacy.KeyFile = key
	o.Config.Backup.Also = t.TempDir()
	l, err := openOrCreate(o, places{directory: directory.Local{}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := os.Mkdir(backups, 0o700); err != nil {
		t.Fatal(err)
	}
	gone := []string{
		"ledger.db.new", "ledger.db.new-1", "ledger.db.holder.new-2", "ledger.db.copy-3", "ledger.db.check", "ledger.db.check.new-4",
		"ledger.db.restored", "ledger.db.restored.new", "ledger.db.restored.holder", "ledger.db.salvaged.new", "ledger.db.scrubbed",
		"ledger.db.schema-1.new-5", "backup.json.new-6", ".selftest-7", "backups/ledger-000000000009-20261121T100000Z.db.new-8",
	}
	kept := []string{
		"ledger.db.suspect", "ledger.db.damaged-20261121T100000Z-x", "ledger.db.replaced-20261121T100000Z-restored-a-new-b", "ledger.db.schema-1",
		"backup.json", "mine.new-1", "ledger.db2.new-1", "site.key.new", "backups/ledger-000000000009-20261121T100000Z.db", "backups/ledger-0badcafe.bad", "backups/mine.db.new-1",
	}
	for i := range gone {
		gone[i] = filepath.Join(o.StateDir, gone[i])
	}
	for i := range kept {
		kept[i] = filepath.Join(o.StateDir, kept[i])
	}
	gone = append(gone, key+".new-9", filepath.Join(o.Config.Backup.Also, "ledger-1.db.new-10"))
	for _, f := range append(gone, kept...) {
		if err := os.WriteFile(f, nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	tidy(o, l)
	for _, f := range gone {
		if _, err := os.Lstat(f); err == nil {
			t.Errorf("%s is still there", f)
		}
	}
	for _, f := range append(kept, key, l.Path()) {
		if _, err := os.Lstat(f); err != nil {
			t.Error(err)
		}
	}
	if n := log.Count("temporary files"); n != 1 {
		t.Errorf("told %d times:\n%s", n, log)
	}
}
