package gpio

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// Activity is what a line that nobody configured did while it was listened to.
// Pulses on it say where wires went that should be elsewhere.
type Activity struct {
	Line  string  // the line in every notation
	Falls []int64 // times at which it fell
}

// ListenLines acquires free lines as inputs, as they are, and lets the kernel
// collect when they fall until stop is called. Lines in use are left out; err
// says why when none is left. It is for finding wires that are on wrong pins,
// and never for lines that may be outputs of something else.
func ListenLines(lines []Line) (stop func() ([]Activity, error), err error) {
	type listened struct {
		Line
		fd int
	}
	var all []listened
	var refused error
	for _, l := range lines {
		fd, err := acquireInputs([]Line{l}, "stump listens", inputFlags(false, BiasAsIs, false))
		if err != nil {
			refused = errors.Join(refused, err)
			continue
		}
		all = append(all, listened{l, fd})
	}
	if len(all) == 0 {
		if refused == nil {
			refused = errors.New("no free lines are known on this board")
		}
		return nil, fmt.Errorf("gpio: listen: %w", refused)
	}
	return func() (heard []Activity, err error) {
		for _, l := range all {
			falls, e := drain(l.fd)
			heard = append(heard, Activity{Line: l.String(), Falls: falls})
			err = errors.Join(err, e, unix.Close(l.fd))
		}
		return heard, err
	}, nil
}

// drain reads what the kernel has collected.
func drain(fd int) (falls []int64, err error) {
	buf := make([]unix.GPIOV2LineEvent, 64)
	for {
		n, err := readEvents(fd, buf)
		for _, e := range buf[:n] {
			falls = append(falls, int64(e.Timestamp_ns))
		}
		if err == unix.EAGAIN {
			return falls, nil
		}
		if err != nil || n == 0 {
			return falls, err
		}
	}
}
