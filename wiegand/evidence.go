package wiegand

// Every threshold is related to the median interval of the frame itself,
// except where physics gives a time.
const (
	// minInterval is the shortest distance of bits that a reader sends. The
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
)

// train is a row of falls that may be a card: a frame, or what remains of one
// when some edges are taken out.
type train []Edge

// bits is the train read as bits, the first MaxBits of it.
func (tr train) bits() (b Bits) {
	for _, e := range tr[:min(len(tr), MaxBits)] {
		b.hi = b.hi<<1 | b.lo>>63
		b.lo = b.lo<<1 | uint64(e.Line&1)
		b.n++
	}
	return b
}

// coincides reports whether two falls of different lines are one event: within
// so many ns.
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

// timing is what the spacing of a train shows.
type timing struct {
	interval int64 // median distance of bits
	jitter   int32 // how far from it the reader's intervals may be
	least    int32 // shortest distance
	most     int32 // longest distance
	smooth   bool  // all distances are within an eighth of each other
	even     bool  // strong evidence that the reader spaces its bits evenly

	silence bool // a pause, or of an uneven train several, that is no distance of bits

	// Of an even train:
	missing, extra int  // intervals too many or too few for the edges there are
	stray          bool // an edge is where no late stamp puts it
	hole           int  // with one missing: it is between this fall and the next; else -1
	uneven         int  // intervals that are off, whether or not they add up
}

// sound reports whether the spacing agrees with one bit an edge.
func (tm *timing) sound() bool {
	return tm.missing == 0 && tm.extra == 0 && !tm.silence && !tm.stray
}

// measure weighs the spacing of a train that should have n bits.
func (w *workspace) measure(tr train, n int) (tm timing) {
	tm.hole = -1
	m := len(tr) - 1
	if m < 1 {
		return tm
	}
	least, most := int64(CloseAfter), -CloseAfter
	before := tr[0].Time
	for i := 1; i < len(tr); i++ {
		v := tr[i].Time - before
		before = tr[i].Time
		least, most = min(least, v), max(most, v)
	}
	tm.least, tm.most = int32(least), int32(most)
	if m >= quickEdges && least >= minInterval && most-least <= least>>3 {
		tm.interval, tm.even, tm.smooth = (tr[m].Time-tr[0].Time)/int64(m), true, true
		return tm
	}
	iv := w.intervalsOf(tr)
	exact := w.mostlyEven(&tm, iv)
	if !exact {
		// With extra edges, the intervals of the reader are the longest ones.
		rank := m / 2
		if extra := len(tr) - n; extra > 0 && extra < m {
			rank = extra + (m-extra)/2
		}
		median := w.quantile(iv, rank)
		tm.interval = int64(median)
		if median >= minInterval {
			tm.jitter = w.spread(iv, median)
			tm.even = isEven(iv, median, tm.tolerance())
		}
	}
	if tm.even {
		tm.weigh(iv)
		tm.stray = exact && tm.uneven > 0 && tm.missing == 0 && tm.extra == 0 && tm.misplaced(iv)
	}
	if !tm.even {
		tm.silence = tr.tooUneven(tm.interval)
	}
	return tm
}

// intervalsOf are the distances between the falls of a train.
func (w *workspace) intervalsOf(tr train) []int32 {
	iv := w.intervals[:len(tr)-1]
	for i := range iv {
		iv[i] = int32(tr[i+1].Time - tr[i].Time)
	}
	return iv
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

// mostlyEven is a short cut for frames with little damage: where five of six
// intervals are close to one that was picked, no median need be found.
func (w *workspace) mostlyEven(tm *timing, iv []int32) bool {
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
			sum += int64(v)
			off += int64(max(d, -d))
		}
	}
	if near*6 < int64(m)*5 {
		return false
	}
	tm.interval = sum / near
	T := int32(tm.interval)
	tm.jitter = T / 16
	if T >= slowReader {
		tm.jitter = int32(4 * off / near)
	}
	tm.even = true
	return true
}

// tolerance is how far from the median an interval may be and still count as
// one: the frame's own jitter, from a sixteenth to an eighth of the interval.
func (tm *timing) tolerance() int32 {
	return min(max(tm.jitter, int32(tm.interval/16)), int32(tm.interval/8))
}

// spread is the jitter of a frame: five times the median deviation, which
// damage to a few intervals does not move. Of a fast reader it is not
// measured.
func (w *workspace) spread(iv []int32, median int32) int32 {
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
// some intervals, so half will do where the others are very close to each
// other, and a quarter where nearly all the rest are holes, or parts of split
// intervals. Of a fast reader more is asked, because late stamps make its
// spacing uneven, and then nothing must be concluded from it.
func isEven(iv []int32, median, tolerance int32) bool {
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
func explained(iv []int32, median int32) (n int) {
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
func isMultiple(v, median int32) bool {
	k := (v + median/2) / median
	off := v - k*median
	return k >= 1 && k <= 4 && off <= median/16 && -off <= median/16
}

// weigh follows how far the edges run ahead of, or behind, the interval
// through each run of intervals that are off. An extra edge, which splits an
// interval, leaves everything after it one interval early; a lost one, one
// late. A late stamp comes back by itself (one and a half, and a half), and a
// reader that hesitates is off by no whole interval: neither speaks against the
// bits, unless an edge is misplaced.
func (tm *timing) weigh(iv []int32) {
	T, tolerance := tm.interval, int64(tm.tolerance())
	// What counts as one interval: 0.85, or down to 0.7 of a reader with
	// jitter. An exact one may have stamps later than that.
	whole := T - int64(tm.tolerance())*12/5
	late := T - min(max(int64(tm.jitter), T*3/100), T/8)*12/5
	var off, before int64 // how late the edges run; the interval before
	holes := 0
	for i := range iv {
		v := int64(iv[i])
		if v-T <= tolerance && T-v <= tolerance {
			off, before = 0, T
			continue
		}
		tm.uneven++
		tm.silence = tm.silence || isSilence(v, T)
		was := off
		off += v - T
		switch {
		case v-T >= late || off >= late && v*3 > T*5:
			n := max(1, (v-T/2)/T) // whole intervals beyond the one
			tm.missing += int(n)
			if holes++; holes == 1 && n == 1 {
				tm.hole = i
			}
			off -= n * T
		case T-v >= whole && was*4 < T || off <= -whole && min(v, before)*20 < T*13 && (v+before)*5 <= T*6:
			tm.extra++
			off += T
		case off >= T || off <= -T:
			off = 0 // it hesitated
		}
		before = v
	}
	if tm.missing != 1 {
		tm.hole = -1
	}
	if holes >= 5 && tm.extra == 0 && !tm.silence {
		*tm = timing{interval: tm.interval, least: tm.least, most: tm.most, hole: -1} // no damage: so it sends
	}
}

// misplaced reports whether, among exact intervals, an edge lies where no late
// stamp puts it: it is none of the card's, and makes up the number where a bit
// was lost. Inside, it is early where a bit should be. At an end, where nothing
// holds it in place, it shifts every bit of a card that lost its other end.
func (tm *timing) misplaced(iv []int32) bool {
	T, tolerance := tm.interval, int64(tm.tolerance())
	slack := max(T/8+int64(tm.jitter), lateStamp)
	lateInside, lateAtEnd := int64(maxLate), min(max(T*3/5, slack), maxLate)
	if T < slowReader {
		lateInside, lateAtEnd = T, T
	}
	hesitates, oddStart, oddEnd := false, false, false
	late := int64(0) // how late the edge before a run may be: as the run before it ended
	for i := 0; i < len(iv); i++ {
		// A run of intervals that are off: how far the edges in it are from
		// where the edge before it puts them.
		from, off, low, high := i, int64(0), int64(0), int64(0)
		for ; i < len(iv); i++ {
			v := int64(iv[i]) - T
			if v <= tolerance && -v <= tolerance {
				break
			}
			off += v
			low, high = min(low, off), max(high, off)
		}
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

// isSilence reports whether a distance is more than one lost bit and a late
// stamp explain: two lost in a row, or a stray edge well apart from the card.
func isSilence(v, interval int64) bool { return v*5 > interval*12 }

// quantile is the value of the given rank, 0 the smallest.
func (w *workspace) quantile(iv []int32, rank int) int32 {
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
	row               [maxPulses]Edge
	intervals, sorted [maxPulses]int32
	widths            [maxPulses]int32
}
