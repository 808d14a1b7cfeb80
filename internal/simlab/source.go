package simlab

import (
	"fmt"
	"math"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"stump/gpio"
	"stump/wiegand"
)

// Lines are a reader of the lab: a recording, if there is one, and after it the
// simulated reader.
type Lines struct {
	*gpio.Sim
	names  [2]string // of the two lines in the configuration
	replay *gpio.Replay
	clock  func() int64
	// ahead is by how much the recording's time has outrun the clock; the
	// station's time never goes back.
	ahead atomic.Int64
	last  int64
	seq   uint32
	over  chan struct{} // closed when the recording is over

	mu     sync.Mutex
	recent []wiegand.Edge // the newest that the station has read
}

// recentEdges is how many edges are kept: nine cards of 26 bits, or the newest
// of a noise.
const recentEdges = 256

// NewLines returns lines with these names by the given clock. replay may be nil.
func NewLines(names [2]string, clock func() int64, replay *gpio.Replay) *Lines {
	l := &Lines{Sim: gpio.NewSim(clock), names: names, replay: replay, clock: clock, over: make(chan struct{})}
	if replay == nil {
		close(l.over)
	}
	return l
}

// String names the lines, each reader's its own.
func (l *Lines) String() string {
	return fmt.Sprintf("DATA0 = %s, DATA1 = %s (simulated)", l.names[0], l.names[1])
}

// Now is the time in which the edges are stamped.
func (l *Lines) Now() int64 { return l.clock() + l.ahead.Load() }

// Replaying is closed when the recording is over.
func (l *Lines) Replaying() <-chan struct{} { return l.over }

// Read is gpio.Source's.
func (l *Lines) Read(buf []wiegand.Edge, until int64) (n int, now int64, err error) {
	select {
	case <-l.over:
		ahead := l.ahead.Load()
		if until != math.MaxInt64 {
			until -= ahead
		}
		n, now, err = l.Sim.Read(buf, until)
		now += ahead
		for i := range buf[:n] {
			buf[i].Time += ahead
		}
	default:
		n, now, err = l.readReplay(buf, until)
	}
	// The edges of both sources are numbered together, so that passing from one to
	// the other is not a gap.
	for i := range buf[:n] {
		l.seq++
		buf[i].Seq = l.seq
	}
	l.note(buf[:n])
	return n, now, err
}

func (l *Lines) note(edges []wiegand.Edge) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recent = append(l.recent, edges...)
	l.recent = slices.Delete(l.recent, 0, max(0, len(l.recent)-recentEdges))
}

// Since returns the edges that the station has read from a time of Now on, at
// most the newest 256. In service they are the falling ones: the bits.
func (l *Lines) Since(t int64) []wiegand.Edge {
	l.mu.Lock()
	defer l.mu.Unlock()
	i := slices.IndexFunc(l.recent, func(e wiegand.Edge) bool { return e.Time >= t })
	if i < 0 {
		return nil
	}
	return slices.Clone(l.recent[i:])
}

// look is how often the end of the recording is looked for while no frame is
// open, in nanoseconds.
const look = int64(20 * time.Millisecond)

func (l *Lines) readReplay(buf []wiegand.Edge, until int64) (int, int64, error) {
	if until == math.MaxInt64 {
		until = max(l.last, l.clock()) + look
	}
	n, now, err := l.replay.Read(buf, until)
	l.last = max(l.last, now)
	if n > 0 || err != nil {
		return n, now, err // also when the next line can't be read
	}
	select {
	case <-l.replay.Done():
		l.ahead.Store(max(0, l.last-l.clock()))
		close(l.over)
	default:
	}
	return n, now, err
}

// Close ends both.
func (l *Lines) Close() error {
	if l.replay != nil {
		l.replay.Close()
	}
	return l.Sim.Close()
}
