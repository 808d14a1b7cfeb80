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

// maxExtra is how many extra edges are looked for.
const maxExtra = 2

// withoutExtra removes so many edges, one or two, from a frame that has them too many,
// where that leaves the spacing even and no other removal does. The spacing
// proves which edges are not the card's. Where an extra edge is so close to a bit
// on the other line that either could be the bit, the better fit is removed, and
// what is left must pass a parity bit that the alternative would fail.
func (d *Decoder) withoutExtra(r *Read, tr train, tm *timing, extra int) bool {
	n := len(tr)
	if n < 10 || !d.lengths[n-extra] || !tm.even || tm.missing == 1 && d.lengths[n+1] {
		return false // a longer card that lost the bit beside its first or last leaves the same hole
	}
	w := &d.work
	w.search = search{tr: tr, interval: tm.interval, slack: max(tm.interval/8, tm.tolerance()*3/2)}
	w.thin(removal{}, extra)
	found := w.search.found[:w.search.n]
	if len(found) == 0 {
		return false
	}
	best := found[0]
	for _, f := range found[1:] {
		if f.fit < best.fit {
			best = f
		}
	}
	left := best.apply(tr, w.row[:0])
	if best.closeBy(tr) || !d.deliver(r, left.bits(), left, tm) {
		return false
	}
	b := r.Bits
	for _, f := range found {
		if !tellsApart(r.Format, b, f.apply(tr, w.row[:0]).bits()) {
			r.Format, r.Fields, r.Fault = nil, Fields{}, FaultInterval
			return false
		}
	}
	r.Repaired = RepairGlitch
	if i := best.out[0]; extra == 1 && i > 0 && tr.bounces(i) {
		r.Repaired = RepairBounce
	}
	return true
}

// bounces reports whether fall i repeats the one before it.
func (tr train) bounces(i int) bool {
	return tr[i].Line == tr[i-1].Line && tr[i].Time-tr[i-1].Time <= bounceTime
}

// removal is some edges of a train that are left out, in order, and how far the
// intervals of the others are from even: the sum of their squares.
type removal struct {
	out [maxExtra]int
	n   int
	fit int64
}

func (r removal) has(i int) bool { return slices.Contains(r.out[:r.n], i) }

// with is r with one more edge.
func (r removal) with(i int) removal {
	r.out[r.n] = i
	r.n++
	slices.Sort(r.out[:r.n])
	return r
}

// apply appends what is left of a train.
func (r removal) apply(tr, left train) train {
	for i, e := range tr {
		if !r.has(i) {
			left = append(left, e)
		}
	}
	return left
}

// closeBy reports whether an edge that is left out came together with one of the
// other line that is not.
func (r removal) closeBy(tr train) bool {
	for _, i := range r.out[:r.n] {
		for j := max(i-2, 0); j < min(i+3, len(tr)); j++ {
			if off := tr[i].Time - tr[j].Time; tr[i].Line != tr[j].Line && max(off, -off) <= together && !r.has(j) {
				return true
			}
		}
	}
	return false
}

// search is the search for removals that leave even intervals.
type search struct {
	tr              train
	interval, slack int64
	found           [1 << maxExtra]removal
	n               int
}

// thin finds the ways to leave out so many edges more. The first interval that is
// off tells which: where it is short, one of its two edges, and where it is long,
// all that are beyond it at an end.
func (w *workspace) thin(r removal, more int) {
	s := &w.search
	left := r.apply(s.tr, w.row[:0])
	iv := w.intervalsOf(left)
	first := -1
	r.fit = 0
	for i, v := range iv {
		off := v - s.interval
		r.fit += off * off
		if first < 0 && max(off, -off) > s.slack {
			first = i
		}
	}
	switch last := len(iv) - 1; {
	case first < 0 && more == 0:
		if !slices.Contains(s.found[:s.n], r) {
			s.found[s.n] = r
			s.n++
		}
	case first < 0 || more == 0:
	case iv[first] < s.interval:
		w.thinAt(r, iv, first, more)
		w.thinAt(r, w.intervalsOf(r.apply(s.tr, w.row[:0])), first+1, more)
	case first < more:
		w.thinAt(r, iv, 0, more)
	case last-first < more:
		w.thinAt(r, iv, last+1, more)
	}
}

// thinAt goes on without fall i of those that are left, unless it is an end and
// where a bit of a longer card would be.
func (w *workspace) thinAt(r removal, iv []int64, i, more int) {
	if i == 0 || i == len(iv) {
		if v := iv[min(i, len(iv)-1)]; v*4 > w.search.interval*3 && v*4 < w.search.interval*5 {
			return // may be a bit of a longer card, stamped late
		}
	}
	for _, out := range r.out[:r.n] {
		if out <= i {
			i++ // its place in the whole train
		}
	}
	w.thin(r.with(i), more-1)
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
	if len(left) == len(tr) || !d.lengths[len(left)] || !tm.sound() || left.coincides(together) || !d.deliver(r, left.bits(), left, &tm) {
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
	d.basis = shapeEven
	r.Bits, r.Format, r.Fields, r.Fault, r.Repaired = found.Bits, found.Format, found.Fields, "", RepairLost
	return true
}
