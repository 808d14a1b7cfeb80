package selftest

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"
	"unicode/utf8"

	"stump/gpio"
	"stump/internal/testkit"
	"stump/wiegand"
)

func card(t *testing.T, format string, f wiegand.Fields) wiegand.Bits {
	t.Helper()
	fm, err := wiegand.FormatByName(format)
	if err != nil {
		t.Fatal(err)
	}
	b, err := fm.Pack(f)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// watch has a scope look at a simulated reader while do is done.
func watch(t *testing.T, numbers bool, do func(*gpio.Sim)) (views []View) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now := func() int64 { return int64(time.Since(start)) }
		sim := gpio.NewSim(now)
		defer sim.Close()
		ctx, cancel := context.WithCancel(t.Context())
		scope := NewScope([2]string{"GPIO17 = header pin 11", "GPIO18 = header pin 12"}, wiegand.SafeFormats(), numbers)
		ended := make(chan error)
		go func() {
			ended <- scope.Watch(ctx, sim, func(v View) error {
				sent, err := json.Marshal(v) // as the daemon does: the scope goes on with its view
				views = append(views, View{})
				return errors.Join(err, json.Unmarshal(sent, &views[len(views)-1]))
			})
		}()
		time.Sleep(50 * time.Millisecond)
		do(sim)
		cancel()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	return views
}

func TestScopeCountsBitsAsTheyArrive(t *testing.T) {
	c := card(t, "H10301", wiegand.Fields{Facility: 84, Number: 31066})
	views := watch(t, false, func(s *gpio.Sim) {
		s.SetTiming(gpio.Timing{Width: 50 * us, Interval: 15 * ms})
		s.Present(c)
		time.Sleep(3 * time.Second)
	})
	grown := 0
	for _, v := range views {
		if v.Open != "" && strings.HasPrefix(c.String(), v.Open) {
			grown++
		}
	}
	if grown < 3 {
		t.Errorf("the arriving bits were seen in %d views", grown)
	}
	v := views[len(views)-1]
	if v.Open != "" || v.Last == nil || !v.Last.OK || v.Good != 1 || len(v.Edges) != 52 {
		t.Errorf("at the end: %+v", v)
	}
	if v.Last.Text != "26 bits, H10301, parity OK, number …066" || v.Last.Bits != "" {
		t.Errorf("last frame: %+v", v.Last)
	}
	if v.Falls[0]+v.Falls[1] != 26 || v.Levels != [2]bool{true, true} {
		t.Errorf("falls %v, levels %v", v.Falls, v.Levels)
	}
}

func TestScopeHandsOnEveryEdgeOnce(t *testing.T) {
	views := watch(t, true, func(s *gpio.Sim) {
		for range 3 {
			s.Present(card(t, "H10301", wiegand.Fields{Facility: 84, Number: 31066}))
			time.Sleep(700 * ms)
		}
	})
	var edges []wiegand.Edge
	for _, v := range views {
		edges = append(edges, v.New...)
	}
	if len(edges) != 3*52 {
		t.Fatalf("%d edges, want %d", len(edges), 3*52)
	}
	for i, e := range edges {
		if e.Seq != uint32(i+1) {
			t.Fatalf("edge %d has number %d", i, e.Seq)
		}
	}
	if last := views[len(views)-1].Last; len(last.Bits) != 26 {
		t.Errorf("asked for numbers, got bits %q", last.Bits)
	}
}

func TestScopeIsQuietWhenNothingHappens(t *testing.T) {
	views := watch(t, false, func(*gpio.Sim) { time.Sleep(10 * time.Second) })
	if n := len(views); n < 9 || n > 12 {
		t.Errorf("%d views in 10 s of silence, want one a second", n)
	}
}

func TestScopeStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		now := func() int64 { return int64(time.Since(start)) }
		sim := gpio.NewSim(now)
		gone := errors.New("the person went away")
		scope := NewScope([2]string{}, nil, false)
		if err := scope.Watch(t.Context(), sim, func(View) error { return gone }); !errors.Is(err, gone) {
			t.Errorf("err = %v", err)
		}
		sim.Close()
		if err := scope.Watch(t.Context(), sim, func(View) error { return nil }); !errors.Is(err, gpio.ErrClosed) {
			t.Errorf("err = %v", err)
		}
	})
}

// Screens are looked at in two sizes, against files.
func TestScopeScreens(t *testing.T) {
	views := watch(t, false, func(s *gpio.Sim) {
		s.SetTiming(gpio.Timing{Width: 50 * us, Interval: 2 * ms, Jitter: 0.1})
		s.Present(card(t, "H10301", wiegand.Fields{Facility: 84, Number: 31066}))
		time.Sleep(time.Second)
		s.SetVariation("crosstalk", 4)
		for range 4 {
			s.Present(card(t, "H10302", wiegand.Fields{Number: 311234}))
		}
		time.Sleep(3 * time.Second)
	})
	open := views[len(views)-1]
	open.Open = "0101010000111100"
	silent := watch(t, false, func(*gpio.Sim) { time.Sleep(time.Second) })
	for name, v := range map[string]View{"cards": views[len(views)-1], "silent": silent[0], "arriving": open} {
		for _, size := range [][2]int{{80, 24}, {60, 20}} {
			lines := v.Lines(size[0], size[1])
			for _, l := range lines {
				if utf8.RuneCountInString(l) > size[0] {
					t.Errorf("%s: wider than %d: %q", name, size[0], l)
				}
			}
			if len(lines) > size[1] {
				t.Errorf("%s: %d lines in %d rows", name, len(lines), size[1])
			}
			testkit.Golden(t, *update, "testdata/scope-"+name+"-"+map[int]string{80: "80x24", 60: "60x20"}[size[0]]+".txt", strings.Join(lines, "\n")+"\n")
		}
	}
}

func TestViewIsJSON(t *testing.T) {
	views := watch(t, false, func(s *gpio.Sim) {
		s.Present(card(t, "H10301", wiegand.Fields{Facility: 84, Number: 31066}))
		time.Sleep(time.Second)
	})
	b, err := json.Marshal(views[len(views)-1])
	if err != nil {
		t.Fatal(err)
	}
	var v View
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	a, c := views[len(views)-1].Lines(80, 24), v.Lines(80, 24)
	if strings.Join(a, "\n") != strings.Join(c, "\n") {
		t.Error("a view that was sent over a socket draws another picture")
	}
}

func TestHistogramLabels(t *testing.T) {
	h := newHistogram(spaceLimits)
	h.add(2e6)
	h.add(1)
	h.add(99e9)
	for i, n := range map[int]int{7: 1, 0: 1, len(spaceLimits): 1} {
		if h.Counts[i] != n {
			t.Errorf("counts %v", h.Counts)
		}
	}
	for i, want := range map[int]string{7: "1.7-2.3 ms", 0: "0-20 µs", len(spaceLimits): "over 100 ms"} {
		if got := h.label(i); got != want {
			t.Errorf("label %d is %q, want %q", i, got, want)
		}
	}
}
