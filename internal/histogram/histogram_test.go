package histogram

import (
	"slices"
	"testing"
	"time"
)

// TestTimes: a bound belongs to its own bucket, and what is longer than all to the last one.
func TestTimes(t *testing.T) {
	if !slices.IsSorted(Bounds[:]) {
		t.Fatalf("the bounds are not in order: %v", Bounds)
	}
	tests := []struct {
		took   time.Duration
		bucket int
	}{
		{0, 0}, {5 * time.Millisecond, 0}, {5*time.Millisecond + 1, 1}, {time.Second, 6}, {5 * time.Second, 8}, {5*time.Second + 1, 9}, {time.Hour, 9},
	}
	var all Times
	var sum time.Duration
	for _, tc := range tests {
		var one Times
		one.Add(tc.took)
		all.Add(tc.took)
		sum += tc.took
		for i, n := range one.Counts {
			if want := i == tc.bucket; (n == 1) != want || n > 1 {
				t.Errorf("%v: %d in bucket %d", tc.took, n, i)
			}
		}
	}
	if all.Sum != sum || all.Counts != [10]uint64{2, 1, 0, 0, 0, 0, 1, 0, 1, 2} {
		t.Errorf("%+v", all)
	}
}
