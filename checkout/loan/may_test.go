package loan

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout"
)

// TestMay has the rules of docs/loans.md, one by one.
func TestMay(t *testing.T) {
	r := Rules{Needs: map[string][]string{"drone": {"trained", "Pilots"}}, Limit: map[string]int{"phone": 2, AllKinds: 4}}
	has := func(w Wish, phones, others int) Wish {
		w.Has, w.All = map[string]int{"phone": phones, "tablet": others}, phones+others
		return w
	}
	for name, tt := range map[string]struct {
		w    Wish
		want string
	}{
		"nothing against it":           {Wish{Kind: "phone"}, ""},
		"no group":                     {Wish{Kind: "drone"}, "not in the group Pilots or trained"},
		"another group":                {Wish{Kind: "drone", Groups: checkout.GroupsOf("crew")}, "not in the group Pilots or trained"},
		"one of the groups":            {Wish{Kind: "drone", Groups: checkout.GroupsOf("crew", "pilots")}, ""},
		"nobody knows who":             {Wish{Kind: "drone", Unknown: true}, ""},
		"another kind":                 {Wish{Kind: "tablet"}, ""},
		"one phone":                    {has(Wish{Kind: "phone"}, 1, 2), ""},
		"two phones":                   {has(Wish{Kind: "phone"}, 2, 0), "the limit is 2 phone"},
		"two phones, and a tablet":     {has(Wish{Kind: "tablet"}, 2, 1), ""},
		"four in all":                  {has(Wish{Kind: "tablet"}, 2, 2), "the limit is 4"},
		"four in all, a phone":         {has(Wish{Kind: "phone"}, 2, 2), "the limit is 2 phone"},
		"out of service":               {Wish{Kind: "drone", Out: "2026-12-04", Today: "2026-12-03"}, "out of service until 2026-12-04"},
		"out of service, no clock":     {Wish{Kind: "phone", Out: "2026-12-04"}, "out of service until 2026-12-04"},
		"in service again":             {Wish{Kind: "phone", Out: "2026-12-04", Today: "2026-12-04"}, ""},
		"in service again, no group":   {Wish{Kind: "drone", Out: "2026-12-04", Today: "2026-12-05"}, "not in the group Pilots or trained"},
		"a part, and four in all":      {has(Wish{Kind: "tablet", Part: true}, 2, 2), ""},
		"a part, and two phones":       {has(Wish{Kind: "phone", Part: true}, 2, 2), "the limit is 2 phone"},
		"after a second one":           {has(Wish{Kind: "phone"}, 1, 0).Take(), "the limit is 2 phone"},
		"after four of them":           {Wish{Kind: "tablet"}.Take().Take().Take().Take(), "the limit is 4"},
		"no group, and too many as it": {has(Wish{Kind: "drone"}, 2, 2), "not in the group Pilots or trained"},
	} {
		if got := r.May(tt.w).String(); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	if r.Named() != checkout.GroupsOf("trained", "Pilots") {
		t.Errorf("the rules name %q", r.Named())
	}
}

// TestLengthsOfGroups: a kind's length, a group's, and which of them counts.
func TestLengthsOfGroups(t *testing.T) {
	r := Rules{Length: 14 * day, Kinds: map[string]time.Duration{"headset": 5 * day, "cable": 0},
		Groups: map[string]time.Duration{"student": 3 * day, "Staff": 30 * day, "press": 0}}
	for _, tt := range []struct {
		kind, groups string
		want         int // days
	}{
		{"tablet", "", 14}, {"tablet", "crew", 14}, {"headset", "", 5}, {"cable", "", 0},
		{"tablet", "student", 3}, {"tablet", "staff", 30}, {"tablet", "staff, student", 30}, {"tablet", "press, student", 0},
		{"headset", "student", 3}, {"headset", "staff", 5}, {"headset", "press", 5}, {"headset", "student, staff", 5},
		{"cable", "student", 3}, {"cable", "press", 0}, {"cable", "staff, crew", 30},
	} {
		if got := r.Lends(tt.kind, checkout.ParseGroups(tt.groups)); got != time.Duration(tt.want)*day {
			t.Errorf("%s to %s: %v, want %d days", tt.kind, tt.groups, got, tt.want)
		}
	}
	if got, err := r.Extend(Extension{Kind: "tablet", Groups: "student", Length: 3 * day}); err != nil || got != 6*day {
		t.Error("an extension", got, err)
	}
}

// TestMayModel compares the rules with an oracle that writes everything out: each person's
// groups as a list of words, each loan in a list.
func TestMayModel(t *testing.T) {
	kinds, groups := []string{"", "phone", "drone"}, []string{"a", "b", "C"}
	length := rapid.Map(rapid.IntRange(0, 4), func(n int) time.Duration { return time.Duration(n) * day })
	rapid.Check(t, func(t *rapid.T) {
		r := Rules{
			Length: length.Draw(t, "length"),
			Kinds:  rapid.MapOf(rapid.SampledFrom(kinds), length).Draw(t, "kinds"),
			Groups: rapid.MapOf(rapid.SampledFrom(groups), length).Draw(t, "groups"),
			Needs:  rapid.MapOf(rapid.SampledFrom(kinds), rapid.SliceOfN(rapid.SampledFrom(groups), 1, 2)).Draw(t, "needs"),
			Limit:  rapid.MapOf(rapid.SampledFrom(append(kinds, AllKinds)), rapid.IntRange(1, 3)).Draw(t, "limit"),
		}
		in := rapid.SliceOf(rapid.SampledFrom(groups)).Draw(t, "in")
		written := slices.Clone(in)
		for i := range written { // capitals don't tell groups apart
			if rapid.Bool().Draw(t, "large") {
				written[i] = strings.ToUpper(written[i])
			}
		}
		var loans []string // kinds of what they have
		for range rapid.IntRange(1, 8).Draw(t, "bumps") {
			w := Wish{Kind: rapid.SampledFrom(kinds).Draw(t, "kind"), Groups: checkout.GroupsOf(written...), Has: map[string]int{}, All: len(loans)}
			for _, kind := range loans {
				w.Has[kind]++
			}
			want := true
			if needs, ok := r.Needs[w.Kind]; ok {
				want = slices.ContainsFunc(needs, func(g string) bool { return slices.Contains(in, g) })
			}
			same := 0
			for _, kind := range loans {
				if kind == w.Kind {
					same++
				}
			}
			if most, ok := r.Limit[w.Kind]; ok && same+1 > most {
				want = false
			}
			if most, ok := r.Limit[AllKinds]; ok && len(loans)+1 > most {
				want = false
			}
			why := r.May(w)
			if got := why == (checkout.Why{}); got != want {
				t.Fatalf("%+v, in %v, with %v: %v", r, in, loans, why)
			}
			if !r.Counts(w.Kind) && why.Limit != 0 {
				t.Fatalf("%+v: what they have counts", r)
			}
			if want {
				loans = append(loans, w.Kind)
			}
			var own []time.Duration
			for group, d := range maps.All(r.Groups) {
				if slices.Contains(in, group) {
					own = append(own, d)
				}
			}
			if got, want := r.Lends(w.Kind, w.Groups), lendsNaively(r, w.Kind, own); got != want {
				t.Fatalf("%+v, in %v: %q for %v, want %v", r, in, w.Kind, got, want)
			}
		}
	})
}

// lendsNaively takes "no end" for a long time.
func lendsNaively(r Rules, kind string, own []time.Duration) time.Duration {
	const never = 1000 * day
	endless := func(d time.Duration) time.Duration {
		if d == 0 {
			return never
		}
		return d
	}
	length, said := never, false
	if d, ok := r.Kinds[kind]; ok {
		length, said = min(length, endless(d)), true
	}
	longest := time.Duration(0)
	for _, d := range own {
		longest = max(longest, endless(d))
	}
	if longest > 0 {
		length, said = min(length, longest), true
	}
	if !said {
		length = endless(r.Length)
	}
	if length == never {
		return 0
	}
	return length
}
