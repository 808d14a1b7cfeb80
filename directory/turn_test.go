package directory

import (
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout/ledger"
	"stump/directory/call"
)

// turn is the work of reading a directory in a lab of several stations.
type turn struct {
	mine         atomic.Bool
	begun, ended atomic.Int64
}

func (t *turn) Begin() bool {
	if t.mine.Load() {
		t.begun.Add(1)
	}
	return t.mine.Load()
}

func (t *turn) End() { t.ended.Add(1) }

// TestTurn: of the stations of a lab one reads the directory; another does at once when it is its
// turn. What an admin wants read is read.
func TestTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, lab := &lister{snap: call.Snapshot{HasPeople: true}}, &turn{}
		w, stop := start(t, Options{Directory: l, Ledger: newBox(t, ledger.DirectorySink), Timing: Timing{PullEvery: time.Hour}, Turn: lab})
		defer stop()
		time.Sleep(24 * time.Hour)
		if n := l.count(); n > 0 {
			t.Errorf("%d pulls in another's turn", n)
		}
		if err := w.Pull(t.Context(), true); err != nil || l.count() != 1 {
			t.Errorf("an admin's pull: %v, %d", err, l.count())
		}
		lab.mine.Store(true)
		w.Turned()
		time.Sleep(time.Second)
		if n := l.count(); n != 2 {
			t.Errorf("%d pulls a second after its turn began", n)
		}
		time.Sleep(12 * time.Hour)
		if n := l.count(); n < 12 || n > 16 {
			t.Errorf("%d pulls in half a day", n)
		}
		lab.mine.Store(false)
		n := l.count()
		if time.Sleep(12 * time.Hour); l.count() != n || lab.begun.Load() != lab.ended.Load() {
			t.Errorf("%d pulls after its turn, begun %d, ended %d", l.count()-n, lab.begun.Load(), lab.ended.Load())
		}
	})
}
