package diagnose

import (
	"flag"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/gpio"
	"stump/hw/board"
	"stump/internal/testkit"
	"stump/wiegand"
)

// spell makes falls at times in microseconds, "0@100 1@2100".
func spell(d time.Duration, at ...string) Spell {
	s := Spell{To: int64(d), Start: [2]bool{true, true}, End: [2]bool{true, true}}
	for _, a := range at {
		var line, us int64
		if _, err := fmt.Sscanf(a, "%d@%d", &line, &us); err != nil {
			panic(err)
		}
		s.Edges = append(s.Edges, wiegand.Edge{Time: us * 1000, Line: uint8(line)})
	}
	return s
}

// frameAt is a frame of bits, 2 ms apart, from a time on.
func frameAt(ms int64, bits string) (at []string) {
	for i, b := range bits {
		at = append(at, fmt.Sprintf("%c@%d", b, ms*1000+int64(i)*2000))
	}
	return at
}

func reading(up, down [2]int) *Float {
	f := &Float{}
	for i := range 2 {
		f.Up[i], f.Down[i] = float64(up[i])/7, float64(down[i])/7
	}
	return f
}

// TestDiagnoseSaysNoMoreThanTheEvidence: what was not measured is not concluded.
func TestDiagnoseSaysNoMoreThanTheEvidence(t *testing.T) {
	quiet := spell(2 * time.Second)
	var site board.Site
	for name, e := range map[string]*Evidence{
		"nothing measured":        {},
		"only idle":               {Idle: quiet},
		"idle and float, no card": {Idle: quiet, Float: reading([2]int{7, 7}, [2]int{7, 7})},
	} {
		if c := Diagnose(e, &site); len(c) > 0 {
			t.Errorf("%s: %v", name, Names(c))
		}
	}
}

// With no answer from the lines, several causes are possible, each with the
// measurement that tells it from the next.
func TestDiagnoseRanksCandidates(t *testing.T) {
	e := &Evidence{
		Idle: spell(2 * time.Second), Float: reading([2]int{7, 7}, [2]int{7, 7}),
		Cards: []Spell{spell(20 * time.Second)}, Free: []gpio.Activity{{Line: "GPIO27"}},
	}
	late := spell(10 * time.Second)
	e.Late = &late
	c := Diagnose(e, &board.Site{})
	if got := strings.Join(Names(c), " "); got != "no-power hold" {
		t.Fatalf("causes %s", got)
	}
	if !strings.Contains(c[0].Next, "beeps") {
		t.Errorf("to tell them apart: %q", c[0].Next)
	}
	for _, cause := range c {
		if cause.Seen == "" || cause.Remedy == "" || cause.Weight <= 0 || cause.Weight > 1 {
			t.Errorf("%+v", cause)
		}
	}
}

func TestDiagnoseHum(t *testing.T) {
	for hertz, name := range map[float64]string{50: "50 a second", 60: "60 a second", 100: "100 a second", 120: "120 a second"} {
		var at []string
		for i := range 40 {
			at = append(at, fmt.Sprintf("1@%d", int64(float64(i)*1e6/hertz)))
		}
		c := Diagnose(&Evidence{Idle: spell(time.Second, at...)}, &board.Site{})
		if len(c) == 0 || c[0].Name != "hum" || !strings.Contains(c[0].Seen, name) || !strings.Contains(c[0].Seen, "DATA1") {
			t.Errorf("%v Hz: %+v", hertz, c)
		}
	}
	// A reader that repeats itself, or a tap now and then, is not hum.
	for _, us := range []int64{2000, 37_000, 250_000} {
		var at []string
		for i := range 40 {
			at = append(at, fmt.Sprintf("1@%d", int64(i)*us))
		}
		if c := Diagnose(&Evidence{Idle: spell(12*time.Second, at...)}, &board.Site{}); len(c) > 0 && c[0].Name == "hum" {
			t.Errorf("every %d µs is hum", us)
		}
	}
}

// Frames that fit inverted are swapped wires only from the third on: noise
// passes one time in four.
func TestDiagnoseSwappedNeedsThree(t *testing.T) {
	format, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	card, err := format.Pack(wiegand.Fields{Facility: 84, Number: 31066})
	if err != nil {
		t.Fatal(err)
	}
	bits := card.Invert().String()
	for n := 1; n <= 4; n++ {
		e := &Evidence{Idle: spell(time.Second), Formats: []*wiegand.Format{format}}
		for range n {
			e.Cards = append(e.Cards, spell(time.Second, frameAt(10, bits)...))
		}
		c := Diagnose(e, &board.Site{})
		if sure := len(c) > 0 && c[0].Weight >= certain; sure != (n >= 3) {
			t.Errorf("%d frames: %+v", n, c)
		}
	}
}

func TestDiagnoseUsesSiteWords(t *testing.T) {
	site := board.Site{Pins: [2]string{"GPIO17 (header pin 11)", "GPIO18 (header pin 12)"}, Colours: board.Colours{Data0: "yellow", Data1: "blue"}}
	e := &Evidence{Idle: spell(time.Second), Cards: []Spell{spell(time.Second, frameAt(10, "1111111")...)}}
	c := Diagnose(e, &site)
	if len(c) == 0 || c[0].Name != "d0-open" {
		t.Fatalf("%+v", c)
	}
	for _, want := range []string{"DATA0 (yellow)", "GPIO17 (header pin 11)"} {
		if !strings.Contains(c[0].Remedy, want) {
			t.Errorf("no %q in %q", want, c[0].Remedy)
		}
	}
}

var update = flag.Bool("update", false, "write testdata/causes.md anew")

// The table of causes in docs/selftest.md is written here; hw/selftest puts it
// into the page.
func TestTableOfCauses(t *testing.T) {
	var b strings.Builder
	b.WriteString("| cause | what it is | how to make sure |\n|---|---|---|\n")
	for _, name := range append(slices.Clone(gpio.Faults), unheard) {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, Label(name), find(name).proof)
	}
	testkit.Golden(t, *update, "testdata/causes.md", b.String())
}

// Every cause has a label, a proof, and texts that hold in any state.
func TestEveryCauseHasWords(t *testing.T) {
	sites := []*board.Site{{}, {Divider: true}, {Pins: [2]string{"A", "B"}}}
	if got := Label("a new fault"); got != "a new fault" {
		t.Errorf("an unknown cause is labelled %q", got)
	}
	if len(rules) != len(gpio.Faults)+1 {
		t.Errorf("%d rules for %d faults", len(rules), len(gpio.Faults))
	}
	for _, r := range rules {
		if r.name != unheard && !slices.Contains(gpio.Faults, r.name) {
			t.Errorf("%q is no fault", r.name)
		}
		if r.label == "" || r.proof == "" {
			t.Errorf("%s has no label or no proof", r.name)
		}
		for _, s := range sites {
			for _, f := range []*Findings{{clock: -1}, {clock: 1, pairs: 1, late: 2, free: []string{"GPIO27"}, hertz: [2]float64{0, 50}}} {
				seen, remedy := r.text(f, s)
				if seen == "" || !strings.HasSuffix(remedy, ".") || strings.Contains(remedy, "%!") {
					t.Errorf("%s: %s: %s", r.name, seen, remedy)
				}
			}
		}
		for _, other := range rules {
			if tellApart(r.name, other.name, sites[0]) == "" {
				t.Errorf("nothing tells %s from %s", r.name, other.name)
			}
		}
	}
}

func TestSplit(t *testing.T) {
	// 1 ms apart, a hole at the third, a ghost after the fifth, then silence.
	s := spell(time.Second, "0@0", "1@1000", "0@3000", "0@4000", "1@4040", "1@5000", "0@200000", "0@201000")
	frames := split(s.Edges, 1_000_000)
	if len(frames) != 2 || frames[0].bits.Len() != 5 || frames[0].holes != 1 || frames[0].bits.String() != "01001" || frames[1].bits.Len() != 2 {
		t.Errorf("frames %+v", frames)
	}
	if fr := frames[0]; fr.extra != 1 || fr.ghosts != 1 || fr.bunched != 0 {
		t.Errorf("extra %+v", fr)
	}
}

func TestSplitAtItsLimits(t *testing.T) {
	const bit = 1_000_000
	for _, c := range []struct {
		second, frames, extra, holes int // µs after the first
	}{
		{549, 1, 1, 0}, {550, 1, 0, 0}, {1500, 1, 0, 0}, {1501, 1, 0, 1}, {2600, 1, 0, 2}, {24_999, 1, 0, 24}, {25_000, 2, 0, 0},
	} {
		frames := split(spell(time.Second, "0@0", fmt.Sprintf("1@%d", c.second)).Edges, bit)
		if len(frames) != c.frames || frames[0].extra != c.extra || frames[0].holes != c.holes {
			t.Errorf("%d µs: %+v", c.second, frames)
		}
	}
	for extra, want := range map[string][2]int{ // ghosts, bunched
		"1@110": {1, 0}, "1@111": {}, "0@110": {}, "0@19": {0, 1}, "0@20": {}, "1@19": {1, 1},
	} {
		frames := split(spell(time.Second, "0@0", extra).Edges, bit)
		if len(frames) != 1 || frames[0].extra != 1 || [2]int{frames[0].ghosts, frames[0].bunched} != want {
			t.Errorf("%s: %+v", extra, frames)
		}
	}
	// Without a usual distance nothing is too soon or missing.
	if frames := split(spell(time.Second, "0@0", "1@1", "0@20000").Edges, 0); len(frames) != 1 || frames[0].extra != 0 || frames[0].holes != 0 {
		t.Errorf("no usual distance: %+v", frames)
	}
}
