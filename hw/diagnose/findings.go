package diagnose

import (
	"slices"
	"strings"
	"time"

	"stump/wiegand"
)

// Times that tell edges apart.
const (
	togetherNS = 110_000     // two lines that touch fall within 5 µs, stamped one after the other; see together
	groupNS    = 150_000     // no reader sends pulses 150 µs apart: SIA AC-01 wants 200
	bunchNS    = 20_000      // and crosstalk does not come in groups as close as this
	ghostNS    = 110_000     // what a neighbour's pulse induces comes within 100 µs
	shortestNS = 150_000     // the shortest distance of bits, 200 µs less jitter
	longestNS  = 150_000_000 // nobody shows two cards within 150 ms
	twitchRate = 20          // falls a second of a line that twitches, at most
)

// Findings is evidence counted: what the rules look at.
type Findings struct {
	idleFalls [2]int
	idleTime  time.Duration
	hertz     [2]float64 // of steady edges with no card; 0: none
	grouped   float64    // share of edges with no card in groups that chance does not make
	low       [2]bool    // at both ends of the idle spell
	float     [2]Answer

	shown   int      // how often a card was asked for
	Falls   [2]int   // while cards were shown
	Quiet   int      // cards that brought no edge
	Joined  int      // cards of which every bit came on both lines
	pairs   float64  // of those cards, the share of falls that came on both lines
	frames  []frame  // of the other cards
	missing [2]int   // of these, without a single pulse of one line
	Extra   int      // falls that no reader sends
	ghosts  int      // of these, on the other line within 100 µs
	bunched int      // of these, within 20 µs of another
	late    int      // frames that came together, after cards that brought nothing
	free    []string // pins that pulsed though they are not configured
	clock   int      // the line that alone is regular as a clock; -1: none
}

// Examine counts what the rules look at.
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
	f.countCards(e)
	f.countLate(e)
	for _, a := range e.Free {
		if len(a.Falls) >= 3 {
			// The first two names are those that a technician counts by:
			// "GPIO27 = header pin 13".
			names := strings.Split(a.Line, " = ")
			f.free = append(f.free, strings.Join(names[:min(2, len(names))], " = "))
		}
	}
	return f
}

func (f *Findings) countCards(e *Evidence) {
	var all, joined []wiegand.Edge
	for _, spell := range e.Cards {
		all = append(all, Falls(spell.Edges)...)
	}
	usual := Interval(all)
	for _, spell := range e.Cards {
		falls := Falls(spell.Edges)
		switch {
		case len(falls) == 0:
			f.Quiet++
		case len(falls) >= 8 && paired(falls, together(usual)) >= 0.85:
			joined = append(joined, falls...)
			f.Joined++ // it has no frames: each bit came twice
		default:
			f.countFrames(split(falls, usual), e.Formats)
		}
	}
	f.Falls = [2]int{len(OnLine(all, 0)), len(OnLine(all, 1))}
	if f.Joined > 0 {
		f.pairs = paired(joined, together(usual))
		return // on one line alone the bits are as regular as a clock
	}
	if f.goodRead() || clocked(all) {
		return
	}
	for i := range 2 {
		if clocked(OnLine(all, i)) && !f.noisy(i) {
			f.clock = i
		}
	}
}

func (f *Findings) countFrames(frames []frame, formats []*wiegand.Format) {
	for _, fr := range frames {
		fr.judge(formats)
		f.frames = append(f.frames, fr)
		for line := range 2 {
			if fr.bits.Len() >= 4 && !fr.good && fr.only(1-line) {
				f.missing[line]++
			}
		}
		f.Extra += fr.extra
		f.ghosts += fr.ghosts
		f.bunched += fr.bunched
	}
}

// countLate counts frames that came on each other's heels after a card that
// brought nothing: faster than a person can show cards.
func (f *Findings) countLate(e *Evidence) {
	spells := slices.Clone(e.Cards)
	if e.Late != nil {
		spells = append(spells, *e.Late)
	}
	for i, spell := range spells {
		edges := Falls(spell.Edges)
		if len(edges) == 0 {
			continue
		}
		if i == 0 {
			return
		}
		n, last := 0, int64(0)
		for _, fr := range split(edges, Interval(edges)) {
			if fr.bits.Len() >= 8 && (n == 0 || fr.from-last < longestNS) {
				n++
				last = fr.to
			}
		}
		if n >= 2 || i == len(e.Cards) { // in the late spell one is enough
			f.late = max(f.late, n)
		}
	}
}

func both(is func(line int) bool) bool   { return is(0) && is(1) }
func either(is func(line int) bool) bool { return is(0) || is(1) }

func (f *Findings) follows(i int) bool { return f.float[i] == follows }
func (f *Findings) changes(i int) bool { return f.float[i] == changing }
func (f *Findings) hums(i int) bool    { return f.hertz[i] > 0 }

// unknownFloat reports whether there was no float test, as on a BeagleBone.
func (f *Findings) unknownFloat() bool { return f.float[0] == unasked }

// IsLow reports whether the line is held low, by the float test where there was
// one. It may twitch, as a wire that nothing drives does.
func (f *Findings) IsLow(i int) bool {
	if f.float[i] != unasked && f.float[i] != changing {
		return f.float[i] == HeldLow
	}
	return f.low[i] && !f.hums(i) && f.rate(i) <= twitchRate
}

// twitching reports whether the line rests low, and moves now and then.
func (f *Findings) twitching(i int) bool { return f.IsLow(i) && f.idleFalls[i]+f.Falls[i] > 0 }

// noisy reports whether more edges came with no card than a hand near the cable
// makes.
func (f *Findings) noisy(i int) bool { return f.idleFalls[i] >= 3 }

// sometimes reports whether some cards brought pulses of the line, and some not
// a single one.
func (f *Findings) sometimes(i int) bool { return f.missing[i] > 0 && f.Falls[i] > 0 }

// rate is falls a second with no card.
func (f *Findings) rate(i int) float64 {
	if f.idleTime <= 0 {
		return 0
	}
	return float64(f.idleFalls[i]) / f.idleTime.Seconds()
}

// fast reports whether the line falls more often than one that only twitches.
func (f *Findings) fast(i int) bool { return f.rate(i) > twitchRate }

// Silent reports whether cards were shown and brought no edge.
func (f *Findings) Silent() bool { return f.shown > 0 && f.Falls == [2]int{} }

// Astray reports whether pulses came on pins that are not configured, or late.
func (f *Findings) Astray() bool { return len(f.free) > 0 || f.late > 0 }

// OneDead reports whether only one line brought pulses, and nothing is known to
// hold the other.
func (f *Findings) OneDead() bool {
	return either(func(i int) bool {
		return f.Falls[1-i] >= 3 && f.Falls[i] == 0 && (!f.IsLow(i) || f.unknownFloat())
	})
}

// goodRead reports whether a frame was a card.
func (f *Findings) goodRead() bool {
	return slices.ContainsFunc(f.frames, func(fr frame) bool { return fr.good })
}

// inverse is how many frames are a card only with the lines exchanged.
func (f *Findings) inverse() (n int) {
	for _, fr := range f.frames {
		if fr.inverse && !fr.good {
			n++
		}
	}
	return n
}
