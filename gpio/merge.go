package gpio

import "slices"

// merger puts the edges of two requests, one line each, in one order: that of
// their time stamps. It is for boards whose two data lines are on different
// chips, such as two banks of a BeagleBone; the kernel numbers each alone.
//
// An edge waits until the other line has a later one, or until holdBack after
// its stamp, when an earlier one would have come. One that comes later still
// cannot be put in its place, which is then said as a loss.
type merger struct {
	queue [2][]event // by line, in order
	last  int64      // time of the newest edge let go
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

// deadline is when what is held will be let go at the latest.
func (m *merger) deadline() (int64, bool) {
	line, ok := m.first()
	if !ok {
		return 0, false
	}
	return m.queue[line][0].time + holdBack, true
}
