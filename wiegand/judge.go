package wiegand

// judge decides what a closed frame is.
func (d *Decoder) judge(f *frame, r *Read) {
	*r = Read{Start: f.falls[0].Time, End: f.end(), Count: len(f.falls) + f.more, Bits: f.falls.bits()}
	switch {
	case f.lost:
		r.Fault = FaultOverrun
	case f.storm:
		r.Fault = FaultNoise
	case !d.accept(f, r):
		d.watchSwap(r)
		d.watchPause(f, r)
	case r.Key == 0:
		d.believe(f, r)
	}
}

// repeatTime is how soon the same card must come again to be believed, in
// nanoseconds.
const repeatTime = int64(10e9)

// doubt is the newest card that was not believed.
type doubt struct {
	bits Bits
	end  int64
}

// believe weighs a good card against chance and against what is known of the
// reader. One that is uneven, or unlike this reader's, is believed when the same
// bits come again: falls at random have the same bits once in millions.
func (d *Decoder) believe(f *frame, r *Read) {
	if d.basis > shapeChance && (!d.known.Known() || d.known.like(d.basis, r.Interval) && f.widthsBetween(d.known.Narrowest/2, d.known.Widest*2)) {
		if r.Repaired == "" {
			d.learn(f, r)
		}
		d.unlike = 0
		return
	}
	again := r.Bits == d.doubt.bits && r.Start-d.doubt.end <= repeatTime && r.Start > d.doubt.end
	d.doubt = doubt{r.Bits, r.End}
	if !again || r.Bits.uniform() {
		r.Format, r.Fields, r.Repaired, r.Fault = nil, Fields{}, "", FaultNoise
		return
	}
	if d.known.Known() {
		if d.unlike++; d.unlike < 3 {
			return
		}
		d.know(Profile{}) // another reader
		d.unlike, d.news = 0, true
	}
	d.learn(f, r)
}

// learn takes a good card into what is known of the reader.
func (d *Decoder) learn(f *frame, r *Read) {
	if d.known.Known() {
		return
	}
	d.known.add(d.basis, r.Interval, f.medianWidth(&d.work), r.Bits.Len())
	d.news = d.news || d.known.Cards%10 == 0
}

// accept takes the frame as it is where the spacing allows, else tries the
// repairs in turn, each of which must leave a card without a fault, else names
// what is wrong and returns false.
func (d *Decoder) accept(f *frame, r *Read) bool {
	whole, tm := d.align(f.falls, d.nearest(len(f.falls)))
	r.Interval, r.Even = tm.interval, tm.even
	least := tm.least
	if d.lengths[len(whole)] && tm.sound() && !d.suspect(f, whole, &tm) {
		if d.deliver(r, r.Bits, whole, &tm) {
			return true
		}
		if tm.even { // one bit an edge, that is proved: nothing to repair
			return false
		}
	}
	from, to := 0, len(whole)
	if tm.silence || !tm.even {
		from, to = whole.core(tm.interval)
	}
	core := whole[from:to]
	if len(core) < len(whole) {
		r.Start = f.falls[from].Time
		if to < len(whole) {
			r.End = f.falls[to-1].Time
		}
		tm = d.work.measure(core, d.nearest(len(core)))
		if d.lengths[len(core)] && tm.sound() && !core.coincides(together) && d.deliver(r, core.bits(), core, &tm) {
			return true
		}
	}
	if whole, ok := d.joined(whole, tm.interval); ok {
		core, r.Start, r.End = whole, f.falls[0].Time, f.end()
		tm = d.work.measure(core, d.nearest(len(core)))
		if d.lengths[len(core)] && tm.even && tm.sound() && d.deliver(r, core.bits(), core, &tm) {
			return true
		}
	}
	if d.repair(r, f, core, &tm) {
		return true
	}
	r.Start, r.End, tm.least = f.falls[0].Time, f.end(), least
	r.Fault = d.blame(f, &tm, r.Fault)
	return false
}

// repair tries what could have damaged the frame, of which core is left
// without stray edges.
func (d *Decoder) repair(r *Read, f *frame, core train, tm *timing) bool {
	if len(core) >= d.shortest && (d.withoutExtra(r, core, tm, 1) ||
		tm.least < minInterval && d.withoutBounce(r, core) ||
		d.withoutExtra(r, core, tm, 2) ||
		d.withoutGlitches(r, f)) {
		return true
	}
	return len(core) == len(f.falls) && d.withLost(r, core, tm)
}

// suspect reports whether a frame with the bits of a card shows that some of
// its edges are not the card's, where late stamps don't explain it.
func (d *Decoder) suspect(f *frame, tr train, tm *timing) bool {
	switch {
	case tm.even:
		return tm.uneven > 0 && !tm.piled && tm.interval >= slowReader && tr.coincides(together)
	case f.oddWidths(&d.work, true):
		return true
	case !tr.coincides(together) && tm.least >= minInterval && !f.overlaps():
		return false
	}
	return tm.interval >= slowReader || !d.work.onLattice(tr)
}

// core is the range without the stray edges that precede or follow the card at
// more than a silence's distance: at most three, or the frame is not a card and
// some dirt.
func (tr train) core(interval int64) (from, to int) {
	from, to = 0, 0
	start := 0
	for i := 1; i <= len(tr); i++ {
		if i < len(tr) && !isSilence(tr[i].Time-tr[i-1].Time, interval) {
			continue
		}
		if i-start > to-from {
			from, to = start, i
		}
		start = i
	}
	if len(tr)-(to-from) > 3 || to-from < 4 {
		return 0, len(tr)
	}
	return from, to
}

// deliver completes r with what a train and its bits are; it reports whether that
// is good.
func (d *Decoder) deliver(r *Read, b Bits, tr train, tm *timing) bool {
	if b.Len() == d.keyBits {
		return d.deliverKey(r, b)
	}
	f, v, fault := d.identify(b)
	if fault != "" {
		r.Fault = fault
		return false
	}
	r.Bits, r.Format, r.Fields, r.Fault = b, f, v, ""
	if tm.even && tm.interval >= minInterval {
		d.interval = tm.interval
	}
	d.basis = d.work.shapeOf(tr, tm)
	d.swap = swapWatch{}
	d.unknown.good(b)
	return true
}

// deliverKey completes r with a key press.
func (d *Decoder) deliverKey(r *Read, b Bits) bool {
	key, ok := d.key(b)
	if !ok {
		r.Fault = FaultParity
		return false
	}
	r.Bits, r.Fault, r.Key = b, "", key
	return true
}

// identify finds the first enabled format that b fits, in the site's ranges. b has
// the length of at least one format.
func (d *Decoder) identify(b Bits) (*Format, Fields, Fault) {
	fault := FaultParity
	for _, f := range d.opts.Formats {
		v, ok := f.Unpack(b)
		if ok && d.accepts(b, v) {
			return f, v, ""
		}
		if ok {
			fault = FaultPrefix
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
func (d *Decoder) blame(f *frame, tm *timing, checks Fault) Fault {
	late := tm.even && tm.interval < slowReader // stamps may be wrong
	switch {
	case !late && tm.least <= nearly && f.falls.coincides(nearly), f.overlaps():
		return FaultCollision
	case len(f.falls) < 3, !late && tm.least < minInterval && f.falls.crowded() >= 3, f.falls.hum(tm.interval):
		return FaultNoise
	case f.oddWidths(&d.work, false):
		return FaultWidth
	case !tm.sound():
		return FaultInterval
	case !d.lengths[len(f.falls)]:
		return FaultCount
	case checks == "":
		return FaultInterval
	}
	return checks
}

// hum reports whether all edges are on one line, a period of the mains apart:
// 50 or 60 Hz.
func (tr train) hum(interval int64) bool {
	return interval >= 15_500_000 && interval <= 21_000_000 && tr.sameLine(0, len(tr)-1)
}
