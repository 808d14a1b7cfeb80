// Package gpio gets edges from a card reader's two data lines, and drives the
// few output lines that a reader's lights and beeper need.
//
// Edges come from a Source. There are three: real lines through the kernel's
// GPIO character device (Open, or Dial where they may come and go), a simulated
// reader that makes real pulses with real faults (NewSim), and the replay of a
// trace (NewReplay). A decoder cannot tell which one it has.
//
// All times are nanoseconds of CLOCK_MONOTONIC, the clock with which the
// kernel stamps an edge in the interrupt.
package gpio

import (
	"errors"
	"math"
	"time"

	"stump/wiegand"
)

// ErrClosed is returned by a Source or Output that was closed.
var ErrClosed = errors.New("gpio: closed")

// Source delivers the edges of one reader. Read is for one goroutine; the
// other methods may be called from any.
type Source interface {
	// Read waits until an edge is there, or the monotonic clock passes until
	// (math.MaxInt64: no limit), or the source is closed. It fills buf and
	// returns how many edges it put there. Every edge stamped at or before
	// now has then been returned, so that a silence up to now is a fact.
	//
	// Seq is consecutive over everything that this source returns; a jump
	// means that edges were lost. n == 0 without an error means that until
	// has passed.
	Read(buf []wiegand.Edge, until int64) (n int, now int64, err error)

	// Levels returns the lines' levels at this moment, true for high.
	Levels() ([2]bool, error)

	// Close releases the lines. A blocked Read returns ErrClosed.
	Close() error

	// String names both lines in every notation that is known, as in
	// "DATA0 = GPIO17 = header pin 11 = gpiochip0 line 17 (pinctrl-bcm2711), DATA1 = …".
	String() string
}

// Adjustable is a Source whose lines can be set up anew, as the self-test does.
type Adjustable interface {
	Source
	// SetBias changes the pull of both lines; edges that this makes are
	// delivered like others. A board may accept a bias and ignore it: see
	// Request.Bias.
	SetBias(Bias) error
	// SetBothEdges says whether Read returns rising edges too, from now on, for
	// pulse widths in scope and self-test. It doubles the interrupts; a daemon in
	// service needs falling edges only.
	SetBothEdges(on bool) error
}

// Exchanged is a source whose two lines are exchanged: what is on its line 0 is
// DATA1.
type Exchanged struct{ Adjustable }

// Read is Source's.
func (x Exchanged) Read(buf []wiegand.Edge, until int64) (n int, now int64, err error) {
	n, now, err = x.Adjustable.Read(buf, until)
	for i := range buf[:n] {
		buf[i].Line ^= 1
	}
	return n, now, err
}

// Levels is Source's.
func (x Exchanged) Levels() ([2]bool, error) {
	levels, err := x.Adjustable.Levels()
	return [2]bool{levels[1], levels[0]}, err
}

// String is Source's.
func (x Exchanged) String() string { return x.Adjustable.String() + ", exchanged" }

// Output is one output line: a light or a beeper of the reader.
type Output interface {
	// Set turns it on or off. On is what a person sees or hears, whichever
	// level that takes.
	Set(on bool) error

	// Close turns it off and releases the line.
	Close() error

	// String names the line in every notation that is known.
	String() string
}

// never is a time that does not come.
const never = math.MaxInt64

// sleep waits for d nanoseconds (never: no limit) or until wake; false means
// that quit was closed.
func sleep(d int64, wake, quit <-chan struct{}) bool {
	var timeout <-chan time.Time
	if d != never {
		timer := time.NewTimer(time.Duration(d))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-timeout:
	case <-wake:
	case <-quit:
		return false
	}
	return true
}
