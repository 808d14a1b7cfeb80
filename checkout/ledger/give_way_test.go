package ledger

import (
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"stump/checkout/ledger/lane"
)

// TestGivesWayInVainOnce: a bump that makes the file larger waits until nobody reads it. Who
// reads very many rows lets it go first once, and not again every half millisecond.
func TestGivesWayInVainOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := &Ledger{core: &core{writing: lane.New()}}
		read := func() time.Duration {
			begin, r := time.Now(), &txn{l: l, tx: new(bolt.Tx)}
			for range 1000 * yieldRows {
				r.giveWay()
			}
			return time.Since(begin).Round(time.Millisecond)
		}
		l.writing.Come()
		if took := read(); took != 20*time.Millisecond {
			t.Errorf("a bump that waits for who reads waited %v longer", took)
		}
		go func() { time.Sleep(15 * time.Millisecond); l.writing.Gone() }()
		if took := read(); took < 15*time.Millisecond {
			t.Errorf("a bump that was soon done got %v", took)
		}
	})
}
