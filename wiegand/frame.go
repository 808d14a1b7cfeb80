package wiegand

import "math"

const (
	// maxPulses bounds a frame's memory: 128 bits with up to six falls
	// each (bounces at both ends), and some noise.
	maxPulses = 6*MaxBits + 32
	maxEdges  = 2 * maxPulses
	// stormSlice is how often an unending storm of edges is reported.
	stormSlice = int64(1e9)
	// quickEdges is the fewest intervals that prove an even spacing.
	quickEdges = 8
)

// frame is the open, or last closed, frame: bounded, never reallocated.
type frame struct {
	n      int    // falling edges kept
	more   int    // falling edges beyond them
	last   int64  // latest time of a falling edge
	wait   uint64 // how long after it the frame stays open
	hi, lo uint64 // the lines of the falls as bits, as in Bits
	head   int    // index of the first fall after the last long silence
	lost   bool   // sequence numbers jump
	storm  bool   // more edges than any card, or the rest of such a frame

	fall [maxPulses]Edge

	// With both edges only:
	rose   int64            // time of the last rising edge
	width  [maxPulses]int32 // low time of a fall's pulse in ns, -1 unknown
	nEdges int
	edges  [maxEdges]Edge
}

func (f *frame) reset() {
	f.n, f.more, f.nEdges, f.head = 0, 0, 0, 0
	f.hi, f.lo = 0, 0
	f.wait, f.rose = uint64(CloseAfter), math.MinInt64
	f.lost, f.storm = false, false
}

// over reports whether an edge at time t is after the frame's end. A stamp may
// be earlier than the one before it, but not by more than a frame's silence.
func (f *frame) over(t int64) bool {
	if t >= f.last {
		return uint64(t-f.last) > f.wait
	}
	return uint64(f.last-t) > uint64(CloseAfter)
}

// deadline is when the frame closes if no edge comes.
func (f *frame) deadline() int64 { return later(f.last, int64(f.wait)) }

// A Decoder turns the edges of one reader into reads. It never looks at a
// clock: time is what the edges and Advance say. It does not allocate once it
// has seen a few bad frames, and its memory is bounded whatever the edges.
// It is not safe for concurrent use.
type Decoder struct {
	opts     Options
	lengths  [maxPulses + 1]bool // enabled numbers of bits, keys included
	nearest  [maxPulses + 1]int  // the enabled number nearest to each
	lacking  [maxPulses + 1]int  // bits to the next longer enabled number, 0 none
	shortest int
	limit    int // falls above which a frame is a storm
	keyBits  int

	cur, old *frame
	out      []Read

	seq      uint32
	numbered bool
	deficit  int // bits the last frame lacked of an enabled length

	stormy   bool  // there was a storm
	stormEnd int64 // edges up to here belong to a storm that was reported
	interval int64 // learned: of the last good frame that was even, 0 none
	silence  int64 // a distance that is no bit of that reader
	smooth   bool  // the frame that is judged has no interval unlike the others
	swap     swapWatch
	stats    stats
	work     workspace
}

// NewDecoder returns a decoder with no frame open.
func NewDecoder(o Options) *Decoder {
	d := &Decoder{opts: o, cur: new(frame), old: new(frame), out: make([]Read, 0, 1),
		silence: math.MaxInt64}
	d.cur.reset()
	switch o.Keypad {
	case "4bit":
		d.keyBits = 4
	case "8bit":
		d.keyBits = 8
	}
	d.lengths[d.keyBits] = d.keyBits > 0
	longest := 8
	for _, f := range o.Formats {
		d.lengths[f.Len] = true
		longest = max(longest, f.Len)
	}
	d.limit = min(maxPulses, 6*longest+32)
	d.shortest = maxPulses
	for n := maxPulses; n > 0; n-- {
		if d.lengths[n] {
			d.shortest = n
		}
	}
	d.findNearest()
	return d
}

// findNearest fills in the enabled number of bits nearest to each number; the
// smaller of two.
func (d *Decoder) findNearest() {
	below := 0
	for n := range d.nearest {
		if d.lengths[n] {
			below = n
		}
		d.nearest[n] = below
	}
	above := 0
	for n := maxPulses; n > 0; n-- {
		d.lacking[n] = max(0, above-n)
		if d.lengths[n] {
			above = n
		}
		if below = d.nearest[n]; below == 0 || above > 0 && above-n < n-below {
			d.nearest[n] = above
		}
		if d.nearest[n] == 0 {
			d.nearest[n] = n // no format at all
		}
	}
}

// Push takes the next edge, in the order of sequence numbers, and returns the
// reads that it closed: usually none. The slice is valid until the next call.
func (d *Decoder) Push(e Edge) (reads []Read) {
	f := d.cur
	if f.n > 0 && f.over(e.Time) {
		reads = d.close()
		f = d.cur
	}
	if e.Seq != 0 || d.seq == math.MaxUint32 {
		d.sequence(f, &e)
	}
	if e.Rising {
		if d.opts.BothEdges && f.n > 0 {
			f.rise(e)
		}
		return reads
	}
	if f.n == 0 {
		f.storm = d.stormy && e.Time <= d.stormEnd
		f.last = e.Time
	} else {
		f.wait = uint64(CloseAfter)
		if gap := e.Time - f.last; gap > 0 {
			f.last = e.Time
			if gap > d.silence {
				f.head = f.n
			}
		}
	}
	if d.opts.BothEdges {
		f.keep(e)
	}
	if f.n >= d.limit {
		return d.flood(f) // nothing was closed before: the frame is long
	}
	f.fall[f.n] = e
	f.n++
	if f.n <= MaxBits {
		f.hi = f.hi<<1 | f.lo>>63
		f.lo = f.lo<<1 | uint64(e.Line&1)
	}
	if d.lengths[f.n] || f.head > 0 && d.lengths[f.n-f.head] {
		d.quicken(f)
	}
	return reads
}

// flood takes a frame that has more edges than a card has, however damaged.
// It is reported when it ends, and every second until then.
func (d *Decoder) flood(f *frame) []Read {
	f.storm = true
	f.more++
	if f.last-f.fall[0].Time < stormSlice {
		return nil
	}
	d.stormy, d.stormEnd = true, f.deadline() // what follows without a silence is no card
	return d.close()
}

// Deadline is when the open frame closes if no more edge comes; ok is false
// when no frame is open.
func (d *Decoder) Deadline() (t int64, ok bool) { return d.cur.deadline(), d.cur.n > 0 }

// Advance says that the lines were silent up to now: every edge stamped at
// or before now was pushed. It returns the reads that this closed.
func (d *Decoder) Advance(now int64) []Read {
	if d.cur.n > 0 && now >= d.cur.deadline() {
		return d.close()
	}
	return nil
}

// LastEdges are the edges of the frame that closed last, up to a limit; valid
// until the next call of Push or Advance.
func (d *Decoder) LastEdges() []Edge { return d.kept(d.old) }

// kept are the edges of a frame: of both directions where both are used.
func (d *Decoder) kept(f *frame) []Edge {
	if d.opts.BothEdges {
		return f.edges[:f.nEdges]
	}
	return f.fall[:f.n]
}

// sequence marks the frame if edges are missing before e; a number that goes
// back counts as many. 0 is no number, except right after the highest one,
// where the kernel's counter wraps to it.
func (d *Decoder) sequence(f *frame, e *Edge) {
	lost := e.Seq - d.seq - 1
	if lost != 0 && d.numbered && (f.n > 0 || !e.Rising) {
		// Before a first edge, the lost ones may have been the end of the
		// frame before, or the head of this one. They were the former if
		// that lacked just so many.
		f.lost = f.n > 0 || f.lost || lost != uint32(d.deficit)
	}
	d.seq, d.numbered = e.Seq, true
}

// rise completes the pulse that the line's last fall began.
func (f *frame) rise(e Edge) {
	f.keep(e)
	f.rose = max(f.rose, e.Time)
	for i := f.n - 1; i >= 0 && i >= f.n-4; i-- {
		if f.fall[i].Line == e.Line {
			if f.width[i] < 0 {
				f.width[i] = int32(min(max(0, e.Time-f.fall[i].Time), math.MaxInt32))
			}
			return
		}
	}
}

// keep stores an edge, where both directions are used.
func (f *frame) keep(e Edge) {
	if !e.Rising && f.n < maxPulses {
		f.width[f.n] = -1
	}
	if f.nEdges < maxEdges {
		f.edges[f.nEdges] = e
		f.nEdges++
	}
}

// end is the time of the frame's last edge.
func (f *frame) end() int64 { return max(f.last, f.rose) }

// quicken brings forward the end of a frame that has the bits of a card: to
// three of its intervals after the last, when they are proved even, by this
// frame alone or with the reader's learned interval.
func (d *Decoder) quicken(f *frame) {
	from := 0
	if !d.lengths[f.n] {
		from = f.head
	}
	tr := f.fall[from:f.n]
	n := len(tr) - 1
	if n >= quickEdges {
		least, most := int64(math.MaxInt64), int64(0)
		for i := n - quickEdges; i < n; i++ {
			iv := tr[i+1].Time - tr[i].Time
			least, most = min(least, iv), max(most, iv)
		}
		if least >= minInterval && most-least <= most>>2 {
			f.wait = uint64(min(CloseAfter, 3*((most+least)/2)))
			return
		}
	}
	even := 0
	for i := range n {
		if off := tr[i+1].Time - tr[i].Time - d.interval; off <= d.interval>>3 && -off <= d.interval>>3 {
			even++
		}
	}
	if d.interval > 0 && even >= 3 && even*4 >= n*3 {
		f.wait = uint64(min(CloseAfter, 3*d.interval))
	}
}

// close judges the open frame and opens an empty one.
func (d *Decoder) close() []Read {
	f := d.cur
	d.out = d.out[:1]
	r := &d.out[0]
	d.judge(f, r)
	d.deficit = 0
	if !r.OK() {
		d.deficit = d.lacking[f.n]
	}
	d.note(f, r)
	d.cur, d.old = d.old, f
	d.cur.reset()
	return d.out
}

// learn keeps the interval of a good frame.
func (d *Decoder) learn(tm *timing) {
	if tm.even && tm.interval >= minInterval {
		d.interval, d.silence = tm.interval, tm.interval*12/5
	}
}

// later is t + d, or the end of time.
func later(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}
