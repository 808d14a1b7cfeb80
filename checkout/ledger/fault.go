package ledger

import (
	"errors"
	"fmt"
	"runtime/debug"
	"strings"
	"syscall"
)

// ErrCannotSave wraps every error of a commit that the disk refused: full,
// read-only, broken. Nothing was saved, nothing may be said to be; the ledger
// tries again with the next commit, without a restart. Compare the cause with
// syscall.ENOSPC, EROFS and EIO.
var ErrCannotSave = errors.New("can't save to the ledger")

// SaveRemedy says what to do about an ErrCannotSave.
func SaveRemedy(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, syscall.EDQUOT):
		return "make room on that disk, `df -h` shows it; nothing was changed, and the next tap is saved by itself"
	case errors.Is(err, syscall.EROFS):
		return "the disk is read-only: `dmesg` says why; mend it with fsck and mount it again; nothing was changed"
	case errors.Is(err, syscall.EIO):
		return "the disk or card fails: see `dmesg`, copy the newest backup elsewhere and replace it; nothing was changed"
	}
	return "look at the disk with `df -h` and `dmesg`; nothing was changed"
}

// ErrClosed is returned by every method after Close.
var ErrClosed = errors.New("the ledger is closed")

// ErrReadOnly is returned by what writes on a ledger opened read-only.
var ErrReadOnly = errors.New("the ledger is open for reading only")

// DamagedError is a ledger file that can't be trusted. The file is not
// changed; OpenOrSalvage sets it aside and saves what can be read.
type DamagedError struct {
	Path   string
	Reason string
}

// damagedAt makes a DamagedError. What is damaged may be long: a key that bbolt
// takes for the half of the file. The reason becomes an event and a row, so it
// must stay short enough for both.
func damagedAt(path, reason string) *DamagedError {
	const most = 300 // bytes
	if len(reason) > most {
		reason = strings.ToValidUTF8(reason[:most], "") + " …"
	}
	return &DamagedError{path, reason}
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("the ledger %s is damaged: %s", e.Path, e.Reason)
}

// Hint says what to do.
func (e *DamagedError) Hint() string {
	return "start the daemon anew: it sets the damaged file aside and saves what can be read; or `stump restore` a backup"
}

// recoverDamage turns the panics and memory faults by which bbolt meets a
// damaged file into a DamagedError. Use: defer recoverDamage(path, &err)().
// A file that is cut short while mapped makes reads past its end fault
// (SIGBUS), which is fatal unless the goroutine asks for a panic.
func recoverDamage(path string, err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			*err = damagedAt(path, fmt.Sprint(r))
		}
	}
}

// crashHook is called at the named points of a write, so that a test can end
// the process there.
var crashHook func(point string)

func crash(point string) {
	if crashHook != nil {
		crashHook(point)
	}
}
