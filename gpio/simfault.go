package gpio

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"stump/wiegand"
)

// The faults, named as the causes that a self-test names. What each does to the
// two lines, with a BSS138 level converter between reader and board:
//
//	fault                idle                                under pull-up, pull-down  when a card is shown
//	no-power             both low or undefined               0,0                       nothing
//	swapped              high                                1,1                       every bit inverted
//	d0-open, d1-open     high                                1,1                       only the other line's bits
//	d0-low, d1-low       that line low                       0,0 on it                 only the other line's bits
//	shorted              high                                1,1                       each pulse on both lines within 5 µs
//	no-ground            random edges on both lines          varies                    bits missing and added, or none
//	converter-unpowered  follows the pull                    1,0 on both               nothing
//	floating             one follows the pull, few edges     1,0 on it                 that line's bits missing at random
//	hum                  50 or 60 Hz edges on one line       varies                    extra bits at that spacing
//	burst                short groups of edges < 20 µs       1,1                       some frames damaged
//	crosstalk            high                                1,1                       now and then an edge on the other line < 100 µs after
//	wrong-gpio           follows the pull                    1,0 on both               nothing; pulses on two other lines
//	keypad               high                                1,1                       frames of 4 or 8 bits
//	clock-data           high                                1,1                       one line regular as a clock
//	hold                 high                                1,1                       nothing while shown, all together on release
var simFaults = []struct {
	name  string
	build func(*simFault)
}{
	{"no-power", (*simFault).noPower},
	{"swapped", (*simFault).swapped},
	{"d0-open", func(f *simFault) { f.dead(0, false) }},
	{"d1-open", func(f *simFault) { f.dead(1, false) }},
	{"d0-low", func(f *simFault) { f.dead(0, true) }},
	{"d1-low", func(f *simFault) { f.dead(1, true) }},
	{"shorted", (*simFault).shorted},
	{"no-ground", (*simFault).noGround},
	{"converter-unpowered", (*simFault).converterUnpowered},
	{"floating", (*simFault).floating},
	{"hum", (*simFault).hum},
	{"burst", (*simFault).burst},
	{"crosstalk", (*simFault).crosstalk},
	{"wrong-gpio", (*simFault).wrongGPIO},
	{"keypad", (*simFault).keypad},
	{"clock-data", (*simFault).clockData},
	{"hold", (*simFault).hold},
}

// Faults are the names that SetFault takes.
var Faults = func() (names []string) {
	for _, f := range simFaults {
		names = append(names, f.name)
	}
	return names
}()

// simFault is what is wrong with a simulated reader. The zero value is a
// healthy one.
type simFault struct {
	name string
	rng  *rand.Rand
	// start sets where lines rest and what noise there is.
	start func(s *Sim, now int64)
	// wire is what becomes of one pulse between reader and board; nil: nothing.
	wire func(p pulse) []pulse
	// show, when set, replaces the sending of one frame for a card.
	show func(s *Sim, at int64, bits wiegand.Bits) (end int64)
}

func (f *simFault) between(lo, hi float64) float64 { return lo + (hi-lo)*f.rng.Float64() }

// either spreads values over orders of magnitude.
func (f *simFault) either(lo, hi float64) float64 {
	return lo * math.Exp(f.rng.Float64()*math.Log(hi/lo))
}

func (f *simFault) duration(lo, hi time.Duration) int64 {
	return int64(f.between(float64(lo), float64(hi)))
}

func (f *simFault) line() uint8 { return uint8(f.rng.IntN(2)) }

func (f *simFault) chance(p float64) bool { return f.rng.Float64() < p }

// wait is the time to the next of events that come at random, rate a second.
func (f *simFault) wait(rate float64) int64 {
	return int64(f.rng.ExpFloat64() / rate * float64(time.Second))
}

// SetFault breaks the reader or its wiring in one named way, or mends it with
// "" or "off". See Faults.
func (s *Sim) SetFault(name string) error { return s.SetVariation(name, 1) }

// SetVariation is SetFault with a choice of how exactly it shows: which line,
// how strong, how often. The same seed makes the same fault.
func (s *Sim) SetVariation(name string, seed uint64) error {
	f := &simFault{}
	if name != "" && name != "off" {
		i := slices.Index(Faults, name)
		if i < 0 {
			return fmt.Errorf("no fault is called %q: the faults are off, %s", name, strings.Join(slices.Sorted(slices.Values(Faults)), ", "))
		}
		f = &simFault{name: name, rng: rand.New(rand.NewPCG(seed, uint64(len(name))))}
		simFaults[i].build(f)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.setFault(f)
	s.nudge()
	return nil
}

// Fault is the name of the fault that is set, "" for none.
func (s *Sim) Fault() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fault.name
}

// setFault drops everything that was to come. Where a line rests at another
// level than before, that is an edge.
func (s *Sim) setFault(f *simFault) {
	now := s.update()
	s.fault, s.agenda, s.noises, s.busy = f, nil, nil, 0
	for i := range s.lines {
		s.lines[i] = simLine{high: s.lines[i].high}
		if i > 1 {
			s.lines[i].rest = restPull // nothing is wired to a free pin
		}
	}
	if f.start != nil {
		f.start(s, now)
	}
	s.swing(now)
}

// loose leaves a line to the board's own pull, which on a header's pin may be
// up or down when nobody asked for one.
func (f *simFault) loose(s *Sim, line uint8) {
	s.lines[line].rest, s.lines[line].up = restPull, f.chance(0.3)
}
