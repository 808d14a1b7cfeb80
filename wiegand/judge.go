package wiegand

// judge decides what a closed frame is. It takes the frame as it is where the
// spacing allows, else tries the repairs in turn, each of which must leave a
// card without a fault, else names what is wrong.
func (d *Decoder) judge(f *frame, r *Read) {
	*r = Read{Start: f.fall[0].Time, End: f.end(), Count: f.n + f.more, Bits: Bits{hi: f.hi, lo: f.lo, n: uint8(min(f.n, MaxBits))}}
	d.smooth = false
	switch {
	case f.lost:
		r.Fault = FaultOverrun
		return
	case f.storm:
		r.Fault = FaultNoise
		return
	}
	whole := train(f.fall[:f.n])
	tm := d.work.measure(whole, d.nearest[f.n])
	r.Interval = tm.interval
	least := tm.least
	d.smooth = tm.smooth
	if d.lengths[f.n] && tm.sound() && !d.suspect(f, whole, &tm) {
		if d.deliver(r, r.Bits, &tm) {
			return
		}
		if tm.even { // one bit an edge, that is proved: nothing to repair
			d.swap.watch(d, r)
			return
		}
	}
	core := whole
	if tm.silence || !tm.even {
		core = d.core(r, f, whole, &tm)
	}
	if len(core) != len(whole) {
		tm = d.work.measure(core, d.nearest[len(core)])
		if d.lengths[len(core)] && tm.sound() && !core.coincides(together) && d.deliver(r, core.bits(), &tm) {
			return
		}
	}
	if d.repair(r, f, whole, core, &tm) {
		return
	}
	r.Start, r.End = f.fall[0].Time, f.end()
	tm.least = least
	r.Fault = d.blame(f, whole, &tm, r.Fault)
	d.swap.watch(d, r)
}

// repair tries what could have damaged the frame.
func (d *Decoder) repair(r *Read, f *frame, whole, core train, tm *timing) bool {
	if len(core) < d.shortest {
		return len(core) == len(whole) && d.withLost(r, core, tm)
	}
	return d.withoutExtra(r, core, tm) ||
		tm.least < minInterval && d.withoutBounce(r, core) ||
		d.withoutGlitches(r, f) ||
		len(core) == len(whole) && d.withLost(r, core, tm)
}

// suspect reports whether a frame with the bits of a card shows that some of
// its edges are none of the card's. On a fast reader late stamps can look so.
func (d *Decoder) suspect(f *frame, tr train, tm *timing) bool {
	switch {
	case tm.even && tm.uneven == 0:
		return false
	case tm.interval < slowReader:
		return false
	case tm.least <= together && tr.coincides(together):
		return true
	}
	return !tm.even && (tm.least < minInterval || d.opts.BothEdges && f.provedOdd(&d.work))
}

// core cuts stray edges that precede or follow the card at more than a
// silence's distance: at most three, or the frame is no card and some dirt.
func (d *Decoder) core(r *Read, f *frame, tr train, tm *timing) train {
	from, to, best := 0, len(tr), 0
	start := 0
	for i := 1; i <= len(tr); i++ {
		if i < len(tr) && !isSilence(tr[i].Time-tr[i-1].Time, tm.interval) {
			continue
		}
		if i-start > best {
			from, to, best = start, i, i-start
		}
		start = i
	}
	if len(tr)-best > 3 || best < 4 {
		return tr
	}
	if from > 0 || to < len(tr) {
		r.Start = tr[from].Time
		if to < len(tr) {
			r.End = tr[to-1].Time
		}
	}
	return tr[from:to]
}

// deliver completes r with what the bits are; it reports whether that is
// good.
func (d *Decoder) deliver(r *Read, b Bits, tm *timing) bool {
	if d.keyBits > 0 && b.Len() == d.keyBits {
		return d.deliverKey(r, b)
	}
	f, v, fault := d.identify(b)
	if fault != "" {
		r.Fault = fault
		return false
	}
	r.Bits, r.Format, r.Fields, r.Fault = b, f, v, ""
	d.learn(tm)
	d.swap = swapWatch{}
	return true
}

// deliverKey completes r with a key press.
func (d *Decoder) deliverKey(r *Read, b Bits) bool {
	v := b.lo & 0xf
	if v > 11 || d.keyBits == 8 && b.lo>>4 != v^0xf {
		r.Fault = FaultParity
		return false
	}
	r.Bits, r.Fault, r.Key = b, "", "0123456789*#"[v]
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

// blame names the fault of a frame that could not be read. checks is what the
// bits failed, if they were as many as a card has.
func (d *Decoder) blame(f *frame, tr train, tm *timing, checks Fault) Fault {
	late := tm.interval < slowReader && tm.interval >= minInterval // stamps may lie
	switch {
	case !late && tm.least <= nearly && tr.coincides(nearly) || d.opts.BothEdges && f.overlaps():
		return FaultCollision
	case f.n < 3 || !late && tm.least < minInterval && tr.crowded() >= 3 || tr.hum(tm.interval):
		return FaultNoise
	case d.opts.BothEdges && f.oddWidth(&d.work):
		return FaultWidth
	case !tm.sound():
		return FaultInterval
	case !d.lengths[f.n]:
		return FaultCount
	case checks == "":
		return FaultInterval
	}
	return checks
}

// hum reports whether all edges are on one line, a period of the mains apart.
func (tr train) hum(interval int64) bool {
	if interval < 15_500_000 || interval > 21_000_000 {
		return false
	}
	for i := range tr {
		if tr[i].Line != tr[0].Line {
			return false
		}
	}
	return true
}

// swapWatch notices exchanged lines: three equal frames, one after the other,
// that fail every check as they are and pass inverted. Noise passes inverted
// one time in four, so one frame proves nothing.
type swapWatch struct {
	bits  Bits
	times int
}

func (s *swapWatch) watch(d *Decoder, r *Read) {
	if r.Fault != FaultParity {
		return
	}
	_, _, fault := d.identify(r.Bits.Invert())
	switch {
	case fault != "":
		*s = swapWatch{}
	case s.bits == r.Bits:
		s.times++
	default:
		*s = swapWatch{r.Bits, 1}
	}
	if s.times >= 3 {
		r.Fault = FaultSwapped
	}
}
