package wiegand

import "math"

const (
	// maxPulses bounds a frame's memory: 128 bits with up to six falls
	// each (bounces at both ends), and some noise.
	maxPulses = 6*MaxBits + 32
	maxEdges  = 2 * maxPulses
	// stormSlice is how often an unending storm of edges is reported, in
	// nanoseconds.
	stormSlice = int64(1e9)
	// quickEdges is the fewest intervals that prove an even spacing.
	quickEdges = 8
)

// frame is the open frame, or the one that closed last. Its memory is bounded
// and never reallocated.
type frame struct {
	extent
	falls train

	// With both edges only:
	widths []int64 // low time of each fall's pulse, -1 unknown
	edges  []Edge
}

// extent is what a frame knows of its beginning and end.
type extent struct {
	more  int   // falling edges beyond those that are kept
	last  int64 // latest time of a falling edge
	rose  int64 // latest time of a rising edge, with both edges
	wait  int64 // how long after the last fall the frame stays open
	head  int   // index of the first fall after the last long silence
	lost  bool  // sequence numbers jump
	storm bool  // more edges than any card, or the rest of such a frame
}

func newFrame() *frame {
	f := &frame{falls: make(train, 0, maxPulses), widths: make([]int64, 0, maxPulses), edges: make([]Edge, 0, maxEdges)}
	f.reset()
	return f
}

func (f *frame) reset() {
	f.extent = extent{wait: CloseAfter, rose: math.MinInt64}
	f.falls, f.widths, f.edges = f.falls[:0], f.widths[:0], f.edges[:0]
}

// over reports whether an edge at time t is after the frame's end. A stamp may
// be earlier than the one before it, but not by more than a frame's silence.
func (f *frame) over(t int64) bool {
	if t >= f.last {
		return uint64(t-f.last) > uint64(f.wait)
	}
	return uint64(f.last-t) > uint64(CloseAfter)
}

// deadline is when the frame closes if no edge comes, at most the end of time.
func (f *frame) deadline() int64 {
	if f.last > math.MaxInt64-f.wait {
		return math.MaxInt64
	}
	return f.last + f.wait
}

// end is the time of the frame's last edge.
func (f *frame) end() int64 { return max(f.last, f.rose) }

// A Decoder turns the edges of one reader into reads. It never looks at a
// clock: time is what the edges and Advance say. It does not allocate once it
// has seen a few bad frames, and its memory is bounded whatever the edges.
// It is not safe for concurrent use.
type Decoder struct {
	opts     Options
	lengths  [maxPulses + 2]bool // enabled numbers of bits, keys included
	shortest int
	limit    int // falls above which a frame is a storm
	keyBits  int

	cur, old *frame
	out      [1]Read
	keys     []Read // of a burst, reused

	seq      uint32
	numbered bool
	deficit  int // bits the last frame lacked of an enabled length

	patience int64 // how long after a fall a frame stays open, in nanoseconds
	stormy   bool  // there was a storm
	stormEnd int64 // edges up to here belong to a storm that was reported
	interval int64 // learned: of the last good frame that was even, 0 none
	skew     int64 // learned: how late DATA1 was in the last frame that showed it
	swap     swapWatch
	unknown  unknownWatch
	known    Profile
	news     bool  // known has changed in a way that is worth keeping
	unlike   int   // cards in a row that were believed and are unlike known
	part     part  // the newest frame, if it may be the beginning of a card
	pauses   int   // how often a pause inside a card was seen
	doubt    doubt // the newest card that was not believed
	basis    shape // of the train that was delivered last
	stats    stats
	work     workspace
}

// NewDecoder returns a decoder with no frame open.
func NewDecoder(o Options) *Decoder {
	d := &Decoder{opts: o, cur: newFrame(), old: newFrame()}
	d.keyBits = keypads[o.Keypad]
	d.lengths[d.keyBits] = d.keyBits > 0
	longest := 8
	for _, f := range o.Formats {
		d.lengths[f.Len] = true
		longest = max(longest, f.Len)
	}
	d.limit = min(maxPulses, 6*longest+32)
	d.shortest = d.lacking(0)
	d.know(Profile{})
	if o.Known.valid() {
		d.know(o.Known.clone())
	}
	return d
}

// nearest is the enabled number of bits nearest to n, the smaller of two; n
// itself when none is enabled.
func (d *Decoder) nearest(n int) int {
	for off := range maxPulses {
		if n > off && d.lengths[n-off] {
			return n - off
		}
		if n+off < len(d.lengths) && d.lengths[n+off] {
			return n + off
		}
	}
	return n
}

// lacking is how many bits n is short of the next longer enabled number, 0 when
// there is none.
func (d *Decoder) lacking(n int) int {
	for longer := n + 1; longer <= MaxBits; longer++ {
		if d.lengths[longer] {
			return longer - n
		}
	}
	return 0
}

// Cards is how many good cards the decoder has learned from, at most KnownCards.
func (d *Decoder) Cards() int { return d.known.Cards }

// Learned is what the decoder knows of its reader, if that has changed, since the
// last call, in a way that is worth keeping.
func (d *Decoder) Learned() (p Profile, news bool) {
	if !d.news {
		return p, false
	}
	d.news = false
	return d.known.clone(), true
}

// Push takes the next edge, in the order of sequence numbers, and returns the
// reads that it closed: usually none. The slice is valid until the next call.
func (d *Decoder) Push(e Edge) (reads []Read) {
	f := d.cur
	if len(f.falls) > 0 && f.over(e.Time) {
		reads = d.close()
		f = d.cur
	}
	if e.Seq != 0 || d.seq == math.MaxUint32 {
		d.sequence(f, e)
	}
	if e.Rising {
		if d.opts.BothEdges && len(f.falls) > 0 {
			f.rise(e)
		}
		return reads
	}
	d.extend(f, e.Time)
	if d.opts.BothEdges && len(f.edges) < maxEdges {
		f.edges = append(f.edges, e)
	}
	if len(f.falls) >= d.limit {
		return d.flood(f) // nothing was closed before: the frame is long
	}
	f.falls = append(f.falls, e)
	if d.opts.BothEdges {
		f.widths = append(f.widths, -1)
	}
	if n := len(f.falls); d.lengths[n] || f.head > 0 && d.lengths[n-f.head] {
		d.quicken(f)
	}
	return reads
}

// extend moves the frame's end to a fall at time t.
func (d *Decoder) extend(f *frame, t int64) {
	f.wait = d.patience
	if len(f.falls) == 0 {
		f.storm = d.stormy && t <= d.stormEnd
		f.last = t
		return
	}
	if gap := t - f.last; gap > 0 {
		f.last = t
		if d.interval > 0 && isSilence(gap, d.interval) {
			f.head = len(f.falls)
		}
	}
}

// flood takes a frame that has more edges than a card has, however damaged.
// It is reported when it ends, and every second until then.
func (d *Decoder) flood(f *frame) []Read {
	f.storm = true
	f.more++
	if f.last-f.falls[0].Time < stormSlice {
		return nil
	}
	d.stormy, d.stormEnd = true, f.deadline() // what follows without a silence is not a card
	return d.close()
}

// Deadline is when the open frame closes if no more edge comes; ok is false
// when no frame is open.
func (d *Decoder) Deadline() (t int64, ok bool) { return d.cur.deadline(), len(d.cur.falls) > 0 }

// Advance says that the lines were silent up to now: every edge stamped at
// or before now was pushed. It returns the reads that this closed.
func (d *Decoder) Advance(now int64) []Read {
	if t, open := d.Deadline(); open && now >= t {
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
		return f.edges
	}
	return f.falls
}

// sequence marks the frame if edges are missing before e; a number that goes
// back counts as many. 0 means no number, except right after the highest one,
// where the kernel's counter wraps to it.
func (d *Decoder) sequence(f *frame, e Edge) {
	lost := e.Seq - d.seq - 1
	if lost != 0 && d.numbered && (len(f.falls) > 0 || !e.Rising) {
		// Before a first edge, the lost ones may have been the end of the
		// frame before, or the head of this one. They were the former if
		// that lacked just so many.
		f.lost = len(f.falls) > 0 || f.lost || lost != uint32(d.deficit)
	}
	d.seq, d.numbered = e.Seq, true
}

// rise takes a rising edge: it ends the pulse of its line's last fall.
func (f *frame) rise(e Edge) {
	if len(f.edges) < maxEdges {
		f.edges = append(f.edges, e)
	}
	f.rose = max(f.rose, e.Time)
	for i := len(f.falls) - 1; i >= 0 && i >= len(f.falls)-4; i-- {
		if f.falls[i].Line == e.Line {
			if f.widths[i] < 0 {
				f.widths[i] = max(0, e.Time-f.falls[i].Time)
			}
			return
		}
	}
}

// quicken brings forward the end of a frame that has the bits of a card: to
// three of its intervals after the last, when they are proved even, by this
// frame alone or with the reader's learned interval.
func (d *Decoder) quicken(f *frame) {
	tr := f.falls
	if !d.lengths[len(tr)] {
		tr = tr[f.head:]
	}
	n := len(tr) - 1
	if d.known.Pause > 0 && d.lacking(len(tr)) > 0 {
		return // it may pause inside a longer card
	}
	if n >= quickEdges {
		least, most := int64(math.MaxInt64), int64(0)
		for i := n - quickEdges; i < n; i++ {
			iv := tr[i+1].Time - tr[i].Time
			least, most = min(least, iv), max(most, iv)
		}
		if least >= minInterval && most-least <= most>>2 {
			f.wait = min(CloseAfter, 3*((most+least)/2))
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
		f.wait = min(CloseAfter, 3*d.interval)
	}
}

// close judges the open frame and opens an empty one.
func (d *Decoder) close() []Read {
	f, r := d.cur, &d.out[0]
	keys, torn := d.burst(f)
	switch {
	case torn:
		*r = Read{Start: f.falls[0].Time, End: f.end(), Count: len(f.falls), Bits: f.falls.bits(), Fault: FaultInterval}
	case keys == nil:
		d.judge(f, r)
	}
	if r.OK() || keys != nil {
		d.deficit = 0
		d.stats.reads += uint64(max(1, len(keys)))
	} else {
		d.deficit = d.lacking(len(f.falls))
		d.refuse(f, r)
	}
	d.cur, d.old = d.old, f
	d.cur.reset()
	if keys != nil {
		return keys
	}
	return d.out[:]
}
