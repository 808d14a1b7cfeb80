package ledger

import (
	"errors"
	"syscall"
)

// ErrCannotSave wraps every error of a commit that the disk refused, because it is full,
// read-only or broken. Nothing was saved. The next commit tries again, without a restart.
// Compare the cause with syscall.ENOSPC, EROFS and EIO.
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

// ErrReadOnly is returned by every writing method of a ledger that was opened read-only.
var ErrReadOnly = errors.New("the ledger is open for reading only")
