//go:build services

package main

import (
	"bytes"
	"context"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestPlay: what is bumped at one station is known at all, and what is bumped at one without
// a network, when it is back.
func TestPlay(t *testing.T) {
	program = filepath.Join(t.TempDir(), "stump")
	if out, err := exec.Command("go", "build", "-o", program, "stump/cmd/stump").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := play(ctx, strings.NewReader("a ann ipad\npull b\nb ben pixel\nplug b\nx\nd ann\nc ann ipad\nquit\n"), &out); err != nil {
		t.Fatal(err)
	}
	screens := strings.Split(out.String(), "\n> ")
	if len(screens) != 9 {
		t.Fatalf("%d screens:\n%s", len(screens), out.String())
	}
	for _, want := range []struct {
		screen int
		text   string
		times  int
	}{
		{1, "iPad Pro 13: Ann Okafor", 3},
		{3, "plug is out", 1}, {3, "Pixel 9: Ben", 1},
		{4, "plug is out", 0}, {4, "Pixel 9: Ben", 3}, {4, "iPad Pro 13: Ann Okafor", 3},
		{5, "type a station", 1},
		{6, `there is no station "d"`, 1},
		{7, "iPad Pro 13: Ann Okafor", 0}, {7, "Pixel 9: Ben", 3},
	} {
		if got := strings.Count(screens[want.screen], want.text); got != want.times {
			t.Errorf("screen %d has %q %d times, want %d:\n%s", want.screen, want.text, got, want.times, screens[want.screen])
		}
	}
}
