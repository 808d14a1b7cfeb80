package wiegand

// shape is what the spacing of a frame says about whether a reader sent it: 26
// falls at random pass two parity bits one time in four.
type shape uint8

const (
	shapeChance  shape = iota // falls at random look like it
	shapeRegular              // as a reader that varies its intervals, and falls at random one time in ten thousand
	shapeEven                 // as a reader that means them to be the same; chance never
)

// minShape is the fewest intervals whose variation tells a reader from chance.
const minShape = 20

// shapeOf is the shape of a train that measure has weighed. The intervals of
// falls at random vary by their mean: those of a frame of 26 by half of it one
// time in ten thousand, by a quarter never.
func (w *workspace) shapeOf(tr train, tm *timing) shape {
	switch {
	case tm.even:
		return shapeEven
	case tm.interval < slowReader && w.onLattice(tr):
		return shapeEven
	case len(tr) < 4: // too short to tell, and for a station too short to be a card
		return shapeRegular
	case len(tr) <= minShape:
		return shapeChance
	}
	switch v := tr.variance(); {
	case tm.least < minInterval || v > 1./4, v <= 1./8 && tm.interval < slowReader:
		return shapeChance
	case v > 1./16:
		return shapeRegular
	}
	return shapeEven
}

// variance is that of the intervals, in squares of their mean.
func (tr train) variance() float64 {
	m := len(tr) - 1
	mean := float64(tr[m].Time-tr[0].Time) / float64(m)
	squares := 0.
	for i := range m {
		off := float64(tr[i+1].Time-tr[i].Time)/mean - 1
		squares += off * off
	}
	return squares / float64(m)
}

// onLattice reports whether the falls lie where an even reader puts them, but for
// stamps that are late, as a fast reader's look: half of them within a quarter
// of an interval, and none early. One that is late by an interval has the next
// right behind it; after a lost pulse that is an interval away.
func (w *workspace) onLattice(tr train) bool {
	n := len(tr)
	if n <= minShape {
		return false
	}
	T := w.latticeOf(tr)
	if T < minInterval {
		return false
	}
	late := w.intervals[:n]
	for i := range late {
		late[i] = tr[i].Time - tr[0].Time - int64(i)*T
	}
	base := w.quantile(late, n/2)
	near, hole := 0, false
	for i, v := range late {
		was := hole
		v -= base
		alone := v >= T*3/4 && i+1 < n && !tr.waits(i)
		hole = alone && tr[i+1].Time-tr[i].Time > T/2
		switch {
		case v < -T/2, v > maxLate, i+1 == n && v > lateEnd:
			return false
		case alone && v >= T*7/8 && (was || tr[i+1].Time-tr[i].Time > T*7/8):
			return false
		case v <= T/4:
			near++
		}
	}
	return near*2 >= n
}

// waits reports whether one of the next falls waited for the interrupt of the one
// before it.
func (tr train) waits(i int) bool {
	for k := i + 1; k < min(i+4, len(tr)); k++ {
		if tr[k].Time-tr[k-1].Time <= together {
			return true
		}
	}
	return false
}

// latticeOf is the interval of a train whose stamps are late, as a mean over spans
// of several, without those in which an interval is missing or too many.
func (w *workspace) latticeOf(tr train) int64 {
	const span = 5
	spans := w.intervals[:len(tr)-span]
	for i := range spans {
		spans[i] = tr[i+span].Time - tr[i].Time
	}
	middle := w.quantile(spans, len(spans)/2)
	if middle <= 0 {
		return 0 // times that go back
	}
	var sum, n int64
	for _, v := range spans {
		if off := v - middle; 2*span*max(off, -off) <= middle {
			sum += v
			n += span
		}
	}
	return sum / n
}
