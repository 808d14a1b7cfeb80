package ledger

import (
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger/boltfile"
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
	got, err := record.Unpack(salvagedForm, record.Pack(salvagedForm(&s)))
	if err != nil || !reflect.DeepEqual(got, s) {
		t.Errorf("got  %+v, %v\nwant %+v", got, err, s)
	}
}

// TestSetAside: names say when and why, have no odd letters, and are never taken twice.
func TestSetAside(t *testing.T) {
	at := time.Date(2026, 11, 30, 9, 0, 0, 0, time.FixedZone("", 3600))
	for reason, want := range map[string]string{
		"meta page 0: not a meta page": "meta-page-0--not-a-meta-page",
		"../../etc/passwd\x00\n":       "etc-passwd",
		"":                             "",
		strings.Repeat("long ", 20):    "long-long-long-long-long-long-long-long",
	} {
		if got := asideName("/x/ledger.db", "damaged", reason, at); got != "/x/ledger.db.damaged-20261130T080000Z-"+want {
			t.Errorf("%q: %s", reason, got)
		}
	}
	dir := t.TempDir()
	name := filepath.Join(dir, "name")
	for i := range 3 {
		got, err := freeName(name)
		if want := name + map[int]string{0: "", 1: "-1", 2: "-2"}[i]; err != nil || got != want {
			t.Errorf("%s, %v, want %s", got, err, want)
		}
		if err := os.Symlink("nowhere", got); err != nil { // a link counts too
			t.Fatal(err)
		}
	}
}

// TestWasHere: each trace of a ledger counts, and other files don't.
func TestWasHere(t *testing.T) {
	for name, want := range map[string]bool{"": false, "site.key": false, "ledger.db2": false, "ledger.db.new": false, "ledger.db": true,
		"ledger.db.holder": true, "ledger.db.newest": true, "ledger.db.damaged-1": true, "ledger.db.replaced-1": true, "ledger.db.schema-1": true} {
		path := filepath.Join(t.TempDir(), "ledger.db")
		if name != "" {
			if err := os.WriteFile(filepath.Join(filepath.Dir(path), name), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if got := WasHere(path, "", "lab"); got != want {
			t.Errorf("%q: %v", name, got)
		}
	}
}

// TestMissingUnderAProcess: a file that was removed under a process which has it open is
// not begun again.
func TestMissingUnderAProcess(t *testing.T) {
	x := newLedger(t)
	x.ok(x.Close())
	cmd, out := child(t, "taps", "STUMP_TEST_LEDGER="+x.path)
	defer func() { cmd.Process.Kill(); cmd.Wait() }()
	if !out.Scan() || out.Text() != "open" {
		t.Fatal(out.Text())
	}
	h, err := boltfile.ReadHolder(x.path)
	x.ok(err)
	x.ok(os.Remove(x.path))
	_, _, err = OpenOrSalvage(x.path, x.o)
	if locked, ok := err.(*LockedError); !ok || locked.PID != h.PID {
		t.Errorf("%v", err)
	}
	if _, err := os.Stat(x.path); !os.IsNotExist(err) {
		t.Error(fmt.Sprint("a new file: ", err))
	}
}
