package directory

import (
	"math/rand/v2"
	"time"
)

// Backoff is how long to wait before a place is tried again: full jitter, a
// random time up to a limit that doubles (AWS Architecture Blog, "Exponential
// Backoff And Jitter", 2015), so that the stations of a house that lost its
// network together do not come back together.
type Backoff struct {
	// First is the limit after the first failure. Default 1 s.
	First time.Duration
	// Early is the highest limit during the first EarlyFor of an outage: people
	// are standing there. Default 30 s, 10 min.
	Early, EarlyFor time.Duration
	// Late is the highest limit after that. Default 15 min.
	Late time.Duration
	// Hurried is the least time between two tries when somebody, or a network
	// that comes and goes, asks for a try at once. Default 1 s.
	Hurried time.Duration
	// Doubt is how long a lost call may still be counted by a slow server: who
	// looks sooner may see nothing and retry. Default 1 min.
	Doubt time.Duration
	// MinRetryAfter and MaxRetryAfter clamp what a place asks for: neither
	// "now" in a loop nor "next year". Default 1 s, 15 min.
	MinRetryAfter, MaxRetryAfter time.Duration
}

// floor keeps full jitter from drawing nothing at all.
const floor = 100 * time.Millisecond

func (b Backoff) withDefaults() Backoff {
	def(&b.First, time.Second)
	def(&b.Early, 30*time.Second)
	def(&b.EarlyFor, 10*time.Minute)
	def(&b.Late, 15*time.Minute)
	def(&b.Hurried, time.Second)
	def(&b.Doubt, time.Minute)
	def(&b.MinRetryAfter, time.Second)
	def(&b.MaxRetryAfter, b.Late)
	return b
}

// Wait returns the time until the next try after the failures-th failure in a
// row (≥ 1) of an outage that has lasted for outage. after is what the place
// asked for, 0 if nothing; rnd draws from [0, n).
func (b Backoff) Wait(failures int, outage, after time.Duration, rnd func(n int64) int64) time.Duration {
	if after > 0 {
		return min(max(after, b.MinRetryAfter), b.MaxRetryAfter)
	}
	limit := b.Late
	if outage < b.EarlyFor {
		limit = b.Early
	}
	// Shifting by more than 20 would leave any sensible limit far behind.
	if exp := b.First << min(max(failures-1, 0), 20); exp < limit {
		limit = exp
	}
	return max(time.Duration(rnd(int64(limit)+1)), floor)
}

func jitter(n int64) int64 { return rand.Int64N(n) }
