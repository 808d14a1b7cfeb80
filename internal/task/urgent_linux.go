package task

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// urgent is how nice the thread of somebody who waits at the reader is to others.
const urgent = -10

// slice is how long it runs at a time: since 6.12 Linux takes a processor away for a thread
// with a shorter slice, and otherwise only when the slice of who runs is over.
const slice = 100 * time.Microsecond

// Urgent gives the calling goroutine a thread of its own, until it ends, which the kernel
// lets run before the others. Linux does not take a processor away at once from work of the
// same priority, so a bump whose commit was saved waited up to 4 ms for the next tick, while
// a pull compared its rows. Where the daemon may not do that (LimitNICE in its unit) the
// thread is as urgent as the others.
func Urgent() {
	if Simulated {
		return
	}
	runtime.LockOSThread()
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Nice: urgent, Runtime: uint64(slice)}
	_ = unix.SchedSetAttr(0, &attr, 0)
}
