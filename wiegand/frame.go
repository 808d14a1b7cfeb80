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
	n     int // falling edges kept in t, line and width
	falls int // falling edges seen
	t     [maxPulses]int64
	line  [maxPulses]uint8
	width [maxPulses]int32 // low time in ns, -1 unknown

	hi, lo uint64 // the lines of the falls as bits, as in Bits

	edges  [maxEdges]Edge
	nEdges int

	end      int64 // time of the last edge, rising ones included
	last     int64 // latest time of a falling edge
	deadline int64
	head     int  // index of the first fall after the last long silence
	lost     bool // sequence numbers jump
	storm    bool // more edges than any card, or the rest of such a frame
}

func (f *frame) reset() {
	f.n, f.falls, f.nEdges, f.head = 0, 0, 0, 0
	f.hi, f.lo = 0, 0
	f.lost, f.storm = false, false
}

// A Decoder turns the edges of one reader into reads. It never looks at a
// clock: time is what the edges and Advance say. It does not allocate once it
// has seen a few bad frames, and its memory is bounded whatever the edges.
// It is not safe for concurrent use.
type Decoder struct {
	opts    Options
	lengths [maxPulses + 1]bool // enabled numbers of bits, keys included
	limit   int                 // falls above which a frame is a storm
	keyBits int

	cur, old *frame
	out      []Read

	seq      uint32
	numbered bool
	deficit  int // bits the last frame lacked of an enabled length

	stormEnd int64 // edges up to here belong to a storm that was reported
	interval int64 // learned: of the last good frame that was even, 0 none
	swap     swapWatch
	stats    stats
	work     workspace
}

// NewDecoder returns a decoder with no frame open.
func NewDecoder(o Options) *Decoder {
	d := &Decoder{opts: o, cur: new(frame), old: new(frame), out: make([]Read, 0, 4), stormEnd: math.MinInt64}
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
	return d
}

// Push takes the next edge, in the order of sequence numbers, and returns the
// reads that it closed: usually none. The slice is valid until the next call.
func (d *Decoder) Push(e Edge) []Read {
	d.out = d.out[:0]
	f := d.cur
	if f.falls > 0 && (e.Time > f.deadline || e.Time < f.last-CloseAfter) {
		d.close()
		f = d.cur
	}
	lost := d.sequence(e.Seq)
	if e.Rising {
		if d.opts.BothEdges {
			f.rise(e)
		}
		f.lost = f.lost || lost > 0 && f.falls > 0
		return d.out
	}
	d.fall(f, e, lost)
	return d.out
}

// Deadline is when the open frame closes if no more edge comes; ok is false
// when no frame is open.
func (d *Decoder) Deadline() (t int64, ok bool) { return d.cur.deadline, d.cur.falls > 0 }

// Advance says that the lines were silent up to now: every edge stamped at
// or before now was pushed. It returns the reads that this closed.
func (d *Decoder) Advance(now int64) []Read {
	d.out = d.out[:0]
	if d.cur.falls > 0 && now >= d.cur.deadline {
		d.close()
	}
	return d.out
}

// LastEdges are the edges of the frame that closed last, up to a limit; valid
// until the next call of Push or Advance.
func (d *Decoder) LastEdges() []Edge { return d.old.edges[:d.old.nEdges] }

// sequence returns how many edges are missing before the one numbered seq.
// 0 is no number, except right after the highest one, where the kernel's
// counter wraps to it.
func (d *Decoder) sequence(seq uint32) (lost int) {
	if seq == 0 && d.seq != math.MaxUint32 {
		return 0
	}
	if d.numbered {
		lost = int(seq - d.seq - 1)
	}
	d.seq, d.numbered = seq, true
	return lost
}

func (d *Decoder) fall(f *frame, e Edge, lost int) {
	first := f.falls == 0
	if lost > 0 && !(first && d.deficit == lost) {
		// Before a first edge, the lost ones may have been the end of the
		// frame before, or the head of this one. They were the former if
		// that lacked just so many.
		f.lost = true
	}
	if first {
		f.storm = e.Time <= d.stormEnd
	}
	f.keep(e)
	f.falls++
	if first || e.Time > f.last {
		if !first && d.interval > 0 && (e.Time-f.last)*5 > d.interval*12 {
			f.head = f.n
		}
		f.last = e.Time
	}
	f.end = f.last
	f.deadline = later(f.last, CloseAfter)
	if f.n >= d.limit {
		f.storm = true
		if f.last-f.t[0] >= stormSlice {
			d.stormEnd = f.deadline // what follows without a silence is no card
			d.close()
		}
		return
	}
	f.t[f.n], f.line[f.n], f.width[f.n] = e.Time, e.Line&1, -1
	if f.n < MaxBits {
		f.hi = f.hi<<1 | f.lo>>63
		f.lo = f.lo<<1 | uint64(e.Line&1)
	}
	f.n++
	if d.lengths[f.n] || d.lengths[f.n-f.head] {
		f.deadline = later(f.last, d.quick(f))
	}
}

// rise completes the pulse that the line's last fall began.
func (f *frame) rise(e Edge) {
	if f.falls == 0 {
		return
	}
	f.keep(e)
	f.end = max(f.end, e.Time)
	for i := f.n - 1; i >= 0 && i >= f.n-4; i-- {
		if f.line[i] == e.Line&1 {
			if f.width[i] < 0 {
				f.width[i] = int32(min(max(0, e.Time-f.t[i]), math.MaxInt32))
			}
			return
		}
	}
}

func (f *frame) keep(e Edge) {
	if f.nEdges < maxEdges {
		f.edges[f.nEdges] = e
		f.nEdges++
	}
}

// quick is how long after its last bit a frame that has the bits of a card
// stays open: three of its intervals when they are proved even, by this frame
// alone or with the reader's learned interval, else CloseAfter.
func (d *Decoder) quick(f *frame) int64 {
	from := f.head
	if d.lengths[f.n] && !d.lengths[f.n-f.head] {
		from = 0
	}
	even, least, most := 0, int64(math.MaxInt64), int64(0)
	tail := f.n - 1 - quickEdges
	for i := from + 1; i < f.n; i++ {
		iv := f.t[i] - f.t[i-1]
		if iv-d.interval <= d.interval>>3 && d.interval-iv <= d.interval>>3 {
			even++
		}
		if i > tail {
			least, most = min(least, iv), max(most, iv)
		}
	}
	n := f.n - 1 - from
	switch {
	case n >= quickEdges && least >= minInterval && most-least <= most>>2:
		return min(CloseAfter, 3*((most+least)/2))
	case d.interval >= minInterval && even >= 3 && even*4 >= n*3:
		return min(CloseAfter, 3*d.interval)
	}
	return CloseAfter
}

// close judges the open frame and opens an empty one.
func (d *Decoder) close() {
	f := d.cur
	d.out = append(d.out, d.judge(f))
	r := &d.out[len(d.out)-1]
	d.deficit = d.lacking(f, r)
	d.stats.note(f, r)
	d.cur, d.old = d.old, f
	d.cur.reset()
}

// lacking is how many bits the frame was short of the nearest enabled length.
func (d *Decoder) lacking(f *frame, r *Read) int {
	if r.OK() {
		return 0
	}
	for n := f.n + 1; n <= MaxBits; n++ {
		if d.lengths[n] {
			return n - f.n
		}
	}
	return 0
}

// later is t + d, or the end of time.
func later(t, d int64) int64 {
	if t > math.MaxInt64-d {
		return math.MaxInt64
	}
	return t + d
}
