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
// A number that is missing is lost, and never waited for, as soon as every
// line has queued a later one: a line's thread keeps its line's order. Until
// then it may only be late, and what follows is held back, for a limited time.

// holdBack is how long an edge may stay in its thread, in nanoseconds, before
// it counts as lost. Those threads run at real-time priority, so that this is
// long; it delays nobody, since a frame is closed only 20 ms after its last edge.
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
	heard  [2]bool   // by line, whether there is one
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
	if !s.heard[e.line] || before(s.newest[e.line], e.seq) {
		s.newest[e.line], s.heard[e.line] = e.seq, true
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

// passed reports whether every line has queued something after the number that
// is due, which is missing: then it will not come.
func (s *sequencer) passed() bool {
	if s.lines == 1 {
		return true
	}
	for line := range s.lines {
		if !s.heard[line] || before(s.newest[line], s.next) {
			return false
		}
	}
	return true
}

// deadline is when what is held will be let go at the latest.
func (s *sequencer) deadline() (int64, bool) {
	if len(s.held) == 0 {
		return 0, false
	}
	return s.held[0].arrived + holdBack, true
}

// before compares numbers that wrap around.
func before(a, b uint32) bool { return int32(a-b) < 0 }
