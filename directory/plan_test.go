package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
)

func person(id, ref, name string) books.SyncRow {
	return books.SyncRow{Kind: checkout.KindPerson, ID: id, Ref: ref, Name: name}
}

// tagged is r with a tag, as a directory says it.
func tagged(r books.SyncRow, n uint64) books.SyncRow {
	r.Tag = testkit.Tag(n, 26)
	return r
}

// owners finds owners of tags in a register.
func owners(m map[uint64]books.SyncRow) func(checkout.Tag) (member, error) {
	return func(t checkout.Tag) (member, error) {
		for n, r := range m {
			if testkit.Tag(n, 26) == t {
				return member{SyncRow: r}, nil
			}
		}
		return member{}, nil
	}
}

// inRegister are members without devices.
func inRegister(rows ...books.SyncRow) (all []member) {
	for _, r := range rows {
		all = append(all, member{SyncRow: r})
	}
	return all
}

func TestPlan(t *testing.T) {
	ann, bob := person("ann", "1", "Ann"), person("bob", "", "Bob")
	bob.Email = "Bob@x"
	gone := person("gone", "9", "Gone")
	for _, tc := range []struct {
		name     string
		register []member
		tags     map[uint64]books.SyncRow
		pulled   []books.SyncRow
		want     []books.SyncRow
		notes    string
	}{
		{"nothing new", inRegister(ann), nil, []books.SyncRow{person("", "1", "Ann")}, nil, ""},
		{"somebody new", nil, nil, []books.SyncRow{tagged(person("", "1", "Ann"), 5)}, []books.SyncRow{tagged(person("", "1", "Ann"), 5)}, ""},
		{"somebody new who left already", nil, nil, []books.SyncRow{{Kind: checkout.KindPerson, Ref: "1", Name: "Ann", Inactive: true}}, nil, ""},
		{"a rename is the same person", inRegister(ann), nil, []books.SyncRow{person("", "1", "Ann Roe")}, []books.SyncRow{person("ann", "1", "Ann Roe")}, ""},
		{"what the source lacks is not blanked", inRegister(books.SyncRow{Kind: checkout.KindPerson, ID: "ann", Ref: "1", Name: "Ann", Email: "a@x"}), nil, []books.SyncRow{person("", "1", "")}, nil, ""},
		{"known by mail", inRegister(bob), nil, []books.SyncRow{{Kind: checkout.KindPerson, Ref: "2", Name: "Bob", Email: "bob@X"}},
			[]books.SyncRow{{Kind: checkout.KindPerson, ID: "bob", Ref: "2", Name: "Bob", Email: "bob@X"}}, ""},
		{"known by badge", inRegister(person("eve", "", "Eve")), map[uint64]books.SyncRow{5: person("eve", "", "Eve")}, []books.SyncRow{tagged(person("", "3", "Eve Smith"), 5)},
			[]books.SyncRow{person("eve", "3", "Eve Smith")}, ""},
		{"a badge that is another's here stays there", inRegister(ann, person("eve", "", "Eve")), map[uint64]books.SyncRow{5: {Kind: checkout.KindDevice, ID: "ipad", Name: "iPad"}},
			[]books.SyncRow{tagged(person("", "1", "Ann"), 5)}, nil, "the badge that the directory has for Ann belongs to iPad here, and stays there"},
		{"a badge that was issued again moves", inRegister(ann, gone), map[uint64]books.SyncRow{5: gone}, []books.SyncRow{tagged(person("", "1", "Ann"), 5)},
			[]books.SyncRow{tagged(ann, 5), {Kind: checkout.KindPerson, ID: "gone", Ref: "9", Name: "Gone", Inactive: true}}, ""},
		{"one badge for two is nobody's", nil, nil, []books.SyncRow{tagged(person("", "1", "Ann"), 5), tagged(person("", "2", "Bob"), 5)},
			[]books.SyncRow{person("", "1", "Ann"), person("", "2", "Bob")}, "Ann and Bob have the same badge in the directory: here each keeps what it has"},
		{"listed twice is one", nil, nil, []books.SyncRow{person("", "1", "Ann"), person("", "1", "Ann")}, []books.SyncRow{person("", "1", "Ann")}, ""},
		{"a leaver is suspended", inRegister(ann, gone), nil, []books.SyncRow{person("", "1", "Ann")}, []books.SyncRow{{Kind: checkout.KindPerson, ID: "gone", Ref: "9", Name: "Gone", Inactive: true}}, ""},
		{"a leaver with devices stays", []member{{SyncRow: ann}, {SyncRow: gone, holds: 2}}, nil, []books.SyncRow{person("", "1", "Ann")}, nil,
			"Gone left the directory but still has 2 devices: they stay until everything is returned"},
		{"who comes back is active again", inRegister(books.SyncRow{Kind: checkout.KindPerson, ID: "ann", Ref: "1", Name: "Ann", Inactive: true}), nil, []books.SyncRow{person("", "1", "Ann")}, []books.SyncRow{ann}, ""},
		{"whom an admin retired stays so", []member{{SyncRow: books.SyncRow{Kind: checkout.KindPerson, ID: "ann", Ref: "1", Name: "Ann", Inactive: true}, retired: true}}, nil, []books.SyncRow{person("", "1", "Ann")}, nil, ""},
		{"whom only the station knows is left alone", inRegister(ann, bob), nil, []books.SyncRow{person("", "1", "Ann")}, nil, ""},
		{"an empty answer deactivates nobody", inRegister(ann), nil, nil, nil, "lists no person at all"},
	} {
		for _, force := range []bool{false, true} {
			p, err := makePlan(tc.register, call.Snapshot{People: slices.Clone(tc.pulled), HasPeople: true}, owners(tc.tags), nil, force)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.changes, tc.want) {
				t.Errorf("%s: changes\n%+v\nwant\n%+v", tc.name, p.changes, tc.want)
			}
			if notes := strings.Join(p.notes, "; "); !strings.Contains(notes, tc.notes) || tc.notes == "" && notes != "" {
				t.Errorf("%s: notes %q, want %q", tc.name, notes, tc.notes)
			}
		}
	}
}

func TestPlanGuards(t *testing.T) {
	for _, tc := range []struct {
		have, leave int
		force, held bool
	}{
		{10, 5, false, false},                          // five may always go
		{10, 6, false, true},                           // six of ten are more than 10 %
		{100, 10, false, false},                        // 10 %
		{100, 11, false, true}, {100, 11, true, false}, // forced
		{100, 100, true, true}, {100, 100, false, true}, // nobody left: never
		{1000, 100, false, false}, {1000, 101, false, true}, //
	} {
		var register []member
		var pulled []books.SyncRow
		for i := range tc.have {
			r := person(fmt.Sprint("p", i), fmt.Sprint(i), "P")
			register = append(register, member{SyncRow: r})
			if i >= tc.leave {
				pulled = append(pulled, r)
			}
		}
		p, err := makePlan(register, call.Snapshot{People: pulled, HasPeople: true}, owners(nil), nil, tc.force)
		if err != nil {
			t.Fatal(err)
		}
		want, held := tc.leave, 0
		if tc.held {
			want, held = 0, tc.leave
		}
		if len(p.changes) != want || p.held != held {
			t.Errorf("%d of %d leave, force %v: %d suspended, %d held back", tc.leave, tc.have, tc.force, len(p.changes), p.held)
		}
	}
}

// A directory that keeps no devices has not lost them.
func TestPlanLeavesAloneWhatTheDirectoryDoesNotKeep(t *testing.T) {
	register := inRegister(books.SyncRow{Kind: checkout.KindDevice, ID: "ipad", Ref: "1", Name: "iPad"})
	p, err := makePlan(register, call.Snapshot{HasPeople: true}, owners(nil), nil, true)
	if err != nil || len(p.changes) != 0 || len(p.notes) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// Whatever a directory says, in whatever order of pulls: the register never
// loses a value or a record, no tag is two people's, a second pull of the same
// changes nothing, and no more go at once than the guard lets.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBox(rt)
		register := func() []member {
			all, err := members(b)
			if err != nil {
				rt.Fatal(err)
			}
			return all
		}
		pull := func(people []books.SyncRow) plan {
			p, err := makePlan(register(), call.Snapshot{People: slices.Clone(people), HasPeople: true}, func(t checkout.Tag) (member, error) { return ownerOf(b, t) }, nil, false)
			if err != nil {
				rt.Fatal(err)
			}
			if _, err := b.Sync(p.changes, Main, checkout.SourceSync); err != nil {
				rt.Fatalf("%v: %+v", err, p.changes)
			}
			return p
		}
		for range rapid.IntRange(1, 5).Draw(rt, "pulls") {
			before := map[string]member{}
			for _, m := range register() {
				before[m.ID] = m
			}
			people := rapid.SliceOfN(rapid.Custom(drawRow), 0, 25).Draw(rt, "people")
			p := pull(people)
			suspended, active := 0, 0
			for _, m := range register() {
				was, had := before[m.ID]
				if had && !was.Inactive {
					active++
					if m.Inactive {
						suspended++
					}
				}
				if had && (m.Name == "" || was.Email != "" && m.Email == "") {
					rt.Fatalf("%+v became %+v", was, m)
				}
				if had && was.Ref != "" && m.Ref != was.Ref {
					said := map[string]books.SyncRow{} // the last of several with a key counts
					for _, r := range people {
						said[r.Ref] = r
					}
					old, there := said[was.Ref]
					if now := said[m.Ref]; there && !old.Inactive || was.Email != "" && now.Email != "" && was.Email != now.Email {
						rt.Fatalf("%+v has another's key: %+v", was, m)
					}
				}
				delete(before, m.ID)
			}
			if len(before) != 0 {
				rt.Fatalf("lost %v", before)
			}
			if suspended > guardCount && suspended*100 > active*guardPercent {
				rt.Fatalf("%d of %d suspended at once", suspended, active)
			}
			if again := pull(people); len(again.changes) != 0 {
				rt.Fatalf("the same pull again changes %+v after %+v", again.changes, p.changes)
			}
		}
	})
}

// drawRow draws a person as a directory has them.
func drawRow(rt *rapid.T) books.SyncRow {
	r := person("", fmt.Sprint(rapid.IntRange(1, 20).Draw(rt, "ref")), rapid.SampledFrom([]string{"Ann", "Bob", "Cem"}).Draw(rt, "name"))
	if n := rapid.IntRange(0, 12).Draw(rt, "tag"); n > 0 {
		r = tagged(r, uint64(n))
	}
	r.Email = rapid.SampledFrom([]string{"", "a@x", "b@x"}).Draw(rt, "email")
	r.Inactive = rapid.IntRange(0, 9).Draw(rt, "left") == 0
	return r
}
