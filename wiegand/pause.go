package wiegand

// A reader that is busy may pause inside a card, for longer than any interval
// between bits. Waiting so long after every frame would join cards that follow
// each other, so the decoder waits only for a reader that is known to pause:
// three times two even parts, one soon after the other, made a card.

const (
	// maxPause, in nanoseconds, is the longest pause inside a card.
	maxPause = int64(80e6)
	// pausesKnown is how often a pause must have been seen.
	pausesKnown = 3
	// leastPart is the fewest bits of a part whose spacing is judged.
	leastPart = 4
)

// part is a refused frame that may be the beginning of a card.
type part struct {
	bits     Bits
	interval int64
	end      int64
}

// watchPause notices refused frames that are two parts of a card.
func (d *Decoder) watchPause(f *frame, r *Read) {
	before := d.part
	d.part = part{}
	if n := len(f.falls); r.Fault != FaultCount && r.Fault != FaultParity || n < leastPart || n > MaxBits {
		return
	}
	tm := d.work.measure(f.falls, len(f.falls))
	if !tm.even || !tm.sound() {
		return
	}
	d.part = part{f.falls.bits(), tm.interval, f.last}
	gap, off := f.falls[0].Time-before.end, tm.interval-before.interval
	n := before.bits.Len() + d.part.bits.Len()
	if before.bits.Len() == 0 || gap <= CloseAfter || gap > maxPause || max(off, -off) > tm.interval/8 || n > MaxBits || !d.lengths[n] {
		return
	}
	if _, _, fault := d.identify(before.bits.join(d.part.bits)); fault != "" {
		return
	}
	d.part = part{}
	if d.pauses++; d.pauses >= pausesKnown && gap > d.known.Pause {
		d.known.Pause, d.news = gap, true
		d.know(d.known)
	}
}

// know sets what is known of the reader.
func (d *Decoder) know(p Profile) {
	d.known, d.patience = p, CloseAfter
	if p.Pause > 0 {
		d.patience = max(CloseAfter, p.Pause*5/4)
	}
}

// joined is a train without its pause, if there is one and the reader is known to
// make them.
func (d *Decoder) joined(tr train, interval int64) (train, bool) {
	at := 0
	for i := 1; i < len(tr) && d.known.Pause > 0; i++ {
		switch gap := tr[i].Time - tr[i-1].Time; {
		case gap <= max(8*interval, CloseAfter):
		case at > 0:
			return tr, false
		default:
			at = i
		}
	}
	if at == 0 {
		return tr, false
	}
	out := append(train(d.work.level[:0]), tr...)
	by := out[at].Time - out[at-1].Time - interval
	for i := at; i < len(out); i++ {
		out[i].Time -= by
	}
	return out, true
}
