package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"stump/internal/simlab"
	"stump/internal/testkit"
)

// BenchmarkImport imports 100,000 people with badges into a running daemon: how long that
// takes, by how much memory that is not a file's the daemon grows at most and afterwards,
// and the 99th percentile of a bump before and meanwhile, from the first bit of the card to
// the display.
func BenchmarkImport(b *testing.B) {
	register := filepath.Join(b.TempDir(), "people.csv")
	if err := os.WriteFile(register, manyPeople(100_000), 0o600); err != nil {
		b.Fatal(err)
	}
	var before, meanwhile []time.Duration
	var took time.Duration
	var grown, kept int64
	for b.Loop() {
		dir := b.TempDir()
		socket := filepath.Join(dir, "s")
		d := startProcess(b, exec.Command("stump", "run", "--sim", "--state", dir, "--socket", socket), socket)
		d.ask("sim/seed", nil, nil)
		n := 0
		bump := func() time.Duration {
			begin := time.Now()
			if !d.tap(simlab.People[n%len(simlab.People)].Credential) {
				b.Fatal("no answer")
			}
			n++
			return time.Since(begin)
		}
		for range 50 {
			before = append(before, bump())
		}
		idle := testkit.RSSAnon(b, d.cmd.Process.Pid)
		cmd := exec.Command("stump", "--socket", socket, "people", "import", register)
		begin, done := time.Now(), make(chan error, 1)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		go func() { done <- cmd.Wait() }()
		for running := true; running; grown = max(grown, testkit.RSSAnon(b, d.cmd.Process.Pid)-idle) {
			meanwhile = append(meanwhile, bump())
			select {
			case err := <-done:
				if running = false; err != nil {
					b.Fatal(err)
				}
				took += time.Since(begin)
			default:
			}
		}
		kept = max(kept, testkit.RSSAnon(b, d.cmd.Process.Pid)-idle)
		_ = d.cmd.Process.Kill()
		_ = d.cmd.Wait()
	}
	for what, all := range map[string][]time.Duration{"before": before, "meanwhile": meanwhile} {
		slices.Sort(all)
		b.ReportMetric(float64(all[(len(all)-1)*99/100].Microseconds())/1e3, "ms/bump-"+what+"-p99")
	}
	b.ReportMetric(took.Seconds()/float64(b.N), "s/import")
	b.ReportMetric(float64(grown)/1024, "MiB-grown")
	b.ReportMetric(float64(kept)/1024, "MiB-kept")
}
