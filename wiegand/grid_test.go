package wiegand

import (
	"math/rand/v2"
	"testing"
)

// TestNoWrongCardAtAnySpeed runs the rows of the table that promise no wrong
// card on readers of other speeds and pulses, also with a decoder that knows
// the reader and formats that other cards of the site have.
func TestNoWrongCardAtAnySpeed(t *testing.T) {
	seed, cards := tableSeed(t), *damageCards/4
	for _, rd := range []reader{
		{width: 20 * us, interval: 200 * us, jitter: .01},
		{width: 50 * us, interval: 500 * us, jitter: .02},
		{width: 100 * us, interval: ms, jitter: .01},
		{width: 50 * us, interval: ms, jitter: .05},
		{width: 50 * us, interval: 2 * ms},
		{width: 50 * us, interval: 2 * ms, jitter: .03},
		{width: 400 * us, interval: 2350 * us, jitter: .01},
		{width: 100 * us, interval: 5 * ms, jitter: .01},
		{width: 50 * us, interval: 12 * ms, jitter: .02},
		{width: 100 * us, interval: 20 * ms, jitter: .01},
	} {
		for _, name := range []string{"H10301", "H10306", "C1k35s", "H10302", "C1k48s"} {
			f := mustFormat(t, name)
			for i, dm := range damages(f) {
				if dm.free || dm.reader.interval > 0 || dm.stamps != nil || dm.mains && rd.interval > 3*ms || dm.skewed && rd.interval < ms {
					continue // hum over several periods is in "what no decoder can promise", and a line must not be later than the next bit
				}
				dm.reader = rd
				for _, both := range []bool{false, true} {
					tl := dm.run(rand.New(rand.NewPCG(seed, uint64(i))), f, cards, both)
					if float64(tl.wrong) > 1+3*dm.wrong*float64(tl.cards)+float64(tl.cards)/5000 { // what is none may be one
						t.Errorf("%s, %s, interval %d µs, jitter %v, both edges %v: %d of %d cards wrong",
							name, dm.name, rd.interval/us, rd.jitter, both, tl.wrong, tl.cards)
					}
				}
			}
		}
	}
}
