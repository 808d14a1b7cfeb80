package checkout

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"
)

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

// holder is the small file beside the ledger: who opened it last. The lock
// itself is bbolt's flock; this only gives it a name. It also stands for
// "there was a ledger here": an empty folder has none.
type holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
}

func holderPath(path string) string { return path + ".holder" }

// writeHolder is best effort: a ledger on a full disk must still open.
func writeHolder(path string) {
	b, err := json.Marshal(holder{PID: os.Getpid(), Command: strings.Join(os.Args, " "), Since: time.Now()})
	if err == nil {
		_ = os.WriteFile(holderPath(path), append(b, '\n'), 0o640)
	}
}

// lockedBy names who holds the lock on path.
func lockedBy(path string) *LockedError {
	e := &LockedError{Path: path}
	var h holder
	b, err := os.ReadFile(holderPath(path))
	if err == nil && json.Unmarshal(b, &h) == nil && alive(h.PID) {
		e.PID, e.Command = h.PID, h.Command
	}
	return e
}

// alive reports whether the process exists.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}
