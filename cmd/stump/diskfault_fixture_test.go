//go:build fixture

package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/panel"
	"stump/internal/simlab"
)

// This file gives the daemon a bad disk. The display must not say yes. A disk that is
// full, slow, or can't write the ledger's data is well again when the disk is. A file
// system whose journal could not be written is not: the kernel has stopped it, and a
// restart or a mount helps. So each test says which of the two it means.

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

func (b *badDisk) wantSaved() {
	b.t.Helper()
	if said := b.bump(); !saved(said) {
		b.t.Errorf("the disk is well, and the display says %q", said)
	}
}

// wantRefused bumps, and wants to be told what helps.
func (b *badDisk) wantRefused(help string) {
	b.t.Helper()
	said := b.bump()
	if !strings.Contains(said, "Can't save") || !strings.Contains(said, help) {
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

// stop ends the daemon, which may say that its disk is bad.
func (b *badDisk) stop() {
	_ = b.cmd.Process.Signal(os.Interrupt)
	_ = b.cmd.Wait()
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

// fill makes a file longer until it leaves only so many bytes of the disk.
func (b *badDisk) fill(leave int64) (filler string) {
	b.t.Helper()
	filler = filepath.Join(b.dir, "filler")
	f, err := os.OpenFile(filler, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		b.t.Fatal(err)
	}
	defer f.Close()
	block := make([]byte, 4096)
	for err == nil {
		_, err = f.Write(block)
	}
	if st, err := f.Stat(); err != nil || f.Truncate(max(0, st.Size()-leave)) != nil {
		b.t.Fatal("the file can't be made shorter")
	}
	if err := f.Sync(); err != nil {
		b.t.Log(err)
	}
	return filler
}

// TestKernelDiskBackup: a backup on the ledger's own disk does not take the room that bumps
// need. That is said, and over when there is room.
func TestKernelDiskBackup(t *testing.T) {
	b := newBadDisk(t, "backup")
	b.wantSaved()
	filler := b.fill(4 << 20)
	b.stop()
	t.Setenv(firstDaily, "100ms")
	b.process = startDaemonAt(t, b.state(), b.socket)
	b.within("that there is no backup is said", func() bool {
		var s wire.Status
		return b.get("status", &s) && strings.Contains(fmt.Sprint(s.Conditions), "no-backup") && strings.Contains(fmt.Sprint(s.Conditions), "are for bumps")
	})
	b.taps++
	b.wantSaved()
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	b.end() // makes a backup, too
	if all, err := filepath.Glob(filepath.Join(b.state(), "backups", "ledger-*.db")); err != nil || len(all) != 1 {
		t.Errorf("%v; the backups are %v", err, all)
	}
}

func TestKernelDiskFull(t *testing.T) {
	b := newBadDisk(t, "full")
	b.wantSaved()
	filler := b.fill(0)
	// What the ledger's file has room for already can still be saved, and what others gave
	// back: ext4 has it when its journal is committed.
	said, refusals := "", 0
	for i := 0; i < 200 && refusals < 2; i++ {
		if said = b.bump(); strings.Contains(said, "Can't save") {
			refusals++
		} else {
			refusals = 0
			_ = exec.Command("sync", "-f", b.dir).Run()
			b.fill(0)
		}
		time.Sleep(1500 * time.Millisecond / 6) // the desk takes the same badge again after 1.5 s
	}
	if refusals < 2 {
		t.Fatalf("the disk is full, and the display says %q", said)
	}
	b.wantRefused("see the desk")
	b.wantWords("full", refused...)
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	// A device that was bumped less than 3 s ago starts nothing.
	for range 2 {
		b.within("there is room, and a bump is saved", func() bool { return saved(b.bump()) })
	}
	b.end()
}

// TestKernelDiskData: the disk can't write the ledger's own blocks for a while. The
// journal lies elsewhere and goes on. All is well again when the disk is, even if nobody
// taps.
func TestKernelDiskData(t *testing.T) {
	t.Setenv(diskTimes, "500ms")
	b := newBadDisk(t, "data")
	b.wantSaved()
	b.wantSaved()
	b.table(b.badBlocks(filepath.Join(b.state(), "ledger.db")))
	b.wantRefused("see the desk")
	b.wantRefused("see the desk")
	b.wantWords("data", refused...)
	b.table(b.good())
	b.within("the disk is well, and nothing is wrong any more", func() bool {
		var s wire.Status
		return b.get("status", &s) && len(s.Conditions["stump"]) == 0
	})
	b.wantSaved()
	b.wantSaved()
	b.end()
}

// badBlocks is a table of a disk that errors where the file lies.
func (b *badDisk) badBlocks(file string) string {
	b.t.Helper()
	var bad [][2]int
	for _, m := range extent.FindAllStringSubmatch(mustRun(b.t, "filefrag", "-v", "-b512", file), -1) {
		first, _ := strconv.Atoi(m[1])
		last, _ := strconv.Atoi(m[2])
		bad = append(bad, [2]int{first, last})
	}
	if len(bad) == 0 {
		b.t.Fatal("the file has no blocks")
	}
	slices.SortFunc(bad, func(a, b [2]int) int { return a[0] - b[0] })
	var table strings.Builder
	end := 0
	for _, at := range bad {
		if at[0] > end {
			fmt.Fprintf(&table, "%d %d linear %s %d\n", end, at[0]-end, b.data, end)
		}
		fmt.Fprintf(&table, "%d %d error\n", at[0], at[1]+1-at[0])
		end = at[1] + 1
	}
	fmt.Fprintf(&table, "%d %d linear %s %d\n", end, diskSize/512-end, b.data, end)
	return table.String()
}

// extent is a line of filefrag(8): number, blocks in the file, blocks on the disk.
var extent = regexp.MustCompile(`(?m)^ *\d+: +\d+\.\. +\d+: +(\d+)\.\. +(\d+):`)

// breakJournal has the whole disk error until the kernel has stopped the file system,
// because it could not write the journal. Then the disk is well again.
func (b *badDisk) breakJournal() {
	b.t.Helper()
	b.table(fmt.Sprintf("0 %d error", diskSize/512))
	b.within("the file system is stopped", func() bool {
		f, err := os.Create(filepath.Join(b.dir, "probe"))
		if err == nil {
			_ = f.Sync() // commits the journal
			f.Close()
			_ = exec.Command("sync", "-f", b.dir).Run()
		}
		f, err = os.OpenFile(filepath.Join(b.state(), "ledger.db"), os.O_WRONLY, 0)
		if err == nil {
			f.Close()
		}
		return err != nil
	})
	b.table(b.good())
}

// repair does what a restart of the machine does.
func (b *badDisk) repair() {
	b.t.Helper()
	b.within("the file system is not in use", func() bool { return exec.Command("umount", b.dir).Run() == nil })
	if out, err := exec.Command("e2fsck", "-p", b.dev).CombinedOutput(); err != nil && err.(*exec.ExitError).ExitCode() > 1 {
		b.t.Fatalf("%v: %s", err, out)
	}
	b.mount()
}

// TestKernelDiskJournal: the disk can't write the journal of the file system. The kernel
// stops that for good, though the disk is well again at once; what helps is said.
func TestKernelDiskJournal(t *testing.T) {
	b := newBadDisk(t, "journal")
	b.wantSaved()
	b.wantSaved()
	b.breakJournal()
	b.wantRefused("restart station")
	b.wantRefused("restart station")
	b.wantWords("journal", refused...)
	b.stop()
	b.repair()
	b.process = startDaemonAt(t, b.state(), b.socket)
	b.taps++ // the guards of the new desk know nothing; the pair is another anyway
	b.wantSaved()
	b.end()
}

// TestKernelDiskRestart: under a system that starts the daemon again, it ends when the
// kernel has stopped its file system. The next one waits until it can be used.
func TestKernelDiskRestart(t *testing.T) {
	run := t.TempDir()
	t.Setenv("STUMP_RESTARTS", "1")
	t.Setenv("RUNTIME_DIRECTORY", run)
	t.Setenv(diskTimes, "1s")
	b := newBadDisk(t, "restart")
	b.wantSaved()
	b.wantSaved()
	b.breakJournal()
	b.tap(simlab.People[4].ID) // or the daemon may not know
	b.tap(simlab.Devices[4].ID)
	if err := b.cmd.Wait(); b.cmd.ProcessState.ExitCode() != restartStatus {
		t.Fatalf("the daemon ended with %v, want status %d", err, restartStatus)
	}
	if b, err := os.ReadFile(filepath.Join(run, "restarted")); len(b) == 0 {
		t.Errorf("when it was is not noted: %v", err)
	}
	again := func() *exec.Cmd {
		log := filepath.Join(t.TempDir(), "log")
		cmd := exec.Command("sh", "-c", `exec stump run --sim --state "$1" --socket "$2" 2>"$3"`, "sh", b.state(), b.socket, log)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		b.within("the next daemon says what it waits for", func() bool {
			said, _ := os.ReadFile(log)
			return strings.Contains(string(said), "the station waits for its disk") && strings.Contains(string(said), "restart the machine")
		})
		return cmd
	}
	cmd := again()
	_ = cmd.Process.Signal(os.Interrupt)
	if err := cmd.Wait(); err != nil {
		t.Errorf("stopped while it waits: %v", err)
	}
	b.cmd = again()
	b.repair()
	b.within("it works when the file system does", func() bool {
		var err error
		b.client, err = client.Dial(t.Context(), b.socket)
		return err == nil
	})
	b.taps++
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
	b.wantRefused("restart station")
	b.wantRefused("restart station")
	b.wantWords("read-only", refused...)
	if out, err := exec.Command("stump", "--socket", b.socket, "who").CombinedOutput(); err != nil || strings.Count(string(out), "\n") < 2 {
		t.Errorf("%v: %s", err, out)
	}
	b.stop()
	b.repair()
	b.process = startDaemonAt(t, b.state(), b.socket)
	b.taps++ // the guards of the new desk know nothing; the pair is another anyway
	b.wantSaved()
	b.end()
}
