package gpio

import (
	"errors"
	"math"

	"golang.org/x/sys/unix"
)

// kernel is the device behind real Lines: one or two requests of the GPIO
// character device, and an event counter that ends a wait. Only this file and
// the others named _linux know file descriptors.
type kernel struct {
	requests  []request
	activeLow bool
	wakeup    int           // eventfd
	polled    []unix.PollFd // wakeup, then the requests
	events    []unix.GPIOV2LineEvent
}

// request is one request of the kernel, and which of the reader's two lines are
// in it, in its order.
type request struct {
	fd    int
	lines []uint8
	first uint32 // offset of lines[0]
}

func newKernel(activeLow bool) (*kernel, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	return &kernel{activeLow: activeLow, wakeup: fd, polled: []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}}, err
}

// add takes over a request.
func (k *kernel) add(r request) {
	k.requests = append(k.requests, r)
	k.polled = append(k.polled, unix.PollFd{Events: unix.POLLIN})
}

func (k *kernel) now() int64 { return Monotonic() }

// wait is one ppoll, whose limit is precise to the nanosecond and which needs
// no wake-up before it. A plain read would not do: it cannot be limited in time,
// and on a chip that vanishes it sleeps on.
func (k *kernel) wait(until int64, events bool) error {
	var limit *unix.Timespec
	if until != math.MaxInt64 {
		// Seconds have 32 bits on a 32-bit board.
		ts := unix.NsecToTimespec(min(max(0, until-k.now()), 1e18))
		limit = &ts
	}
	polled := k.polled[1:]
	for i, r := range k.requests {
		polled[i].Fd, polled[i].Revents = int32(r.fd), 0
		if !events {
			polled[i].Fd = -1 // not looked at
		}
	}
	if _, err := unix.Ppoll(k.polled, limit, nil); err != nil && err != unix.EINTR {
		return err
	}
	for _, p := range polled {
		if p.Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
			return unix.ENODEV
		}
	}
	return nil
}

func (k *kernel) wake() {
	// Fails only when the counter is full, and then it wakes as well.
	_, _ = unix.Write(k.wakeup, []byte{1, 0, 0, 0, 0, 0, 0, 1})
}

func (k *kernel) read(i int, buf []event) (int, error) {
	if len(k.events) < len(buf) {
		k.events = make([]unix.GPIOV2LineEvent, len(buf))
	}
	r := k.requests[i]
	n, err := readEvents(r.fd, k.events[:len(buf)])
	if err == unix.EAGAIN {
		return 0, nil
	}
	for j, e := range k.events[:n] {
		line := r.lines[0]
		if e.Offset != r.first {
			line = r.lines[1]
		}
		buf[j] = event{
			time:   int64(e.Timestamp_ns),
			seq:    e.Seqno,
			line:   line,
			rising: e.Id == unix.GPIO_V2_LINE_EVENT_RISING_EDGE,
		}
	}
	return n, err
}

func (k *kernel) levels() (levels [2]bool, err error) {
	for _, r := range k.requests {
		bits, err := getValues(r.fd, len(r.lines))
		if err != nil {
			return levels, err
		}
		for i, line := range r.lines {
			levels[line] = bits>>i&1 != 0
		}
	}
	return levels, nil
}

func (k *kernel) configure(both bool, bias Bias) (err error) {
	config := unix.GPIOV2LineConfig{Flags: inputFlags(both, bias, k.activeLow)}
	for _, r := range k.requests {
		err = errors.Join(err, setConfig(r.fd, &config))
	}
	return err
}

func (k *kernel) close() error {
	err := unix.Close(k.wakeup)
	for _, r := range k.requests {
		err = errors.Join(err, unix.Close(r.fd))
	}
	return err
}

// inputFlags are the kernel's for a data line.
func inputFlags(both bool, bias Bias, activeLow bool) uint64 {
	flags := uint64(flagInput | flagEdgeFalling)
	if both {
		flags |= flagEdgeRising
	}
	if activeLow {
		flags |= flagActiveLow
	}
	switch bias {
	case BiasPullUp:
		flags |= flagBiasPullUp
	case BiasPullDown:
		flags |= flagBiasPullDown
	case BiasDisabled:
		flags |= flagBiasDisabled
	}
	return flags
}
