package store

import (
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
)

func TestArrivals(t *testing.T) {
	noon, boot, other := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC), uuid.New(), uuid.New()
	type step struct {
		boot     uuid.UUID
		mono, at time.Duration // at is since noon
		want     time.Duration // when it was sent
	}
	s := time.Second
	for name, steps := range map[string][]step{
		"one that was held up":          {{boot, 100 * s, 0, 0}, {boot, 130 * s, 56 * s, 30 * s}, {boot, 160 * s, 60 * s, 60 * s}},
		"the first was held up":         {{boot, 100 * s, 20 * s, 20 * s}, {boot, 130 * s, 30 * s, 30 * s}, {boot, 140 * s, 55 * s, 40 * s}},
		"another boot":                  {{boot, 100 * s, 0, 0}, {other, 5 * s, 40 * s, 40 * s}, {other, 10 * s, 50 * s, 45 * s}},
		"the lab's clock was set":       {{boot, 100 * s, 0, 0}, {boot, 110 * s, 300 * s, 300 * s}},
		"the lab's clock was set back":  {{boot, 100 * s, 0, 0}, {boot, 110 * s, -50 * s, -50 * s}, {boot, 120 * s, -40 * s, -40 * s}},
		"nothing was heard for an hour": {{boot, 100 * s, 0, 0}, {boot, 4000 * s, 3930 * s, 3930 * s}},
		// The station's clock is slow by 2 s in 20 min, and is measured anew.
		"a slow clock": {{boot, 0, 0, 0}, {boot, 660 * s, 661 * s, 660 * s}, {boot, 1330 * s, 1332 * s, 1331 * s}, {boot, 2000 * s, 2003 * s, 2002 * s}},
	} {
		var a arrivals
		for i, x := range steps {
			if got := a.sent(checkout.Hash{1}, x.boot, x.mono, noon.Add(x.at)); !got.Equal(noon.Add(x.want)) {
				t.Errorf("%s, %d: sent at %v, want %v", name, i, got.Sub(noon), x.want)
			}
		}
		if got := a.sent(checkout.Hash{2}, boot, 7*s, noon); !got.Equal(noon) {
			t.Errorf("%s: another chain's was sent at %v", name, got.Sub(noon))
		}
	}
}
