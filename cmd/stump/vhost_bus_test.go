//go:build linux && amd64

// Package vhost gives a kernel in User Mode Linux an I2C bus whose chips are
// models in this process. The kernel's driver, /dev/i2c-0 and everything above
// them are real.
//
//	guest:  program ─▶ /dev/i2c-0 ─▶ i2c-virtio ─▶ virtqueue in the guest's memory
//	                                                 │ shared, kicked by eventfd
//	host:   Serve ◀─ vhost-user messages on a unix socket ┘ ─▶ i2c.Bus (a model)
//
// The kernel gets the argument virtio_uml.device=SOCKET:34; 34 is the device ID
// of an I2C adapter (Virtual I/O Device specification 1.2, section 5.15). The
// messages are the part of QEMU's "Vhost-user Protocol" that the kernel's
// arch/um/drivers/virtio_uml.c uses.
package main

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"sync"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
)

var le = binary.LittleEndian

// Requests of the protocol that have an effect here.
const (
	getFeatures         = 1
	setMemTable         = 5
	setVringNum         = 8
	setVringAddr        = 9
	setVringBase        = 10
	getVringBase        = 11
	setVringKick        = 12
	setVringCall        = 13
	getProtocolFeatures = 15
	setVringEnable      = 18
)

// Features. protocolFeatures has a channel for our own requests, without which
// virtio_uml would use interrupt 0.
const (
	vhostFeatures = 1<<32 /* version 1 */ | 1<<30 /* protocol features */ | 1<<0 /* zero-length requests */
	vhostProtocol = 1 << 5
	vhostReply    = 1 | 1<<2
)

// serveVhost accepts one kernel and serves it until it disconnects. It returns errors
// of the protocol; those of the bus go to the kernel.
func serveVhost(l *net.UnixListener, bus i2c.Bus) error {
	conn, err := l.AcceptUnix()
	if err != nil {
		return err
	}
	defer conn.Close()
	s := &vhostServer{conn: conn, queue: vhostQueue{bus: bus}}
	defer s.close()
	for {
		if err := s.message(); errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return nil
		} else if err != nil {
			return fmt.Errorf("vhost-user: %w", err)
		}
	}
}

type vhostServer struct {
	conn  *net.UnixConn
	queue vhostQueue
	wg    sync.WaitGroup
	runs  bool
	files []*os.File // that must stay open
}

// halt ends the queue's goroutine.
func (s *vhostServer) halt() {
	if s.runs {
		s.queue.kick.SetReadDeadline(time.Unix(1, 0))
		s.wg.Wait()
		s.queue.kick.SetReadDeadline(time.Time{})
		s.runs = false
	}
}

func (s *vhostServer) close() {
	s.halt()
	for _, r := range s.queue.memory {
		unix.Munmap(r.whole)
	}
	for _, f := range s.files {
		f.Close()
	}
}

// message reads one request with its file descriptors and executes it.
func (s *vhostServer) message() error {
	head, oob := make([]byte, 12), make([]byte, 256)
	n, oobn, _, _, err := s.conn.ReadMsgUnix(head, oob)
	if err != nil {
		return err
	}
	if _, err := io.ReadFull(s.conn, head[n:]); err != nil {
		return err
	}
	request, size := le.Uint32(head), le.Uint32(head[8:])
	if size > 4096 {
		return fmt.Errorf("request %d has %d bytes", request, size)
	}
	body := make([]byte, size)
	// The descriptors may come with the second part.
	for got := 0; got < len(body); {
		n, more, _, _, err := s.conn.ReadMsgUnix(body[got:], oob[oobn:])
		if errors.Is(err, io.EOF) {
			return io.ErrUnexpectedEOF
		}
		if err != nil {
			return err
		}
		got, oobn = got+n, oobn+more
	}
	fds, err := sentFiles(oob[:oobn])
	if err != nil {
		return err
	}
	return s.do(request, body, fds)
}

func sentFiles(oob []byte) ([]int, error) {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return nil, err
	}
	var fds []int
	for _, m := range messages {
		more, err := unix.ParseUnixRights(&m)
		if err != nil {
			return nil, err
		}
		fds = append(fds, more...)
	}
	return fds, nil
}

// do executes a request.
func (s *vhostServer) do(request uint32, body []byte, fds []int) error {
	q := &s.queue
	need := map[uint32]int{setMemTable: 8, setVringNum: 8, setVringAddr: 40, setVringBase: 8, getVringBase: 8}[request]
	if len(body) < need {
		return fmt.Errorf("request %d has only %d bytes", request, len(body))
	}
	switch request {
	case getFeatures:
		return s.reply(request, le.AppendUint64(nil, vhostFeatures))
	case getProtocolFeatures:
		return s.reply(request, le.AppendUint64(nil, vhostProtocol))
	case getVringBase: // which also stops the queue
		s.halt()
		return s.reply(request, le.AppendUint32(slices.Clone(body[:4]), uint32(q.next)))
	case setMemTable:
		return q.mapMemory(body, fds)
	case setVringNum:
		q.size = uint16(le.Uint32(body[4:]))
	case setVringAddr: // in virtio_uml these are the guest's physical addresses
		q.desc, q.used, q.avail = le.Uint64(body[8:]), le.Uint64(body[16:]), le.Uint64(body[24:])
	case setVringBase:
		q.next = uint16(le.Uint32(body[4:]))
	case setVringEnable:
		if !s.runs && q.kick != nil && q.call != nil && q.size > 0 {
			s.runs = true
			s.wg.Go(q.serve)
		}
	default:
		s.keep(request, fds)
	}
	return nil
}

// keep keeps the file descriptors of a request open. The guest would take a
// closed one for the device's end, even of a channel that has no use here.
func (s *vhostServer) keep(request uint32, fds []int) {
	for _, fd := range fds {
		if request == setVringKick {
			unix.SetNonblock(fd, true) // so that reading it can be ended
		}
		f := os.NewFile(uintptr(fd), "guest")
		s.files = append(s.files, f)
		switch request {
		case setVringKick:
			s.queue.kick = f
		case setVringCall:
			s.queue.call = f
		}
	}
}

func (s *vhostServer) reply(request uint32, body []byte) error {
	m := le.AppendUint32(nil, request)
	m = le.AppendUint32(m, vhostReply)
	m = le.AppendUint32(m, uint32(len(body)))
	_, err := s.conn.Write(append(m, body...))
	return err
}
