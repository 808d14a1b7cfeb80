//go:build linux

package gpiosim

import (
	"math"
	"slices"
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
	// Good is whether every interval was surely between a half and one and a half
	// of what was asked for, and every pulse between a half of the usual one and
	// four times that. A host that takes the processor away makes frames that no
	// reader sends.
	Good bool
}

// Send sends a frame as a reader does: a low pulse on line d0 for each '0', on
// d1 for each '1'. It sleeps between pulses and spins for the last of the wait
// and for the pulse, since no kernel sleeps to the microsecond.
func (c *Chip) Send(d0, d1 int, bits string, p Pulses) Sent {
	sent := Sent{Bits: bits, Start: monotonic()}
	next := sent.Start
	var falls, rises []write
	for i := range len(bits) {
		line := d0
		if bits[i] == '1' {
			line = d1
		}
		until(next)
		fall := c.write(line, false)
		until(fall.from + int64(p.Width))
		rise := c.write(line, true)
		falls, rises = append(falls, fall), append(rises, rise)
		sent.End = rise.to
		sent.Widths = append(sent.Widths, (rise.from+rise.to-fall.from-fall.to)/2)
		// After a stall the interval starts anew: no reader catches up.
		next = max(next+int64(p.Interval), fall.from+int64(p.Interval)*3/4)
	}
	sent.Good = steady(falls, int64(p.Interval)) && alike(falls, rises)
	return sent
}

// write is from when to when a line was written to. The kernel stamps the edge
// at the same point of every write, but for what a write took longer than the
// shortest: that may have been before the stamp or after it.
type write struct{ from, to int64 }

func (c *Chip) write(line int, high bool) write {
	w := write{from: monotonic()}
	c.Set(line, high)
	w.to = monotonic()
	return w
}

// shortest is how long the shortest of some writes took.
func shortest(writes []write) int64 {
	s := int64(math.MaxInt64)
	for _, w := range writes {
		s = min(s, w.to-w.from)
	}
	return s
}

// since is how long after another write, of those that take at least short, an
// edge may have been stamped: between these two.
func (w write) since(last write, shortLast, short int64) (least, most int64) {
	return w.from - (last.to - shortLast), w.to - short - last.from
}

// steady reports whether all intervals are near enough to what they should be,
// wherever in its write an edge was stamped.
func steady(falls []write, interval int64) bool {
	short := shortest(falls)
	for i := 1; i < len(falls); i++ {
		least, most := falls[i].since(falls[i-1], short, short)
		if least < interval/2 || most > interval*3/2 {
			return false
		}
	}
	return true
}

// alike reports whether all pulses are as long as the usual one, near enough,
// wherever in its write an edge was stamped.
func alike(falls, rises []write) bool {
	shortFall, shortRise := shortest(falls), shortest(rises)
	var usual []int64
	for i, rise := range rises {
		least, most := rise.since(falls[i], shortFall, shortRise)
		usual = append(usual, (least+most)/2)
	}
	slices.Sort(usual)
	for i, rise := range rises {
		least, most := rise.since(falls[i], shortFall, shortRise)
		if u := usual[len(usual)/2]; least < u/2 || most > 4*u {
			return false
		}
	}
	return true
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
