//go:build linux

package testkit

import (
	"fmt"
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Pty returns the far end of a serial cable, and the path of its near end, for a
// program to open. The far end stays non-blocking, so that closing it ends a read.
func Pty(tb testing.TB) (far *os.File, path string) {
	tb.Helper()
	far, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	Need(tb, err == nil, fmt.Sprint("a pseudo terminal: ", err))
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
