package station

import (
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger/record"
)

// TestDoubtIsShown: the next bump of a device of which two stories are told says so,
// whichever is bumped first, and then it is over.
func TestDoubtIsShown(t *testing.T) {
	for _, badgeFirst := range []bool{false, true} {
		inLab(t, nil, func(l *lab) {
			l.wants("ann", "Hello ANN")
			l.wants("ipad", "Checked out")
			info, err := l.ledger.Info()
			must(t, err)
			must(t, l.ledger.Doubt(record.At(1, info.Seq), "directory", "Snipe-IT said that ANN has it"))
			time.Sleep(time.Minute)
			if badgeFirst {
				l.wants("ben", "Hello BEN")
				l.wants("ipad", "Handed over")
			} else {
				l.wants("ipad", "IPAD in doubt ANN")
				l.wants("ben", "Handed over")
			}
			time.Sleep(6 * time.Second)
			if got := l.display(); got != "IPAD was in doubt See the desk" {
				t.Errorf("after the bump the display says %q", got)
			}
			time.Sleep(time.Minute)
			if got := l.display(); strings.Contains(got, "doubt") {
				t.Errorf("a minute later the display says %q", got)
			}
			l.wants("ipad", "with BEN")
		})
	}
}
