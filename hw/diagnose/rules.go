package diagnose

import (
	"slices"

	"stump/hw/board"
	"stump/wiegand"
)

// rule is one row of the table of faults, read backwards: from what was measured
// to the fault.
type rule struct {
	name  string // of gpio.Faults, or unheard
	label string // as a person says it
	proof string // the measurement that confirms it or rules it out
	weigh func(f *Findings, e *Evidence) weights
	text  textFunc
}

// weights are a rule's cases: the first that holds is the weight, and without
// one it is 0.
type weights []struct {
	holds  bool
	weight float64
}

func (w weights) first() float64 {
	for _, c := range w {
		if c.holds {
			return c.weight
		}
	}
	return 0
}

// textFunc says what was seen and what to do, in the site's words.
type textFunc func(f *Findings, s *board.Site) (seen, remedy string)

// rules are few, and each looks at all it needs, so that their order does not
// matter. A weight says how specific the evidence is, not how common a fault is.
var rules = []rule{
	{"no-power", "no power at the reader", "Listen to the reader while a card is shown: no beep and no light mean no power.", weighNoPower, textNoPower},
	{"swapped", "DATA0 and DATA1 exchanged", "Exchange the two data wires and show the card again.", weighSwapped, textSwapped},
	{"d0-low", "DATA0 held low", "Pull DATA0 off the board and look at its level in `stump scope`.", weighLow(0), textLow(0)},
	{"d1-low", "DATA1 held low", "Pull DATA1 off the board and look at its level in `stump scope`.", weighLow(1), textLow(1)},
	{"d0-open", "a broken DATA0 wire", "With an ohmmeter, power off: DATA0 from the reader's terminal to the converter, then from the converter to the pin, each near 0 Ω.", weighOpen(0), textOpen(0)},
	{"d1-open", "a broken DATA1 wire", "With an ohmmeter, power off: DATA1 from the reader's terminal to the converter, then from the converter to the pin, each near 0 Ω.", weighOpen(1), textOpen(1)},
	{"shorted", "DATA0 and DATA1 touching", "Measure between the two data wires with an ohmmeter, power off: it should not be near 0 Ω.", weighShorted, textShorted},
	{"no-ground", "a missing ground connection", "Measure between the reader's ground and the board's with an ohmmeter, power off: it should be 0 Ω.", weighNoGround, textNoGround},
	{"converter-unpowered", "a level converter without power", "Measure the converter's LV pin against ground: 3.3 V.", weighConverter, textConverter},
	{"floating", "a loose data wire", "Press the wire onto its terminal and watch `stump scope` while someone shows a card.", weighFloating, textFloating},
	{"hum", "hum from the mains", "Move the cable away from mains wires and watch `stump scope`.", weighHum, textHum},
	{"burst", "sparks from a lock or motor nearby", "Watch `stump scope` while the lock or motor nearby switches.", weighBurst, textBurst},
	{"crosstalk", "crosstalk between the data wires", "Connect the reader with a short lead and show the card again.", weighCrosstalk, textCrosstalk},
	{"wrong-gpio", "the wires on other pins than configured", "Run `stump wiring` and compare its picture with the header, pin by pin.", weighWrongGPIO, textWrongGPIO},
	{"keypad", "a reader set to keypad mode", "Look up the reader's output format in its manual.", weighKeypad, textKeypad},
	{"clock-data", "a reader set to clock-and-data", "Look up the reader's output format in its manual.", weighClockData, textClockData},
	{"hold", "the reader's HOLD wire touching something", "Take the HOLD wire off and show a card again.", weighHold, textHold},
	{unheard, "a reader that stands alone, or speaks OSDP or serial", "Look up in the reader's manual which outputs it has and which one is set.", weighUnheard, textUnheard},
}

// unheard is the cause that no simulated reader shows, because the lines are as
// those of a good one: only a person hears that it read the card.
const unheard = "no-wiegand"

// Weights; below possible a cause is not named.
const (
	certain  = 0.95
	likely   = 0.8
	maybe    = 0.5
	possible = 0.3
)

func weighNoPower(f *Findings, e *Evidence) weights {
	return weights{
		{f.Astray(), 0},
		{both(f.IsLow) && (either(f.fast) || e.beeped()), 0.6},
		{both(f.IsLow), certain},
		{!f.Silent() || e.beeped(), 0},
		{e.mute(), 0.9},
		{both(f.follows), 0.4},
		{true, 0.6},
	}
}

func weighSwapped(f *Findings, _ *Evidence) weights {
	inverse := f.inverse()
	// Noise passes parity inverted one time in four, hence three reads.
	return weights{
		{f.goodRead(), 0},
		{inverse >= 3 && inverse*10 >= len(f.frames)*8, certain},
		{inverse*2 > len(f.frames), maybe},
	}
}

func weighLow(i int) func(*Findings, *Evidence) weights {
	return func(f *Findings, _ *Evidence) weights {
		return weights{
			{!f.IsLow(i) || f.hums(i), 0},
			{f.IsLow(1 - i), 0.4},
			{f.twitching(i), maybe},
			{true, certain},
		}
	}
}

func weighOpen(i int) func(*Findings, *Evidence) weights {
	return func(f *Findings, _ *Evidence) weights {
		return weights{
			{f.Falls[1-i] < 3 || f.IsLow(i) && !f.unknownFloat(), 0},
			{f.sometimes(i) && !f.noisy(1-i), maybe},
			{f.Falls[i] > 0, 0},
			{len(f.free) > 0 || f.IsLow(i), maybe}, // without a float test the board's pull may hold it
			{f.clock == 1-i || f.hums(1-i) || f.noisy(1-i), possible},
			{f.follows(i) && f.idleFalls[i] == 0, 0.92}, // before a loose wire, which would move
			{f.follows(i), 0.75},
			{true, 0.9},
		}
	}
}

func weighShorted(f *Findings, _ *Evidence) weights {
	return weights{
		{f.Joined == 0, 0},
		{both(f.noisy), 0.6},              // both wires pick up noise too
		{f.Joined+f.Quiet < f.shown, 0.9}, // now and then
		{true, certain},
	}
}

func weighNoGround(f *Findings, _ *Evidence) weights {
	return weights{
		{f.grouped > 0.5, 0},
		{both(f.hums), 0.7}, // after hum
		{both(f.noisy), 0.92},
		{either(f.hums), 0.4},
		{f.rate(0)+f.rate(1) > 10, 0.6},
		{either(f.noisy), 0.4},
	}
}

func weighConverter(f *Findings, e *Evidence) weights {
	return weights{
		{both(f.IsLow) && e.beeped(), likely}, // the reader has power, and the part after it has not
		// Without a float test, the board's own pull holds the lines as well as a converter's.
		{f.unknownFloat() && f.Silent() && !f.Astray() && f.IsLow(0) == f.IsLow(1) && !e.mute(), maybe},
		{!both(f.follows) || f.Falls != [2]int{}, 0},
		{either(f.noisy), possible},
		{len(f.free) > 0, 0},
		{true, likely},
	}
}

func weighWrongGPIO(f *Findings, e *Evidence) weights {
	return weights{
		{len(f.free) > 0 && (f.Silent() || f.OneDead()), 0.98},
		{len(f.free) > 0, maybe},
		{f.unknownFloat() && f.Silent() && e.Free == nil && !f.Astray() && !either(f.IsLow), 0.45},
		{!both(f.follows) || f.Falls != [2]int{}, 0},
		{either(f.noisy) || e.Free != nil, 0.35},
		{true, 0.7}, // nobody watched the free pins yet
	}
}

func weighFloating(f *Findings, _ *Evidence) weights {
	holes := 0
	for _, fr := range f.frames {
		holes += fr.holes
	}
	// Nothing outside holds one wire, and something does the other.
	one, loose := f.follows(0) != f.follows(1), 0
	if f.follows(1) {
		loose = 1
	}
	return weights{
		{either(f.hums), 0.6},
		{one && f.fast(loose), 0.7},
		{one && f.noisy(1-loose), 0.5},
		{one && f.IsLow(1-loose), possible},
		{one, 0.9},
		{both(f.follows) && f.Falls != [2]int{}, 0.85},
		{either(f.changes), 0.5},
		{f.unknownFloat() && either(f.twitching), 0.6},
		{either(f.sometimes), 0.7},
		{f.unknownFloat() && holes > 0 && f.Falls[0] > 0 && f.Falls[1] > 0, 0.6},
	}
}

func weighHum(f *Findings, _ *Evidence) weights { return weights{{either(f.hums), certain}} }

func weighBurst(f *Findings, _ *Evidence) weights {
	idle := f.idleFalls[0] + f.idleFalls[1]
	return weights{
		{f.grouped > 0.5 && idle >= 3, 0.93},
		{f.Joined > 0 || idle > 0 && f.grouped < 0.2 || f.clock >= 0, 0},
		{f.bunched >= 2 && f.bunched*2 > f.Extra, 0.7},
		{f.Extra > f.ghosts && idle <= 2, 0.4},
	}
}

func weighCrosstalk(f *Findings, _ *Evidence) weights {
	return weights{
		{f.ghosts == 0 || f.clock >= 0, 0},
		{f.Joined > 0, maybe},
		{either(f.noisy), possible},
		{f.ghosts*10 >= f.Extra*7, 0.9},
		{true, 0.4},
	}
}

func weighKeypad(f *Findings, e *Evidence) weights {
	digit := func(format *wiegand.Format) bool { return format.Len == 4 || format.Len == 8 }
	short, n := 0, len(f.frames)
	for _, fr := range f.frames {
		// A card with one line dead may leave four or eight bits, with holes.
		if (fr.bits.Len() == 4 || fr.bits.Len() == 8) && (fr.holes == 0 || f.Falls[0] > 0 && f.Falls[1] > 0) {
			short++
		}
	}
	return weights{
		{f.goodRead() || n < 2 || slices.ContainsFunc(e.Formats, digit), 0},
		{short == n, certain},
		{short*10 >= n*8, 0.7},
	}
}

// weighClockData: f.clock is never set after a good read.
func weighClockData(f *Findings, _ *Evidence) weights { return weights{{f.clock >= 0, certain}} }

func weighHold(f *Findings, e *Evidence) weights {
	return weights{
		{f.late > 0 && !either(f.noisy), certain},
		{!f.Silent() || len(f.free) > 0 || either(f.IsLow) || either(f.follows), 0},
		{e.Late != nil, 0.4}, // the wire was taken off, and nothing came
		{e.beeped(), likely},
		{true, maybe},
	}
}

// weighUnheard: the reader says that it has read the card, and tells this board
// nothing of it.
func weighUnheard(f *Findings, e *Evidence) weights {
	return weights{
		{!e.beeped() || f.late > 0 || !f.Silent() || len(f.free) > 0 || either(f.IsLow) || either(f.follows), 0},
		{e.Late != nil, likely},
		{true, 0.6}, // the HOLD wire comes first: it is looked at in a moment
	}
}
