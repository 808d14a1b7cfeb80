package grouped

import (
	"fmt"
	"maps"
	"slices"
	"testing"
)

// TestIDs: what is noted before the first question is not kept, since all are read then; after
// it a group has what was read and what was noted, until there is twice as much.
func TestIDs(t *testing.T) {
	var ids IDs
	now := map[string]string{"ipad": "tablet", "pixel": "phone", "loose": ""} // id to group
	reads := 0
	has := func(group string, want ...string) {
		t.Helper()
		got := slices.Sorted(maps.Keys(ids.Of(group, func() {
			reads++
			for id, group := range now {
				ids.Note(group, id)
			}
		})))
		if !slices.Equal(got, want) {
			t.Errorf("%q has %q, want %q", group, got, want)
		}
	}
	ids.Note("phone", "gone before")
	has("phone", "pixel")
	has("nothing")
	ids.Note("", "loose")
	has("")
	ids.Note("phone", "nexus")
	ids.Note("phone", "nexus")
	has("phone", "nexus", "pixel")
	has("tablet", "ipad")
	if reads != 1 {
		t.Errorf("read %d times", reads)
	}
	for i := range 1001 { // with the nexus, 2 × 2 + 1000 are the most
		ids.Note("phone", fmt.Sprint("old ", i))
	}
	if has("tablet", "ipad"); reads != 1 {
		t.Error("read again too early")
	}
	ids.Note("phone", "one more")
	has("phone", "pixel")
	if reads != 2 {
		t.Errorf("read %d times", reads)
	}
}
