package diagnose

import (
	"slices"
	"strings"
	"time"

	"stump/gpio"
	"stump/wiegand"
)

// Evidence is what was measured at a reader's lines, and nothing of what it
// may mean. Diagnose says that.
type Evidence struct {
	// Idle is a time with no card and no hand at the wires.
	Idle Spell
	// Float is how the lines answer to the board's own pulls; nil where they
	// were not tried or this board can't change them.
	Float *Float
	// Cards holds one spell for each time a card was asked for.
	Cards []Spell
	// Late is what came after the cards when nothing had come while they were
	// shown: what a reader that was told to hold lets go.
	Late *Spell
	// Free is what the free pins of the header did while cards were shown;
	// nil when nobody listened.
	Free []gpio.Activity
	// Answered is whether the reader beeped or lit up for the card, as far as
	// somebody was asked.
	Answered *bool
	// Formats are those that the site's cards may have.
	Formats []*wiegand.Format
}

// beeped: somebody saw or heard the reader answer the card.
func (e *Evidence) beeped() bool { return e.Answered != nil && *e.Answered }

// Spell is what the lines did for a while.
type Spell struct {
	From, To   int64 // monotonic nanoseconds
	Start, End [2]bool
	Edges      []wiegand.Edge
}

// Duration is how long the spell lasted.
func (s *Spell) Duration() time.Duration { return time.Duration(s.To - s.From) }

// Float is how the lines read under the board's pull-up and pull-down.
type Float struct{ Up, Down [2]Reading }

// Reading is how often a line read high.
type Reading struct{ High, Of int }

// Answer is what the two readings of a line mean.
type Answer uint8

const (
	unasked  Answer = iota
	PulledUp        // high under both: something outside pulls it up
	HeldLow         // low under both: something outside holds it down
	follows         // whatever the pull says: nothing outside
	changing        // it moves by itself
)

func (f *Float) Line(i int) Answer {
	if f == nil || f.Up[i].Of == 0 || f.Down[i].Of == 0 {
		return unasked
	}
	// One reading of several may have met a pulse.
	up, down := f.Up[i].share(), f.Down[i].share()
	switch {
	case up >= 0.8 && down >= 0.8:
		return PulledUp
	case up <= 0.2 && down <= 0.2:
		return HeldLow
	case up >= 0.8 && down <= 0.2:
		return follows
	}
	return changing
}

// String says what an answer to both pulls means.
func (a Answer) String() string {
	switch a {
	case PulledUp:
		return "pulled up from outside"
	case HeldLow:
		return "held low from outside"
	case follows:
		return "not held by anything outside"
	case changing:
		return "moving by itself"
	}
	return "not measured"
}

func (r Reading) share() float64 { return float64(r.High) / float64(r.Of) }

// Times by which edges are told apart.
const (
	togetherNS = 110_000     // two lines that touch fall within 5 µs, stamped one after the other; see together
	groupNS    = 150_000     // no reader sends pulses 150 µs apart: SIA AC-01 wants 200
	bunchNS    = 20_000      // nor does crosstalk come in groups as close as this
	ghostNS    = 110_000     // what a neighbour's pulse induces comes within 100 µs
	shortestNS = 150_000     // the shortest distance of bits, 200 µs less jitter
	longestNS  = 150_000_000 // nobody shows two cards within 150 ms
)

// Findings is evidence counted.
type Findings struct {
	idleFalls [2]int
	idleTime  time.Duration
	hertz     [2]float64 // steady edges with no card; 0: none
	grouped   float64    // share of edges with no card in groups that chance does not make
	low       [2]bool    // seen low at both ends of the idle spell
	float     [2]Answer

	shown     int     // how often a card was asked for
	Falls     [2]int  // while cards were shown
	Quiet     int     // cards that brought no edge
	Joined    int     // cards of which every bit came on both lines
	pairs     float64 // share of falls that came on both lines, of those cards or of all
	frames    []frame // of the other cards
	missing   [2]int  // of these, without a single pulse of one line
	Extra     int     // falls that no reader sends
	ghosts    int     // of these, on the other line within 100 µs
	bunched   int     // of these, within 20 µs of another
	Late      int     // frames that came together, after cards that brought nothing
	Free      int     // pins that pulsed though nobody configured them
	freeNames []string
	clock     int // line that is regular as a clock by itself; -1: none
}

// examine counts what the rules of diagnosis look at.
func Examine(e *Evidence) *Findings {
	f := &Findings{idleTime: e.Idle.Duration(), shown: len(e.Cards), clock: -1}
	idle := Falls(e.Idle.Edges)
	for i := range 2 {
		mine := OnLine(idle, i)
		f.idleFalls[i] = len(mine)
		f.hertz[i] = hum(mine)
		f.low[i] = e.Idle.To > e.Idle.From && !e.Idle.Start[i] && !e.Idle.End[i]
		f.float[i] = e.Float.Line(i)
	}
	f.grouped = grouped(idle, f.idleTime)

	var all []wiegand.Edge
	for i := range e.Cards {
		spell := Falls(e.Cards[i].Edges)
		if len(spell) == 0 {
			f.Quiet++
		}
		all = append(all, spell...)
	}
	f.cards(e, all)
	f.lateFrames(e)
	for _, a := range e.Free {
		if len(a.Falls) >= 3 {
			f.Free++
			f.freeNames = append(f.freeNames, shortName(a.Line))
		}
	}
	return f
}

// shortName is the part of a line's name that a technician counts by:
// "GPIO27 = header pin 13".
func shortName(line string) string {
	parts := strings.Split(line, " = ")
	return strings.Join(parts[:min(2, len(parts))], " = ")
}

// cards counts what came while cards were shown.
func (f *Findings) cards(e *Evidence, all []wiegand.Edge) {
	for i := range 2 {
		f.Falls[i] = len(OnLine(all, i))
	}
	usual := Interval(all)
	f.pairs = paired(all, together(usual))
	var joined []wiegand.Edge
	for i := range e.Cards {
		spell := Falls(e.Cards[i].Edges)
		if len(spell) >= 8 && paired(spell, together(usual)) >= 0.85 {
			joined = append(joined, spell...)
			f.Joined++
			continue // what would be frames is each bit twice
		}
		for _, fr := range split(spell, usual) {
			fr.judge(e.Formats)
			f.frames = append(f.frames, fr)
			for line := range 2 {
				if fr.falls >= 4 && !fr.good && fr.only(1-line) {
					f.missing[line]++
				}
			}
			for _, x := range fr.extra {
				f.Extra++
				if x.ghost {
					f.ghosts++
				}
				if x.bunched {
					f.bunched++
				}
			}
		}
	}
	if f.Joined > 0 {
		f.pairs = paired(joined, together(usual))
		return // of one line alone the bits are as regular as a clock
	}
	if slices.ContainsFunc(f.frames, func(fr frame) bool { return fr.good }) || clocked(all) {
		return
	}
	for i := range 2 {
		if clocked(OnLine(all, i)) && !f.noisy(i) {
			f.clock = i
		}
	}
}

// lateFrames counts frames that came on each other's heels after a card that
// brought nothing: more of them than a person can show so fast.
func (f *Findings) lateFrames(e *Evidence) {
	spells := slices.Clone(e.Cards)
	if e.Late != nil {
		spells = append(spells, *e.Late)
	}
	silent := 0
	for i := range spells {
		edges := Falls(spells[i].Edges)
		if len(edges) == 0 {
			silent++
			continue
		}
		if silent == 0 {
			return
		}
		n, last := 0, int64(0)
		for _, fr := range split(edges, Interval(edges)) {
			if fr.falls >= 8 && (n == 0 || fr.from-last < longestNS) {
				n++
				last = fr.to
			}
		}
		if n >= 2 || n == 1 && e.Late != nil && i == len(spells)-1 {
			f.Late = max(f.Late, n)
		}
	}
}
