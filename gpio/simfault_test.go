package gpio

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/wiegand"
)

const variations = 50

// bench is what a technician with a logic analyser sees of one variation.
type bench struct {
	idle   [2]int    // edges in a second with no card
	float  [2]string // levels under pull-up and pull-down, most of the time
	edges  []wiegand.Edge
	free   []Activity
	silent time.Duration // from the card to its first edge
}

// onBench puts a variation of a fault on the bench: a second of silence, the
// float test, then three cards.
func onBench(t *testing.T, fault string, seed uint64) (b bench) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSim(simClock())
		defer s.Close()
		if err := s.SetVariation(fault, seed); err != nil {
			t.Fatal(err)
		}
		collect(t, s, int64(time.Millisecond)) // what setting the fault did
		now := func() int64 { return s.clock() }
		for _, e := range collect(t, s, now()+int64(time.Second)) {
			b.idle[e.Line]++
		}
		for _, bias := range []Bias{BiasPullUp, BiasPullDown} {
			s.SetBias(bias)
			var high [2]int
			for range 5 {
				time.Sleep(4 * time.Millisecond)
				levels, err := s.Levels()
				if err != nil {
					t.Fatal(err)
				}
				high[0] += btoi(levels[0])
				high[1] += btoi(levels[1])
			}
			for i := range high {
				b.float[i] += string("01"[btoi(high[i] >= 3)])
			}
		}
		s.SetBias(BiasPullUp)
		collect(t, s, now()+int64(time.Millisecond))
		stop, err := s.ListenFree()
		if err != nil {
			t.Fatal(err)
		}
		start := now()
		for range 3 {
			s.Present(parse(t, card26))
		}
		b.edges = collect(t, s, start+int64(4*time.Second))
		b.free, _ = stop()
		if len(b.edges) > 0 {
			b.silent = time.Duration(b.edges[0].Time - start)
		}
	})
	return b
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (b bench) falls() (n [2]int) {
	for _, e := range b.edges {
		n[e.Line]++
	}
	return n
}

// benchTable is the table of simFaults: what each row must show.
func benchTable() map[string]func(bench) bool {
	const zeros, ones = 13, 13 // of card26
	quiet := func(b bench) bool { return b.idle == [2]int{} }
	float := func(a, b string) func(bench) bool {
		return func(x bench) bool { return x.float == [2]string{a, b} }
	}
	none := func(b bench) bool { return len(b.edges) == 0 }
	only := func(line uint8) func(b bench) bool {
		return func(b bench) bool { f := b.falls(); return f[line] == 39 && f[line^1] == 0 }
	}
	thrice := func(s string) func(b bench) bool {
		return func(b bench) bool { return fallingBits(b.edges) == strings.Repeat(s, 3) }
	}
	all := func(checks ...func(bench) bool) func(bench) bool {
		return func(b bench) bool {
			for _, c := range checks {
				if !c(b) {
					return false
				}
			}
			return true
		}
	}
	healthy := all(quiet, float("11", "11"))
	inverted := strings.NewReplacer("0", "1", "1", "0").Replace(card26)
	return map[string]func(bench) bool{
		"off":                 all(healthy, thrice(card26)),
		"no-power":            all(quiet, float("00", "00"), none),
		"swapped":             all(healthy, thrice(inverted)),
		"d0-open":             all(healthy, only(1)),
		"d1-open":             all(healthy, only(0)),
		"d0-low":              all(quiet, float("00", "11"), only(1)),
		"d1-low":              all(quiet, float("11", "00"), only(0)),
		"shorted":             all(healthy, func(b bench) bool { return b.falls() == [2]int{78, 78} && paired(b.edges) }),
		"no-ground":           func(b bench) bool { return b.idle[0] > 1 && b.idle[1] > 1 },
		"converter-unpowered": all(quiet, float("10", "10"), none, func(b bench) bool { return len(b.free[0].Falls)+len(b.free[1].Falls) == 0 }),
		"floating": func(b bench) bool {
			f := b.falls()
			line := 0
			if b.float[1] != "11" {
				line = 1
			}
			return b.float[line] != "11" && b.float[line^1] == "11" && f[line^1] == 39 && b.idle[line] < 20 && b.idle[line^1] == 0
		},
		"hum":       func(b bench) bool { return max(b.idle[0], b.idle[1]) >= 35 && min(b.idle[0], b.idle[1]) == 0 },
		"burst":     func(b bench) bool { return len(b.edges) > 78 },
		"crosstalk": all(healthy, func(b bench) bool { return len(b.edges) >= 78 && len(b.edges) < 120 }),
		"wrong-gpio": all(quiet, float("10", "10"), none, func(b bench) bool {
			return len(b.free[0].Falls) == 3*zeros && len(b.free[1].Falls) == 3*ones
		}),
		"keypad":     all(healthy, func(b bench) bool { return len(b.edges)%4 == 0 && len(b.edges) >= 3*4 }),
		"clock-data": all(healthy, func(b bench) bool { return clocked(b.edges) }),
		"hold":       all(healthy, thrice(card26), func(b bench) bool { return b.silent > 700*time.Millisecond }),
	}
}

// TestFaultsOnTheBench holds every fault against its row of the table.
func TestFaultsOnTheBench(t *testing.T) {
	table := benchTable()
	for _, fault := range append([]string{"off"}, Faults...) {
		t.Run(fault, func(t *testing.T) {
			check := table[fault]
			if check == nil {
				t.Fatal("no row in the table")
			}
			for seed := range uint64(variations) {
				if b := onBench(t, fault, seed); !check(b) {
					t.Errorf("variation %d: idle %v, float %v, falls %v, free %v, first after %v",
						seed, b.idle, b.float, b.falls(), b.free, b.silent)
				}
			}
		})
	}
}

// paired: every edge has a partner on the other line within 5 µs.
func paired(edges []wiegand.Edge) bool {
	for i := 0; i+1 < len(edges); i += 2 {
		a, b := edges[i], edges[i+1]
		if a.Line == b.Line || b.Time-a.Time > 5000 {
			return false
		}
	}
	return len(edges)%2 == 0
}

// clocked: on one of the lines most intervals are equal.
func clocked(edges []wiegand.Edge) bool {
	for line := range uint8(2) {
		var last, first int64
		same, n := 0, 0
		for _, e := range edges {
			if e.Line != line {
				continue
			}
			if d := e.Time - last; last != 0 {
				if first == 0 {
					first = d
				}
				n++
				if d == first {
					same++
				}
			}
			last = e.Time
		}
		if n > 100 && same >= n-2 {
			return true
		}
	}
	return false
}

func TestSameSeedSameFault(t *testing.T) {
	for _, fault := range Faults {
		a, b := onBench(t, fault, 7), onBench(t, fault, 7)
		if a.idle != b.idle || a.float != b.float || fallingBits(a.edges) != fallingBits(b.edges) {
			t.Errorf("%s: two runs of one seed differ", fault)
		}
	}
}

// A fault that is mended is gone at once, noise and all.
func TestMendedFault(t *testing.T) {
	for _, fault := range Faults {
		synctest.Test(t, func(t *testing.T) {
			s := NewSim(simClock())
			defer s.Close()
			s.SetFault(fault)
			s.Present(parse(t, card26))
			time.Sleep(20 * time.Millisecond)
			s.SetFault("off")
			collect(t, s, s.clock())
			time.Sleep(time.Second)
			s.Present(parse(t, card26))
			if got := fallingBits(collect(t, s, s.clock()+int64(time.Second))); got != card26 {
				t.Errorf("after %s a card reads %s", fault, got)
			}
		})
	}
}
