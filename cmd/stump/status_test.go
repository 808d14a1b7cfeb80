package main

import (
	"strings"
	"testing"
	"time"

	"stump/internal/api/wire"
)

// TestStatusOfBackups prints the last good backup of each folder.
func TestStatusOfBackups(t *testing.T) {
	file, at := "/mnt/usb/ledger-000000000021-20261130T100000Z.db", time.Date(2026, 11, 30, 10, 0, 0, 0, time.Local)
	var out strings.Builder
	printStatus(&out, wire.Status{Backups: []wire.Backup{
		{Folder: "/var/lib/stump/backups", Others: 2, Damaged: 1},
		{Folder: "/mnt/usb", File: &file, Event: 21, At: &at, ClockTrusted: true},
		{Folder: "/mnt/usb", File: &file, Event: 21, At: &at},
	}})
	want := `
backup    none yet, in /var/lib/stump/backups
          2 files of another ledger in that folder: left alone and not counted
          1 damaged file in that folder: left alone and not counted
backup    2026-11-30 10:00, up to event 21: ` + file + `
backup    2026-11-30 10:00 ?, up to event 21: ` + file + `
`
	if !strings.Contains(out.String(), want) {
		t.Errorf("printed\n%s\nwant%s", &out, want)
	}
}
