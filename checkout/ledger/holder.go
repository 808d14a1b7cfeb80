package ledger

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"stump/internal/safefile"
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
// "there was a ledger here", and it sets numbers aside: an event gets a number
// above Ceiling only after the file was written with a higher one. So a ledger
// of which nothing is left can begin anew without giving a number twice.
type holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
	Ceiling uint64    `json:"ceiling"`
}

// reserve is how many numbers are set aside at a time.
const reserve = 1000

func holderPath(path string) string { return path + ".holder" }

// writeHolder is best effort: a ledger on a full disk must still open.
func writeHolder(path string, ceiling uint64) error {
	b, err := json.Marshal(holder{os.Getpid(), strings.Join(os.Args, " "), time.Now(), ceiling})
	if err != nil {
		return err
	}
	return safefile.Write(holderPath(path), append(b, '\n'), 0o640)
}

func readHolder(path string) (h holder, err error) {
	b, err := os.ReadFile(holderPath(path))
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	return h, err
}

// reserve sets numbers aside from seq on.
func (l *Ledger) reserve(seq uint64) {
	if seq <= l.ceiling || l.readOnly {
		return
	}
	l.ceiling = seq - 1 + reserve
	if h, err := readHolder(l.path); err == nil { // of a file that had come farther
		l.ceiling = max(l.ceiling, h.Ceiling)
	}
	if err := writeHolder(l.path, l.ceiling); err != nil {
		l.o.Logger.Warn("can't set event numbers aside", "err", err)
	}
}

// lockedBy names who holds the lock on path.
func lockedBy(path string) *LockedError {
	e := &LockedError{Path: path}
	if h, err := readHolder(path); err == nil && alive(h.PID) {
		e.PID, e.Command = h.PID, h.Command
	}
	return e
}

// running reports whether another process is the holder, and not one that got
// its number later.
func (h *holder) running() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", h.PID))
	command := strings.ReplaceAll(strings.TrimSuffix(string(b), "\x00"), "\x00", " ")
	_, args, _ := strings.Cut(command, " ")
	_, held, _ := strings.Cut(h.Command, " ") // the program's name is how it was called
	return err == nil && h.PID != os.Getpid() && args == held
}

// alive reports whether the process exists.
func alive(pid int) bool {
	if pid <= 0 {
		return false
	}
	_, err := os.Stat(fmt.Sprintf("/proc/%d", pid))
	return err == nil
}
