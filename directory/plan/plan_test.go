package plan

import (
	"fmt"
	"slices"
	"strings"
	"testing"

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
func owners(m map[uint64]books.SyncRow) func(checkout.Tag) (Member, error) {
	return func(t checkout.Tag) (Member, error) {
		for n, r := range m {
			if testkit.Tag(n, 26) == t {
				return Member{SyncRow: r}, nil
			}
		}
		return Member{}, nil
	}
}

// inRegister are members without devices.
func inRegister(rows ...books.SyncRow) (all []Member) {
	for _, r := range rows {
		all = append(all, Member{SyncRow: r})
	}
	return all
}

func TestPlan(t *testing.T) {
	ann, bob := person("ann", "1", "Ann"), person("bob", "", "Bob")
	bob.Email = "Bob@x"
	gone := person("gone", "9", "Gone")
	for _, tc := range []struct {
		name     string
		register []Member
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
		{"a leaver with devices stays", []Member{{SyncRow: ann}, {SyncRow: gone, Holds: 2}}, nil, []books.SyncRow{person("", "1", "Ann")}, nil,
			"Gone left the directory but still has 2 devices: they stay until everything is returned"},
		{"who comes back is active again", inRegister(books.SyncRow{Kind: checkout.KindPerson, ID: "ann", Ref: "1", Name: "Ann", Inactive: true}), nil, []books.SyncRow{person("", "1", "Ann")}, []books.SyncRow{ann}, ""},
		{"whom an admin retired stays so", []Member{{SyncRow: books.SyncRow{Kind: checkout.KindPerson, ID: "ann", Ref: "1", Name: "Ann", Inactive: true}, Retired: true}}, nil, []books.SyncRow{person("", "1", "Ann")}, nil, ""},
		{"whom only the station knows is left alone", inRegister(ann, bob), nil, []books.SyncRow{person("", "1", "Ann")}, nil, ""},
		{"an empty answer deactivates nobody", inRegister(ann), nil, nil, nil, "lists no person at all"},
	} {
		for _, force := range []bool{false, true} {
			p, err := Make(tc.register, call.Snapshot{People: slices.Clone(tc.pulled), HasPeople: true}, owners(tc.tags), nil, force)
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
		var register []Member
		var pulled []books.SyncRow
		for i := range tc.have {
			r := person(fmt.Sprint("p", i), fmt.Sprint(i), "P")
			register = append(register, Member{SyncRow: r})
			if i >= tc.leave {
				pulled = append(pulled, r)
			}
		}
		p, err := Make(register, call.Snapshot{People: pulled, HasPeople: true}, owners(nil), nil, tc.force)
		if err != nil {
			t.Fatal(err)
		}
		want, held := tc.leave, 0
		if tc.held {
			want, held = 0, tc.leave
		}
		if len(p.Changes) != want || p.held != held {
			t.Errorf("%d of %d leave, force %v: %d suspended, %d held back", tc.leave, tc.have, tc.force, len(p.Changes), p.held)
		}
	}
}

// A directory that keeps no devices has not lost them.
func TestPlanLeavesAloneWhatTheDirectoryDoesNotKeep(t *testing.T) {
	register := inRegister(books.SyncRow{Kind: checkout.KindDevice, ID: "ipad", Ref: "1", Name: "iPad"})
	p, err := Make(register, call.Snapshot{HasPeople: true}, owners(nil), nil, true)
	if err != nil || len(p.Changes) != 0 || len(p.Notes) != 0 {
		t.Errorf("%+v, %v", p, err)
	}
}

// A directory can't fill the register without end, nor the status with notes.
func TestPlanOfALiar(t *testing.T) {
	var register []Member
	for i := range call.MostRows - 1 {
		register = append(register, Member{SyncRow: person(fmt.Sprint("p", i), fmt.Sprint("old", i), "P")})
	}
	var pulled []books.SyncRow
	for i := range 300 {
		pulled = append(pulled, person("", fmt.Sprint("new", i), ""), person("", fmt.Sprint("a", i), "A"))
	}
	p, err := Make(register, call.Snapshot{HasPeople: true, People: pulled, PeopleList: call.Listing{Partial: true}}, owners(nil), nil, false)
	if err != nil || len(p.Changes) != 1 || len(p.Notes) != MostNotes+1 {
		t.Errorf("%d changes, %d notes, %v", len(p.Changes), len(p.Notes), err)
	}
}
