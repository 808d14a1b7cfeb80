package call

import (
	"iter"
	"time"
)

// Who works at many rows lets others go first after so many of them: those that take a
// while, as reading one from the network or the disk does, and those that only pass by.
// Either comes to a millisecond or two.
const (
	slowRows  = 16
	quickRows = 256
)

// longestRest bounds how long the others get: the rows may have waited for a network.
const longestRest = time.Millisecond

// Turn counts rows that take a while, and rests for as long as the last ones took: a bump
// that comes then finds a processor, and so does what the kernel does for its commit.
type Turn struct {
	rows  int
	began time.Time
}

// Row is called for each row.
func (t *Turn) Row() {
	if t.rows++; t.rows%slowRows != 0 {
		return
	}
	time.Sleep(min(time.Since(t.began), longestRest))
	t.began = time.Now()
}

// Each goes through rows that only pass by, and lets others go first now and then.
func Each[T any](rows []T) iter.Seq2[int, *T] {
	return func(yield func(int, *T) bool) {
		for i := range rows {
			if i%quickRows == quickRows-1 {
				time.Sleep(time.Microsecond)
			}
			if !yield(i, &rows[i]) {
				return
			}
		}
	}
}
