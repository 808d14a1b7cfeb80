package directory

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/directory/call"
)

func person(id, ref, name string) Record {
	return Record{Kind: checkout.KindPerson, ID: id, Ref: ref, Name: name}
}

// rowsOf is what a directory says of them.
func rowsOf(records ...Record) (rows []checkout.SyncRow) {
	for _, r := range records {
		rows = append(rows, r.row())
	}
	return rows
}

// tagged is r with a tag, as a directory says it.
func tagged(r Record, n uint64) Record {
	r.Tag = checkout.TagFromUint64(n, 26)
	return r
}

// owners finds owners of tags in a register.
func owners(m map[uint64]Record) func(checkout.Tag) (Record, bool, error) {
	return func(t checkout.Tag) (Record, bool, error) {
		for n, r := range m {
			if checkout.TagFromUint64(n, 26) == t {
				return r, true, nil
			}
		}
		return Record{}, false, nil
	}
}

func TestPlan(t *testing.T) {
	ann, bob := person("ann", "1", "Ann"), person("bob", "", "Bob")
	bob.Email = "Bob@x"
	gone := person("gone", "9", "Gone")
	for _, tc := range []struct {
		name     string
		register []Record
		tags     map[uint64]Record
		pulled   []Record
		want     []Record
		notes    string
	}{
		{"nothing new", []Record{ann}, nil, []Record{person("", "1", "Ann")}, nil, ""},
		{"somebody new", nil, nil, []Record{tagged(person("", "1", "Ann"), 5)}, []Record{tagged(person("", "1", "Ann"), 5)}, ""},
		{"somebody new who left already", nil, nil, []Record{{Kind: checkout.KindPerson, Ref: "1", Name: "Ann", Inactive: true}}, nil, ""},
		{"a rename is the same person", []Record{ann}, nil, []Record{person("", "1", "Ann Roe")}, []Record{person("ann", "1", "Ann Roe")}, ""},
		{"what the source lacks is not blanked", []Record{{Kind: checkout.KindPerson, ID: "ann", Ref: "1", Name: "Ann", Email: "a@x"}}, nil, []Record{person("", "1", "")}, nil, ""},
		{"known by mail", []Record{bob}, nil, []Record{{Kind: checkout.KindPerson, Ref: "2", Name: "Bob", Email: "bob@X"}},
			[]Record{{Kind: checkout.KindPerson, ID: "bob", Ref: "2", Name: "Bob", Email: "bob@X"}}, ""},
		{"known by badge", []Record{person("eve", "", "Eve")}, map[uint64]Record{5: person("eve", "", "Eve")}, []Record{tagged(person("", "3", "Eve Smith"), 5)},
			[]Record{person("eve", "3", "Eve Smith")}, ""},
		{"a badge that is another's here stays there", []Record{ann, person("eve", "", "Eve")}, map[uint64]Record{5: {Kind: checkout.KindDevice, ID: "ipad", Name: "iPad"}},
			[]Record{tagged(person("", "1", "Ann"), 5)}, nil, "what the directory has as the badge of Ann belongs to iPad here: it stays there"},
		{"a badge that was issued again moves", []Record{ann, gone}, map[uint64]Record{5: gone}, []Record{tagged(person("", "1", "Ann"), 5)},
			[]Record{tagged(ann, 5), {Kind: checkout.KindPerson, ID: "gone", Ref: "9", Name: "Gone", Inactive: true}}, ""},
		{"one badge for two is nobody's", nil, nil, []Record{tagged(person("", "1", "Ann"), 5), tagged(person("", "2", "Bob"), 5)},
			[]Record{person("", "1", "Ann"), person("", "2", "Bob")}, "Ann and Bob have the same badge in the directory: here each keeps what it has"},
		{"listed twice is one", nil, nil, []Record{person("", "1", "Ann"), person("", "1", "Ann")}, []Record{person("", "1", "Ann")}, ""},
		{"a leaver is suspended", []Record{ann, gone}, nil, []Record{person("", "1", "Ann")}, []Record{{Kind: checkout.KindPerson, ID: "gone", Ref: "9", Name: "Gone", Inactive: true}}, ""},
		{"a leaver with devices stays", []Record{ann, {Kind: checkout.KindPerson, ID: "gone", Ref: "9", Name: "Gone", Holds: 2}}, nil, []Record{person("", "1", "Ann")}, nil,
			"Gone left the directory and still has 2 devices: stays until back"},
		{"who comes back is active again", []Record{{Kind: checkout.KindPerson, ID: "ann", Ref: "1", Name: "Ann", Inactive: true}}, nil, []Record{person("", "1", "Ann")}, []Record{ann}, ""},
		{"whom an admin retired stays so", []Record{{Kind: checkout.KindPerson, ID: "ann", Ref: "1", Name: "Ann", Inactive: true, Retired: true}}, nil, []Record{person("", "1", "Ann")}, nil, ""},
		{"whom only the station knows is left alone", []Record{ann, bob}, nil, []Record{person("", "1", "Ann")}, nil, ""},
		{"an empty answer deactivates nobody", []Record{ann}, nil, nil, nil, "lists no person at all"},
	} {
		for _, force := range []bool{false, true} {
			p, err := MakePlan(tc.register, call.Snapshot{People: rowsOf(tc.pulled...), HasPeople: true}, owners(tc.tags), force)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(p.Changes, tc.want) {
				t.Errorf("%s: changes\n%+v\nwant\n%+v", tc.name, p.Changes, tc.want)
			}
			if notes := strings.Join(p.Notes, "; "); !strings.Contains(notes, tc.notes) || tc.notes == "" && notes != "" {
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
		var register, pulled []Record
		for i := range tc.have {
			r := person(fmt.Sprint("p", i), fmt.Sprint(i), "P")
			register = append(register, r)
			if i >= tc.leave {
				pulled = append(pulled, r)
			}
		}
		p, err := MakePlan(register, call.Snapshot{People: rowsOf(pulled...), HasPeople: true}, owners(nil), tc.force)
		if err != nil {
			t.Fatal(err)
		}
		want, held := tc.leave, 0
		if tc.held {
			want, held = 0, tc.leave
		}
		if len(p.Changes) != want || p.Held != held {
			t.Errorf("%d of %d leave, force %v: %d suspended, %d held back", tc.leave, tc.have, tc.force, len(p.Changes), p.Held)
		}
	}
}

// A directory that keeps no devices has not lost them.
func TestPlanLeavesAloneWhatTheDirectoryDoesNotKeep(t *testing.T) {
	register := []Record{{Kind: checkout.KindDevice, ID: "ipad", Ref: "1", Name: "iPad"}}
	p, err := MakePlan(register, call.Snapshot{HasPeople: true}, owners(nil), true)
	if err != nil || len(p.Changes) != 0 || len(p.Notes) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// Whatever a directory says, in whatever order of pulls: the register never
// loses a value or a record, no tag is two people's, a second pull of the same
// changes nothing, and no more go at once than the guard lets.
func TestPlanProperties(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		m := NewMemory()
		pull := func(people []Record) Plan {
			var register []Record
			for r := range m.Records() {
				register = append(register, r)
			}
			p, err := MakePlan(register, call.Snapshot{People: rowsOf(people...), HasPeople: true}, m.ByTag, false)
			if err != nil {
				rt.Fatal(err)
			}
			if _, err := m.Apply(p.Changes, Asker{}); err != nil {
				rt.Fatalf("%v: %+v", err, p.Changes)
			}
			return p
		}
		for range rapid.IntRange(1, 5).Draw(rt, "pulls") {
			before := map[string]Record{}
			for _, r := range m.records {
				before[r.ID] = r
			}
			people := rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) Record {
				r := Record{Kind: checkout.KindPerson, Ref: fmt.Sprint(rapid.IntRange(1, 20).Draw(rt, "ref")), Name: rapid.SampledFrom([]string{"Ann", "Bob", "Cem"}).Draw(rt, "name")}
				if n := rapid.IntRange(0, 12).Draw(rt, "tag"); n > 0 {
					r = tagged(r, uint64(n))
				}
				r.Email = rapid.SampledFrom([]string{"", "a@x", "b@x"}).Draw(rt, "email")
				r.Inactive = rapid.IntRange(0, 9).Draw(rt, "left") == 0
				return r
			}), 0, 25).Draw(rt, "people")
			p := pull(people)
			suspended, active := 0, 0
			tags := map[checkout.Tag]string{}
			for _, r := range m.records {
				was, had := before[r.ID]
				if !was.Inactive && had {
					active++
					if r.Inactive {
						suspended++
					}
				}
				if had && (r.Name == "" || was.Email != "" && r.Email == "" || was.Ref != "" && r.Ref != was.Ref) {
					rt.Fatalf("%+v became %+v", was, r)
				}
				if other := tags[r.Tag]; other != "" && !r.Tag.IsZero() {
					rt.Fatalf("%s and %s have the tag %v", other, r.ID, r.Tag)
				}
				tags[r.Tag] = r.ID
				delete(before, r.ID)
			}
			if len(before) != 0 {
				rt.Fatalf("lost %v", before)
			}
			if suspended > guardCount && suspended*100 > active*guardPercent {
				rt.Fatalf("%d of %d suspended at once", suspended, active)
			}
			if again := pull(people); len(again.Changes) != 0 {
				rt.Fatalf("the same pull again changes %+v after %+v", again.Changes, p.Changes)
			}
		}
	})
}
