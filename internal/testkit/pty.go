//go:build linux

package testkit

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Pty returns the far end of a serial cable, and the path of its near end, for a
// program to open. A machine without pseudo terminals skips the test, but not CI.
func Pty(tb testing.TB) (far *os.File, path string) {
	tb.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		if os.Getenv("CI") == "true" {
			tb.Fatal("no pseudo terminals here, and on CI they must be: ", err)
		}
		tb.Skip("no pseudo terminals here: ", err)
	}
	tb.Cleanup(func() { far.Close() })
	n := 0
	raw, err := far.SyscallConn()
	if err == nil {
		_ = raw.Control(func(fd uintptr) {
			if err = unix.IoctlSetPointerInt(int(fd), unix.TIOCSPTLCK, 0); err == nil {
				n, err = unix.IoctlGetInt(int(fd), unix.TIOCGPTN)
			}
		})
	}
	if err != nil {
		tb.Fatal(err)
	}
	return far, fmt.Sprintf("/dev/pts/%d", n)
}
