package wiring

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"stump/hw/board"
	"stump/internal/hint"
	"stump/internal/testkit"
)

var update = flag.Bool("update", false, "write docs/wiring.md and its pictures anew")

// typical is what most stations look like.
func typical(b *board.Board) *Plan { return &Plan{Board: b, Display: "hd44780-i2c", Keyboard: true} }

// full has everything that can be wired to a Raspberry Pi.
func full(t *testing.T) *Plan {
	t.Helper()
	b, err := board.ByName("pi4")
	if err != nil {
		t.Fatal(err)
	}
	w := typical(b)
	w.Outputs = []Output{{"green light", "GPIO22", false}, {"red light", "GPIO23", false}, {"beeper", "GPIO24", true}}
	return w
}

// TestWiringOfEveryBoard: each listed board has a picture in which both data
// wires, 5 V, 3.3 V and ground go to pins that carry these.
func TestWiringOfEveryBoard(t *testing.T) {
	for _, b := range board.All() {
		t.Run(b.Key, func(t *testing.T) {
			w := typical(b)
			ties, err := w.connections()
			if err != nil {
				t.Fatal(err)
			}
			want := map[string]string{"reader +": "5V", "reader ground": "GND", "converter LV": "3V3", "display 5 V": "5V", "display ground": "GND"}
			if b.Supplies.DisplayPlus == "" {
				delete(want, "display 5 V")
				if b.Supplies.ReaderPlus == "" {
					delete(want, "reader +")
				}
				if !strings.Contains(strings.Join(b.Notes, " "), "5 V") {
					t.Error("nothing says where 5 V come from")
				}
			}
			data := 0
			for _, tie := range ties {
				if signal, ok := want[tie.label]; ok {
					if !strings.Contains(tie.pin.Signal, signal) {
						t.Errorf("%s goes to pin %s, which is %s", tie.label, tie.pin.Name, tie.pin.Signal)
					}
					delete(want, tie.label)
				}
				if strings.HasPrefix(tie.label, "DATA") {
					if data++; tie.pin.Use != "" {
						t.Errorf("%s goes to pin %s, used for %q", tie.label, tie.pin.Name, tie.pin.Use)
					}
				}
				if strings.HasSuffix(tie.label, "SDA") && !strings.Contains(tie.pin.Use, "SDA") || strings.HasSuffix(tie.label, "SCL") && !strings.Contains(tie.pin.Use, "SCL") {
					t.Errorf("%s goes to pin %s, which is %q", tie.label, tie.pin.Name, tie.pin.Use)
				}
			}
			if len(want) > 0 || data != 2 {
				t.Errorf("not wired: %v; %d data wires", want, data)
			}
			text, err := w.Text(80, false)
			if err != nil {
				t.Fatal(err)
			}
			svg, err := w.SVG()
			if err != nil {
				t.Fatal(err)
			}
			for _, s := range []string{b.Name, "5 V kills the board"} {
				if !strings.Contains(text, s) || !strings.Contains(svg, s) {
					t.Errorf("%q is not in text and picture", s)
				}
			}
			wellFormed(t, svg)
		})
	}
}

// Wires may cross, never cover each other: no two stretches of different wires
// run along each other closer than 5 pixels.
func TestWiresDoNotCover(t *testing.T) {
	for _, b := range board.All() {
		for _, w := range []*Plan{typical(b), {Board: b, Display: "newhaven"}, {Board: b, Divider: true}, full(t)} {
			svg, err := w.SVG()
			if err != nil {
				t.Fatal(err)
			}
			var all [][4]int
			wires := regexp.MustCompile(`<path d="([^"]*)"[^>]*stroke-width="3"`).FindAllStringSubmatch(svg, -1)
			for i, m := range wires {
				at := regexp.MustCompile(`[ML](\d+) (\d+)`).FindAllStringSubmatch(m[1], -1)
				var last [2]int
				for j, p := range at {
					x, _ := strconv.Atoi(p[1])
					y, _ := strconv.Atoi(p[2])
					if j > 0 {
						all = append(all, [4]int{last[0], last[1], x, y})
						for _, other := range all[:len(all)-j] {
							if covers(other, all[len(all)-1]) {
								t.Errorf("%s: wire %d runs along another at %v, %v", b.Key, i, other, all[len(all)-1])
							}
						}
					}
					last = [2]int{x, y}
				}
			}
			if len(wires) < 6 {
				t.Errorf("%s: %d wires", b.Key, len(wires))
			}
		}
	}
}

// covers: two level or two upright stretches that share more than a point.
func covers(a, b [4]int) bool {
	span := func(p, q, r, s int) bool { return max(min(p, q), min(r, s)) < min(max(p, q), max(r, s)) }
	near := func(p, q int) bool { return max(p-q, q-p) < 5 }
	switch {
	case a[1] == a[3] && b[1] == b[3]:
		return near(a[1], b[1]) && span(a[0], a[2], b[0], b[2])
	case a[0] == a[2] && b[0] == b[2]:
		return near(a[0], b[0]) && span(a[1], a[3], b[1], b[3])
	}
	return false
}

func wellFormed(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	for {
		if _, err := d.Token(); errors.Is(err, io.EOF) {
			return
		} else if err != nil {
			t.Fatalf("the picture is not XML: %v", err)
		}
	}
}

func TestWiringFits(t *testing.T) {
	for _, columns := range []int{60, 80} {
		text, err := full(t).Text(columns, false)
		if err != nil {
			t.Fatal(err)
		}
		for l := range strings.Lines(text) {
			if n := utf8.RuneCountInString(strings.TrimRight(l, "\n")); n > columns {
				t.Errorf("%d columns: a line of %d: %s", columns, n, l)
			}
		}
	}
}

func TestWiringInColour(t *testing.T) {
	plain, _ := full(t).Text(80, false)
	ansi, _ := full(t).Text(80, true)
	if strings.Contains(plain, "\x1b") {
		t.Error("the plain text has colours")
	}
	if got := regexp.MustCompile("\x1b\\[[0-9;]*m").ReplaceAllString(ansi, ""); got != plain {
		t.Error("without its colours the coloured text is another")
	}
	if !strings.Contains(ansi, "\x1b[32m") {
		t.Error("DATA0 is not green")
	}
}

func TestWiringRefuses(t *testing.T) {
	w := full(t)
	w.Data[0] = "GPIO22"
	if _, err := w.connections(); err == nil || !strings.Contains(err.Error(), "pin 15") {
		t.Errorf("two wires on one pin: %v", err)
	}
	w.Data[0] = "GPIO77"
	if _, err := w.SVG(); err == nil || !strings.Contains(err.Error(), "GPIO77") {
		t.Errorf("a line that is not on the header: %v", err)
	}
	w.Data[0] = "pin 17"
	if _, err := w.connections(); !strings.Contains(hint.Of(err), `write "GPIO17": it is header pin 11`) {
		t.Errorf("a data wire on 3.3 V: %v", err)
	}
	if _, err := (&Plan{Board: &board.Board{Name: "unknown board"}}).Text(80, false); err == nil {
		t.Error("a board without a header was drawn")
	}
}

func TestWiringAdapts(t *testing.T) {
	bone, _ := board.ByName("bbb")
	w := full(t)
	w.Board, w.Data = bone, [2]string{"GPIO17", "P9_14"}
	w.Outputs = append(w.Outputs, Output{"red light", "P8_14", false})
	if got := strings.Join(w.Adapt(), " "); got != "GPIO17 GPIO22 GPIO23 GPIO24" {
		t.Errorf("missing %s", got)
	}
	ties, err := w.connections()
	if err != nil {
		t.Fatal(err)
	}
	at := map[string]string{}
	for _, tie := range ties {
		at[tie.label] = tie.pin.Name
	}
	if at["DATA0"] != "P9_12" || at["DATA1"] != "P9_14" || at["red light"] != "P8_14" {
		t.Errorf("wires at %v", at)
	}
	svg, err := w.SVG() // on two headers
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, svg)
	for _, h := range []string{">P8<", ">P9<"} {
		if !strings.Contains(svg, h) {
			t.Errorf("no header %s", h)
		}
	}
}

func TestWiringVariants(t *testing.T) {
	w := full(t)
	w.Divider, w.Display = true, "none"
	text, err := w.Text(80, false)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"20 kΩ", "10k / 20k"} {
		if !strings.Contains(text, s) {
			t.Errorf("divider: no %q in\n%s", s, text)
		}
	}
	w.Display = "hd44780-gpio"
	w.DisplayLines = []DisplayLine{{"RS", "GPIO25"}, {"E", "GPIO5"}, {"D4", "GPIO6"}, {"D5", "GPIO12"}, {"D6", "GPIO13"}, {"D7", "GPIO16"}}
	svg, err := w.SVG()
	if err != nil {
		t.Fatal(err)
	}
	wellFormed(t, svg)
	w.Divider, w.Display, w.Colours = false, "newhaven", board.Colours{Data0: "yellow", Data1: "white"}
	if text, err = w.Text(80, false); err != nil || !strings.Contains(text, "yellow  reader DATA0") {
		t.Errorf("the site's own colours: %v\n%s", err, text)
	}
}

func TestSite(t *testing.T) {
	w := full(t)
	w.Colours.Data0 = "yellow"
	s := w.Site()
	if s.Pins != [2]string{"GPIO17 (header pin 11)", "GPIO18 (header pin 12)"} {
		t.Errorf("pins %q", s.Pins)
	}
	if s.LogicPins != "1 or 17" || s.GroundPins != "6, 9, 14, 20 or 25" {
		t.Errorf("supplies %q, %q", s.LogicPins, s.GroundPins)
	}
	if got := s.DataWire(0) + ", " + s.DataWire(1); got != "DATA0 (yellow), DATA1 (white on HID readers)" {
		t.Errorf("wires %q", got)
	}
	bone, _ := board.ByName("bbb")
	if s := typical(bone).Site(); s.Pins[0] != "gpio1_28 (header pin P9_12)" || !strings.HasPrefix(s.GroundPins, "P9_1, ") {
		t.Errorf("BeagleBone: %+v", s)
	}
}

// TestWiringDocument keeps docs/wiring.md and its pictures as the program
// draws them: go test ./hw/wiring -run TestWiringDocument -update.
func TestWiringDocument(t *testing.T) {
	files := map[string]string{}
	var doc strings.Builder
	doc.WriteString(`# Wiring

This page and its pictures are made by the program: ` + "`stump wiring`" + ` prints the same for your board and your
configuration, ` + "`stump wiring --board pi4`" + ` for another. Check the result with ` + "`stump selftest`" + ` (selftest.md).

`)
	w := full(t)
	doc.WriteString("## Before you switch on\n\n")
	for _, s := range w.warnings() {
		doc.WriteString("- " + s + "\n")
	}
	doc.WriteString("\n## Parts\n\n| n | part | note |\n|---|---|---|\n")
	for _, p := range w.parts() {
		fmt.Fprintf(&doc, "| %d | %s | %s |\n", p.count, p.what, p.why)
	}
	doc.WriteString("\n## Boards\n")
	// Boards whose pictures differ in nothing but the name share one.
	type group struct {
		picture string
		boards  []*board.Board
	}
	var groups []group
	for _, b := range board.All() {
		svg, err := typical(b).SVG()
		if err != nil {
			t.Fatal(err)
		}
		picture := strings.ReplaceAll(svg, b.Name, "")
		i := slices.IndexFunc(groups, func(g group) bool { return g.picture == picture })
		if i < 0 {
			i = len(groups)
			groups = append(groups, group{picture: picture})
		}
		groups[i].boards = append(groups[i].boards, b)
	}
	for _, g := range groups {
		b := *g.boards[0]
		var names, keys []string
		for _, x := range g.boards {
			names, keys = append(names, x.Name), append(keys, "`"+x.Key+"`")
		}
		if len(g.boards) > 2 && strings.HasPrefix(b.Name, "Raspberry") {
			b.Name = fmt.Sprintf("Raspberry Pi with %d pins", len(b.Pins))
		}
		file := "wiring/" + strings.Trim(regexp.MustCompile("[^a-z0-9]+").ReplaceAllString(strings.ToLower(b.Name), "-"), "-") + ".svg"
		svg, err := typical(&b).SVG()
		if err != nil {
			t.Fatal(err)
		}
		text, err := typical(&b).Text(80, false)
		if err != nil {
			t.Fatal(err)
		}
		text, _, _ = strings.Cut(text, "\nBefore you switch on")
		files[file] = svg
		fmt.Fprintf(&doc, "\n### %s\n\n", b.Name)
		if len(names) > 1 {
			fmt.Fprintf(&doc, "%s.\n", strings.Join(names, ", "))
		}
		fmt.Fprintf(&doc, "`--board`: %s.\n\n![%s](%s)\n\n```\n%s```\n", strings.Join(keys, ", "), b.Name, file, text)
	}
	svg, err := w.SVG()
	if err != nil {
		t.Fatal(err)
	}
	files["wiring/full.svg"] = svg
	doc.WriteString("\n## With lights and beeper\n\n![A Raspberry Pi 4 with everything](wiring/full.svg)\n")
	files["wiring.md"] = doc.String()
	for name, want := range files {
		testkit.Golden(t, *update, filepath.Join("../..", "docs", name), want)
	}
}

func board4(t *testing.T) *board.Board {
	t.Helper()
	b, err := board.ByName("pi4")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// ways are the lines of the text's table of wires: what comes from where, goes
// through what, to which pin.
func ways(t *testing.T, p *Plan) map[string]string {
	t.Helper()
	text, err := p.Text(80, false)
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(text, "to header pin\n")
	table, _, _ = strings.Cut(table, "\n\n")
	ways := map[string]string{}
	for line := range strings.Lines(table) {
		columns := regexp.MustCompile(` {2,}`).Split(strings.TrimSpace(line), -1)
		ways[columns[1]] = strings.Join(columns[2:], " ")
	}
	return ways
}

func TestWaysOfTheWires(t *testing.T) {
	converter := full(t)
	divider := full(t)
	divider.Divider = true
	bare := &Plan{Board: board4(t), Display: "openlcd"}
	direct := &Plan{Board: board4(t), Display: "hd44780-gpio", DisplayLines: []DisplayLine{{"RS", "GPIO25"}, {"E", "GPIO5"}}}
	for _, c := range []struct {
		name string
		plan *Plan
		want map[string]string
	}{
		{"converter", converter, map[string]string{
			"reader +": "HV 2 (5V)", "reader ground": "GND 6 (GND)", "converter LV": "LV 1 (3V3)",
			"reader DATA0": "HV1 to LV1 11 (GPIO17)", "reader DATA1": "HV2 to LV2 12 (GPIO18)",
			"display VCC": "- 4 (5V)", "display GND": "- 14 (GND)", "display SDA": "HV3 to LV3 3 (GPIO2)", "display SCL": "HV4 to LV4 5 (GPIO3)",
			"reader green light": "transistor 15 (GPIO22)", "reader red light": "transistor 16 (GPIO23)",
			"reader beeper": "HV1 to LV1 (2nd) 18 (GPIO24)", "keyboard": "- any USB socket",
		}},
		{"divider", divider, map[string]string{
			"reader +": "- 2 (5V)", "reader ground": "- 6 (GND)",
			"reader DATA0": "10k / 20k 11 (GPIO17)", "reader DATA1": "10k / 20k 12 (GPIO18)",
			"display VCC": "- 4 (5V)", "display GND": "- 14 (GND)", "display SDA": "- 3 (GPIO2)", "display SCL": "- 5 (GPIO3)",
			"reader green light": "transistor 15 (GPIO22)", "reader red light": "transistor 16 (GPIO23)",
			"reader beeper": "HV3 to LV3 18 (GPIO24)", "keyboard": "- any USB socket",
		}},
		{"serial display, no keyboard", bare, map[string]string{
			"reader +": "HV 2 (5V)", "reader ground": "GND 6 (GND)", "converter LV": "LV 1 (3V3)",
			"reader DATA0": "HV1 to LV1 11 (GPIO17)", "reader DATA1": "HV2 to LV2 12 (GPIO18)",
			"display VCC": "- 4 (5V)", "display GND": "- 14 (GND)", "display RX": "HV3 to LV3 8 (GPIO14)",
		}},
		{"display on lines", direct, map[string]string{
			"reader +": "HV 2 (5V)", "reader ground": "GND 6 (GND)", "converter LV": "LV 1 (3V3)",
			"reader DATA0": "HV1 to LV1 11 (GPIO17)", "reader DATA1": "HV2 to LV2 12 (GPIO18)",
			"display VCC": "- 4 (5V)", "display GND": "- 14 (GND)", "display RS": "- 22 (GPIO25)", "display E": "- 29 (GPIO5)",
		}},
	} {
		if got := ways(t, c.plan); !maps.Equal(got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}

func TestPartsAndWarnings(t *testing.T) {
	bone, _ := board.ByName("bbb")
	active := func(n int) (o []Output) {
		for i := range n {
			o = append(o, Output{[]string{"green light", "red light", "beeper"}[i], fmt.Sprintf("GPIO%d", 22+i), true})
		}
		return o
	}
	pi := board4(t)
	for _, c := range []struct {
		name    string
		plan    *Plan
		yes, no []string
	}{
		{"nothing but a reader", &Plan{Board: pi},
			[]string{" 1  level converter with BSS138", " 1  shielded cable", "They go to the converter", " 1  jumper wires or terminal board for the header\n"},
			[]string{"transistor", "keyboard", "display", "resistor", "2nd", "light and beeper", "P9_5"}},
		{"divider", &Plan{Board: pi, Divider: true, Display: "hd44780-i2c"},
			[]string{" 2  resistor 20 kΩ", "They go to the divider", "its SDA and SCL go straight to the board", "backpack pulls SDA and SCL up"},
			[]string{"BSS138", "2nd", "through the converter"}},
		{"divider, with a light on a channel", &Plan{Board: pi, Divider: true, Display: "hd44780-i2c", Outputs: active(1)}, nil, []string{"2nd"}},
		{"divider with a serial display", &Plan{Board: pi, Divider: true, Display: "newhaven"},
			[]string{"serial display (newhaven): its RX go straight"}, []string{"backpack"}},
		{"I2C display", &Plan{Board: pi, Display: "hd44780-i2c"}, []string{" 1  level converter", "5 V; its SDA and SCL through the converter"}, []string{"2nd", "backpack pulls"}},
		{"two lights on the converter", &Plan{Board: pi, Outputs: active(2)}, []string{" 1  level converter", "light and beeper wires carry 5 V"}, []string{"2nd", "transistor 2N7000", "Each transistor"}},
		{"three outputs on the converter", &Plan{Board: pi, Outputs: active(3)}, []string{" 2  level converter", "marked 2nd"}, nil},
		{"display on lines", &Plan{Board: pi, Display: "hd44780-gpio", DisplayLines: []DisplayLine{{"RS", "GPIO25"}, {"E", "GPIO5"}, {"D4", "GPIO6"}}},
			[]string{" 1  level converter", "R/W on ground"}, []string{"2nd"}},
		{"transistors and a keyboard", full(t), []string{" 2  transistor 2N7000", " 2  resistor 10 kΩ: gate", " 1  USB keyboard", "Each transistor"}, nil},
		{"a BeagleBone", &Plan{Board: bone}, []string{"P9_5 and P9_6 are dead", "takes it from P9_3"}, []string{"GPIO17"}},
	} {
		text, err := c.plan.Text(100, false)
		if err != nil {
			t.Fatal(err)
		}
		_, text, _ = strings.Cut(text, "Before you switch on")
		flat := strings.Join(strings.Fields(text), " ")
		for _, s := range c.yes {
			if !strings.Contains(text, s) && !strings.Contains(flat, s) {
				t.Errorf("%s: no %q in\n%s", c.name, s, text)
			}
		}
		for _, s := range c.no {
			if strings.Contains(text, s) {
				t.Errorf("%s: %q in\n%s", c.name, s, text)
			}
		}
	}
}

// The text of a header ends at the last used row, says how many follow, and
// leaves the colour away where it has no room.
func TestHeaderText(t *testing.T) {
	p := &Plan{Board: board4(t), Data: [2]string{"GPIO17", "GPIO21"}}
	text, err := p.Text(80, false)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(text, "more row") || !strings.Contains(text, "DATA1, white") {
		t.Errorf("the last row is used:\n%s", text)
	}
	p.Data[1], p.Colours.Data1 = "GPIO20", "turquoise"
	if text, _ = p.Text(80, true); !strings.Contains(text, "1 more row, not used") || strings.Contains(text, "m DATA1") || strings.Contains(text, "\x1b[m") {
		t.Errorf("one row is not used, and a colour not known:\n%q", text)
	}
	p.Colours.Data1 = "abcdef"
	if text, _ = p.Text(56, false); !strings.Contains(text, "DATA1, abcdef") {
		t.Errorf("just enough room for the colour:\n%s", text)
	}
	p.Colours.Data1 = "a very long colour"
	if text, _ = p.Text(56, false); strings.Contains(text, "DATA1, a very long") || !strings.Contains(text, "DATA1\n") {
		t.Errorf("no room for the colour:\n%s", text)
	}
}

func TestSiteOfAnotherHeader(t *testing.T) {
	s := (&Plan{Board: board4(t), Data: [2]string{"GPIO77", "GPIO18"}, Divider: true}).Site()
	if s.Pins != [2]string{"", "GPIO18 (header pin 12)"} || !s.Divider {
		t.Errorf("%+v", s)
	}
	for want, names := range map[string][]string{"": nil, "6": {"6"}, "6 or 9": {"6", "9"}, "6, 9 or 14": {"6", "9", "14"}} {
		if got := oneOf(names); got != want {
			t.Errorf("one of %q is %q", names, got)
		}
	}
	if _, err := (&Plan{Board: &board.Board{Name: "unknown board"}}).SVG(); err == nil || !strings.Contains(err.Error(), "the header of the unknown board is not known") {
		t.Errorf("a board without a header: %v", err)
	}
}
