package wiring

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"
)

// drawHeaders draws the headers that have wires and returns where their pins
// are.
func (w *Plan) drawHeaders(d *drawing, ties []connection) points {
	to, y := points{}, topY
	for _, h := range w.headers(ties) {
		y = w.drawHeaderSVG(d, h, y, ties, to)
	}
	return to
}

func (w *Plan) drawHeaderSVG(d *drawing, header string, y int, ties []connection, to points) (bottom int) {
	if header != "" {
		d.text(headerX+columnGap/2, y-8, 14, "middle", "bold", header)
	}
	rows := 0
	seen := map[point]bool{}
	var pins strings.Builder
	for _, p := range w.Board.Pins {
		h, r, col := p.Position()
		at := point{headerX + col*columnGap, y + 16 + r*pitch}
		if h != header || seen[at] {
			continue
		}
		seen[at], rows = true, max(rows, r+1)
		to[p.Name] = at
		t, tied := tieOf(ties, p)
		fill, label, weight, edge := "#ffffff", short(p), "normal", 1
		if tied {
			edge = 3
			fill, weight = cmp.Or(svgColours[t.Colour], "#9e9e9e"), "bold"
			label += "  " + t.Wire
		}
		shape := fmt.Sprintf(`<circle cx="%d" cy="%d" r="9" fill="%s" stroke="#444" stroke-width="%d"/>`, at.x, at.y, fill, edge)
		if strings.HasSuffix(p.Name, "_1") || p.Name == "1" { // a square marks pin 1 on every board
			shape = fmt.Sprintf(`<rect x="%d" y="%d" width="18" height="18" fill="%s" stroke="#444" stroke-width="%d"/>`, at.x-9, at.y-9, fill, edge)
		}
		fmt.Fprintf(&pins, "%s\n<text x=\"%d\" y=\"%d\" font-size=\"9\" text-anchor=\"middle\" fill=\"%s\">%s</text>\n", shape, at.x, at.y+3, ink(fill), pinNumber(p))
		x, anchor, dy := at.x+22, "start", 4
		if col == 0 {
			x, anchor, dy = at.x-22, "end", -3
			if !tied {
				dy = 4
			}
		}
		fmt.Fprintf(&pins, `<text x="%d" y="%d" font-size="11" text-anchor="%s" font-weight="%s">%s</text>`+"\n", x, at.y+dy, anchor, weight, html.EscapeString(label))
	}
	d.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="4" fill="none" stroke="#444" stroke-width="2"/>`, headerX-16, y, columnGap+32, rows*pitch+6)
	d.b.WriteString(pins.String())
	bottom = y + rows*pitch + 6
	d.height = max(d.height, bottom)
	return bottom + 50
}

// ink is a colour that can be read on another.
func ink(fill string) string {
	switch fill {
	case "#ffffff", "#fdd835", "#d2b48c", "#f48fb1", "#f57c00":
		return "#222"
	}
	return "#fff"
}

// drawTies draws the wires to the header, each in its lane. A wire to the
// second column passes below the pin beside it.
func (w *Plan) drawTies(d *drawing, ties []connection, from, to points) {
	ordered := slices.Clone(ties)
	slices.SortStableFunc(ordered, func(a, b connection) int { return cmp.Compare(to[a.Pin.Name].y, to[b.Pin.Name].y) })
	// Wires that go up take lanes from the left, wires that go down from the
	// right: then neighbours do not cross.
	apart := min(lanePitch, lanes/max(len(ties)-1, 1))
	up, down := laneX, laneX+apart*(len(ties)-1)
	for _, t := range ordered {
		source := from[t.source()]
		at := to[t.Pin.Name]
		lane := up
		if at.y > source.y {
			lane, down = down, down-apart
		} else {
			up += apart
		}
		if _, _, column := t.Pin.Position(); column == 0 {
			d.wire(t.Colour, source, point{lane, source.y}, point{lane, at.y}, at)
			continue
		}
		below := at.y + pitch/2
		d.wire(t.Colour, source, point{lane, source.y}, point{lane, below}, point{at.x, below}, at)
	}
}

// source is the name of the point that a wire to the header leaves from.
func (t connection) source() string {
	switch {
	case t.part == partDisplay:
		return "display " + t.Point
	case t.part == partSwitch:
		return t.Wire
	}
	return t.Point
}
