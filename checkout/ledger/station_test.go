package ledger

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// rename opens the ledger anew under another name of the station.
func (x *tester) rename(name string) {
	x.t.Helper()
	x.o.Station = name
	x.reopen()
}

// TestRenamedStation: the name is a label; the chain goes on.
func TestRenamedStation(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7
	before, err := x.Info()
	x.ok(err)
	for i, name := range []string{"attic", "lab", "cellar", "lab"} {
		x.rename(name)
		x.bump(2+i%2, 11)
		x.bump(2+i%2, 11)
		x.bump(1, 11)
	}
	want(t, "ipad", x.history(books.HistoryFilter{Device: "ipad"}), "4:enrol 7:checkout "+
		"8:handover 9:return 10:checkout 11:handover 12:return 13:checkout 14:handover 15:return 16:checkout 17:handover 18:return 19:checkout")
	after, err := x.Info()
	x.ok(err)
	if before.Chain.IsZero() || before.Chain != after.Chain {
		t.Errorf("the chain was %v, and is %v", before.Chain, after.Chain)
	}
	x.rename("attic")
	var labels []string
	for e, err := range x.History(books.HistoryFilter{}) {
		x.ok(err)
		labels = append(labels, e.Station)
		if e.Chain != after.Chain {
			t.Errorf("event %d is of chain %v", e.Seq, e.Chain)
		}
	}
	want(t, "labels", fmt.Sprint(labels[6:13]), "[lab attic attic attic lab lab lab]")
	for loan, err := range x.Loans(books.LoanFilter{}) {
		x.ok(err)
		want(t, "station of the loan", loan.Station, "lab")
	}
	x.verify()
	x.ok(x.Scrub(t.Context()))
	x.verify()
	want(t, "who", x.who(), "ipad=ann")
}

// TestSalvageOfARenamedStation salvages a ledger whose station was renamed.
func TestSalvageOfARenamedStation(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11) // 7
	x.bump(2, 12) // 8
	x.bump(2, 12) // 9
	x.rename("attic")
	x.bump(3, 11) // 10
	x.bump(3, 13) // 11
	x.bump(3, 13) // 12
	x.bump(1, 13) // 13
	x.ok(x.Close())
	b, err := os.ReadFile(x.path)
	x.ok(err)
	b = bytes.ReplaceAll(b, []byte("return"), []byte("returm"))       // 9 and 12
	b = bytes.ReplaceAll(b, []byte("The pixel"), []byte("The pixxl")) // 5 and 8
	x.ok(os.WriteFile(x.path, b, 0o600))
	l, err := Open(x.path, x.o)
	x.ok(err)
	_, err = l.Verify(context.Background(), VerifyOptions{Note: true})
	x.ok(err)
	x.ok(l.Close())
	var s *Salvaged
	x.Ledger, s, err = OpenOrSalvage(x.path, x.o)
	x.ok(err)
	if !strings.Contains(s.String(), "missing are events 5, 8-9, 12;") {
		t.Error(s)
	}
	info, err := x.Info()
	x.ok(err)
	want(t, "as told later", info.Salvaged.String(), s.String())
	want(t, "gaps", x.verify().Gaps, 4)
	want(t, "who", x.who(), "ipad=cem nexus=ann")
}

// TestAnonymiseARenamedStation forgets what was closed before and after the
// station was renamed; also after a scrub.
func TestAnonymiseARenamedStation(t *testing.T) {
	x := newLedger(t)
	x.bump(1, 11)
	x.bump(1, 12)
	x.bump(1, 12)
	x.rename("attic")
	x.bump(2, 11) // a hand-over
	x.bump(2, 13)
	x.bump(2, 13)
	x.clock.add(time.Hour)
	people := func() string {
		var names []string
		for e, err := range x.History(books.HistoryFilter{}) {
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
