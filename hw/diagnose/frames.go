package diagnose

import "stump/wiegand"

// frame is what a group of falls would read as.
type frame struct {
	bits  wiegand.Bits // without what came too soon to be a bit
	all   wiegand.Bits // every fall as a bit
	falls int          // in bits
	holes int          // places where a fall is missing, by the timing
	from  int64        // the first fall
	to    int64        // the last
	extra []stray      // what came too soon
	good  bool
	// inverse: it would be good with the lines exchanged.
	inverse bool
}

// stray is a fall that no reader sends.
type stray struct {
	ghost   bool // on the other line, within 100 µs of a real one
	bunched bool // within 20 µs of the fall before
}

// split cuts falls into frames where the lines were silent for much longer
// than between bits, and sets apart falls that come too soon after another to
// be a bit: usual is the common distance of bits.
//
// It is kept apart from the decoder, which has to decide about a card: this
// only counts what was there.
func split(edges []wiegand.Edge, usual int64) (frames []frame) {
	if len(edges) == 0 {
		return nil
	}
	gap := min(max(25_000_000, usual*5/2), 60_000_000)
	var cur frame
	bit, before := edges[0], edges[0] // the last bit, and the last fall
	cur.add(bit)
	for _, e := range edges[1:] {
		d := e.Time - bit.Time
		switch {
		case d >= gap:
			frames, cur = append(frames, cur), frame{}
			cur.add(e)
			bit = e
		case usual > 0 && d < min(max(usual*11/20, bunchNS), usual):
			cur.all.Append(e.Line)
			cur.extra = append(cur.extra, stray{
				ghost:   e.Line != bit.Line && d <= ghostNS,
				bunched: e.Time-before.Time < bunchNS,
			})
		default:
			if usual > 0 && d > usual*3/2 {
				cur.holes += int((d+usual/2)/usual) - 1
			}
			cur.add(e)
			bit = e
		}
		before = e
	}
	return append(frames, cur)
}

func (fr *frame) add(e wiegand.Edge) {
	if fr.falls == 0 {
		fr.from = e.Time
	}
	fr.to = e.Time
	fr.bits.Append(e.Line)
	fr.all.Append(e.Line)
	fr.falls++
}

// only: all of its falls are on one line.
func (fr *frame) only(line int) bool {
	for i := range fr.all.Len() {
		if int(fr.all.Bit(i)) != line {
			return false
		}
	}
	return true
}

// judge holds a frame against the site's formats. Where all falls together are
// a card, none is too many: one was only stamped late.
func (fr *frame) judge(formats []*wiegand.Format) {
	if len(fr.extra) > 0 && fits(fr.all, formats) {
		fr.bits, fr.falls, fr.extra = fr.all, fr.all.Len(), nil
	}
	fr.good = fits(fr.bits, formats)
	fr.inverse = fits(fr.bits.Invert(), formats)
}

func fits(b wiegand.Bits, formats []*wiegand.Format) bool {
	for _, f := range formats {
		if _, ok := f.Unpack(b); ok {
			return true
		}
	}
	return false
}
