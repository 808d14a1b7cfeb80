package wiegand

// Thresholds, in nanoseconds. All others follow the median interval of the frame
// itself.
const (
	// minInterval is the shortest interval between bits that a reader sends. The
	// standard says 200 µs; stamps may be late, so half of it.
	minInterval = 100_000
	// together is how close falls of both lines are one event: no even
	// spacing can tell which of them is the bit.
	together = 3_000
	// nearly is how close they are still one event, for naming it.
	nearly = 10_000
	// slowReader is the interval above which the lateness of stamps (see
	// lateStamp) can't hide what the spacing shows.
	slowReader = 700_000
	// lateStamp is how late one stamp in a hundred is on a busy Raspberry Pi.
	lateStamp = 130_000
	// maxLate is how late a stamp may be: interrupts are off for 2 ms at worst.
	maxLate = 3_000_000
	// lateEnd is how late the last stamp of a card may be: a later fall may as
	// well be a stray one.
	lateEnd = 1_200_000
	// pileTime is how far apart the stamps are of edges that waited for the same
	// interrupts.
	pileTime = 20_000
)

// train is a row of falls that may be a card: a frame, or what remains of one
// when some edges are removed.
type train []Edge

// bits is the train read as bits, the first MaxBits of it.
func (tr train) bits() Bits {
	tr = tr[:min(len(tr), MaxBits)]
	var hi, lo uint64
	low := max(len(tr)-64, 0) // from here on
	for i := range low {
		hi = hi<<1 | uint64(tr[i].Line&1)
	}
	for i := low; i < len(tr); i++ {
		lo = lo<<1 | uint64(tr[i].Line&1)
	}
	return Bits{hi, lo, uint8(len(tr))}
}

// coincides reports whether two falls of different lines are one event: at
// most so many ns apart.
func (tr train) coincides(within int64) bool {
	for i := 1; i < len(tr); i++ {
		if tr[i].Time-tr[i-1].Time <= within && tr[i].Line != tr[i-1].Line {
			return true
		}
	}
	return false
}

// crowded counts the falls that follow another more closely than any reader
// sends.
func (tr train) crowded() (n int) {
	for i := 1; i < len(tr); i++ {
		if tr[i].Time-tr[i-1].Time < minInterval {
			n++
		}
	}
	return n
}

// sameLine reports whether all falls from i to j are of one line.
func (tr train) sameLine(i, j int) bool {
	for k := i + 1; k <= j; k++ {
		if tr[k].Line != tr[i].Line {
			return false
		}
	}
	return true
}

// tooUneven reports whether silences stand out in an uneven frame: one of 16
// times the median, or two of eight on one line. No reader sends so; mains hum
// beside a card does.
func (tr train) tooUneven(median int64) bool {
	long := 0
	for i := 1; i < len(tr); i++ {
		switch v := tr[i].Time - tr[i-1].Time; {
		case v > 16*median:
			return true
		case v > 8*median && tr[i].Line == tr[i-1].Line:
			long++
		}
	}
	return long >= 2
}

// timing is what the spacing of a train shows.
type timing struct {
	interval int64 // median interval between bits
	jitter   int64 // how far from it the reader's intervals may be
	least    int64 // shortest interval
	even     bool  // strong evidence that the reader spaces its bits evenly

	silence bool // a pause (in an uneven train: several) that is not an interval between bits

	// Of an even train:
	missing, extra int  // intervals too many or too few for the edges there are
	stray          bool // an edge is where no late stamp puts it
	hole           int  // with one missing: the place of its bit, at least 1; else 0
	uneven         int  // intervals that are off, whether or not they add up
	piled          bool // several stamps were late together
}

// sound reports whether the spacing agrees with one bit an edge.
func (tm *timing) sound() bool {
	return tm.missing == 0 && tm.extra == 0 && !tm.silence && !tm.stray
}

// measure weighs the spacing of a train that should have n bits.
func (w *workspace) measure(tr train, n int) (tm timing) {
	m := len(tr) - 1
	if m < 1 {
		return tm
	}
	least, most := int64(CloseAfter), -CloseAfter
	for i := range m {
		v := tr[i+1].Time - tr[i].Time
		least, most = min(least, v), max(most, v)
	}
	tm.least = least
	if m >= quickEdges && least >= minInterval && most-least <= least>>3 {
		tm.interval, tm.even = (tr[m].Time-tr[0].Time)/int64(m), true
		return tm
	}
	iv := w.intervalsOf(tr)
	exact := tm.mostlyEven(iv)
	if !exact {
		tm.byMedian(w, iv, len(tr)-n)
	}
	if tm.even {
		tm.weigh(iv, len(tr) == n)
		tm.stray = exact && tm.uneven > 0 && tm.sound() && tm.misplaced(iv)
	}
	if !tm.even {
		tm.silence = tr.tooUneven(tm.interval)
	}
	return tm
}

// intervalsOf are the distances between the falls of a train.
func (w *workspace) intervalsOf(tr train) []int64 {
	iv := w.intervals[:len(tr)-1]
	for i := range iv {
		iv[i] = tr[i+1].Time - tr[i].Time
	}
	return iv
}

// mostlyEven is a short cut for frames with little damage: where five of six
// intervals are close to one that was picked, no median need be found.
func (tm *timing) mostlyEven(iv []int64) bool {
	m := len(iv)
	if m < 12 {
		return false
	}
	a, b, c := iv[m/4], iv[m/2], iv[m*3/4]
	pick := max(min(a, b), min(max(a, b), c))
	if pick < minInterval {
		return false
	}
	var near, sum, off int64
	for _, v := range iv {
		if d := v - pick; d <= pick>>4 && -d <= pick>>4 {
			near++
			sum += v
			off += max(d, -d)
		}
	}
	if near*6 < int64(m)*5 {
		return false
	}
	tm.interval, tm.even = sum/near, true
	tm.jitter = tm.interval / 16
	if tm.interval >= slowReader {
		tm.jitter = 4 * off / near
	}
	return true
}

// byMedian finds the interval of a train with so many extra edges, and whether
// it is even.
func (tm *timing) byMedian(w *workspace, iv []int64, extra int) {
	// With extra edges, the intervals of the reader are the longest ones.
	rank := len(iv) / 2
	if extra > 0 && extra < len(iv) {
		rank = extra + (len(iv)-extra)/2
	}
	tm.interval = w.quantile(iv, rank)
	if tm.interval >= minInterval {
		tm.jitter = w.spread(iv, tm.interval)
		tm.even = isEven(iv, tm.interval, tm.tolerance())
	}
}

// tolerance is how far from the median an interval may be and still count as
// one: the frame's own jitter, from a sixteenth to an eighth of the interval.
func (tm *timing) tolerance() int64 {
	return min(max(tm.jitter, tm.interval/16), tm.interval/8)
}

// spread is the jitter of a frame: five times the median deviation, which
// damage to a few intervals does not move. Of a fast reader it is not
// measured.
func (w *workspace) spread(iv []int64, median int64) int64 {
	if median < slowReader {
		return median / 16
	}
	off := w.widths[:len(iv)]
	for i, v := range iv {
		off[i] = max(v-median, median-v)
	}
	return 5 * min(w.quantile(off, len(off)/2), median/8)
}

// isEven demands that so many intervals lie close to the median that a reader
// with a spacing of 0.3 to 6 ms practically never shows it. Damage disturbs
// some intervals, so half are enough where the others are very close to each
// other, and a quarter where nearly all the rest are holes, or parts of split
// intervals. Of a fast reader more is asked, because late stamps make its
// spacing uneven, and then nothing must be concluded from it.
func isEven(iv []int64, median, tolerance int64) bool {
	near, close := 0, 0
	for _, v := range iv {
		off := max(v-median, median-v)
		if off <= tolerance {
			near++
		}
		if off <= median/16 {
			close++
		}
	}
	m := len(iv)
	switch {
	case m < 10:
		return m >= 3 && close >= m-1
	case median < slowReader:
		return close*5 >= m*4
	}
	return close >= 8 && close*100 >= m*45 || near*10 >= m*7 || close*4 >= m && explained(iv, median)*20 >= m*17
}

// explained counts the intervals that are whole multiples of the median, alone
// or with their neighbour.
func explained(iv []int64, median int64) (n int) {
	for i := 0; i < len(iv); i++ {
		switch {
		case isMultiple(iv[i], median):
			n++
		case i+1 < len(iv) && isMultiple(iv[i]+iv[i+1], median):
			n += 2
			i++
		}
	}
	return n
}

// isMultiple reports whether v is one to four times the median, within a
// sixteenth of it.
func isMultiple(v, median int64) bool {
	k := (v + median/2) / median
	off := v - k*median
	return k >= 1 && k <= 4 && max(off, -off) <= median/16
}

// weigh follows how far the edges run ahead of, or behind, the interval
// through each run of intervals that are off. An extra edge, which splits an
// interval, leaves everything after it one interval early; a lost one, one
// late. A late stamp comes back by itself (one and a half, and a half), and a
// reader that hesitates is off by no whole interval: neither speaks against the
// bits, unless an edge is misplaced.
//
// complete says that the train has the bits of a card; stamps that are so late that
// they look like a hole are known by that alone.
func (tm *timing) weigh(iv []int64, complete bool) {
	T, tolerance := tm.interval, tm.tolerance()
	// What counts as one interval: 0.85, or down to 0.7 of a reader with
	// jitter. An exact one may have stamps later than that.
	whole := T - tolerance*12/5
	late := T - min(max(tm.jitter, T*3/100), T/8)*12/5
	var off, before int64 // how late the edges run; the interval before
	holes := 0
	for i := 0; i < len(iv); i++ {
		v := iv[i]
		if v-T <= tolerance && T-v <= tolerance {
			off, before = 0, T
			continue
		}
		if end := tm.pile(iv, i); complete && end > 0 {
			tm.uneven, tm.piled = tm.uneven+end-i, true
			i, off, before = end-1, 0, T
			continue
		}
		tm.uneven++
		tm.silence = tm.silence || isSilence(v, T)
		was := off
		off += v - T
		switch {
		case isHole(v, off, T, late):
			n := max(1, (v-T/2)/T) // whole intervals beyond the one
			tm.missing += int(n)
			holes++
			tm.hole = i + 1
			off -= n * T
		case isExtra(v, before, was, T, whole):
			tm.extra++
			off += T
		case off >= T || off <= -T:
			off = 0 // it hesitated
		}
		before = v
	}
	if tm.missing != 1 {
		tm.hole = 0
	}
	if holes >= 5 && tm.extra == 0 && !tm.silence {
		*tm = timing{interval: tm.interval, least: tm.least} // no damage: so it sends
	}
}

// pile is the end of a run of intervals from i on whose edges waited for the same
// interrupts, so that their stamps are one behind the other; 0 for none:
//
//	2¾ 0 0 ¼	the last edge was late by ¾, the first by 1¾
//	   0 0 ¼	the same at the start
//	2¾ 0 0		and at the end; of a fast reader also 2¾ alone
//
// Two edges of which the second is in time are none: there a pulse was lost, and
// the next came with another edge.
func (tm *timing) pile(iv []int64, i int) (end int) {
	T, slack := tm.interval, tm.interval/4
	atStart := i == 0 && iv[0] <= pileTime // nothing says when its first edge was due
	end = i
	if !atStart {
		if iv[i] <= T || iv[i] > T+maxLate {
			return 0
		}
		end++
	}
	first := end
	for end < len(iv) && iv[end] <= pileTime {
		end++
	}
	waited, atEnd := end-first, end == len(iv)
	if !atEnd {
		end++
	}
	late := -int64(end-i) * T // the run's last edge: that behind the pile, if there is one
	for _, v := range iv[i:end] {
		late += v
	}
	if !atEnd {
		if !atStart && max(late, -late) > slack {
			return 0
		}
		late = T - iv[end-1] // the pile's last edge
	}
	switch {
	case atStart && atEnd, late < -slack, late > lateEnd && atEnd, late > T+slack && !atEnd:
		return 0
	case waited == 0 && !(atEnd && T < slowReader), waited == 1 && late <= pileTime+T/16:
		return 0
	}
	return end
}

// isHole reports whether an interval v lacks an edge: it is longer by a whole
// interval, or is the one that makes the edges so late. off is how late they run
// after it.
func isHole(v, off, interval, whole int64) bool {
	return v-interval >= whole || off >= whole && v*3 > interval*5
}

// isExtra reports whether an edge too many ends an interval v: it is shorter by
// a whole interval, or it and the one before are parts of one. was is how late
// the edges ran before it.
func isExtra(v, before, was, interval, whole int64) bool {
	return interval-v >= whole && was*4 < interval ||
		was+v-interval <= -whole && (v+before)*5 <= interval*6
}

// misplaced reports whether, among exact intervals, an edge lies where no late
// stamp puts it: it is not the card's, and makes up the number where a bit was
// lost. Inside, it is early where a bit should be. At an end, where nothing
// holds it in place, it shifts every bit of a card that lost its other end.
func (tm *timing) misplaced(iv []int64) bool {
	T := tm.interval
	slack := max(T/8+tm.jitter, lateStamp)
	lateInside, lateAtEnd := int64(maxLate), min(max(T*3/5, slack), maxLate)
	if T < slowReader {
		lateInside, lateAtEnd = T, T
	}
	hesitates, oddStart, oddEnd := false, false, false
	late := int64(0) // how late the edge before a run may be: as the run before it ended
	for i := 0; i < len(iv); i++ {
		from := i
		var off, low, high int64
		if end := tm.pile(iv, from); tm.piled && end > 0 {
			i = end - 1
			continue
		}
		i, off, low, high = tm.run(iv, from)
		switch {
		case from == 0: // only the edge after it can be relied on
			oddStart = off > lateAtEnd
			if -off > lateAtEnd || low < min(off, 0)-slack {
				return true
			}
		case i == len(iv):
			oddEnd = off > lateAtEnd
			if low < -lateAtEnd-late {
				return true
			}
		default:
			hesitates = hesitates || off > slack
			oddStart = oddStart && off >= -slack // the second edge was late, not the first early
			if low < min(off, 0)-slack || high > max(off, 0)+lateInside {
				return true
			}
		}
		if i > from {
			late = max(off, 0)
		}
	}
	return (oddStart || oddEnd) && !hesitates // else it does so at the ends too
}

// run is the run of intervals from i on that are off, and the end of it: how
// far its last edge is from where the edge before the run puts it, and the
// earliest and the latest of them.
func (tm *timing) run(iv []int64, i int) (end int, off, low, high int64) {
	tolerance := tm.tolerance()
	for ; i < len(iv); i++ {
		v := iv[i] - tm.interval
		if v <= tolerance && -v <= tolerance || tm.piled && tm.pile(iv, i) > 0 {
			break
		}
		off += v
		low, high = min(low, off), max(high, off)
	}
	return i, off, low, high
}

// isSilence reports whether a distance is more than one lost bit and a late
// stamp explain: two lost in a row, or a stray edge well apart from the card.
func isSilence(v, interval int64) bool { return v*5 > interval*12 }

// quantile is the value of the given rank, 0 the smallest.
func (w *workspace) quantile(iv []int64, rank int) int64 {
	a := w.sorted[:copy(w.sorted[:], iv)]
	lo, hi := 0, len(a)-1
	for lo < hi {
		pivot := a[(lo+hi)/2]
		i, j := lo, hi
		for i <= j {
			for a[i] < pivot {
				i++
			}
			for a[j] > pivot {
				j--
			}
			if i <= j {
				a[i], a[j] = a[j], a[i]
				i++
				j--
			}
		}
		switch {
		case rank <= j:
			hi = j
		case rank >= i:
			lo = i
		default:
			return a[rank]
		}
	}
	return a[rank]
}

// workspace is scratch memory, kept so that nothing is allocated.
type workspace struct {
	row, level                [maxPulses]Edge
	intervals, sorted, widths [maxPulses]int64
	search                    search
}
