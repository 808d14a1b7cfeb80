package wiegand

import (
	"math/bits"
	"slices"
)

const (
	// worstFrames is how many refused frames are kept, with at most keptEdges
	// of their edges each.
	worstFrames = 20
	keptEdges   = 400
)

// Stats is what a decoder has seen since it was made.
type Stats struct {
	Reads    uint64            // good reads, keys included
	Repaired map[Repair]uint64 // of them, repaired
	Faults   map[Fault]uint64  // refused frames by name
	LastGood int64             // End of the last good read
	Interval int64             // the reader's learned interval in ns, 0 unknown
	// Intervals are the distances between falling edges within frames, and
	// Widths the low times of pulses (both edges only), in ns.
	Intervals, Widths []Bucket
	// Worst are refused frames with their edges, worst first: the farther from
	// a card the worse, but no fault crowds out the others.
	Worst []BadFrame
}

// Bucket is a bar of a histogram: Count values of at least From and less than
// To.
type Bucket struct {
	From, To int64
	Count    uint64
}

// BadFrame is a refused frame and its edges, at most the first 400.
type BadFrame struct {
	Read  Read
	Edges []Edge
	score int
	fault int // index of Read.Fault in faults
}

// Stats returns a copy of what the decoder has seen so far.
func (d *Decoder) Stats() Stats {
	s := Stats{Reads: d.stats.reads, Faults: map[Fault]uint64{}, Repaired: map[Repair]uint64{},
		LastGood: d.stats.lastGood, Interval: d.interval,
		Intervals: d.stats.intervals.buckets(), Widths: d.stats.widths.buckets()}
	for i, name := range faults {
		if d.stats.faults[i] > 0 {
			s.Faults[name] = d.stats.faults[i]
		}
	}
	for i, name := range repairs {
		if d.stats.repaired[i] > 0 {
			s.Repaired[name] = d.stats.repaired[i]
		}
	}
	for _, w := range d.stats.worst {
		w.Edges = slices.Clone(w.Edges)
		s.Worst = append(s.Worst, w)
	}
	slices.SortStableFunc(s.Worst, func(a, b BadFrame) int { return b.score - a.score })
	return s
}

type stats struct {
	reads             uint64
	repaired          [len(repairs)]uint64
	faults            [len(faults)]uint64
	lastGood          int64
	intervals, widths histogram
	worst             []BadFrame
	places            [len(faults)]int // in worst
}

// note counts a closed frame. intervals are those between its falls.
func (d *Decoder) note(f *frame, r *Read) {
	s := &d.stats
	if tr := f.fall[:f.n]; d.smooth {
		s.intervals[bucketOf(r.Interval)] += uint64(f.n - 1) // they differ by less than a bucket
	} else {
		for i := 1; i < len(tr); i++ {
			s.intervals[bucketOf(tr[i].Time-tr[i-1].Time)]++
		}
	}
	if d.opts.BothEdges {
		for _, w := range f.width[:f.n] {
			s.widths[bucketOf(int64(w))]++
		}
	}
	if !r.OK() {
		s.refuse(r, d.kept(f), d.distance(f))
		return
	}
	s.reads++
	s.lastGood = r.End
	if r.Repaired != "" {
		s.repaired[slices.Index(repairs[:], r.Repaired)]++
	}
}

// distance is how far a frame is from a card: bits too many or too few, and
// edges closer than any reader sends.
func (d *Decoder) distance(f *frame) int {
	off := f.n + f.more - d.nearest[f.n]
	return max(off, -off) + train(f.fall[:f.n]).crowded()
}

// refuse counts a refused frame and keeps it if it is among the worst.
func (s *stats) refuse(r *Read, edges []Edge, score int) {
	fault := faultIndex(r.Fault)
	s.faults[fault]++
	edges = edges[:min(len(edges), keptEdges)]
	if len(s.worst) < worstFrames {
		room := make([]Edge, 0, keptEdges) // once, so that noise allocates nothing
		s.worst = append(s.worst, BadFrame{*r, append(room, edges...), score, fault})
		s.places[fault]++
		return
	}
	w := &s.worst[s.leastOf(fault)]
	if w.fault == fault && score < w.score {
		return
	}
	s.places[w.fault]--
	s.places[fault]++
	w.Read, w.score, w.fault = *r, score, fault
	w.Edges = append(w.Edges[:0], edges...)
}

// leastOf is the kept frame that gives way: the least bad, oldest of the fault
// that has most places once the new one has its own.
func (s *stats) leastOf(coming int) int {
	most, places := coming, s.places[coming]+1
	for i, n := range s.places {
		if n > places {
			most, places = i, n
		}
	}
	least := -1
	for i := range s.worst {
		w := &s.worst[i]
		if w.fault == most && (least < 0 || w.score < s.worst[least].score ||
			w.score == s.worst[least].score && w.Read.Start < s.worst[least].Read.Start) {
			least = i
		}
	}
	return least
}

// histogram counts values in buckets of a quarter octave.
type histogram [4 * 40]uint64

// bucketOf is the index of a value's bucket.
func bucketOf(v int64) int {
	u := uint64(max(v, 4))
	octave := bits.Len64(u) - 3 // 4 to 7 is octave 0
	return min(4*octave+int(u>>octave&3), len(histogram{})-1)
}

func (h *histogram) buckets() (b []Bucket) {
	for i, n := range h {
		if n > 0 {
			octave, quarter := i/4, int64(i%4)
			b = append(b, Bucket{(4 + quarter) << octave, (5 + quarter) << octave, n})
		}
	}
	return b
}
