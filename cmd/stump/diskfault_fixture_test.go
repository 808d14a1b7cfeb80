//go:build fixture

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stump/internal/panel"
	"stump/internal/simlab"
)

// This file gives the daemon a bad disk: a file system that is really full, one
// that errors, and one that the kernel has made read-only for it. The display
// must not say yes, and all must be well again without a restart.

// badDisk is a daemon on an ext4 file system of its own.
type badDisk struct {
	*process
	dev, dir  string
	data      string // the device below dev
	taps      int
	confirmed []string
}

func newBadDisk(t *testing.T, name string) *badDisk {
	t.Helper()
	b := &badDisk{process: &process{t: t}, dir: t.TempDir()}
	b.data, _ = loopDisk(t, name, diskSize)
	b.dev = mapDisk(t, name, b.good())
	mustRun(t, "mkfs.ext4", "-q", "-m", "0", b.dev)
	b.mount()
	t.Cleanup(func() { _ = exec.Command("umount", "-l", b.dir).Run() })
	if err := os.Mkdir(b.state(), 0o700); err != nil {
		t.Fatal(err)
	}
	// The socket must not be on the disk that fails.
	run, err := os.MkdirTemp("/run", "st")
	if err != nil {
		t.Fatal(err)
	}
	b.process = startDaemonAt(t, b.state(), filepath.Join(run, "s"))
	if !b.ask("sim/seed", nil, nil) {
		t.Fatal("no seed")
	}
	return b
}

func (b *badDisk) state() string { return filepath.Join(b.dir, "state") }
func (b *badDisk) good() string  { return fmt.Sprintf("0 %d linear %s 0", diskSize/512, b.data) }

func (b *badDisk) mount() {
	b.t.Helper()
	mustRun(b.t, "mount", "-t", "ext4", "-o", "errors=remount-ro", b.dev, b.dir)
}

// table exchanges the disk under the file system.
func (b *badDisk) table(table string) {
	b.t.Helper()
	name := filepath.Base(b.dev)
	mustRun(b.t, "dmsetup", "suspend", "--noudevsync", "--noflush", "--nolockfs", name)
	mustRun(b.t, "dmsetup", "load", name, "--table", table)
	mustRun(b.t, "dmsetup", "resume", "--noudevsync", name)
}

// bump bumps the next pair and returns what the display says.
func (b *badDisk) bump() string {
	b.t.Helper()
	n := len(simlab.Devices)
	p, d := simlab.People[b.taps%len(simlab.People)].ID, simlab.Devices[(b.taps+b.taps/n)%n].ID
	b.taps++
	if !b.tap(p) || !b.tap(d) {
		b.t.Fatal("no answer")
	}
	if saved(b.last) {
		b.confirmed = append(b.confirmed, p+" "+d)
	}
	return b.last
}

// within waits until something holds.
func (d *process) within(what string, holds func() bool) {
	d.t.Helper()
	for end := time.Now().Add(20 * time.Second); !holds(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			d.t.Fatalf("not within 20 s: %s", what)
		}
	}
}

func saved(said string) bool {
	return strings.Contains(said, "Checked out") || strings.Contains(said, "Handed over")
}

func (b *badDisk) wantSaved() {
	b.t.Helper()
	if said := b.bump(); !saved(said) {
		b.t.Errorf("the disk is well, and the display says %q", said)
	}
}

func (b *badDisk) wantRefused() {
	b.t.Helper()
	said := b.bump()
	if !strings.Contains(said, "Can't save") {
		b.t.Errorf("the disk is bad, and the display says %q", said)
	}
	b.t.Logf("the display says %q", said)
}

// wantWords compares what staff and admins are told on a bad disk with a
// transcript in testdata/disk.
func (b *badDisk) wantWords(fault string, commands ...[]string) {
	b.t.Helper()
	var got strings.Builder
	for _, args := range commands {
		fmt.Fprintf(&got, "$ stump %s\n", strings.Trim(fmt.Sprintf("%q", args), "[]"))
		cmd := exec.Command("stump", append([]string{"--socket", b.socket}, args...)...)
		cmd.Stdout, cmd.Stderr = &got, &got
		_ = cmd.Run() // the transcript has what it says
	}
	words := strings.ReplaceAll(got.String(), b.state(), "/var/lib/stump")
	words = regexp.MustCompile(`process \d+`).ReplaceAllString(words, "process 1234")
	words = regexp.MustCompile(`newest event \d+`).ReplaceAllString(words, "newest event 20")
	words = regexp.MustCompile(`for \d+s`).ReplaceAllString(words, "for 6s")
	words = regexp.MustCompile(`after \d+ more`).ReplaceAllString(words, "after 42 more")
	file := filepath.Join("testdata", "disk", fault+".txt")
	if *update {
		if err := os.WriteFile(file, []byte(words), 0o644); err != nil {
			b.t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		b.t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), words); diff != "" {
		b.t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// refused are the commands whose words are kept for a disk that takes nothing.
var refused = [][]string{{"sim", "lcd"}, {"status"}, {"give", "Kindle Scribe", "Fay Müller"}}

var update = flag.Bool("update", false, "write the transcripts in testdata/disk anew")

// end compares what was confirmed with what is there.
func (b *badDisk) end() {
	b.t.Helper()
	kept := strings.Join(b.bumps(), ", ")
	if want := strings.Join(b.confirmed, ", "); kept != want {
		b.t.Errorf("confirmed were\n%s\nthere are\n%s", want, kept)
	}
	out, err := exec.Command("stump", "--socket", b.socket, "verify").CombinedOutput()
	if err != nil {
		b.t.Errorf("%v: %s", err, out)
	}
	b.t.Logf("%s", out)
	_ = b.cmd.Process.Signal(os.Interrupt)
	if err := b.cmd.Wait(); err != nil {
		b.t.Error(err)
	}
}

func TestKernelDiskFull(t *testing.T) {
	b := newBadDisk(t, "full")
	b.wantSaved()
	filler := filepath.Join(b.dir, "filler")
	f, err := os.Create(filler)
	if err != nil {
		t.Fatal(err)
	}
	block := make([]byte, 4096)
	for {
		if _, err := f.Write(block); err != nil {
			break
		}
	}
	if err := f.Sync(); err != nil {
		t.Log(err)
	}
	f.Close()
	// What the ledger's file has room for already can still be saved.
	said := ""
	for range 200 {
		if said = b.bump(); strings.Contains(said, "Can't save") {
			break
		}
		time.Sleep(1500 * time.Millisecond / 6) // the desk takes the same badge again after 1.5 s
	}
	if !strings.Contains(said, "Can't save") {
		t.Fatalf("the disk is full, and the display says %q", said)
	}
	b.wantRefused()
	b.wantWords("full", refused...)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	b.wantSaved()
	b.wantSaved()
	b.end()
}

// TestKernelDiskError: the disk errors for a while, and is well again.
func TestKernelDiskError(t *testing.T) {
	b := newBadDisk(t, "errors")
	b.wantSaved()
	b.wantSaved()
	b.table(fmt.Sprintf("0 %d error", diskSize/512))
	b.wantRefused()
	b.wantRefused()
	b.wantWords("error", refused...)
	b.table(b.good())
	b.wantSaved()
	b.wantSaved()
	b.end()
}

// TestKernelDiskSlow: the disk takes six seconds over a write. Nobody is told
// yes meanwhile; then the display does say it.
func TestKernelDiskSlow(t *testing.T) {
	b := newBadDisk(t, "slow")
	b.wantSaved()
	before := b.last
	mustRun(t, "dmsetup", "suspend", "--noudevsync", "--noflush", "--nolockfs", "slow")
	resumed := sync.OnceFunc(func() { mustRun(t, "dmsetup", "resume", "--noudevsync", "slow") })
	t.Cleanup(resumed)
	answered := make(chan string)
	go func() { answered <- b.bump() }()
	shown := func() string {
		var s panel.State
		if !b.get("panel", &s) {
			t.Error("no answer")
		}
		return strings.Join(s.Rows, "\n")
	}
	said := ""
	for begin := time.Now(); time.Since(begin) < 6*time.Second; time.Sleep(50 * time.Millisecond) {
		if said = shown(); saved(said) && said != before {
			t.Fatalf("the disk has not saved, and the display says %q", said)
		}
	}
	if !strings.Contains(said, "Not saved yet") {
		t.Errorf("after six seconds the display says %q", said)
	}
	b.wantWords("slow", []string{"sim", "lcd"}, []string{"status"})
	resumed()
	<-answered // what the display said when the card had waited long enough for an answer
	b.within("the disk has saved, and the display says so", func() bool { return saved(shown()) })
	b.confirmed = append(b.confirmed, simlab.People[1].ID+" "+simlab.Devices[1].ID)
	b.wantSaved()
	b.end()
}

// TestKernelDiskReadOnly: ext4 meets an error of its own, and the kernel makes
// it read-only. That ends with a repair and a mount, so with a new daemon too;
// until then it says no and shows what there is.
func TestKernelDiskReadOnly(t *testing.T) {
	b := newBadDisk(t, "readonly")
	b.wantSaved()
	b.wantSaved()
	triggers, err := filepath.Glob("/sys/fs/ext4/dm-*/trigger_fs_error")
	if err != nil || len(triggers) != 1 {
		t.Fatal(triggers, err)
	}
	if err := os.WriteFile(triggers[0], []byte("test"), 0); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(b.dir, "probe"), nil, 0o600); err == nil {
		t.Fatal("the file system still takes writes")
	} else {
		t.Log(err) // EROFS, or EIO where the kernel has shut it down
	}
	b.wantRefused()
	b.wantRefused()
	b.wantWords("read-only", refused...)
	if out, err := exec.Command("stump", "--socket", b.socket, "who").CombinedOutput(); err != nil || strings.Count(string(out), "\n") < 2 {
		t.Errorf("%v: %s", err, out)
	}
	_ = b.cmd.Process.Signal(os.Interrupt)
	_ = b.cmd.Wait()
	mustRun(t, "umount", b.dir)
	if out, err := exec.Command("e2fsck", "-p", b.dev).CombinedOutput(); err != nil && err.(*exec.ExitError).ExitCode() > 1 {
		t.Fatalf("%v: %s", err, out)
	}
	b.mount()
	b.process = startDaemonAt(t, b.state(), b.socket)
	b.taps++ // the guards of the new desk know nothing; the pair is another anyway
	b.wantSaved()
	b.end()
}
