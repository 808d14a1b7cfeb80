//go:build linux && amd64 && fixture

package main

import (
	"encoding/json"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/internal/panel"
	"stump/lcd"
	"stump/lcd/lcdtest"
)

// outside is a modelled display on the bus of a kernel in which a test runs.
func outside(t *testing.T, size lcd.Size, test string) (*lcdtest.Backpack, *kernelGuest) {
	t.Helper()
	model := lcdtest.NewBackpack(lcdtest.NewController(size, "A00").Untimed())
	model.Hertz = 0 // the kernel's time is its own
	bus, err := model.Open("")
	if err != nil {
		t.Fatal(err)
	}
	return model, startGuest(t, bus, test)
}

// pull unplugs the display when it shows a text, for as long as d.
func pull(t *testing.T, m *lcdtest.Backpack, g *kernelGuest, text string, d time.Duration) {
	t.Helper()
	if !g.eventually(func() bool { return strings.Contains(m.String(), text) }) {
		t.Errorf("the display never showed %q", text)
		return
	}
	m.Unplug(nil)
	time.Sleep(d)
	m.Plug()
}

// wantState compares what the controller shows with the state that the guest
// printed last, cell for cell.
func wantState(t *testing.T, m *lcdtest.Backpack, out, contains string) {
	t.Helper()
	line := regexp.MustCompile(`(?m)^STATE (.*)$`).FindStringSubmatch(out)
	if line == nil {
		t.Fatalf("the guest didn't say what it shows:\n%s", out)
	}
	var s panel.State
	if err := json.Unmarshal([]byte(strings.TrimSpace(line[1])), &s); err != nil {
		t.Fatal(err)
	}
	got := strings.Join(m.Rows(), "|")
	if got != strings.Join(s.Rows, "|") || !strings.Contains(got, contains) {
		t.Errorf("the controller shows %q, the panel says %q", got, s.Rows)
	}
	if m.Mode() != lcdtest.Healthy {
		t.Errorf("mode: %s", m.Mode())
	}
}

// leave prints the panel's state and ends the guest with the display as it is,
// for the host to compare.
func leave(t *testing.T, p *panel.Panel) {
	t.Helper()
	out, err := json.Marshal(p.State())
	if err != nil {
		t.Fatal(err)
	}
	os.Stdout.WriteString("STATE " + string(out) + "\n")
	if !t.Failed() {
		os.Exit(0)
	}
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for begin := time.Now(); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Since(begin) > 20*time.Second {
			t.Fatalf("not within 20 s: %s", what)
		}
	}
}

// The panel in a kernel writes to /dev/i2c-0. A missing chip is noticed, the
// controller is proven by its address counter, and the plug is pulled during
// taps, none of which waits for it.
func TestDisplayBehindAKernel(t *testing.T) {
	m, g := outside(t, lcd.Size{Cols: 20, Rows: 4}, "TestGuestPanel")
	pull(t, m, g, "Tap 2", time.Second)
	wantState(t, m, g.wait(), "Žofie's iPad")
}

func TestGuestPanel(t *testing.T) {
	if !insideGuest() {
		t.Skip("runs inside the kernel of TestDisplayBehindAKernel")
	}
	wrong, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", Size: "20x4", Bus: "/dev/i2c-0", Address: 0x3f})
	if err != nil {
		t.Fatal(err)
	}
	if err := wrong.Init(); err == nil {
		t.Error("a display at an address where none is was initialised")
	}
	wrong.Close()

	d, err := lcd.Open(lcd.Config{Kind: "hd44780-i2c", Size: "20x4", Bus: "/dev/i2c-0", Address: 0x27})
	if err != nil {
		t.Fatal(err)
	}
	p := panel.New(panel.Options{Display: d})
	go p.Run(t.Context())
	up := func() bool { return p.Health().Up }
	within(t, "the display is up", up)
	if answers, err := p.Probe(t.Context()); !answers || err != nil {
		t.Errorf("the controller doesn't answer: %v, %v", answers, err)
	}
	for _, device := range []string{"Tap 1", "Tap 2", "Tap 3", "Tap 4", "Tap 5", "Žofie's iPad"} {
		begin := time.Now()
		n := p.Show(panel.Message{Key: "checked-out", Device: device, Person: "José Müller", For: time.Minute})
		if err := p.Answered(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took > time.Second {
			t.Errorf("%s was answered after %v", device, took)
		}
		if !strings.Contains(strings.Join(p.State().Rows, "|"), device) {
			t.Errorf("after %s: %q", device, p.State().Rows)
		}
		time.Sleep(400 * time.Millisecond)
	}
	within(t, "the display is back", up)
	leave(t, p)
}
