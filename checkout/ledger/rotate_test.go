package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
	"stump/checkout/ledger/rotation"
	"stump/internal/books"
)

// backup makes a backup of what has one event more.
func (x *tester) backup(o BackupOptions) Backup {
	x.t.Helper()
	x.bump(1, 11)
	b, err := x.AutoBackup(context.Background(), o)
	x.ok(err)
	if !b.New {
		x.t.Fatalf("no new backup: %+v", b)
	}
	return b
}

// names are the files in a folder.
func (x *tester) names(dir string) (names []string) {
	x.t.Helper()
	all, err := os.ReadDir(dir)
	x.ok(err)
	for _, e := range all {
		names = append(names, e.Name())
	}
	return names
}

// ownBackups are this ledger's backups in a folder, oldest first.
func (x *tester) ownBackups(dir string) ([]rotation.Identity, error) {
	s, err := x.source(BackupOptions{})
	x.ok(err)
	return s.List(dir, &Backup{})
}

// seqs are the newest events of this ledger's backups in a folder, oldest first.
func (x *tester) seqs(dir string) (seqs []uint64) {
	x.t.Helper()
	own, err := x.ownBackups(dir)
	x.ok(err)
	for _, f := range own {
		seqs = append(seqs, f.Seq)
	}
	return seqs
}

func TestBackupRotation(t *testing.T) {
	x := newLedger(t)
	dir := filepath.Join(t.TempDir(), "[usb]", "backups") // no pattern
	checked := 0
	o := BackupOptions{Dir: dir, Keep: 3, Check: func(_ context.Context, path string) error {
		checked++
		return boltfile.Check(path)
	}}
	for range 5 {
		x.clock.add(24 * time.Hour)
		b := x.backup(o)
		if st, err := os.Stat(b.File); err != nil || st.Mode().Perm()&0o077 != 0 || b.Others != nil {
			t.Errorf("%+v: %v %v", b, st.Mode(), err)
		}
	}
	want(t, "kept", fmt.Sprint(x.names(dir)), "[ledger-000000000009-20261124T100000Z.db ledger-000000000010-20261125T100000Z.db ledger-000000000011-20261126T100000Z.db]")
	want(t, "checked", checked, 5)
	b, err := x.AutoBackup(context.Background(), o)
	x.ok(err)
	want(t, "of what there is already", fmt.Sprint(b.New, b.Seq), "false 11")
	want(t, "checked again", checked, 6)
	o.Good = b.File
	_, err = x.AutoBackup(context.Background(), o)
	x.ok(err)
	want(t, "checked once more", checked, 6)
}

// TestBadBackup: a backup that doesn't hold takes nobody's place.
func TestBadBackup(t *testing.T) {
	x := newLedger(t)
	dir := t.TempDir()
	o := BackupOptions{Dir: dir, Keep: 2}
	x.backup(o)
	good := x.backup(o).File
	o.Check = func(context.Context, string) error { return errors.New("no good") }
	for range 3 {
		x.bump(1, 11)
		_, err := x.AutoBackup(context.Background(), o)
		if err == nil || !strings.Contains(err.Error(), "does not hold: ") || !strings.Contains(err.Error(), "no good") {
			t.Error(err)
		}
	}
	want(t, "still there", fmt.Sprint(x.seqs(dir)), "[7 8]")
	bad, err := filepath.Glob(filepath.Join(dir, "ledger-????????.bad"))
	x.ok(err)
	want(t, "bad ones", len(bad), 1)
	want(t, "files", len(x.names(dir)), 3)

	// A check that came to no end says nothing.
	o.Check = func(context.Context, string) error { return ErrNotChecked }
	b, err := x.AutoBackup(context.Background(), o)
	x.ok(err)
	want(t, "unchecked by bbolt", b.New, true)
	if _, err := os.Stat(good); err != nil {
		t.Error(err)
	}

	// What broke on the disk since is seen, set aside and replaced.
	raw, err := os.ReadFile(b.File)
	x.ok(err)
	x.ok(os.WriteFile(b.File, bytes.ReplaceAll(raw, []byte("cem@example.org"), []byte("cex@example.org")), 0o600))
	o.Check = nil
	again, err := x.AutoBackup(context.Background(), o)
	x.ok(err)
	want(t, "made anew", fmt.Sprint(again.New, again.Seq), "true 11")
	want(t, "in the folder", fmt.Sprint(x.seqs(dir)), "[8 11]")
	want(t, "others", len(again.Others), 0)

	// Where there is no time for a check there is none.
	o.Check = func(context.Context, string) error { t.Error("checked"); return nil }
	o.Quick = true
	for _, isNew := range []bool{true, false} {
		if isNew {
			x.bump(1, 11)
		}
		b, err = x.AutoBackup(context.Background(), o)
		x.ok(err)
		want(t, "quick", b.New, isNew)
	}
	want(t, "after two", fmt.Sprint(x.seqs(dir)), "[11 12]")

	// What nobody has checked takes the place of none that is known to hold.
	o.Good, o.Keep = filepath.Join(dir, filepath.Base(again.File)), 1
	x.bump(1, 11)
	b, err = x.AutoBackup(context.Background(), o)
	x.ok(err)
	want(t, "after three", fmt.Sprint(x.seqs(dir)), "[11 13]")
	o.Quick, o.Check = false, nil
	_, err = x.AutoBackup(context.Background(), o)
	x.ok(err)
	want(t, "after the check", fmt.Sprint(x.seqs(dir)), "[13]")
	want(t, "that is", b.File, filepath.Join(dir, x.names(dir)[0]))
}

// TestBackupsOfOthers shares the folder with another station that has bumped a
// thousand times, and with whatever has such a name.
func TestBackupsOfOthers(t *testing.T) {
	x, other := newLedger(t), newLedger(t)
	dir := t.TempDir()
	theirs := BackupOptions{Dir: dir, Keep: 100}
	for range 20 {
		other.bump(1, 11)
		other.backup(theirs)
	}
	far := filepath.Join(dir, "ledger-999999999999-20991231T235959Z.db")
	x.ok(os.WriteFile(far, []byte("not a ledger at all"), 0o600))
	x.ok(os.Symlink(other.path, filepath.Join(dir, "ledger-link.db")))
	x.ok(os.Mkdir(filepath.Join(dir, "ledger-folder.db"), 0o700))
	empty := newEmptyLedger(t)
	x.ok(empty.BackupTo(context.Background(), filepath.Join(dir, "ledger-empty.db")))
	before := x.names(dir)

	// The same second and number as one of theirs: it is not replaced.
	x.clock.wall = time.Date(2026, 11, 21, 10, 0, 0, 0, time.UTC)
	for range 2 {
		x.bump(1, 11)
	}
	o := BackupOptions{Dir: dir, Keep: 2}
	var made []string
	for range 4 {
		b := x.backup(o)
		want(t, "others", len(b.Others), len(before)-1)
		want(t, "damaged", fmt.Sprint(b.Damaged), fmt.Sprint([]string{far}))
		made = append(made, b.File)
		if _, err := os.Stat(b.File); err != nil {
			t.Fatalf("what was just made is gone: %v", err)
		}
	}
	want(t, "kept", fmt.Sprint(x.seqs(dir)), "[11 12]")
	left := x.names(dir)
	for _, name := range before {
		if !slices.Contains(left, name) {
			t.Errorf("%s is gone", name)
		}
	}
	want(t, "files", len(left), len(before)+2)
	want(t, "names", filepath.Base(made[2]), "ledger-000000000011-20261121T100000Z.db")
}

// TestDamagedBackupInTheFolder: a backup that can't say how far it goes is nobody else's.
func TestDamagedBackupInTheFolder(t *testing.T) {
	for what, damage := range map[string]func(*tester, string){
		"its newest event": func(x *tester, file string) {
			raw, err := os.ReadFile(file)
			x.ok(err)
			var newest []byte
			x.ok(x.view(func(t *txn) { newest = bytes.Clone(t.bucket(record.TreeEvents).Get(record.EventKey(record.At(1, 8)))) }))
			torn := bytes.Clone(newest)
			torn[len(torn)/2] ^= 1
			want(t, "records of it", bytes.Count(raw, newest), 1)
			x.ok(os.WriteFile(file, bytes.Replace(raw, newest, torn, 1), 0o600))
		},
		"the pages of its events": func(_ *tester, file string) {
			zero(t, file, pagesOf(t, file, record.TreeEvents, anyKey))
		},
		"its end":   func(x *tester, file string) { x.ok(os.Truncate(file, 5*boltpages.PageSize)) },
		"all of it": func(x *tester, file string) { x.ok(os.Truncate(file, 0)) },
	} {
		t.Run(what, func(t *testing.T) {
			x := newLedger(t)
			o := BackupOptions{Dir: t.TempDir(), Keep: 5}
			x.backup(o)
			damage(x, x.backup(o).File)
			again, err := x.AutoBackup(t.Context(), o)
			x.ok(err)
			want(t, "damaged", len(again.Damaged), 1)
			want(t, "others", len(again.Others), 0)
			want(t, "a new one with all", fmt.Sprint(again.New, again.Seq), "true 8")
			want(t, "counted", fmt.Sprint(x.seqs(o.Dir)), "[7 8]")
		})
	}
}

func TestBackupNameIsTaken(t *testing.T) {
	x, other := newLedger(t), newLedger(t)
	dir := t.TempDir()
	first := other.backup(BackupOptions{Dir: dir})
	b := x.backup(BackupOptions{Dir: dir})
	want(t, "theirs", filepath.Base(first.File), "ledger-000000000007-20261121T100000Z.db")
	want(t, "ours", filepath.Base(b.File), "ledger-000000000007-20261121T100000Z-2.db")
	want(t, "others", fmt.Sprint(b.Others), fmt.Sprint([]string{first.File}))
	want(t, "theirs is still theirs", fmt.Sprint(other.seqs(dir)), "[7]")
}

// TestBackupOrder: neither the clock nor the names count.
func TestBackupOrder(t *testing.T) {
	x := newLedger(t)
	dir := t.TempDir()
	o := BackupOptions{Dir: dir, Keep: 3}
	first := x.backup(o).File
	x.clock.add(-365 * 24 * time.Hour)
	second := x.backup(o).File
	x.clock.add(-365 * 24 * time.Hour)
	third := x.backup(o).File
	// An admin gave them other names, and copied one, which is the newest by time.
	renamed := filepath.Join(dir, "ledger-000-first.db")
	x.ok(os.Rename(third, renamed))
	raw, err := os.ReadFile(first)
	x.ok(err)
	x.ok(os.WriteFile(filepath.Join(dir, "ledger-zzz.db"), raw, 0o600))
	want(t, "before", fmt.Sprint(x.seqs(dir)), "[7 7 8 9]")
	x.clock.add(-365 * 24 * time.Hour)
	fourth := x.backup(o).File
	want(t, "after", fmt.Sprint(x.seqs(dir)), "[8 9 10]")
	for _, f := range []string{second, renamed, fourth} {
		if _, err := os.Stat(f); err != nil {
			t.Error(err)
		}
	}

	// Of equal numbers, the file of the later transaction is the newer one.
	x.ok(x.BackupTo(context.Background(), filepath.Join(dir, "ledger-b.db")))
	anna := "Anna"
	x.ok(x.EditPerson("ann", books.Edit{Name: &anna}, "admin", checkout.SourceCLI))
	x.ok(x.BackupTo(context.Background(), filepath.Join(dir, "ledger-a.db")))
	own, err := x.ownBackups(dir)
	x.ok(err)
	n := len(own)
	want(t, "newest", filepath.Base(own[n-1].File), "ledger-a.db")
	want(t, "numbers", fmt.Sprint(x.seqs(dir)), "[8 9 10 10 10]")
}

// TestBackupsAcrossSchemas: those from before the migration are this ledger's.
func TestBackupsAcrossSchemas(t *testing.T) {
	for _, old := range oldLedgers {
		if old.name == "empty" || strings.HasPrefix(old.name, "renamed-") {
			continue // no event; a chain that is continued by none
		}
		_, path, o := unpackOld(t, old.name, old.station)
		x := &tester{t: t, path: path, o: o}
		raw, err := os.ReadFile(path)
		x.ok(err)
		dir := t.TempDir()
		x.ok(os.WriteFile(filepath.Join(dir, "ledger-before.db"), raw, 0o600))
		x.Ledger, err = Open(path, o)
		x.ok(err)
		b, err := x.AutoBackup(context.Background(), BackupOptions{Dir: dir})
		x.ok(err)
		want(t, old.name+": others", len(b.Others), 0)
		x.ok(x.Close())
	}
}

// TestDiskFullAtABackup: what there is stays, and nothing is half there. The disk takes
// no file that is longer than the backups until now. The limit is the whole process's, so
// the test has one of its own: elsewhere it would hit others' files, and go test's.
func TestDiskFullAtABackup(t *testing.T) {
	if os.Getenv("STUMP_TEST_FULL_DISK") == "" {
		t.Parallel()
		exe, err := os.Executable()
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(exe, "-test.run=^TestDiskFullAtABackup$", "-test.v")
		cmd.Env = append(os.Environ(), "STUMP_TEST_FULL_DISK=1")
		if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("--- PASS")) {
			t.Fatalf("%v\n%s", err, out)
		}
		return
	}
	dir := t.TempDir()
	x := newLedger(t)
	o := BackupOptions{Dir: dir, Keep: 1}
	x.backup(o)
	before := x.names(dir)
	st, err := os.Stat(filepath.Join(dir, before[0]))
	x.ok(err)
	for range 200 { // the file grows
		x.bump(1, 11)
	}
	x.ok(limitFiles(st.Size()))
	_, err = x.AutoBackup(context.Background(), o)
	x.ok(limitFiles(unlimited))
	if !errors.Is(err, syscall.EFBIG) {
		t.Fatalf("the disk is not full: %v", err)
	}
	want(t, "what is there", fmt.Sprint(x.names(dir)), fmt.Sprint(before))
	own, err := x.ownBackups(dir)
	x.ok(err)
	want(t, "a whole backup", len(own), 1)
	x.backup(o)
	want(t, "with room again", fmt.Sprint(x.names(dir)) == fmt.Sprint(before), false)
}

// TestBackupApart wants another disk, and one that is there.
func TestBackupApart(t *testing.T) {
	x := newLedger(t)
	o := BackupOptions{Dir: filepath.Join(t.TempDir(), "usb"), Apart: true}
	x.bump(1, 11)
	if _, err := x.AutoBackup(context.Background(), o); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a disk that is not mounted: %v", err)
	}
	x.ok(os.Mkdir(o.Dir, 0o700))
	if _, err := x.AutoBackup(context.Background(), o); err == nil || !strings.Contains(err.Error(), "is on the same disk as the ledger") {
		t.Errorf("a folder under a disk that is not mounted: %v", err)
	}
	o.Dir = memDir(t)
	b, err := x.AutoBackup(context.Background(), o)
	x.ok(err)
	want(t, "on another disk", b.New, true)
}
