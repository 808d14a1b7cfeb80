package gpio

import (
	"math"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/wiegand"
)

// simClock is the clock that tests and simulations use: under synctest its
// time is the bubble's.
func simClock() func() int64 {
	start := time.Now()
	return func() int64 { return int64(time.Since(start)) }
}

const card26 = "10101010000111100101101010" // any 26 bits with both kinds

func parse(t *testing.T, s string) wiegand.Bits {
	t.Helper()
	b, err := wiegand.ParseBits(s)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// collect reads until the clock passes until.
func collect(t *testing.T, s Source, until int64) []wiegand.Edge {
	t.Helper()
	var all []wiegand.Edge
	buf := make([]wiegand.Edge, 7) // small, so that frames span reads
	last := int64(math.MinInt64)
	for {
		n, now, err := s.Read(buf, until)
		if err != nil {
			t.Fatalf("Read: %v", err)
		}
		for _, e := range buf[:n] {
			if e.Time <= last {
				t.Fatalf("an edge stamped %d came after silence was reported up to %d", e.Time, last)
			}
		}
		all = append(all, buf[:n]...)
		last = now
		if n == 0 {
			if now < until {
				t.Fatalf("Read returned nothing at %d, before %d", now, until)
			}
			return all
		}
	}
}

func fallingBits(edges []wiegand.Edge) string {
	s := ""
	for _, e := range edges {
		if !e.Rising {
			s += string('0' + rune(e.Line))
		}
	}
	return s
}

func TestSimSendsCard(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSim(simClock())
		defer s.Close()
		s.Present(parse(t, card26))
		edges := collect(t, s, int64(time.Second))
		if got := fallingBits(edges); got != card26 {
			t.Errorf("falling edges say %s, want %s", got, card26)
		}
		for i, e := range edges {
			if e.Rising {
				t.Fatalf("edge %d rises though only falling ones were asked for", i)
			}
			if e.Seq != uint32(i+1) {
				t.Errorf("edge %d has number %d", i, e.Seq)
			}
			if i > 0 && e.Time-edges[i-1].Time != int64(2*time.Millisecond) {
				t.Errorf("edge %d comes %v after the one before", i, time.Duration(e.Time-edges[i-1].Time))
			}
		}
	})
}

func TestSimBothEdges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSim(simClock())
		defer s.Close()
		s.SetBothEdges(true)
		s.Present(parse(t, card26))
		edges := collect(t, s, int64(time.Second))
		if len(edges) != 52 {
			t.Fatalf("%d edges, want 52", len(edges))
		}
		for i := 0; i < len(edges); i += 2 {
			down, up := edges[i], edges[i+1]
			if down.Rising || !up.Rising || down.Line != up.Line || up.Time-down.Time != 50_000 {
				t.Fatalf("pulse %d is %+v, %+v", i/2, down, up)
			}
		}
	})
}

// TestSimTiming: widths and intervals are what was asked for, and vary by the
// jitter's share at most, but do vary.
// TestExchanged: the lines of a source change places, in edges, levels and name.
func TestExchanged(t *testing.T) {
	var now int64
	s := NewSim(func() int64 { return now })
	x := Exchanged{s}
	if err := s.SetFault("d0-low"); err != nil {
		t.Fatal(err)
	}
	now += int64(time.Second)
	if levels, err := x.Levels(); err != nil || levels != [2]bool{true, false} {
		t.Errorf("levels %v, %v", levels, err)
	}
	if err := s.SetFault("off"); err != nil {
		t.Fatal(err)
	}
	s.Present(wiegand.BitsFromUint64(0b01101, 5))
	now += int64(time.Second)
	edges := make([]wiegand.Edge, 64)
	n, _, err := x.Read(edges, now)
	var lines []uint8
	for _, e := range edges[:n] {
		lines = append(lines, e.Line)
	}
	if want := []uint8{1, 0, 0, 1, 0}; err != nil || n < 5 || !slices.Equal(lines[n-5:], want) {
		t.Errorf("lines %v, %v", lines, err)
	}
	if !strings.HasSuffix(x.String(), ", exchanged") {
		t.Error(x)
	}
}

func TestSimTiming(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSim(simClock())
		defer s.Close()
		s.SetBothEdges(true)
		for _, want := range []Timing{
			{Width: 20 * time.Microsecond, Interval: 300 * time.Microsecond},
			{Width: 400 * time.Microsecond, Interval: 5 * time.Millisecond, Jitter: 0.2},
		} {
			s.SetTiming(want)
			s.Present(parse(t, card26))
			edges := collect(t, s, s.clock()+int64(time.Second))
			near := func(what string, got int64, want time.Duration, jitter float64) (off bool) {
				share := math.Abs(float64(got)/float64(want) - 1)
				if share > jitter+1e-3 {
					t.Errorf("%s of %v, want %v", what, time.Duration(got), want)
				}
				return share > 1e-3
			}
			varied := 0
			for i := 0; i+2 < len(edges); i += 2 {
				if near("pulse", edges[i+1].Time-edges[i].Time, want.Width, want.Jitter) {
					varied++
				}
				near("interval", edges[i+2].Time-edges[i].Time, want.Interval, want.Jitter)
			}
			if len(edges) != 52 || (varied > 0) != (want.Jitter > 0) {
				t.Errorf("%+v: %d edges, %d pulses vary", want, len(edges), varied)
			}
		}
		if got := s.String(); got != "DATA0 = "+simNames[0]+", DATA1 = "+simNames[1] {
			t.Error(got)
		}
	})
}

// TestSimLineLevel: low wins over high, both win over where the line rests, and
// only a line with nothing outside follows the board's pull.
func TestSimLineLevel(t *testing.T) {
	for _, c := range []struct {
		line simLine
		want string // as it is, without pull, pulled up, pulled down
	}{
		{simLine{rest: restHigh}, "1111"},
		{simLine{rest: restLow}, "0000"},
		{simLine{rest: restPull}, "0010"},
		{simLine{rest: restPull, up: true}, "1110"},
		{simLine{rest: restMid}, "0000"},
		{simLine{rest: restMid, up: true}, "1100"},
		{simLine{rest: restLow, lift: 1}, "1111"},
		{simLine{rest: restPull, lift: 2}, "1111"},
		{simLine{rest: restHigh, low: 1}, "0000"},
		{simLine{rest: restHigh, low: 1, lift: 3}, "0000"},
	} {
		got := ""
		for _, b := range []Bias{BiasAsIs, BiasDisabled, BiasPullUp, BiasPullDown} {
			got += string('0' + rune(btoi(c.line.level(b))))
		}
		if got != c.want {
			t.Errorf("%+v: %s, want %s", c.line, got, c.want)
		}
	}
}

func TestSimQueuesCards(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSim(simClock())
		defer s.Close()
		s.Present(parse(t, "01"))
		s.Present(parse(t, "10"))
		edges := collect(t, s, int64(time.Second))
		if got := fallingBits(edges); got != "0110" {
			t.Fatalf("got %s", got)
		}
		if got := time.Duration(edges[2].Time - edges[1].Time); got < cardGap {
			t.Errorf("the second card came %v after the first", got)
		}
	})
}

func TestSimReadWakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSim(simClock())
		got := make(chan int)
		closed := make(chan error)
		go func() {
			buf := make([]wiegand.Edge, 64)
			n, _, _ := s.Read(buf, math.MaxInt64)
			got <- n
			for {
				if _, _, err := s.Read(buf, math.MaxInt64); err != nil {
					closed <- err
					return
				}
			}
		}()
		time.Sleep(time.Hour)
		s.Present(parse(t, card26))
		if n := <-got; n != 1 {
			t.Errorf("the first Read returned %d edges, want the first bit's", n)
		}
		time.Sleep(time.Second)
		s.Close()
		if err := <-closed; err != ErrClosed {
			t.Errorf("Read after Close: %v", err)
		}
		if _, err := s.Levels(); err != ErrClosed {
			t.Errorf("Levels after Close: %v", err)
		}
	})
}

// Who is told of falling edges alone sleeps from one to the next, and hears the end of the pulse
// that is under way when both are asked for.
func TestSimReadSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock, looked := simClock(), 0
		s := NewSim(func() int64 { looked++; return clock() })
		s.Present(parse(t, card26))
		looked = 0
		if got := fallingBits(collect(t, s, int64(time.Second))); got != card26 {
			t.Errorf("read %s, want %s", got, card26)
		}
		if most := 2*len(card26) + 4; looked > most {
			t.Errorf("it looked at the clock %d times, want %d at most", looked, most)
		}

		s.SetTiming(Timing{Width: time.Second, Interval: 2 * time.Second})
		s.Present(parse(t, "1"))
		time.Sleep(lead + 500*time.Millisecond)
		buf := make([]wiegand.Edge, 4)
		if n, _, err := s.Read(buf, math.MaxInt64); n != 1 || err != nil {
			t.Fatalf("read %d edges, %v", n, err)
		}
		rose := make(chan int64)
		go func() {
			if n, now, _ := s.Read(buf, math.MaxInt64); n == 1 && buf[0].Rising {
				rose <- now
			}
			close(rose)
		}()
		synctest.Wait()
		began := clock()
		s.SetBothEdges(true)
		if took := time.Duration(<-rose - began); took != 500*time.Millisecond {
			t.Errorf("the pulse's end was told after %v, want half a second", took)
		}
	})
}

// When nothing reads them, edges are lost as in the kernel: the oldest, and the
// numbers show it.
func TestSimOverflow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := NewSim(simClock())
		defer s.Close()
		if err := s.SetFault("hum"); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Minute)
		buf := make([]wiegand.Edge, 4*maxBuffer)
		n, _, err := s.Read(buf, 0)
		if err != nil || n != maxBuffer {
			t.Fatalf("Read = %d, %v; want a full queue of %d", n, err, maxBuffer)
		}
		if buf[0].Seq == 1 || buf[n-1].Seq-buf[0].Seq != uint32(n-1) {
			t.Errorf("numbers %d to %d", buf[0].Seq, buf[n-1].Seq)
		}
	})
}

func TestSimUnknownFault(t *testing.T) {
	s := NewSim(simClock())
	err := s.SetFault("gremlins")
	if err == nil {
		t.Fatal("no error")
	}
	if s.Fault() != "" {
		t.Errorf("Fault = %q", s.Fault())
	}
}
