package daemon

import (
	"context"
	"errors"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/gpio"
	"stump/hw/board"
	"stump/hw/selftest"
	"stump/internal/station"
	"stump/wiegand"
)

// inSelfTest runs a station with two readers, and returns what a self-test of
// the first gets.
func inSelfTest(t *testing.T) (*Daemon, *selftest.Env) {
	t.Helper()
	d := newSim(t, twoReaders)
	addSeed(t, d)
	run(t, d)
	env, err := d.SelfTest("", station.Holder{Name: "Ann", For: station.ForTest})
	if err != nil {
		t.Fatal(err)
	}
	return d, env
}

// TestSelfTestTakesTheLines has a card shown that becomes no loan.
func TestSelfTestTakesTheLines(t *testing.T) {
	d, env := inSelfTest(t)
	lines, err := env.Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := env.Lines(t.Context()); !errors.As(err, new(*station.LeasedError)) {
		t.Errorf("two self-tests have the lines: %v", err)
	}
	env.Present(1)
	edges := make([]wiegand.Edge, 64)
	n := 0
	for end := env.Now() + int64(2*time.Second); n < 26 && env.Now() < end; {
		m, _, err := lines.Read(edges[n:], end)
		if err != nil {
			t.Fatal(err)
		}
		n += m
	}
	if n != 26 || d.Readers[0].Stats().Reads != 0 {
		t.Errorf("the self-test got %d edges, the decoder %d reads", n, d.Readers[0].Stats().Reads)
	}
	if err := lines.Close(); err != nil {
		t.Error(err)
	}
}

// TestSelfTestShowsACode has it taken off the display at the end.
func TestSelfTestShowsACode(t *testing.T) {
	d, env := inSelfTest(t)
	lines, err := env.Lines(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	says := func() string { return strings.Join(d.Panel.State().Rows, " ") }
	if fact, err := env.Display(t.Context(), "4711"); err != nil || !strings.Contains(says(), "4711") || !fact.Proven {
		t.Errorf("%+v, %v; the display says %q", fact, err, says())
	}
	if err := lines.Close(); err != nil {
		t.Error(err)
	}
	for end := time.Now().Add(5 * time.Second); strings.Contains(says(), "4711"); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("after the test the display says %q", says())
		}
	}
}

func TestSelfTestOfTheDaemon(t *testing.T) {
	d, env := inSelfTest(t)
	if !slices.Equal(env.Others, []string{"window"}) || !env.Simulated || env.Devices != nil || env.StateDir != d.o.StateDir || env.Keyboard != nil {
		t.Errorf("%+v", env)
	}
	if f, err := env.Ledger(t.Context()); err != nil || f.People != 1 || f.Devices != 1 || f.Loans != 0 || f.Events == 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := env.Directory(t.Context()); err != nil || f.Kind != "local" {
		t.Errorf("%+v, %v", f, err)
	}
	if f, err := env.Queue(t.Context()); err != nil || f.Waiting != 0 {
		t.Errorf("%+v, %v", f, err)
	}
	if env, err := d.SelfTest("window", station.Holder{Name: "Ann", For: station.ForTest}); err != nil || env.Present == nil || !slices.Equal(env.Others, []string{"door"}) {
		t.Errorf("the second reader: %+v, %v", env, err)
	}
	if _, err := d.SelfTest("gate", station.Holder{Name: "Ann", For: station.ForTest}); err == nil || !strings.Contains(err.Error(), `no reader "gate"`) {
		t.Errorf("%v", err)
	}
}

// TestEnvOfBoards says of a board what a self-test can do there.
func TestEnvOfBoards(t *testing.T) {
	cfg := parse(t, "[display]\nkind = \"sparkfun\"\nport = \"/dev/ttyAMA0\"")
	for key, float := range map[string]bool{"pi4": true, "bbb": false} {
		b, err := board.ByName(key)
		if err != nil {
			t.Fatal(err)
		}
		env := testEnv(cfg, b, 0)
		if (env.NoFloat == "") != float || env.ListenFree == nil {
			t.Errorf("%s: %q, free pins %v", key, env.NoFloat, env.ListenFree != nil)
		}
		if last := env.Devices[len(env.Devices)-1]; last.Path != "/dev/ttyAMA0" || last.Group != "dialout" {
			t.Errorf("%s: %+v", key, last)
		}
	}
	if env := testEnv(cfg, nil, 0); env.ListenFree != nil || env.Bias != gpio.BiasAsIs && env.Bias != gpio.BiasPullUp {
		t.Errorf("on no board: %+v", env)
	}
}

func TestNetwork(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	host := ln.Addr().String()
	for name, c := range map[string]struct {
		toml         string
		needed, fail bool
	}{
		"local":     {toml: ""},
		"endpoints": {toml: "[directory]\nkind = \"endpoints\"\ncheckinout = \"http://" + host + "/x?{staff}{asset}\"", needed: true},
		"nobody":    {toml: "[directory]\nkind = \"scim\"\nurl = \"http://127.0.0.1:1\"\ntoken_file = \"x\"", needed: true, fail: true},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		f, err := testNetwork(ctx, parse(t, c.toml))
		if (f.Host != "") != c.needed || (err != nil) != c.fail || c.needed && !c.fail && (f.Host != host || !strings.HasPrefix(f.How, "connected to "+host)) {
			t.Errorf("%s: %+v, %v", name, f, err)
		}
	}
}
