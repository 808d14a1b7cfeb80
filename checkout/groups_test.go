package checkout

import (
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestGroups has what makes groups equal, and what a cell of a table can hold.
func TestGroups(t *testing.T) {
	for cell, want := range map[string]string{
		"": "", " , ;": "", "trained": "trained", "b;a, c": "a, b, c", "Trained,trained; TRAINED": "Trained",
		"  the   crew ;x": "the crew, x", "Ünal, ünal": "Ünal",
	} {
		if got := ParseGroups(cell).String(); got != want {
			t.Errorf("%q: %q, want %q", cell, got, want)
		}
	}
	g := GroupsOf("crew", "Trained")
	if !g.Has("trained") || g.Has("") || g.Has("train") || Groups("").Has("") {
		t.Error("who is in which group")
	}
	for name, ok := range map[string]bool{"crew": true, "a, b": false, "a;b": false, "a\u200bb": false, "tab\tbed": true, strings.Repeat("x", 101): false} {
		if err := CheckGroups(GroupsOf(name)); (err == nil) != ok {
			t.Errorf("%q: %v", name, err)
		}
	}
	// What is written is read again, and sums and differences are those of sets.
	name := rapid.StringMatching(`[a-cA-C ]{1,3}`)
	rapid.Check(t, func(t *rapid.T) {
		a, b := GroupsOf(rapid.SliceOf(name).Draw(t, "a")...), GroupsOf(rapid.SliceOf(name).Draw(t, "b")...)
		if ParseGroups(a.String()) != a || GroupsOf(a.Names()...) != a {
			t.Fatalf("%q is read as %q", a, ParseGroups(a.String()))
		}
		both, within, without := a.And(b), a.Within(b), a.Without(b)
		for _, n := range slices.Concat(a.Names(), b.Names(), []string{"a", "B"}) {
			if both.Has(n) != (a.Has(n) || b.Has(n)) || within.Has(n) != (a.Has(n) && b.Has(n)) || without.Has(n) != (a.Has(n) && !b.Has(n)) {
				t.Fatalf("%q of %q and %q: %q, %q, %q", n, a, b, both, within, without)
			}
		}
		if within.And(without) != a || len(both.Names()) != len(without.Names())+len(b.Names()) {
			t.Fatalf("%q and %q", a, b)
		}
	})
}

func TestNeedsRepair(t *testing.T) {
	for condition, want := range map[string]bool{
		"": false, "ok": false, "damaged": true, "Damaged: a crack": true, "INCOMPLETE, no cable": true, "incomplete": true,
		"undamaged": false, "damagedly": false, "a crack": false, "ok, was damaged": false, " damaged": false,
	} {
		if NeedsRepair(condition) != want {
			t.Errorf("%q: %v", condition, !want)
		}
	}
}

// TestDay: a day waits until its morning, and while nobody knows the date.
func TestDay(t *testing.T) {
	for _, tt := range []struct {
		out, today Day
		want       bool
	}{
		{"", "", false}, {"", "2026-12-01", false}, {"2026-12-04", "", true}, {"2026-12-04", "2026-12-03", true},
		{"2026-12-04", "2026-12-04", false}, {"2026-12-04", "2027-01-01", false}, {"2027-01-01", "2026-12-31", true},
	} {
		if tt.out.Waits(tt.today) != tt.want {
			t.Errorf("%+v", tt)
		}
	}
	for day, ok := range map[Day]bool{"": true, "2026-12-04": true, "2026-02-30": false, "4.12.2026": false, "2026-12-4": false} {
		if err := CheckDay(day); (err == nil) != ok {
			t.Errorf("%s: %v", day, err)
		}
	}
	for link, ok := range map[string]bool{"": true, "https://a.example/7": true, "http://a": true, "ftp://a": false, "javascript:x": false, "https://": false, "//a": false, "a.example": false} {
		if err := CheckLink(link); (err == nil) != ok {
			t.Errorf("%s: %v", link, err)
		}
	}
}
