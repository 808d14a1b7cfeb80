//go:build linux

package gpiosim

import "testing"

func TestSteady(t *testing.T) {
	at := func(pairs ...int64) (ws []write) {
		for i := 0; i < len(pairs); i += 2 {
			ws = append(ws, write{pairs[i], pairs[i] + pairs[i+1]})
		}
		return ws
	}
	for _, c := range []struct {
		name  string
		falls []write // start, length
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
