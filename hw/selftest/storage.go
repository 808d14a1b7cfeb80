package selftest

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"stump/internal/count"
)

// Limits of a state directory. An SD card writes and syncs 4 KiB in 5 to 50 ms;
// one that takes much longer is worn or fake.
const (
	slowSync = 200 * time.Millisecond
	deadSync = 2 * time.Second
	lowSpace = 100 << 20
	noSpace  = 8 << 20
)

const (
	readOnlyRemedy = "The kernel makes a damaged file system read-only, and so it stays: restart the machine, which checks and mounts it anew; look for EXT4-fs errors in `dmesg`. If it happens again, replace the memory card and restore the backup."
	failsRemedy    = "The disk fails, or the kernel has stopped its file system, which then stays so when the disk is well: look at `dmesg`, and restart the machine, which checks and mounts it anew. If it happens again, replace the memory card and restore the backup."
)

// storage writes and syncs a small file beside the ledger, as a tap does, and
// asks the kernel about the disk.
func (s *tester) storage(context.Context) Result {
	m := mountOf(s.root, s.StateDir)
	if r, ok := s.diskHealth(m); !ok {
		return r
	}
	took, err := s.writeSync(s.StateDir)
	if err != nil {
		return verdicts{
			{errors.Is(err, unix.ENOSPC), bad(Fail, "Free some space: nothing can be saved.", "%s is full", s.StateDir)},
			{errors.Is(err, fs.ErrNotExist), skip("%s does not exist yet: the daemon makes it when it first runs", s.StateDir)},
			{errors.Is(err, unix.EROFS), bad(Fail, readOnlyRemedy, "%s is read-only", s.StateDir)},
			{errors.Is(err, unix.EIO), bad(Fail, failsRemedy, "%v", err)},
			{true, bad(Fail, "Stump's user needs to write to its state directory.", "%v", err)},
		}.first()
	}
	free := s.freeSpace(s.StateDir)
	measured := fmt.Sprintf("%s on %s, wrote and synced 4 KiB in %s, %d MB free", s.StateDir, m.kind, seconds(took.Round(100*time.Microsecond)), free>>20)
	volatile := slices.Contains([]string{"overlay", "tmpfs", "ramfs"}, m.kind)
	return verdicts{
		{free < noSpace, bad(Fail, "Free some space: soon nothing can be saved.", "%s", measured)},
		{free < lowSpace, bad(Warn, "Free some space.", "%s", measured)},
		{s.Simulated, pass("%s", measured)},
		{took > deadSync, bad(Fail, "Replace the memory card: it is worn or not what its label says.", "%s", measured)},
		{took > slowSync, bad(Warn, "A tap waits as long. If this stays so, replace the memory card.", "%s", measured)},
		{volatile, bad(Warn, "What is saved here is gone after a restart. Put the state directory on a real disk, or switch the overlay file system off.", "%s", measured)},
		{true, pass("%s", measured)},
	}.first()
}

func freeSpace(dir string) int64 {
	var st unix.Statfs_t
	if unix.Statfs(dir, &st) != nil {
		return math.MaxInt64 // unknown; the write has shown that there is some
	}
	return int64(st.Bavail) * int64(st.Bsize)
}

// diskHealth is what the kernel knows without writing; ok is false when that
// decides the check.
func (s *tester) diskHealth(m mount) (r Result, ok bool) {
	if m.readOnly {
		return bad(Fail, readOnlyRemedy, "%s is mounted read-only", m.point), false
	}
	disk := path.Base(m.source)
	if n, _ := strconv.Atoi(s.word("sys/fs/ext4/" + disk + "/errors_count")); n > 0 {
		return bad(Warn, "Back up now (`stump backup FILE`), check the file system, and replace the memory card if it happens again.", "the file system of %s has counted %s", m.source, count.Of(n, "error")), false
	}
	// eMMC (a BeagleBone's) tells its age in tenths of its life; an SD card does
	// not. A partition's disk is its name without "p2".
	life := s.word("sys/block/" + strings.TrimSuffix(strings.TrimRight(disk, "0123456789"), "p") + "/device/life_time")
	for v := range strings.FieldsSeq(life) {
		if n, _ := strconv.ParseUint(v, 0, 8); n >= 0x0a {
			return bad(Warn, "Back up (`stump backup FILE`) and replace the board or move the state directory to another disk.", "the built-in flash has used up its life (life_time %s)", life), false
		}
	}
	return Result{}, true
}

// mount is one line of /proc/self/mountinfo, see proc(5).
type mount struct {
	point, kind, source string
	readOnly            bool
}

// mountOf finds the mount that a directory is on: the one with the longest
// matching path, the last of equals.
func mountOf(root fs.FS, dir string) (best mount) {
	best.kind = "an unknown file system"
	dir, _ = filepath.Abs(dir)
	b, _ := fs.ReadFile(root, "proc/self/mountinfo")
	for line := range strings.Lines(string(b)) {
		left, right, _ := strings.Cut(line, " - ")
		l, r := strings.Fields(left), strings.Fields(right)
		if len(l) < 6 || len(r) < 2 {
			continue
		}
		point := unescape(l[4])
		if dir != point && !strings.HasPrefix(dir, strings.TrimSuffix(point, "/")+"/") || len(point) < len(best.point) {
			continue
		}
		best = mount{point, r[0], r[1], slices.Contains(strings.Split(l[5], ","), "ro")}
	}
	return best
}

func unescape(s string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(s)
}

// syncedWrite measures the least that it takes to commit a tap.
func syncedWrite(dir string) (time.Duration, error) {
	f, err := os.CreateTemp(dir, ".selftest-*")
	if err != nil {
		return 0, err
	}
	defer os.Remove(f.Name())
	defer f.Close()
	start := time.Now()
	_, err = f.Write(make([]byte, 4096))
	err = errors.Join(err, f.Sync())
	return time.Since(start), err
}
