package diagnose

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"stump/wiegand"
)

// fallsAt are falls of DATA0 at times in microseconds.
func fallsAt(us ...float64) (edges []wiegand.Edge) {
	for _, t := range us {
		edges = append(edges, wiegand.Edge{Time: int64(t * 1000)})
	}
	return edges
}

// every repeats falls at phases of a period, n times.
func every(n int, period float64, phases ...float64) (us []float64) {
	for i := range n {
		for _, p := range phases {
			us = append(us, float64(i)*period+p)
		}
	}
	return us
}

func TestHum(t *testing.T) {
	var gaps []float64 // every fourth is missing
	for i := range 60 {
		if i%4 != 3 {
			gaps = append(gaps, float64(i)*20_000)
		}
	}
	for name, c := range map[string]struct {
		us   []float64
		want float64
	}{
		"nine falls":                           {every(9, 20_000, 0), 50},
		"eight falls":                          {every(8, 20_000, 0), 0},
		"out of step, but of the right period": {every(60, 20_200, 0), 50},
		"in step, though falls are missing":    {gaps, 50},
		"a slow wave that chatters":            {every(30, 20_000, 0, 4000), 50},
		"a wave with three falls":              {every(30, 20_000, 0, 2500, 5000), 0},
		"two groups a period":                  {every(30, 20_000, 0, 2000, 10_000, 12_000), 0},
		"a spike follows each fall":            {every(30, 20_000, 0, 1900), 50},
		"a tenth too slow":                     {every(60, 22_300, 0), 0},
	} {
		if got := hum(fallsAt(c.us...)); got != c.want {
			t.Errorf("%s: %v Hz, want %v", name, got, c.want)
		}
	}
}

func TestGrouped(t *testing.T) {
	for name, c := range map[string]struct {
		us   []float64
		in   time.Duration
		want float64
	}{
		"nothing":            {nil, time.Second, 0},
		"no time":            {[]float64{0, 100}, 0, 0},
		"two and a lone one": {[]float64{0, 100, 1e6}, 10 * time.Second, 2. / 3},
		"not close enough":   {[]float64{0, 150, 1e6}, 10 * time.Second, 0},
		"three":              {[]float64{0, 100, 200}, 10 * time.Second, 1},
		"evenly spread":      {every(1000, 1000, 0), time.Second, 0},
	} {
		if got := grouped(fallsAt(c.us...), c.in); !(math.Abs(got-c.want) < 0.001) { // also not NaN
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
	// The other line makes no group.
	if got := grouped(spell(time.Second, "0@0", "1@100").Edges, time.Second); got != 0 {
		t.Errorf("one fall on each line: %v", got)
	}
}

func TestPaired(t *testing.T) {
	for at, want := range map[string]float64{
		"": 0, "0@0 1@110": 1, "0@0 1@111": 0, "0@0 0@50": 0, "0@0 1@50 0@5000 1@9000": 0.5, "0@0 1@50 0@90": 1,
	} {
		if got := paired(spell(time.Second, strings.Fields(at)...).Edges, togetherNS); got != want {
			t.Errorf("%q: %v, want %v", at, got, want)
		}
	}
}

func TestInterval(t *testing.T) {
	for at, want := range map[string]int64{
		"0@0": 0, "0@0 0@149": 0, "0@0 0@150": 150_000, "0@0 0@149999": 149_999_000, "0@0 0@150000": 0,
		"0@0 0@20 0@2020 0@4040": 2_000_000, // the spike is not a bit
		"0@0 0@2000 0@6000":      2_000_000, // every second bit is missing
	} {
		if got := Interval(spell(time.Second, strings.Fields(at)...).Edges); got != want {
			t.Errorf("%q: %d ns, want %d", at, got, want)
		}
	}
}

func TestClocked(t *testing.T) {
	regular := func(n int) []float64 { return every(n, 1000, 0) }
	uneven := func(n int) (us []float64) { // distances that are half as long again
		for i := range n {
			us = append(us, 100_000+float64(i)*1500)
		}
		return us
	}
	for name, c := range map[string]struct {
		us   []float64
		want bool
	}{
		"nothing":                     {nil, false},
		"30 distances":                {regular(31), true},
		"29 distances":                {regular(30), false},
		"a quarter off":               {append(regular(16), every(15, 1000, 16_250)...), true},
		"one in ten uneven":           {append(regular(37), uneven(4)...), true},
		"more than one in ten uneven": {append(regular(37), uneven(6)...), false},
	} {
		if got := clocked(fallsAt(c.us...)); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// Edges are put in order, and rising ones left out.
func TestFalls(t *testing.T) {
	edges := []wiegand.Edge{{Time: 3}, {Time: 1, Line: 1}, {Time: 2, Rising: true}, {Time: 1}}
	if got := fmt.Sprint(Falls(edges)); got != fmt.Sprint([]wiegand.Edge{{Time: 1, Line: 1}, {Time: 1}, {Time: 3}}) {
		t.Error(got)
	}
}
