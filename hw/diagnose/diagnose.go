// Package diagnose turns what was measured at a reader's lines into causes and
// remedies, the likeliest first.
package diagnose

import (
	"cmp"
	"fmt"
	"slices"
	"sort"

	"stump/hw/board"
)

// Cause is one explanation of the evidence.
type Cause struct {
	Name   string  // of gpio.Faults, or no-wiegand
	Weight float64 // how well it fits, 0 to 1; only the order means something
	Seen   string  // the evidence for it, for a person
	Remedy string  // what to do, in the site's wire colours and pins
	Next   string  // the measurement that tells it from the next cause in the list
}

// Diagnose says what may be wrong, the likeliest first, and nothing when the
// evidence shows no fault. It concludes no more than was measured: lines that
// are high with no card say that something pulls them up, which with a level
// converter is the converter, not the reader.
func Diagnose(e *Evidence, site *board.Site) []Cause {
	f := Examine(e)
	var causes []Cause
	for _, r := range rules {
		if w := r.weigh(f, e).first(); w >= possible {
			seen, remedy := r.text(f, site)
			causes = append(causes, Cause{Name: r.name, Weight: w, Seen: seen, Remedy: remedy})
		}
	}
	sort.SliceStable(causes, func(i, j int) bool { return causes[i].Weight > causes[j].Weight })
	for i := 1; i < len(causes); i++ {
		causes[i-1].Next = tellApart(causes[i-1].Name, causes[i].Name, site)
	}
	return causes
}

// Names are the causes' names in order.
func Names(causes []Cause) []string {
	names := make([]string, len(causes))
	for i, c := range causes {
		names[i] = c.Name
	}
	return names
}

// Label is a cause as a person says it.
func Label(cause string) string { return cmp.Or(find(cause).label, cause) }

func find(cause string) rule {
	i := slices.IndexFunc(rules, func(r rule) bool { return r.name == cause })
	if i < 0 {
		return rule{}
	}
	return rules[i]
}

// tellApart is the measurement that decides between two causes, or else the one
// that proves the first.
func tellApart(first, second string, s *board.Site) string {
	switch min(first, second) + " " + max(first, second) {
	case "hold no-power":
		return "Listen to the reader while a card is shown: if it beeps it has power, and the HOLD wire is the suspect."
	case "hold no-wiegand":
		return "Take the HOLD wire off and show a card: if it comes now, that was it; if not, look up in the reader's manual which outputs it has."
	case "converter-unpowered wrong-gpio":
		return fmt.Sprintf("Measure the converter's LV pin against ground. 0 V: it has no power. 3.3 V: its outputs go to other pins than %s and %s.", s.Pin(0), s.Pin(1))
	case "converter-unpowered no-power":
		return "Measure the converter: 3.3 V on LV, 5 V on HV. Whichever is missing is the fault."
	case "burst crosstalk":
		return "Watch `stump scope` with no card near the reader: sparks show there, crosstalk does not."
	case "hum no-ground", "burst no-ground", "floating no-ground":
		return fmt.Sprintf("Hold a wire from %s to %s and watch `stump scope`: if the pulses stop, ground was missing.", s.GroundWire(), s.GroundPin())
	case "floating hum":
		return "Move the reader's cable away from mains wires and watch `stump scope`: if the steady pulses stop but reads still miss bits, the wire is loose."
	case "d0-open floating", "d1-open floating":
		return "Press the wire onto its terminal and show a card: if pulses come now and then, it is loose; if none come, it is broken."
	case "d0-low no-power", "d1-low no-power", "d0-low d1-low":
		return "Pull both data wires off the board and look at the levels in `stump scope`: high now means that the reader's side holds them down."
	}
	return find(first).proof
}
