package boltfile

import (
	"fmt"
	"os"
	"runtime/debug"
	"strings"
)

// DamagedError says that a ledger file is damaged. The file is unchanged;
// ledger.OpenOrSalvage sets it aside and saves what can be read.
type DamagedError struct {
	Path   string
	Reason string
}

// Damaged returns a DamagedError. It shortens the reason, which is later written to an
// event and a row, and may quote a key as long as half the file.
func Damaged(path, reason string) *DamagedError {
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
	return "restart the daemon: it sets the damaged file aside and saves what can be read; or `stump restore` a backup"
}

// Recover turns a panic or memory fault of bbolt, which mean that the file is damaged,
// into a DamagedError. Use: defer boltfile.Recover(path, &err)(). Reading past the end
// of a file that was cut short while mapped is a fault (SIGBUS), which ends the process
// unless the goroutine asks for a panic instead.
func Recover(path string, err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			*err = Damaged(path, fmt.Sprint(r))
		}
	}
}

// LockedError says that another process has locked the ledger.
type LockedError struct {
	Path    string
	PID     int // 0: unknown
	Command string
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("the ledger %s is held by another process", e.Path)
	}
	return fmt.Sprintf("the ledger %s is held by process %d (%s)", e.Path, e.PID, e.Command)
}

// LockedBy returns the error for a locked ledger at path, with the process if the
// holder file names one that is running.
func LockedBy(path string) *LockedError {
	e := &LockedError{Path: path}
	if h, err := ReadHolder(path); err == nil && h.PID > 0 {
		if _, err := os.Stat(fmt.Sprintf("/proc/%d", h.PID)); err == nil {
			e.PID, e.Command = h.PID, h.Command
		}
	}
	return e
}
