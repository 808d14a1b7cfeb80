package wiegand

// Every threshold is related to the median interval of the frame itself,
// except where physics gives a time.
const (
	// minInterval is the shortest distance of bits that a reader sends. The
	// standard says 200 µs; stamps may be late, so half of it.
	minInterval = 100_000
	// together is how close falls of both lines are one event: no even
	// spacing can tell which of them is the bit.
	together = 5_000
	// glitchWidth is the widest pulse taken for a glitch; the standard's
	// narrowest pulse is 20 µs.
	glitchWidth = 12_000
	// slowReader is the interval above which the lateness of stamps (99 % under
	// 130 µs on a busy Raspberry Pi) can't hide what the spacing shows.
	slowReader = 1_000_000
)

// train is a row of falls that may be a card: a frame, or what remains of one
// when some edges are taken out.
type train struct {
	n    int
	t    [maxPulses]int64
	line [maxPulses]uint8
}

func (tr *train) add(t int64, line uint8) {
	tr.t[tr.n], tr.line[tr.n] = t, line
	tr.n++
}

// bits is the train read as bits, the first MaxBits of it.
func (tr *train) bits() Bits { return bitsOf(tr.line[:tr.n]) }

func bitsOf(lines []uint8) (b Bits) {
	for _, l := range lines {
		b.hi = b.hi<<1 | b.lo>>63
		b.lo = b.lo<<1 | uint64(l)
		b.n++
		if b.n == MaxBits {
			break
		}
	}
	return b
}

// timing is what the spacing of a train shows.
type timing struct {
	interval int64 // median distance of bits
	even     bool  // strong evidence that the reader spaces its bits evenly

	// Of an even train:
	missing, extra int  // intervals too many or too few for the edges there are
	silence        bool // a pause that no late stamp explains
	hole           int  // with one missing: it is between this fall and the next; else -1
	uneven         int  // intervals that are off, whether or not they add up
}

// sound reports whether the spacing agrees with one bit an edge.
func (tm *timing) sound() bool {
	return !tm.even || tm.missing == 0 && tm.extra == 0 && !tm.silence
}

// measure weighs the spacing of a train that should have n bits.
//
// It looks for chains of intervals that are off: two that add up to one (an
// extra edge), one of two (a lost edge), and so on. A chain that adds up to
// as many intervals as it has, such as one and a half and a half, is a late
// stamp; one that adds up to no whole number is a reader that hesitated.
// Neither speaks against the bits.
func (w *workspace) measure(tr *train, n int) (tm timing) {
	tm.hole = -1
	m := tr.n - 1
	if m < 1 {
		return tm
	}
	iv := w.intervals[:m]
	for i := range iv {
		iv[i] = int32(min(max(tr.t[i+1]-tr.t[i], -CloseAfter), CloseAfter))
	}
	// With extra edges, the intervals of the reader are the longest ones.
	rank := m / 2
	if extra := tr.n - n; extra > 0 && extra < m {
		rank = extra + (m-extra)/2
	}
	median := w.quantile(iv, rank)
	tm.interval = int64(median)
	if median < minInterval {
		return tm
	}
	tm.even = isEven(iv, median)
	if tm.even {
		tm.weigh(iv, median)
	}
	return tm
}

// isEven demands that so many intervals lie within a sixteenth of the median
// that an uneven reader (0.3 to 6 ms, or ±20 %) practically never shows it.
// Damage disturbs a few intervals, so less than half will do; of a fast
// reader more, because late stamps make its spacing uneven, and then nothing
// must be concluded from it.
func isEven(iv []int32, median int32) bool {
	near, tolerance := 0, median>>4
	for _, v := range iv {
		if v-median <= tolerance && median-v <= tolerance {
			near++
		}
	}
	m := len(iv)
	switch {
	case m < 10:
		return m >= 3 && near >= m-1
	case median < slowReader:
		return near*4 >= m*3
	}
	return near >= 8 && near*5 >= m*2
}

func (tm *timing) weigh(iv []int32, median int32) {
	T, tolerance := int64(median), median>>4
	var sum int64
	start, odd, holes := -1, false, 0
	for i, v := range iv {
		if v-median <= tolerance && median-v <= tolerance {
			start = -1 // a chain that did not add up
			continue
		}
		tm.uneven++
		if start < 0 {
			start, sum, odd = i, 0, false
		}
		sum += int64(v)
		odd = odd || int64(v)*20 < T*13 || int64(v)*2 > T*3
		if int64(v)*5 > T*12 {
			tm.silence = true
		}
		whole := (sum + T/2) / T
		if off := sum - whole*T; off*100 > T*15 || off*100 < -T*15 {
			continue
		}
		edges := int64(i - start + 1)
		if odd && whole > edges {
			tm.missing += int(whole - edges)
			holes++
			if holes == 1 && edges == 1 && whole == 2 {
				tm.hole = i
			}
		} else if odd && whole < edges {
			tm.extra += int(edges - whole)
		}
		start = -1
	}
	if tm.missing != 1 {
		tm.hole = -1
	}
	if holes >= 5 && tm.extra == 0 {
		*tm = timing{interval: tm.interval, hole: -1} // no damage: so it sends
	}
}

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

// coincide reports whether two falls of different lines are one event.
func (tr *train) coincide() bool {
	for i := 1; i < tr.n; i++ {
		if tr.line[i] != tr.line[i-1] && tr.t[i]-tr.t[i-1] <= together {
			return true
		}
	}
	return false
}

// workspace is scratch memory, kept so that nothing is allocated.
type workspace struct {
	whole, part       train
	intervals, sorted [maxPulses]int32
}
