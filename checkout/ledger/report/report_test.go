package report

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger/record"
)

// TestSalvagedSentences: everything that is lost is part of the sentence, and nothing
// else is.
func TestSalvagedSentences(t *testing.T) {
	for _, tc := range []struct {
		s    Salvaged
		want string
	}{
		{Salvaged{File: "f", Reason: "r", Events: 3},
			"the ledger was damaged (r): 3 events were saved, no event is known to be missing; the damaged file is f; stump restore brings back a backup"},
		{Salvaged{File: "f", Reason: "r", Events: 3, Lost: [][2]uint64{{4, 4}}, Perhaps: [2]uint64{8, 1000}},
			"saved, missing is event 4, and perhaps some after 7; the damaged file"},
		{Salvaged{File: "f", Reason: "r", Others: map[string][][2]uint64{"b": {{1, 2}}, "a": {{9, 9}}}},
			"missing; missing from the time as station a: event 9; missing from the time as station b: events 1-2; the damaged"},
		{Salvaged{File: "f", Reason: "r", Made: 2, Tagless: 1}, "made again from events, 1 without a tag: enrol them again; the damaged"},
		{Salvaged{File: "f", Reason: "r", Partial: true}, "; people and devices may be missing: compare with a backup or the directory; the damaged"},
		{Salvaged{File: "f", Reason: "r", Rows: 1}, "; whether 1 event reached the directory is unknown: compare with it; the damaged"},
		{Salvaged{Reason: "the file is missing"}, "the ledger is gone (the file is missing): a new one was begun; stump restore brings back a backup"},
		{Salvaged{Replaced: true, Reason: "why"}, "the ledger was replaced: why; stop the daemon and put the newer file back, or go on with this one"},
		{Salvaged{Replaced: true, Reason: "why", Lost: [][2]uint64{{8, 9}}}, "the ledger was replaced: why; missing: events 8-9; stop the daemon"},
	} {
		if got := tc.s.String(); !strings.Contains(got, tc.want) {
			t.Errorf("%s\nwant %s", got, tc.want)
		}
	}
}

// TestRanges: a long list is cut, but its end is named.
func TestRanges(t *testing.T) {
	var long [][2]uint64
	for i := range uint64(30) {
		long = append(long, [2]uint64{10 * i, 10*i + 1})
	}
	for want, all := range map[string][][2]uint64{
		"event 7":             {{7, 7}},
		"events 7-8":          {{7, 8}},
		"events 7-9, 12":      {{7, 9}, {12, 12}},
		"events 0-1, 10-11, ": long,
		"180-181, 190-191, and 10 more runs up to 291": long,
	} {
		got := ranges(all)
		if !strings.Contains(got, strings.TrimPrefix(want, "events ")) {
			t.Errorf("%s, want %s", got, want)
		}
	}
	if got := ranges(long[:21]); !strings.HasSuffix(got, ", 200-201") { // one more costs no more than saying so
		t.Error(got)
	}
}

// TestSalvagedIsKept: each field of the report is in the row that keeps it.
func TestSalvagedIsKept(t *testing.T) {
	s := Salvaged{Replaced: true, File: "f", Reason: "r", Events: 1, LastSeq: 2, Lost: [][2]uint64{{3, 4}}, Perhaps: [2]uint64{5, 6},
		Others: map[string][][2]uint64{"n": {{7, 8}}}, Restated: 9, Made: 10, Tagless: 11, Partial: true, Rows: 12, At: time.Unix(13, 0)}
	v := reflect.ValueOf(s)
	for i := range v.NumField() {
		if v.Field(i).IsZero() {
			t.Errorf("the test lacks %s", v.Type().Field(i).Name)
		}
	}
	got, err := record.Unpack(SalvagedForm, record.Pack(SalvagedForm(&s)))
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, s)
	}
}

func TestJoinRuns(t *testing.T) {
	for _, c := range []struct {
		runs, want [][2]uint64
		most       int
	}{
		{nil, nil, 3},
		{[][2]uint64{{1, 1}, {3, 3}}, [][2]uint64{{1, 1}, {3, 3}}, 2},
		{[][2]uint64{{1, 1}, {3, 3}}, [][2]uint64{{1, 3}}, 1},
		{[][2]uint64{{1, 1}, {3, 3}}, [][2]uint64{{1, 3}}, 0},
		{[][2]uint64{{1, 5}, {100, 101}, {105, 110}, {300, 300}}, [][2]uint64{{1, 5}, {100, 110}, {300, 300}}, 3},
		{[][2]uint64{{1, 5}, {100, 101}, {105, 110}, {300, 300}}, [][2]uint64{{1, 110}, {300, 300}}, 2},
	} {
		if got := JoinRuns(slices.Clone(c.runs), c.most); !slices.Equal(got, c.want) {
			t.Errorf("%v to %d: %v, not %v", c.runs, c.most, got, c.want)
		}
	}
}

func FuzzSalvaged(f *testing.F) {
	f.Add(record.Pack(SalvagedForm(&Salvaged{Lost: [][2]uint64{{1, 2}}})))
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = record.Unpack(SalvagedForm, b) })
}
