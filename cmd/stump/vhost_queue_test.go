//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
)

// vhostQueue is the guest's split virtqueue of transfers (Virtio 1.2, section 2.7).
type vhostQueue struct {
	bus               i2c.Bus
	memory            []vhostRegion
	size              uint16
	desc, avail, used uint64
	next              uint16   // the first entry of avail that is not done
	kick, call        *os.File // eventfds
}

// vhostRegion is a part of the guest's memory, mapped here.
type vhostRegion struct {
	at    uint64
	bytes []byte
	whole []byte // the mapping, for munmap
}

var errOutside = errors.New("an address outside the guest's memory")

// mapMemory maps the memory that the guest shares. The body is a count, padding,
// and for each descriptor the address, the size, the sender's own address, and
// the offset in the file.
func (q *vhostQueue) mapMemory(body []byte, fds []int) error {
	count := int(le.Uint32(body))
	if count != len(fds) || len(body) < 8+32*count {
		return fmt.Errorf("a table of %d regions with %d files", count, len(fds))
	}
	for i, fd := range fds {
		r := body[8+32*i:]
		at, size, offset := le.Uint64(r), le.Uint64(r[8:]), le.Uint64(r[24:])
		whole, err := unix.Mmap(fd, 0, int(offset+size), unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
		unix.Close(fd)
		if err != nil {
			return fmt.Errorf("map the guest's memory: %w", err)
		}
		q.memory = append(q.memory, vhostRegion{at, whole[offset:], whole})
	}
	return nil
}

// bytes returns n bytes of the guest's memory.
func (q *vhostQueue) bytes(at, n uint64) ([]byte, error) {
	for _, r := range q.memory {
		if size := uint64(len(r.bytes)); at >= r.at && n <= size && at-r.at <= size-n {
			return r.bytes[at-r.at:][:n], nil
		}
	}
	return nil, fmt.Errorf("%w: %d at %#x", errOutside, n, at)
}

// serve executes transfers when the guest kicks, until a deadline for kicks.
func (q *vhostQueue) serve() {
	count := make([]byte, 8)
	for {
		if _, err := q.kick.Read(count); err != nil {
			return
		}
		if err := q.drain(); err != nil {
			return // a guest that violates the protocol gets no answers
		}
		q.call.Write([]byte{1, 0, 0, 0, 0, 0, 0, 0})
	}
}

// drain executes all waiting transfers.
func (q *vhostQueue) drain() error {
	n := uint64(q.size)
	avail, err := q.bytes(q.avail, 4+2*n)
	if err != nil {
		return err
	}
	used, err := q.bytes(q.used, 4+8*n)
	if err != nil {
		return err
	}
	for le.Uint16(avail[2:]) != q.next {
		head := le.Uint16(avail[4+2*(q.next%q.size):])
		written, err := q.transfer(head)
		if err != nil {
			return err
		}
		i := le.Uint16(used[2:])
		entry := used[4+8*(uint64(i)%n):]
		le.PutUint32(entry, uint32(head))
		le.PutUint32(entry[4:], written)
		le.PutUint16(used[2:], i+1)
		q.next++
	}
	return nil
}

// Flags of a descriptor.
const (
	descNext  = 1
	descWrite = 2 // by us
)

// buffers returns the buffers of a chain of descriptors: those from the guest and
// those for it.
func (q *vhostQueue) buffers(head uint16) (out, in [][]byte, err error) {
	for range q.size {
		d, err := q.bytes(q.desc+16*uint64(head), 16)
		if err != nil {
			return nil, nil, err
		}
		data, err := q.bytes(le.Uint64(d), uint64(le.Uint32(d[8:])))
		if err != nil {
			return nil, nil, err
		}
		flags := le.Uint16(d[12:])
		if flags&descWrite != 0 {
			in = append(in, data)
		} else {
			out = append(out, data)
		}
		if flags&descNext == 0 {
			return out, in, nil
		}
		head = le.Uint16(d[14:])
	}
	return nil, nil, errors.New("a chain of descriptors without end")
}

// transfer executes one request: a header with the address, data one way, and a
// byte for the outcome (Virtio 1.2, section 5.15.6.1).
func (q *vhostQueue) transfer(head uint16) (written uint32, err error) {
	out, in, err := q.buffers(head)
	if err != nil {
		return 0, err
	}
	if len(out) == 0 || len(out[0]) < 8 || len(in) == 0 || len(in[len(in)-1]) != 1 {
		return 0, errors.New("a request without header or status")
	}
	addr := le.Uint16(out[0]) >> 1
	var w, r []byte
	if len(out) > 1 {
		w = out[1]
	}
	if len(in) > 1 {
		r = in[0]
	}
	status := in[len(in)-1]
	status[0] = 0
	if q.bus.Tx(addr, w, r) != nil {
		status[0] = 1
	}
	return uint32(len(r) + 1), nil
}
