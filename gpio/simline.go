package gpio

import (
	"slices"
	"sort"

	"stump/wiegand"
)

// The simulated board: lines 0 and 1 are the configured ones, 2 and 3 are two
// free pins of the header, on which wires that were put on wrong pins arrive.
const simLines = 4

var simNames = [simLines]string{
	"GPIO17 = header pin 11 = simulated line 0",
	"GPIO18 = header pin 12 = simulated line 1",
	"GPIO27 = header pin 13 = simulated line 2",
	"GPIO22 = header pin 15 = simulated line 3",
}

// pulse is a time in which something drives a line away from where it rests.
type pulse struct {
	line     uint8
	high     bool // drives it high; otherwise low
	from, to int64
}

// rest is where a line stays when nothing drives it.
type rest uint8

const (
	restHigh rest = iota // an outer pull-up: the level converter's
	restLow              // held low from outside
	restPull             // nothing outside: follows the board's own pull
	restMid              // between the levels: any pull reads low, none as either
)

// simLine is one line: what drives it, and the level that results.
type simLine struct {
	rest      rest
	up        bool // what BiasAsIs does to a line that follows the pull
	low, lift int  // how many pulses drive it low, and high
	high      bool
}

// level is what the line shows under a bias. Low wins: a reader and a level
// converter both pull down through a transistor and up through a resistor.
func (l *simLine) level(b Bias) bool {
	switch {
	case l.low > 0:
		return false
	case l.lift > 0:
		return true
	case l.rest == restHigh:
		return true
	case l.rest == restLow:
		return false
	case b == BiasPullUp || b == BiasPullDown:
		return b == BiasPullUp && l.rest == restPull
	}
	return l.up
}

// change is one end of a pulse, or with delta 0 a line that finds its level
// again.
type change struct {
	at    int64
	line  uint8
	high  bool
	delta int
}

// plan adds to the agenda, which is in order of time. At the same time
// beginnings come first, so that pulses that meet are one.
func (s *Sim) plan(c change) {
	i := sort.Search(len(s.agenda), func(i int) bool {
		o := s.agenda[i]
		return c.at < o.at || c.at == o.at && c.delta > o.delta
	})
	s.agenda = slices.Insert(s.agenda, i, c)
}

func (s *Sim) add(p pulse) {
	if p.to > p.from {
		s.plan(change{p.from, p.line, p.high, +1})
		s.plan(change{p.to, p.line, p.high, -1})
	}
}

// swing lets all lines find their level again after what holds them changed.
// That takes them a microsecond, so that no edge is stamped with a time up to
// which silence was reported already.
func (s *Sim) swing(now int64) {
	for i := range s.lines {
		s.plan(change{at: now + 1000, line: uint8(i)})
	}
}

// noise adds pulses to the agenda for as long as a fault lasts. Its function
// is called at the time it returned last.
type noise struct {
	at   int64
	more func(at int64) (next int64)
}

// repeat adds a noise whose function is first called at the given time.
func (s *Sim) repeat(at int64, more func(at int64) (next int64)) *noise {
	n := &noise{at, more}
	s.noises = append(s.noises, n)
	return n
}

// next is when the next pulse or noise is due.
func (s *Sim) next() int64 {
	t := int64(never)
	if len(s.agenda) > 0 {
		t = s.agenda[0].at
	}
	for _, n := range s.noises {
		t = min(t, n.at)
	}
	return t
}

// nextEdge is when the next edge can come. Where rising edges are not told, the end of a pulse
// that drives a line low makes none.
func (s *Sim) nextEdge() int64 {
	t := s.next()
	if s.both || len(s.noises) > 0 {
		return t
	}
	for _, c := range s.agenda {
		if c.high || c.delta >= 0 {
			return c.at
		}
	}
	return never
}

// update brings the lines up to the clock and returns its time.
func (s *Sim) update() int64 {
	now := s.clock()
	for t := s.next(); t <= now; t = s.next() {
		for _, n := range s.noises {
			for n.at <= t {
				n.at = max(n.more(n.at), n.at+1)
			}
		}
		for len(s.agenda) > 0 && s.agenda[0].at <= t {
			c := s.agenda[0]
			s.agenda = s.agenda[1:]
			if c.high {
				s.lines[c.line].lift += c.delta
			} else {
				s.lines[c.line].low += c.delta
			}
			s.settle(c.at, c.line)
		}
	}
	return now
}

// settle turns a new level into an edge. As in the kernel, the oldest edge is
// dropped when the queue is full.
func (s *Sim) settle(at int64, line uint8) {
	l := &s.lines[line]
	high := l.level(s.bias)
	if high == l.high {
		return
	}
	l.high = high
	switch {
	case line > 1:
		if !high && s.free != nil {
			s.free[line-2].Falls = append(s.free[line-2].Falls, at)
		}
	case !high || s.both:
		s.seq++
		if len(s.queue) == maxBuffer {
			s.queue = s.queue[:copy(s.queue, s.queue[1:])]
		}
		s.queue = append(s.queue, wiegand.Edge{Time: at, Seq: s.seq, Line: line, Rising: high})
	}
}
