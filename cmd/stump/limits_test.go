package main

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"stump/internal/simlab"
)

// TestNoFiles takes the daemon's file descriptors, with connections that only wait. It
// answers nevertheless, takes bumps, says what is wrong, and is well again without a hand.
func TestNoFiles(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	socket, log := filepath.Join(dir, "s"), filepath.Join(dir, "log")
	cmd := exec.Command("sh", "-c", `exec stump run --sim --state "$1" --socket "$1/s" 2>"$2"`, "sh", dir, log)
	d := startProcess(t, cmd, socket)
	d.ask("sim/seed", nil, nil)
	open, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid))
	if err != nil {
		t.Fatal(err)
	}
	limit := func(more int) {
		t.Helper()
		if err := unix.Prlimit(cmd.Process.Pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: uint64(len(open) + more), Max: 1024}, nil); err != nil {
			t.Fatal(err)
		}
	}
	limit(5)
	var waiting []net.Conn
	for range 20 {
		c, err := net.Dial("unix", socket)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		fmt.Fprint(c, "GET /v1/panel HTTP/1.1\r\nHost: stump\r\n\r\n")
		waiting = append(waiting, c)
	}
	for tries := 0; !d.tap(simlab.People[0].ID) && tries < 3; tries++ { // an old connection may have made room
	}
	if !d.tap(simlab.Devices[0].ID) || !saved(d.last) {
		t.Errorf("a bump meanwhile: the display says %q", d.last)
	}
	limit(-len(open)) // for new files there is no room at all
	last := waiting[len(waiting)-1]
	answers := bufio.NewReader(last)
	answer := func() string {
		r, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		defer r.Body.Close()
		b, err := io.ReadAll(r.Body)
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	answer() // the panel's
	status := func() string {
		fmt.Fprint(last, "GET /v1/status HTTP/1.1\r\nHost: stump\r\n\r\n")
		return answer()
	}
	if got := status(); !strings.Contains(got, "no-files") {
		t.Errorf("no file can be opened, and the status says %s", got)
	}
	limit(100)
	if got := status(); strings.Contains(got, "no-files") {
		t.Errorf("there are files again, and the status says %s", got)
	}
	_ = cmd.Process.Signal(unix.SIGTERM)
	begin := time.Now()
	if err := cmd.Wait(); err != nil || time.Since(begin) > 5*time.Second {
		t.Errorf("%v after %v", err, time.Since(begin))
	}
	said, err := os.ReadFile(log)
	if n := strings.Count(string(said), "no file descriptor for a new connection"); err != nil || n != 1 {
		t.Errorf("%v; said %d times\n%s", err, n, said)
	}
}
