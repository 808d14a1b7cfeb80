//go:build linux

package gpiosim

import (
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Pulses are how a frame is shaped.
type Pulses struct {
	Width    time.Duration // how long a line stays low for one bit
	Interval time.Duration // from the start of a bit to the start of the next
}

// Sent is one frame as it was driven, in nanoseconds of CLOCK_MONOTONIC.
type Sent struct {
	Bits       string
	Start, End int64   // before the first edge, after the last
	Widths     []int64 // of the pulses, between the middles of the two writes
	// Good is whether no pulse was half an interval longer than asked for, and
	// every interval between a half and one and a half of what was asked for,
	// wherever in its write the kernel stamped the edge. A host that takes the
	// processor away makes frames that no reader sends.
	Good bool
}

// Send sends a frame as a reader does: a low pulse on line d0 for each '0', on
// d1 for each '1'. It sleeps between pulses and spins for the last of the wait
// and for the pulse, since no kernel sleeps to the microsecond.
func (c *Chip) Send(d0, d1 int, bits string, p Pulses) Sent {
	sent := Sent{Bits: bits, Good: true, Start: monotonic()}
	next := sent.Start
	var last0, last1 int64 // the write of the fall before, from and to
	for i := range len(bits) {
		line := d0
		if bits[i] == '1' {
			line = d1
		}
		until(next)
		fall0 := monotonic()
		c.Set(line, false)
		fall1 := monotonic()
		until(fall0 + int64(p.Width))
		rise0 := monotonic()
		c.Set(line, true)
		sent.End = monotonic()

		width, half := (rise0+sent.End-fall0-fall1)/2, int64(p.Interval)/2
		sent.Widths = append(sent.Widths, width)
		if width > int64(p.Width)+half || i > 0 && (fall0-last1 < half || fall1-last0 > 3*half) {
			sent.Good = false
		}
		last0, last1 = fall0, fall1
		// After a stall the interval starts anew: no reader catches up.
		next = max(next+int64(p.Interval), fall0+int64(p.Interval)*3/4)
	}
	return sent
}

// spin is how long before its time a waiting sender is awake. On the one
// processor of the fixture nothing else runs meanwhile, so it is short.
const spin = 50 * int64(time.Microsecond)

func until(t int64) {
	if d := t - monotonic(); d > spin {
		ts := unix.NsecToTimespec(d - spin)
		_ = unix.Nanosleep(&ts, nil)
	}
	for monotonic() < t {
	}
}

func monotonic() int64 {
	var ts unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_MONOTONIC, &ts)
	return ts.Nano()
}

// realtime makes this thread run before all ordinary processes, as a reader
// does, which is no process at all; but after the threads of interrupts (50).
func realtime() error {
	const fifo = 1
	priority := int32(10)
	_, _, errno := unix.Syscall(unix.SYS_SCHED_SETSCHEDULER, 0, fifo, uintptr(unsafe.Pointer(&priority)))
	if errno != 0 {
		return errno
	}
	return nil
}
