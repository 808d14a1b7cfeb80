//go:build linux

package gpiosim

import "testing"

// at are writes, by when each began and how long it took.
func at(pairs ...int64) (ws []write) {
	for i := 0; i < len(pairs); i += 2 {
		ws = append(ws, write{pairs[i], pairs[i] + pairs[i+1]})
	}
	return ws
}

func TestSteady(t *testing.T) {
	for _, c := range []struct {
		name  string
		falls []write
		want  bool
	}{
		{"as asked for", at(0, 80, 200, 80, 400, 80), true},
		{"a write of nearly the interval", at(0, 180, 200, 180, 400, 180), true},
		{"a pause of half an interval", at(0, 80, 300, 80, 500, 80), true},
		{"a longer one", at(0, 80, 301, 80, 501, 80), false},
		{"two too near", at(0, 80, 99, 80, 300, 80), false},
		{"a stall in a write may be before its stamp", at(0, 80, 200, 181, 400, 80), false},
		{"or after it", at(0, 180, 200, 80, 400, 80), true},
		{"too near the next then", at(0, 181, 200, 80, 400, 80), false},
		{"a stall that shortens the next interval", at(0, 80, 200, 80, 400, 181, 480, 80), false},
	} {
		if got := steady(c.falls, 200); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

func TestAlike(t *testing.T) {
	falls := func(second int64) []write { return at(0, 5, 2000, second, 4000, 5) }
	for _, c := range []struct {
		name         string
		falls, rises []write
		want         bool
	}{
		{"as asked for", falls(5), at(40, 6, 2040, 6, 4040, 6), true},
		{"one four times as long", falls(5), at(40, 6, 2160, 6, 4040, 6), true},
		{"longer than that", falls(5), at(40, 6, 2161, 6, 4040, 6), false},
		{"one of half the length", falls(5), at(40, 6, 2020, 6, 4040, 6), true},
		{"shorter than that", falls(5), at(40, 6, 2019, 6, 4040, 6), false},
		{"a stall in a fall may be before its stamp", falls(35), at(40, 6, 2040, 6, 4040, 6), false},
		{"a stall in a rise may be before its stamp", falls(5), at(40, 6, 2040, 127, 4040, 6), false},
		{"short stalls leave it near enough", falls(25), at(40, 6, 2040, 126, 4040, 6), true},
	} {
		if got := alike(c.falls, c.rises); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}
