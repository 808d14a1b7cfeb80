package simlab

import (
	"math"
	"sync/atomic"
	"time"

	"stump/gpio"
	"stump/wiegand"
)

// Lines are the lab's reader: a recording, if there is one, and after it the
// simulated reader, which people go on bumping.
type Lines struct {
	*gpio.Sim
	replay *gpio.Replay
	clock  func() int64
	// ahead is by how much the recording's time has outrun the clock; the
	// station's time never goes back.
	ahead  atomic.Int64
	last   int64
	seq    uint32
	played atomic.Bool
	over   chan struct{} // closed when the recording is over
	recent recent
}

// NewLines returns the lab's lines by the given clock. replay may be nil.
func NewLines(clock func() int64, replay *gpio.Replay) *Lines {
	l := &Lines{Sim: gpio.NewSim(clock), replay: replay, clock: clock, over: make(chan struct{})}
	if replay == nil {
		l.end()
	}
	return l
}

// Now is the time in which the edges are stamped.
func (l *Lines) Now() int64 { return l.clock() + l.ahead.Load() }

// Replaying is closed when the recording is over.
func (l *Lines) Replaying() <-chan struct{} { return l.over }

// end goes on to the simulated reader.
func (l *Lines) end() {
	l.played.Store(true)
	close(l.over)
}

// Read is gpio.Source's.
func (l *Lines) Read(buf []wiegand.Edge, until int64) (int, int64, error) {
	if !l.played.Load() {
		return l.readReplay(buf, until)
	}
	ahead := l.ahead.Load()
	if until != math.MaxInt64 {
		until -= ahead
	}
	n, now, err := l.Sim.Read(buf, until)
	for i := range buf[:n] {
		buf[i].Time += ahead
	}
	l.number(buf[:n])
	return n, now + ahead, err
}

// look is how often the end of the recording is looked for while no frame is
// open.
const look = int64(20 * time.Millisecond)

func (l *Lines) readReplay(buf []wiegand.Edge, until int64) (int, int64, error) {
	if until == math.MaxInt64 {
		until = max(l.last, l.clock()) + look
	}
	n, now, err := l.replay.Read(buf, until)
	l.last = max(l.last, now)
	l.number(buf[:n])
	if n > 0 || err != nil {
		return n, now, err // also when the next line can't be read
	}
	select {
	case <-l.replay.Done():
		l.ahead.Store(max(0, l.last-l.clock()))
		l.end()
	default:
	}
	return n, now, err
}

// number counts the edges of both sources through, so that passing from one to
// the other is not a gap, and keeps the newest.
func (l *Lines) number(edges []wiegand.Edge) {
	for i := range edges {
		l.seq++
		edges[i].Seq = l.seq
	}
	l.recent.note(edges)
}

// Close ends both.
func (l *Lines) Close() error {
	if l.replay != nil {
		l.replay.Close()
	}
	return l.Sim.Close()
}

// Clock is the time of the simulated reader, without a recording's lead.
func (l *Lines) Clock() int64 { return l.clock() }
