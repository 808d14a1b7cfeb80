package ledger

import (
	"bytes"
	"context"
	"maps"
	"os"
	"strings"
	"testing"
	"time"

	"stump/checkout"
)

// TestSalvageOfARenamedStation salvages a ledger that holds the events of two
// stations, both with losses.
func TestSalvageOfARenamedStation(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7
	x.bump(2, 12) // 8
	x.bump(2, 12) // 9
	x.ok(x.Close())
	x.o.Station = "attic"
	l, err := Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	x.bump(3, 11) // 1 of attic
	x.bump(3, 13) // 2
	x.bump(3, 13) // 3
	x.bump(1, 13) // 4
	x.verify()
	want(t, "who", x.who(), "ipad=cem nexus=ann")
	want(t, "ipad", x.history(checkout.HistoryFilter{Device: "ipad"}), "4:enrol 7:checkout 1:handover")
	want(t, "ann", x.history(checkout.HistoryFilter{Person: "ann"}), "1:enrol 7:checkout 1:handover 4:checkout")
	x.ok(x.Close())
	b, err := os.ReadFile(x.path)
	x.ok(err)
	b = bytes.ReplaceAll(b, []byte("return"), []byte("returm"))       // 9 of lab, 3 of attic
	b = bytes.ReplaceAll(b, []byte("The pixel"), []byte("The pixxl")) // 5 and 8 of lab
	x.ok(os.WriteFile(x.path, b, 0o600))
	l, err = Open(x.path, x.o)
	x.ok(err)
	_, err = l.Verify(context.Background(), VerifyOptions{Note: true})
	x.ok(err)
	x.ok(l.Close())
	var s *Salvaged
	x.Ledger, s, err = OpenOrSalvage(x.path, x.o)
	x.ok(err)
	if !strings.Contains(s.String(), "missing is event 3; of station lab missing: events 5, 8-9;") {
		t.Error(s)
	}
	info, err := x.Info()
	x.ok(err)
	want(t, "as told later", info.Salvaged.String(), s.String())
	want(t, "gaps", x.verify().Gaps, 2)
	want(t, "who", x.who(), "ipad=cem nexus=ann")
}

// TestStationNameComesBack gives a station its first name back.
func TestStationNameComesBack(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7
	names := []string{"attic", "lab", "cellar", "lab"}
	for i, name := range names {
		x.ok(x.Close())
		x.o.Station = name
		l, err := Open(x.path, x.o)
		x.ok(err)
		x.Ledger = l
		x.bump(2+i%2, 11)
		x.bump(2+i%2, 11)
		x.bump(1, 11)
	}
	want(t, "ipad", x.history(checkout.HistoryFilter{Device: "ipad"}), "4:enrol 7:checkout "+
		"1:handover 2:return 3:checkout 8:handover 9:return 10:checkout 1:handover 2:return 3:checkout 11:handover 12:return 13:checkout")
	x.verify()
	x.ok(x.Scrub(t.Context()))
	x.verify()
	want(t, "who", x.who(), "ipad=ann")
}

// TestAnonymiseARenamedStation forgets what was closed under both names of a
// station, and a loan from the one to the other; also after a scrub.
func TestAnonymiseARenamedStation(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(1, 12)
	x.bump(1, 12)
	x.ok(x.Close())
	x.o.Station = "attic"
	l, err := Open(x.path, x.o)
	x.ok(err)
	x.Ledger = l
	x.bump(2, 11) // a hand-over
	x.bump(2, 13)
	x.bump(2, 13)
	x.clock.add(time.Hour)
	people := func() string {
		var names []string
		for e, err := range x.History(checkout.HistoryFilter{}) {
			x.ok(err)
			if e.Kind != checkout.Enrol {
				names = append(names, e.PersonName+e.FromName)
			}
		}
		return strings.Join(names, " ")
	}
	want(t, "people before", people(), "Ann Ann Ann BenAnn Ben Ben")
	n, err := x.Anonymise(context.Background(), x.clock.wall)
	x.ok(err)
	want(t, "events", n, 6)
	want(t, "people", strings.Join(strings.Fields(people()), " "), "Ben")
	x.ok(x.Scrub(context.Background()))
	n, err = x.Anonymise(context.Background(), x.clock.wall)
	x.ok(err)
	want(t, "events forgotten again", n, 0)
	want(t, "who", x.who(), "ipad=ben")
	x.verify()
}

// TestStranded: events that wait when the station is renamed are counted under
// the name that it had, and wait for that.
func TestStranded(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(2, 12)
	rename := func(name string, stranded map[string]uint64) {
		t.Helper()
		x.ok(x.Close())
		x.o.Station = name
		l, err := Open(x.path, x.o)
		x.ok(err)
		x.Ledger = l
		got, err := l.Stranded()
		x.ok(err)
		if !maps.Equal(got, stranded) {
			t.Errorf("as %s: %v, want %v", name, got, stranded)
		}
	}
	rename("lab", nil)
	rename("attic", map[string]uint64{"lab": 4}) // two sinks
	x.bump(1, 11)
	rename("lab", map[string]uint64{"attic": 2})
	x.ok(x.Delivered("dir", seqsOf(rowsFor(t, x.Ledger, "dir"))...))
	x.ok(x.Delivered("hook", seqsOf(rowsFor(t, x.Ledger, "hook"))...))
	rename("attic", nil)
	want(t, "rows", len(rowsFor(t, x.Ledger, "dir")), 1)
	x.verify()
}
