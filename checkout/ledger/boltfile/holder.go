package boltfile

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"time"

	"stump/internal/safefile"
)

// Holder is the small file beside the ledger: who opened it last. The lock
// itself is bbolt's flock; this only gives it a name. It also stands for
// "there was a ledger here", and it sets numbers aside: an event gets a number
// above Ceiling only after the file was written with a higher one. So a ledger
// of which nothing is left can begin anew without giving a number twice.
type Holder struct {
	PID     int       `json:"pid"`
	Command string    `json:"command"`
	Since   time.Time `json:"since"`
	Ceiling uint64    `json:"ceiling"`
}

func HolderPath(path string) string { return path + ".holder" }

// WriteHolder is best effort: a ledger on a full disk must still open.
func WriteHolder(path string, ceiling uint64) error {
	b, err := json.Marshal(Holder{os.Getpid(), strings.Join(os.Args, " "), time.Now(), ceiling})
	if err != nil {
		return err
	}
	return safefile.Write(HolderPath(path), append(b, '\n'), 0o640)
}

func ReadHolder(path string) (h Holder, err error) {
	b, err := os.ReadFile(HolderPath(path))
	if err == nil {
		err = json.Unmarshal(b, &h)
	}
	return h, err
}

// Running reports whether another process is the holder, and not one that got
// its number later.
func (h *Holder) Running() bool {
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
