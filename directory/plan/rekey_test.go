package plan

import (
	"slices"
	"strings"
	"testing"

	"stump/directory/call"
	"stump/internal/books"
)

// mailed is r with a mail address.
func mailed(r books.SyncRow, mail string) books.SyncRow {
	r.Email = mail
	return r
}

func left(r books.SyncRow) books.SyncRow {
	r.Inactive = true
	return r
}

// TestNewKey: Ann has the key 11 and the badge 5; the directory has somebody under 21.
func TestNewKey(t *testing.T) {
	ann := mailed(person("ann", "11", "Ann Okafor"), "ann@x")
	noMail := person("ann", "11", "Ann Okafor")
	for _, tc := range []struct {
		name     string
		register []Member
		pulled   []books.SyncRow
		want     []books.SyncRow
		notes    string
	}{
		{"badge and mail agree: one, whatever the name", inRegister(ann), []books.SyncRow{tagged(mailed(person("", "21", "Ann Weber"), "Ann@X"), 5)},
			[]books.SyncRow{mailed(person("ann", "21", "Ann Weber"), "Ann@X")}, ""},
		{"also with a device", []Member{{SyncRow: ann, Holds: 1}}, []books.SyncRow{tagged(mailed(person("", "21", "Ann Weber"), "ann@x"), 5)},
			[]books.SyncRow{mailed(person("ann", "21", "Ann Weber"), "ann@x")}, ""},
		{"whom the pull before suspended is active again", inRegister(left(ann)), []books.SyncRow{tagged(mailed(person("", "21", "Ann Weber"), "ann@x"), 5)},
			[]books.SyncRow{mailed(person("ann", "21", "Ann Weber"), "ann@x")}, ""},
		{"whom an admin retired stays so", []Member{{SyncRow: left(ann), Retired: true}}, []books.SyncRow{tagged(mailed(person("", "21", "Ann Weber"), "ann@x"), 5)},
			[]books.SyncRow{left(mailed(person("ann", "21", "Ann Weber"), "ann@x"))}, ""},
		{"the old key is there, and out of use", inRegister(ann), []books.SyncRow{left(tagged(mailed(person("", "11", "Ann Okafor"), "ann@x"), 5)), tagged(mailed(person("", "21", "Ann Weber"), "ann@x"), 5)},
			[]books.SyncRow{mailed(person("ann", "21", "Ann Weber"), "ann@x")}, ""},
		{"badge and name, no mail", inRegister(noMail), []books.SyncRow{tagged(person("", "21", "ann  okafor"), 5)},
			[]books.SyncRow{person("ann", "21", "ann  okafor")}, ""},
		{"mail and name, no badge", inRegister(ann), []books.SyncRow{mailed(person("", "21", "Ann Okafor"), "ann@x")},
			[]books.SyncRow{mailed(person("ann", "21", "Ann Okafor"), "ann@x")}, ""},
		{"a badge that was given to somebody else", inRegister(noMail), []books.SyncRow{tagged(person("", "21", "Ben"), 5)},
			[]books.SyncRow{tagged(person("", "21", "Ben"), 5), left(noMail)}, ""},
		{"who got it from one with a device", []Member{{SyncRow: noMail, Holds: 1}}, []books.SyncRow{tagged(person("", "21", "Ann Weber"), 5)},
			[]books.SyncRow{tagged(person("", "21", "Ann Weber"), 5)}, `Ann Weber got the badge of Ann Okafor, who is gone and still has 1 device: if they are one: stump people merge ann "Ann Weber"; Ann Okafor left the directory but still has 1 device: they stay until everything is returned`},
		{"badge and name, but another mail", inRegister(ann), []books.SyncRow{tagged(mailed(person("", "21", "Ann Okafor"), "other@x"), 5)},
			[]books.SyncRow{tagged(mailed(person("", "21", "Ann Okafor"), "other@x"), 5), left(ann)}, ""},
		{"the mail alone", inRegister(ann), []books.SyncRow{mailed(person("", "21", "Desk"), "ann@x")},
			[]books.SyncRow{mailed(person("", "21", "Desk"), "ann@x"), left(ann)}, ""},
		{"the name alone", inRegister(noMail), []books.SyncRow{person("", "21", "Ann Okafor")},
			[]books.SyncRow{person("", "21", "Ann Okafor"), left(noMail)}, ""},
		{"two that may be her: neither", inRegister(ann), []books.SyncRow{mailed(person("", "21", "Ann Okafor"), "ann@x"), mailed(person("", "22", "Ann Okafor"), "ann@x")},
			[]books.SyncRow{mailed(person("", "21", "Ann Okafor"), "ann@x"), mailed(person("", "22", "Ann Okafor"), "ann@x"), left(ann)}, ""},
		{"her own key is there: another person", inRegister(ann), []books.SyncRow{mailed(person("", "11", "Ann Okafor"), "ann@x"), mailed(person("", "21", "Ann Okafor"), "ann@x")},
			[]books.SyncRow{mailed(person("", "21", "Ann Okafor"), "ann@x")}, ""},
		{"gone a pull after the new one came", inRegister(left(ann), mailed(person("ann-2", "21", "Ann Weber"), "ann@x")), []books.SyncRow{mailed(person("", "21", "Ann Weber"), "ann@x")},
			nil, "Ann Okafor is gone from the directory, and Ann Weber has the same mail address: if they are one: stump people merge ann ann-2"},
	} {
		tags := map[uint64]books.SyncRow{5: tc.register[0].SyncRow}
		p, err := Make(tc.register, call.Snapshot{People: tc.pulled, HasPeople: true}, owners(tags), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Changes, tc.want) {
			t.Errorf("%s: changes\n%+v\nwant\n%+v", tc.name, p.Changes, tc.want)
		}
		if notes := strings.Join(p.Notes, "; "); notes != tc.notes {
			t.Errorf("%s: notes %q, want %q", tc.name, notes, tc.notes)
		}
	}
}

// TestMergedKeys: the directory still has rows of people who are one here.
func TestMergedKeys(t *testing.T) {
	ann := person("ann", "21", "Ann Weber")
	two := func() []Member { return []Member{{SyncRow: ann, Former: []string{"11"}}} }
	for _, tc := range []struct {
		name   string
		pulled []books.SyncRow
		want   []books.SyncRow
	}{
		{"both keys", []books.SyncRow{tagged(person("", "11", "Ann Okafor"), 5), tagged(person("", "21", "Ann Weber"), 5)}, nil},
		{"the old key comes to nothing, out of use or not", []books.SyncRow{left(person("", "11", "Ann Okafor")), person("", "21", "Ann Weber")}, nil},
		{"her own is gone, the old one is there", []books.SyncRow{person("", "11", "Ann Okafor")}, []books.SyncRow{person("ann", "11", "Ann Okafor")}},
		{"her own is out of use", []books.SyncRow{person("", "11", "Ann Okafor"), left(person("", "21", "Ann Weber"))}, []books.SyncRow{person("ann", "11", "Ann Okafor")}},
		{"both are gone", []books.SyncRow{person("", "30", "Ben")}, []books.SyncRow{person("", "30", "Ben"), left(ann)}},
	} {
		p, err := Make(two(), call.Snapshot{People: tc.pulled, HasPeople: true}, owners(map[uint64]books.SyncRow{5: ann}), nil, false)
		if err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(p.Changes, tc.want) || len(p.Notes) > 0 {
			t.Errorf("%s: changes\n%+v\nwant\n%+v\nnotes %q", tc.name, p.Changes, tc.want, p.Notes)
		}
	}
}
