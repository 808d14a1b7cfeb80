package call

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestTurn: others get as long as the last rows took, but not as long as a network may take.
func TestTurn(t *testing.T) {
	for _, tt := range []struct{ row, rest time.Duration }{
		{10 * time.Microsecond, slowRows * 10 * time.Microsecond},
		{time.Second, longestRest},
	} {
		synctest.Test(t, func(t *testing.T) {
			turn, began := Turn{}, time.Now()
			for range 2 * slowRows { // before the first rest it is not known how long
				time.Sleep(tt.row)
				turn.Row()
			}
			if got, want := time.Since(began), 2*slowRows*tt.row+longestRest+tt.rest; got != want {
				t.Errorf("rows of %v took %v, not %v", tt.row, got, want)
			}
		})
	}
}

// TestEach goes through all rows, by where they lie, and ends when asked.
func TestEach(t *testing.T) {
	rows := make([]int, 3*quickRows)
	for i, row := range Each(rows) {
		if *row = i; i == 2*quickRows {
			break
		}
	}
	for i, row := range rows {
		if want := min(i, 2*quickRows); row != want && i <= 2*quickRows || i > 2*quickRows && row != 0 {
			t.Fatalf("row %d has %d", i, row)
		}
	}
}
