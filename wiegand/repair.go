package wiegand

import "slices"

const (
	// glitchWidth, in nanoseconds, is the widest pulse taken for a glitch; the
	// standard's narrowest pulse is 20 µs.
	glitchWidth = 12_000
	// bounceTime, in nanoseconds, is how soon a line falls again when a contact
	// or a slow edge bounces.
	bounceTime = 20_000
)

// withoutExtra removes one edge from a frame that has one too many, where that
// leaves the spacing even and no other removal does. The spacing proves which
// edge is not the card's. Where the extra edge is so close to a bit on the other
// line that either could be the bit, the better fit is removed, and what is left
// must pass a parity bit that the alternative would fail.
func (d *Decoder) withoutExtra(r *Read, tr train, tm *timing) bool {
	n := len(tr)
	if n < 10 || !d.lengths[n-1] || !tm.even {
		return false
	}
	best, second := d.work.removals(tr, tm.interval, tm.tolerance())
	if best < 0 || tm.missing == 1 && d.lengths[n+1] {
		return false // a longer card that lost the bit beside its first or last leaves the same hole
	}
	b := d.work.without(tr, best).bits()
	if tr.closeBy(best) || !d.deliver(r, b, tm) {
		return false
	}
	if second >= 0 && !tellsApart(r.Format, b, d.work.without(tr, second).bits()) {
		r.Format, r.Fields, r.Fault = nil, Fields{}, FaultInterval
		return false
	}
	r.Repaired = RepairGlitch
	if best > 0 && tr.bounces(best) {
		r.Repaired = RepairBounce
	}
	return true
}

// bounces reports whether fall i repeats the one before it.
func (tr train) bounces(i int) bool {
	return tr[i].Line == tr[i-1].Line && tr[i].Time-tr[i-1].Time <= bounceTime
}

// without is tr without fall i.
func (w *workspace) without(tr train, i int) train {
	return append(append(train(w.row[:0]), tr[:i]...), tr[i+1:]...)
}

// closeBy reports whether fall i came together with one of the other line.
func (tr train) closeBy(i int) bool {
	return tr[max(i-1, 0):min(i+2, len(tr))].coincides(together)
}

// removals finds the falls whose removal leaves even intervals: the one that fits
// best and, where its removal gives other bits, a second; -1 for none. A removal
// changes only the intervals on both sides of a fall, so those that are off must be
// there.
func (w *workspace) removals(tr train, interval, tolerance int64) (best, second int) {
	best, second = -1, -1
	slack := max(interval/8, tolerance*3/2)
	isOff := func(v int64) bool { return v-interval > slack || interval-v > slack }
	square := func(v int64) int64 { return (v - interval) * (v - interval) }
	iv := w.intervalsOf(tr)
	first := slices.IndexFunc(iv, isOff)
	if first < 0 {
		return best, second
	}
	last := len(iv) - 1
	for !isOff(iv[last]) {
		last--
	}
	var bestFit int64
	for i := last; i <= first+1; i++ {
		var fit int64 // what it adds to the squares: less than 0
		if i == 0 || i == len(tr)-1 {
			if v := iv[first]; v*4 > interval*3 && v*4 < interval*5 {
				continue // may be a bit of a longer card, stamped late
			}
			fit = -square(iv[first])
		} else {
			a, b := iv[i-1], iv[i]
			if isOff(a + b) {
				continue
			}
			fit = square(a+b) - square(a) - square(b)
		}
		if fit < bestFit {
			best, second, bestFit = i, best, fit
		} else {
			second = i
		}
	}
	if second >= 0 && tr.sameLine(min(best, second), max(best, second)) {
		second = -1 // the same bits, whichever is removed
	}
	return best, second
}

// tellsApart reports whether a and b differ in at most one bit, and a parity bit
// of f covers that.
func tellsApart(f *Format, a, b Bits) bool {
	at := -1
	for i := range a.Len() {
		if a.Bit(i) != b.Bit(i) {
			if at >= 0 {
				return false
			}
			at = i
		}
	}
	return at < 0 || f.covers(at)
}

// withoutBounce removes falls that repeat on the line of a pulse, right
// after its fall or, because it bounces at its end too, within a quarter of the
// interval. Whichever of them is the bit's, the bits are the same.
func (d *Decoder) withoutBounce(r *Read, tr train) bool {
	w := &d.work
	left := tr.settled(w, minInterval)
	tm := w.measure(left, d.nearest(len(left)))
	if !d.lengths[len(left)] {
		left = tr.settled(w, max(minInterval, tm.interval/4))
		tm = w.measure(left, d.nearest(len(left)))
		if !tm.even {
			return false
		}
	}
	if len(left) == len(tr) || !d.lengths[len(left)] || !tm.sound() || left.coincides(together) || !d.deliver(r, left.bits(), &tm) {
		return false
	}
	r.Repaired, r.Interval = RepairBounce, tm.interval
	return true
}

// settled is the train without the falls that repeat on a line within reach
// of its pulse, in nanoseconds.
func (tr train) settled(w *workspace, reach int64) train {
	left := train(w.row[:0])
	for _, e := range tr {
		if k := len(left); k == 0 || left[k-1].Line != e.Line || e.Time-left[k-1].Time > reach {
			left = append(left, e)
		}
	}
	return left
}

// oneLost reports whether a hole of two intervals is all that is off.
func (tm *timing) oneLost() bool { return tm.hole > 0 && tm.uneven == 1 && !tm.silence }

// withLost puts one lost pulse back: its place is the hole of two intervals
// in an otherwise even frame, its value the only one that passes the parity.
// All enabled formats that can tell must agree.
func (d *Decoder) withLost(r *Read, tr train, tm *timing) bool {
	n := len(tr) + 1
	if !d.opts.RepairLost || n == d.keyBits || !tm.oneLost() {
		return false
	}
	b := tr.bits().insert(tm.hole)
	var found Read
	for _, f := range d.opts.Formats {
		if f.Len != n || !f.covers(tm.hole) {
			continue
		}
		for _, c := range [2]Bits{b, b.Flip(tm.hole)} {
			v, ok := f.Unpack(c)
			switch {
			case !ok || !d.accepts(c, v):
			case found.Format == nil:
				found = Read{Bits: c, Format: f, Fields: v}
			case found.Bits != c:
				return false
			}
		}
	}
	if found.Format == nil {
		return false
	}
	r.Bits, r.Format, r.Fields, r.Fault, r.Repaired = found.Bits, found.Format, found.Fields, "", RepairLost
	return true
}
