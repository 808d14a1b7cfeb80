package wiegand

// judge decides what a closed frame is.
func (d *Decoder) judge(f *frame) Read {
	r := Read{Start: f.t[0], End: f.end, Count: f.falls, Bits: bitsOf(f.line[:f.n])}
	switch {
	case f.lost:
		r.Fault = FaultOverrun
		return r
	case f.storm:
		r.Fault = FaultNoise
		return r
	}
	w := &d.work
	tr := &w.whole
	tr.n = 0
	for i := range f.n {
		tr.add(f.t[i], f.line[i])
	}
	n := tr.n
	if !d.lengths[n] {
		n = d.nearestLength(n)
	}
	tm := w.measure(tr, n)
	r.Interval = tm.interval
	if d.lengths[tr.n] && tm.sound() {
		if d.deliver(&r, tr.bits(), &tm) {
			return r
		}
	}
	if r.Fault == "" {
		r.Fault = FaultCount
		if d.lengths[tr.n] || tm.even && !tm.sound() {
			r.Fault = FaultInterval
		}
	}
	return r
}

// nearestLength is the enabled number of bits nearest to n.
func (d *Decoder) nearestLength(n int) int {
	for k := 0; k <= maxPulses; k++ {
		if n-k > 0 && d.lengths[n-k] {
			return n - k
		}
		if n+k <= maxPulses && d.lengths[n+k] {
			return n + k
		}
	}
	return n
}

// deliver completes r with what the bits are; it reports whether that is
// good.
func (d *Decoder) deliver(r *Read, b Bits, tm *timing) bool {
	f, v, fault := d.identify(b)
	if fault != "" {
		r.Fault = fault
		return false
	}
	r.Bits, r.Format, r.Fields, r.Fault = b, f, v, ""
	if tm.even && tm.interval > 0 {
		d.interval = tm.interval
	}
	return true
}

// identify finds the first enabled format that b fits, in the site's ranges.
func (d *Decoder) identify(b Bits) (*Format, Fields, Fault) {
	fault := FaultCount
	for _, f := range d.opts.Formats {
		if f.Len != b.Len() {
			continue
		}
		v, ok := f.Unpack(b)
		if ok && d.accepts(b, v) {
			return f, v, ""
		}
		if ok {
			fault = FaultPrefix
		} else if fault == FaultCount {
			fault = FaultParity
		}
	}
	return nil, Fields{}, fault
}

func (d *Decoder) accepts(b Bits, v Fields) bool {
	for i := range d.opts.Accept {
		if d.opts.Accept[i].Contains(b, v) {
			return true
		}
	}
	return len(d.opts.Accept) == 0
}
