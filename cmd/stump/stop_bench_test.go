package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// BenchmarkStop is how long the daemon takes from SIGTERM to its end while it is busy with
// what takes longest: ms/stop is the longest of the runs.
func BenchmarkStop(b *testing.B) {
	hangs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	b.Cleanup(hangs.CloseClientConnections)
	register := filepath.Join(b.TempDir(), "people.csv")
	if err := os.WriteFile(register, manyPeople(50_000), 0o600); err != nil {
		b.Fatal(err)
	}
	for _, load := range []struct {
		name, config string
		ask          []string // commands that are under way
		reads        string   // what a client asks for and never reads
	}{
		{"idle", "", nil, ""},
		{"import", "", []string{"people import " + register}, ""},
		{"selftest", "", []string{"selftest"}, ""},
		{"verify", "", []string{"verify", "people export", "history --json"}, ""},
		{"slow-reader", "", nil, "GET /v1/history"},
		{"scope", "", nil, "POST /v1/scope"},
		{"webhook-hangs", "[[webhook]]\nname = \"h\"\nurl = \"" + hangs.URL + "\"\n", []string{"sim tap ann", "sim tap ipad"}, ""},
		{"directory-hangs", "[directory]\nkind = \"endpoints\"\ncheckinout = \"" + hangs.URL + "/?s={staff}&a={asset}\"\nwhatis = \"" + hangs.URL +
			"/?r={tag}\"\n[[reader]]\npreset = \"original\"\n", []string{"sim tap ann", "sim tap ipad"}, ""},
	} {
		b.Run(load.name, func(b *testing.B) {
			longest := time.Duration(0)
			for range b.N {
				longest = max(longest, stopUnder(b, load.config, load.ask, load.reads))
			}
			b.ReportMetric(float64(longest.Milliseconds()), "ms/stop")
		})
	}
}

// stopUnder starts a daemon, gives it the load, and stops it.
func stopUnder(b *testing.B, config string, ask []string, reads string) time.Duration {
	dir := b.TempDir()
	file, socket := filepath.Join(dir, "stump.toml"), filepath.Join(dir, "s")
	if err := os.WriteFile(file, []byte("station = \"bench\"\n"+config), 0o600); err != nil {
		b.Fatal(err)
	}
	d := startProcess(b, exec.Command("stump", "run", "--sim", "--config", file, "--state", dir, "--socket", socket), socket)
	d.ask("sim/seed", nil, nil)
	for _, command := range ask {
		cmd := exec.Command("stump", append([]string{"--socket", socket}, strings.Fields(command)...)...)
		if err := cmd.Start(); err != nil {
			b.Fatal(err)
		}
		defer func() { _ = cmd.Process.Kill(); _ = cmd.Wait() }()
		time.Sleep(300 * time.Millisecond)
	}
	if reads != "" {
		c, err := net.Dial("unix", socket)
		if err != nil {
			b.Fatal(err)
		}
		defer c.Close()
		fmt.Fprintf(c, "%s HTTP/1.1\r\nHost: stump\r\n\r\n", reads)
		_, _ = io.ReadFull(c, make([]byte, 100))
	}
	begin := time.Now()
	_ = d.cmd.Process.Signal(syscall.SIGTERM)
	_ = d.cmd.Wait()
	return time.Since(begin)
}

func manyPeople(n int) []byte {
	var b strings.Builder
	b.WriteString("id,name,badge\n")
	for i := range n {
		fmt.Fprintf(&b, "p%d,Person %d,raw34:%d\n", i, i, 10_000_000+i)
	}
	return []byte(b.String())
}
