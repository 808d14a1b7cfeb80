package gpio

import (
	"errors"
	"fmt"
	"io"
	"math"
	"sync"

	"stump/wiegand"
)

// Replay is a Source that plays recorded edges. Its first edge comes when it is
// started, and the others keep their distances: times of edges, and the time that
// Read reports, count from the clock's time at the start and run speed times
// as fast as the clock. At speed 0 nothing is waited for while edges remain.
// After the last edge the lines stay silent and time runs on with the clock, so
// that a station keeps running.
type Replay struct {
	next  func() (wiegand.Edge, error)
	speed float64
	clock func() int64
	quit  chan struct{} // closed by Close
	over  chan struct{} // closed when everything was played

	mu      sync.Mutex
	both    bool
	closed  bool
	levels  [2]bool
	started bool
	ended   error         // io.EOF, or why there are no more edges
	silent  bool          // Read has reported silence after the end
	head    *wiegand.Edge // the edge to come, in this Replay's time
	offset  int64         // from the recording's time to this Replay's
	real    int64         // the clock at …
	virtual int64         // … this time of the Replay
	seq     uint32
}

// NewReplay plays the edges that next returns until it returns io.EOF. Speed is
// 0 or more.
func NewReplay(next func() (wiegand.Edge, error), speed float64, clock func() int64) *Replay {
	return &Replay{
		next: next, speed: speed, clock: clock, levels: [2]bool{true, true},
		quit: make(chan struct{}), over: make(chan struct{}),
	}
}

// Done is closed when the last edge was played and Read has reported the silence
// after it: the last frame is closed.
func (r *Replay) Done() <-chan struct{} { return r.over }

// SetBothEdges says whether rising edges are played as well.
func (r *Replay) SetBothEdges(on bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.both = on
	return nil
}

// Read is Source's.
func (r *Replay) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	for {
		n, now, wait, err := r.step(buf, until)
		if err != nil || n > 0 || now >= until {
			return n, now, err
		}
		if !sleep(wait, nil, r.quit) {
			return 0, 0, ErrClosed
		}
	}
}

// step returns what is due, and otherwise how long the clock has to run until
// something is.
func (r *Replay) step(buf []wiegand.Edge, until int64) (n int, now, wait int64, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return 0, 0, 0, ErrClosed
	}
	if !r.started {
		r.start()
	}
	n = r.play(buf, until)
	switch {
	case r.head == nil:
		return r.end(n, until)
	case n > 0: // More may be due: the silence that is a fact ends before it.
		return n, min(r.now(), r.head.Time-1), 0, nil
	case r.speed == 0:
		return 0, min(until, r.head.Time-1), 0, nil
	}
	now = min(r.now(), r.head.Time-1) // the clock went on since it was asked what is due
	return 0, now, r.wait(min(until, r.head.Time), now), nil
}

// play fills buf with the edges that are due.
func (r *Replay) play(buf []wiegand.Edge, until int64) (n int) {
	for n < len(buf) && r.head != nil && r.due(r.head.Time, until) {
		e := *r.head
		r.levels[e.Line] = e.Rising
		r.virtual, r.real = max(r.virtual, e.Time), max(r.real, r.realAt(e.Time))
		if !e.Rising || r.both {
			r.seq++
			e.Seq = r.seq
			buf[n] = e
			n++
		}
		r.load()
	}
	return n
}

// end is step's answer when no edge is left, with n just played.
func (r *Replay) end(n int, until int64) (int, int64, int64, error) {
	broken := !errors.Is(r.ended, io.EOF)
	if broken || n == 0 && (r.silent || until == never) {
		select {
		case <-r.over:
		default:
			close(r.over)
		}
	}
	if broken && n == 0 {
		return 0, 0, 0, fmt.Errorf("replay: %w", r.ended)
	}
	now := r.now()
	if n == 0 && now >= until {
		r.silent = true
	}
	return n, now, r.wait(until, now), nil
}

// start makes the first edge due now.
func (r *Replay) start() {
	r.started = true
	r.real = r.clock()
	r.virtual = r.real
	if r.load(); r.head != nil {
		r.offset = r.virtual - r.head.Time
		r.head.Time = r.virtual
	}
}

// load fetches the next edge and moves it into this Replay's time.
func (r *Replay) load() {
	e, err := r.next()
	if err != nil {
		r.head, r.ended = nil, err
		return
	}
	e.Time += r.offset
	r.head = &e
}

// due reports whether the edge at t can be returned now.
func (r *Replay) due(t, until int64) bool {
	if r.speed == 0 {
		return t <= until
	}
	return t <= r.now()
}

// rate is how fast this Replay's time runs against the clock.
func (r *Replay) rate() float64 {
	if r.speed == 0 || r.head == nil {
		return 1
	}
	return r.speed
}

func (r *Replay) now() int64 {
	return r.virtual + int64(float64(r.clock()-r.real)*r.rate())
}

// realAt is what the clock shows at this Replay's time t, at the latest now.
func (r *Replay) realAt(t int64) int64 {
	if r.speed == 0 {
		return r.clock()
	}
	return min(r.clock(), r.real+int64(float64(t-r.virtual)/r.speed))
}

// wait is how long the clock has to run until t.
func (r *Replay) wait(t, now int64) int64 {
	if t == never {
		return t
	}
	return int64(math.Ceil(float64(t-now) / r.rate()))
}

// Levels returns the levels after the last edge that was played.
func (r *Replay) Levels() ([2]bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return [2]bool{}, ErrClosed
	}
	return r.levels, nil
}

// Close ends the replay. A blocked Read returns ErrClosed.
func (r *Replay) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.closed = true
	close(r.quit)
	return nil
}

// String says what is played.
func (r *Replay) String() string { return "DATA0 and DATA1 = recorded edges" }
