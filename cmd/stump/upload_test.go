package main

import (
	"context"
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

	"stump/internal/testkit"
)

// uploadGrowth is how many KiB a daemon may need more than idle for an import that it
// refuses, and afterwards.
const uploadGrowth = 10 << 10

// uploads are large files that are refused, also of as many bytes as an import may have and
// more: a head, and then rows.
var uploads = []struct {
	name, head string
	row        func(i int) string
	size       int
	key        string // Idempotency-Key
	want       string
}{
	{"bad rows", "id,name,email,badge\n", func(i int) string { return fmt.Sprintf("p%d,Person %d,nobody,raw34:%d\n", i, i, i) }, 31 << 20, "", "is no e-mail address"},
	{"long bad rows", "id,name,email\n", func(i int) string { return fmt.Sprintf("p%d,Person,%s\n", i, strings.Repeat("é", 3000)) }, 31 << 20, "", "line 2: "},
	{"a bad row at the end", "id,name,badge\n", func(i int) string {
		return fmt.Sprintf("p%d,Person %d of this very large file of people and badges,raw34:%d%s\n", i, i, 10_000_000+i, map[bool]string{true: "x"}[i == 100_000])
	}, 9 << 20, "", "line 100002: "},
	{"the same twice", "id,name\n", func(i int) string { return fmt.Sprintf("p%d,%s\n", i%3, strings.Repeat("x", 80)) }, 8 << 20, "", `line 5: the id "p0" is in line 2 too; line 6: the id "p1" is in line 3 too`},
	{"too many rows", "id,name\n", func(i int) string { return fmt.Sprintf("%d,x\n", i) }, 20 << 20, "", "more than 300000 rows"},
	{"too large", "id,name\n", func(i int) string { return fmt.Sprintf("p%d,%s\n", i, strings.Repeat("x", 500)) }, 40 << 20, "", "send at most 32 MB"},
	{"too large, with a key", "id,name\n", func(i int) string { return fmt.Sprintf("p%d,%s\n", i, strings.Repeat("x", 500)) }, 40 << 20, "once", "send at most 32 MB"},
	{"bad rows, with a key", "id,name,email\n", func(i int) string { return fmt.Sprintf("p%d,Person %d,nobody\n", i, i) }, 12 << 20, "again", "is no e-mail address"},
	{"a quote without its end", "id,name\na,\"", func(int) string { return strings.Repeat("x,\"\"\n", 100) }, 40 << 20, "", "a row of more than "},
	{"no end of the header", "", func(int) string { return strings.Repeat("column,", 100) }, 40 << 20, "", "more than "},
}

// TestRefusedUpload sends large files that a daemon must refuse. It needs little memory
// for that, and gives it back.
func TestRefusedUpload(t *testing.T) {
	dir := t.TempDir()
	socket := filepath.Join(dir, "s")
	d := startDaemonAt(t, dir, socket)
	client := &http.Client{Transport: &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}}}
	send := func(size int, head, key string, row func(int) string) string {
		r, w := io.Pipe()
		go func() {
			n, err := io.WriteString(w, head)
			for i := 0; err == nil && n < size; i++ {
				var k int
				k, err = io.WriteString(w, row(i))
				n += k
			}
			w.CloseWithError(err)
		}()
		req, err := http.NewRequestWithContext(t.Context(), "POST", "http://stump/v1/people/import", r)
		if err != nil {
			t.Fatal(err)
		}
		if key != "" {
			req.Header.Set("Idempotency-Key", key)
		}
		answer, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err != nil || answer.StatusCode < 400 {
			t.Errorf("%d %s %v", answer.StatusCode, body, err)
		}
		return string(body)
	}
	send(100, "id,name,email\n", "", func(int) string { return "x,X,x\n" }) // what every import needs once
	before := testkit.RSSAnon(t, d.cmd.Process.Pid)
	for _, u := range uploads {
		t.Run(u.name, func(t *testing.T) {
			most, done := int64(0), make(chan string, 1)
			go func() { done <- send(u.size, u.head, u.key, u.row) }()
			for running := true; running; time.Sleep(5 * time.Millisecond) {
				select {
				case answer := <-done:
					running = false
					if !strings.Contains(answer, strings.ReplaceAll(u.want, `"`, `\"`)) {
						t.Errorf("%.300s, want %s", answer, u.want)
					}
				default:
				}
				most = max(most, testkit.RSSAnon(t, d.cmd.Process.Pid)-before)
			}
			after := testkit.RSSAnon(t, d.cmd.Process.Pid) - before
			t.Logf("anonymous memory: at most %d KiB more than idle, %d KiB afterwards", most, after)
			if after > uploadGrowth {
				t.Errorf("anonymous memory grew by %d KiB", after)
			}
		})
	}
	if left, _ := filepath.Glob(filepath.Join(dir, "*.import*")); left != nil {
		t.Errorf("left: %v", left)
	}
	_ = d.cmd.Process.Signal(os.Interrupt)
	if err := d.cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// TestImportCutOff stops and kills a daemon in the middle of an import. The next one has
// all of it or nothing.
func TestImportCutOff(t *testing.T) {
	const rows = 4000
	dir := t.TempDir()
	socket, register := filepath.Join(dir, "s"), filepath.Join(dir, "people.csv")
	if err := os.WriteFile(register, manyPeople(rows), 0o600); err != nil {
		t.Fatal(err)
	}
	none, all := 0, 0
	for run := range 8 {
		state := filepath.Join(dir, fmt.Sprint("state", run))
		d := startProcess(t, exec.Command("stump", "run", "--sim", "--state", state, "--socket", socket), socket)
		cmd := exec.Command("stump", "--socket", socket, "people", "import", register)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Once the rows are read they lie beside the ledger, and once it is decided under
		// this name.
		waits := []string{".import.new-*", ".import"}[run/4]
		for begin := time.Now(); time.Since(begin) < 20*time.Second; time.Sleep(time.Millisecond) {
			if there, _ := filepath.Glob(filepath.Join(state, "ledger.db"+waits)); there != nil {
				break
			}
		}
		time.Sleep(time.Duration(run%4/2) * []time.Duration{30, 500}[run/4] * time.Millisecond)
		_ = d.cmd.Process.Signal([]os.Signal{os.Interrupt, os.Kill}[run%2])
		_ = d.cmd.Wait()
		_ = cmd.Wait()
		d = startProcess(t, exec.Command("stump", "run", "--sim", "--state", state, "--socket", socket), socket)
		list, err := exec.Command("stump", "--socket", socket, "people", "export").Output()
		if err != nil {
			t.Fatal(err)
		}
		switch n := strings.Count(string(list), "\n") - 1; n {
		case 0:
			none++
		case rows:
			all++
		default:
			t.Errorf("run %d: %d people of %d", run, n, rows)
		}
		if out, err := exec.Command("stump", "--socket", socket, "verify").CombinedOutput(); err != nil {
			t.Errorf("run %d: %s", run, out)
		}
		_ = d.cmd.Process.Signal(os.Interrupt)
		_ = d.cmd.Wait()
		if left, _ := filepath.Glob(filepath.Join(state, "*.import*")); left != nil {
			t.Errorf("run %d: left: %v", run, left)
		}
	}
	t.Logf("%d imports were undone, %d carried out", none, all)
	if all == 0 {
		t.Error("no import was carried out")
	}
}
