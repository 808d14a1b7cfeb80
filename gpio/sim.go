package gpio

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"stump/wiegand"
)

// Timing is how a reader shapes the pulses of a frame. The limits of SIA
// AC-01-1996.10, as vendors quote them, are a width of 20 to 100 µs and an
// interval of 200 µs to 20 ms; readers outside of both are sold.
type Timing struct {
	Width    time.Duration // how long a line stays low for one bit
	Interval time.Duration // from the start of a bit to the start of the next
	Jitter   float64       // both vary at random by up to this share, 0 to 0.5
}

// defaultTiming is what most proximity readers send: HID's installation manual
// 5375-900 gives 30 to 50 µs and 1.8 to 2.2 ms.
var defaultTiming = Timing{Width: 50 * time.Microsecond, Interval: 2 * time.Millisecond}

const (
	// lead is how soon after Present the first bit starts.
	lead = time.Millisecond
	// cardGap is the silence between two cards that were shown together.
	cardGap = 150 * time.Millisecond
)

// Sim is a simulated reader on two lines, an Adjustable source where there is no
// hardware. It does not make edges: it makes pulses that drive lines, lines
// have levels under a pull, and edges are what happens when a level changes.
// A fault (SetFault) changes what drives the lines, so that it shows in
// levels, pulls and edges together as it does on a bench.
//
// Its time is that of the clock it was given. No goroutine runs in between: each
// method first brings the lines up to date.
type Sim struct {
	clock func() int64
	wake  chan struct{} // there may be something earlier than Read waits for
	quit  chan struct{} // closed by Close

	mu     sync.Mutex
	timing Timing
	both   bool
	bias   Bias
	closed bool
	rng    *rand.Rand // of the pulses' jitter
	fault  *simFault

	lines  [simLines]simLine
	agenda []change // what will drive the lines
	noises []*noise // what adds to it for as long as a fault lasts
	busy   int64    // when the last card that was shown ends
	seq    uint32   // of the newest edge
	queue  []wiegand.Edge
	free   []Activity // of the free pins, while they are listened to
}

// NewSim returns a healthy reader that shows no card. Read's until is a time of
// clock, in nanoseconds.
func NewSim(clock func() int64) *Sim {
	s := &Sim{
		clock:  clock,
		wake:   make(chan struct{}, 1),
		quit:   make(chan struct{}),
		timing: defaultTiming,
		bias:   BiasPullUp,
		rng:    rand.New(rand.NewPCG(1, 1)),
	}
	s.lines[0].high, s.lines[1].high = true, true
	s.setFault(&simFault{})
	return s
}

// Present shows a card: its bits come as pulses from a millisecond on, after
// the cards that were shown before.
func (s *Sim) Present(bits wiegand.Bits) {
	s.mu.Lock()
	defer s.mu.Unlock()
	at := s.update() + int64(lead)
	if s.busy > 0 {
		at = max(at, s.busy+int64(cardGap))
	}
	if s.fault.show != nil {
		s.busy = s.fault.show(s, at, bits)
	} else {
		s.busy = s.send(at, bits)
	}
	s.nudge()
}

// send sends one frame through the wires from at on, and returns when its last
// pulse ends.
func (s *Sim) send(at int64, bits wiegand.Bits) (end int64) {
	end = at
	for i := range bits.Len() {
		p := pulse{line: bits.Bit(i), from: at, to: at + s.jitter(s.timing.Width)}
		end = p.to
		at += max(s.jitter(s.timing.Interval), p.to-p.from+1)
		if s.fault.wire == nil {
			s.add(p)
			continue
		}
		for _, q := range s.fault.wire(p) {
			s.add(q)
		}
	}
	return end
}

func (s *Sim) jitter(d time.Duration) int64 {
	return int64(float64(d) * (1 + s.timing.Jitter*(2*s.rng.Float64()-1)))
}

// Until returns the time at which the last card that was shown ends.
func (s *Sim) Until() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.busy
}

// SetTiming changes the shape of the frames of cards that are shown from now on.
func (s *Sim) SetTiming(t Timing) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.timing = t
}

// SetBothEdges is Adjustable's.
func (s *Sim) SetBothEdges(on bool) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.update()
	s.both = on
	s.nudge()
	return nil
}

// SetBias is Adjustable's.
func (s *Sim) SetBias(b Bias) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.update()
	s.bias = b
	s.swing(now)
	s.nudge()
	return nil
}

// ListenFree watches the free pins of the header until stop is called, which
// returns what every one of them did. Only one may listen at a time.
func (s *Sim) ListenFree() (stop func() ([]Activity, error), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.closed:
		return nil, ErrClosed
	case s.free != nil:
		return nil, errors.New("the free pins are listened to already")
	}
	s.update()
	s.free = []Activity{{Line: simNames[2]}, {Line: simNames[3]}}
	return func() ([]Activity, error) {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.update()
		free := slices.Clone(s.free)
		s.free = nil
		return free, nil
	}, nil
}

// Levels is Source's.
func (s *Sim) Levels() ([2]bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return [2]bool{}, ErrClosed
	}
	s.update()
	return [2]bool{s.lines[0].high, s.lines[1].high}, nil
}

// Read is Source's.
func (s *Sim) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	for {
		s.mu.Lock()
		if s.closed {
			s.mu.Unlock()
			return 0, 0, ErrClosed
		}
		now := s.update()
		n := copy(buf, s.queue)
		s.queue = s.queue[:copy(s.queue, s.queue[n:])]
		if len(s.queue) > 0 {
			now = s.queue[0].Time - 1
		}
		next := s.nextEdge()
		s.mu.Unlock()
		switch {
		case n > 0:
			return n, now, nil
		case now >= until:
			return 0, until, nil // as real lines: what was asked, not the time of day
		}
		d := min(until, next)
		if d != never {
			d -= now
		}
		if !sleep(d, s.wake, s.quit) {
			return 0, 0, ErrClosed
		}
	}
}

// nudge makes a waiting Read look again.
func (s *Sim) nudge() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Close ends the simulation. A blocked Read returns ErrClosed.
func (s *Sim) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return ErrClosed
	}
	s.closed = true
	close(s.quit)
	return nil
}

// String names the two lines as real ones are named.
func (s *Sim) String() string {
	return fmt.Sprintf("DATA0 = %s, DATA1 = %s", simNames[0], simNames[1])
}
