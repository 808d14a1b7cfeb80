//go:build fixture

package gpio_test

import (
	"testing"
	"time"

	"stump/gpio"
	"stump/internal/gpiosim"
	"stump/wiegand"
)

// chip makes a simulated chip for one test.
func chip(t *testing.T, label string, names map[int]string) *gpiosim.Chip {
	t.Helper()
	c, err := gpiosim.New(label, 8, names)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

func open(t *testing.T, req gpio.Request) *gpio.Lines {
	t.Helper()
	l, err := gpio.Open(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// silence reads until nothing has come for 20 ms.
func silence(t *testing.T, l gpio.Source) []wiegand.Edge {
	t.Helper()
	var all []wiegand.Edge
	buf := make([]wiegand.Edge, 64)
	for {
		n, _, err := l.Read(buf, gpio.Monotonic()+20e6)
		if err != nil {
			t.Fatal(err)
		}
		if n == 0 {
			return all
		}
		all = append(all, buf[:n]...)
	}
}

const frame = "10101001011100001111100001"

var usual = gpiosim.Pulses{Width: 40 * time.Microsecond, Interval: 2 * time.Millisecond}

func TestKernelFrame(t *testing.T) {
	c := chip(t, "frame", nil)
	l := open(t, gpio.Request{Data0: gpio.Line{Chip: c.Path(), Offset: 3}, Data1: gpio.Line{Chip: c.Path(), Offset: 5}})
	start := gpio.Monotonic()
	go c.Send(3, 5, frame, usual)
	edges := silence(t, l)
	if len(edges) != len(frame) {
		t.Fatalf("%d edges, want %d", len(edges), len(frame))
	}
	last := start
	for i, e := range edges {
		if e.Line != frame[i]-'0' || e.Rising || e.Seq != uint32(i+1) || e.Time < last {
			t.Errorf("edge %d: %+v after %d, want line %c", i, e, last, frame[i])
		}
		last = e.Time
	}
	if now := gpio.Monotonic(); last > now {
		t.Errorf("last edge stamped %d, after now, %d", last, now)
	}
}
