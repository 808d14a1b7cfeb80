package kits

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"testing"

	bolt "go.etcd.io/bbolt"
	"pgregory.net/rapid"

	"stump/checkout/ledger/record"
)

// TestParts compares the list with a map: also where an id is the beginning of another.
func TestParts(t *testing.T) {
	db, err := bolt.Open(filepath.Join(t.TempDir(), "meta.db"), 0o600, &bolt.Options{NoSync: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin(true)
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	if _, err := tx.CreateBucket(record.TreeMeta.Bucket()); err != nil {
		t.Fatal(err)
	}
	if Made(tx) || Parts(tx, "box") != nil {
		t.Error("a list that was not made")
	}
	ids := rapid.SampledFrom([]string{"box", "box-b", "box b", "b", "bo", "é", "part"})
	rapid.Check(t, func(t *rapid.T) {
		ok := func(err error) {
			if err != nil {
				t.Fatal(err)
			}
		}
		in := map[string]string{} // the kit of each part
		ok(Make(tx, maps.All(in)))
		for range rapid.IntRange(1, 20).Draw(t, "steps") {
			kit, part := ids.Draw(t, "kit"), ids.Draw(t, "part")
			if was, there := in[part]; there {
				ok(Remove(tx, was, part))
				delete(in, part)
			}
			if rapid.Bool().Draw(t, "add") {
				ok(Add(tx, kit, part))
				in[part] = kit
			}
			if rapid.IntRange(0, 5).Draw(t, "anew") == 0 {
				ok(Make(tx, maps.All(in)))
			}
			var want []string
			for p, k := range in {
				if k == kit {
					want = append(want, p)
				}
			}
			slices.Sort(want)
			if got := Parts(tx, kit); !slices.Equal(got, want) {
				t.Fatalf("%s has %q, want %q", kit, got, want)
			}
			if got := maps.Collect(All(tx)); fmt.Sprint(got) != fmt.Sprint(in) {
				t.Fatalf("%v, want %v", got, in)
			}
		}
		if !Made(tx) {
			t.Fatal("it is not said that the list was made")
		}
	})
}
