// Package clock reads the machine's clocks, and tells whether the wall clock is right.
package clock

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"syscall"
	"time"
	"unsafe"

	"github.com/google/uuid"

	"stump/checkout"
)

// Now returns the current stamp.
func Now() checkout.Stamp {
	return checkout.Stamp{Wall: time.Now(), Mono: sinceBoot(), BootID: bootID(), Trusted: Trusted()}
}

// clockMonotonic is CLOCK_MONOTONIC of linux/time.h.
const clockMonotonic = 1

// sinceBoot returns CLOCK_MONOTONIC, the clock that also stamps the edges.
func sinceBoot() time.Duration {
	var ts syscall.Timespec
	_, _, errno := syscall.Syscall(syscall.SYS_CLOCK_GETTIME, clockMonotonic, uintptr(unsafe.Pointer(&ts)), 0)
	if errno != 0 {
		return 0
	}
	return time.Duration(ts.Nano())
}

// bootID is the kernel's random id of this boot (random(4)), or uuid.Nil if it can't be
// read.
var bootID = sync.OnceValue(func() uuid.UUID {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return uuid.Nil
	}
	id, err := uuid.ParseBytes(bytes.TrimSpace(b))
	if err != nil {
		return uuid.Nil
	}
	return id
})

// Trusted reports whether the wall clock is known to be right, see Trust.
func Trusted() bool {
	trusted, _, _ := Trust()
	return trusted
}

// Trust reports whether the wall clock is known to be right, and why:
// systemd-timesyncd has created its file (systemd-time-wait-sync(8)), or the
// kernel estimates the error at less than 16 s. The limit is systemd's own. It
// also works with chrony, which may leave STA_UNSYNC set.
func Trust() (trusted bool, why string, err error) {
	return trust("/run/systemd/timesync/synchronized")
}

func trust(mark string) (trusted bool, why string, err error) {
	if _, err := os.Stat(mark); err == nil {
		return true, "set by systemd-timesyncd", nil
	}
	var tx syscall.Timex
	if _, err := syscall.Adjtimex(&tx); err != nil { // without a mode it only reads
		return false, "", os.NewSyscallError("adjtimex", err)
	}
	off := time.Duration(tx.Maxerror) * time.Microsecond
	return off < 16*time.Second, fmt.Sprintf("the kernel estimates an error of up to %.3g s", off.Seconds()), nil
}
