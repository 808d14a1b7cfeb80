package gpio

import (
	"math"
	"os"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// piped is a kernel whose requests are pipes: what is written to one is what the
// kernel would queue.
func piped(t *testing.T, requests ...request) (k *kernel, ends []*os.File) {
	t.Helper()
	k, err := newKernel(false)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range requests {
		fds := make([]int, 2)
		if err := unix.Pipe2(fds, unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
			t.Fatal(err)
		}
		r.fd = fds[0]
		k.add(r)
		end := os.NewFile(uintptr(fds[1]), "the kernel's end")
		t.Cleanup(func() { end.Close() })
		ends = append(ends, end)
	}
	return k, ends
}

// queue writes an edge as the kernel does.
func queue(t *testing.T, end *os.File, e unix.GPIOV2LineEvent) {
	t.Helper()
	if _, err := end.Write((*[eventSize]byte)(unsafe.Pointer(&e))[:]); err != nil {
		t.Fatal(err)
	}
}

// TestDeviceRead: events say which of the reader's lines they are of, whatever
// the offsets and the order in the request.
func TestDeviceRead(t *testing.T) {
	k, ends := piped(t, request{lines: []uint8{0, 1}, first: 17}, request{lines: []uint8{1}, first: 3})
	defer k.close()
	buf := make([]event, 8)
	if n, err := k.read(0, buf); n != 0 || err != nil {
		t.Errorf("an empty queue: %d, %v", n, err)
	}
	queue(t, ends[0], unix.GPIOV2LineEvent{Timestamp_ns: 5, Id: unix.GPIO_V2_LINE_EVENT_FALLING_EDGE, Offset: 18, Seqno: 1})
	queue(t, ends[0], unix.GPIOV2LineEvent{Timestamp_ns: 6, Id: unix.GPIO_V2_LINE_EVENT_RISING_EDGE, Offset: 17, Seqno: 2})
	queue(t, ends[1], unix.GPIOV2LineEvent{Timestamp_ns: 7, Id: unix.GPIO_V2_LINE_EVENT_FALLING_EDGE, Offset: 3, Seqno: 1})
	n, err := k.read(0, buf)
	if n != 2 || err != nil || buf[0] != (event{time: 5, seq: 1, line: 1}) || buf[1] != (event{time: 6, seq: 2, rising: true}) {
		t.Errorf("%+v, %v", buf[:n], err)
	}
	if n, err := k.read(1, buf); n != 1 || err != nil || buf[0] != (event{time: 7, seq: 1, line: 1}) {
		t.Errorf("%+v, %v", buf[:n], err)
	}
}

// TestDeviceWait ends by time, by an edge only where edges are asked for, by
// wake, and when the chip vanishes.
func TestDeviceWait(t *testing.T) {
	k, ends := piped(t, request{lines: []uint8{0}}, request{lines: []uint8{1}})
	defer k.close()
	wait := func(limit time.Duration, events bool) (time.Duration, error) {
		start := k.now()
		until := int64(math.MaxInt64)
		if limit >= 0 {
			until = start + int64(limit)
		}
		err := k.wait(until, events)
		for tries := 0; limit >= 0 && err == nil && k.now() < until && tries < 5; tries++ {
			err = k.wait(until, events) // a signal ends it, too
		}
		return time.Duration(k.now() - start), err
	}
	const while = 20 * time.Millisecond
	if slept, err := wait(while, true); err != nil || slept < while {
		t.Errorf("nothing queued: %v, %v", slept, err)
	}
	queue(t, ends[1], unix.GPIOV2LineEvent{})
	if slept, err := wait(while, false); err != nil || slept < while {
		t.Errorf("an edge that may gather: %v, %v", slept, err)
	}
	if _, err := wait(-1, true); err != nil {
		t.Errorf("an edge: %v", err)
	}
	if n, err := k.read(1, make([]event, 1)); n != 1 || err != nil {
		t.Errorf("the edge after the wait: %d, %v", n, err)
	}
	k.wake()
	if _, err := wait(-1, false); err != nil {
		t.Errorf("woken: %v", err)
	}
	ends[0].Close()
	if _, err := wait(-1, true); err != unix.ENODEV {
		t.Errorf("a chip that has vanished: %v", err)
	}
}

// TestInputFlags: each setting is a flag of its own.
func TestInputFlags(t *testing.T) {
	const plain = flagInput | flagEdgeFalling
	for _, c := range []struct {
		both      bool
		bias      Bias
		activeLow bool
		want      uint64
	}{
		{false, BiasAsIs, false, plain},
		{true, BiasAsIs, false, plain | flagEdgeRising},
		{false, BiasPullUp, false, plain | flagBiasPullUp},
		{false, BiasPullDown, false, plain | flagBiasPullDown},
		{false, BiasDisabled, false, plain | flagBiasDisabled},
		{true, BiasPullUp, true, plain | flagEdgeRising | flagBiasPullUp | flagActiveLow},
	} {
		if got := inputFlags(c.both, c.bias, c.activeLow); got != c.want {
			t.Errorf("%+v: %#x", c, got)
		}
	}
}
