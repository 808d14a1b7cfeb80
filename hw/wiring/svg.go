package wiring

import (
	"cmp"
	"fmt"
	"html"
	"slices"
	"strings"

	"stump/hw/board"
)

// The picture: reader and display at the left, converter and transistors in
// the middle, the header at the right. Between the middle and the header every
// wire has a vertical lane of its own, so that wires cross but never cover
// each other. All measures are pixels.
const (
	svgWidth   = 1080
	pitch      = 26  // between rows of the header
	pointPitch = 26  // between points of a part
	readerX    = 30  // left edges of the parts
	middleX    = 330 //
	partWidth  = 150
	laneX      = 520 // the first lane
	lanePitch  = 16
	lanes      = 190 // room for them: the pins' names begin at its end
	headerX    = 850 // the header's first column
	columnGap  = 28
	topY       = 96
)

// svgColours are the wires' colours as they are drawn.
var svgColours = map[string]string{
	"red": "#d32f2f", "black": "#222222", "green": "#2e9e3f", "white": "#ffffff", "orange": "#f57c00",
	"brown": "#795548", "yellow": "#fdd835", "blue": "#1e6fd0", "purple": "#8e44ad", "violet": "#8e44ad",
	"grey": "#9e9e9e", "tan": "#d2b48c", "pink": "#f48fb1",
}

// point is where a wire leaves a part.
type point struct{ x, y int }

// drawing is an SVG under way.
type drawing struct {
	b      strings.Builder
	wires  []string
	height int
}

func (d *drawing) printf(format string, a ...any) { fmt.Fprintf(&d.b, format+"\n", a...) }

func (d *drawing) text(x, y, size int, anchor, weight, s string) {
	d.printf(`<text x="%d" y="%d" font-size="%d" text-anchor="%s" font-weight="%s">%s</text>`, x, y, size, anchor, weight, html.EscapeString(s))
}

// wire adds a line through the points, in a colour, with a dark edge so that
// white is seen and a light one so that crossings are.
func (d *drawing) wire(colour string, at ...point) {
	var path strings.Builder
	for i, p := range at {
		fmt.Fprintf(&path, "%s%d %d", []string{"M", "L"}[min(i, 1)], p.x, p.y)
		d.height = max(d.height, p.y)
	}
	fill := cmp.Or(svgColours[colour], "#9e9e9e")
	for _, stroke := range []struct {
		colour string
		width  int
	}{{"#f7f5f0", 8}, {"#444444", 5}, {fill, 3}} {
		d.wires = append(d.wires, fmt.Sprintf(`<path d="%s" fill="none" stroke="%s" stroke-width="%d" stroke-linejoin="round"/>`, path.String(), stroke.colour, stroke.width))
	}
}

// box draws a part with its points at the left or right edge, from row 0 on.
func (d *drawing) box(x, y, rows int, title, fill string) {
	h := rows*pointPitch + 42
	d.printf(`<rect x="%d" y="%d" width="%d" height="%d" rx="8" fill="%s" stroke="#444"/>`, x, y, partWidth, h, fill)
	d.text(x+partWidth/2, y+20, 14, "middle", "bold", title)
	d.height = max(d.height, y+h)
}

// row is the height of a part's n-th point. Parts begin at topY and multiples
// of half a pitch below, so that no point is level with a pin of the header or
// with the gap below one: wires that run level would cover each other.
func row(y, n int) int { return y + 49 + n*pointPitch }

// SVG draws the wiring as a picture that can be printed.
func (w *Plan) SVG() (string, error) {
	ties, err := w.connections()
	if err != nil {
		return "", err
	}
	d := &drawing{}
	from := w.drawParts(d, ties)
	to := w.drawHeaders(d, ties)
	w.drawTies(d, ties, from, to)

	var out strings.Builder
	body := d.b.String()
	d.b.Reset()
	bottom := w.drawNotes(d, d.height+40)
	fmt.Fprintf(&out, `<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d" font-family="DejaVu Sans, Verdana, sans-serif" fill="#222">`+"\n", svgWidth, bottom, svgWidth, bottom)
	fmt.Fprintf(&out, `<rect width="%d" height="%d" fill="#f7f5f0"/>`+"\n", svgWidth, bottom)
	fmt.Fprintf(&out, `<text x="30" y="40" font-size="22" font-weight="bold">Reader to %s</text>`+"\n", html.EscapeString(w.Board.Name))
	fmt.Fprintf(&out, `<text x="30" y="64" font-size="13">Wire colours of the reader: %s.</text>`+"\n", html.EscapeString(w.colourNote()))
	out.WriteString(strings.Join(d.wires, "\n") + "\n" + body + d.b.String() + "</svg>\n")
	return out.String(), nil
}

func (w *Plan) colourNote() string {
	if w.Colours == (board.Colours{}) {
		return "HID's. Other makers use others: go by the reader's sheet"
	}
	return "as configured"
}

// points names where wires leave the parts towards the header.
type points map[string]point

// drawParts draws everything left of the lanes, and the wires between parts.
func (w *Plan) drawParts(d *drawing, ties []connection) points {
	c, from := w.colours(), points{}
	channels := 2 + len(extraChannels(ties))
	title := "level converter"
	if w.middle() == partDivider {
		title = "voltage divider"
	}
	// Reader and converter have the same rows, so that wires run straight.
	rows := []struct{ reader, left, right, colour string }{
		{"+ 5 V", "HV", "LV", c.Power}, {"DATA0", "HV1", "LV1", c.Data0}, {"DATA1", "HV2", "LV2", c.Data1}, {"GND", "GND", "GND", c.Ground},
	}
	switches := w.switches()
	d.box(readerX, topY, 4+len(w.Outputs)+2, "card reader", "#e8eef7")
	d.box(middleX, topY, 4+channels-2, title, "#e9f5e6")
	// 5 V leaves the reader's + wire and goes over the converter.
	junction := point{middleX - 50, row(topY, 0)}
	over := topY - 14
	d.wire(c.Power, junction, point{junction.x, over}, point{middleX + partWidth, over})
	from["HV"] = point{middleX + partWidth, over}
	for i, r := range rows {
		y := row(topY, i)
		d.text(readerX+partWidth-8, y+5, 12, "end", "normal", r.reader+"  "+r.colour)
		if i == 0 && w.middle() == partDivider {
			d.wire(r.colour, point{readerX + partWidth, y}, junction)
			continue
		}
		d.wire(r.colour, point{readerX + partWidth, y}, point{middleX, y})
		left, right := r.left, r.right
		if w.middle() == partDivider {
			left, right = map[string]string{"HV1": "10 kΩ", "HV2": "10 kΩ", "GND": "GND"}[r.left], map[string]string{"LV1": "20 kΩ to GND", "LV2": "20 kΩ to GND"}[r.right]
		}
		d.text(middleX+8, y+5, 12, "start", "normal", left)
		d.text(middleX+partWidth-8, y+5, 12, "end", "normal", right)
		from[r.right] = point{middleX + partWidth, y}
	}
	if w.middle() == partConverter {
		d.printf(`<circle cx="%d" cy="%d" r="5" fill="#444"/>`, junction.x, junction.y)
	}
	display := w.drawDisplay(d, from, max(4+len(w.Outputs)+2, 4+channels-2+switches+2))
	w.drawChannels(d, ties, from, display)
	w.drawSwitches(d, from, channels)
	hold := row(topY, 4+len(w.Outputs)) + pointPitch/2
	d.text(readerX+partWidth-8, hold+5, 12, "end", "normal", "HOLD  "+c.Hold)
	d.wire(c.Hold, point{readerX + partWidth, hold}, point{readerX + partWidth + 18, hold})
	d.text(readerX+partWidth+24, hold+5, 12, "start", "normal", "tape")
	return from
}

// extraChannels are the ties through the converter's channels after the two of
// the reader, in the channels' order.
func extraChannels(ties []connection) (extra []connection) {
	for _, t := range ties {
		if t.part == partConverter && strings.HasPrefix(t.Point, "LV") && !slices.Contains([]string{"LV", "LV1", "LV2"}, t.Point) {
			extra = append(extra, t)
		}
	}
	key := func(t connection) string { // the second converter's come last
		if t.secondConverter() {
			return "2" + t.Point
		}
		return "1" + t.Point
	}
	slices.SortFunc(extra, func(a, b connection) int { return cmp.Compare(key(a), key(b)) })
	return extra
}

func (w *Plan) switches() (n int) {
	for _, o := range w.Outputs {
		if !o.ActiveLow {
			n++
		}
	}
	return n
}

// drawDisplay draws the display below the other parts, rows rows down, and
// returns where its signals leave.
func (w *Plan) drawDisplay(d *drawing, from points, rows int) points {
	at := points{}
	names := w.displayPoints()
	y := topY + rows*pointPitch + 65
	if w.Keyboard {
		d.box(middleX, y+156, 1, "USB keyboard", "#eeeeee")
		d.text(middleX+partWidth/2, row(y+156, 0), 11, "middle", "normal", "any USB socket")
	}
	if len(names) == 0 {
		return at
	}
	d.box(readerX, y, len(names)+2, "display", "#fdf3dd")
	for i, n := range slices.Concat(names, []string{"VCC", "GND"}) {
		label := map[string]string{"VCC": "VCC 5 V"}[n]
		d.text(readerX+partWidth-8, row(y, i)+5, 12, "end", "normal", cmp.Or(label, n))
		at[n] = point{readerX + partWidth, row(y, i)}
		from["display "+n] = at[n]
	}
	return at
}

// drawChannels draws the channels after the reader's: the display's, then the
// outputs' that go through the converter.
func (w *Plan) drawChannels(d *drawing, ties []connection, from points, display points) {
	n := 0
	for _, t := range extraChannels(ties) {
		y := row(topY, 4+n)
		d.text(middleX+8, y+5, 12, "start", "normal", strings.Replace(t.Point, "LV", "HV", 1))
		d.text(middleX+partWidth-8, y+5, 12, "end", "normal", t.Point)
		from[t.Point] = point{middleX + partWidth, y}
		source, ok := display[strings.TrimPrefix(t.Wire, "display ")]
		if !ok {
			source = w.outputPoint(d, t.Wire, t.Colour)
		}
		lane := readerX + partWidth + 60 + 16*n
		d.wire(t.Colour, source, point{lane, source.y}, point{lane, y}, point{middleX, y})
		n++
	}
}

// outputPoint is where a light's wire leaves the reader.
func (w *Plan) outputPoint(d *drawing, name, colour string) point {
	i := slices.IndexFunc(w.Outputs, func(o Output) bool { return o.Name == name })
	y := row(topY, 4+i) + pointPitch/2 // between the channels' rows
	d.text(readerX+partWidth-8, y+5, 12, "end", "normal", name+"  "+colour)
	return point{readerX + partWidth, y}
}

// drawSwitches draws the transistors below the converter.
func (w *Plan) drawSwitches(d *drawing, from points, channels int) {
	if w.switches() == 0 {
		return
	}
	y := topY + (4+channels-2)*pointPitch + 65
	d.box(middleX, y, w.switches(), "transistors", "#f3e8f5")
	n := 0
	for _, o := range w.Outputs {
		if o.ActiveLow {
			continue
		}
		colour := w.outputColour(o.Name)
		source, in := w.outputPoint(d, o.Name, colour), row(y, n)
		lane := readerX + partWidth + 134 - 14*n
		d.wire(colour, source, point{lane, source.y}, point{lane, in}, point{middleX, in})
		d.text(middleX+8, in+5, 12, "start", "normal", "drain")
		d.text(middleX+partWidth-8, in+5, 12, "end", "normal", "gate")
		from[o.Name] = point{middleX + partWidth, in}
		n++
	}
}

// drawNotes writes the warnings below the picture and returns where it ends.
func (w *Plan) drawNotes(d *drawing, y int) (bottom int) {
	for i, s := range w.warnings() {
		weight, fill := "normal", "#222"
		if i == 0 {
			weight, fill = "bold", "#b71c1c"
		}
		for j, l := range Wrap(s, 135) {
			mark := []string{"! ", "   "}[min(j, 1)]
			d.printf(`<text x="30" y="%d" font-size="13" font-weight="%s" fill="%s" xml:space="preserve">%s</text>`, y, weight, fill, html.EscapeString(mark+l))
			y += 19
		}
	}
	return y + 12
}
