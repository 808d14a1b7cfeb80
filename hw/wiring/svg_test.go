package wiring

import (
	"encoding/xml"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"stump/hw/board"
)

// drawing is what a picture consists of, as a program that reads SVG sees it.
type drawing struct {
	Width  int      `xml:"width,attr"`
	Height int      `xml:"height,attr"`
	View   string   `xml:"viewBox,attr"`
	Rects  []shape  `xml:"rect"`
	Pins   []shape  `xml:"circle"`
	Paths  []path   `xml:"path"`
	Texts  []phrase `xml:"text"`
}

type shape struct {
	X     int    `xml:"x,attr"`
	Y     int    `xml:"y,attr"`
	CX    int    `xml:"cx,attr"`
	CY    int    `xml:"cy,attr"`
	R     int    `xml:"r,attr"`
	W     int    `xml:"width,attr"`
	H     int    `xml:"height,attr"`
	Fill  string `xml:"fill,attr"`
	Width int    `xml:"stroke-width,attr"`
}

type path struct {
	D      string `xml:"d,attr"`
	Colour string `xml:"stroke,attr"`
	Width  int    `xml:"stroke-width,attr"`
}

type phrase struct {
	X    int    `xml:"x,attr"`
	Y    int    `xml:"y,attr"`
	Size int    `xml:"font-size,attr"`
	Fill string `xml:"fill,attr"`
	Bold string `xml:"font-weight,attr"`
	Text string `xml:",chardata"`
}

func draw(t *testing.T, p *Plan) *drawing {
	t.Helper()
	svg, err := p.SVG()
	if err != nil {
		t.Fatal(err)
	}
	var d drawing
	if err := xml.Unmarshal([]byte(svg), &d); err != nil {
		t.Fatal(err)
	}
	return &d
}

func (d *drawing) has(text string) bool {
	return slices.ContainsFunc(d.Texts, func(p phrase) bool { return p.Text == text })
}

// ends are the wires' last points, by their colours.
func (d *drawing) ends() map[point]string {
	ends := map[point]string{}
	for _, w := range d.Paths {
		if w.Width != 3 {
			continue
		}
		var p point
		fmt.Sscanf(w.D[strings.LastIndex(w.D, "L")+1:], "%d %d", &p.x, &p.y)
		ends[p] = w.Colour
	}
	return ends
}

func plans(t *testing.T) map[string]*Plan {
	bone, err := board.ByName("bbb")
	if err != nil {
		t.Fatal(err)
	}
	divider := full(t)
	divider.Divider, divider.Display = true, "newhaven"
	return map[string]*Plan{
		"full": full(t), "divider": divider, "bone": typical(bone), "bare": {Board: board4(t)},
		"two headers": {Board: bone, Data: [2]string{"P8_11", "P9_12"}},
		"lines":       {Board: board4(t), Display: "hd44780-gpio", DisplayLines: []DisplayLine{{"RS", "GPIO25"}, {"E", "GPIO5"}}},
	}
}

// Each wire ends at its pin, in its colour; the pin has that colour, a thick
// edge and what goes there in bold, and no other pin has.
func TestWiresEndAtTheirPins(t *testing.T) {
	for name, p := range plans(t) {
		all, err := p.connections()
		if err != nil {
			t.Fatal(err)
		}
		d := draw(t, p)
		ends := d.ends()
		used := 0
		for _, pin := range d.Pins {
			if pin.R != 9 {
				continue // where the reader's + wire divides
			}
			colour, wired := ends[point{pin.CX, pin.CY}]
			if wired != (pin.Width == 3) || wired && pin.Fill != colour || !wired && pin.Fill != "#ffffff" {
				t.Errorf("%s: the pin at %d, %d is %+v, its wire %q", name, pin.CX, pin.CY, pin, colour)
			}
			if wired {
				used++
			}
		}
		for _, mark := range d.Rects { // pin 1 is a square
			if _, wired := ends[point{mark.X + 9, mark.Y + 9}]; wired && mark.W == 18 {
				used++
			}
		}
		if used != len(all) {
			t.Errorf("%s: %d pins with wires for %d connections", name, used, len(all))
		}
		for _, c := range all {
			i := slices.IndexFunc(d.Texts, func(x phrase) bool { return x.Text == short(c.pin)+"  "+c.label })
			if i < 0 || d.Texts[i].Bold != "bold" {
				t.Errorf("%s: no bold text for %s", name, c.label)
			}
		}
	}
}

// Each pin of a header that has wires is there once, with its number, and pin 1
// is a square on each header.
func TestEveryPinIsDrawn(t *testing.T) {
	for name, want := range map[string]struct{ pins, headers int }{"full": {40, 1}, "bone": {46, 1}, "two headers": {92, 2}} {
		d := draw(t, plans(t)[name])
		pins, squares := 0, 0
		at := map[point]bool{}
		for _, c := range d.Pins {
			if c.R == 9 {
				pins++
				at[point{c.CX, c.CY}] = true
			}
		}
		for _, r := range d.Rects {
			if r.W == 18 && r.H == 18 {
				if !slices.ContainsFunc(d.Texts, func(x phrase) bool { return x.Text == "1" && x.X == r.X+9 && x.Y == r.Y+12 }) {
					t.Errorf("%s: the square at %d, %d is not pin 1", name, r.X, r.Y)
				}
				squares++
				at[point{r.X + 9, r.Y + 9}] = true
			}
		}
		numbers := map[string]int{}
		for _, x := range d.Texts {
			if x.Size == 9 {
				numbers[x.Text]++
			}
		}
		if pins+squares != want.pins || squares != want.headers || len(at) != want.pins {
			t.Errorf("%s: %d pins at %d places, %d of them square", name, pins+squares, len(at), squares)
		}
		for n := range want.pins / want.headers {
			if numbers[strconv.Itoa(n+1)] != want.headers {
				t.Errorf("%s: number %d is there %d times", name, n+1, numbers[strconv.Itoa(n+1)])
			}
		}
	}
}

// Nothing is outside of the picture, and the warnings are below everything.
func TestPictureHoldsEverything(t *testing.T) {
	for name, p := range plans(t) {
		d := draw(t, p)
		if d.View != fmt.Sprintf("0 0 %d %d", d.Width, d.Height) {
			t.Errorf("%s: view %s of %d by %d", name, d.View, d.Width, d.Height)
		}
		notes := d.Height
		for _, x := range d.Texts {
			if x.X < 0 || x.X >= d.Width || x.Y < 0 || x.Y >= d.Height {
				t.Errorf("%s: %+v is outside of %d by %d", name, x, d.Width, d.Height)
			}
			if strings.HasPrefix(x.Text, "! ") {
				notes = min(notes, x.Y)
			}
			if utf8.RuneCountInString(x.Text) > 137 {
				t.Errorf("%s: too long: %s", name, x.Text)
			}
		}
		for _, r := range append(d.Rects[1:], d.Pins...) { // the first is the background
			if bottom := max(r.Y+r.H, r.CY+r.R); bottom >= notes || max(r.X+r.W, r.CX+r.R) > d.Width {
				t.Errorf("%s: %+v reaches into the notes at %d or out of the picture", name, r, notes)
			}
			lowest := 0 // text in this part
			for _, x := range d.Texts {
				if x.X > r.X && x.X < r.X+r.W && x.Y < r.Y+r.H {
					lowest = max(lowest, x.Y)
				}
			}
			if r.W == partWidth && r.Y+r.H-lowest > 2*pitch {
				t.Errorf("%s: %+v is empty below %d", name, r, lowest)
			}
		}
		for end := range d.ends() {
			if end.y >= notes {
				t.Errorf("%s: a wire ends at %v, in the notes at %d", name, end, notes)
			}
		}
	}
}

// What stands at the terminals of the parts.
func TestTerminalsOfTheParts(t *testing.T) {
	for name, c := range map[string]struct{ yes, no []string }{
		"full": {
			[]string{"Wire colours of the reader: HID's. Other makers use others: go by the reader's sheet.", "level converter", "HV", "LV", "HV1", "LV2", "HV4", "LV1 (2nd)", "transistors", "drain", "gate", "DATA0  green", "HOLD  blue", "tape", "beeper  yellow", "VCC 5 V", "SDA", "USB keyboard"},
			[]string{"voltage divider", "10 kΩ", "LV2 (2nd)"},
		},
		"divider": {[]string{"voltage divider", "10 kΩ", "20 kΩ to GND", "HV3", "LV3", "RX"}, []string{"level converter", "HV", "LV1", "SDA"}},
		"bare":    {[]string{"level converter", "LV2"}, []string{"display", "transistors", "USB keyboard", "HV3"}},
		"lines":   {[]string{"display", "RS", "E"}, []string{"HV3", "SDA"}},
	} {
		d := draw(t, plans(t)[name])
		for _, s := range c.yes {
			if !d.has(s) {
				t.Errorf("%s: no %q", name, s)
			}
		}
		for _, s := range c.no {
			if d.has(s) {
				t.Errorf("%s: %q", name, s)
			}
		}
	}
}

// Names and colours from the configuration can't break the picture, and the
// site's own colours are drawn as such; an unknown one is grey.
func TestPictureOfOwnColours(t *testing.T) {
	b := *board4(t)
	b.Name = `<Pi> & "friends"`
	d := draw(t, &Plan{Board: &b, Colours: board.Colours{Data0: "violet", Data1: "<teal>", Hold: "pink"}})
	for _, s := range []string{`Reader to <Pi> & "friends"`, "Wire colours of the reader: as configured.", "DATA1  <teal>", "DATA0  violet"} {
		if !d.has(s) {
			t.Errorf("no %q", s)
		}
	}
	colours := map[string]bool{}
	for _, p := range d.Paths {
		colours[p.Colour] = true
	}
	for _, c := range []string{"#8e44ad", "#9e9e9e", "#f48fb1"} {
		if !colours[c] {
			t.Errorf("no wire of the colour %s", c)
		}
	}
	for fill, want := range map[string]string{"#ffffff": "#222", "#fdd835": "#222", "#222222": "#fff"} {
		if ink(fill) != want {
			t.Errorf("%s on %s", ink(fill), fill)
		}
	}
}

// A text has no line that is longer than the terminal, at least 56 columns and
// at most 100 wide. A BeagleBone's table of wires needs 57.
func TestTextsFit(t *testing.T) {
	for name, p := range plans(t) {
		for asked, columns := range map[int]int{20: 56, 56: 56, 72: 72, 100: 100, 300: 100} {
			text, err := p.Text(asked, false)
			if err != nil {
				t.Fatal(err)
			}
			longest := 0
			for l := range strings.Lines(text) {
				longest = max(longest, utf8.RuneCountInString(strings.TrimSuffix(l, "\n")))
			}
			if longest > max(columns, 57) || longest < columns-12 {
				t.Errorf("%s in %d columns: the longest line has %d", name, asked, longest)
			}
			if parts := p.PartsText(columns); !strings.HasSuffix(text, "\nParts\n"+parts) {
				t.Errorf("%s: the text doesn't end with the parts\n%s", name, parts)
			}
		}
	}
}
