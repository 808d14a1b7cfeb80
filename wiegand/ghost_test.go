package wiegand

import (
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
)

// tableSeed is another seed each time, unless -damage.seed names one, or on CI, where
// only a change of the code may fail a test. A table that fails prints it.
func tableSeed(t testing.TB) uint64 {
	t.Helper()
	seed := *damageSeed
	switch {
	case seed != 0:
	case os.Getenv("CI") != "":
		seed = 1
	default:
		seed = rand.Uint64()
	}
	t.Logf("-damage.seed %d", seed)
	return seed
}

// tableRng is a table's source of chance.
func tableRng(t testing.TB, stream uint64) *rand.Rand {
	t.Helper()
	return rand.New(rand.NewPCG(tableSeed(t), stream))
}

// chanceEdges are n falls at random times of a window, on random lines, each low
// for 20 to 200 µs, or until just before the next.
func chanceEdges(rng *rand.Rand, n int, from, window int64) []Edge {
	p := make([]pulse, n)
	for i := range p {
		p[i] = pulse{from + between(rng, 0, window), between(rng, 20*us, 200*us), uint8(rng.IntN(2))}
	}
	slices.SortFunc(p, func(a, b pulse) int { return int(a.at - b.at) })
	next := [2]int64{math.MaxInt64, math.MaxInt64}
	for i := n - 1; i >= 0; i-- {
		p[i].width = max(1, min(p[i].width, next[p[i].line]-p[i].at-1))
		next[p[i].line] = p[i].at
	}
	return edgesOf(p)
}

// aReader is one of a site: 0.3 to 3 ms a bit, 20 to 200 µs wide.
func aReader(rng *rand.Rand) reader {
	rd := reader{interval: between(rng, 300*us, 3*ms), jitter: .02 * rng.Float64(), model: rng.IntN(3)}
	rd.width = between(rng, 20*us, min(200*us, rd.interval/3))
	return rd
}

// teach shows a decoder the cards of a reader until it is known.
func teach(t testing.TB, d *Decoder, rng *rand.Rand, rd reader, f *Format, both bool) (at int64) {
	t.Helper()
	for i := 0; ; i++ {
		if d.known.Known() {
			return at
		}
		if i > 4*KnownCards {
			t.Fatalf("not known after %d cards: %+v, %+v", i, rd, d.known)
		}
		edges := edgesOf(rd.send(rng, randomCard(rng, f, &Options{}), at))
		if !both {
			edges = fallsOf(edges)
		}
		stampLate(rng, edges, true)
		decodeAll(d, edges)
		at += 1e9
	}
}

// restart is a decoder as NewDecoder makes it, without the memory.
func (d *Decoder) restart() {
	d.know(d.opts.Known.clone())
	d.doubt, d.interval, d.unlike = doubt{}, 0, 0
}

// TestGhostTable prints how often falls at random are taken for a card:
//
//	go test ./wiegand -run TestGhostTable -v -damage.cards 100000
func TestGhostTable(t *testing.T) {
	rng := tableRng(t, 11)
	f := mustFormat(t, "H10301")
	var out strings.Builder
	fmt.Fprintf(&out, "\n26 falls at random, %d times: %% taken for a card\n\n| within | a new station, falling edges | both edges | one that knows its reader, falling edges | both edges |\n|---|---|---|---|---|\n", *damageCards)
	for _, row := range []struct {
		window int64
		fresh  float64
	}{{5 * ms, .05}, {20 * ms, .01}, {52 * ms, .001}, {150 * ms, .001}} {
		fmt.Fprintf(&out, "| %d ms |", row.window/ms)
		for _, known := range []bool{false, true} {
			for _, both := range []bool{false, true} {
				o := Options{Formats: []*Format{f}, BothEdges: both}
				most := row.fresh
				if known {
					d := NewDecoder(o)
					teach(t, d, rng, aReader(rng), f, both)
					o.Known = d.known.clone()
					most = .001
				}
				ghosts := 0
				d := NewDecoder(o)
				for i := range *damageCards {
					d.restart()
					edges := chanceEdges(rng, 26, int64(i)*1e9, row.window)
					if !both {
						edges = fallsOf(edges)
					}
					if slices.ContainsFunc(decodeAll(d, edges), func(r Read) bool { return r.OK() }) {
						ghosts++
					}
				}
				fmt.Fprintf(&out, " %.3f |", 100*float64(ghosts)/float64(*damageCards))
				if float64(ghosts) > 4+1.2*most*float64(*damageCards) {
					t.Errorf("within %d ms, known %v, both edges %v: %d ghosts in %d", row.window/ms, known, both, ghosts, *damageCards)
				}
			}
		}
		out.WriteByte('\n')
	}
	t.Log(out.String())
}

// TestPowerUpTable prints what becomes of a card that comes 40 ms after the
// random edges of a reader that is switched on, with the formats that a station
// has by default:
//
//	go test ./wiegand -run TestPowerUpTable -v -damage.cards 100000
func TestPowerUpTable(t *testing.T) {
	rng := tableRng(t, 12)
	f := mustFormat(t, "H10301")
	var out strings.Builder
	fmt.Fprintf(&out, "\n%d cards: %% right, wrong\n\n| station | edges | right, wrong |\n|---|---|---|\n", *damageCards)
	for _, known := range []bool{false, true} {
		for _, both := range []bool{false, true} {
			o := Options{Formats: []*Format{f, mustFormat(t, "H10306"), mustFormat(t, "H10302")}, BothEdges: both}
			var rd reader
			d := NewDecoder(o)
			right, wrong := 0, 0
			for i := range *damageCards {
				if i%1000 == 0 { // another reader
					rd, o.Known = aReader(rng), Profile{}
					if known {
						d := NewDecoder(o)
						teach(t, d, rng, rd, f, both)
						o.Known = d.known.clone()
					}
					d = NewDecoder(o)
				}
				d.restart()
				edges := chanceEdges(rng, 5+rng.IntN(56), 0, between(rng, 2*ms, 60*ms))
				b := randomCard(rng, f, &Options{})
				edges = append(edges, edgesOf(rd.send(rng, b, edges[len(edges)-1].Time+40*ms))...)
				if !both {
					edges = fallsOf(edges)
				}
				for _, r := range decodeAll(d, edges) {
					switch {
					case r.OK() && r.Bits == b:
						right++
					case r.OK():
						wrong++
					}
				}
			}
			station := map[bool]string{false: "a new one", true: "one that knows its reader"}[known]
			kind := map[bool]string{false: "falling", true: "both"}[both]
			fmt.Fprintf(&out, "| %s | %s | %.3f, %.4f |\n", station, kind, 100*float64(right)/float64(*damageCards), 100*float64(wrong)/float64(*damageCards))
			if n := float64(*damageCards); float64(right) < .999*n-3 || float64(wrong) > 2+1e-5*n {
				t.Errorf("known %v, both edges %v: %d right, %d wrong of %d", known, both, right, wrong, *damageCards)
			}
		}
	}
	t.Log(out.String())
}
