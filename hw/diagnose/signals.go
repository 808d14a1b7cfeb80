package diagnose

import (
	"math"
	"slices"
	"sort"
	"time"

	"stump/wiegand"
)

// Falls are the falling edges, in the order of their times.
func Falls(edges []wiegand.Edge) []wiegand.Edge {
	out := make([]wiegand.Edge, 0, len(edges))
	for _, e := range edges {
		if !e.Rising {
			out = append(out, e)
		}
	}
	sort.SliceStable(out, func(i, j int) bool { return out[i].Time < out[j].Time })
	return out
}

// OnLine are the edges of one line.
func OnLine(edges []wiegand.Edge, line int) (out []wiegand.Edge) {
	for _, e := range edges {
		if int(e.Line) == line {
			out = append(out, e)
		}
	}
	return out
}

func distances(edges []wiegand.Edge) (d []int64) {
	for i := 1; i < len(edges); i++ {
		d = append(d, edges[i].Time-edges[i-1].Time)
	}
	return d
}

// hum returns the mains frequency, or twice that, at which one line falls with
// no card, and 0 when it does not: when most distances are the period's, or the
// falls keep in step with it although single ones are late or missing.
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
	for _, hertz := range []float64{50, 60} {
		if rate > hertz && rate < 2.2*hertz && twice(mine, hertz) > 0.85 {
			return hertz
		}
	}
	return 0
}

// twice is the share of falls at the two commonest phases of a frequency: a slow
// wave falls once a period, and chatters on its way up.
func twice(mine []wiegand.Edge, hertz float64) float64 {
	const bins = 16
	var count [bins]int
	for _, e := range mine {
		_, phase := math.Modf(hertz * float64(e.Time-mine[0].Time) / 1e9)
		count[int(phase*bins)%bins]++
	}
	total := 0
	for range 2 { // the two fullest pairs of neighbours
		best := 0
		for i := range bins {
			if count[i]+count[(i+1)%bins] > count[best]+count[(best+1)%bins] {
				best = i
			}
		}
		total += count[best] + count[(best+1)%bins]
		count[best], count[(best+1)%bins] = 0, 0
	}
	return float64(total) / float64(len(mine))
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
// when they are at any phase: the length of the mean of their phases as vectors.
func inStep(mine []wiegand.Edge, hertz float64) float64 {
	var x, y float64
	for _, e := range mine {
		sin, cos := math.Sincos(2 * math.Pi * hertz * float64(e.Time-mine[0].Time) / 1e9)
		x, y = x+cos, y+sin
	}
	return math.Hypot(x, y) / float64(len(mine))
}

// grouped is the share of falls with a neighbour on their line closer than
// groupNS, less the share that is so close by chance where there are many. A
// neighbour on the other line makes no group: what both wires pick up together
// shows on both.
func grouped(edges []wiegand.Edge, in time.Duration) float64 {
	if len(edges) == 0 || in <= 0 {
		return 0
	}
	near, chance := 0, 0.0
	for line := range 2 {
		mine := OnLine(edges, line)
		d := distances(mine)
		for i := range mine {
			if i > 0 && d[i-1] < groupNS || i < len(d) && d[i] < groupNS {
				near++
			}
		}
		n := float64(len(mine))
		chance += n * (1 - math.Exp(-2*groupNS*n/float64(in)))
	}
	all := float64(len(edges))
	return max(0, (float64(near)-chance)/(all-chance))
}

// together is the largest distance of falls on two lines that touch, where usual
// is the distance of bits. A slow processor stamps the second fall when it is
// done with the first; an eighth of the way to the next bit it is still the same
// pulse.
func together(usual int64) int64 { return max(togetherNS, usual/8) }

// paired is the share of falls that the other line follows within a time.
func paired(edges []wiegand.Edge, within int64) float64 {
	if len(edges) == 0 {
		return 0
	}
	n := 0
	for i := 1; i < len(edges); i++ {
		if edges[i].Line != edges[i-1].Line && edges[i].Time-edges[i-1].Time <= within {
			n += 2
		}
	}
	return min(1, float64(n)/float64(len(edges)))
}

// Interval is the usual distance of bits in nanoseconds, 0 when there are too
// few. It is nearer to the short end than the median, which is two bits long
// where every second bit is missing.
func Interval(falls []wiegand.Edge) int64 {
	var d []int64
	for _, ns := range distances(falls) {
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

// clocked reports whether the falls keep one distance, thirty times and more in
// a row.
func clocked(edges []wiegand.Edge) bool {
	usual := float64(Interval(edges))
	run, longest, inRuns := 0, 0, 0
	for _, ns := range distances(edges) {
		if math.Abs(float64(ns)-usual) > 0.25*usual {
			run = 0
			continue
		}
		run++
		inRuns++
		longest = max(longest, run)
	}
	return longest >= 30 && inRuns*10 >= (len(edges)-1)*9
}
