// Package patience bounds what others on a network can take of a server: how many
// connections there are, and how long a part of an answer waits for who reads it.
package patience

import (
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"syscall"
	"time"
)

// Handler cuts off who does not take a part of an answer of h within most. A stream that
// is only quiet lasts.
func Handler(most time.Duration, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		p := &paced{w, http.NewResponseController(w), most}
		h.ServeHTTP(p, r)
		_ = p.rc.SetWriteDeadline(time.Now().Add(most)) // for what is still on its way
	})
}

// paced gives each part of an answer its time, so that a watched stream lasts, and who
// stops reading doesn't.
type paced struct {
	http.ResponseWriter
	rc   *http.ResponseController
	most time.Duration
}

func (p *paced) timed(send func() error) error {
	_ = p.rc.SetWriteDeadline(time.Now().Add(p.most))
	err := send()
	if err == nil {
		_ = p.rc.SetWriteDeadline(time.Time{}) // one that runs out ends a stream of HTTP/2 that is only quiet
	}
	return err
}

func (p *paced) Write(b []byte) (n int, err error) {
	err = p.timed(func() error { n, err = p.ResponseWriter.Write(b); return err })
	return n, err
}

// FlushError is for http.ResponseController.
func (p *paced) FlushError() error { return p.timed(p.rc.Flush) }

// Unwrap is for http.ResponseController.
func (p *paced) Unwrap() http.ResponseWriter { return p.ResponseWriter }

// Listener bounds how many connections there are. In a full house a new one takes the
// place of the one that has been without a request for longest; if all have one, it has to
// go.
type Listener struct {
	net.Listener
	most int
	// Short, if not nil, is called when there is no file descriptor for a new connection,
	// and with nil when that has not been so for a minute.
	Short func(error)

	short time.Time // when that was so last; zero: it is not

	mu    sync.Mutex
	since map[net.Conn]time.Time // the last request's end; zero while there is one
	crowd bool                   // there were many, whose memory is to be given back
}

// Listen returns a listener for at most most connections at once.
func Listen(l net.Listener, most int) *Listener {
	return &Listener{Listener: l, most: most, since: map[net.Conn]time.Time{}}
}

// Accept is net.Listener's.
func (l *Listener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		none := errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE)
		l.say(none, err)
		switch {
		case none && l.makeRoom():
			time.Sleep(shortTime) // until its descriptor is free
		case err != nil || l.enter(conn):
			return conn, err
		default:
			conn.Close()
		}
	}
}

// shortTime is how long a connection takes to give its file descriptor back.
const shortTime = 10 * time.Millisecond

// say tells Short what has changed.
func (l *Listener) say(none bool, err error) {
	was := l.short
	switch {
	case none:
		l.short = time.Now()
	case time.Since(was) > time.Minute:
		l.short = time.Time{}
	}
	if l.short.IsZero() {
		err = nil
	}
	if l.Short != nil && was.IsZero() != l.short.IsZero() {
		l.Short(err)
	}
}

func (l *Listener) enter(conn net.Conn) bool {
	l.mu.Lock()
	full := len(l.since) >= l.most
	l.mu.Unlock()
	if full {
		time.Sleep(fullTime)
		if !l.makeRoom() {
			return false
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.since[conn] = time.Now()
	l.crowd = l.crowd || len(l.since) > l.most/8
	return true
}

// fullTime is between two who come into a full house: each of them costs a handshake, and
// a flood must leave time for other things.
const fullTime = 20 * time.Millisecond

// makeRoom ends the connection that has been without a request for longest, if there is one.
func (l *Listener) makeRoom() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	var longest net.Conn
	for other, since := range l.since {
		if !since.IsZero() && (longest == nil || since.Before(l.since[longest])) {
			longest = other
		}
	}
	if longest == nil {
		return false
	}
	delete(l.since, longest)
	longest.Close()
	return true
}

// State is for http.Server's ConnState.
func (l *Listener) State(conn net.Conn, state http.ConnState) {
	if secure, ok := conn.(*tls.Conn); ok {
		conn = secure.NetConn()
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, there := l.since[conn]; !there {
		return
	}
	switch state {
	case http.StateActive:
		l.since[conn] = time.Time{}
	case http.StateIdle:
		l.since[conn] = time.Now()
	case http.StateClosed, http.StateHijacked:
		delete(l.since, conn)
		l.relax()
	}
}

// relax gives memory back when a crowd has gone: Go would do it bit by bit. The caller
// holds mu.
func (l *Listener) relax() {
	if l.crowd && len(l.since) <= l.most/16 {
		l.crowd = false
		go debug.FreeOSMemory()
	}
}
