package lane

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"
)

// TestLane: who comes while somebody writes rides, or has to go alone, or has the next turn.
func TestLane(t *testing.T) {
	refused := errors.New("refused")
	for name, tt := range map[string]struct {
		carry   bool  // whether the writer takes riders along
		change  error // that riders' changes end with
		arrive  error // what the writer tells them
		rode    bool
		err     error
		carried error
	}{
		"saved":     {true, nil, nil, true, nil, nil},
		"not saved": {true, nil, refused, true, refused, nil},
		"alone":     {true, refused, ErrAlone, false, nil, ErrAlone},
		"next":      {false, nil, nil, false, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New()
				l.Lock()
				type end struct {
					rode bool
					err  error
				}
				ended := make(chan end, 1)
				go func() {
					rode, err := l.Enter(NewRider(func(*bolt.Tx) error { return tt.change }))
					ended <- end{rode, err}
				}()
				synctest.Wait()
				if l.Waiting() != 1 {
					t.Fatalf("%d wait", l.Waiting())
				}
				if tt.carry {
					var c Coach
					if err := c.Carry(l, nil); !errors.Is(err, tt.carried) {
						t.Error(err)
					}
					c.Arrive(tt.arrive)
				}
				l.Unlock()
				if got := <-ended; got != (end{tt.rode, tt.err}) {
					t.Errorf("%+v, want %v, %v", got, tt.rode, tt.err)
				}
				if !tt.rode {
					l.Unlock() // it has the turn
				}
				l.Lock()
				if l.Unlock(); l.Waiting() != 0 {
					t.Errorf("%d wait", l.Waiting())
				}
			})
		})
	}
}

// TestGiveWay: a reader waits for the changes that there are, and not for ever.
func TestGiveWay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := New()
		took := func() time.Duration {
			begin := time.Now()
			l.GiveWay()
			return time.Since(begin).Round(time.Millisecond)
		}
		if d := took(); d != 0 {
			t.Errorf("nobody writes: %v", d)
		}
		if !l.GiveWay() {
			t.Error("nobody writes, and to give way is of no use")
		}
		l.Come()
		l.Come()
		if d := took(); d != longestYield {
			t.Errorf("somebody writes for long: %v", d)
		}
		if l.GiveWay() {
			t.Error("it was of use to give way to who writes for long")
		}
		go func() {
			time.Sleep(2 * time.Millisecond)
			l.Gone()
			time.Sleep(3 * time.Millisecond)
			l.Gone()
		}()
		if d := took(); d != 5*time.Millisecond {
			t.Errorf("two write: %v", d)
		}
		l.Come()
		go func() { time.Sleep(time.Millisecond); l.Gone() }()
		if !l.GiveWay() {
			t.Error("it was of no use to give way to who was soon done")
		}
		if d := took(); d != 0 {
			t.Errorf("nobody any more: %v", d)
		}
	})
}

// TestExpect: many rows wait for who is expected, until they have come or for a while, and
// stop when somebody is.
func TestExpect(t *testing.T) {
	for name, tt := range map[string]struct {
		then func(l *Lane) // after 300 ms
		took time.Duration
	}{
		"came":      {func(l *Lane) { l.Come(); l.Gone() }, 300 * time.Millisecond},
		"is slow":   {func(l *Lane) {}, longestExpected},
		"once more": {func(l *Lane) { l.Expect() }, longestExpected},
		"forgotten": {func(l *Lane) { l.Forget() }, 300 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l := New()
				if l.Expected() {
					t.Error("nobody was expected")
				}
				l.Expect()
				if !l.Expected() {
					t.Error("somebody is expected")
				}
				begin := time.Now()
				go func() { time.Sleep(300 * time.Millisecond); tt.then(l) }()
				l.MakeRoom()
				if took := time.Since(begin); took != tt.took {
					t.Errorf("it waited %v, want %v", took, tt.took)
				}
				time.Sleep(2 * longestExpected)
				if l.Expected() {
					t.Error("nobody is expected any more")
				}
				begin = time.Now()
				if l.MakeRoom(); time.Since(begin) != 0 {
					t.Error("it waited for nobody")
				}
			})
		})
	}
}
