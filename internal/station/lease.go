package station

import (
	"fmt"
	"math"
	"sync"
	"time"

	"stump/gpio"
	"stump/internal/hint"
	"stump/wiegand"
)

// Lease is a reader's lines in the hands of a self-test or a scope. The decoder
// task goes on reading them and hands the edges to the lease's holder: cards
// shown meanwhile become no loans. Close gives the lines back.
type Lease struct {
	gpio.Adjustable // the reader's source

	d      *decoder
	now    func() int64
	over   func()        // called when the lines were given back
	quit   chan struct{} // closed by Close
	arrive chan struct{} // holds one token when edges have come

	mu     sync.Mutex
	edges  []wiegand.Edge
	closed bool
}

// ErrLeased is returned while somebody else has the lines.
var ErrLeased = hint.Errorf("end that one first, with Ctrl-C where it runs", "a self-test or a scope is already at the lines of this reader")

// lease hands the lines out, to one holder at a time. over is called when they
// are given back.
func (d *decoder) lease(now func() int64, over func()) (*Lease, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.leased() {
		return nil, ErrLeased
	}
	if _, err := d.source.Levels(); err != nil {
		return nil, fmt.Errorf("reader %q: %w", d.name, err)
	}
	l := &Lease{Adjustable: d.source, d: d, now: now, over: over, quit: make(chan struct{}), arrive: make(chan struct{}, 1)}
	d.holder.Store(l)
	return l, nil
}

// leased never waits: the attendant asks, and the decoder may be waiting for it.
func (d *decoder) leased() bool { return d.holder.Load() != nil }

// maxUnread bounds what a holder may leave unread: minutes of a storm.
const maxUnread = 1 << 20

// take appends what the decoder task has read. It never blocks.
func (l *Lease) take(edges []wiegand.Edge) {
	l.mu.Lock()
	if len(l.edges)+len(edges) <= maxUnread {
		l.edges = append(l.edges, edges...)
	}
	l.mu.Unlock()
	select {
	case l.arrive <- struct{}{}:
	default:
	}
}

// settle is how long after its stamp an edge has certainly been handed over:
// the kernel stamps it in the interrupt, a thread queues it, and on a busy
// machine the decoder's goroutine waits for its turn. If silence were taken for
// a fact too early, a frame would be cut in two.
const settle = int64(50 * time.Millisecond)

// Read implements gpio.Adjustable.
func (l *Lease) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	for {
		now := l.now()
		l.mu.Lock()
		n := copy(buf, l.edges)
		l.edges = l.edges[n:]
		more, closed := len(l.edges) > 0, l.closed
		l.mu.Unlock()
		switch {
		case closed:
			return 0, 0, gpio.ErrClosed
		case n > 0 && more:
			return n, buf[n-1].Time, nil
		case n > 0:
			return n, max(now-settle, buf[n-1].Time), nil
		case now-settle >= until:
			return 0, now - settle, nil
		}
		if !l.wait(until, now) {
			return 0, 0, gpio.ErrClosed
		}
	}
}

// wait returns when edges have come or the clock has reached until; false
// means that the lines were given back.
func (l *Lease) wait(until, now int64) bool {
	var timeout <-chan time.Time
	if until != math.MaxInt64 {
		timer := time.NewTimer(time.Duration(until + settle - now))
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-l.arrive:
	case <-timeout:
	case <-l.quit:
		return false
	}
	return true
}

// Close gives the lines back, set as they are in service.
func (l *Lease) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return gpio.ErrClosed
	}
	l.closed = true
	close(l.quit)
	err := l.SetBothEdges(false)
	l.d.mu.Lock()
	l.d.holder.Store(nil)
	l.d.mu.Unlock()
	l.over()
	return err
}
