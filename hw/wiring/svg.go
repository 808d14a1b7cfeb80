package wiring

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"sort"
	"strings"

	"stump/hw/board"
	"stump/internal/wrap"
)

// The picture: reader and display on the left, converter and transistors in the
// middle, the header on the right. Between the middle and the header every wire
// has a vertical lane of its own, so that wires cross but never cover each
// other. All measures are pixels.
const (
	svgWidth   = 1080
	pitch      = 26  // between rows of the header, and between points of a part
	readerX    = 30  // left edges of the parts
	middleX    = 330 //
	partWidth  = 150
	laneX      = 520 // the first lane
	lanePitch  = 16
	lanes      = 190 // room for them: the pins' names begin at its end
	headerX    = 850 // the header's first column
	columnGap  = 28
	topY       = 96
	readerEdge = readerX + partWidth // right edges of the parts
	middleEdge = middleX + partWidth
)

// svgColour is how a colour is drawn. One that is not known is slate, and its name
// stands beside the wire.
func svgColour(colour string) string { return cmp.Or(drawn[strings.ToLower(colour)].svg, "#607d8b") }

type point struct{ x, y int }

// picture is an SVG under way.
type picture struct {
	*Plan
	all         []connection
	colours     colours
	wires, body strings.Builder // wires are below everything else
	height      int

	sources map[string]point // where a display's or an output's wire begins, by its label
	points  map[string]point // where the wires to the header begin
	pins    map[string]point // and where they end
}

func (d *picture) printf(format string, a ...any) { fmt.Fprintf(&d.body, format+"\n", a...) }

func (d *picture) text(x, y, size int, anchor, weight, s string) {
	d.printf(`<text x="%d" y="%d" font-size="%d" text-anchor="%s" font-weight="%s">%s</text>`, x, y, size, anchor, weight, html.EscapeString(s))
}

// left and right write beside a point at an edge of a part.
func (d *picture) left(edge, y int, s string)  { d.text(edge+8, y+5, 12, "start", "normal", s) }
func (d *picture) right(edge, y int, s string) { d.text(edge-8, y+5, 12, "end", "normal", s) }

// wire draws a line through the points, with a dark edge so that white is seen
// and a light one so that crossings are.
func (d *picture) wire(colour string, at ...point) {
	path := ""
	for i, p := range at {
		path += fmt.Sprintf("%s%d %d", []string{"M", "L"}[min(i, 1)], p.x, p.y)
		d.height = max(d.height, p.y)
	}
	for _, stroke := range []struct {
		colour string
		width  int
	}{{"#f7f5f0", 8}, {"#444444", 5}, {svgColour(colour), 3}} {
		fmt.Fprintf(&d.wires, `<path d="%s" fill="none" stroke="%s" stroke-width="%d" stroke-linejoin="round"/>`+"\n", path, stroke.colour, stroke.width)
	}
}

// box draws a part with room for that many points.
func (d *picture) box(x, y, points int, title, fill string) {
	h := points*pitch + 42
	d.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="8" fill="%s" stroke="#444"/>`, x, y, partWidth, h, fill)
	d.text(x+partWidth/2, y+20, 14, "middle", "bold", title)
	d.height = max(d.height, y+h)
}

// row is the height of a part's n-th point. Parts begin at topY and multiples
// of half a pitch below, so that no point is level with a pin of the header or
// with the gap below one: wires that run level would cover each other.
func row(y, n int) int { return y + 49 + n*pitch }

// SVG draws the plan as a picture that can be printed.
func (p *Plan) SVG() (string, error) {
	all, err := p.connections()
	if err != nil {
		return "", err
	}
	d := &picture{Plan: p, all: all, colours: p.palette(), sources: map[string]point{}, points: map[string]point{}, pins: map[string]point{}}
	d.drawParts()
	y := topY
	for _, h := range headers(all) {
		y = d.drawHeader(h, y)
	}
	d.drawWires()
	bottom := d.drawNotes(d.height + 40)
	colours := "as configured"
	if p.Colours == (board.Colours{}) {
		colours = "HID's. Other makers use others: go by the reader's sheet"
	}
	var out strings.Builder
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="DejaVu Sans, Verdana, sans-serif" fill="#222">`+"\n", svgWidth, bottom, svgWidth, bottom)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#f7f5f0"/>`+"\n", svgWidth, bottom)
	fmt.Fprintf(&out, `<text x="30" y="40" font-size="22" font-weight="bold">Reader to %s</text>`+"\n", html.EscapeString(p.Board.Name))
	fmt.Fprintf(&out, `<text x="30" y="64" font-size="13">Wire colours of the reader: %s.</text>`+"\n", html.EscapeString(colours))
	return out.String() + d.wires.String() + d.body.String() + "</svg>\n", nil
}

// drawParts draws everything left of the lanes, and the wires between parts.
func (d *picture) drawParts() {
	c, terminals := d.colours, d.harness().terminals()
	rows := []partRow{{"+ 5 V", "HV", "LV", c.Power}}
	for i, t := range terminals {
		rows = append(rows, partRow{t.label, channel("HV", i+1), channel("LV", i+1), t.colour})
	}
	rows = append(rows, partRow{"GND", "GND", "GND", c.Ground})
	// The wires through the converter's channels after the reader's own.
	extra := slices.DeleteFunc(slices.Clone(d.all), func(c connection) bool { return c.channel <= len(terminals) })
	sort.SliceStable(extra, func(i, j int) bool { return extra[i].channel < extra[j].channel })
	readerRows, middleRows := len(rows)+2+len(d.Outputs), len(rows)+len(extra)
	d.box(readerX, topY, readerRows, d.readerName(), "#e8eef7")
	if d.wired() || d.converts() {
		d.box(middleX, topY, middleRows, map[bool]string{true: "voltage divider", false: "level converter"}[d.Divider], "#e9f5e6")
		d.drawRows(rows)
	}
	if !d.wired() {
		d.text(readerX+partWidth/2, row(topY, 0), 11, "middle", "normal", "any USB socket")
	}
	for i, o := range d.Outputs {
		y := row(topY, len(rows)+i) + pitch/2 // between the channels' rows
		d.sources[o.Name] = point{readerEdge, y}
		d.right(readerEdge, y, o.Name+"  "+d.colours.output(o.Name))
	}
	d.drawDisplay(topY + max(readerRows, middleRows+d.switches()+2)*pitch + 65)
	for n, t := range extra {
		y, source := row(topY, len(rows)+n), d.sources[t.label]
		d.left(middleX, y, channel("HV", t.channel))
		d.right(middleEdge, y, t.point)
		d.points[t.point] = point{middleEdge, y}
		lane := readerEdge + 60 + 16*n
		d.wire(t.colour, source, point{lane, source.y}, point{lane, y}, point{middleX, y})
	}
	d.drawSwitches(topY + middleRows*pitch + 65)
	if d.dataLines() {
		hold := row(topY, len(rows)+len(d.Outputs)) + pitch/2
		d.right(readerEdge, hold, "HOLD  "+c.Hold)
		d.wire(c.Hold, point{readerEdge, hold}, point{readerEdge + 18, hold})
		d.left(readerEdge+16, hold, "tape")
	}
}

// readerName is what the reader is called in the pictures.
func (p *Plan) readerName() string {
	if p.dataLines() {
		return "card reader"
	}
	return p.Kind + " reader"
}

// partRow is a wire from the reader to the converter, or the divider.
type partRow struct{ reader, left, right, colour string }

// drawRows draws the wires between reader and converter.
func (d *picture) drawRows(rows []partRow) {
	c := d.colours
	// 5 V leaves the reader's + wire and goes over the converter.
	junction, over := point{middleX - 50, row(topY, 0)}, topY-14
	d.points["HV"] = point{middleEdge, over}
	d.wire(c.Power, junction, point{junction.x, over}, d.points["HV"])
	if d.Board.Supplies.ReaderPlus == "" {
		d.left(middleEdge-4, over, "5 V of a supply of its own")
	}
	// Reader and converter have the same rows, so that wires run straight.
	for i, r := range rows {
		y, start, end := row(topY, i), readerEdge, middleX
		d.points[r.right] = point{middleEdge, y}
		switch {
		case d.Divider && i == 0:
			r.left, r.right, end = "", "", junction.x
		case d.Divider && r.reader != "GND":
			r.left, r.right = "10 kΩ", "20 kΩ to GND"
		}
		if !d.wired() { // the converter alone
			start = junction.x
		} else {
			d.right(readerEdge, y, r.reader+"  "+r.colour)
		}
		if d.wired() || i == 0 {
			d.wire(r.colour, point{start, y}, point{end, y})
		}
		d.left(middleX, y, r.left)
		d.right(middleEdge, y, r.right)
	}
	if !d.Divider && d.wired() {
		d.printf(`<circle cx="%d" cy="%d" r="5" fill="#444"/>`, junction.x, junction.y)
	}
}

// drawDisplay draws the display and the keyboard below the other parts.
func (d *picture) drawDisplay(y int) {
	if d.Keyboard {
		d.box(middleX, y+156, 1, "USB keyboard", "#eeeeee")
		d.text(middleX+partWidth/2, row(y+156, 0), 11, "middle", "normal", "any USB socket")
	}
	names := d.displayPoints()
	if len(names) == 0 {
		return
	}
	d.box(readerX, y, len(names)+2, "display", "#fdf3dd")
	for i, n := range slices.Concat(names, []string{"VCC", "GND"}) {
		at := point{readerEdge, row(y, i)}
		d.sources["display "+n], d.points["display "+n] = at, at
		if n == "VCC" {
			n = "VCC 5 V"
		}
		d.right(readerEdge, at.y, n)
	}
}

// drawSwitches draws the transistors below the converter.
func (d *picture) drawSwitches(y int) {
	if d.switches() == 0 {
		return
	}
	d.box(middleX, y, d.switches(), "transistors", "#f3e8f5")
	n := 0
	for _, o := range d.Outputs {
		if o.ActiveLow {
			continue
		}
		source, in := d.sources[o.Name], row(y, n)
		lane := readerEdge + 134 - 14*n
		d.wire(d.colours.output(o.Name), source, point{lane, source.y}, point{lane, in}, point{middleX, in})
		d.left(middleX, in, "drain")
		d.right(middleEdge, in, "gate")
		d.points[o.Name] = point{middleEdge, in}
		n++
	}
}

func (d *picture) drawHeader(header string, y int) (bottom int) {
	if header != "" {
		d.text(headerX+columnGap/2, y-8, 14, "middle", "bold", header)
	}
	places, rows := d.places(header, d.all)
	d.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="4" fill="none" stroke="#444" stroke-width="2"/>`, headerX-16, y, columnGap+32, rows*pitch+6)
	for _, p := range places {
		at := point{headerX + p.column*columnGap, y + 16 + p.row*pitch}
		d.pins[p.Name] = at
		fill, label, weight, edge := "#ffffff", short(p.Pin), "normal", 1
		if p.wire != nil {
			fill, weight, edge = svgColour(p.wire.colour), "bold", 3
			label += "  " + p.wire.label
		}
		if p.Mark() == "1" { // a square marks pin 1 on every board
			d.printf(`<rect x="%d" y="%d" width="18" height="18" fill="%s" stroke="#444" stroke-width="%d"/>`, at.x-9, at.y-9, fill, edge)
		} else {
			d.printf(`<circle cx="%d" cy="%d" r="9" fill="%s" stroke="#444" stroke-width="%d"/>`, at.x, at.y, fill, edge)
		}
		size := 9
		if len(p.Mark()) > 2 {
			size = 6
		}
		d.printf(`<text x="%d" y="%d" font-size="%d" text-anchor="middle" fill="%s">%s</text>`, at.x, at.y+3, size, ink(fill), p.Mark())
		switch {
		case p.column == 1:
			d.text(at.x+22, at.y+4, 11, "start", weight, label)
		case p.wire != nil: // above the wire
			d.text(at.x-22, at.y-3, 11, "end", weight, label)
		default:
			d.text(at.x-22, at.y+4, 11, "end", weight, label)
		}
	}
	bottom = y + rows*pitch + 6
	d.height = max(d.height, bottom)
	return bottom + 50
}

// ink is a colour that can be read on another.
func ink(fill string) string {
	switch fill {
	case "#ffffff", "#fdd835", "#d2b48c", "#f48fb1", "#f57c00", "#00bcd4", "#c0ca33":
		return "#222"
	}
	return "#fff"
}

// drawWires draws the wires to the header, each in its lane. A wire to the
// second column passes below the pin beside it.
func (d *picture) drawWires() {
	ordered := slices.Clone(d.all)
	sort.SliceStable(ordered, func(i, j int) bool { return d.pins[ordered[i].pin.Name].y < d.pins[ordered[j].pin.Name].y })
	// Wires that go up take lanes from the left, wires that go down from the
	// right, so that neighbours do not cross.
	apart := min(lanePitch, lanes/max(len(ordered)-1, 1))
	up, down := laneX, laneX+apart*(len(ordered)-1)
	for _, c := range ordered {
		source, at := d.points[c.point], d.pins[c.pin.Name]
		lane := up
		if at.y > source.y {
			lane, down = down, down-apart
		} else {
			up += apart
		}
		path := []point{source, {lane, source.y}, {lane, at.y}, at}
		if _, _, column := c.pin.Position(); column == 1 {
			below := at.y + pitch/2
			path = []point{source, {lane, source.y}, {lane, below}, {at.x, below}, at}
		}
		d.wire(c.colour, path...)
	}
}

// drawNotes writes the warnings below the picture and returns where they end.
func (d *picture) drawNotes(y int) (bottom int) {
	weight, fill := "bold", "#b71c1c"
	for _, s := range d.warnings() {
		for _, l := range wrap.Hang("! ", s, 137) {
			d.printf(`<text x="30" y="%d" font-size="13" font-weight="%s" fill="%s" xml:space="preserve">%s</text>`, y, weight, fill, html.EscapeString(l))
			y += 19
		}
		weight, fill = "normal", "#222"
	}
	return y + 12
}
