package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/internal/api/wire"
	"stump/internal/credential"
	"stump/internal/panel"
	"stump/internal/simlab"
	"stump/internal/testkit"
)

// TestStormIsAnswered runs the daemon on five seconds of noise, 100,000 edges a
// second, and a card after it. All the while it answers its socket, it needs no
// more memory than before, and the card is read.
func TestStormIsAnswered(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	d := startDaemonAt(t, dir, socket)
	d.ask("sim/seed", nil, nil)
	_ = d.cmd.Process.Signal(os.Interrupt)
	if err := d.cmd.Wait(); err != nil {
		t.Fatal(err)
	}

	trace := filepath.Join(dir, "storm.trace")
	if err := os.WriteFile(trace, storm(t, 5*time.Second, simlab.People[0].Credential), 0o600); err != nil {
		t.Fatal(err)
	}
	d = startProcess(t, exec.Command("stump", "run", "--sim", "--replay", trace, "--state", dir, "--socket", socket), socket)
	var shown string
	before, most, asked := testkit.RSSAnon(t, d.cmd.Process.Pid), int64(0), 0
	for end := time.Now().Add(2 * time.Minute); !strings.Contains(shown, "Hello "+simlab.People[0].Name); asked++ {
		var s panel.State
		var status wire.Status
		if !d.get("panel", &s) || !d.get("status", &status) {
			t.Fatal("no answer")
		}
		shown = strings.Join(s.Rows, "\n")
		most = max(most, testkit.RSSAnon(t, d.cmd.Process.Pid))
		if time.Now().After(end) {
			t.Fatalf("the card after the storm is not read; the display says %q", shown)
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Logf("asked %d times; anonymous memory %d KiB before, at most %d KiB", asked, before, most)
	if asked < 5 {
		t.Errorf("asked only %d times", asked)
	}
	if most > before+flat {
		t.Errorf("anonymous memory grew from %d KiB to %d KiB", before, most)
	}
}

// flat is how many KiB a daemon may need more than when it started. The edges
// of the storm, if they were kept, would be 12 MB.
var flat int64 = 8 << 10

// storm is a trace of pulses of 10 µs on both lines in turn, and of a card half
// a second later.
func storm(t *testing.T, length time.Duration, card string) []byte {
	t.Helper()
	bits, err := credential.Parse(card, nil)
	if err != nil {
		t.Fatal(err)
	}
	var b []byte
	const edge = 10 * time.Microsecond
	at := time.Duration(0)
	for n := 0; at < length; n++ {
		b = fmt.Appendf(b, "%d %d %d\n", at, n/2%2, n%2)
		at += edge
	}
	at += 500 * time.Millisecond
	for i := range bits.Len() {
		b = fmt.Appendf(b, "%d %d 0\n%d %d 1\n", at, bits.Bit(i), at+50*time.Microsecond, bits.Bit(i))
		at += 2 * time.Millisecond
	}
	return b
}
