package wiegand

import (
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// spaced is a train whose intervals are the given percentages of T, such as
// "10*100 200 13*100". Its lines alternate unless they are given.
func spaced(t *testing.T, T int64, pattern, lines string) train {
	t.Helper()
	tr := train{{Time: 1000}}
	for part := range strings.FieldsSeq(pattern) {
		times, percent, many := strings.Cut(part, "*")
		if !many {
			times, percent = "1", part
		}
		n, err := strconv.Atoi(times)
		if err != nil {
			t.Fatal(err)
		}
		p, err := strconv.ParseInt(percent, 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		for range n {
			tr = append(tr, Edge{Time: tr[len(tr)-1].Time + p*T/100})
		}
	}
	for i := range tr {
		tr[i].Line = uint8(i % 2)
		if lines != "" {
			tr[i].Line = lines[i] - '0'
		}
	}
	return tr
}

// TestMeasure: what the spacing of a frame of 26 bits shows. Intervals are in
// percent of the reader's.
func TestMeasure(t *testing.T) {
	const slow = 2 * ms
	even := func(uneven int) timing { return timing{interval: slow, least: slow, even: true, uneven: uneven} }
	with := func(tm timing, change func(*timing)) timing { change(&tm); return tm }
	for _, tt := range []struct {
		name, pattern string
		T             int64
		want          timing
	}{
		{"exact", "25*100", slow, even(0)},
		{"a hole", "10*100 200 13*100", slow, with(even(1), func(tm *timing) { tm.missing, tm.hole = 1, 11 })},
		{"a hole in the first interval", "200 23*100", slow, with(even(1), func(tm *timing) { tm.missing, tm.hole = 1, 1 })},
		{"a hole and a late stamp", "10*100 239 13*100", slow, with(even(1), func(tm *timing) { tm.missing, tm.hole = 1, 11 })},
		{"longer than that", "10*100 245 13*100", slow, with(even(1), func(tm *timing) { tm.missing, tm.hole, tm.silence = 1, 11, true })},
		{"a hole of two bits", "10*100 300 12*100", slow, with(even(1), func(tm *timing) { tm.missing, tm.silence = 2, true })},
		{"two holes", "3*100 200 9*100 200 10*100", slow, with(even(2), func(tm *timing) { tm.missing = 2 })},
		{"four holes", "3*100 200 3*100 200 3*100 200 3*100 200 9*100", slow, with(even(4), func(tm *timing) { tm.missing = 4 })},
		{"five holes are how it sends", "3*100 200 3*100 200 3*100 200 3*100 200 3*100 200 9*100", slow, timing{interval: slow, least: slow}},
		{"five holes and a split are damage", "3*100 200 3*100 200 3*100 200 3*100 200 3*100 200 7*100 40 60", slow,
			with(even(7), func(tm *timing) { tm.missing, tm.extra, tm.least = 5, 1, 40*slow/100 })},
		{"five holes and a silence are damage", "3*100 200 3*100 200 3*100 200 3*100 200 3*100 245 9*100", slow,
			with(even(5), func(tm *timing) { tm.missing, tm.silence = 5, true })},
		{"a split", "10*100 40 60 14*100", slow, with(even(2), func(tm *timing) { tm.extra, tm.least = 1, 40*slow/100 })},
		{"an edge on another", "10*100 0 100 14*100", slow, with(even(1), func(tm *timing) { tm.extra, tm.least = 1, 0 })},
		{"a split that is early", "10*100 70 45 14*100", slow, with(even(2), func(tm *timing) { tm.extra, tm.least = 1, 45*slow/100 })},
		{"not so early", "10*100 66 55 14*100", slow, with(even(2), func(tm *timing) { tm.least = 55 * slow / 100 })},
		{"three short ones are not a split", "10*100 75 70 68 12*100", slow, with(even(3), func(tm *timing) { tm.least = 68 * slow / 100 })},
		{"a short one between two", "10*100 90 40 85 12*100", slow, with(even(3), func(tm *timing) { tm.least = 40 * slow / 100 })},
		{"a hole made up by a split", "3*100 40 60 6*100 200 13*100", slow,
			with(even(3), func(tm *timing) { tm.missing, tm.extra, tm.hole, tm.least = 1, 1, 12, 40*slow/100 })},
		{"a hole after an early edge", "10*100 50 200 13*100", slow,
			with(even(2), func(tm *timing) { tm.missing, tm.hole, tm.least = 1, 12, 50*slow/100 })},
		{"a late stamp that is nearly a hole", "10*100 190 10 13*100", slow, with(even(2), func(tm *timing) { tm.least = 10 * slow / 100 })},
		{"three long ones, then a split", "10*100 3*140 40 60 10*100", slow, with(even(5), func(tm *timing) { tm.extra, tm.least = 1, 40*slow/100 })},
		{"four short ones, then a spread hole", "10*100 75 70 68 66 150 170 15*100", slow,
			with(even(6), func(tm *timing) { tm.missing, tm.hole, tm.least = 1, 16, 66*slow/100 })},
		{"a late stamp", "10*100 150 50 13*100", slow, with(even(2), func(tm *timing) { tm.least = 50 * slow / 100 })},
		{"an early edge", "10*100 50 150 13*100", slow, with(even(2), func(tm *timing) { tm.least, tm.stray = 50*slow/100, true })},
		{"it hesitates", "10*100 133 14*100", slow, even(1)},
		{"it hesitates in two steps", "10*100 140 165 13*100", slow, even(2)},
		{"a hole that is spread", "10*100 120 180 13*100", slow, with(even(2), func(tm *timing) { tm.missing, tm.hole = 1, 12 })},
		{"shorter than readers send", "25*100", 80 * us, timing{interval: 80 * us, least: 80 * us}},
		{"nearly all shorter than readers send", "12*100 120 12*100", 97 * us, timing{interval: 97 * us, least: 97 * us}},
		{"eight that are nearly even", "4*95 4*106", slow, timing{interval: 201 * slow / 200, least: 95 * slow / 100, even: true}},
		{"seven that are nearly even", "3*94 4*106", slow, timing{interval: 106 * slow / 100, jitter: 0, least: 94 * slow / 100}},
		{"a short frame is never exact", "4*100 70 130 4*100", slow, timing{interval: slow, least: 70 * slow / 100, even: true, uneven: 2}},
		{"two intervals prove nothing", "2*100", slow, timing{interval: slow, least: slow}},
		{"three do", "3*100", slow, even(0)},
		{"one edge", "", slow, timing{}},
		{"small deviations", "6*100 6*103 6*97 7*100 90", slow, timing{interval: slow, jitter: 4 * 36 * slow / 2500, least: 90 * slow / 100, even: true, uneven: 1}},
		{"some deviations of a fast reader", "8*100 2*118 8*100 2*118", 500 * us, timing{interval: 500 * us, jitter: 500 * us / 16, least: 500 * us, even: true, uneven: 4}},
		{"small deviations of a fast reader", "6*100 6*103 6*97 7*100 90", 500 * us, timing{interval: 500 * us, jitter: 500 * us / 16, least: 450 * us, even: true, uneven: 1}},
	} {
		var w workspace
		if got := w.measure(spaced(t, tt.T, tt.pattern, ""), 26); got != tt.want {
			t.Errorf("%s: %+v\nwant %+v", tt.name, got, tt.want)
		}
	}
}

// TestIsEven: how many intervals must be close to the median, in frames of 20
// unless it says otherwise.
func TestIsEven(t *testing.T) {
	const slow, fast = 2 * ms, 500 * us
	rows := func(median int64, m, close, near int, rest ...int64) (iv []int64) {
		for i := range m {
			v := median * 137 / 100 // fits nothing
			switch {
			case i < close:
				v = median + median/16
			case i < close+near:
				v = median - median/8
			case len(rest) > 0:
				v = rest[(i-close-near)%len(rest)] * median / 100
			}
			iv = append(iv, v)
		}
		return iv
	}
	for _, tt := range []struct {
		name   string
		median int64
		iv     []int64
		want   bool
	}{
		{"two", slow, rows(slow, 2, 2, 0), false},
		{"three, one off", slow, rows(slow, 3, 2, 1), true},
		{"three, two off", slow, rows(slow, 3, 1, 2), false},
		{"nine, one off", slow, rows(slow, 9, 8, 1), true},
		{"nine, two off", slow, rows(slow, 9, 7, 2), false},
		{"45 % close", slow, rows(slow, 20, 9, 0), true},
		{"40 % close", slow, rows(slow, 20, 8, 0), false},
		{"half, but seven", slow, rows(slow, 14, 7, 0), false},
		{"half, eight", slow, rows(slow, 16, 8, 0), true},
		{"70 % near", slow, rows(slow, 20, 0, 14), true},
		{"65 % near", slow, rows(slow, 20, 0, 13), false},
		{"a quarter close, the others holes", slow, rows(slow, 20, 5, 0, 200, 300, 400), true},
		{"a quarter close, the others split", slow, rows(slow, 20, 5, 0, 30, 70), true},
		{"a fifth close, the others holes", slow, rows(slow, 20, 4, 0, 200), false},
		{"a quarter close, five in six holes", slow, append(rows(slow, 17, 5, 0, 200), rows(slow, 3, 0, 0)...), true},
		{"a quarter close, four in five holes", slow, append(rows(slow, 16, 5, 0, 200), rows(slow, 4, 0, 0)...), false},
		{"a quarter close, the others five intervals", slow, rows(slow, 20, 5, 0, 500), false},
		{"fast, 80 % close", fast, rows(fast, 20, 16, 4), true},
		{"fast, 75 % close", fast, rows(fast, 20, 15, 5), false},
		{"fast, the others holes", fast, rows(fast, 20, 15, 0, 200), false},
	} {
		if got := isEven(tt.iv, tt.median, tt.median/8); got != tt.want {
			t.Errorf("%s: %v", tt.name, got)
		}
	}
}

// TestExplained: whole multiples, one to four, each or as a sum with the next.
func TestExplained(t *testing.T) {
	for _, tt := range []struct {
		iv   []int64
		want int
	}{
		{nil, 0}, {[]int64{1600, 3200, 4800, 6400}, 4}, {[]int64{8000}, 0}, {[]int64{0}, 0}, {[]int64{100}, 0},
		{[]int64{1500, 1700}, 2}, {[]int64{1499}, 0}, {[]int64{1701}, 0}, {[]int64{3100, 3300}, 2}, {[]int64{3099}, 0},
		{[]int64{600, 1000}, 2}, {[]int64{600, 1000, 600}, 2}, {[]int64{600, 600, 1000}, 2}, {[]int64{1000, 2200, 1000, 2200}, 4},
		{[]int64{600}, 0}, {[]int64{800, 1600}, 1},
	} {
		if got := explained(tt.iv, 1600); got != tt.want {
			t.Errorf("%v: %d, want %d", tt.iv, got, tt.want)
		}
	}
}

// TestMisplacedTogether: what one end shows depends on how the rest is spaced.
func TestMisplacedTogether(t *testing.T) {
	for _, tt := range []struct {
		name, pattern string
		T             int64
		want          bool
	}{
		{"late at the end", "24*100 175", 2 * ms, true},
		{"as late as a stamp may be", "24*100 159", 2 * ms, false},
		{"late at the end of a reader that hesitates", "9*100 133 14*100 175", 2 * ms, false},
		{"late at the start of a reader that hesitates", "175 9*100 133 14*100", 2 * ms, false},
		{"late at the start", "175 24*100", 2 * ms, true},
		{"the second edge was late, not the first early", "165 35 23*100", 2 * ms, false},
		{"the second edge was late, and caught up later", "175 100 75 22*100", 2 * ms, false},
		{"a small step back is not a late second edge", "175 100 93 22*100", 2 * ms, true},
		{"early at the end", "24*100 35", 2 * ms, true},
		{"early at the end, after a late one", "22*100 150 50 35", 2 * ms, true},
		{"the last caught up with a late one", "23*100 155 45", 2 * ms, false},
		{"the last but one was late, the last not so", "22*100 155 100 45", 2 * ms, false},
		{"early at the start", "35 24*100", 2 * ms, true},
		{"the first was as late as a stamp may be", "41 24*100", 2 * ms, false},
		{"an early second edge", "50 150 23*100", 2 * ms, true},
		{"the last but one was late, the last is earlier still", "22*100 155 100 30", 2 * ms, false},
		{"it hesitated, and caught up with the last", "20*100 155 3*100 30", 2 * ms, false},
		{"early inside", "10*100 85 115 13*100", 2 * ms, true},
		{"within the jitter of a stamp inside", "10*100 89 111 13*100", 2 * ms, false},
		{"late inside by 3 ms", "10*100 129 71 13*100", 10 * ms, false},
		{"late inside by more", "10*100 131 69 13*100", 10 * ms, true},
		{"late by half an interval, fast", "10*100 150 50 13*100", 500 * us, false},
		{"late at the end, fast", "24*100 175", 500 * us, false},
		{"late stamps at 1 ms", "10*100 87 113 13*100", ms, false},
		{"early at 1 ms", "10*100 85 115 13*100", ms, true},
	} {
		var w workspace
		if tm := w.measure(spaced(t, tt.T, tt.pattern, ""), 26); tm.stray != tt.want || !tm.even {
			t.Errorf("%s: %+v", tt.name, tm)
		}
	}
}

// TestTooUneven: silences that no reader makes.
func TestTooUneven(t *testing.T) {
	for _, tt := range []struct {
		pattern, lines string
		want           bool
	}{
		{"100 1600 100", "0000", false},
		{"100 1601 100", "0101", true},
		{"100 801 100 801", "00000", true},
		{"100 801 100 801", "00001", false},
		{"100 801 100 801", "01010", false},
		{"100 800 100 800", "00000", false},
	} {
		if got := spaced(t, ms, tt.pattern, tt.lines).tooUneven(ms); got != tt.want {
			t.Errorf("%s on %s: %v", tt.pattern, tt.lines, got)
		}
	}
}

// TestQuantile is the value that sorting puts there.
func TestQuantile(t *testing.T) {
	rng := rand.New(rand.NewPCG(9, 9))
	var w workspace
	for range 2000 {
		iv := make([]int64, 1+rng.IntN(40))
		for i := range iv {
			iv[i] = rng.Int64N(1 << rng.IntN(20))
		}
		rank := rng.IntN(len(iv))
		got := w.quantile(iv, rank)
		if want := slices.Sorted(slices.Values(iv))[rank]; got != want {
			t.Fatalf("rank %d of %v is %d, want %d", rank, iv, got, want)
		}
	}
}

// TestTrain: what is asked of neighbouring falls.
func TestTrain(t *testing.T) {
	tr := train{{Time: 0}, {Time: 3000, Line: 1}, {Time: 6001}, {Time: 106_000}, {Time: 206_001}}
	if n := tr.crowded(); n != 3 {
		t.Errorf("%d crowded", n)
	}
	without := func(out ...int) (r removal) {
		for _, i := range out {
			r = r.with(i)
		}
		return r
	}
	for i, tt := range []struct{ got, want bool }{
		{tr.coincides(together), true}, {tr[1:].coincides(together), false}, {tr[2:].coincides(nearly), false}, {train(nil).coincides(nearly), false},
		{tr.sameLine(0, 4), false}, {tr.sameLine(2, 4), true}, {tr.sameLine(1, 1), true}, {tr.sameLine(1, 2), false},
		{without(0).closeBy(tr), true}, {without(1).closeBy(tr), true}, {without(2).closeBy(tr), false}, {without(4).closeBy(tr), false},
		{without(0, 1).closeBy(tr), false}, {without(1, 2).closeBy(tr), true}, {removal{}.closeBy(tr), false},
	} {
		if tt.got != tt.want {
			t.Errorf("answer %d is %v", i, tt.got)
		}
	}
	if got := tr.bits().String(); got != "01000" {
		t.Errorf("bits %s", got)
	}
	if n := make(train, 200).bits().Len(); n != MaxBits {
		t.Errorf("%d bits of 200 edges", n)
	}
}

// TestCore: up to three strays at either end are cut, where a silence parts them
// from the rest.
func TestCore(t *testing.T) {
	for _, tt := range []struct {
		pattern  string
		from, to int
	}{
		{"9*100", 0, 10},
		{"241 9*100", 1, 11},
		{"240 9*100", 0, 11},
		{"9*100 300", 0, 10},
		{"50 300 9*100 300", 2, 12},
		{"300 300 9*100", 2, 12},
		{"300 300 300 9*100", 3, 13},
		{"50 50 50 300 9*100", 0, 14}, // four: not dirt
		{"300 3*100", 1, 5},
		{"300 2*100", 0, 4}, // three edges are not a card
		{"5*100 300 5*100", 0, 12},
	} {
		if from, to := spaced(t, 2*ms, tt.pattern, "").core(2 * ms); from != tt.from || to != tt.to {
			t.Errorf("%s: %d to %d, want %d to %d", tt.pattern, from, to, tt.from, tt.to)
		}
	}
}
