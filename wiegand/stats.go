package wiegand

import (
	"slices"
	"sort"
)

const (
	// worstFrames is how many refused frames are kept, with at most keptEdges
	// of their edges each.
	worstFrames = 20
	keptEdges   = 400
)

// Stats is what a decoder has seen since it was made.
type Stats struct {
	Reads  uint64           // good reads, keys included
	Faults map[Fault]uint64 // refused frames by name
	// Worst are refused frames with their edges, worst first: the further from
	// a card the worse, but no fault crowds out the others.
	Worst []BadFrame
}

// BadFrame is a refused frame and its edges, at most the first 400.
type BadFrame struct {
	Read  Read
	Edges []Edge
	score int
	fault int // index of Read.Fault in Faults
}

// Stats returns a copy of what the decoder has seen so far.
func (d *Decoder) Stats() Stats {
	s := Stats{Reads: d.stats.reads, Faults: map[Fault]uint64{}}
	for i, n := range d.stats.faults {
		if n > 0 {
			s.Faults[Faults[i]] = n
		}
	}
	for _, w := range d.stats.worst {
		w.Edges = slices.Clone(w.Edges)
		s.Worst = append(s.Worst, w)
	}
	sort.SliceStable(s.Worst, func(i, j int) bool { return s.Worst[i].score > s.Worst[j].score })
	return s
}

type stats struct {
	reads  uint64
	faults [len(Faults)]uint64
	worst  []BadFrame
}

// refuse counts a refused frame and keeps it if it is among the worst. Its
// score is how far it is from a card: the bits that are too many or too few,
// and the edges closer than any reader sends.
func (d *Decoder) refuse(f *frame, r *Read) {
	s := &d.stats
	off := r.Count - d.nearest(len(f.falls))
	score := max(off, -off) + f.falls.crowded()
	fault := slices.Index(Faults[:], r.Fault)
	s.faults[fault]++
	edges := d.kept(f)
	edges = edges[:min(len(edges), keptEdges)]
	if len(s.worst) < worstFrames {
		room := make([]Edge, 0, keptEdges) // once, so that noise allocates nothing
		s.worst = append(s.worst, BadFrame{*r, append(room, edges...), score, fault})
		return
	}
	if w := s.least(fault); w.fault != fault || score >= w.score {
		*w = BadFrame{*r, append(w.Edges[:0], edges...), score, fault}
	}
}

// least is the kept frame that gives way: the least bad, then oldest, of the
// fault that has most places once the coming one has its own.
func (s *stats) least(coming int) (least *BadFrame) {
	var places [len(Faults)]int
	places[coming] = 1
	for i := range s.worst {
		places[s.worst[i].fault]++
	}
	most := coming
	for i, n := range places {
		if n > places[most] {
			most = i
		}
	}
	for i := range s.worst {
		w := &s.worst[i]
		if w.fault == most && (least == nil || w.score < least.score ||
			w.score == least.score && w.Read.Start < least.Read.Start) {
			least = w
		}
	}
	return least
}
