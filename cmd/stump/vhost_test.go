//go:build linux && amd64

package main

import (
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
	"periph.io/x/conn/v3/physic"
)

// busChips answer every read with its address and count, but for 0x50, where
// nothing is.
type busChips struct {
	mu    sync.Mutex
	heard []string
}

func (c *busChips) all() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return strings.Join(c.heard, ", ")
}

func (c *busChips) Tx(addr uint16, w, r []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.heard = append(c.heard, fmt.Sprintf("%#x % x %d", addr, w, len(r)))
	if addr == 0x50 {
		return unix.EREMOTEIO
	}
	for i := range r {
		r[i] = byte(addr) + byte(i)
	}
	return nil
}

func (c *busChips) SetSpeed(physic.Frequency) error { return nil }

func (c *busChips) String() string { return "chips" }

// The guest's memory: where it starts, and what lies where in it.
const (
	base   = 0x10000
	descs  = 0x0000
	avail  = 0x1000
	used   = 0x2000
	data   = 0x3000
	memory = 0x8000
	entries
)

// vhostDriver is the kernel's side of the protocol.
type vhostDriver struct {
	t          *testing.T
	conn       *net.UnixConn
	bus        *busChips
	ended      chan error
	mem        []byte
	kick, call int
	free       uint64 // of data
	desc       uint16
	queued     uint16
}

// connectDriver starts a server and connects to it.
func connectDriver(t *testing.T) *vhostDriver {
	t.Helper()
	path := filepath.Join(t.TempDir(), "i2c")
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	g := &vhostDriver{t: t, bus: new(busChips), ended: make(chan error, 1), free: data}
	go func() { g.ended <- serveVhost(l, g.bus) }()
	if g.conn, err = net.DialUnix("unix", nil, &net.UnixAddr{Name: path, Net: "unix"}); err != nil {
		t.Fatal(err)
	}
	return g
}

func (g *vhostDriver) must(err error) {
	g.t.Helper()
	if err != nil {
		g.t.Fatal(err)
	}
}

// send sends a request, its body in parts that come one after the other.
func (g *vhostDriver) send(request uint32, body []byte, fds ...int) {
	g.t.Helper()
	m := le.AppendUint32(nil, request)
	m = le.AppendUint32(m, 1)
	m = le.AppendUint32(m, uint32(len(body)))
	_, _, err := g.conn.WriteMsgUnix(m[:5], unix.UnixRights(fds...), nil)
	g.must(err)
	_, err = g.conn.Write(append(m[5:], body...))
	g.must(err)
}

// reply reads the answer to a request.
func (g *vhostDriver) reply(request uint32) []byte {
	g.t.Helper()
	g.conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	b := make([]byte, 256)
	n, err := g.conn.Read(b)
	g.must(err)
	if n < 12 || le.Uint32(b) != request || le.Uint32(b[4:]) != vhostReply || int(le.Uint32(b[8:])) != n-12 {
		g.t.Fatalf("the answer to %d is % x", request, b[:n])
	}
	return b[12:n]
}

func littleEndians(w ...uint64) (b []byte) {
	for _, w := range w {
		b = le.AppendUint64(b, w)
	}
	return b
}

// startDriver sets the device up as virtio_uml does.
func startDriver(t *testing.T, size uint64) *vhostDriver {
	t.Helper()
	g := connectDriver(t)
	g.send(getFeatures, nil)
	if f := le.Uint64(g.reply(getFeatures)); f&(1<<32) == 0 {
		t.Errorf("features %#x: this is not a virtio 1 device", f)
	}
	g.send(getProtocolFeatures, nil)
	g.reply(getProtocolFeatures)
	g.send(3, nil) // set owner
	fd, err := unix.MemfdCreate("guest", 0)
	g.must(err)
	g.must(unix.Ftruncate(fd, memory))
	g.mem, err = unix.Mmap(fd, 0, memory, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
	g.must(err)
	g.kick, err = unix.Eventfd(0, 0)
	g.must(err)
	g.call, err = unix.Eventfd(0, unix.EFD_NONBLOCK)
	g.must(err)
	g.send(setMemTable, littleEndians(1, base, memory, 0x7f0000000000, 0), fd)
	g.send(setVringNum, littleEndians(size<<32))
	g.send(setVringAddr, littleEndians(0, base+descs, base+used, base+avail, 0))
	g.send(setVringBase, littleEndians(0))
	g.send(setVringKick, littleEndians(0), g.kick)
	g.send(setVringCall, littleEndians(0), g.call)
	g.send(setVringEnable, littleEndians(1<<32))
	return g
}

// place puts a descriptor of n bytes at the next free place.
func (g *vhostDriver) place(n int, flags, next uint16) []byte {
	at := g.free
	g.free += uint64(n)
	d := g.mem[descs+16*int(g.desc):]
	copy(d, littleEndians(base+at))
	le.PutUint32(d[8:], uint32(n))
	le.PutUint16(d[12:], flags)
	le.PutUint16(d[14:], next)
	g.desc++
	return g.mem[at:][:n]
}

// vhostQueue queues a transfer; the results receive what is read and the status.
func (g *vhostDriver) queue(addr uint16, w []byte, read int) (r, status []byte) {
	head := g.desc
	header := g.place(8, descNext, head+1)
	le.PutUint16(header, addr<<1)
	if len(w) > 0 {
		copy(g.place(len(w), descNext, g.desc+1), w)
	}
	if read > 0 {
		r = g.place(read, descNext|descWrite, g.desc+1)
	}
	status = g.place(1, descWrite, 0)
	status[0] = 0xff
	g.avail(head)
	return r, status
}

func (g *vhostDriver) avail(head uint16) {
	le.PutUint16(g.mem[avail+4+2*int(g.queued%8):], head)
	g.queued++
	le.PutUint16(g.mem[avail+2:], g.queued)
}

// notify kicks the device and reports whether it calls within a time.
func (g *vhostDriver) notify(within time.Duration) (called bool) {
	g.t.Helper()
	_, err := unix.Write(g.kick, littleEndians(1))
	g.must(err)
	for begin := time.Now(); time.Since(begin) < within; time.Sleep(time.Millisecond) {
		var count [8]byte
		if _, err := unix.Read(g.call, count[:]); err == nil {
			return true
		}
	}
	return false
}

// Times for notify: one for a call that must come, one for a call that must not.
const vhostSoon, vhostSilence = 10 * time.Second, 100 * time.Millisecond

// end disconnects and returns what Serve said.
func (g *vhostDriver) end() error {
	g.conn.Close()
	select {
	case err := <-g.ended:
		return err
	case <-time.After(5 * time.Second):
		g.t.Fatal("Serve goes on without a guest")
		return nil
	}
}

func TestVhostTransfers(t *testing.T) {
	g := startDriver(t, 8)
	none, ok := g.queue(0x27, []byte{1, 2}, 0)
	read, ok2 := g.queue(0x3f, []byte{7}, 3)
	if !g.notify(vhostSoon) {
		t.Fatal("the device doesn't call")
	}
	if none != nil || ok[0] != 0 || ok2[0] != 0 || !slices.Equal(read, []byte{0x3f, 0x40, 0x41}) {
		t.Errorf("status %d and %d, read % x", ok[0], ok2[0], read)
	}
	if n, id, written := le.Uint16(g.mem[used+2:]), le.Uint32(g.mem[used+12:]), le.Uint32(g.mem[used+16:]); n != 2 || id != 3 || written != 4 {
		t.Errorf("%d are done, the last is %d with %d bytes", n, id, written)
	}
	_, failed := g.queue(0x50, []byte{9}, 0)
	read, ok = g.queue(0x27, nil, 1)
	if !g.notify(vhostSoon) || failed[0] != 1 || ok[0] != 0 || read[0] != 0x27 {
		t.Errorf("at an address where nothing is: %d; the next: %d", failed[0], ok[0])
	}
	if got, want := g.bus.all(), "0x27 01 02 0, 0x3f 07 3, 0x50 09 0, 0x27  1"; got != want {
		t.Errorf("the bus heard %q, want %q", got, want)
	}
	g.send(getVringBase, littleEndians(0))
	if n := le.Uint32(g.reply(getVringBase)[4:]); n != 4 {
		t.Errorf("the queue is at %d", n)
	}
	g.queue(0x27, nil, 0)
	if g.notify(vhostSilence) {
		t.Error("a stopped queue does transfers")
	}
	g.send(setVringEnable, littleEndians(1<<32))
	if !g.notify(vhostSoon) || le.Uint16(g.mem[used+2:]) != 5 {
		t.Error("a queue that is enabled again does nothing")
	}
	if err := g.end(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// The ring is used again from its start.
func TestVhostRingGoesRound(t *testing.T) {
	g := startDriver(t, 8)
	for i := range 20 {
		g.desc, g.free = 0, data
		read, status := g.queue(uint16(0x20+i%8), nil, 1)
		if !g.notify(vhostSoon) || status[0] != 0 || read[0] != byte(0x20+i%8) {
			t.Fatalf("transfer %d: status %d, read % x", i, status[0], read)
		}
	}
	if err := g.end(); err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// A guest that violates the protocol gets no answer, and nothing outside its
// memory is touched.
func TestVhostBadChains(t *testing.T) {
	for name, chain := range map[string]func(*vhostDriver){
		"a circle":             func(g *vhostDriver) { g.place(8, descNext, 0); g.avail(0) },
		"no status":            func(g *vhostDriver) { g.place(8, 0, 0); g.avail(0) },
		"no header":            func(g *vhostDriver) { g.place(1, descWrite, 0); g.avail(0) },
		"a short header":       func(g *vhostDriver) { g.place(4, descNext, 1); g.place(1, descWrite, 0); g.avail(0) },
		"a long status":        func(g *vhostDriver) { g.place(8, descNext, 1); g.place(2, descWrite, 0); g.avail(0) },
		"a buffer outside":     func(g *vhostDriver) { g.free = memory - 4; g.desc = 0; copyOutside(g); g.avail(0) },
		"a descriptor outside": func(g *vhostDriver) { g.avail(0xfff0) },
		"a next one outside":   func(g *vhostDriver) { g.place(8, descNext, 0xfff0); g.avail(0) },
	} {
		t.Run(name, func(t *testing.T) {
			g := startDriver(t, 8)
			chain(g)
			if g.notify(vhostSilence) {
				t.Errorf("it is answered; the bus heard %q", g.bus.all())
			}
			if err := g.end(); err != nil || g.bus.all() != "" {
				t.Errorf("Serve: %v; the bus heard %q", err, g.bus.all())
			}
		})
	}
}

// copyOutside makes a header that begins in the memory and ends after it.
func copyOutside(g *vhostDriver) {
	d := g.mem[descs:]
	copy(d, littleEndians(base+memory-4))
	le.PutUint32(d[8:], 8)
}

// Requests that are too short, too long or cut off are errors of Serve.
func TestVhostBadRequests(t *testing.T) {
	for name, tc := range map[string]struct {
		send func(*vhostDriver)
		want string
	}{
		"short":         {func(g *vhostDriver) { g.send(setVringAddr, littleEndians(0)) }, "request 9 has only 8 bytes"},
		"long":          {func(g *vhostDriver) { g.send(vhostSetOwner, make([]byte, 5000)) }, "request 3 has 5000 bytes"},
		"files missing": {func(g *vhostDriver) { g.send(setMemTable, littleEndians(1, base, memory, 0, 0)) }, "a table of 1 regions with 0 files"},
		"cut off":       {func(g *vhostDriver) { g.conn.Write([]byte{1, 0, 0, 0, 1, 0, 0, 0, 8, 0, 0, 0, 1}); g.conn.CloseWrite() }, "unexpected EOF"},
	} {
		g := connectDriver(t)
		tc.send(g)
		if err := <-g.ended; err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %s", name, err, tc.want)
		}
		g.conn.Close()
	}
}

const vhostSetOwner = 3

// A listener that is closed before a kernel came ends Serve.
func TestVhostNoGuest(t *testing.T) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: filepath.Join(t.TempDir(), "i2c"), Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := serveVhost(l, new(busChips)); !errors.Is(err, net.ErrClosed) {
		t.Errorf("Serve: %v", err)
	}
}
