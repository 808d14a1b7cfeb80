package daemon

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
	"unicode"

	"golang.org/x/sys/unix"
)

// runCommand runs an admin's command for at most limit and returns the end of what
// it printed. The command gets no input, none of our open files, and only PATH, HOME
// and LANG of our environment. It runs in a session of its own, which is killed at
// the end with all that the command has started.
func runCommand(ctx context.Context, args []string, limit time.Duration) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	closeOnExec()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Dir, cmd.Env = "/", []string{}
	for _, name := range []string{"PATH", "HOME", "LANG"} {
		if value, ok := os.LookupEnv(name); ok {
			cmd.Env = append(cmd.Env, name+"="+value)
		}
	}
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = time.Second // a child may keep the output open
	err := cmd.Run()
	if cmd.Process != nil {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // children in the background
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		err = fmt.Errorf("it was killed after %v", limit)
	case errors.Is(err, exec.ErrWaitDelay):
		err = nil // the command itself succeeded
	}
	return out.String(), err
}

// closeOnExec keeps commands from inheriting files that we inherited. Files that Go
// opens have the flag already.
func closeOnExec() {
	all, _ := os.ReadDir("/proc/self/fd")
	for _, e := range all {
		if fd, err := strconv.Atoi(e.Name()); err == nil && fd > 2 {
			unix.CloseOnExec(fd)
		}
	}
}

// tail keeps the last tailSize bytes written to it.
type tail struct {
	kept []byte
	cut  bool
}

const tailSize = 4 << 10

func (t *tail) Write(b []byte) (int, error) {
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - tailSize; over > 0 {
		t.kept, t.cut = append(t.kept[:0], t.kept[over:]...), true
	}
	return len(b), nil
}

var escapes = regexp.MustCompile(`\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)`)

// String returns them without escape sequences and control characters.
func (t *tail) String() string {
	s := escapes.ReplaceAllString(strings.ToValidUTF8(string(t.kept), "?"), "")
	s = strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) && r != '\n' {
			return ' '
		}
		return r
	}, s))
	if t.cut {
		s = "… " + s
	}
	return s
}
