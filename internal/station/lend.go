package station

import (
	"context"
	"errors"
	"fmt"
	"math"
	"sync"
	"time"

	"stump/gpio"
	"stump/internal/hint"
	"stump/internal/panel"
	"stump/wiegand"
)

// Lent is a reader's lines in the hands of a self-test or a scope. The reader
// goes on reading them, and hands what it reads to the borrower instead of its
// decoder: no tap of that time becomes a loan. Closing gives them back.
type Lent struct {
	r      *Reader
	quit   chan struct{}
	arrive chan struct{} // holds one token when edges have come

	mu     sync.Mutex
	edges  []wiegand.Edge
	closed bool
}

// ErrLent is returned while somebody else has borrowed the lines.
var ErrLent = hint.Errorf("end that one first, with Ctrl-C where it runs", "a self-test or a scope is already at the lines of this reader")

// Lend hands the lines out until the borrower closes them. Only one can have
// them.
func (r *Reader) Lend() (*Lent, error) {
	l := &Lent{r: r, quit: make(chan struct{}), arrive: make(chan struct{}, 1)}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.Lent() {
		return nil, ErrLent
	}
	if _, err := r.Source.Levels(); err != nil {
		return nil, fmt.Errorf("reader %q: %w", r.Name, err)
	}
	r.lent.Store(l)
	r.o.Panel.Show(panel.Message{Key: "testing"})
	return l, nil
}

// Lent reports whether a self-test or a scope has the lines: nobody can borrow
// a device meanwhile. It never waits: the desk asks, for whom the lines wait.
func (r *Reader) Lent() bool { return r.lent.Load() != nil }

// Resume takes what a self-test or a scope has put on the display off it, for
// what the station waits for or the idle screen.
func (r *Reader) Resume() {
	ctx, cancel := context.WithTimeout(context.Background(), askTime)
	defer cancel()
	_ = r.call(ctx, func() { r.o.Panel.Over((*attendTask)(r).prompt(), "testing", "display-code") })
}

// maxLent bounds what a borrower may leave unread: minutes of a storm.
const maxLent = 1 << 20

// take is what the reader has read. It never blocks.
func (l *Lent) take(edges []wiegand.Edge) {
	l.mu.Lock()
	if len(l.edges)+len(edges) <= maxLent {
		l.edges = append(l.edges, edges...)
	}
	l.mu.Unlock()
	select {
	case l.arrive <- struct{}{}:
	default:
	}
}

// settle is how long after its stamp an edge has certainly been handed over:
// the kernel stamps in the interrupt, a thread queues, and on a busy machine
// the reader's goroutine waits for its turn. Taking silence for a fact too
// early would cut a frame in two.
const settle = int64(50 * time.Millisecond)

// Read is gpio.Source's.
func (l *Lent) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	for {
		now := l.r.o.Now()
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
func (l *Lent) wait(until, now int64) bool {
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

// Levels is gpio.Source's.
func (l *Lent) Levels() ([2]bool, error) { return l.r.Source.Levels() }

// String is gpio.Source's.
func (l *Lent) String() string { return l.r.Source.String() }

// Close gives the lines back, as they are in service.
func (l *Lent) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return gpio.ErrClosed
	}
	l.closed = true
	close(l.quit)
	err := l.SetBothEdges(false)
	if errors.Is(err, errors.ErrUnsupported) {
		err = nil
	}
	l.r.mu.Lock()
	l.r.lent.Store(nil)
	l.r.mu.Unlock()
	l.r.Resume()
	return err
}

// SetBias is that of the lines, where they have it.
func (l *Lent) SetBias(b gpio.Bias) error {
	if s, ok := l.r.Source.(interface{ SetBias(gpio.Bias) error }); ok {
		return s.SetBias(b)
	}
	return errors.ErrUnsupported
}

// SetBothEdges is that of the lines, where they have it.
func (l *Lent) SetBothEdges(on bool) error {
	if s, ok := l.r.Source.(interface{ SetBothEdges(bool) error }); ok {
		return s.SetBothEdges(on)
	}
	return errors.ErrUnsupported
}

// ListenFree watches pins that nothing is connected to, where the lines can.
func (l *Lent) ListenFree() (stop func() ([]gpio.Activity, error), err error) {
	if s, ok := l.r.Source.(interface {
		ListenFree() (func() ([]gpio.Activity, error), error)
	}); ok {
		return s.ListenFree()
	}
	return nil, errors.ErrUnsupported
}

// hand gives edges to whoever has them now: the decoder, or a borrower. What
// borrowers had is no gap to the decoder.
func (d *decodeTask) hand(ctx context.Context, edges []wiegand.Edge) {
	if lent := d.lent.Load(); lent != nil {
		lent.take(edges)
		d.resume = true
		return
	}
	for _, e := range edges {
		if d.resume {
			d.resume, d.skipped = false, e.Seq-(d.lastSeq+1)
		}
		if e.Seq != 0 {
			e.Seq -= d.skipped
			d.lastSeq = e.Seq
		}
		d.deliver(ctx, d.dec.Push(e))
	}
}
