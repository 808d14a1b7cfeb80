package patience

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// pair is a listener for connections in memory.
type pair struct {
	conns chan net.Conn
	addr  net.Addr
}

func (p pair) Accept() (net.Conn, error) {
	if c := <-p.conns; c != nil {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pair) Close() error   { return nil }
func (p pair) Addr() net.Addr { return p.addr }

// TestCrowd: there is room for so many; whoever only waits makes room, and whoever is
// answered does not.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := pair{make(chan net.Conn, 10), nil}
		c := Listen(in, 2)
		come := func() (ours, theirs net.Conn) {
			time.Sleep(time.Second)
			theirs, server := net.Pipe()
			in.conns <- server
			accepted := make(chan net.Conn, 1)
			go func() {
				conn, _ := c.Accept()
				accepted <- conn
			}()
			time.Sleep(fullTime)
			synctest.Wait()
			select {
			case ours = <-accepted:
			default: // it was turned away, and the next is waited for
				in.conns <- nil
				<-accepted
			}
			return ours, theirs
		}
		open := func(conn net.Conn) bool {
			_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := conn.Read(make([]byte, 1))
			return !errors.Is(err, io.EOF)
		}
		a, theirA := come()
		b, theirB := come()
		c.State(a, http.StateActive)
		_, theirC := come()
		if !open(theirA) || open(theirB) || !open(theirC) {
			t.Error("the one that waits does not make room")
		}
		c.State(b, http.StateClosed) // as the server says of what it finds closed
		c.State(a, http.StateIdle)
		d, theirD := come() // C has waited for longer
		if !open(theirA) || open(theirC) || !open(theirD) {
			t.Error("the one that has waited for longest does not make room")
		}
		c.State(a, http.StateActive)
		c.State(d, http.StateActive)
		if e, theirE := come(); e != nil || open(theirE) || !open(theirA) || !open(theirD) {
			t.Error("one too many is let in, or takes the place of one that is answered")
		}
		c.State(d, http.StateClosed)
		if e, _ := come(); e == nil || len(c.since) != 2 {
			t.Errorf("there is no room where one has gone: %d", len(c.since))
		}
	})
}

// starved is a listener without a file descriptor for the next failures connections.
type starved struct {
	pair
	failures int
}

func (s *starved) Accept() (net.Conn, error) {
	if s.failures > 0 {
		s.failures--
		return nil, &net.OpError{Op: "accept", Err: syscall.EMFILE}
	}
	return s.pair.Accept()
}

// TestNoFileDescriptor: who only waits makes room for whoever comes, which is said once;
// that there are descriptors again is said when there have been for a minute.
func TestNoFileDescriptor(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := &starved{pair: pair{make(chan net.Conn, 10), nil}}
		c := Listen(in, 10)
		var said []error
		c.Short = func(err error) { said = append(said, err) }
		come := func() (net.Conn, error) {
			_, server := net.Pipe()
			in.conns <- server
			return c.Accept()
		}
		first, _ := come()
		second, _ := come()
		c.State(first, http.StateActive)
		if len(said) > 0 {
			t.Error("said too early")
		}
		in.failures = 1
		third, err := come()
		if _, there := c.since[second]; err != nil || there || len(c.since) != 2 {
			t.Errorf("%v: the one that waits does not make room", err)
		}
		c.State(third, http.StateActive)
		in.failures = 1
		if _, err := c.Accept(); !errors.Is(err, syscall.EMFILE) || len(c.since) != 2 {
			t.Errorf("%v: nobody can make room", err)
		}
		if len(said) != 1 || said[0] == nil {
			t.Errorf("said: %v", said)
		}
		time.Sleep(2 * time.Minute)
		if _, err := come(); err != nil || len(said) != 2 || said[1] != nil {
			t.Errorf("%v, said: %v", err, said)
		}
	})
}

// TestSlowReader: a stream may be quiet for long; who stops reading it is cut off.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := pair{make(chan net.Conn, 1), &net.TCPAddr{}}
		const writeTime = 30 * time.Second
		gone := make(chan time.Time, 1)
		srv := &http.Server{Handler: Handler(writeTime, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			rc := http.NewResponseController(w)
			for {
				time.Sleep(5 * time.Minute)
				_, err := fmt.Fprintf(w, "%q\n", strings.Repeat("x", 1000))
				if err == nil {
					err = rc.Flush()
				}
				if err != nil {
					gone <- time.Now()
					return
				}
			}
		}))}
		go func() { _ = srv.Serve(in) }()
		theirs, ours := net.Pipe()
		in.conns <- ours
		fmt.Fprint(theirs, "GET / HTTP/1.1\r\nHost: stump.lab\r\n\r\n")
		begun, r := time.Now(), bufio.NewReader(theirs)
		for n := 0; n < 3; {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, `"xxx`) {
				n++
			}
		}
		if took := time.Since(begun); took != 15*time.Minute {
			t.Errorf("three lines took %v", took)
		}
		if at := <-gone; at.Sub(begun) != 20*time.Minute+writeTime {
			t.Errorf("who reads no more is cut off after %v", at.Sub(begun))
		}
		close(in.conns)
		theirs.Close()
		_ = srv.Close()
	})
}
