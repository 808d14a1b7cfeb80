package gpio

import (
	"errors"
	"math"
	"sync"
	"time"

	"stump/wiegand"
)

// The pause before a retry doubles from the first to the last.
const (
	firstRetry = 250 * time.Millisecond
	lastRetry  = 15 * time.Second
)

// Status is whether a reader's lines are acquired.
type Status struct {
	Err   error         // why they are not; nil: they are. Hint says what to do about it.
	Lines string        // their names, when they are
	Retry time.Duration // the pause until the next try, when they are not
}

// Dial returns a source over lines that come and go: the chip comes late at
// boot, udev has not set the group yet, another program holds the lines, a USB
// adapter was unplugged. While there are no lines, Read waits as if nobody
// showed a card, and tries again.
//
// open acquires the lines. It is called at the first Read and again after every
// failure, and should look up the lines anew. notify is called when the lines
// are acquired, when they are lost or can't be acquired, and when the reason
// changes, but not at every retry. It is called from Read and must not call the
// source.
//
// The only error of Read is ErrClosed. When lines vanish in the middle of a
// frame it returns one rising edge after a jump of Seq: that adds no bit, and
// says that the frame has lost some.
func Dial(open func() (Adjustable, error), notify func(Status)) Adjustable {
	return dial(open, notify, Monotonic)
}

// redial is what Dial returns.
type redial struct {
	open   func() (Adjustable, error)
	notify func(Status)
	clock  func() int64
	quit   chan struct{} // closed by Close

	mu     sync.Mutex // guards what follows
	src    Adjustable // nil while there is none
	closed bool
	err    error // why there is none
	bias   *Bias // what was asked for, for the next source
	both   *bool

	// For Read alone.
	pause  time.Duration // before the next try
	due    int64         // when it is
	opened int64         // when src was acquired
	said   string        // the last error that notify got
	seq    uint32        // of the last edge returned
	base   uint32        // what to add to the source's numbers
	last   int64         // time of the last edge returned
}

func dial(open func() (Adjustable, error), notify func(Status), clock func() int64) *redial {
	return &redial{
		open: open, notify: notify, clock: clock, quit: make(chan struct{}), pause: firstRetry, due: math.MinInt64,
		err: errors.New("gpio: the lines were not opened yet"),
	}
}

func (r *redial) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	for {
		src, err := r.source()
		if err != nil {
			return 0, 0, err
		}
		if src == nil {
			if !sleep(min(until, r.due)-r.clock(), nil, r.quit) {
				return 0, 0, ErrClosed
			}
			if r.clock() >= until {
				return 0, until, nil
			}
			continue
		}
		n, now, err := src.Read(buf, until)
		if err == nil {
			for i := range buf[:n] {
				buf[i].Seq += r.base
				r.seq, r.last = buf[i].Seq, buf[i].Time
			}
			return n, now, nil
		}
		if !r.drop(err) {
			return 0, 0, ErrClosed
		}
		if r.seq != 0 {
			r.seq += 2
			buf[0] = wiegand.Edge{Time: r.last, Seq: r.seq, Rising: true}
			return 1, r.last, nil
		}
	}
}

// source is the present source, or a new one if it is time to try; nil if not.
func (r *redial) source() (Adjustable, error) {
	r.mu.Lock()
	src, closed := r.src, r.closed
	r.mu.Unlock()
	switch {
	case closed:
		return nil, ErrClosed
	case src != nil || r.clock() < r.due:
		return src, nil
	}
	src, err := r.open()
	if err != nil {
		r.failed(err)
		return nil, nil
	}
	r.mu.Lock()
	if r.closed {
		r.mu.Unlock()
		_ = src.Close()
		return nil, ErrClosed
	}
	r.src, r.err = src, nil
	if r.bias != nil {
		_ = src.SetBias(*r.bias)
	}
	if r.both != nil {
		_ = src.SetBothEdges(*r.both)
	}
	r.mu.Unlock()
	r.base, r.opened, r.said = r.seq, r.clock(), ""
	r.notify(Status{Lines: src.String()})
	return src, nil
}

// drop closes a source whose Read failed; false means that Close was called.
func (r *redial) drop(err error) bool {
	r.mu.Lock()
	src, closed := r.src, r.closed
	r.src, r.err = nil, err
	r.mu.Unlock()
	if closed {
		return false
	}
	_ = src.Close()
	if r.clock()-r.opened >= 4*int64(firstRetry) {
		r.pause = firstRetry // it worked for a while
	}
	r.failed(err)
	return true
}

// failed sets the time of the next try and reports a new reason.
func (r *redial) failed(err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	pause := r.pause
	r.due = r.clock() + int64(pause)
	r.pause = min(2*pause, lastRetry)
	if err.Error() != r.said {
		r.said = err.Error()
		r.notify(Status{Err: err, Retry: pause})
	}
}

// Levels, while there are no lines, fails with the reason.
func (r *redial) Levels() ([2]bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.down(); err != nil {
		return [2]bool{}, err
	}
	return r.src.Levels()
}

// SetBias is for the present lines, and for those that come back.
func (r *redial) SetBias(b Bias) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.down(); err != nil {
		return err
	}
	r.bias = &b
	return r.src.SetBias(b)
}

// SetBothEdges is for the present lines, and for those that come back.
func (r *redial) SetBothEdges(on bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.down(); err != nil {
		return err
	}
	r.both = &on
	return r.src.SetBothEdges(on)
}

// down is why there are no lines.
func (r *redial) down() error {
	if r.closed {
		return ErrClosed
	}
	return r.err
}

func (r *redial) Close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return ErrClosed
	}
	r.closed = true
	close(r.quit)
	if r.src == nil {
		return nil
	}
	return r.src.Close()
}

func (r *redial) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.src == nil {
		return "no lines: " + r.down().Error()
	}
	return r.src.String()
}
