package directory

import (
	"fmt"
	"testing"

	"stump/checkout"
	"stump/internal/books"
)

// A register of more than a page is there as a whole, once.
func TestMembersOfAFullRegister(t *testing.T) {
	for _, n := range []int{membersAtOnce - 1, membersAtOnce, 2*membersAtOnce + 1} {
		b := newBox(t)
		var rows []books.SyncRow
		for i := range n {
			rows = append(rows, person("", fmt.Sprint(i), "Ann"), books.SyncRow{Kind: checkout.KindDevice, Ref: fmt.Sprint(i), Name: "iPad"})
		}
		b.sync(rows...)
		all, err := members(b)
		seen := map[string]bool{}
		for _, m := range all {
			seen[m.Kind.String()+m.Ref] = true
		}
		if err != nil || len(all) != 2*n || len(seen) != 2*n {
			t.Errorf("%d of each: %d members, %d different, %v", n, len(all), len(seen), err)
		}
	}
}
