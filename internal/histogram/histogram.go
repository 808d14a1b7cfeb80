// Package histogram counts how long something took each time, in a few buckets.
package histogram

import "time"

// Bounds are the upper ends of the buckets: from the display's and a good card's times to
// those of a disk that fails.
var Bounds = [...]time.Duration{
	5 * time.Millisecond, 20 * time.Millisecond, 50 * time.Millisecond, 100 * time.Millisecond, 200 * time.Millisecond,
	500 * time.Millisecond, time.Second, 2 * time.Second, 5 * time.Second,
}

// Times are how long something took since the start. The zero value has none; it is not safe
// for concurrent use.
type Times struct {
	// Counts are how often it took at most the bound of the same place, but longer than the
	// one before; the last one has what took longer than all bounds.
	Counts [len(Bounds) + 1]uint64
	Sum    time.Duration
}

// Add counts one time.
func (t *Times) Add(took time.Duration) {
	t.Sum += took
	for i, bound := range Bounds {
		if took <= bound {
			t.Counts[i]++
			return
		}
	}
	t.Counts[len(Bounds)]++
}
