package simlab

import (
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"stump/gpio"
	"stump/wiegand"
)

// TestSince reads one card, and another: what is asked for is what came from
// that time on, line by line as the bits say.
func TestSince(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		l := NewLines([2]string{"GPIO17", "GPIO18"}, func() int64 { return time.Since(start).Nanoseconds() }, nil)
		defer l.Close()
		if got := l.Since(0); got != nil {
			t.Errorf("before the first card: %v", got)
		}
		show(t, l, "0101")
		between := l.Now()
		show(t, l, "110")
		if got := lines(l.Since(0)); got != "0101110" {
			t.Errorf("since the start: %s", got)
		}
		if got := lines(l.Since(between)); got != "110" {
			t.Errorf("since the first card: %s", got)
		}
		if got := l.Since(l.Now() + 1); got != nil {
			t.Errorf("of the future: %v", got)
		}
	})
}

// TestSinceKeepsTheNewest reads more than is kept.
func TestSinceKeepsTheNewest(t *testing.T) {
	var l Lines
	for i := range 3 * recentEdges {
		l.note([]wiegand.Edge{{Time: int64(i)}})
	}
	got := l.Since(0)
	if len(got) != recentEdges || got[0].Time != 2*recentEdges || got[recentEdges-1].Time != 3*recentEdges-1 {
		t.Errorf("%d edges from %d to %d", len(got), got[0].Time, got[len(got)-1].Time)
	}
}

// TestReplayThenReader plays a recording that lasts a minute without waiting,
// and then bumps a card: edges are numbered on, and no time goes back.
func TestReplayThenReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, minute := time.Now(), time.Minute.Nanoseconds()
		clock := func() int64 { return time.Since(start).Nanoseconds() }
		recorded := []wiegand.Edge{{Time: 5}, {Time: 5 + minute, Line: 1}}
		l := NewLines([2]string{"GPIO17", "GPIO18"}, clock, gpio.NewReplay(func() (wiegand.Edge, error) {
			if len(recorded) == 0 {
				return wiegand.Edge{}, io.EOF
			}
			e := recorded[0]
			recorded = recorded[1:]
			return e, nil
		}, 0, clock))
		defer l.Close()
		var edges []wiegand.Edge
		read := func() {
			buf := make([]wiegand.Edge, 8)
			n, _, err := l.Read(buf, math.MaxInt64)
			if err != nil {
				t.Fatal(err)
			}
			edges = append(edges, buf[:n]...)
		}
		for over := false; !over; {
			read()
			select {
			case <-l.Replaying():
				over = true
			default:
			}
		}
		b, err := wiegand.ParseBits("01")
		if err != nil {
			t.Fatal(err)
		}
		must(t, l.Present(b))
		for len(edges) < 4 {
			read()
		}
		if got := lines(edges); got != "0101" {
			t.Errorf("read %s", got)
		}
		for i, e := range edges {
			if e.Seq != uint32(i+1) || i > 0 && e.Time <= edges[i-1].Time {
				t.Errorf("edge %d is number %d at %d", i, e.Seq, e.Time)
			}
		}
		if lead := l.Now() - clock(); lead < minute-int64(time.Second) || edges[3].Time > l.Now() {
			t.Errorf("the recording's lead is %v, the last edge at %v", time.Duration(lead), time.Duration(edges[3].Time-l.Now()))
		}
	})
}

// TestCardsAreApart wants every seeded card to be findable and another one
// than all others, the stranger's too.
func TestCardsAreApart(t *testing.T) {
	seen := map[string]string{Stranger.Credential: Stranger.ID}
	for _, list := range [][]Card{People, Devices} {
		for _, c := range list {
			if other := seen[c.Credential]; other != "" {
				t.Errorf("%s and %s have the same card", c.ID, other)
			}
			seen[c.Credential] = c.ID
			if found, ok := Find(c.ID); !ok || found != c {
				t.Errorf("%s is not found: %v", c.ID, found)
			}
		}
	}
	if len(seen) != 6+12+1 {
		t.Errorf("%d cards", len(seen))
	}
}

func show(t *testing.T, l *Lines, bits string) {
	t.Helper()
	b, err := wiegand.ParseBits(bits)
	if err != nil {
		t.Fatal(err)
	}
	must(t, l.Present(b))
	buf := make([]wiegand.Edge, 64)
	for got := 0; got < len(bits); {
		n, _, err := l.Read(buf, math.MaxInt64)
		if err != nil {
			t.Fatal(err)
		}
		got += n
	}
	time.Sleep(time.Second)
}

func lines(edges []wiegand.Edge) string {
	var b []byte
	for _, e := range edges {
		b = append(b, '0'+e.Line)
	}
	return string(b)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
