// Package lane lets one write into a ledger at a time, and takes those along who wait.
//
// A commit waits for the disk twice, and only one goes on at a time. A bump that comes
// while many rows are written would wait for theirs and then for its own. So it rides: who
// writes many rows stops when somebody waits, makes that change in the same transaction,
// and both are saved by one commit.
package lane

import (
	"errors"
	"slices"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
)

// Rider is a change that waits for its turn to write.
type Rider struct {
	change func(*bolt.Tx) error
	done   chan error // what became of it where somebody took it along; ErrAlone: nothing
}

// NewRider returns a rider that makes a change.
func NewRider(change func(*bolt.Tx) error) *Rider {
	return &Rider{change, make(chan error, 1)}
}

// ErrAlone says that a rider could not be taken along: it has to go alone, and finds out why.
var ErrAlone = errors.New("this change has to be made alone")

// Lane is where writers wait. It is a sync.Locker for those who don't ride.
type Lane struct {
	turn chan struct{} // has one in it while somebody writes
	mu   sync.Mutex
	wait []*Rider
	want int           // how many changes wait or are being made
	none chan struct{} // closed when there are no more of them; nil: there are none
	// soon is closed when the change was made that is expected until then; nil: none is.
	soon chan struct{}
	then time.Time
}

// New returns a lane on which nobody is.
func New() *Lane { return &Lane{turn: make(chan struct{}, 1)} }

// Lock waits for the turn to write.
func (l *Lane) Lock() { l.turn <- struct{}{} }

// Unlock ends it.
func (l *Lane) Unlock() { <-l.turn }

// Waiting is how many would ride.
func (l *Lane) Waiting() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.wait)
}

// Enter waits until r has the turn to write, or rode and was saved, or was not saved.
func (l *Lane) Enter(r *Rider) (rode bool, err error) {
	select {
	case l.turn <- struct{}{}:
		return false, nil // nobody writes
	default:
	}
	l.Join(r)
	select {
	case err = <-r.done:
		if !errors.Is(err, ErrAlone) {
			return true, err
		}
		l.Lock()
	case l.turn <- struct{}{}:
		if l.leave(r) {
			return false, nil
		}
		// Who took it along has said so before the end of the turn.
		if err = <-r.done; !errors.Is(err, ErrAlone) {
			l.Unlock()
			return true, err
		}
	}
	return false, nil
}

// Join has r wait, without the turn.
func (l *Lane) Join(r *Rider) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wait = append(l.wait, r)
}

// leave takes r out of the row; false: it was taken along.
func (l *Lane) leave(r *Rider) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	at := slices.Index(l.wait, r)
	if at >= 0 {
		l.wait = slices.Delete(l.wait, at, at+1)
	}
	return at >= 0
}

// take returns all who wait.
func (l *Lane) take() []*Rider {
	l.mu.Lock()
	defer l.mu.Unlock()
	all := l.wait
	l.wait = nil
	return all
}

// Come says that there is a change to be made, until Gone.
func (l *Lane) Come() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.want++; l.want == 1 {
		l.none = make(chan struct{})
	}
}

// Gone ends it.
func (l *Lane) Gone() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.want--; l.want == 0 {
		close(l.none)
		l.none = nil
	}
	l.forget()
}

// longestExpected is how long many rows wait for somebody who stands at a reader: of most
// pairs the second bump comes within it.
const longestExpected = 1500 * time.Millisecond

// Expect says that somebody stands at a reader, and a change will probably come soon.
func (l *Lane) Expect() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.then = time.Now().Add(longestExpected)
	if l.soon == nil {
		l.soon = make(chan struct{})
	}
}

// Forget ends it. So does a change.
func (l *Lane) Forget() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.forget()
}

func (l *Lane) forget() {
	if l.soon != nil {
		close(l.soon)
		l.soon = nil
	}
}

// expected is closed when no change is expected any more, within the time; nil: none is.
func (l *Lane) expected() (soon chan struct{}, within time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if within = time.Until(l.then); within <= 0 {
		l.forget()
	}
	return l.soon, within
}

// Expected reports whether a change is.
func (l *Lane) Expected() bool {
	soon, _ := l.expected()
	return soon != nil
}

// MakeRoom is for who is about to write many rows: it waits until no change is expected. A
// bump that comes while others are saved waits for the disk twice.
func (l *Lane) MakeRoom() {
	soon, within := l.expected()
	if soon == nil {
		return
	}
	late := time.NewTimer(within)
	defer late.Stop()
	select {
	case <-soon:
	case <-late.C:
	}
}

// longestYield is how long a reader lets a change go first: the disk may be slow.
const longestYield = 20 * time.Millisecond

// GiveWay is for who reads many rows. A bump would otherwise wait for the runtime, which
// takes a processor away after 10 ms, and looks at files and sockets as rarely while each
// processor has something to do: runtime.Gosched would not be enough. It reports whether it
// is of use: a change that makes the file larger can wait for the very reader that lets it go
// first, and would wait for as long as that goes on.
func (l *Lane) GiveWay() bool {
	time.Sleep(time.Microsecond)
	l.mu.Lock()
	none := l.none
	l.mu.Unlock()
	if none == nil {
		return true
	}
	late := time.NewTimer(longestYield)
	defer late.Stop()
	select {
	case <-none:
		return true
	case <-late.C:
		return false
	}
}

// Coach is a transaction of many rows, and who rides in it.
type Coach struct{ riders []*Rider }

// Carry makes the changes of all who wait, after the rows. If one can't be made, the
// transaction has to fail, with ErrAlone.
func (c *Coach) Carry(l *Lane, tx *bolt.Tx) error {
	c.riders = append(c.riders, l.take()...)
	for _, r := range c.riders {
		if r.change(tx) != nil {
			return ErrAlone
		}
	}
	return nil
}

// Arrive tells the riders what became of them.
func (c *Coach) Arrive(err error) {
	for _, r := range c.riders {
		r.done <- err
	}
	c.riders = nil
}
