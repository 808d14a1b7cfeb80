package wiegand

// What only both edges show: how long a line was low. Without them a frame has
// no widths, and none of this finds anything.

// medianWidth is the median low time of the frame's pulses, 0 where too few
// are known.
func (f *frame) medianWidth(w *workspace) int64 {
	known := w.widths[:0]
	for _, v := range f.widths {
		if v >= 0 {
			known = append(known, v)
		}
	}
	if len(known) < 4 || 2*len(known) < len(f.widths) {
		return 0
	}
	return w.quantile(known, len(known)/2)
}

// widthsBetween reports whether the median width is between two, or not known, or
// these are not.
func (f *frame) widthsBetween(narrow, wide int64) bool {
	if wide == 0 {
		return true
	}
	below, above := 0, 0
	for _, v := range f.widths {
		switch {
		case v < 0:
		case v < narrow:
			below++
		case v > wide:
			above++
		}
	}
	return 2*max(below, above) <= len(f.widths)
}

// isGlitch reports whether a pulse is too narrow for a reader, and for this
// one.
func isGlitch(width, median int64) bool {
	return width >= 0 && width <= glitchWidth && 2*width <= median
}

// withoutGlitches removes every pulse of a few µs. If the rest has the bits of a
// card and no fault, the widths prove it, unless one of its pulses is still at most
// half as wide as the others: then the noise has wider pulses too.
func (d *Decoder) withoutGlitches(r *Read, f *frame) bool {
	w := &d.work
	median := f.medianWidth(w)
	left := train(w.row[:0])
	for i, v := range f.widths {
		switch {
		case isGlitch(v, median):
		case v >= 0 && 2*v <= median:
			return false
		default:
			left = append(left, f.falls[i])
		}
	}
	n := len(left)
	if n == len(f.falls) || !d.lengths[n] || left.coincides(together) {
		return false
	}
	tm := w.measure(left, n)
	if !tm.sound() || !d.deliver(r, left.bits(), left, &tm) {
		return false
	}
	r.Start, r.Repaired, r.Interval = left[0].Time, RepairGlitch, tm.interval
	return true
}

// oddWidths reports whether some pulses are glitches or five times as wide as
// most, where four of five are alike: within 30 % of the median. With clear,
// there must be no pulses between alike and odd, which late stamps make.
func (f *frame) oddWidths(w *workspace, clear bool) bool {
	median := f.medianWidth(w)
	if median == 0 {
		return false
	}
	alike, odd, known := 0, 0, 0
	for _, v := range f.widths {
		if v < 0 {
			continue
		}
		known++
		switch diff := v - median; {
		case max(diff, -diff) <= median*3/10:
			alike++
		case isGlitch(v, median) || v/5 > median:
			odd++
		}
	}
	return odd > 0 && alike*5 >= known*4 && !(clear && alike+odd < known)
}

// overlaps reports whether both lines were low at once for longer than a
// glitch lasts.
func (f *frame) overlaps() bool {
	for i := 1; i < len(f.widths); i++ {
		for j := i - 1; j >= 0 && j >= i-2; j-- {
			if f.falls[i].Line == f.falls[j].Line || f.widths[j] < 0 {
				continue
			}
			both := f.falls[j].Time + f.widths[j] - f.falls[i].Time
			if f.widths[i] >= 0 {
				both = min(both, f.widths[i])
			}
			if both > glitchWidth {
				return true
			}
		}
	}
	return false
}
