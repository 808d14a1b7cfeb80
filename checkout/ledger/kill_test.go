package ledger

import (
	"bufio"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/boltpages"
	"stump/internal/books"
	"stump/internal/clock"
)

var killRuns = flag.Int("kills", 200, "times that TestKill kills a process that takes taps")

func init() {
	children["taps"] = tapsChild
	children["crash"] = crashChild
}

// confirm prints what the display would say: from here on, the tap is promised.
func confirm(w io.Writer, ev checkout.Event) {
	fmt.Fprintf(w, "ok %d %s %s %s\n", ev.Seq, ev.Kind, ev.Person, ev.Device)
}

func childOptions() Options {
	o := testOptions(newTestClock())
	o.Stamp = clock.Now
	return o
}

// tapsChild takes taps until it is killed, beside a directory that writes rows: some ride
// with those.
func tapsChild() {
	l, salvaged, err := OpenOrSalvage(os.Getenv("STUMP_TEST_LEDGER"), childOptions())
	if err != nil || salvaged != nil {
		fmt.Println("failed", err, salvaged)
		os.Exit(1)
	}
	fmt.Println("open")
	go func() {
		for n := uint64(0); ; n++ {
			rows := []books.SyncRow{{Kind: checkout.KindPerson, Ref: "a", Name: "A", Tag: tag26(n % 7)}, {Kind: checkout.KindPerson, Ref: "b", Name: "B", Tag: tag26((n + 1) % 7)}}
			if _, err := l.Sync(rows, "directory", checkout.SourceSync); err != nil {
				fmt.Println("failed", err)
			}
		}
	}()
	for {
		if err := childTap(l, os.Stdout); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
	}
}

// childTap bumps two of few tags, and now and then delivers what is due.
func childTap(l *Ledger, w io.Writer) error {
	p := checkout.Subject{Kind: checkout.KindPerson, Tag: tag(1 + rand.IntN(5)), Pending: true}
	d := checkout.Subject{Kind: checkout.KindDevice, Tag: tag(11 + rand.IntN(5)), Pending: true}
	ev, err := l.Complete(checkout.Completion{Person: p, Device: d, Reader: "door"})
	if err != nil {
		return err
	}
	confirm(w, ev)
	if rand.IntN(4) == 0 {
		due, err := l.OutboxFrom("dir", RowKey{}, 5)
		if err != nil {
			return err
		}
		for _, r := range due.Rows {
			if err := l.Delivered("dir", r.Key); err != nil {
				return err
			}
			fmt.Fprintln(w, "delivered", r.Key.Seq)
		}
	}
	return nil
}

// child starts the test binary as one of its other programs.
func child(t testing.TB, name string, env ...string) (*exec.Cmd, *bufio.Scanner) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(exe)
	cmd.Env = append(append(os.Environ(), "STUMP_TEST_CHILD="+name), env...)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(out)
}

// confirmed is what a child has promised.
type confirmed struct {
	events    map[uint64]string
	delivered map[uint64]bool
}

func newConfirmed() *confirmed {
	return &confirmed{map[uint64]string{}, map[uint64]bool{}}
}

func (c *confirmed) line(s string) error {
	var seq uint64
	switch {
	case strings.HasPrefix(s, "ok "):
		var kind, person, device string
		if _, err := fmt.Sscanf(s, "ok %d %s %s %s", &seq, &kind, &person, &device); err != nil {
			return nil // cut off in the middle of the line
		}
		c.events[seq] = fmt.Sprint(kind, " ", person, " ", device)
	case strings.HasPrefix(s, "delivered "):
		if _, err := fmt.Sscanf(s, "delivered %d", &seq); err == nil {
			c.delivered[seq] = true
		}
	case strings.HasPrefix(s, "failed"):
		return errors.New(s)
	}
	return nil
}

// kept checks that a ledger holds what was promised, and nothing half-done.
func (c *confirmed) kept(l *Ledger) error {
	report, err := l.Verify(context.Background(), VerifyOptions{})
	if err != nil {
		return err
	}
	if !report.OK() {
		return fmt.Errorf("%v", report)
	}
	have := map[uint64]string{}
	for e, err := range l.History(books.HistoryFilter{}) {
		if err != nil {
			return err
		}
		have[e.Seq] = fmt.Sprint(e.Kind, " ", e.Person, " ", e.Device)
	}
	for seq, ev := range c.events {
		if have[seq] != ev {
			return fmt.Errorf("event %d was confirmed as %q, the ledger has %q", seq, ev, have[seq])
		}
	}
	rows, err := outbox(l, "dir")
	for _, r := range rows {
		if c.delivered[r.Key.Seq] {
			return fmt.Errorf("event %d was delivered, and is in the outbox", r.Key.Seq)
		}
	}
	return err
}

// TestKill kills a process that takes taps, at random instants. What it had
// confirmed is there afterwards.
func TestKill(t *testing.T) {
	path := filepath.Join(memDir(t), "ledger.db")
	promised := newConfirmed()
	for run := range *killRuns {
		cmd, out := child(t, "taps", "STUMP_TEST_LEDGER="+path)
		// The first runs are killed while they make and open the ledger, the
		// others within a tap or between two, after some.
		taps, most := 0, 12*time.Millisecond
		if run >= *killRuns/5 {
			taps, most = 1+rand.IntN(30), time.Millisecond
		}
		for n := 0; ; n++ {
			if n == taps {
				time.AfterFunc(rand.N(most), func() { cmd.Process.Kill() })
			}
			if !out.Scan() {
				break
			}
			if err := promised.line(out.Text()); err != nil {
				t.Fatalf("run %d: %v", run, err)
			}
		}
		var exit *exec.ExitError
		if err := cmd.Wait(); !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Fatalf("run %d: %v", run, err)
		}
		l, salvaged, err := OpenOrSalvage(path, childOptions())
		if err != nil || salvaged != nil {
			t.Fatalf("run %d: %v %v", run, err, salvaged)
		}
		if err := promised.kept(l); err != nil {
			t.Fatalf("run %d: %v", run, err)
		}
		l.Close()
	}
	t.Logf("%d kills, %d taps confirmed, all there", *killRuns, len(promised.events))
	if len(promised.events) < *killRuns {
		t.Errorf("only %d taps were confirmed: the kills came too early to prove anything", len(promised.events))
	}
}

// crashChild kills itself at the n-th pass of a named point.
func crashChild() {
	path, point := os.Getenv("STUMP_TEST_LEDGER"), os.Getenv("STUMP_TEST_POINT")
	var n, passed int
	fmt.Sscan(os.Getenv("STUMP_TEST_PASS"), &n)
	boltfile.CrashHook = func(p string) {
		if p != point {
			return
		}
		if passed++; passed == n {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	l, salvaged, err := OpenOrSalvage(path, childOptions())
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	if salvaged != nil {
		fmt.Println("salvaged", salvaged.File)
	}
	for range 20 {
		if err := childTap(l, os.Stdout); err != nil {
			fmt.Println("failed", err)
			os.Exit(1)
		}
	}
	if err := l.BackupTo(context.Background(), path+".backup"); err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
}

// TestCrashPoints ends a process at each named point of a write.
func TestCrashPoints(t *testing.T) {
	for _, point := range []string{"create-rename", "create-sync-dir", "event-written", "outbox-written",
		"before-commit", "after-commit", "replace-rename", "replace-sync-dir", "backup-rename"} {
		for _, pass := range []int{1, 2, 7} {
			t.Run(fmt.Sprint(point, "-", pass), func(t *testing.T) {
				path := filepath.Join(memDir(t), "ledger.db")
				promised := newConfirmed()
				damaged := strings.HasPrefix(point, "replace-")
				if damaged {
					damagedLedger(t, path, promised)
				}
				cmd, out := child(t, "crash", "STUMP_TEST_LEDGER="+path, "STUMP_TEST_POINT="+point, fmt.Sprint("STUMP_TEST_PASS=", pass))
				for out.Scan() {
					if err := promised.line(out.Text()); err != nil {
						t.Fatal(err)
					}
				}
				err := cmd.Wait()
				if (err == nil) != (pass > 1 && !strings.HasPrefix(point, "event") && !strings.HasPrefix(point, "outbox") && !strings.HasSuffix(point, "commit")) {
					t.Fatalf("the process ended with %v", err)
				}
				l, _, err := OpenOrSalvage(path, childOptions())
				if err != nil {
					t.Fatal(err)
				}
				defer l.Close()
				if err := promised.kept(l); err != nil {
					t.Fatal(err)
				}
				if err := childTap(l, io.Discard); err != nil {
					t.Fatal(err)
				}
				aside, _ := filepath.Glob(path + ".damaged-*")
				if damaged != (len(aside) > 0) {
					t.Errorf("set aside: %v", aside)
				}
			})
		}
	}
}

// damagedLedger makes a ledger with events, and then zeroes a meta page.
func damagedLedger(t *testing.T, path string, promised *confirmed) {
	t.Helper()
	l, err := Create(path, childOptions())
	if err != nil {
		t.Fatal(err)
	}
	for i := range 10 {
		ev, err := l.Complete(checkout.Completion{
			Person: checkout.Subject{Kind: checkout.KindPerson, Tag: tag(1), Pending: true},
			Device: checkout.Subject{Kind: checkout.KindDevice, Tag: tag(11 + i%3), Pending: true}})
		if err != nil {
			t.Fatal(err)
		}
		promised.events[ev.Seq] = fmt.Sprint(ev.Kind, " ", ev.Person, " ", ev.Device)
	}
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteAt(make([]byte, boltpages.PageSize), 0); err != nil {
		t.Fatal(err)
	}
}
