package diagnose

import (
	"slices"

	"stump/wiegand"
)

// frame is what a group of falls would read as.
type frame struct {
	bits    wiegand.Bits // without what came too soon to be a bit
	all     wiegand.Bits // every fall as a bit
	holes   int          // falls that are missing, by the timing
	from    int64        // the first fall
	to      int64        // the last
	extra   int          // falls that came too soon: no reader sends them
	ghosts  int          // of these, on the other line within 100 µs of a real one
	bunched int          // of these, within 20 µs of the fall before
	good    bool
	inverse bool // it would be good with the lines exchanged
}

// split cuts falls into frames where the lines were silent for much longer than
// between bits, and sets apart falls that come too soon after another to be a
// bit. usual is the usual distance of bits.
//
// The decoder does the same, but has to decide about a card; this only counts
// what was there.
func split(edges []wiegand.Edge, usual int64) (frames []frame) {
	gap := min(max(25_000_000, usual*5/2), 60_000_000)
	var cur frame
	var bit wiegand.Edge // the last one
	for i, e := range edges {
		d := e.Time - bit.Time
		switch {
		case i == 0:
		case d >= gap:
			frames, cur = append(frames, cur), frame{}
		case d < min(max(usual*11/20, bunchNS), usual):
			cur.all.Append(e.Line)
			cur.extra++
			if e.Line != bit.Line && d <= ghostNS {
				cur.ghosts++
			}
			if e.Time-edges[i-1].Time < bunchNS {
				cur.bunched++
			}
			continue
		case usual > 0 && d > usual*3/2:
			cur.holes += int((d+usual/2)/usual) - 1
		}
		if cur.bits.Len() == 0 {
			cur.from = e.Time
		}
		bit, cur.to = e, e.Time
		cur.bits.Append(e.Line)
		cur.all.Append(e.Line)
	}
	return append(frames, cur)
}

// only reports whether all of its falls are on one line.
func (fr *frame) only(line int) bool {
	for i := range fr.all.Len() {
		if int(fr.all.Bit(i)) != line {
			return false
		}
	}
	return true
}

// judge holds a frame against the site's formats. Where all falls together are a
// card, none is too many: one was stamped late.
func (fr *frame) judge(formats []*wiegand.Format) {
	if fits(fr.all, formats) {
		fr.bits, fr.extra, fr.ghosts, fr.bunched = fr.all, 0, 0, 0
	}
	fr.good = fits(fr.bits, formats)
	fr.inverse = fits(fr.bits.Invert(), formats)
}

func fits(b wiegand.Bits, formats []*wiegand.Format) bool {
	return slices.ContainsFunc(formats, func(f *wiegand.Format) bool {
		_, ok := f.Unpack(b)
		return ok
	})
}
