//go:build linux

package gpiosim

import (
	"math"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"stump/gpio"
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
	// times what was asked for, and every pulse between a half and four times the
	// median one. Otherwise the host took the processor away, and no reader sends
	// such a frame.
	Good bool
}

// Send sends a frame as a reader does: a low pulse on line d0 for each '0', on
// d1 for each '1'. It sleeps between pulses and spins for the last of the wait
// and for the pulse, because no kernel sleeps to the microsecond.
func (c *Chip) Send(d0, d1 int, bits string, p Pulses) Sent {
	sent := Sent{Bits: bits, Start: gpio.Monotonic()}
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
// at the same point of every write; what a write took longer than the shortest
// may have been before the stamp or after it.
type write struct{ from, to int64 }

func (c *Chip) write(line int, high bool) write {
	w := write{from: gpio.Monotonic()}
	c.Set(line, high)
	w.to = gpio.Monotonic()
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

// since is how long after the edge of another write the edge of w was stamped:
// between least and most. The short ones are the shortest such writes.
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

// alike reports whether all pulses are near enough to the median one, wherever in
// its write an edge was stamped.
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

// spin is how long before its time a waiting sender wakes up. On the one
// processor of the fixture nothing else runs meanwhile, so it is short.
const spin = 50 * int64(time.Microsecond)

func until(t int64) {
	if d := t - gpio.Monotonic(); d > spin {
		ts := unix.NsecToTimespec(d - spin)
		_ = unix.Nanosleep(&ts, nil)
	}
	for gpio.Monotonic() < t {
	}
}

// realtime makes this thread run before all ordinary processes, because a reader
// does not wait for them; but after the threads of interrupts (50).
func realtime() error {
	return unix.SchedSetAttr(0, &unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 10}, 0)
}
