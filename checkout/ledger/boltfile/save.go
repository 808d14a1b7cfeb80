package boltfile

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"

	"stump/internal/histogram"
)

// ErrCannotSave wraps every error of a commit that the disk refused, because it is full,
// read-only or broken. Nothing was saved. The next commit tries again, without a restart.
// Compare the cause with ErrStopped, syscall.ENOSPC and EIO.
var ErrCannotSave = errors.New("can't save to the ledger")

// ErrStopped wraps the cause of an ErrCannotSave if the file system is to blame, not only
// its disk: it is mounted read-only, or the kernel has stopped it after an error in its
// journal. Then it stays so when the disk is well again.
var ErrStopped = errors.New("the file system takes no more writes")

// ErrGone is the cause of an ErrCannotSave if the file was moved away or replaced while it is
// open: what is written to it would be gone at the next start.
var ErrGone = errors.New("the ledger's file was moved away or replaced while it is open")

// There returns ErrGone if path does not lead to the file that is open.
func There(path string, file *os.File) error {
	now, err := os.Stat(path)
	if errors.Is(err, os.ErrNotExist) {
		return ErrGone
	}
	if err != nil {
		return nil // the disk's fault, which a commit meets as well
	}
	if open, err := file.Stat(); err == nil && !os.SameFile(open, now) {
		return ErrGone
	}
	return nil
}

// SaveRemedy says what to do about an ErrCannotSave.
func SaveRemedy(err error) string {
	switch {
	case errors.Is(err, ErrGone):
		return "move the file back; or restart the daemon, which backs up what it has and then goes on with the file that is there, " +
			"and `stump restore` that backup; nothing was changed"
	case errors.Is(err, ErrStopped):
		return "restart the machine, which checks and mounts it anew, or stop the daemon, umount, fsck, mount, and start it; " +
			"`dmesg` says why it stopped, and a card that does so again wants a new one; nothing was changed"
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on that disk, `df -h` shows it; nothing was changed, and the next tap is saved by itself"
	case errors.Is(err, syscall.EIO):
		return "the disk or card fails: see `dmesg`, copy the newest backup elsewhere and replace it; nothing was changed"
	}
	return "look at the disk with `df -h` and `dmesg`; nothing was changed"
}

// Stopped makes err an ErrStopped if the file at path can't even be opened for writing. That
// needs nothing of the disk, since the file is open: it is the file system that refuses.
func Stopped(path string, err error) error {
	f, refused := os.OpenFile(path, os.O_WRONLY, 0)
	if refused == nil {
		f.Close()
	}
	if errors.Is(refused, syscall.EROFS) || errors.Is(refused, syscall.EIO) {
		return fmt.Errorf("%w: %w", ErrStopped, err)
	}
	return err
}

// Room reports whether a copy of the ledger fits beside path, with as much to
// spare for taps.
func Room(ledger, path string) error {
	st, err := os.Stat(ledger)
	if err != nil {
		return err
	}
	var fs syscall.Statfs_t
	if err := syscall.Statfs(filepath.Dir(path), &fs); err != nil {
		return err
	}
	if free := int64(fs.Bavail) * int64(fs.Bsize); free < 2*st.Size() {
		return fmt.Errorf("%d MB are free, a copy takes %d MB", free>>20, st.Size()>>20)
	}
	return nil
}

// Health says how the disk behaves.
type Health struct {
	// LastCommit and SlowestCommit are how long commits took, with their fsyncs.
	LastCommit, SlowestCommit time.Duration
	// Times are how long all of them took, and Written how long the disk took for each, to
	// write and to sync it twice.
	Times, Written histogram.Times
	// Commits is how many were saved since the ledger was opened.
	Commits uint64
	// Slow is set when the newest commit took longer than Options.Slow.
	Slow bool
	// Waiting is how long the running commit has taken so far, 0 when none runs.
	Waiting time.Duration
	// Failure is why the newest commit was not saved, nil when it was.
	Failure error
}

// Commits knows the Health after the newest commit. The zero value is ready for use.
type Commits struct {
	mu    sync.Mutex
	last  Health
	begun time.Time // of the running commit; zero: none runs
}

// Health returns how the disk behaves.
func (c *Commits) Health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()
	h := c.last
	if !c.begun.IsZero() {
		h.Waiting = time.Since(c.begun)
	}
	return h
}

// Begin notes that a commit begins, and when.
func (c *Commits) Begin() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = time.Now()
	return c.begun
}

// End notes that no commit runs.
func (c *Commits) End() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.begun = time.Time{}
}

// Failed notes why a commit was not saved, and returns why the one before was not.
func (c *Commits) Failed(err error) (before error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	before, c.last.Failure = c.last.Failure, err
	return before
}

// Saved notes that a commit was saved, of which the disk took a part, and reports whether it
// took longer than most.
func (c *Commits) Saved(took, disk, most time.Duration) (slow bool) {
	slow = took > most
	c.mu.Lock()
	defer c.mu.Unlock()
	h := &c.last
	h.Times.Add(took)
	h.Written.Add(disk)
	h.LastCommit, h.SlowestCommit, h.Commits = took, max(h.SlowestCommit, took), h.Commits+1
	h.Slow, h.Failure = slow, nil
	return slow
}
