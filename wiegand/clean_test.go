package wiegand

import (
	"math/rand/v2"
	"strings"
	"testing"
)

// TestCleanCardsAreRead: no reader is too uneven to be read, as long as every
// pulse arrives, no gap is longer than 25 ms, and hardly one longer than eight
// others. Those that space their bits as chance does may need a second showing,
// and are named so; the others are read at once. Chance makes one card in some
// thousand look damaged where the spacing is even enough to be judged and uneven
// enough to split an interval, about ±15 to 40 %: no real reader is known to do
// so.
func TestCleanCardsAreRead(t *testing.T) {
	seed := tableSeed(t)
	normal := func(mean, share float64) func(*rand.Rand, int, uint8) int64 {
		return func(rng *rand.Rand, _ int, _ uint8) int64 {
			return max(150*us, int64(mean*(1+share*rng.NormFloat64())))
		}
	}
	for name, step := range map[string]func(rng *rand.Rand, i int, bit uint8) int64{
		"0.3-6 ms, twice":            func(rng *rand.Rand, _ int, _ uint8) int64 { return between(rng, 300*us, 6*ms) },
		"0.2-20 ms, twice":           func(rng *rand.Rand, _ int, _ uint8) int64 { return between(rng, 200*us, 20*ms) },
		"1-3 ms":                     func(rng *rand.Rand, _ int, _ uint8) int64 { return between(rng, ms, 3*ms) },
		"±20 %":                      func(rng *rand.Rand, _ int, _ uint8) int64 { return between(rng, 1600*us, 2400*us) },
		"±30 %":                      func(rng *rand.Rand, _ int, _ uint8) int64 { return between(rng, 1400*us, 2600*us) },
		"±40 %, twice":               func(rng *rand.Rand, _ int, _ uint8) int64 { return between(rng, 1200*us, 2800*us) },
		"±50 %":                      func(rng *rand.Rand, _ int, _ uint8) int64 { return between(rng, 1000*us, 3000*us) },
		"normal, 5 %":                normal(2e6, .05),
		"normal, 10 %":               normal(2e6, .10),
		"normal, 15 %":               normal(2e6, .15),
		"normal, 20 %, twice":        normal(2e6, .20),
		"normal, 30 %, twice":        normal(2e6, .30),
		"normal, 50 %, twice":        normal(2e6, .50),
		"1 ms, normal, 10 %":         normal(1e6, .10),
		"10 ms, normal, 20 %, twice": normal(10e6, .20),
		"exponential, twice":         func(rng *rand.Rand, _ int, _ uint8) int64 { return 200*us + int64(min(6, rng.ExpFloat64())*900e3) },
		"a one takes longer":         func(_ *rand.Rand, _ int, bit uint8) int64 { return 1500*us + int64(bit)*600*us },
		"a pause after a byte":       func(_ *rand.Rand, i int, _ uint8) int64 { return 2*ms + int64(i%8/7)*1300*us },
		"2 ms with the odd 2.9":      func(rng *rand.Rand, _ int, _ uint8) int64 { return 2*ms + int64(rng.IntN(5)/4)*900*us },
		"slows down":                 func(_ *rand.Rand, i int, _ uint8) int64 { return ms + int64(i)*30*us },
	} {
		for _, format := range []string{"H10301", "H10306", "C1k48s"} {
			f := mustFormat(t, format)
			rng := rand.New(rand.NewPCG(seed, 3))
			for _, both := range []bool{false, true} {
				d := NewDecoder(Options{Formats: []*Format{f}, BothEdges: both})
				again, lost, at := 0, 0, int64(0)
				show := func(b Bits) bool {
					var p []pulse
					for i := range b.Len() {
						p = append(p, pulse{at, between(rng, 20*us, 100*us), b.Bit(i)})
						at += step(rng, i, b.Bit(i))
					}
					at += 300 * ms
					edges := edgesOf(p)
					if !both {
						edges = fallsOf(edges)
					}
					r := decodeAll(d, edges)
					return len(r) == 1 && r[0].Bits == b && r[0].OK()
				}
				for range *damageCards {
					if b := randomCard(rng, f, &Options{}); !show(b) {
						again++
						if !show(b) {
							lost++
						}
					}
				}
				asked := strings.HasSuffix(name, ", twice")
				if lost > 1+*damageCards/500 || !asked && again > 2+*damageCards/100 {
					t.Errorf("%s, %s, both edges %v: of %d clean cards %d shown again, %d lost", name, format, both, *damageCards, again, lost)
				}
			}
		}
	}
}

// TestUnevenAndLate: late stamps make narrow pulses, which do not speak against
// the card of an uneven reader.
func TestUnevenAndLate(t *testing.T) {
	f := mustFormat(t, "H10301")
	rng := tableRng(t, 5)
	uneven := reader{width: 50 * us, interval: 1400 * us, spacingTo: 2600 * us}
	lost := 0
	for range *damageCards {
		b := randomCard(rng, f, &Options{})
		edges := edgesOf(uneven.send(rng, b, 0))
		for i := range edges {
			edges[i].Time += int64(rng.ExpFloat64() * 8e3)
			if rng.IntN(20) == 0 {
				edges[i].Time += between(rng, 0, 200*us)
			}
			if i > 0 {
				edges[i].Time = max(edges[i].Time, edges[i-1].Time)
			}
		}
		if r := decodeAll(newDecoder(t, Options{BothEdges: true}, "H10301"), edges); len(r) != 1 || r[0].Bits != b || !r[0].OK() {
			lost++
		}
	}
	if lost > 2+*damageCards/50 {
		t.Errorf("%d of %d cards lost", lost, *damageCards)
	}
}
