package wiegand

// What only both edges show: how long a line was low.

// medianWidth is the median low time of the frame's pulses, 0 where too few
// are known.
func (f *frame) medianWidth(w *workspace) int32 {
	widths := w.widths[:0]
	for _, v := range f.width[:f.n] {
		if v >= 0 {
			widths = append(widths, v)
		}
	}
	if len(widths) < 4 || 2*len(widths) < f.n {
		return 0
	}
	return w.quantile(widths, len(widths)/2)
}

// isGlitch reports whether a pulse is too narrow for a reader, and for this
// one.
func isGlitch(width, median int32) bool {
	return width >= 0 && width <= glitchWidth && 2*width <= median
}

// withoutGlitches takes out every pulse of a few µs. A frame that is left
// with the bits of a card and no fault is proved by the widths, unless one of
// its pulses is still half as wide as the others: then the noise had wider
// ones too.
func (d *Decoder) withoutGlitches(r *Read, f *frame) bool {
	if !d.opts.BothEdges {
		return false
	}
	w := &d.work
	median := f.medianWidth(w)
	left := train(w.row[:0])
	for i, v := range f.width[:f.n] {
		switch {
		case isGlitch(v, median):
		case v >= 0 && 2*v <= median:
			return false
		default:
			left = append(left, f.fall[i])
		}
	}
	n := len(left)
	if n == f.n || !d.lengths[n] || left.coincides(together) {
		return false
	}
	tm := w.measure(left, n)
	if !tm.sound() || !d.deliver(r, left.bits(), &tm) {
		return false
	}
	r.Start, r.Repaired, r.Interval = left[0].Time, RepairGlitch, tm.interval
	return true
}

// oddWidth reports whether some pulses are unlike the others, when the others
// are alike: four of five within 30 % of the median.
func (f *frame) oddWidth(w *workspace) bool {
	alike, odd, known := f.compareWidths(w)
	return odd > 0 && alike*5 >= known*4
}

// provedOdd reports whether some pulses are unlike the others and nothing
// between: late stamps, which make wide and narrow pulses, make others too.
func (f *frame) provedOdd(w *workspace) bool {
	alike, odd, known := f.compareWidths(w)
	return odd > 0 && alike*5 >= known*4 && alike+odd == known
}

// compareWidths counts the pulses as wide as most, within 30 %, those that are
// glitches or five times as wide, and all whose width is known.
func (f *frame) compareWidths(w *workspace) (alike, odd, known int) {
	median := f.medianWidth(w)
	if median == 0 {
		return 0, 0, 0
	}
	for _, v := range f.width[:f.n] {
		if v < 0 {
			continue
		}
		known++
		switch diff := v - median; {
		case diff <= median*3/10 && -diff <= median*3/10:
			alike++
		case isGlitch(v, median) || v/5 > median:
			odd++
		}
	}
	return alike, odd, known
}

// overlaps reports whether both lines were low at once for longer than a
// glitch lasts.
func (f *frame) overlaps() bool {
	for i := 1; i < f.n; i++ {
		for j := i - 1; j >= 0 && j >= i-2; j-- {
			if f.fall[i].Line == f.fall[j].Line || f.width[j] < 0 {
				continue
			}
			both := f.fall[j].Time + int64(f.width[j]) - f.fall[i].Time
			if f.width[i] >= 0 {
				both = min(both, int64(f.width[i]))
			}
			if both > glitchWidth {
				return true
			}
		}
	}
	return false
}
