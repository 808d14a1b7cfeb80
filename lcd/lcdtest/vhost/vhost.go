//go:build linux && amd64

// Package vhost gives a kernel in User Mode Linux an I2C bus whose chips are
// models in this process: the kernel's own driver, /dev/i2c-0 and everything
// above them are real.
//
//	guest:  program ─▶ /dev/i2c-0 ─▶ i2c-virtio ─▶ virtqueue in the guest's memory
//	                                                 │ shared, kicked by eventfd
//	host:   Serve ◀─ vhost-user messages on a unix socket ┘ ─▶ i2c.Bus (a model)
//
// The kernel is started with the argument virtio_uml.device=SOCKET:34; 34 is
// the I2C adapter's device ID (Virtual I/O Device specification 1.2, section
// 5.15). The messages are those of QEMU's "Vhost-user Protocol", of which the
// kernel's arch/um/drivers/virtio_uml.c speaks a part.
package vhost

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/i2c"
)

var le = binary.LittleEndian

// DeviceID is what follows the socket in the kernel argument.
const DeviceID = 34

// Requests of the protocol that need an answer or carry something.
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

// Features. Without a channel for our own requests, virtio_uml would use
// interrupt 0.
const (
	features         = 1<<32 /* version 1 */ | 1<<30 /* protocol features */ | 1<<0 /* zero-length requests */
	protocolFeatures = 1 << 5
	versionReply     = 1 | 1<<2
)

// Serve takes one kernel on the listener and serves it until it goes. An error
// is one of the protocol; what the bus answers goes to the kernel.
func Serve(l *net.UnixListener, bus i2c.Bus) error {
	conn, err := l.AcceptUnix()
	if err != nil {
		return err
	}
	defer conn.Close()
	stop, err := unix.Eventfd(0, unix.EFD_CLOEXEC)
	if err != nil {
		return fmt.Errorf("eventfd: %w", err)
	}
	s := &server{conn: conn, queue: queue{bus: bus, kick: -1, call: -1, stop: stop}}
	defer s.close()
	for {
		if err := s.message(); errors.Is(err, io.EOF) || errors.Is(err, net.ErrClosed) {
			return nil
		} else if err != nil {
			return fmt.Errorf("vhost-user: %w", err)
		}
	}
}

type server struct {
	conn  *net.UnixConn
	queue queue
	wg    sync.WaitGroup
	runs  bool
	// unused are descriptors that only have to stay open.
	unused []int
}

func (s *server) close() {
	unix.Write(s.queue.stop, []byte{1, 0, 0, 0, 0, 0, 0, 0})
	s.wg.Wait()
	s.queue.close()
	for _, fd := range s.unused {
		unix.Close(fd)
	}
}

// message reads one request with its file descriptors and does it.
func (s *server) message() error {
	head, oob := make([]byte, 12), make([]byte, 256)
	n, oobn, _, _, err := s.conn.ReadMsgUnix(head, oob)
	if err != nil {
		return err
	}
	if n == 0 {
		return io.EOF
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
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		got, oobn = got+n, oobn+more
	}
	fds, err := descriptors(oob[:oobn])
	if err != nil {
		return err
	}
	return s.do(request, body, fds)
}

func descriptors(oob []byte) ([]int, error) {
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
func (s *server) do(request uint32, body []byte, fds []int) error {
	q := &s.queue
	need := map[uint32]int{setMemTable: 8, setVringNum: 8, setVringAddr: 40, setVringBase: 8, getVringBase: 8}[request]
	if len(body) < need {
		return fmt.Errorf("request %d has only %d bytes", request, len(body))
	}
	switch request {
	case getFeatures:
		return s.reply(request, le.AppendUint64(nil, features))
	case getProtocolFeatures:
		return s.reply(request, le.AppendUint64(nil, protocolFeatures))
	case setMemTable:
		return q.mapMemory(body, fds)
	case setVringNum:
		q.size = uint16(le.Uint32(body[4:]))
	case setVringAddr: // in virtio_uml these are the guest's physical addresses
		q.desc, q.used, q.avail = le.Uint64(body[8:]), le.Uint64(body[16:]), le.Uint64(body[24:])
	case setVringBase:
		q.next = uint16(le.Uint32(body[4:]))
	case getVringBase:
		return s.reply(request, le.AppendUint32(append([]byte(nil), body[:4]...), uint32(q.next)))
	case setVringKick:
		if len(fds) == 1 {
			q.kick = fds[0]
		}
	case setVringCall:
		if len(fds) == 1 {
			q.call = fds[0]
		}
	case setVringEnable:
		if !s.runs && q.kick >= 0 && q.call >= 0 && q.size > 0 {
			s.runs = true
			s.wg.Go(q.serve)
		}
	default: // owner, features, and channels that we have no use for
		// A channel that is closed would mean that the device is gone.
		s.unused = append(s.unused, fds...)
	}
	return nil
}

func (s *server) reply(request uint32, body []byte) error {
	m := le.AppendUint32(nil, request)
	m = le.AppendUint32(m, versionReply)
	m = le.AppendUint32(m, uint32(len(body)))
	_, err := s.conn.Write(append(m, body...))
	return err
}
