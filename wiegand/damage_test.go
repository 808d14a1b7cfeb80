package wiegand

import (
	"math"
	"math/rand/v2"
	"slices"
)

// The model of a reader that the damage table uses: pulses on two lines, what
// goes wrong with them, and the edges and stamps that come of it.

const (
	us = int64(1000)
	ms = 1000 * us
)

// pulse is a time during which something pulls a line low.
type pulse struct {
	at, width int64
	line      uint8
}

// reader is how a reader sends.
type reader struct {
	width, interval    int64
	widthTo, spacingTo int64   // not 0: uniform from width, interval to these
	jitter             float64 // of the interval, as a fraction
	model              int     // how it jitters, see send
}

var standardReader = reader{width: 50 * us, interval: 2 * ms, jitter: 0.01}

// between is a number of from to to, which may be as far apart as numbers are.
func between(rng *rand.Rand, from, to int64) int64 {
	return from + int64(rng.Uint64N(uint64(to-from)+1))
}

// send makes the pulses of a card. Jitter is of each interval (normal or
// uniform, so that it adds up over the card), or of each pulse around an exact
// clock.
func (rd reader) send(rng *rand.Rand, b Bits, at int64) []pulse {
	pulses := make([]pulse, 0, b.Len())
	t := at
	for i := range b.Len() {
		p := pulse{at: t, width: rd.width, line: b.Bit(i)}
		if rd.widthTo > 0 {
			p.width = between(rng, rd.width, rd.widthTo)
		}
		step := rd.interval
		scale := rd.jitter * float64(rd.interval)
		switch {
		case rd.spacingTo > 0:
			step = between(rng, rd.interval, rd.spacingTo)
		case rd.model == 0:
			step += int64(max(-3.5, min(3.5, rng.NormFloat64())) * scale)
		case rd.model == 1:
			step += int64((2*rng.Float64() - 1) * scale)
		default:
			p.at += int64((2*rng.Float64() - 1) * scale)
		}
		pulses = append(pulses, p)
		t += step
	}
	return pulses
}

// edgesOf is what the lines do under the pulses: a line is low while any pulse
// pulls it.
func edgesOf(pulses []pulse) []Edge {
	var edges []Edge
	for line := range uint8(2) {
		var mine []pulse
		for _, p := range pulses {
			if p.line == line {
				mine = append(mine, p)
			}
		}
		slices.SortFunc(mine, func(a, b pulse) int { return int(a.at - b.at) })
		for i := 0; i < len(mine); {
			from, to := mine[i].at, mine[i].at+mine[i].width
			for i++; i < len(mine) && mine[i].at <= to; i++ {
				to = max(to, mine[i].at+mine[i].width)
			}
			edges = append(edges, Edge{Time: from, Line: line}, Edge{Time: to, Line: line, Rising: true})
		}
	}
	sortEdges(edges)
	return edges
}

func sortEdges(edges []Edge) {
	slices.SortStableFunc(edges, func(a, b Edge) int {
		switch {
		case a.Time < b.Time:
			return -1
		case a.Time > b.Time:
			return 1
		}
		return 0
	})
}

func fallsOf(edges []Edge) []Edge {
	return slices.DeleteFunc(slices.Clone(edges), func(e Edge) bool { return e.Rising })
}

// number gives edges consecutive sequence numbers.
func number(edges []Edge, from uint32) []Edge {
	for i := range edges {
		edges[i].Seq = from + uint32(i)
	}
	return edges
}

// stampLate delays stamps as a busy single board computer does: lognormal,
// median 15 µs, 99 % under 130 µs. The order is kept; clamp says whether a
// stamp is never before the one before it (as interrupts are handled one
// after the other) or may be.
func stampLate(rng *rand.Rand, edges []Edge, clamp bool) {
	sigma := math.Log(130.0/15) / 2.3263
	for i := range edges {
		edges[i].Time += int64(15e3 * math.Exp(rng.NormFloat64()*sigma))
		if clamp && i > 0 {
			edges[i].Time = max(edges[i].Time, edges[i-1].Time)
		}
	}
}

// The damages. Each gets the pulses of one card.

func lose(pulses []pulse, i int) []pulse { return slices.Delete(slices.Clone(pulses), i, i+1) }

// span is from the first fall of the pulses to the last.
func span(p []pulse) (from, to int64) {
	from, to = p[0].at, p[0].at
	for _, q := range p {
		from, to = min(from, q.at), max(to, q.at)
	}
	return from, to
}

// within is a time inside the frame.
func within(rng *rand.Rand, p []pulse) int64 {
	from, to := span(p)
	return between(rng, from+1, to-1)
}

func addPulse(p []pulse, at, width int64, line uint8) []pulse {
	return append(slices.Clone(p), pulse{at, width, line})
}

func glitch(rng *rand.Rand, p []pulse, width int64) []pulse {
	return addPulse(p, within(rng, p), width, uint8(rng.IntN(2)))
}

// bounce breaks each pulse up at both ends: 1 to 3 times, 1 to 8 µs each.
func bounce(rng *rand.Rand, p []pulse) []pulse {
	var out []pulse
	for _, q := range p {
		t := q.at
		for range 1 + rng.IntN(2) {
			w := between(rng, 1*us, 4*us)
			out = append(out, pulse{t, w, q.line})
			t += w + between(rng, 1*us, 4*us)
		}
		out = append(out, pulse{t, q.width - (t - q.at), q.line})
		t = q.at + q.width
		for range 1 + rng.IntN(2) {
			t += between(rng, 1*us, 4*us)
			w := between(rng, 1*us, 4*us)
			out = append(out, pulse{t, w, q.line})
			t += w
		}
	}
	return out
}

// exchange moves k different bits to the other line.
func exchange(rng *rand.Rand, p []pulse, k int) []pulse {
	p = slices.Clone(p)
	for _, i := range rng.Perm(len(p))[:k] {
		p[i].line ^= 1
	}
	return p
}

// pause holds everything after a bit back.
func pause(rng *rand.Rand, p []pulse, long int64) []pulse {
	p = slices.Clone(p)
	for i := 1 + rng.IntN(len(p)-1); i < len(p); i++ {
		p[i].at += long
	}
	return p
}

// hum pulls one line low half of each period of the mains.
func hum(rng *rand.Rand, p []pulse) []pulse {
	line := uint8(rng.IntN(2))
	from, to := span(p)
	for t := from - between(rng, 0, 20*ms); t < to; t += 20 * ms {
		p = addPulse(p, t, 10*ms, line)
	}
	return p
}

// weakHum pulls one line low for 2 to 8 ms of each period, before, in and
// after the card: it hides bits, and its own edges stand in for them.
func weakHum(rng *rand.Rand, p []pulse) []pulse {
	line := uint8(rng.IntN(2))
	from, to := span(p)
	for t := from - between(rng, 20*ms, 40*ms); t < to+60*ms; t += 20*ms + between(rng, -50*us, 50*us) {
		p = addPulse(p, t, between(rng, 2*ms, 8*ms), line)
	}
	return p
}

// spikes add a short pulse on one line each period of the mains, before, in
// and after the card.
func spikes(rng *rand.Rand, p []pulse) []pulse {
	line := uint8(rng.IntN(2))
	from, to := span(p)
	for t := from - between(rng, 0, 200*ms); t < to+100*ms; t += 20 * ms {
		p = addPulse(p, t, between(rng, us, 3*ms), line)
	}
	return p
}

// burst adds 5 to 60 pulses at 100 kHz, on one line or both.
func burst(rng *rand.Rand, p []pulse) []pulse {
	t := within(rng, p)
	lines := rng.IntN(3)
	for range between(rng, 5, 60) {
		line := uint8(lines)
		if lines == 2 {
			line = uint8(rng.IntN(2))
		}
		p = addPulse(p, t, 5*us, line)
		t += 10 * us
	}
	return p
}
