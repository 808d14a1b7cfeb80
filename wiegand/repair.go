package wiegand

const (
	// glitchWidth is the widest pulse taken for a glitch; the standard's
	// narrowest pulse is 20 µs.
	glitchWidth = 12_000
	// bounceTime is how soon a line falls again when a contact or a slow
	// edge bounces.
	bounceTime = 20_000
)

// withoutExtra takes one edge out of a frame that has one too many, where
// that leaves the spacing even and nothing else does. The spacing proves
// which edge is not the card's. Where the extra edge is so close to a bit on
// the other line that either could be the one, the better fit is taken, and
// must pass a parity bit that the other would fail.
func (d *Decoder) withoutExtra(r *Read, tr train, tm *timing) bool {
	n := len(tr)
	if n < 10 || !d.lengths[n-1] || !tm.even {
		return false
	}
	best, second, ok := d.work.removals(tr, tm.interval, int64(tm.tolerance()))
	if !ok {
		return false
	}
	if tm.missing == 1 && d.lengths[min(n+1, maxPulses)] && (best == 0 || best == n-1) {
		return false // a longer card that lost the bit beside its first or last leaves the same hole
	}
	w := &d.work
	left := append(train(w.row[:0]), tr...)
	left = left.without(best)
	if left.coincides(together) || closeBy(tr, best) {
		return false
	}
	b := left.bits()
	if !d.deliver(r, b, tm) {
		return false
	}
	if second >= 0 {
		other := append(train(w.row[:0]), tr...).without(second).bits()
		if !tellsApart(r.Format, b, other) {
			r.Format, r.Fields, r.Fault = nil, Fields{}, FaultInterval
			return false
		}
	}
	r.Repaired = RepairGlitch
	if best > 0 && tr[best].Line == tr[best-1].Line && tr[best].Time-tr[best-1].Time <= bounceTime {
		r.Repaired = RepairBounce
	}
	return true
}

// without removes fall i in place.
func (tr train) without(i int) train {
	copy(tr[i:], tr[i+1:])
	return tr[:len(tr)-1]
}

// closeBy reports whether fall i came together with one of the other line.
func closeBy(tr train, i int) bool {
	before := i > 0 && tr[i-1].Line != tr[i].Line && tr[i].Time-tr[i-1].Time <= together
	return before || i+1 < len(tr) && tr[i+1].Line != tr[i].Line && tr[i+1].Time-tr[i].Time <= together
}

// removals finds the falls of which each, taken out alone, leaves even
// intervals: the best fit and, where that gives other bits, the next best; -1
// for none. ok is false when there is none, or when the intervals are even as
// they are: then nothing shows that an edge is extra.
func (w *workspace) removals(tr train, interval, tolerance int64) (best, second int, ok bool) {
	n := len(tr)
	iv := w.intervalsOf(tr)
	slack := max(interval/8, tolerance*3/2)
	off := func(v int64) (int, int64) {
		d := v - interval
		if d > slack || d < -slack {
			return 1, d * d
		}
		return 0, d * d
	}
	var bad int
	var total int64
	for _, v := range iv {
		o, sq := off(int64(v))
		bad += o
		total += sq
	}
	if bad == 0 || bad > 2 {
		return -1, -1, false
	}
	best, second = -1, -1
	var bestFit, secondFit int64
	for i := range n {
		left, fit := bad, total
		switch {
		case i == 0 || i == n-1:
			v := int64(iv[min(i, n-2)])
			if v*4 > interval*3 && v*4 < interval*5 {
				continue // may be a bit of a longer card, stamped late
			}
			o, sq := off(v)
			left, fit = left-o, fit-sq
		default:
			o1, sq1 := off(int64(iv[i-1]))
			o2, sq2 := off(int64(iv[i]))
			o, sq := off(int64(iv[i-1]) + int64(iv[i]))
			left, fit = left-o1-o2+o, fit-sq1-sq2+sq
		}
		switch {
		case left != 0:
		case best < 0:
			best, bestFit = i, fit
		case tr.sameRun(best, i):
			if fit < bestFit {
				best, bestFit = i, fit
			}
		case fit < bestFit:
			best, bestFit, second, secondFit = i, fit, best, bestFit
		case second < 0 || fit < secondFit:
			second, secondFit = i, fit
		}
	}
	return best, second, best >= 0
}

// sameRun reports whether all falls from i to j are of one line: then it is
// the same bits whichever of them is taken out.
func (tr train) sameRun(i, j int) bool {
	for k := i + 1; k <= j; k++ {
		if tr[k].Line != tr[i].Line {
			return false
		}
	}
	return true
}

// tellsApart reports whether a parity bit of f covers a bit in which a and b
// differ, and they differ in one.
func tellsApart(f *Format, a, b Bits) bool {
	at := -1
	for i := range a.Len() {
		if a.Bit(i) == b.Bit(i) {
			continue
		}
		if at >= 0 {
			return false
		}
		at = i
	}
	return at < 0 || f.Covered(at)
}

// withoutBounce takes out falls that repeat on the line of a pulse, right
// after its fall or, as it bounces at its end too, within a quarter of the
// interval. Whichever of them is the bit's, the bits are the same.
func (d *Decoder) withoutBounce(r *Read, tr train) bool {
	w := &d.work
	reach := int64(minInterval)
	left := tr.settled(w, reach)
	after := w.measure(left, d.nearest[len(left)])
	if !d.lengths[len(left)] && len(left) > d.shortest && after.interval/4 > reach {
		reach = after.interval / 4
		left = tr.settled(w, reach)
		after = w.measure(left, d.nearest[len(left)])
	}
	if reach > minInterval && !after.even {
		return false
	}
	if len(left) == len(tr) || !d.lengths[len(left)] || !after.sound() || left.coincides(together) || !d.deliver(r, left.bits(), &after) {
		return false
	}
	r.Repaired, r.Interval = RepairBounce, after.interval
	return true
}

// settled is the train without the falls that repeat on a line within reach
// of its pulse.
func (tr train) settled(w *workspace, reach int64) train {
	left := train(w.row[:0])
	var since int64
	for i := range tr {
		if k := len(left); k > 0 && left[k-1].Line == tr[i].Line && tr[i].Time-since <= reach {
			continue
		}
		since = tr[i].Time
		left = append(left, tr[i])
	}
	return left
}

// withLost puts one lost pulse back: its place is the hole of two intervals
// in an otherwise even frame, its value the only one that passes the parity.
// All enabled formats that can tell must agree.
func (d *Decoder) withLost(r *Read, tr train, tm *timing) bool {
	n := len(tr) + 1
	if !d.opts.RepairLost || n > MaxBits || !d.lengths[n] || n == d.keyBits ||
		!tm.even || tm.hole < 0 || tm.missing != 1 || tm.extra != 0 || tm.uneven != 1 || tm.silence {
		return false
	}
	place := tm.hole + 1
	received := tr.bits()
	b := received.insert(place)
	var found *Format
	var bits Bits
	var fields Fields
	for _, f := range d.opts.Formats {
		if f.Len != n || !f.Covered(place) {
			continue
		}
		for _, c := range [2]Bits{b, b.Flip(place)} {
			v, ok := f.Unpack(c)
			switch {
			case !ok || !d.accepts(c, v):
			case found == nil:
				found, bits, fields = f, c, v
			case bits != c:
				return false
			}
		}
	}
	if found == nil {
		return false
	}
	r.Bits, r.Format, r.Fields, r.Fault, r.Repaired = bits, found, fields, "", RepairLost
	return true
}
