package hw

import (
	"math"
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

// answer is what the two readings of a line mean.
type answer uint8

const (
	unasked  answer = iota
	pulledUp        // high under both: something outside pulls it up
	heldLow         // low under both: something outside holds it down
	follows         // whatever the pull says: nothing outside
	changing        // it moves by itself
)

func (f *Float) line(i int) answer {
	if f == nil || f.Up[i].Of == 0 || f.Down[i].Of == 0 {
		return unasked
	}
	// One reading of several may have met a pulse.
	up, down := f.Up[i].share(), f.Down[i].share()
	switch {
	case up >= 0.8 && down >= 0.8:
		return pulledUp
	case up <= 0.2 && down <= 0.2:
		return heldLow
	case up >= 0.8 && down <= 0.2:
		return follows
	}
	return changing
}

func (r Reading) share() float64 { return float64(r.High) / float64(r.Of) }

// Times by which edges are told apart.
const (
	togetherNS = 5_000       // two lines that touch fall within 5 µs
	groupNS    = 20_000      // no reader sends pulses 20 µs apart: SIA AC-01 wants 200
	ghostNS    = 110_000     // what a neighbour's pulse induces comes within 100 µs
	shortestNS = 150_000     // the shortest distance of bits, 200 µs less jitter
	longestNS  = 150_000_000 // nobody shows two cards within 150 ms
)

// findings is evidence counted.
type findings struct {
	idleFalls [2]int
	idleTime  time.Duration
	hertz     [2]float64 // steady edges with no card; 0: none
	grouped   float64    // share of edges with no card that come in groups
	low       [2]bool    // seen low at both ends of the idle spell
	float     [2]answer

	shown     int    // how often a card was asked for
	falls     [2]int // while cards were shown
	quiet     int    // cards that brought no edge
	pairs     float64
	frames    []frame
	extra     int // falls that no reader sends
	ghosts    int // of these, on the other line within 100 µs
	bunched   int // of these, within 20 µs of another
	late      int // frames that came together, after cards that brought nothing
	free      int // pins that pulsed though nobody configured them
	freeNames []string
	clock     int // line that is regular as a clock by itself; -1: none
}

// frame is what a group of falls would read as.
type frame struct {
	bits    wiegand.Bits
	falls   int
	holes   int // places where a fall is missing, by the timing
	good    bool
	inverse bool // would be good with the lines exchanged
}

// examine counts what the rules of diagnosis look at.
func examine(e *Evidence) *findings {
	f := &findings{idleTime: e.Idle.Duration(), shown: len(e.Cards), clock: -1}
	idle := falls(e.Idle.Edges)
	for i := range 2 {
		mine := of(idle, i)
		f.idleFalls[i] = len(mine)
		f.hertz[i] = hum(mine)
		f.low[i] = e.Idle.To > e.Idle.From && !e.Idle.Start[i] && !e.Idle.End[i]
		f.float[i] = e.Float.line(i)
	}
	f.grouped = grouped(idle)

	var all []wiegand.Edge
	for i := range e.Cards {
		spell := falls(e.Cards[i].Edges)
		if len(spell) == 0 {
			f.quiet++
		}
		all = append(all, spell...)
	}
	f.cards(e, all)
	f.lateFrames(e)
	for _, a := range e.Free {
		if len(a.Falls) >= 3 {
			f.free++
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
func (f *findings) cards(e *Evidence, all []wiegand.Edge) {
	for i := range 2 {
		f.falls[i] = len(of(all, i))
	}
	f.pairs = paired(all)
	if f.pairs > 0.6 {
		return // what would be frames is each bit twice
	}
	for i := range e.Cards {
		frames, extra := split(falls(e.Cards[i].Edges), interval(all))
		for j := range frames {
			frames[j].judge(e.Formats)
		}
		f.frames = append(f.frames, frames...)
		for _, x := range extra {
			f.extra++
			if x.ghost {
				f.ghosts++
			}
			if x.bunched {
				f.bunched++
			}
		}
	}
	if slices.ContainsFunc(f.frames, func(fr frame) bool { return fr.good }) || clocked(all) {
		return
	}
	for i := range 2 {
		if clocked(of(all, i)) && !f.noisy(i) {
			f.clock = i
		}
	}
}

// lateFrames counts frames that came on each other's heels after a card that
// brought nothing: more of them than a person can show so fast.
func (f *findings) lateFrames(e *Evidence) {
	spells := slices.Clone(e.Cards)
	if e.Late != nil {
		spells = append(spells, *e.Late)
	}
	silent := 0
	for i := range spells {
		edges := falls(spells[i].Edges)
		if len(edges) == 0 {
			silent++
			continue
		}
		if silent == 0 {
			return
		}
		frames, _ := split(edges, interval(edges))
		n := 0
		for _, fr := range frames {
			if fr.falls >= 8 {
				n++
			}
		}
		if n >= 2 || n == 1 && e.Late != nil && i == len(spells)-1 {
			f.late = max(f.late, n)
		}
	}
}

// judge holds a frame against the site's formats.
func (fr *frame) judge(formats []*wiegand.Format) {
	for _, format := range formats {
		if _, ok := format.Unpack(fr.bits); ok {
			fr.good = true
		}
		if _, ok := format.Unpack(fr.bits.Invert()); ok {
			fr.inverse = true
		}
	}
}

func falls(edges []wiegand.Edge) []wiegand.Edge {
	out := make([]wiegand.Edge, 0, len(edges))
	for _, e := range edges {
		if !e.Rising {
			out = append(out, e)
		}
	}
	slices.SortStableFunc(out, func(a, b wiegand.Edge) int { return int(min(max(a.Time-b.Time, -1), 1)) })
	return out
}

func of(edges []wiegand.Edge, line int) (out []wiegand.Edge) {
	for _, e := range edges {
		if int(e.Line) == line {
			out = append(out, e)
		}
	}
	return out
}

// distances are the times between neighbours.
func distances(edges []wiegand.Edge) (d []int64) {
	for i := 1; i < len(edges); i++ {
		d = append(d, edges[i].Time-edges[i-1].Time)
	}
	return d
}

// hum returns the mains frequency, or twice that, at which one line falls
// with no card, and 0 when it does not: when most distances are the period's,
// or the falls keep in step with it although single ones are late or missing.
func hum(mine []wiegand.Edge) float64 {
	mine = apart(mine, int64(2*time.Millisecond)) // a group of spikes counts once
	d := distances(mine)
	if len(d) < 8 {
		return 0
	}
	rate := float64(len(d)) / float64(mine[len(d)].Time-mine[0].Time) * 1e9
	for _, hertz := range []float64{50, 60, 100, 120} {
		fit := 0
		for _, ns := range d {
			if math.Abs(float64(ns)*hertz/1e9-1) < 0.06 {
				fit++
			}
		}
		if fit*10 >= len(d)*7 || rate > 0.7*hertz && rate < 1.1*hertz && inStep(mine, hertz) > 0.75 {
			return hertz
		}
	}
	return 0
}

// apart leaves out falls that come sooner after another than d.
func apart(edges []wiegand.Edge, d int64) (out []wiegand.Edge) {
	for _, e := range edges {
		if len(out) == 0 || e.Time-out[len(out)-1].Time >= d {
			out = append(out, e)
		}
	}
	return out
}

// inStep is 1 when all falls are at the same phase of a frequency, and near 0
// when they are at any: the mean of their phases as vectors.
func inStep(mine []wiegand.Edge, hertz float64) float64 {
	var x, y float64
	for _, e := range mine {
		sin, cos := math.Sincos(2 * math.Pi * hertz * float64(e.Time-mine[0].Time) / 1e9)
		x, y = x+cos, y+sin
	}
	return math.Hypot(x, y) / float64(len(mine))
}

// grouped is the share of falls with a neighbour closer than 20 µs.
func grouped(edges []wiegand.Edge) float64 {
	if len(edges) == 0 {
		return 0
	}
	d, n := distances(edges), 0
	for i := range edges {
		if i > 0 && d[i-1] < groupNS || i < len(d) && d[i] < groupNS {
			n++
		}
	}
	return float64(n) / float64(len(edges))
}

// paired is the share of falls that the other line follows within 5 µs.
func paired(edges []wiegand.Edge) float64 {
	n := 0
	for i := 1; i < len(edges); i++ {
		if edges[i].Line != edges[i-1].Line && edges[i].Time-edges[i-1].Time <= togetherNS {
			n += 2
		}
	}
	if len(edges) == 0 {
		return 0
	}
	return min(1, float64(n)/float64(len(edges)))
}

// interval is the usual distance of bits, 0 when there are too few. It is
// nearer to the short end than the median, which is two bits long where every
// second bit is missing.
func interval(edges []wiegand.Edge) int64 {
	var d []int64
	for _, ns := range distances(edges) {
		if ns >= shortestNS && ns < longestNS {
			d = append(d, ns)
		}
	}
	if len(d) == 0 {
		return 0
	}
	slices.Sort(d)
	return d[len(d)*3/10]
}

// clocked: the falls keep one distance, for twenty and more in a row.
func clocked(edges []wiegand.Edge) bool {
	usual := interval(edges)
	if usual == 0 {
		return false
	}
	run, long, inRuns := 0, false, 0
	for _, ns := range distances(edges) {
		if math.Abs(float64(ns-usual)) <= 0.25*float64(usual) {
			run++
			inRuns++
			long = long || run >= 30
			continue
		}
		run = 0
	}
	return long && inRuns*10 >= (len(edges)-1)*9
}
