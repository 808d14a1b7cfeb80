package directory

import (
	"math/rand/v2"
	"time"
)

// backoff is how long to wait before a place is tried again: full jitter, a
// random time up to a limit that doubles (AWS Architecture Blog, "Exponential
// Backoff And Jitter", 2015), so that the stations of a house that lost its
// network do not come back together.
type backoff struct {
	// first is the limit after the first failure.
	first time.Duration
	// early is the highest limit during the first earlyFor of an outage: people
	// are standing there. late is the highest after that.
	early, earlyFor, late time.Duration
	// hurried is the least time between two tries when somebody, or a network
	// that comes and goes, asks for a try at once.
	hurried time.Duration
	// doubt is how long a slow server may take to count a call whose answer was
	// lost: a person who looks sooner may see nothing, and retry.
	doubt time.Duration
	// minAfter and maxAfter clamp what a place asks for: neither "now" in a loop
	// nor "next year".
	minAfter, maxAfter time.Duration
	// random draws from [0, n).
	random func(n int64) int64
}

var defaultBackoff = backoff{
	first: time.Second, early: 30 * time.Second, earlyFor: 10 * time.Minute, late: 15 * time.Minute, hurried: time.Second,
	doubt: time.Minute, minAfter: time.Second, maxAfter: 15 * time.Minute, random: rand.Int64N,
}

// floor keeps full jitter from drawing nearly nothing.
const floor = 100 * time.Millisecond

// wait returns the time until the next try after the failures-th failure in a
// row (≥ 1) of an outage that has lasted for outage. after is what the place
// asked for, 0 if nothing.
func (b backoff) wait(failures int, outage, after time.Duration) time.Duration {
	if after > 0 {
		return min(max(after, b.minAfter), b.maxAfter)
	}
	limit := b.late
	if outage < b.earlyFor {
		limit = b.early
	}
	// Shifting by more than 20 would leave any sensible limit far behind.
	limit = min(limit, b.first<<min(max(failures-1, 0), 20))
	return max(time.Duration(b.random(int64(limit)+1)), floor)
}
