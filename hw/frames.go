package hw

import "stump/wiegand"

// stray is a fall that no reader sends.
type stray struct {
	ghost   bool // on the other line, within 100 µs of a real one
	bunched bool // within 20 µs of the fall before
}

// split cuts falls into frames where the lines were silent for much longer
// than between bits, and takes out falls that come too soon after another to
// be a bit: usual is the common distance of bits.
//
// It is kept apart from the decoder, which has to decide about a card: this
// only counts what was there.
func split(edges []wiegand.Edge, usual int64) (frames []frame, extra []stray) {
	if len(edges) == 0 {
		return nil, nil
	}
	gap := min(max(25_000_000, usual*5/2), 60_000_000)
	var cur frame
	end := func() {
		if cur.falls > 0 {
			frames = append(frames, cur)
		}
		cur = frame{}
	}
	bit, before := edges[0], edges[0] // the last bit, and the last fall
	cur.add(bit)
	for _, e := range edges[1:] {
		d := e.Time - bit.Time
		switch {
		case d >= gap:
			end()
			cur.add(e)
			bit = e
		case d < min(max(usual*11/20, groupNS), usual) && usual > 0:
			extra = append(extra, stray{
				ghost:   e.Line != bit.Line && d <= ghostNS,
				bunched: e.Time-before.Time < groupNS,
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
	end()
	return frames, extra
}

func (fr *frame) add(e wiegand.Edge) {
	fr.bits.Append(e.Line)
	fr.falls++
}
