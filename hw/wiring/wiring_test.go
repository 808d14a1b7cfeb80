package wiring

import (
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
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
	b, err := board.ByKey("pi4")
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
	bone, _ := board.ByKey("bbb")
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
	bone, _ := board.ByKey("bbb")
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

func TestHang(t *testing.T) {
	for text, want := range map[string]string{
		"a bb  ccc dddddddd e": "> a bb|  ccc|  dddddddd|  e",
		"äää ö ü":              "> äää ö|  ü",
		"  ":                   "> ",
	} {
		if got := strings.Join(Hang("> ", text, 7), "|"); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
