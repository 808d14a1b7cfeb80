package directory

import (
	"fmt"
	"slices"
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
		all, err := members(b, 0)
		seen := map[string]bool{}
		for _, m := range all {
			seen[m.Kind.String()+m.Ref] = true
		}
		if err != nil || len(all) != 2*n || len(seen) != 2*n {
			t.Errorf("%d of each: %d members, %d different, %v", n, len(all), len(seen), err)
		}
	}
}

// TestMergedInTheLedger: a pull sees one person, and the keys that she had.
func TestMergedInTheLedger(t *testing.T) {
	b := newBox(t)
	rows, err := b.Sync([]books.SyncRow{person("", "11", "Ann Okafor"), person("", "21", "Ann Weber")}, Main, checkout.SourceSync)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.MergePeople(rows[0].ID, rows[1].ID, "admin", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	all, err := members(b, 0)
	if err != nil || len(all) != 1 || all[0].ID != rows[1].ID || !slices.Equal(all[0].Former, []string{"11"}) {
		t.Errorf("%+v %v", all, err)
	}
}
