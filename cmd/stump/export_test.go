package main

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"stump/internal/testkit"
)

// exportGrowth is how many KiB a daemon may need more than idle for a list of everybody.
const exportGrowth = 16 << 10

// TestLargeExport asks for lists of 40,000 people. The daemon needs little memory for that,
// answers taps while somebody reads one slowly, and stops at once.
func TestLargeExport(t *testing.T) {
	const rows = 40_000
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	d := startDaemonAt(t, dir, socket)
	for _, args := range [][]string{{"sim", "seed"}, {"people", "import", "-"}} {
		cmd := exec.Command("stump", append([]string{"--socket", socket}, args...)...)
		if args[0] == "people" {
			cmd.Stdin = strings.NewReader(string(manyPeople(rows)))
		}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatal(err, string(out))
		}
	}
	// A new process has not the import's memory.
	stop := func() time.Duration {
		begin := time.Now()
		_ = d.cmd.Process.Signal(syscall.SIGTERM)
		if err := d.cmd.Wait(); err != nil {
			t.Error(err)
		}
		return time.Since(begin)
	}
	stop()
	d = startDaemonAt(t, dir, socket)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	open := func(path string) io.ReadCloser {
		req, err := http.NewRequestWithContext(t.Context(), "GET", "http://stump/v1/"+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Accept", "application/x-ndjson")
		answer, err := client.Do(req)
		if err != nil || answer.StatusCode != http.StatusOK {
			t.Fatal(answer, err)
		}
		return answer.Body
	}
	lines := func(path string) (n int) {
		body := open(path)
		defer body.Close()
		in := bufio.NewScanner(body)
		for in.Scan() {
			n++
		}
		if in.Err() != nil {
			t.Error(in.Err())
		}
		return n
	}
	lines("devices/export") // what every export needs once
	before := testkit.RSSAnon(t, d.cmd.Process.Pid)
	for _, path := range []string{"people/export", "people"} {
		most, done := int64(0), make(chan int, 1)
		go func() { done <- lines(path) }()
		for running := true; running; time.Sleep(5 * time.Millisecond) {
			select {
			case n := <-done:
				if running = false; n < rows {
					t.Errorf("%s has %d lines", path, n)
				}
			default:
			}
			most = max(most, testkit.RSSAnon(t, d.cmd.Process.Pid)-before)
		}
		t.Logf("%s: at most %d KiB more than idle", path, most)
		if most > exportGrowth {
			t.Errorf("%s: anonymous memory grew by %d KiB", path, most)
		}
	}
	slow := open("people/export")
	defer slow.Close()
	if _, err := io.ReadFull(slow, make([]byte, 4096)); err != nil {
		t.Error(err)
	}
	for _, tap := range []string{"ann", "ipad"} {
		if out, err := exec.Command("stump", "--socket", socket, "sim", "tap", tap).CombinedOutput(); err != nil || tap == "ipad" && !strings.Contains(string(out), "Checked out") {
			t.Errorf("a tap while an export is read: %v %s", err, out)
		}
	}
	if took := stop(); took > 4*time.Second {
		t.Errorf("a stop while an export is read took %v", took)
	}
	if _, err := io.Copy(io.Discard, slow); err == nil {
		t.Error("half an export is taken for a whole one")
	}
}
