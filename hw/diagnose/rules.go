package diagnose

import "stump/hw/board"

// rule is one row of the table of faults, read backwards: from what was measured
// to the fault.
type rule struct {
	name  string // of gpio.Faults
	label string // as a person says it
	proof string // the measurement that confirms it or rules it out
	weigh func(f *Findings, e *Evidence) float64
	text  func(f *Findings, s *board.Site) text
}

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
}

// Weights; below possible a cause is not named.
const (
	certain  = 0.95
	likely   = 0.8
	maybe    = 0.5
	possible = 0.3
)

func weighNoPower(f *Findings, e *Evidence) float64 {
	switch {
	case f.Astray():
		return 0
	case both(f.IsLow) && (either(f.fast) || e.beeped()):
		return 0.6
	case both(f.IsLow):
		return certain
	case !f.Silent() || e.beeped():
		return 0
	case e.mute():
		return 0.9
	case both(f.follows):
		return 0.4
	}
	return 0.6
}

func weighSwapped(f *Findings, _ *Evidence) float64 {
	inverse := f.inverse()
	// Noise passes parity inverted one time in four, hence three reads.
	switch {
	case f.goodRead():
		return 0
	case inverse >= 3 && inverse*10 >= len(f.frames)*8:
		return certain
	case inverse*2 > len(f.frames):
		return maybe
	}
	return 0
}

func weighLow(i int) func(*Findings, *Evidence) float64 {
	return func(f *Findings, _ *Evidence) float64 {
		switch {
		case !f.IsLow(i) || f.hums(i):
			return 0
		case f.IsLow(1 - i):
			return 0.4
		case f.twitching(i):
			return maybe
		}
		return certain
	}
}

func weighOpen(i int) func(*Findings, *Evidence) float64 {
	return func(f *Findings, _ *Evidence) float64 {
		switch {
		case f.Falls[1-i] < 3 || f.IsLow(i) && !f.unknownFloat():
			return 0
		case f.sometimes(i) && !f.noisy(1-i):
			return maybe
		case f.Falls[i] > 0:
			return 0
		case len(f.free) > 0 || f.IsLow(i): // without a float test the board's pull may hold it
			return maybe
		case f.clock == 1-i || f.hums(1-i) || f.noisy(1-i):
			return possible
		case f.follows(i) && f.idleFalls[i] == 0:
			return 0.92 // before a loose wire, which would move
		case f.follows(i):
			return 0.75
		}
		return 0.9
	}
}

func weighShorted(f *Findings, _ *Evidence) float64 {
	switch {
	case f.Joined == 0:
		return 0
	case both(f.noisy):
		return 0.6 // both wires pick up noise too
	case f.Joined+f.Quiet < f.shown:
		return 0.9 // now and then
	}
	return certain
}

func weighNoGround(f *Findings, _ *Evidence) float64 {
	switch {
	case f.grouped > 0.5:
		return 0
	case both(f.hums):
		return 0.7 // after hum
	case both(f.noisy):
		return 0.92
	case either(f.hums):
		return 0.4
	case f.rate(0)+f.rate(1) > 10:
		return 0.6
	case either(f.noisy):
		return 0.4
	}
	return 0
}

func weighConverter(f *Findings, e *Evidence) float64 {
	switch {
	case both(f.IsLow) && e.beeped():
		return likely // the reader has power, and the part after it has not
	case f.unknownFloat() && f.Silent() && !f.Astray() && f.IsLow(0) == f.IsLow(1) && !e.mute():
		return maybe // the board's own pull holds the lines as well as a converter's
	case !both(f.follows) || f.Falls != [2]int{}:
		return 0
	case either(f.noisy):
		return possible
	case len(f.free) > 0:
		return 0
	}
	return likely
}

func weighWrongGPIO(f *Findings, e *Evidence) float64 {
	switch {
	case len(f.free) > 0 && (f.Silent() || f.OneDead()):
		return 0.98
	case len(f.free) > 0:
		return maybe
	case f.unknownFloat() && f.Silent() && e.Free == nil && !f.Astray() && !either(f.IsLow):
		return 0.45
	case !both(f.follows) || f.Falls != [2]int{}:
		return 0
	case either(f.noisy) || e.Free != nil:
		return 0.35
	}
	return 0.7 // nobody watched the free pins yet
}

func weighFloating(f *Findings, _ *Evidence) float64 {
	holes := 0
	for _, fr := range f.frames {
		holes += fr.holes
	}
	switch {
	case either(f.hums):
		return 0.6
	case f.follows(0) != f.follows(1):
		return f.weighOneLoose()
	case both(f.follows) && f.Falls != [2]int{}:
		return 0.85
	case either(f.changes):
		return 0.5
	case f.unknownFloat() && either(f.twitching):
		return 0.6
	case either(f.sometimes):
		return 0.7
	case f.unknownFloat() && holes > 0 && f.Falls[0] > 0 && f.Falls[1] > 0:
		return 0.6
	}
	return 0
}

// weighOneLoose weighs a wire that nothing outside holds, beside one that
// something does.
func (f *Findings) weighOneLoose() float64 {
	loose := 0
	if f.follows(1) {
		loose = 1
	}
	switch {
	case f.fast(loose):
		return 0.7
	case f.noisy(1 - loose):
		return 0.5
	case f.IsLow(1 - loose):
		return possible
	}
	return 0.9
}

func weighHum(f *Findings, _ *Evidence) float64 {
	if either(f.hums) {
		return certain
	}
	return 0
}

func weighBurst(f *Findings, _ *Evidence) float64 {
	idle := f.idleFalls[0] + f.idleFalls[1]
	switch {
	case f.grouped > 0.5 && idle >= 3:
		return 0.93
	case f.Joined > 0 || idle > 0 && f.grouped < 0.2 || f.clock >= 0:
		return 0
	case f.bunched >= 2 && f.bunched*2 > f.Extra:
		return 0.7
	case f.Extra > f.ghosts && idle <= 2:
		return 0.4
	}
	return 0
}

func weighCrosstalk(f *Findings, _ *Evidence) float64 {
	switch {
	case f.ghosts == 0 || f.clock >= 0:
		return 0
	case f.Joined > 0:
		return maybe
	case either(f.noisy):
		return possible
	case f.ghosts*10 >= f.Extra*7:
		return 0.9
	}
	return 0.4
}

func weighKeypad(f *Findings, e *Evidence) float64 {
	for _, format := range e.Formats {
		if format.Len == 4 || format.Len == 8 {
			return 0
		}
	}
	short, n := 0, len(f.frames)
	for _, fr := range f.frames {
		// A card with one line dead may leave four or eight bits, with holes.
		if (fr.bits.Len() == 4 || fr.bits.Len() == 8) && (fr.holes == 0 || f.Falls[0] > 0 && f.Falls[1] > 0) {
			short++
		}
	}
	switch {
	case f.goodRead() || n < 2:
		return 0
	case short == n:
		return certain
	case short*10 >= n*8:
		return 0.7
	}
	return 0
}

func weighClockData(f *Findings, _ *Evidence) float64 {
	if f.clock >= 0 { // never with a good read
		return certain
	}
	return 0
}

func weighHold(f *Findings, e *Evidence) float64 {
	switch {
	case f.late > 0 && !either(f.noisy):
		return certain
	case !f.Silent() || len(f.free) > 0 || either(f.IsLow) || either(f.follows):
		return 0
	case e.beeped():
		return likely
	case e.Late != nil:
		return 0.4
	}
	return maybe
}
