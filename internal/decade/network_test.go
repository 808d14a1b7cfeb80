package decade

import (
	"context"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

// network is a network in memory, on which time can be simulated: the directory and the mail
// server are at its other end.
type network struct {
	mu    sync.Mutex
	down  bool   // nobody is reached
	hangs bool   // who is not reached does not even refuse
	fails string // "503": the directory answers so
	conns map[net.Conn]*cable
	web   chan net.Conn // gets connections to the directory
	mail  func(net.Conn)
}

// cable is that of one start of the daemon: of one that was killed nothing comes any more.
type cable struct {
	*network
	dead bool // guarded by the network's mu
}

func newNetwork(web http.Handler, mail func(net.Conn)) *network {
	n := &network{conns: map[net.Conn]*cable{}, web: make(chan net.Conn, 64), mail: mail}
	server := &http.Server{Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		n.mu.Lock()
		fails := n.fails
		n.mu.Unlock()
		if fails == "503" {
			http.Error(w, "the database is away", http.StatusServiceUnavailable)
			return
		}
		web.ServeHTTP(w, r)
	})}
	go server.Serve(listener{n.web})
	return n
}

// listener takes the connections of a network.
type listener struct{ conns chan net.Conn }

func (l listener) Accept() (net.Conn, error) {
	if c, ok := <-l.conns; ok {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (l listener) Close() error   { return nil }
func (l listener) Addr() net.Addr { return &net.UnixAddr{Name: "memory"} }

// dial is TestDial of the directory and the mail server.
func (c *cable) dial(ctx context.Context, _, to string) (net.Conn, error) {
	c.mu.Lock()
	if away := c.down || c.dead; away {
		hangs := c.hangs || c.dead // a dead daemon's calls end with it
		c.mu.Unlock()
		if hangs {
			select { // as a dialer that nobody answers
			case <-ctx.Done():
				return nil, ctx.Err()
			case <-time.After(10 * time.Second):
				return nil, &net.OpError{Op: "dial", Err: syscall.ETIMEDOUT}
			}
		}
		return nil, &net.OpError{Op: "dial", Err: syscall.ECONNREFUSED}
	}
	here, there := net.Pipe()
	for conn, of := range c.conns {
		if of.dead {
			delete(c.conns, conn)
		}
	}
	c.conns[here] = c
	c.mu.Unlock()
	if to == mailServer {
		go c.mail(there)
	} else {
		c.web <- there
	}
	return here, nil
}

// cut takes the network away, or one cable of it. Whoever is connected hears nothing more.
func (n *network) cut(only *cable) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if only != nil {
		only.dead = true
	} else {
		n.down = true
	}
	for conn, of := range n.conns {
		if only == nil || of == only {
			conn.Close()
			delete(n.conns, conn)
		}
	}
}

// mend brings the network back.
func (n *network) mend() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.down, n.hangs, n.fails = false, false, ""
}

// works is whether everybody is reached.
func (n *network) works() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.down && n.fails == ""
}

// reaches is whether there is a network at all.
func (n *network) reaches() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	return !n.down
}

// close ends the servers.
func (n *network) close() {
	n.cut(nil)
	close(n.web)
}

// outage is a time in which the network is away, or the directory alone.
type outage struct {
	from, to time.Time
}

// outages plays those of a life.
func (w *world) outages(end time.Time) {
	for t := begin().AddDate(0, 0, 3); ; {
		t = t.Add(w.between(0, 50*24*time.Hour))
		long := w.between(5*time.Second, 10*time.Minute)
		switch n := w.dice.IntN(20); {
		case n == 0:
			long = w.between(20*24*time.Hour, 90*24*time.Hour)
		case n < 4:
			long = w.between(time.Hour, 5*24*time.Hour)
		case n < 10:
			long = w.between(10*time.Minute, 3*time.Hour)
		}
		if !t.Before(end) {
			return
		}
		w.out = append(w.out, outage{t, t.Add(long)})
		kind := w.dice.IntN(3)
		time.AfterFunc(time.Until(t), func() {
			if kind < 2 {
				w.net.mu.Lock()
				w.net.hangs = kind == 1
				w.net.mu.Unlock()
				w.net.cut(nil)
			} else {
				w.net.mu.Lock()
				w.net.fails = "503"
				w.net.mu.Unlock()
			}
		})
		time.AfterFunc(time.Until(t.Add(long)), w.net.mend)
		t = t.Add(long)
	}
}

// reached is for how long everybody has been reached.
func (w *world) reached() time.Duration {
	now := time.Now()
	last := begin()
	for _, o := range w.out {
		if !o.from.After(now) {
			last = o.to
		}
	}
	return now.Sub(last)
}
