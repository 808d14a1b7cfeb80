package gpio

import (
	"errors"
	"math"
	"sync"
	"time"

	"stump/wiegand"
)

// Dialer says how to get at a reader's lines when they may not be there: the
// chip comes late at boot, udev has not set the group yet, another program has
// the lines, a USB adapter was unplugged.
type Dialer struct {
	// Open takes the lines. It is called again after every failure, and should
	// look up the lines anew.
	Open func() (Source, error)
	// Notify is told when the lines are had, when they are lost or can't be
	// had, and when the reason changes; not at every try. It is called from
	// Read and must not call the source. May be nil.
	Notify func(Status)
	// Min and Max bound the pause between two tries, which doubles from one to
	// the other. 0 is 250 ms and 15 s.
	Min, Max time.Duration
	// Clock is that of Read's until; nil is Monotonic.
	Clock func() int64
}

// Status is whether a reader's lines are had.
type Status struct {
	Err   error         // why not; nil: they are. Hint says what to do about it.
	Lines string        // what they are, when they are had
	Retry time.Duration // the pause until the next try, when they are not
}

// Redial is a Source over lines that come and go. While there are none, Read
// waits as if nobody showed a card, and tries again.
type Redial struct {
	d    Dialer
	quit chan struct{} // closed by Close

	mu     sync.Mutex // guards what follows
	src    Source     // nil while there is none
	closed bool
	err    error // why there is none
	bias   *Bias // what was asked for, for the next source
	both   *bool

	// For Read alone.
	pause  time.Duration // before the next try
	due    int64         // when it is
	opened int64         // when src was had
	said   string        // the last error that Notify was told
	seq    uint32        // of the last edge returned
	base   uint32        // what to add to the source's numbers
	last   int64         // time of the last edge returned
}

// Dial returns a source that gets its lines at the first Read.
func Dial(d Dialer) *Redial {
	if d.Notify == nil {
		d.Notify = func(Status) {}
	}
	if d.Clock == nil {
		d.Clock = Monotonic
	}
	if d.Min <= 0 {
		d.Min = 250 * time.Millisecond
	}
	if d.Max <= 0 {
		d.Max = 15 * time.Second
	}
	return &Redial{
		d: d, quit: make(chan struct{}), pause: d.Min, due: math.MinInt64,
		err: errors.New("gpio: the lines were not opened yet"),
	}
}

// Read is Source's; its only error is ErrClosed. When lines vanish in the
// middle of a frame it returns one rising edge after a jump of Seq: it adds no
// bit, and says that the frame has lost some.
func (r *Redial) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	for {
		src, err := r.source()
		if err != nil {
			return 0, 0, err
		}
		if src == nil {
			if !r.sleep(min(until, r.due)) {
				return 0, 0, ErrClosed
			}
			if r.d.Clock() >= until {
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
func (r *Redial) source() (Source, error) {
	r.mu.Lock()
	src, closed := r.src, r.closed
	r.mu.Unlock()
	switch {
	case closed:
		return nil, ErrClosed
	case src != nil || r.d.Clock() < r.due:
		return src, nil
	}
	src, err := r.d.Open()
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
	r.adjust()
	r.mu.Unlock()
	r.base, r.opened = r.seq, r.d.Clock()
	r.said = ""
	r.d.Notify(Status{Lines: src.String()})
	return src, nil
}

// drop lets go of a source whose Read failed; false means that Close did it.
func (r *Redial) drop(err error) bool {
	r.mu.Lock()
	src, closed := r.src, r.closed
	r.src = nil
	r.mu.Unlock()
	if closed {
		return false
	}
	_ = src.Close()
	if r.d.Clock()-r.opened >= 4*int64(r.d.Min) {
		r.pause = r.d.Min // it had been well
	}
	r.failed(err)
	return true
}

// failed sets the time of the next try and tells what is new.
func (r *Redial) failed(err error) {
	r.mu.Lock()
	r.err = err
	r.mu.Unlock()
	pause := r.pause
	r.due = r.d.Clock() + int64(pause)
	r.pause = min(2*pause, r.d.Max)
	if err.Error() != r.said {
		r.said = err.Error()
		r.d.Notify(Status{Err: err, Retry: pause})
	}
}

// sleep waits until the clock reaches t; false means that Close was called.
func (r *Redial) sleep(t int64) bool {
	timer := time.NewTimer(time.Duration(t - r.d.Clock()))
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.quit:
		return false
	}
}

// adjust gives a source what was asked of the one before.
func (r *Redial) adjust() {
	if s, ok := r.src.(interface{ SetBias(Bias) error }); ok && r.bias != nil {
		_ = s.SetBias(*r.bias)
	}
	if s, ok := r.src.(interface{ SetBothEdges(bool) error }); ok && r.both != nil {
		_ = s.SetBothEdges(*r.both)
	}
}

// Levels is Source's; while there are no lines its error says why.
func (r *Redial) Levels() ([2]bool, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.down(); err != nil {
		return [2]bool{}, err
	}
	return r.src.Levels()
}

// SetBias is that of the lines, now and when they come back.
func (r *Redial) SetBias(b Bias) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.down(); err != nil {
		return err
	}
	s, ok := r.src.(interface{ SetBias(Bias) error })
	if !ok {
		return errors.ErrUnsupported
	}
	r.bias = &b
	return s.SetBias(b)
}

// SetBothEdges is that of the lines, now and when they come back.
func (r *Redial) SetBothEdges(on bool) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if err := r.down(); err != nil {
		return err
	}
	s, ok := r.src.(interface{ SetBothEdges(bool) error })
	if !ok {
		return errors.ErrUnsupported
	}
	r.both = &on
	return s.SetBothEdges(on)
}

// down is why there are no lines.
func (r *Redial) down() error {
	if r.closed {
		return ErrClosed
	}
	return r.err
}

// Close is Source's.
func (r *Redial) Close() error {
	r.mu.Lock()
	src, closed := r.src, r.closed
	if !closed {
		r.closed = true
		close(r.quit)
	}
	r.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if src == nil {
		return nil
	}
	return src.Close()
}

// String is Source's.
func (r *Redial) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.src == nil {
		return "no lines: " + r.down().Error()
	}
	return r.src.String()
}
