package gpio

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
)

// seqs pops all that is certain at now, as numbers; a loss before one is
// written as its negative count.
func seqs(pop func(int64) (event, bool), now int64) (got []int) {
	for {
		e, ok := pop(now)
		if !ok {
			return got
		}
		if e.lost > 0 {
			got = append(got, -int(e.lost))
		}
		got = append(got, int(e.seq))
	}
}

func TestSequencer(t *testing.T) {
	const t0 = 1000
	d0 := func(seq uint32) event { return event{seq: seq, line: 0, arrived: t0} }
	d1 := func(seq uint32) event { return event{seq: seq, line: 1, arrived: t0} }
	for _, c := range []struct {
		name  string
		push  []event
		first []int // certain at once
		later []int // certain only after holdBack
	}{
		{"in order", []event{d0(1), d1(2), d0(3)}, []int{1, 2, 3}, nil},
		{"one thread late", []event{d1(2), d1(3), d0(1)}, []int{1, 2, 3}, nil},
		{"late or lost, only one line spoke", []event{d1(2), d1(3)}, nil, []int{-1, 2, 3}},
		{"lost: both lines have gone on", []event{d0(1), d1(3), d0(4)}, []int{1, -1, 3, 4}, nil},
		{"lost: the buffer was full", []event{d0(101), d1(102)}, []int{-100, 101, 102}, nil},
		{"two gaps, the second open", []event{d0(1), d1(3), d0(4), d0(6)}, []int{1, -1, 3, 4}, []int{-1, 6}},
		{"a number that was given up comes", []event{d0(2), d1(3), d0(1), d0(4)}, []int{-1, 2, 3, 4}, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newSequencer(2, 1)
			var got []int
			for _, e := range c.push {
				s.push(e)
				if c.name == "a number that was given up comes" {
					got = append(got, seqs(s.pop, t0)...)
				}
			}
			got = append(got, seqs(s.pop, t0)...)
			if !slices.Equal(got, c.first) {
				t.Errorf("at once %v, want %v", got, c.first)
			}
			due, holds := s.deadline()
			if holds != (c.later != nil) || holds && due != t0+holdBack {
				t.Errorf("holds %v until %d", holds, due)
			}
			if got := seqs(s.pop, t0+holdBack-1); got != nil {
				t.Errorf("before the time: %v", got)
			}
			if got := seqs(s.pop, t0+holdBack); !slices.Equal(got, c.later) {
				t.Errorf("later %v, want %v", got, c.later)
			}
		})
	}
}

func TestSequencerWraps(t *testing.T) {
	s := newSequencer(2, math.MaxUint32-1)
	for _, seq := range []uint32{0, math.MaxUint32, math.MaxUint32 - 1, 1, 3} {
		s.push(event{seq: seq, line: uint8(seq & 1)})
	}
	if got := seqs(s.pop, 0); len(got) != 4 || got[3] != 1 {
		t.Errorf("%v", got)
	}
	if got := seqs(s.pop, holdBack); !slices.Equal(got, []int{-1, 3}) {
		t.Errorf("%v", got)
	}
}

// TestSequencerAnyOrder is the property: however late the two threads come,
// as long as each keeps its own order, all events come out in order; and of
// those that a full buffer dropped every single one is counted.
func TestSequencerAnyOrder(t *testing.T) {
	for seed := range uint64(300) {
		rng := rand.New(rand.NewPCG(seed, 7))
		var lines [2][]event
		const n = 200
		for seq := uint32(1); seq <= n; seq++ {
			line := uint8(rng.IntN(2))
			lines[line] = append(lines[line], event{seq: seq, line: line})
		}
		s := newSequencer(2, 1)
		dropped := make(map[uint32]bool)
		var got []int
		for len(lines[0])+len(lines[1]) > 0 {
			line := rng.IntN(2)
			if len(lines[line]) == 0 {
				line = 1 - line
			}
			e := lines[line][0]
			lines[line] = lines[line][1:]
			if rng.IntN(20) == 0 {
				dropped[e.seq] = true
				continue
			}
			s.push(e)
			got = append(got, seqs(s.pop, 0)...)
		}
		got = append(got, seqs(s.pop, holdBack)...)
		next, lost := 1, 0
		for _, v := range got {
			if v < 0 {
				lost -= v
				next -= v
				continue
			}
			if v != next || dropped[uint32(v)] {
				t.Fatalf("seed %d: %d after %d in %v", seed, v, next-1, got)
			}
			next++
		}
		for tail := uint32(n); dropped[tail]; tail-- {
			delete(dropped, tail) // nothing came after it to show the gap
		}
		if lost != len(dropped) {
			t.Fatalf("seed %d: %d counted as lost, %d were", seed, lost, len(dropped))
		}
	}
}

func TestMerger(t *testing.T) {
	at := func(line uint8, time int64, lost uint32) event {
		return event{line: line, time: time, seq: uint32(time), lost: lost}
	}
	for _, c := range []struct {
		name string
		push []event
		now  int64
		want []int
	}{
		{"by time", []event{at(0, 10, 0), at(0, 30, 0), at(1, 20, 0), at(1, 40, 0)}, 41, []int{10, 20, 30}},
		{"the last ones wait for the other line", []event{at(0, 10, 0)}, 10 + holdBack - 1, nil},
		{"but not for ever", []event{at(0, 10, 0), at(0, 11, 0)}, 11 + holdBack, []int{10, 11}},
		{"at one instant", []event{at(1, 10, 0), at(0, 10, 0)}, 10, []int{10}},
		{"what one line lost may be in the other's frames", []event{at(0, 10, 0), at(0, 40, 3), at(1, 20, 0), at(1, 30, 0), at(1, 50, 0)}, 50,
			[]int{10, -1, 20, -1, 30, -3, 40}},
	} {
		t.Run(c.name, func(t *testing.T) {
			m := merger{last: math.MinInt64}
			for _, e := range c.push {
				m.push(e)
			}
			if got := seqs(m.pop, c.now); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// TestMergerTooLate: an edge that comes when a later one was already handed on
// is marked as a loss.
func TestMergerTooLate(t *testing.T) {
	m := merger{last: math.MinInt64}
	m.push(event{line: 0, time: 100, seq: 1})
	if got := seqs(m.pop, 100+holdBack); !slices.Equal(got, []int{1}) {
		t.Fatal(got)
	}
	m.push(event{line: 1, time: 90, seq: 2})
	if got := seqs(m.pop, 100+2*holdBack); !slices.Equal(got, []int{-1, 2}) {
		t.Fatal(got)
	}
}

func TestDirection(t *testing.T) {
	const (
		f  = false // falling, as the thread saw it
		r  = true
		us = 1000
		ms = 1000 * us
	)
	type edge struct {
		at   int64
		seen bool
		lost uint32
	}
	for _, c := range []struct {
		name  string
		idle  bool
		edges []edge
		want  []bool
		doubt int // index of the edge that says so, -1 none
	}{
		{"threads in time", true, []edge{{0, f, 0}, {40 * us, r, 0}, {2 * ms, f, 0}, {2*ms + 40*us, r, 0}}, []bool{f, r, f, r}, -1},
		{"threads too late: rising, rising", true, []edge{{0, r, 0}, {40 * us, r, 0}, {2 * ms, r, 0}, {2*ms + 40*us, r, 0}}, []bool{f, r, f, r}, -1},
		{"idle low", false, []edge{{0, r, 0}, {40 * us, f, 0}}, []bool{r, f}, -1},
		{"a pulse in one interrupt", true,
			[]edge{{0, r, 0}, {20 * ms, r, 0}, {20*ms + 40*us, r, 0}}, []bool{f, f, r}, 1},
		{"a loss: what the thread saw, then counting", true,
			[]edge{{0, f, 0}, {10 * us, f, 5}, {20 * us, r, 0}, {30 * us, r, 0}}, []bool{f, f, r, f}, -1},
	} {
		t.Run(c.name, func(t *testing.T) {
			var d direction
			d.start(c.idle)
			for i, e := range c.edges {
				rising, doubt := d.next(event{time: 100*ms + e.at, rising: e.seen, lost: e.lost})
				if rising != c.want[i] || doubt != (i == c.doubt) {
					t.Errorf("edge %d: rising %v doubt %v", i, rising, doubt)
				}
			}
		})
	}
}
