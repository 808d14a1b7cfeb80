package count

import "testing"

func TestOf(t *testing.T) {
	for _, tt := range []struct {
		n           int
		thing, want string
	}{
		{0, "row", "0 rows"}, {1, "row", "1 row"}, {2, "row", "2 rows"},
		{0, "person", "0 people"}, {1, "person", "1 person"}, {12, "person", "12 people"},
		{1, "open loan", "1 open loan"}, {3, "open loan", "3 open loans"},
		{1, "clash", "1 clash"}, {2, "clash", "2 clashes"},
	} {
		if got := Of(tt.n, tt.thing); got != tt.want {
			t.Errorf("%d %s: %q, want %q", tt.n, tt.thing, got, tt.want)
		}
	}
	if a, b := Were(1, "tag"), Were(2, "person"); a != "1 tag was" || b != "2 people were" {
		t.Errorf("%q, %q", a, b)
	}
	if got := Of(uint64(1), "event"); got != "1 event" {
		t.Errorf("%q", got)
	}
}
