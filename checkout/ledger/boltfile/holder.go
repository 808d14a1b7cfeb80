package boltfile

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"stump/internal/hint"
	"stump/internal/safefile"
)

// Holder is the content of the small file beside the ledger. It names the process that
// opened the ledger last, since the lock itself (bbolt's flock) has no name. It proves
// that there was a ledger, and it reserves event numbers: no event has a number above
// Ceiling. So a lost ledger can start again without using a number twice.
type Holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
	Ceiling uint64    `json:"ceiling"`
}

// HolderPath returns the path of the holder file of the ledger at path.
func HolderPath(path string) string { return path + ".holder" }

// WriteHolder writes the holder file, with this process as the holder.
func WriteHolder(path string, ceiling uint64) error {
	b, err := json.Marshal(Holder{os.Getpid(), strings.Join(os.Args, " "), time.Now(), ceiling})
	if err != nil {
		return err
	}
	return safefile.Write(HolderPath(path), append(b, '\n'), 0o640)
}

// Claim keeps the ledger at path, which need not exist, from being replaced by two
// processes at once, until the returned file is closed. The new ledger is made at next,
// whose holder file names this process in the *LockedError of another.
func Claim(path, next string) (*os.File, error) {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	// Some file systems have no locks.
	if syscall.Flock(int(dir.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == syscall.EWOULDBLOCK {
		locked := LockedBy(next)
		locked.Path = path
		err = hint.Wrap(locked, "wait until that process has ended, then see whether it has replaced the ledger already")
	} else {
		err = WriteHolder(next, 0)
	}
	if err != nil {
		dir.Close()
	}
	return dir, err
}

// ReadHolder reads the holder file of the ledger at path.
func ReadHolder(path string) (h Holder, err error) {
	b, err := os.ReadFile(HolderPath(path))
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	return h, err
}

// Running reports whether the holder is another process that still runs. It compares
// the arguments, because a new process may have got the same PID.
func (h *Holder) Running() bool {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", h.PID))
	command := strings.ReplaceAll(strings.TrimSuffix(string(b), "\x00"), "\x00", " ")
	_, args, _ := strings.Cut(command, " ")
	_, held, _ := strings.Cut(h.Command, " ") // without the program's name, which may be relative
	return err == nil && h.PID != os.Getpid() && args == held
}
