package ledger

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/checkout/ledger/record"
	"stump/internal/books"
	"stump/internal/histogram"
)

func init() { children["full"], children["hold"] = fullChild, holdChild }

const unlimited = 1 << 62

// limitFiles is a disk that is full, without one: this process may not write behind a
// certain byte of a file, and gets EFBIG.
func limitFiles(size int64) error {
	signal.Ignore(syscall.SIGXFSZ)
	return syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: uint64(size), Max: unlimited})
}

// fullChild takes taps on a disk that fills up. Then there is room again.
func fullChild() {
	fail := func(err error) {
		if err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
	}
	l, err := Create(os.Getenv("STUMP_TEST_LEDGER"), childOptions())
	fail(err)
	for range 20 {
		fail(childTap(l, os.Stdout))
	}
	info, err := l.Info()
	fail(err)
	fail(limitFiles(info.Size - 40*boltpages.PageSize))
	var refused int
	for i := 0; i < 2000 && refused < 5; i++ {
		err := childTap(l, os.Stdout)
		switch {
		case errors.Is(err, ErrCannotSave) && errors.Is(err, syscall.EFBIG):
			refused++
			h := l.Health()
			if h.Failure == nil {
				fail(errors.New("the failure is not told"))
			}
			for _, lerr := range l.Loans(books.LoanFilter{}) {
				fail(lerr) // looking still works
			}
			fail(l.Backup(io.Discard)) // and so does a copy to another disk
		default:
			fail(err)
		}
	}
	fmt.Println("refused", refused)
	fail(limitFiles(unlimited))
	for range 20 {
		fail(childTap(l, os.Stdout))
	}
	h := l.Health()
	if h.Failure != nil {
		fail(errors.New("a failure is told that is over"))
	}
	if h.Written.Sum <= 0 || h.Written.Sum > h.Times.Sum || counted(h.Times) != h.Commits || counted(h.Written) != h.Commits {
		fail(fmt.Errorf("%d commits, in %+v, of the disk %+v", h.Commits, h.Times, h.Written))
	}
	fail(l.Close())
}

// TestDiskFull: no false yes while the disk refuses, and recovery without a
// restart. The file systems that really are full are in the kernel fixture.
func TestDiskFull(t *testing.T) {
	path := filepath.Join(memDir(t), "ledger.db")
	promised := newConfirmed()
	cmd, out := child(t, "full", "STUMP_TEST_LEDGER="+path)
	refused := 0
	for out.Scan() {
		if err := promised.line(out.Text()); err != nil {
			t.Fatal(err)
		}
		fmt.Sscanf(out.Text(), "refused %d", &refused)
	}
	if err := cmd.Wait(); err != nil {
		t.Fatal(err)
	}
	if refused < 5 {
		t.Fatalf("only %d taps were refused", refused)
	}
	l, err := Open(path, childOptions())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	if err := promised.kept(l); err != nil {
		t.Fatal(err)
	}
	n := 0
	for range l.History(books.HistoryFilter{}) {
		n++
	}
	if n > len(promised.events)+refused {
		t.Errorf("%d events, %d confirmed", n, len(promised.events))
	}
	t.Logf("%d taps confirmed, %d refused", len(promised.events), refused)
}

// TestMaxSize: the limit of the file is like a full disk.
func TestMaxSize(t *testing.T) {
	x := newLedger(t)
	x.o.MaxSize = 1 << 20
	x.reopen()
	var err error
	for i := 0; err == nil && i < 10_000; i++ {
		_, err = x.Complete(checkout.Completion{Person: checkout.Subject{Kind: checkout.KindPerson, ID: "ann"}, Device: checkout.Subject{Kind: checkout.KindDevice, ID: "ipad"}})
	}
	if !errors.Is(err, ErrCannotSave) {
		t.Fatal(err)
	}
	x.o.MaxSize = 0
	x.reopen()
	x.bump(1, 11)
	x.verify()
}

func TestSlowDisk(t *testing.T) {
	x := newLedger(t)
	var log bytes.Buffer
	x.o.Slow, x.o.Logger = time.Nanosecond, slog.New(slog.NewTextHandler(&log, nil))
	x.reopen()
	x.bump(1, 11)
	h := x.Health()
	if !h.Slow || h.LastCommit <= 0 || h.SlowestCommit < h.LastCommit || h.Commits != 1 {
		t.Errorf("%+v", h)
	}
	if !strings.Contains(log.String(), "the disk is slow") {
		t.Errorf("log: %s", &log)
	}
}

// holdChild opens the ledger until its standard input ends.
func holdChild() {
	l, err := Open(os.Getenv("STUMP_TEST_LEDGER"), childOptions())
	fmt.Println("open", err)
	os.Stdin.Read(make([]byte, 1))
	_ = l
}

func TestLockedByAnotherProcess(t *testing.T) {
	x := newLedger(t)
	x.ok(x.Close())
	exe, err := os.Executable()
	x.ok(err)
	cmd := exec.Command(exe)
	cmd.Env = append(os.Environ(), "STUMP_TEST_CHILD=hold", "STUMP_TEST_LEDGER="+x.path)
	in, err := cmd.StdinPipe()
	x.ok(err)
	out, err := cmd.StdoutPipe()
	x.ok(err)
	x.ok(cmd.Start())
	line := make([]byte, 100)
	n, err := out.Read(line)
	x.ok(err)
	want(t, "child", string(line[:n]), "open <nil>\n")
	for _, open := range []func(string, Options) (*Ledger, error){Open, OpenReadOnly, func(p string, o Options) (*Ledger, error) {
		l, _, err := OpenOrSalvage(p, o)
		return l, err
	}} {
		_, err = open(x.path, x.o)
		var locked *LockedError
		if !errors.As(err, &locked) || locked.PID != cmd.Process.Pid || !strings.Contains(err.Error(), filepath.Base(exe)) {
			t.Errorf("%v", err)
		}
	}
	in.Close()
	x.ok(cmd.Wait())
	l, err := OpenReadOnly(x.path, x.o)
	x.ok(err)
	defer l.Close()
	if err := l.NoteRefusals(stranger(tag(5))); !errors.Is(err, ErrReadOnly) {
		t.Error(err)
	}
	second, err := OpenReadOnly(x.path, x.o)
	x.ok(err)
	second.Close()
}

func TestNewerFileIsRefused(t *testing.T) {
	x := newLedger(t)
	x.ok(x.Close())
	db, err := bolt.Open(x.path, 0, nil)
	x.ok(err)
	x.ok(db.Update(func(tx *bolt.Tx) error {
		return (&txn{l: x.Ledger, tx: tx}).try(func(t *txn) { t.put(record.TreeMeta, metaSchema, binary.AppendUvarint(nil, schema+1)) })
	}))
	x.ok(db.Close())
	for _, open := range []func() error{
		func() error { _, err := Open(x.path, x.o); return err },
		func() error { _, _, err := OpenOrSalvage(x.path, x.o); return err },
	} {
		var newer *NewerError
		if err := open(); !errors.As(err, &newer) || !strings.Contains(newer.Hint(), "use a newer stump") {
			t.Errorf("%v", err)
		}
	}
}

func TestClosed(t *testing.T) {
	x := newLedger(t)
	x.ok(x.Close())
	x.ok(x.Close())
	if _, err := x.Subject(tag(1)); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if err := x.NoteRefusals(stranger(tag(1))); !errors.Is(err, ErrClosed) {
		t.Error(err)
	}
	if _, err := Create(x.path, x.o); !errors.Is(err, os.ErrExist) {
		t.Errorf("made over another: %v", err)
	}
}

func counted(t histogram.Times) (n uint64) {
	for _, c := range t.Counts {
		n += c
	}
	return n
}

// TestFileMovedAway: what is written to a file that was moved away or replaced would be gone
// at the next start, so nothing is confirmed. A backup has all that was, and when the file is
// back bumps are saved.
func TestFileMovedAway(t *testing.T) {
	x := newLedger(t)
	old, away, backup := x.path+".old", x.path+".away", x.path+".backup"
	x.ok(x.BackupTo(t.Context(), old))
	x.bump(1, 11)
	x.ok(os.Rename(x.path, away))
	for _, what := range []string{"nothing", "an old copy"} {
		if what != "nothing" {
			x.ok(os.Rename(old, x.path))
		}
		_, err := x.Complete(checkout.Completion{Person: x.subject(2), Device: x.subject(12), Reader: "door"})
		if !errors.Is(err, ErrCannotSave) || !errors.Is(err, boltfile.ErrGone) || !strings.Contains(boltfile.SaveRemedy(err), "move the file back") {
			t.Errorf("a bump with %s in its place: %v", what, err)
		}
		if err := x.Try(); !errors.Is(err, boltfile.ErrGone) {
			t.Errorf("with %s in its place: %v", what, err)
		}
	}
	x.ok(x.BackupTo(t.Context(), backup))
	copied, err := OpenReadOnly(backup, x.o)
	x.ok(err)
	defer copied.Close()
	if got := (&tester{Ledger: copied, t: t, clock: x.clock}).who(); got != "ipad=ann" {
		t.Errorf("the backup has %s", got)
	}
	x.ok(os.Rename(away, x.path))
	x.bump(2, 12)
	if got := x.who(); got != "ipad=ann pixel=ben" {
		t.Errorf("when the file is back: %s", got)
	}
}
