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
	requested []request
	bias      Bias
	activeLow bool
	wakeup    int           // eventfd
	polled    []unix.PollFd // the requests, then wakeup
	events    []unix.GPIOV2LineEvent
}

// request is one request of the kernel: its lines in order, and which of the
// reader's two they are.
type request struct {
	fd      int
	offsets []uint32
	lines   []uint8
}

func newKernel(requested []request, bias Bias, activeLow bool) (*kernel, error) {
	k := &kernel{requested: requested, bias: bias, activeLow: activeLow}
	for _, r := range requested {
		if err := unix.SetNonblock(r.fd, true); err != nil {
			return nil, err
		}
		k.polled = append(k.polled, unix.PollFd{Fd: int32(r.fd)})
	}
	var err error
	k.wakeup, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, err
	}
	k.polled = append(k.polled, unix.PollFd{Fd: int32(k.wakeup), Events: unix.POLLIN})
	return k, nil
}

func (k *kernel) requests() int { return len(k.requested) }

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
	for i, r := range k.requested {
		k.polled[i].Fd, k.polled[i].Events = int32(r.fd), unix.POLLIN
		if !events {
			k.polled[i].Fd = -1 // not looked at
		}
		k.polled[i].Revents = 0
	}
	if _, err := unix.Ppoll(k.polled, limit, nil); err != nil && err != unix.EINTR {
		return err
	}
	for i := range k.requested {
		if k.polled[i].Revents&(unix.POLLERR|unix.POLLHUP|unix.POLLNVAL) != 0 {
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
	n, err := readEvents(k.requested[i].fd, k.events[:len(buf)])
	if err == unix.EAGAIN {
		return 0, nil
	}
	r := k.requested[i]
	for j, e := range k.events[:n] {
		buf[j] = event{
			time:   int64(e.Timestamp_ns),
			seq:    e.Seqno,
			line:   r.line(e.Offset),
			rising: e.Id == unix.GPIO_V2_LINE_EVENT_RISING_EDGE,
		}
	}
	return n, err
}

// line is which of the reader's lines has an offset.
func (r *request) line(offset uint32) uint8 {
	if offset == r.offsets[0] {
		return r.lines[0]
	}
	return r.lines[1]
}

func (k *kernel) levels() (levels [2]bool, err error) {
	for _, r := range k.requested {
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

func (k *kernel) configure(both bool, bias *Bias) error {
	if bias != nil {
		k.bias = *bias
	}
	config := unix.GPIOV2LineConfig{Flags: inputFlags(both, k.bias, k.activeLow)}
	var err error
	for _, r := range k.requested {
		err = errors.Join(err, setConfig(r.fd, &config))
	}
	return err
}

func (k *kernel) close() error {
	var err error
	for _, r := range k.requested {
		err = errors.Join(err, unix.Close(r.fd))
	}
	return errors.Join(err, unix.Close(k.wakeup))
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
