package diagnose

import (
	"fmt"

	"stump/hw/board"
)

// tellApart is the measurement that decides between two causes.
func tellApart(a, b string, s *board.Site) string {
	first := a
	if a > b {
		a, b = b, a
	}
	switch a + " " + b {
	case "hold no-power":
		return "Listen to the reader while a card is shown: if it beeps it has power, and the HOLD wire is the suspect."
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
		return "Press the wire onto its terminal and show a card: if pulses come now and then, it is loose; if none, it is broken."
	case "d0-low no-power", "d1-low no-power", "d0-low d1-low":
		return "Pull both data wires off the board and look at the levels in `stump scope`: high now means that the reader's side holds them down."
	}
	return proof[first]
}

// proof is the measurement that confirms or rules out one cause.
var proof = map[string]string{
	"no-power":            "Listen to the reader while a card is shown: no beep and no light mean no power.",
	"swapped":             "Exchange the two data wires and show the card again.",
	"d0-open":             "With an ohmmeter, power off: DATA0 from the reader's terminal to the converter, then from the converter to the pin, each near 0 Ω.",
	"d1-open":             "With an ohmmeter, power off: DATA1 from the reader's terminal to the converter, then from the converter to the pin, each near 0 Ω.",
	"d0-low":              "Pull DATA0 off the board and look at its level in `stump scope`.",
	"d1-low":              "Pull DATA1 off the board and look at its level in `stump scope`.",
	"shorted":             "Measure between the two data wires with an ohmmeter, power off: it should not be near 0 Ω.",
	"no-ground":           "Measure between the reader's ground and the board's with an ohmmeter, power off: it should be 0 Ω.",
	"converter-unpowered": "Measure the converter's LV pin against ground: 3.3 V.",
	"floating":            "Press the wire onto its terminal and watch `stump scope` while somebody shows a card.",
	"hum":                 "Move the cable away from mains wires and watch `stump scope`.",
	"burst":               "Watch `stump scope` while the lock or motor nearby switches.",
	"crosstalk":           "Connect the reader with a short lead and show the card again.",
	"wrong-gpio":          "Run `stump wiring` and compare its picture with the header, pin by pin.",
	"keypad":              "Look up the reader's output format in its manual.",
	"clock-data":          "Look up the reader's output format in its manual.",
	"hold":                "Take the HOLD wire off and show a card again.",
}

// Label is a cause as a person says it.
func Label(cause string) string {
	if l := labels[cause]; l != "" {
		return l
	}
	return cause
}

var labels = map[string]string{
	"no-power":            "no power at the reader",
	"swapped":             "DATA0 and DATA1 exchanged",
	"d0-open":             "a broken DATA0 wire",
	"d1-open":             "a broken DATA1 wire",
	"d0-low":              "DATA0 held low",
	"d1-low":              "DATA1 held low",
	"shorted":             "DATA0 and DATA1 touching",
	"no-ground":           "a missing ground connection",
	"converter-unpowered": "a level converter without power",
	"floating":            "a loose data wire",
	"hum":                 "hum from the mains",
	"burst":               "sparks from a lock or motor nearby",
	"crosstalk":           "crosstalk between the data wires",
	"wrong-gpio":          "the wires on other pins than configured",
	"keypad":              "a reader set to keypad mode",
	"clock-data":          "a reader set to clock-and-data",
	"hold":                "the reader's HOLD wire touching something",
}
