//go:build fixture

package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/config"
	"stump/internal/daemon"
	"stump/internal/simlab"
)

// This file cuts the power. The real daemon takes bumps on ext4 over
// dm-log-writes (linux: Documentation/admin-guide/device-mapper/log-writes.rst),
// a disk that writes down every write, flush and FUA in the order in which they
// became durable. Then, for many instants, a disk is made as the power cut would
// have left it, ext4 recovers it, and the ledger is opened: every bump that the
// display had confirmed must be there.

// The format of the log: a super block, then entries, each in a sector of its
// own and followed by its data (linux: drivers/md/dm-log-writes.c).
const (
	logMagic  = 0x6a736677736872
	logSector = 512

	logFlush   = 1
	logFUA     = 2
	logDiscard = 4
	logMark    = 8
)

// diskWrite is an entry of the log. A flush without data has none; a mark has
// its text in place of data.
type diskWrite struct {
	flags  uint64
	sector uint64
	data   []byte
}

func (w diskWrite) mark() string {
	if w.flags&logMark == 0 {
		return ""
	}
	return string(w.data)
}

// durable reports whether the disk had promised this write, or all before it.
func (w diskWrite) durable() bool { return w.flags&(logFlush|logFUA) != 0 }

// apply writes the entry to an image; torn leaves some of its sectors out.
func (w diskWrite) apply(image []byte, torn func(sector int) bool) {
	if w.flags&(logMark|logDiscard) != 0 {
		return
	}
	for at := 0; at < len(w.data); at += logSector {
		if torn == nil || !torn(at/logSector) {
			copy(image[int(w.sector)*logSector+at:], w.data[at:min(at+logSector, len(w.data))])
		}
	}
}

func readWriteLog(f *os.File) ([]diskWrite, error) {
	le := binary.LittleEndian
	at := int64(0)
	sector := func() ([]byte, error) {
		b := make([]byte, logSector)
		_, err := f.ReadAt(b, at)
		at += logSector
		return b, err
	}
	b, err := sector()
	if err != nil || le.Uint64(b) != logMagic || le.Uint32(b[24:]) != logSector {
		return nil, fmt.Errorf("not a log of dm-log-writes with sectors of 512 bytes: %w", err)
	}
	list := make([]diskWrite, 0, le.Uint64(b[16:]))
	for range cap(list) {
		if b, err = sector(); err != nil {
			return nil, err
		}
		w := diskWrite{sector: le.Uint64(b), flags: le.Uint64(b[16:])}
		sectors, length := int64(le.Uint64(b[8:])), le.Uint64(b[24:])
		switch {
		case w.flags&logMark != 0:
			w.data = bytes.TrimRight(b[32:32+length], "\x00")
			at += sectors * logSector
		case w.flags&logDiscard == 0:
			w.data = make([]byte, sectors*logSector)
			if _, err := f.ReadAt(w.data, at); err != nil {
				return nil, err
			}
			at += sectors * logSector
		}
		list = append(list, w)
	}
	return list, nil
}

// mustRun runs a command of the system.
func mustRun(t testing.TB, name string, args ...string) string {
	t.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, out)
	}
	return strings.TrimSpace(string(out))
}

// loopDisk makes a block device over a file in memory.
func loopDisk(t *testing.T, name string, size int64) (dev, file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), name)
	if err := errors.Join(os.WriteFile(file, nil, 0o600), os.Truncate(file, size)); err != nil {
		t.Fatal(err)
	}
	dev = mustRun(t, "losetup", "--find", "--show", file)
	t.Cleanup(func() { _ = exec.Command("losetup", "-d", dev).Run() })
	return dev, file
}

// mapDisk makes a device-mapper device with one target over the whole of size.
func mapDisk(t *testing.T, name, table string) string {
	t.Helper()
	mustRun(t, "dmsetup", "create", "--noudevsync", name, "--table", table)
	mustRun(t, "dmsetup", "mknodes")
	t.Cleanup(func() { _ = exec.Command("dmsetup", "remove", "--noudevsync", "--force", name).Run() })
	return "/dev/mapper/" + name
}

const diskSize = 16 << 20

// cutsWanted is how many power cuts to make; more where STUMP_CUTS says so.
func cutsWanted(t *testing.T) int {
	n := 60
	if s := os.Getenv("STUMP_CUTS"); s != "" {
		var err error
		if n, err = strconv.Atoi(s); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

func TestKernelPowerCuts(t *testing.T) {
	wanted := cutsWanted(t)
	log, confirmed := recordBumps(t, max(12, min(wanted/8, 60)))
	c := &cutter{t: t, confirmed: confirmed, image: make([]byte, diskSize), r: rand.New(rand.NewPCG(1, 2))}
	c.dev, _ = loopDisk(t, "cut", diskSize)
	cuts := c.plan(log, wanted)
	begin := time.Now()
	c.run(log, cuts)
	t.Logf("cut points: %d at flushes and FUA writes, %d with random subsets of the writes between; bumps confirmed: %d; "+
		"confirmed bumps checked: %d; unconfirmed ones found: %d; recovered by e2fsck, not by the journal alone: %d; losses: %d (%v)",
		c.atBoundary, c.between, len(confirmed), c.checked, c.extra, c.fsck, c.losses, time.Since(begin).Round(time.Second))
	if c.atBoundary+c.between < wanted {
		t.Errorf("%d cut points, %d were wanted", c.atBoundary+c.between, wanted)
	}
}

// recordBumps has the daemon take bumps on a disk that is recorded. It marks in
// the recording when the display had confirmed each.
func recordBumps(t *testing.T, bumps int) (log []diskWrite, confirmed []string) {
	t.Helper()
	data, _ := loopDisk(t, "data", diskSize)
	logDev, logFile := loopDisk(t, "log", 160<<20)
	dev := mapDisk(t, "recorded", fmt.Sprintf("0 %d log-writes %s %s", diskSize/512, data, logDev))
	mustRun(t, "mkfs.ext4", "-q", "-E", "lazy_itable_init=0", dev)
	dir := t.TempDir()
	mustRun(t, "mount", "-t", "ext4", dev, dir)
	mounted := true
	defer func() {
		if mounted {
			_ = exec.Command("umount", "-l", dir).Run()
		}
	}()
	state := filepath.Join(dir, "state")
	if err := os.Mkdir(state, 0o700); err != nil {
		t.Fatal(err)
	}
	d := startDaemon(t, state)
	if !d.ask("sim/seed", nil, nil) {
		t.Fatal("no seed")
	}
	mark := func(n int) { mustRun(t, "dmsetup", "message", "recorded", "0", "mark", fmt.Sprint("bump-", n)) }
	mark(0)
	for i := range bumps {
		p, dev := simlab.People[i%len(simlab.People)].ID, simlab.Devices[(i+i/len(simlab.Devices))%len(simlab.Devices)].ID
		if i > 0 && i%len(simlab.Devices) == 0 {
			time.Sleep(checkout.Absence + time.Second) // every device has left the reader, and may move again
		}
		if !d.tap(p) || !d.tap(dev) {
			t.Fatal("no answer")
		}
		if !strings.Contains(d.last, "Checked out") && !strings.Contains(d.last, "Handed over") {
			t.Fatalf("bump %d of %s and %s: the display says %q", i, p, dev, d.last)
		}
		confirmed = append(confirmed, p+" "+dev)
		mark(len(confirmed))
	}
	_ = d.cmd.Process.Kill()
	_ = d.cmd.Wait()
	mustRun(t, "umount", dir)
	mounted = false
	mustRun(t, "dmsetup", "remove", "--noudevsync", "recorded")
	f, err := os.Open(logFile)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if log, err = readWriteLog(f); err != nil {
		t.Fatal(err)
	}
	return log, confirmed
}

// cut is an instant at which the power goes: before entry end of the log. What
// was flushed is on the disk; of the writes since, those that subset keeps.
type cut struct {
	end    int
	subset bool
}

// cutter makes disks as power cuts leave them.
type cutter struct {
	t         *testing.T
	confirmed []string
	dev       string
	image     []byte // what was durable at the entry before
	disk      []byte // what the cut leaves
	r         *rand.Rand

	atBoundary, between, checked, extra, losses, fsck int
}

// plan chooses cuts: each place after a flush or FUA write, and random subsets
// of the writes between. When fewer are wanted, they are spread over the log.
func (c *cutter) plan(log []diskWrite, wanted int) []cut {
	var edges, spans []cut
	started, last := false, 0
	for i, w := range log {
		if w.mark() == "bump-0" {
			started = true
		}
		if !w.durable() {
			continue
		}
		if started {
			edges = append(edges, cut{end: i + 1})
			if i-last > 1 {
				spans = append(spans, cut{end: i, subset: true})
			}
		}
		last = i
	}
	if len(edges) == 0 || len(spans) == 0 {
		c.t.Fatal("the log has no flush")
	}
	all := edges
	if len(edges) > wanted/2 && wanted < 500 {
		all = nil
		for i := range wanted / 2 {
			all = append(all, edges[i*len(edges)/(wanted/2)])
		}
	}
	for i := 0; len(all) < wanted || i < len(spans) && wanted >= 500; i++ {
		all = append(all, spans[c.r.IntN(len(spans))])
	}
	return all
}

// run makes the cuts in the order of the log, so that the disk is built once.
func (c *cutter) run(log []diskWrite, cuts []cut) {
	at := map[int][]cut{}
	for _, x := range cuts {
		at[x.end] = append(at[x.end], x)
	}
	promised, flushed := 0, 0 // flushed: entries before it are on c.image
	for i := 0; i <= len(log); i++ {
		for _, x := range at[i] {
			disk := append(c.disk[:0], c.image...)
			c.disk = disk
			what := fmt.Sprintf("cut before entry %d", i)
			if x.subset {
				c.between++
				what += ", with a subset of the writes since " + fmt.Sprint(flushed)
				c.some(disk, log[flushed:i])
			} else {
				c.atBoundary++
			}
			c.check(disk, what, promised)
		}
		if i == len(log) {
			break
		}
		if n, ok := strings.CutPrefix(log[i].mark(), "bump-"); ok {
			promised, _ = strconv.Atoi(n)
		}
		if log[i].durable() {
			for ; flushed <= i; flushed++ {
				log[flushed].apply(c.image, nil)
			}
		}
	}
}

// some applies a random subset of writes, in a random order of arrival where
// they are to one place, and tears one in eight.
func (c *cutter) some(disk []byte, writes []diskWrite) {
	keep := c.r.IntN(101)
	for _, w := range writes {
		if c.r.IntN(100) >= keep {
			continue
		}
		var torn func(int) bool
		if c.r.IntN(8) == 0 {
			torn = func(int) bool { return c.r.IntN(2) == 0 }
		}
		w.apply(disk, torn)
	}
}

// check recovers the disk and looks at the ledger.
func (c *cutter) check(disk []byte, what string, promised int) {
	c.t.Helper()
	c.checked += promised
	if err := os.WriteFile(c.dev, disk, 0); err != nil {
		c.t.Fatal(err)
	}
	dir, err := os.MkdirTemp("/run", "cut")
	if err != nil {
		c.t.Fatal(err)
	}
	defer os.Remove(dir)
	if err := c.mount(dir); err != nil {
		c.losses++
		c.t.Errorf("%s: ext4 does not recover: %v", what, err)
		return
	}
	defer func() {
		if err := syscall.Unmount(dir, 0); err != nil {
			c.t.Fatal(err)
		}
	}()
	found, err := ledgerBumps(filepath.Join(dir, "state"))
	if err != nil {
		c.losses++
		c.t.Errorf("%s: %v", what, err)
		return
	}
	if len(found) < promised || len(found) > promised+1 {
		c.losses++
		c.t.Errorf("%s: %d bumps were confirmed, %d are there", what, promised, len(found))
		return
	}
	for i, b := range found {
		if i < len(c.confirmed) && b != c.confirmed[i] {
			c.losses++
			c.t.Errorf("%s: bump %d was %q, and is %q", what, i, c.confirmed[i], b)
			return
		}
	}
	c.extra += len(found) - promised
}

// mount recovers the file system as a boot does: by its journal; where a torn
// super block prevents that, by e2fsck, which every boot runs before.
func (c *cutter) mount(dir string) error {
	if syscall.Mount(c.dev, dir, "ext4", 0, "") == nil {
		return nil
	}
	c.fsck++
	out, err := exec.Command("e2fsck", "-y", c.dev).CombinedOutput()
	var exit *exec.ExitError
	if errors.As(err, &exit) && exit.ExitCode() == 1 {
		err = nil // errors corrected
	}
	if err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	c.t.Logf("by e2fsck: %s", out)
	return syscall.Mount(c.dev, dir, "ext4", 0, "")
}

// ledgerBumps opens a ledger as the daemon would, checks all of it, and returns
// the bumps that it tells of.
func ledgerBumps(state string) ([]string, error) {
	l, err := daemon.OpenLedger(config.Default(), state, false)
	if err != nil {
		return nil, err
	}
	defer l.Close()
	r, err := l.Verify(context.Background(), ledger.VerifyOptions{})
	if err != nil {
		return nil, err
	}
	if !r.OK() {
		return nil, errors.New(r.String())
	}
	var list []string
	for e, err := range l.History(books.HistoryFilter{}) {
		if err != nil {
			return nil, err
		}
		if e.Kind == checkout.Checkout || e.Kind == checkout.Handover {
			list = append(list, e.Person+" "+e.Device)
		}
	}
	return list, nil
}
