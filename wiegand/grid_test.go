package wiegand

import (
	"math/rand/v2"
	"testing"
)

// TestNoWrongCardAtAnySpeed runs the rows of the table that promise no wrong
// card on readers of other speeds and pulses, also with a decoder that knows
// the reader and formats that other cards of the site have.
func TestNoWrongCardAtAnySpeed(t *testing.T) {
	cards := *damageCards / 4
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
				if dm.free || dm.reader.interval > 0 || dm.stamps != nil || dm.mains && rd.interval > 3*ms {
					continue // hum over several periods is in "what no decoder can promise"
				}
				dm.reader = rd
				for _, both := range []bool{false, true} {
					tl := dm.run(rand.New(rand.NewPCG(*damageSeed, uint64(i))), f, cards, both)
					if tl.share(tl.wrong) > dm.wrong+.01*dm.wrong/.005 {
						t.Errorf("%s, %s, interval %d µs, jitter %v, both edges %v: %d of %d cards wrong",
							name, dm.name, rd.interval/us, rd.jitter, both, tl.wrong, tl.cards)
					}
				}
			}
		}
	}
}
