package ledger

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/beside"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/testkit"
)

// TestBackupWhileTaps makes backups while taps go on: each is consistent.
func TestBackupWhileTaps(t *testing.T) {
	x := newLedger(t)
	stop := make(chan struct{})
	done := make(chan error)
	go func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				done <- nil
				return
			default:
			}
			_, err := x.Complete(checkout.Completion{
				Person: checkout.Subject{Kind: checkout.KindPerson, ID: "ann"}, Device: checkout.Subject{Kind: checkout.KindDevice, ID: "ipad"}})
			if err != nil {
				done <- err
				return
			}
		}
	}()
	for i := range 10 {
		path := filepath.Join(t.TempDir(), fmt.Sprint(i, ".db"))
		x.ok(x.BackupTo(context.Background(), path))
		l, err := OpenReadOnly(path, x.o)
		x.ok(err)
		r, err := l.Verify(context.Background(), VerifyOptions{Check: func(_ context.Context, p string) error { return boltfile.Check(p) }})
		x.ok(err)
		if !r.OK() || r.Bbolt != "passed" {
			t.Errorf("%v", r)
		}
		l.Close()
	}
	close(stop)
	x.ok(<-done)
}

// TestSnapshot: a copy tells how far it is, ends when asked to, and leaves no name behind.
func TestSnapshot(t *testing.T) {
	x := newLedger(t)
	var done, total uint64
	f, err := x.Snapshot(t.Context(), func(d, of uint64) { done, total = d, of })
	x.ok(err)
	st, err := f.Stat()
	x.ok(err)
	if done != total || done != uint64(st.Size()) || done == 0 {
		t.Errorf("%d of %d bytes are told, %d are there", done, total, st.Size())
	}
	copied := filepath.Join(t.TempDir(), "copy.db")
	b, err := io.ReadAll(f)
	x.ok(err)
	x.ok(os.WriteFile(copied, b, 0o600))
	x.ok(boltfile.Check(copied))
	x.ok(f.Close())
	enough := errors.New("enough")
	ctx, cancel := context.WithCancelCause(t.Context())
	if _, err := x.Snapshot(ctx, func(uint64, uint64) { cancel(enough) }); !errors.Is(err, enough) {
		t.Errorf("cancelled: %v", err)
	}
	if left, err := filepath.Glob(x.path + ".copy-*"); len(left) > 0 || err != nil {
		t.Errorf("left behind: %v %v", left, err)
	}
	x.ok(x.Close())
	if _, err := x.Snapshot(t.Context(), nil); !errors.Is(err, ErrClosed) {
		t.Errorf("closed: %v", err)
	}
}

func TestRestore(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(3, 13)
	x.bump(3, 13)
	x.deliverAll()
	x.bump(3, 13) // 10
	backup := filepath.Join(t.TempDir(), "b.db")
	x.ok(x.BackupTo(context.Background(), backup))
	x.deliverAll()
	x.bump(2, 11) // 11
	x.bump(1, 12) // 12
	x.bump(3, 13) // 13
	x.deliverAll()
	x.ok(x.ErasePerson("cem", "admin", checkout.SourceCLI)) // 14
	ctx := context.Background()
	var locked *LockedError
	if _, err := restoreFrom(ctx, x.path, backup, x.o, RestoreOptions{}); !errors.As(err, &locked) || locked.PID != os.Getpid() {
		t.Fatalf("restored under a running ledger: %v", err)
	}
	x.ok(x.Close())
	before, err := os.ReadFile(x.path)
	x.ok(err)
	r, err := restoreFrom(ctx, x.path, backup, x.o, RestoreOptions{DryRun: true})
	x.ok(err)
	want(t, "dry run", r.String(), "the backup ends with event 10 of 2026-11-21T10:00:00Z; events 11-14 would be missing\n"+
		"loans: The ipad: Ben → Ann; The pixel: Ann → none; The nexus: none → Cem\npeople: cem: none → Cem")
	after, err := os.ReadFile(x.path)
	x.ok(err)
	if string(before) != string(after) {
		t.Error("a dry run changed the file")
	}
	r, err = restoreFrom(ctx, x.path, backup, x.o, RestoreOptions{Actor: "admin"})
	x.ok(err)
	x.Ledger, err = Open(x.path, x.o)
	x.ok(err)
	x.verify()
	want(t, "history", x.history(books.HistoryFilter{Device: "ipad"}), "4:enrol 7:checkout")
	want(t, "all", x.history(books.HistoryFilter{}), "1:enrol 2:enrol 3:enrol 4:enrol 5:enrol 6:enrol 7:checkout 8:checkout 9:return 10:checkout 15:restore 16:erase")
	want(t, "erased stays erased", x.people("nexus"), "6en:< 8ch:< 9re:< 10ch:<")
	rows := rowsFor(t, x.Ledger, "")
	want(t, "what was delivered since is not delivered again", len(rows), 0)
	aside, err := os.ReadFile(r.Aside)
	if err != nil || string(aside) != string(before) {
		t.Errorf("the ledger before is not there: %v", err)
	}
	x.bump(2, 12)

	// Now the backup is no beginning of the ledger any more? It still is: the
	// restored ledger begins with it. But another backup, of another way:
	x.bump(2, 12)
	x.ok(x.Close())
	fork := filepath.Join(t.TempDir(), "fork.db")
	x.ok(os.WriteFile(fork, before, 0o600))
	r, err = restoreFrom(ctx, x.path, fork, x.o, RestoreOptions{})
	if !errors.Is(err, ErrFork) || !r.Fork || !strings.Contains(r.String(), "gone different ways") {
		t.Fatalf("a fork: %v %v", r, err)
	}
	_, err = restoreFrom(ctx, x.path, fork, x.o, RestoreOptions{Fork: true})
	x.ok(err)
	x.Ledger, err = Open(x.path, x.o)
	x.ok(err)
	x.verify()
	want(t, "all", x.history(books.HistoryFilter{Device: "ipad"}), "4:enrol 7:checkout 11:handover")
	info, err := x.Info()
	x.ok(err)
	want(t, "no number is given twice", info.Seq, 19)
}

// TestRestoreOverRuins restores where the ledger can't be read.
func TestRestoreOverRuins(t *testing.T) {
	for pages, next := range map[int64]uint64{
		3: 9,           // what is left tells the newest number: 8
		1: reserve + 1, // nothing does
	} {
		x := newLedger(t)
		x.bump(1, 11)
		backup := filepath.Join(t.TempDir(), "b.db")
		x.ok(x.BackupTo(context.Background(), backup))
		x.bump(2, 11)
		x.ok(x.Close())
		x.ok(os.Truncate(x.path, pages*boltpages.PageSize))
		r, err := restoreFrom(context.Background(), x.path, backup, x.o, RestoreOptions{Actor: "admin"})
		x.ok(err)
		if !strings.Contains(r.String(), "the ledger can't be read") {
			t.Error(r)
		}
		x.Ledger, err = Open(x.path, x.o)
		x.ok(err)
		x.verify()
		want(t, "who", x.who(), "ipad=ann")
		info, err := x.Info()
		x.ok(err)
		want(t, "no number is given twice", info.Seq, next)
		rows := rowsFor(t, x.Ledger, "dir")
		want(t, "an admin decides about deliveries", rows[0].State, record.Parked)
	}
}

// TestRestoreOverDamage restores over a ledger of which any one page is gone:
// that is what a restore is for.
func TestRestoreOverDamage(t *testing.T) {
	x, tr := lived(t, 150)
	dir := memDir(t)
	backup, path := filepath.Join(dir, "b.db"), filepath.Join(dir, "ledger.db")
	x.ok(os.WriteFile(backup, tr.file, 0o600))
	l, err := Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	x.deliverAll()
	for _, d := range slices.Collect(maps.Keys(tr.tags)) { // p07 is to bring all back
		if s := x.subject(d); s.Holder == "p07" {
			x.bump(107, d)
		}
	}
	x.deliverAll()
	x.ok(x.ErasePerson("p07", "admin", checkout.SourceCLI))
	last, err := x.Info()
	x.ok(err)
	x.ok(x.Close())
	file, err := os.ReadFile(x.path)
	x.ok(err)
	holder, err := os.ReadFile(boltfile.HolderPath(x.path))
	x.ok(err)
	forgotten, told := 0, 0
	pages := len(tr.file) / boltpages.PageSize
	for page := range pages {
		b := slices.Clone(file)
		clear(b[page*boltpages.PageSize : (page+1)*boltpages.PageSize])
		x.ok(os.WriteFile(path, b, 0o600))
		x.ok(os.WriteFile(boltfile.HolderPath(path), holder, 0o600))
		x.ok(errors.Join(removeIfThere(path+".restored"), removeIfThere(beside.SuspectPath(path))))
		r, err := restoreFrom(context.Background(), path, backup, x.o, RestoreOptions{Actor: "admin"})
		if err != nil {
			t.Fatalf("page %d: %v", page, err)
		}
		x.ok(os.Remove(r.Aside))
		l, err := Open(path, x.o)
		x.ok(err)
		report, err := l.Verify(context.Background(), VerifyOptions{})
		x.ok(err)
		info, err := l.Info()
		x.ok(err)
		if !report.OK() || info.Seq <= last.Seq || info.Seq > last.Seq+reserve+1 { // the restore, and the erasure that it repeats
			t.Errorf("page %d: %v; event %d after %d", page, report, info.Seq, last.Seq)
		}
		if _, err := l.FindPerson("p07"); errors.Is(err, books.ErrNotFound) {
			forgotten++
		}
		if r.Unreadable != "" {
			told++
		}
		x.ok(l.Close())
	}
	t.Logf("%d pages: %d times the ledger could not be read, %d times the erased person stayed forgotten", pages, told, forgotten)
	if told == 0 || forgotten < pages*9/10 {
		t.Errorf("of %d damaged ledgers %d could not be read, and %d still told who was erased", pages, told, forgotten)
	}
}

func removeIfThere(path string) error {
	if err := os.Remove(path); !errors.Is(err, os.ErrNotExist) {
		return err
	}
	return nil
}

// TestRestoreUnderADaemon keeps off a file that a daemon has, though it looks
// like ruins.
func TestRestoreUnderADaemon(t *testing.T) {
	x := newLedger(t)
	backup := filepath.Join(t.TempDir(), "b.db")
	x.ok(x.BackupTo(context.Background(), backup))
	f, err := os.OpenFile(x.path, os.O_WRONLY, 0)
	x.ok(err)
	defer f.Close()
	_, err = f.WriteAt(make([]byte, boltpages.PageSize), 0)
	x.ok(err)
	var locked *LockedError
	if _, err := restoreFrom(context.Background(), x.path, backup, x.o, RestoreOptions{}); !errors.As(err, &locked) {
		t.Errorf("restored under a daemon: %v", err)
	}
}

func TestRestoreRefuses(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	backup := filepath.Join(t.TempDir(), "b.db")
	x.ok(x.BackupTo(context.Background(), backup))
	x.ok(x.Close())
	b, err := os.ReadFile(backup)
	x.ok(err)
	b = bytes.ReplaceAll(b, []byte("The ipad"), []byte("The iqad"))
	x.ok(os.WriteFile(backup, b, 0o600))
	if _, err := restoreFrom(context.Background(), x.path, backup, x.o, RestoreOptions{}); err == nil || !strings.Contains(err.Error(), "is damaged") {
		t.Errorf("a damaged backup: %v", err)
	}
}

// TestRootKeepsOut: the ledger of another user is for a process that has become
// that user.
func TestRootKeepsOut(t *testing.T) {
	testkit.NeedRoot(t)
	x := newLedger(t)
	backup := filepath.Join(t.TempDir(), "b.db")
	x.ok(x.BackupTo(context.Background(), backup))
	x.ok(x.Close())
	const nobody = 65534
	dir := filepath.Dir(x.path)
	x.ok(os.Chown(dir, nobody, nobody))
	before, err := os.ReadDir(dir)
	x.ok(err)
	_, open := Open(x.path, x.o)
	_, look := OpenReadOnly(x.path, x.o)
	_, create := Create(x.path+"2", x.o)
	_, _, salvage := OpenOrSalvage(x.path, x.o)
	_, restore := restoreFrom(context.Background(), x.path, backup, x.o, RestoreOptions{})
	for i, err := range []error{open, look, create, salvage, restore} {
		if err == nil || !strings.Contains(err.Error(), "root won't use") {
			t.Errorf("%d: %v", i, err)
		}
	}
	after, err := os.ReadDir(dir)
	x.ok(err)
	want(t, "files", len(after), len(before))
}
