package ledger

import (
	"errors"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// A commit waits for the disk twice, and only one goes on at a time. A bump that comes
// while many rows are written would wait for theirs and then for its own. So it rides: who
// writes many rows stops when somebody waits, makes that change in the same transaction,
// and both are saved by one commit.

// rider is a change that waits for its turn to write.
type rider struct {
	l      *Ledger // with the terms of the change
	change func(*txn)
	done   chan error // what became of it where somebody took it along; errAlone: nothing
}

// errAlone says that a rider could not be taken along: it has to go alone, and finds out why.
var errAlone = errors.New("this change has to be made alone")

// lane lets one write at a time. The others wait in a row.
type lane struct {
	turn chan struct{} // has one in it while somebody writes
	mu   sync.Mutex
	wait []*rider
	want int           // how many changes wait or are being made
	none chan struct{} // closed when there are no more of them; nil: there are none
}

func newLane() *lane { return &lane{turn: make(chan struct{}, 1)} }

// Lock waits for the turn to write.
func (w *lane) Lock() { w.turn <- struct{}{} }

// Unlock ends it.
func (w *lane) Unlock() { <-w.turn }

// waits reports whether somebody would ride.
func (w *lane) waits() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.wait) > 0
}

// leave takes r out of the row; false: it was taken along.
func (w *lane) leave(r *rider) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	at := slices.Index(w.wait, r)
	if at >= 0 {
		w.wait = slices.Delete(w.wait, at, at+1)
	}
	return at >= 0
}

// take returns all who wait.
func (w *lane) take() []*rider {
	w.mu.Lock()
	defer w.mu.Unlock()
	all := w.wait
	w.wait = nil
	return all
}

// come says that there is a change to be made, until gone.
func (w *lane) come() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.want++; w.want == 1 {
		w.none = make(chan struct{})
	}
}

// gone ends it.
func (w *lane) gone() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.want--; w.want == 0 {
		close(w.none)
		w.none = nil
	}
}

// yieldRows is after how many rows, half a millisecond, a reader lets a bump go first, and
// longestYield for how long: the disk may be slow.
const (
	yieldRows    = 64
	longestYield = 20 * time.Millisecond
)

// giveWay is for who reads many rows. A bump would otherwise wait for the runtime, which
// takes a processor away after 10 ms, and looks at files and sockets as rarely while each
// processor has something to do: runtime.Gosched would not be enough.
func (w *lane) giveWay() {
	time.Sleep(time.Microsecond)
	w.mu.Lock()
	none := w.none
	w.mu.Unlock()
	if none == nil {
		return
	}
	late := time.NewTimer(longestYield)
	defer late.Stop()
	select {
	case <-none:
	case <-late.C:
	}
}

// giveWay is called for each row that is read.
func (t *txn) giveWay() {
	if t.seen++; t.seen%yieldRows == 0 && !t.tx.Writable() {
		t.l.writing.giveWay()
	}
}

// enter waits until r has the turn to write, or was taken along and saved, or was not saved.
func (w *lane) enter(r *rider) (rode bool, err error) {
	select {
	case w.turn <- struct{}{}:
		return false, nil // nobody writes
	default:
	}
	w.mu.Lock()
	w.wait = append(w.wait, r)
	w.mu.Unlock()
	select {
	case err = <-r.done:
		if !errors.Is(err, errAlone) {
			return true, err
		}
		w.Lock()
	case w.turn <- struct{}{}:
		if w.leave(r) {
			return false, nil
		}
		// Who took it along has said so before the end of the turn.
		if err = <-r.done; !errors.Is(err, errAlone) {
			w.Unlock()
			return true, err
		}
	}
	return false, nil
}

// coach is a transaction of many rows, and who rides in it.
type coach struct{ riders []*rider }

// carry makes the changes of all who wait, after the rows. If one can't be made, the
// transaction fails with errAlone, and nobody rides in the next try.
func (c *coach) carry(w *lane, tx *bolt.Tx) error {
	c.riders = append(c.riders, w.take()...)
	for _, r := range c.riders {
		if err := (&txn{l: r.l, tx: tx}).try(r.whole); err != nil {
			return errAlone
		}
	}
	return nil
}

// arrive tells the riders what became of them.
func (c *coach) arrive(err error) {
	for _, r := range c.riders {
		r.done <- err
	}
	c.riders = nil
}

// whole is the change with its terms.
func (r *rider) whole(t *txn) { t.agree(); r.change(t) }
