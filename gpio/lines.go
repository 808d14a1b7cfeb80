package gpio

import (
	"errors"
	"fmt"
	"math"
	"sync"

	"stump/wiegand"
)

// settle is how long after its stamp an edge is surely readable, in
// nanoseconds: the way from the interrupt through the line's thread into the
// queue takes tens of microseconds. Silence up to a time is a fact only that
// much later. An edge that takes longer is delivered as one after a loss.
const settle = 500e3

// A storm is more than one edge in calm nanoseconds, twice what any reader
// sends. Its edges are then left to gather in the kernel's buffer for a while:
// at 100 edges per millisecond it has room for five times that while.
const (
	calm   = 100e3
	gather = 2e6
)

// Lines are a reader's two data lines, on real hardware: an Adjustable source.
type Lines struct {
	name string

	mu      sync.Mutex
	left    sync.Cond // Read is no longer in wait
	waiting bool      // Read is in wait
	closed  bool
	dev     device
	orders  []sequencer // one a request
	merge   *merger     // with two requests
	both    bool
	bias    Bias
	dirs    [2]direction
	ready   []wiegand.Edge // in order, not yet fetched

	seq      uint32 // of the newest edge in ready
	last     int64  // its time
	promised int64  // the silence that Read has asserted
	filled   int64  // when events were last read
	storm    bool
	raw      []event
}

// device is what Lines needs of the kernel. device_linux.go has the real one.
type device interface {
	// wait sleeps until the clock passes until, wake is called, or, when
	// events is true, something is queued. It may return early.
	wait(until int64, events bool) error
	// wake ends a wait, or the next one.
	wake()
	// read fills buf with what request i has queued; 0 is nothing.
	read(i int, buf []event) (int, error)
	levels() ([2]bool, error)
	// configure changes the running requests.
	configure(both bool, bias Bias) error
	now() int64
	close() error
}

// newLines takes over dev, whose lines are in one request, or each in its own.
func newLines(dev device, requests int, name string, bias Bias) (*Lines, error) {
	l := &Lines{dev: dev, name: name, bias: bias, raw: make([]event, 64), promised: math.MinInt64}
	l.left.L = &l.mu
	for range requests {
		l.orders = append(l.orders, newSequencer(3-requests, 1))
	}
	if requests == 2 {
		l.merge = &merger{last: math.MinInt64}
	}
	return l, l.startDirections(false)
}

// startDirections begins to count edges from the lines' present levels.
func (l *Lines) startDirections(both bool) error {
	levels, err := l.dev.levels()
	if err != nil {
		return err
	}
	for i := range l.dirs {
		l.dirs[i].start(levels[i])
	}
	l.both = both
	return nil
}

// Read is Source's. An error other than ErrClosed is the kernel's, with its
// errno, and lasting: ENODEV says that the chip has vanished.
func (l *Lines) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	if len(buf) == 0 {
		return 0, 0, errors.New("gpio: no room for an edge")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		if l.closed {
			return 0, 0, ErrClosed
		}
		if n := copy(buf, l.ready); n > 0 {
			l.ready = l.ready[:copy(l.ready, l.ready[n:])]
			return n, buf[n-1].Time - 1, nil
		}
		now := l.dev.now()
		err := l.fill(now)
		if len(l.ready) > 0 {
			continue // an error comes again
		}
		if err != nil {
			return 0, 0, fmt.Errorf("gpio: read %s: %w", l.name, err)
		}
		wake, holds := l.deadline()
		if !holds {
			if until <= now-settle {
				l.promised = max(l.promised, until)
				return 0, until, nil
			}
			wake = math.MaxInt64
			if until < math.MaxInt64-settle {
				wake = until + settle
			}
		}
		if err := l.wait(now, wake); err != nil {
			return 0, 0, fmt.Errorf("gpio: wait for %s: %w", l.name, err)
		}
	}
}

// wait sleeps without the lock; in a storm it lets edges gather first.
func (l *Lines) wait(now, until int64) error {
	events := !l.storm
	if l.storm {
		until, l.storm = min(until, now+gather), false
	}
	l.waiting = true
	l.mu.Unlock()
	err := l.dev.wait(until, events)
	l.mu.Lock()
	l.waiting = false
	l.left.Broadcast()
	return err
}

// fill reads all that is queued and makes ready what is certain.
func (l *Lines) fill(now int64) error {
	total := 0
	var failed error
	for i := range l.orders {
		for total < 2*maxBuffer { // a storm must not hold the loop here
			n, err := l.dev.read(i, l.raw)
			for _, e := range l.raw[:n] {
				e.arrived = now
				l.orders[i].push(e)
			}
			total += n
			failed = errors.Join(failed, err)
			if n < len(l.raw) {
				break
			}
		}
	}
	if total > 0 {
		l.storm = int64(total)*calm > now-l.filled
		l.filled = now
	}
	l.sort(now)
	return failed
}

// sort moves events on, from the requests' orders to ready.
func (l *Lines) sort(now int64) {
	next := l.deliver
	if l.merge != nil {
		next = l.merge.push
	}
	for i := range l.orders {
		each(l.orders[i].pop, now, next)
	}
	if l.merge != nil {
		each(l.merge.pop, now, l.deliver)
	}
}

// each hands on all events that are certain by now.
func each(pop func(int64) (event, bool), now int64, to func(event)) {
	for e, ok := pop(now); ok; e, ok = pop(now) {
		to(e)
	}
}

// deliver makes an edge of an event: its direction, its number in the
// source's own sequence, where a jump is a loss, and a time that never goes
// backwards (two processors may stamp and number a few nanoseconds apart).
func (l *Lines) deliver(e event) {
	edge := wiegand.Edge{Time: max(e.time, l.last), Line: e.line}
	if e.time <= l.promised {
		e.lost = max(e.lost, 1) // it was called silence: too late to be true
	}
	if e.lost > 0 {
		// Either line may have lost an edge: neither count holds.
		l.dirs[0].broken, l.dirs[1].broken = true, true
	}
	if l.both {
		var doubt bool
		edge.Rising, doubt = l.dirs[e.line].next(e)
		if doubt {
			e.lost = max(e.lost, 1)
		}
	}
	l.seq += 1 + e.lost
	if l.seq == 0 {
		l.seq = 1 // 0 would say that edges have no numbers
	}
	edge.Seq, l.last = l.seq, edge.Time
	l.ready = append(l.ready, edge)
}

// deadline is when something that is held back will be handed on.
func (l *Lines) deadline() (int64, bool) {
	if l.merge != nil {
		return l.merge.deadline()
	}
	return l.orders[0].deadline()
}

// Levels is Source's. With an inverting stage (ActiveLow) high means idle too.
func (l *Lines) Levels() ([2]bool, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return [2]bool{}, ErrClosed
	}
	levels, err := l.dev.levels()
	if err != nil {
		return levels, fmt.Errorf("gpio: levels of %s: %w", l.name, err)
	}
	return levels, nil
}

// SetBias is Adjustable's.
func (l *Lines) SetBias(b Bias) error {
	return l.change(func() error {
		l.bias = b
		return l.dev.configure(l.both, b)
	})
}

// SetBothEdges is Adjustable's. What was queued before is delivered as it was.
func (l *Lines) SetBothEdges(on bool) error {
	return l.change(func() error {
		if on == l.both {
			return nil
		}
		if err := errors.Join(l.fill(l.dev.now()), l.dev.configure(on, l.bias)); err != nil {
			return err
		}
		return l.startDirections(on)
	})
}

func (l *Lines) change(f func() error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	if err := f(); err != nil {
		return fmt.Errorf("gpio: configure %s: %w", l.name, err)
	}
	return nil
}

// Close is Source's. A blocked Read has returned ErrClosed when it is done.
func (l *Lines) Close() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		return ErrClosed
	}
	l.closed = true
	l.dev.wake()
	for l.waiting {
		l.left.Wait()
	}
	return l.dev.close()
}

// String is Source's.
func (l *Lines) String() string { return l.name }
