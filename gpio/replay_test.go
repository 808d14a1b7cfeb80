package gpio

import (
	"errors"
	"io"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"stump/wiegand"
)

func playback(edges ...wiegand.Edge) func() (wiegand.Edge, error) {
	return func() (wiegand.Edge, error) {
		if len(edges) == 0 {
			return wiegand.Edge{}, io.EOF
		}
		e := edges[0]
		edges = edges[1:]
		return e, nil
	}
}

func pulses(at ...int64) (edges []wiegand.Edge) {
	for i, t := range at {
		edges = append(edges, wiegand.Edge{Time: t, Line: uint8(i & 1)},
			wiegand.Edge{Time: t + 50_000, Line: uint8(i & 1), Rising: true})
	}
	return edges
}

func isDone(r *Replay) bool {
	select {
	case <-r.Done():
		return true
	default:
		return false
	}
}

func TestReplayKeepsDistances(t *testing.T) {
	for _, speed := range []float64{0, 0.5, 1, 4} {
		synctest.Test(t, func(t *testing.T) {
			time.Sleep(time.Second)
			clock := simClock()
			time.Sleep(5 * time.Second)
			start := clock()
			r := NewReplay(playback(pulses(1_000_000_000, 1_002_000_000, 1_004_000_000, 2_004_000_000)...), speed, clock)
			defer r.Close()
			edges := collect(t, r, start+int64(1500*time.Millisecond))
			if len(edges) != 4 {
				t.Fatalf("speed %v: %d edges, want 4", speed, len(edges))
			}
			want := []int64{0, 2_000_000, 4_000_000, 1_004_000_000}
			for i, e := range edges {
				if e.Rising || e.Seq != uint32(i+1) || e.Time != start+want[i] {
					t.Errorf("speed %v: edge %d is %+v, want time %d", speed, i, e, start+want[i])
				}
			}
			if isDone(r) {
				t.Errorf("speed %v: done before the reader could act on the silence", speed)
			}
			r.Read(make([]wiegand.Edge, 1), 0)
			if !isDone(r) {
				t.Errorf("speed %v: not done", speed)
			}
		})
	}
}

// On a busy board the clock advances between two looks at it. That must not turn
// edges that are not yet played into silence.
func TestReplaySilenceIsAFact(t *testing.T) {
	for _, speed := range []float64{0, 0.5, 1, 10} {
		for step := int64(10_000); step < 3_000_000; step += 10_000 {
			synctest.Test(t, func(t *testing.T) {
				steady, looks := simClock(), int64(0)
				r := NewReplay(playback(pulses(0, 2_000_000, 4_000_000, 6_000_000, 8_000_000, 10_000_000)...), speed, func() int64 {
					looks++
					return steady() + looks*step
				})
				defer r.Close()
				buf := make([]wiegand.Edge, 8)
				silence, until := int64(-1), int64(never)
				for got := 0; got < 6; {
					n, now, err := r.Read(buf, until)
					if err != nil {
						t.Fatal(err)
					}
					for _, e := range buf[:n] {
						if e.Time <= silence {
							t.Fatalf("speed %v, step %v: an edge at %d after a silence up to %d", speed, step, e.Time, silence)
						}
						until = e.Time + 1_500_000
					}
					silence, got = max(silence, now), got+n
				}
			})
		}
	}
}

func TestReplaySpeed(t *testing.T) {
	for speed, want := range map[float64]time.Duration{0: 0, 0.5: 20 * time.Second, 1: 10 * time.Second, 4: 2500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			r := NewReplay(playback(pulses(0, int64(10*time.Second))...), speed, simClock())
			defer r.Close()
			start := time.Now()
			buf := make([]wiegand.Edge, 1)
			for range 2 {
				if n, _, err := r.Read(buf, math.MaxInt64); n != 1 || err != nil {
					t.Fatalf("Read = %d, %v", n, err)
				}
			}
			if took := time.Since(start); took < want-time.Microsecond || took > want+time.Microsecond {
				t.Errorf("speed %v took %v, want %v", speed, took, want)
			}
		})
	}
}

// At full speed the silence between two edges is still reported, so that a
// frame closes before the next one opens.
func TestReplayFastReportsSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReplay(playback(pulses(0, int64(time.Second))...), 0, simClock())
		defer r.Close()
		buf := make([]wiegand.Edge, 8)
		n, now, err := r.Read(buf, 0)
		if n != 1 || err != nil || now >= int64(time.Second) {
			t.Fatalf("Read = %d, %d, %v", n, now, err)
		}
		n, now, err = r.Read(buf, int64(30*time.Millisecond))
		if n != 0 || err != nil || now != int64(30*time.Millisecond) {
			t.Fatalf("Read = %d, %d, %v; want the silence", n, now, err)
		}
	})
}

func TestReplayBothEdgesAndLevels(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReplay(playback(wiegand.Edge{Time: 5, Line: 1}), 1, simClock())
		defer r.Close()
		r.SetBothEdges(true)
		if l, _ := r.Levels(); l != [2]bool{true, true} {
			t.Errorf("levels at first: %v", l)
		}
		collect(t, r, int64(time.Second))
		if l, _ := r.Levels(); l != [2]bool{true, false} {
			t.Errorf("levels after DATA1 fell: %v", l)
		}
	})
}

// TestReplayKeepsFirstDistance: a recording may begin at any time, the clock's own
// included, and with an edge that is not played.
func TestReplayKeepsFirstDistance(t *testing.T) {
	for _, begin := range []int64{-5, 0, int64(time.Hour)} {
		synctest.Test(t, func(t *testing.T) {
			r := NewReplay(playback(wiegand.Edge{Time: begin, Rising: true}, wiegand.Edge{Time: begin + 2*ms}), 1, simClock())
			edges := collect(t, r, int64(time.Second))
			if len(edges) != 1 || edges[0].Time != 2*ms || edges[0].Seq != 1 {
				t.Errorf("from %d: %+v", begin, edges)
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
			if _, err := r.Levels(); err != ErrClosed || r.Close() != ErrClosed {
				t.Error("not closed", err)
			}
		})
	}
}

func TestReplayEmptyAndBroken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := NewReplay(playback(), 1, simClock())
		go r.Read(make([]wiegand.Edge, 1), math.MaxInt64)
		<-r.Done()
		r.Close()

		broken := errors.New("line 3: not a time")
		r = NewReplay(func() (wiegand.Edge, error) { return wiegand.Edge{}, broken }, 1, simClock())
		if _, _, err := r.Read(make([]wiegand.Edge, 1), math.MaxInt64); !errors.Is(err, broken) {
			t.Errorf("err = %v", err)
		}
		if err := r.Close(); err != nil {
			t.Error(err)
		}
		if _, _, err := r.Read(nil, 0); err != ErrClosed {
			t.Errorf("after Close: %v", err)
		}
	})
}
