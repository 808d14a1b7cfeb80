// Package clock reads the machine's clocks, and tells whether the wall clock is right.
package clock

import (
	"bytes"
	"fmt"
	"os"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sys/unix"

	"stump/checkout"
)

// Now returns the current stamp by the zero Source.
func Now() checkout.Stamp { return Source{}.Now() }

// Source is what tells that the wall clock is right: the network's time, or the board's
// own clock.
type Source struct {
	// RTC: the board has a good clock of its own, and is right without a network.
	RTC bool
}

// Simulated takes the place of the machine's clocks if it is not nil. Only tests set it,
// before anything asks for the time.
var Simulated func() checkout.Stamp

// Now returns the current stamp.
func (s Source) Now() checkout.Stamp {
	if Simulated != nil {
		return Simulated()
	}
	return checkout.Stamp{Wall: time.Now(), Mono: sinceBoot(), BootID: bootID(), Trusted: s.Trusted()}
}

// sinceBoot returns CLOCK_MONOTONIC, the clock that also stamps the edges.
func sinceBoot() time.Duration {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts) // POSIX has it always
	return time.Duration(ts.Nano())
}

// bootID is the kernel's random id of this boot (random(4)), or uuid.Nil if it can't be
// read.
var bootID = sync.OnceValue(func() uuid.UUID {
	b, _ := os.ReadFile("/proc/sys/kernel/random/boot_id")
	id, err := uuid.ParseBytes(bytes.TrimSpace(b))
	if err != nil {
		return uuid.Nil
	}
	return id
})

// Trusted reports whether the wall clock is known to be right, see Trust.
func (s Source) Trusted() bool {
	trusted, _, _ := s.Trust()
	return trusted
}

// made is before this program was: a clock that says less has an empty battery.
var made = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// Trust reports whether the wall clock is known to be right, and why:
// systemd-timesyncd has created its file (systemd-time-wait-sync(8)), or the
// kernel estimates the error at less than 16 s. The limit is systemd's own. It
// also works with chrony, which may leave STA_UNSYNC set. A board's own clock that
// is said to be good is right, too, unless it has lost the time altogether.
func (s Source) Trust() (trusted bool, why string, err error) {
	if Simulated != nil {
		return Simulated().Trusted, "simulated", nil
	}
	trusted, why, err = trust("/run/systemd/timesync/synchronized")
	if s.RTC && !trusted {
		return ownClock(time.Now())
	}
	return trusted, why, err
}

// ownClock is Trust for a board's own clock that says now.
func ownClock(now time.Time) (trusted bool, why string, err error) {
	if now.Before(made) {
		return false, "the board's own clock has lost the time: its battery may be empty", nil
	}
	return true, "by the board's own clock", nil
}

func trust(mark string) (trusted bool, why string, err error) {
	if _, err := os.Stat(mark); err == nil {
		return true, "set by systemd-timesyncd", nil
	}
	var tx unix.Timex
	if _, err := unix.Adjtimex(&tx); err != nil { // without a mode it only reads
		return false, "", os.NewSyscallError("adjtimex", err)
	}
	off := time.Duration(tx.Maxerror) * time.Microsecond
	return off < 16*time.Second, fmt.Sprintf("the kernel estimates an error of up to %.3g s", off.Seconds()), nil
}
