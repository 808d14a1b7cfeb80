package lab_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stump/internal/lab"
	"stump/internal/lab/labtest"
)

// turned is a station that does a work in its turn.
func turned(t *testing.T, name string) (*station, *lab.Turn, *atomic.Int32) {
	taken := new(atomic.Int32)
	var turn *lab.Turn
	s := newStation(t, name, func(l *lab.Link) { turn = l.Turn("read the directory", func() { taken.Add(1) }) })
	return s, turn, taken
}

func mine(turn *lab.Turn) func() string {
	return func() string {
		if turn.Mine() {
			return "mine"
		}
		return "another's"
	}
}

// TestTurn: what one station of a lab does for all is done by one, and by another when that is
// gone; who had it before can't say any more that it has done something.
func TestTurn(t *testing.T) {
	hub := labtest.New(t)
	a, first, taken := turned(t, "a")
	b, second, _ := turned(t, "b")
	if !first.Mine() || !second.Mine() {
		t.Error("in no lab it is not the station's own")
	}
	if got, err := first.Claim(t.Context(), []string{"x"}); err != nil || len(got) != 1 {
		t.Errorf("in no lab: %v %v", got, err)
	}
	a.join(hub.Code())
	becomes(t, "a's turn", "mine", mine(first))
	b.join(hub.Code())
	becomes(t, "b's turn", "another's", mine(second))
	if n := taken.Load(); n != 1 {
		t.Errorf("a heard %d times that it is its turn", n)
	}
	claim := func(turn *lab.Turn, what ...string) string {
		got, err := turn.Claim(t.Context(), what)
		if err != nil {
			return err.Error()
		}
		return strings.Join(got, " ")
	}
	if got := claim(first, "ann 1", "ben 1"); got != "ann 1 ben 1" {
		t.Errorf("a may say %q", got)
	}
	if got := claim(second, "ann 1"); !strings.Contains(got, "another station") {
		t.Errorf("b may say %q", got)
	}
	hub.Lapse() // a has not been heard of
	becomes(t, "b's turn", "mine", mine(second))
	if got := claim(first, "ann 2"); !strings.Contains(got, "another station") {
		t.Errorf("a may still say %q", got)
	}
	if got := claim(second, "ben 1", "cem 1"); got != "cem 1" {
		t.Errorf("b may say %q", got)
	}
	becomes(t, "a's turn", "another's", mine(first))
}

// TestFencedChanges: what a station changes in the register in its turn is told under its fence,
// and what it changes later is not.
func TestFencedChanges(t *testing.T) {
	hub := labtest.New(t)
	a, turn, _ := turned(t, "a")
	a.join(hub.Code())
	becomes(t, "a's turn", "mine", mine(turn))
	if !turn.Begin() {
		t.Fatal("it may not begin")
	}
	a.person("ann", 1)
	becomes(t, "the fence", "1", func() string { return strings.Repeat("1", int(hub.Fence())) })
	turn.End()
	for end := time.Now().Add(10 * time.Second); hub.Fence() != 0; {
		if time.Now().After(end) {
			t.Fatal("what is changed after the turn is told under its fence, too")
		}
		a.person("p"+time.Now().Format("150405.000000"), time.Now().Nanosecond()%1_000_000+100)
		time.Sleep(20 * time.Millisecond)
	}
	hub.Unplug(true)
	becomes(t, "a's turn", "mine", mine(turn)) // for two minutes
}
