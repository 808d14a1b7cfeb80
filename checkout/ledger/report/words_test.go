package report

import (
	"strings"
	"testing"
)

// TestOneAndMany reads the sentences that count aloud.
func TestOneAndMany(t *testing.T) {
	for _, tt := range []struct{ got, want string }{
		{(&Verified{Events: 1, Loans: 1, Outbox: 1, Gaps: 1, Bbolt: "passed"}).String(),
			"1 event, 1 open loan, 1 outbox row: everything holds; 1 number without an event, "},
		{(&Verified{Events: 2, Faults: []Fault{{"chain", "event 1"}}}).String(),
			"2 events, 0 open loans, 0 outbox rows: 1 fault, the first: chain: event 1; "},
		{(&Salvaged{File: "f", Reason: "r", Events: 1, Lost: [][2]uint64{{7, 7}}}).String(),
			"the ledger was damaged (r): 1 event was saved, missing is event 7; "},
		{(&Salvaged{File: "f", Reason: "r", Events: 2, Lost: [][2]uint64{{7, 7}, {9, 12}}}).String(),
			"the ledger was damaged (r): 2 events were saved, missing are events 7, 9-12; "},
		{(&Restored{BackupSeq: 35, Lost: [2]uint64{36, 36}}).String(), "the backup ends with event 35 of 0001-01-01T00:00:00Z; event 36 would be missing"},
		{(&Restored{BackupSeq: 35, Lost: [2]uint64{36, 40}}).String(), "the backup ends with event 35 of 0001-01-01T00:00:00Z; events 36-40 would be missing"},
	} {
		if !strings.HasPrefix(tt.got, tt.want) {
			t.Errorf("got  %s\nwant %s", tt.got, tt.want)
		}
	}
}

func TestDifferences(t *testing.T) {
	got := Differences(map[string]string{"a": "1", "b": "2", "c ": "3"}, map[string]string{"a": "1", "b": "4", "d": "5"})
	if all := strings.Join(got, "; "); all != "b: 2 → 4; c: 3 → none; d: none → 5" {
		t.Error(all)
	}
	if all := Differences(nil, nil); all != nil {
		t.Errorf("%v", all)
	}
}
