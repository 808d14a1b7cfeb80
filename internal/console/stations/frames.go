package stations

import (
	"cmp"
	"fmt"
	"strings"

	"stump/internal/api/wire"
)

// Frame is a refused frame as a picture: a stroke for each pulse, with time to the right.
type Frame struct {
	Reader, Says string
	Strokes      [2]string // the path of each line
}

// The picture's measures, in its own units.
const (
	waveWidth  = 1000.0
	waveMargin = 6.0
	waveStroke = 22 // the height of a stroke
	waveRow    = 34 // of a line
	mostEdges  = 2000
)

// Drawn adds the frames that were refused.
func (v *View) Drawn(frames []wire.BadFrame) {
	for _, f := range frames {
		v.Frames = append(v.Frames, v.draw(f))
	}
}

func (v *View) draw(f wire.BadFrame) Frame {
	edges := f.Edges[:min(len(f.Edges), mostEdges)]
	var first, span int64
	if len(edges) > 0 {
		first = edges[0].Time
		span = max(edges[len(edges)-1].Time-first, 1)
	}
	var paths [2]strings.Builder
	for _, e := range edges {
		if e.Rising || e.Line > 1 {
			continue
		}
		x := waveMargin + (waveWidth-2*waveMargin)*float64(e.Time-first)/float64(span)
		fmt.Fprintf(&paths[e.Line], "M%.1f %dv%d", x, 6+waveRow*int(e.Line), waveStroke)
	}
	fault := "?"
	if f.Fault != nil {
		fault = v.Told(string(*f.Fault))
	}
	return Frame{
		Reader: f.Reader, Says: fmt.Sprintf("%s, %d bit, %.1f ms", cmp.Or(fault, "?"), f.Count, float64(f.EndNS-f.StartNS)/1e6),
		Strokes: [2]string{paths[0].String(), paths[1].String()},
	}
}
