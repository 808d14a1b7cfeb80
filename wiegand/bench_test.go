package wiegand

import (
	"math/rand/v2"
	"testing"
)

// traces for the benchmarks: cards half a second apart.
func benchTrace(damage string, cards int, bothEdges bool) []Edge {
	rng := rand.New(rand.NewPCG(1, 2))
	f, _ := FormatByName("H10301")
	rows := damages(f)
	var edges []Edge
	t := int64(0)
	for i := range cards {
		p := standardReader.send(rng, randomCard(rng, f, &Options{}), t)
		if damage == "noisy" {
			if do := rows[i%len(rows)].do; do != nil && i%2 == 0 {
				p = do(rng, p)
			}
		}
		e := edgesOf(p)
		if !bothEdges {
			e = fallsOf(e)
		}
		edges = append(edges, e...)
		t += 500 * ms
	}
	sortEdges(edges)
	return edges
}

func benchmarkDecode(b *testing.B, edges []Edge, bothEdges bool) {
	f := mustFormat(b, "H10301")
	d := NewDecoder(Options{Formats: []*Format{f}, BothEdges: bothEdges})
	const day = int64(86400e9)
	shift := int64(0)
	good := 0
	run := func() {
		for i := range edges {
			e := edges[i]
			e.Time += shift
			for _, r := range d.Push(e) {
				if r.OK() {
					good++
				}
			}
		}
		shift += day
	}
	run() // the worst frames are kept from here on
	good = 0
	b.ReportAllocs()
	b.ResetTimer()
	for b.Loop() {
		run()
	}
	n := float64(b.N) * float64(len(edges))
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/n, "ns/edge")
	b.ReportMetric(float64(good)/float64(b.N), "cards/op")
}

// BenchmarkDecodeClean and its neighbours are the budget of 15 ns an edge and
// no allocation.
func BenchmarkDecodeClean(b *testing.B) {
	benchmarkDecode(b, benchTrace("none", 100, false), false)
}

func BenchmarkDecodeNoisy(b *testing.B) {
	benchmarkDecode(b, benchTrace("noisy", 100, false), false)
}

func BenchmarkDecodeCleanBothEdges(b *testing.B) {
	benchmarkDecode(b, benchTrace("none", 100, true), true)
}

func BenchmarkDecodeNoisyBothEdges(b *testing.B) {
	benchmarkDecode(b, benchTrace("noisy", 100, true), true)
}

// BenchmarkDecodeStorm is an unending 100 kHz on both lines.
func BenchmarkDecodeStorm(b *testing.B) {
	var edges []Edge
	for i := range int64(100_000) {
		edges = append(edges, Edge{Time: i * 10 * us, Line: uint8(i % 2)})
	}
	benchmarkDecode(b, edges, false)
}
