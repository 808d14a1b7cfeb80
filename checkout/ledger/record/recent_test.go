package record

import (
	"bytes"
	"fmt"
	"reflect"
	"sync"
	"testing"
)

// Rows that were read lately are as the bytes say, however many there are, whoever reads
// them, and whatever is done to a copy.
func TestRowsReadAgain(t *testing.T) {
	body := func(n int) ([]byte, Row) {
		r := Row{Name: fmt.Sprint("Ann ", n), Lookup: []byte{byte(n), 1}, Loan: Loan{Holder: fmt.Sprint("ann-", n), Since: Ref{1, uint64(n + 1)}}}
		return PackRow(&r), r
	}
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for n := range 3 * mostLately {
				for _, n := range []int{n, 0, n} {
					b, want := body(n)
					got, err := UnpackRow(b)
					if err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("row %d: %+v, %v", n, got, err)
					}
					got.Name, got.Loan.Holder = "Bob", ""
					clear(b) // as bytes of a page that is written over
				}
			}
		})
	}
	all.Wait()
	if n := len(lately.rows); n > mostLately {
		t.Errorf("%d rows are kept, want %d at most", n, mostLately)
	}
	b, _ := body(0)
	a, _ := ReadRow(b)
	if again, _ := ReadRow(bytes.Clone(b)); again != a {
		t.Error("the same bytes were read twice")
	}
	if _, err := ReadRow([]byte{1, 200, 200}); err == nil {
		t.Error("half a row was read")
	} else if _, err := ReadRow([]byte{1, 200, 200}); err == nil {
		t.Error("half a row was read the second time")
	}
}
