package station

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"time"

	"stump/gpio"
	"stump/internal/panel"
	"stump/wiegand"
)

// Use is what a reader is taken for. It is the key of what the display says.
type Use string

// The uses.
const (
	ForTest  Use = "testing"
	ForScope Use = "watching"
)

// String is the use as a person says it.
func (u Use) String() string { return map[Use]string{ForTest: "self-test", ForScope: "scope"}[u] }

// Holder is who takes a reader from the desk, and what for.
type Holder struct {
	Name string
	For  Use
}

// message is what the display says while they have it.
func (h Holder) message() panel.Message {
	return panel.Message{Key: string(h.For), Person: h.Name}
}

// LeasedError is returned while somebody else has a reader.
type LeasedError struct{ Holder }

func (e *LeasedError) Error() string {
	return fmt.Sprintf("%s has the lines of this reader for a %v", e.Name, e.For)
}

// Hint is what to do about it.
func (e *LeasedError) Hint() string {
	return "wait until it ends, or end it: with Ctrl-C where it runs, or as an admin"
}

// Lease is a reader's lines in the hands of a self-test or a scope. The decoder
// task goes on reading them and hands the edges to the lease's holder: cards
// shown meanwhile become no loans. Close gives the lines back.
type Lease struct {
	gpio.Adjustable // the reader's source

	d      *decoder
	holder Holder
	now    func() int64
	over   func()        // called when the lines were given back
	quit   chan struct{} // closed by Close
	arrive chan struct{} // holds one token when edges have come

	mu     sync.Mutex
	edges  []wiegand.Edge
	closed bool
}

// lease hands the lines out, to one holder at a time. over is called when they
// are given back.
func (d *decoder) lease(h Holder, now func() int64, over func()) (*Lease, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if other, leased := d.held(); leased {
		return nil, &LeasedError{other}
	}
	if _, err := d.source.Levels(); err != nil {
		return nil, fmt.Errorf("reader %q: %w", d.name, err)
	}
	l := &Lease{Adjustable: d.source, d: d, holder: h, now: now, over: over, quit: make(chan struct{}), arrive: make(chan struct{}, 1)}
	d.holder.Store(l)
	return l, nil
}

// held never waits: the attendant asks, and the decoder may be waiting for it.
func (d *decoder) held() (Holder, bool) {
	l := d.holder.Load()
	if l == nil {
		return Holder{}, false
	}
	return l.holder, true
}

// maxUnread bounds what a holder may leave unread, while a person reads a question: the
// oldest is lost.
const maxUnread = 1 << 17

// take appends what the decoder task has read. It never blocks.
func (l *Lease) take(edges []wiegand.Edge) {
	l.mu.Lock()
	l.edges = append(l.edges, edges...)
	if over := len(l.edges) - maxUnread; over > 0 {
		l.edges = slices.Delete(l.edges, 0, over)
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
