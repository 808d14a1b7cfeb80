//go:build services

package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"stump/internal/testkit"
)

// prometheusTool is the path of a program of Debian's package prometheus.
func prometheusTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	testkit.Need(t, err == nil, name+", of Debian's package prometheus")
	return path
}

// TestFiguresForPromtool: promtool finds nothing wrong with the figures of a station at which
// something has happened, in form or in names.
func TestFiguresForPromtool(t *testing.T) {
	t.Parallel()
	promtool := prometheusTool(t, "promtool")
	s := &site{t: t, dir: t.TempDir()}
	if err := os.WriteFile(s.path("stump.toml"), []byte("station = \"lab-ü\"\n[[webhook]]\nname = \"away\"\nurl = \"http://127.0.0.1:1/\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.station("away")
	s.run("sim", "seed")
	for _, card := range []string{"ann", "ipad", "H10301:200:999", "bits:1010101010101010101010101"} {
		s.run("sim", "tap", card)
	}
	figures := s.figures()
	check := exec.Command(promtool, "check", "metrics")
	check.Stdin = strings.NewReader(figures)
	if out, err := check.CombinedOutput(); err != nil || len(out) > 0 {
		t.Errorf("promtool: %v\n%s\nof\n%s", err, out, figures)
	}
	for _, want := range []string{`result="checkout"`, `fault="count"`, `place="away"`} {
		if !strings.Contains(figures, want) {
			t.Errorf("no %s in\n%s", want, figures)
		}
	}
}

// figures are those of the station, asked at its socket.
func (s *site) figures() string {
	s.t.Helper()
	out, err := exec.Command("curl", "--silent", "--fail", "--unix-socket", s.path("sock"), "http://stump/metrics").Output()
	if err != nil {
		s.t.Fatal(err)
	}
	return string(out)
}
