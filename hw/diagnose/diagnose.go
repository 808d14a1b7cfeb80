// Package diagnose turns what was measured at a reader's lines into causes and
// remedies, the likeliest first.
package diagnose

import (
	"cmp"
	"slices"

	"stump/hw/board"
)

// Cause is one explanation of the evidence.
type Cause struct {
	Name   string  // of gpio.Faults
	Weight float64 // how well it fits, 0 to 1; only the order means something
	Seen   string  // the evidence for it, for a person
	Remedy string  // what to do, in the site's wire colours and pins
	Next   string  // the measurement that tells it from the next one in the list
}

// certain and likely are weights; below possible a cause is not named.
const (
	certain  = 0.95
	likely   = 0.8
	maybe    = 0.5
	possible = 0.3
)

// Diagnose says what may be wrong, the likeliest first, and nothing when the
// evidence shows no fault. It never concludes more than was measured: that
// lines are high with no card says that something pulls them up, which with a
// level converter is the converter, not the reader.
func Diagnose(e *Evidence, site *board.Site) []Cause {
	f := Examine(e)
	var causes []Cause
	for _, r := range rules {
		if w := r.weigh(f, e); w >= possible {
			t := r.text(f, site)
			causes = append(causes, Cause{Name: r.name, Weight: w, Seen: t.seen, Remedy: t.remedy})
		}
	}
	slices.SortStableFunc(causes, func(a, b Cause) int { return cmp.Compare(b.Weight, a.Weight) })
	for i := range causes {
		if i+1 < len(causes) {
			causes[i].Next = tellApart(causes[i].Name, causes[i+1].Name, site)
		}
	}
	return causes
}

// names are the causes' names in order.
func Names(causes []Cause) []string {
	n := make([]string, 0, len(causes))
	for _, c := range causes {
		n = append(n, c.Name)
	}
	return n
}

// rule is one row of the fault table, read backwards.
type rule struct {
	name  string
	weigh func(f *Findings, e *Evidence) float64
	text  func(f *Findings, s *board.Site) text
}

// Rules are few and each looks at all it needs, so that their order does not
// matter. A weight says how specific the evidence is, not how common a fault.
var rules = []rule{
	{"no-power", weighNoPower, textNoPower},
	{"swapped", weighSwapped, textSwapped},
	{"d0-low", func(f *Findings, _ *Evidence) float64 { return weighLow(f, 0) }, textLow(0)},
	{"d1-low", func(f *Findings, _ *Evidence) float64 { return weighLow(f, 1) }, textLow(1)},
	{"d0-open", func(f *Findings, _ *Evidence) float64 { return weighOpen(f, 0) }, textOpen(0)},
	{"d1-open", func(f *Findings, _ *Evidence) float64 { return weighOpen(f, 1) }, textOpen(1)},
	{"shorted", weighShorted, textShorted},
	{"no-ground", weighNoGround, textNoGround},
	{"converter-unpowered", weighConverter, textConverter},
	{"floating", weighFloating, textFloating},
	{"hum", weighHum, textHum},
	{"burst", weighBurst, textBurst},
	{"crosstalk", weighCrosstalk, textCrosstalk},
	{"wrong-gpio", weighWrongGPIO, textWrongGPIO},
	{"keypad", weighKeypad, textKeypad},
	{"clock-data", weighClockData, textClockData},
	{"hold", weighHold, textHold},
}
