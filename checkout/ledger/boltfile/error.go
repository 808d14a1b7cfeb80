package boltfile

import (
	"fmt"
	"runtime/debug"
	"strings"
)

// DamagedError is a ledger file that can't be trusted. The file is not
// changed; OpenOrSalvage sets it aside and saves what can be read.
type DamagedError struct {
	Path   string
	Reason string
}

// Damaged makes a DamagedError. What is damaged may be long: a key that bbolt
// takes for the half of the file. The reason becomes an event and a row, so it
// must stay short enough for both.
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
	return "start the daemon anew: it sets the damaged file aside and saves what can be read; or `stump restore` a backup"
}

// Recover turns the panics and memory faults by which bbolt meets a
// damaged file into a DamagedError. Use: defer boltfile.Recover(path, &err)().
// A file that is cut short while mapped makes reads past its end fault
// (SIGBUS), which is fatal unless the goroutine asks for a panic.
func Recover(path string, err *error) func() {
	before := debug.SetPanicOnFault(true)
	return func() {
		debug.SetPanicOnFault(before)
		if r := recover(); r != nil {
			*err = Damaged(path, fmt.Sprint(r))
		}
	}
}

// LockedError says that another process holds the ledger.
type LockedError struct {
	Path    string
	PID     int // 0 when it is not known
	Command string
}

func (e *LockedError) Error() string {
	if e.PID == 0 {
		return fmt.Sprintf("the ledger %s is held by another process", e.Path)
	}
	return fmt.Sprintf("the ledger %s is held by process %d (%s)", e.Path, e.PID, e.Command)
}

// LockedBy names who holds the lock on path.
func LockedBy(path string) *LockedError {
	e := &LockedError{Path: path}
	if h, err := ReadHolder(path); err == nil && alive(h.PID) {
		e.PID, e.Command = h.PID, h.Command
	}
	return e
}
