package gpio

import "slices"

// Edges in the kernel's order.
//
// The interrupt stamps an edge and numbers it over all lines of its request;
// then the line's own thread queues it. So the numbers (seqno) tell the order
// and the queue does not: with two lines the thread of one may come late.
//
//	interrupt   D0 #1      D1 #2      D0 #3
//	queue           D1 #2      D0 #1      D0 #3     → sorted: 1 2 3
//	queue           D1 #2      D1 #3                → 1 late, or lost?
//
// A number that is missing is lost as soon as every line has queued a later
// one, because a line's thread keeps its line's order. Until then it may only be
// late, and what follows is held back, for a limited time.

// holdBack is how long an edge may stay in its thread, in nanoseconds, before
// it counts as lost. Those threads run at real-time priority, so this is long;
// it delays nobody, since a frame is closed only 20 ms after its last edge.
const holdBack = 5e6

// event is one edge as the kernel queued it.
type event struct {
	time   int64  // of the interrupt
	seq    uint32 // over the lines of the request
	line   uint8  // 0 or 1
	rising bool   // as the thread found the line, perhaps after a short pulse

	arrived int64  // when it was read
	lost    uint32 // how many were lost just before it, or 1 for "some, perhaps"
}

// sequencer puts the events of one request in order and finds what is lost.
type sequencer struct {
	lines  int       // how many lines the request has
	next   uint32    // the number that is due
	held   []event   // sorted by seq; the first is not due yet
	newest [2]uint32 // by line, the highest number read
}

// newSequencer expects the number next.
func newSequencer(lines int, next uint32) sequencer {
	return sequencer{lines: lines, next: next, newest: [2]uint32{next - 1, next - 1}}
}

// push takes an event as it was read. One that was counted as lost is dropped:
// it cannot be put back in its place.
func (s *sequencer) push(e event) {
	if before(e.seq, s.next) {
		return
	}
	i := len(s.held)
	for i > 0 && before(e.seq, s.held[i-1].seq) {
		i--
	}
	s.held = slices.Insert(s.held, i, e)
	if before(s.newest[e.line], e.seq) {
		s.newest[e.line] = e.seq
	}
}

// pop returns the next event, if it is certain by now which one that is.
func (s *sequencer) pop(now int64) (event, bool) {
	if len(s.held) == 0 {
		return event{}, false
	}
	e := s.held[0]
	e.lost = e.seq - s.next
	if e.lost > 0 && !s.passed() && now < e.arrived+holdBack {
		return event{}, false
	}
	s.held = slices.Delete(s.held, 0, 1)
	s.next = e.seq + 1
	return e, true
}

// passed reports whether the number that is due will not come, because every
// line has queued a later one.
func (s *sequencer) passed() bool {
	return s.lines == 1 || !before(s.newest[0], s.next) && !before(s.newest[1], s.next)
}

// deadline is when what is held will be handed on at the latest.
func (s *sequencer) deadline() (int64, bool) {
	if len(s.held) == 0 {
		return 0, false
	}
	return s.held[0].arrived + holdBack, true
}

// before compares numbers that wrap around.
func before(a, b uint32) bool { return int32(a-b) < 0 }

// merger puts the edges of two requests, one line each, in one order: that of
// their time stamps. It is for boards whose two data lines are on different
// chips, such as two banks of a BeagleBone; the kernel numbers each alone.
//
// An edge waits until the other line has a later one, or until holdBack after
// its stamp, when an earlier one would have come. One that comes later still
// cannot be put in its place, and is marked as a loss.
type merger struct {
	queue [2][]event // by line, in order
	last  int64      // time of the newest edge handed on
}

func (m *merger) push(e event) { m.queue[e.line] = append(m.queue[e.line], e) }

// pop returns the next event, if it is certain by now which one that is.
func (m *merger) pop(now int64) (event, bool) {
	line, ok := m.first()
	if !ok {
		return event{}, false
	}
	e, other := m.queue[line][0], m.queue[1-line]
	if len(other) == 0 && now < e.time+holdBack {
		return event{}, false
	}
	m.queue[line] = slices.Delete(m.queue[line], 0, 1)
	// What the other line lost lies between its last edge and its next: this
	// edge lies in between too, so its frame may be the damaged one.
	if len(other) > 0 && other[0].lost > 0 || e.time < m.last {
		e.lost = max(e.lost, 1)
	}
	m.last = max(m.last, e.time)
	return e, true
}

// first is the line whose edge is the earliest.
func (m *merger) first() (line int, ok bool) {
	switch d0, d1 := m.queue[0], m.queue[1]; {
	case len(d0) == 0 && len(d1) == 0:
		return 0, false
	case len(d0) == 0 || len(d1) > 0 && d1[0].time < d0[0].time:
		return 1, true
	}
	return 0, true
}

// deadline is when what is held will be handed on at the latest.
func (m *merger) deadline() (int64, bool) {
	line, ok := m.first()
	if !ok {
		return 0, false
	}
	return m.queue[line][0].time + holdBack, true
}
