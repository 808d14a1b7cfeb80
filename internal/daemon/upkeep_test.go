package daemon

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/sitekey"
)

// TestFailedBackupIsTold has the backups' disk away for a day.
func TestFailedBackupIsTold(t *testing.T) {
	dir := t.TempDir()
	l, err := ledger.Create(filepath.Join(dir, "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New()})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := l.AddPerson(checkout.Person{ID: "ann", Name: "Ann"}, checkout.TagFromUint64(7, 26), "admin", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	away := filepath.Join(dir, "usb")
	if err := os.WriteFile(away, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	u := &upkeep{ledger: l, keep: 3, log: slog.New(slog.DiscardHandler), backup: ledger.BackupOptions{Dir: filepath.Join(away, "stump")}}
	u.daily(t.Context())
	if err := u.failed(); err == nil || !strings.Contains(err.Error(), "not a directory") {
		t.Errorf("the failure: %v", err)
	}
	if err := os.Remove(away); err != nil {
		t.Fatal(err)
	}
	u.daily(t.Context())
	all, err := ledger.Backups(u.backup.Dir)
	if u.failed() != nil || len(all) != 1 {
		t.Errorf("with the disk back: %v, %v, %v", u.failed(), all, err)
	}
}
