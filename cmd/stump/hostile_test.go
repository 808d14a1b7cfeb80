package main

import (
	"compress/gzip"
	"context"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"stump/internal/api/wire"
	"stump/internal/command/bookcmd"
	"stump/internal/testkit"
)

var hostileFor = flag.Duration("hostile", time.Second, "how long each hostile directory is pulled")

// hostileGrowth is how many KiB a daemon may need more than idle, whatever a
// directory sends.
const hostileGrowth = 30 << 10

// hostile are directories that would fill a station's memory. Each writes what comes
// after the head of an answer; n counts the answers.
var hostile = []struct {
	name, kind string
	write      func(w io.Writer, n int) error
}{
	{"rows without end", "scim", func(w io.Writer, n int) error {
		return without(w, func(i int) string { return scimUser(n*1_000_000+i, fmt.Sprintf("Person %d of %d", i, n)) })
	}},
	{"long names without end", "scim", func(w io.Writer, n int) error {
		return without(w, func(i int) string { return scimUser(i, strings.Repeat("é", 110)+fmt.Sprint(i)) })
	}},
	{"the same badge for all", "scim", func(w io.Writer, n int) error {
		return without(w, func(i int) string {
			return fmt.Sprintf(`{"id":"%d","userName":"u%d","employeeNumber":"%d"}`, i, i, i/1000)
		})
	}},
	{"rows that can't be read", "scim", func(w io.Writer, n int) error {
		return without(w, func(i int) string { return fmt.Sprintf(`{"id":"%0250d","active":"?"}`, i) })
	}},
	{"rows of megabytes", "scim", func(w io.Writer, n int) error {
		return without(w, func(i int) string {
			return fmt.Sprintf(`{"id":"%d","userName":"%s","photo":"%s"}`, i, strings.Repeat("u", 60<<10), strings.Repeat("x", 4<<20))
		})
	}},
	{"members without end", "scim", func(w io.Writer, n int) error {
		_, err := io.WriteString(w, `{"id":"1"`)
		for i := 0; err == nil; i++ {
			_, err = fmt.Fprintf(w, `,"member%d":"x","id":"%d"`, i, i)
		}
		return err
	}},
	{"a text without end", "scim", func(w io.Writer, n int) error { return repeat(w, `{"id":"`, strings.Repeat("x", 64<<10)) }},
	{"brackets without end", "scim", func(w io.Writer, n int) error { return repeat(w, `{"id":`, strings.Repeat("[", 64<<10)) }},
	{"assets without end, all out", "snipeit", func(w io.Writer, n int) error {
		return without(w, func(i int) string {
			return fmt.Sprintf(`{"id":%d,"name":"Device %d","asset_tag":"%d","assigned_to":{"id":%d,"name":"Nobody %d","type":"user"}}`, n*1_000_000+i+1, i, i, i+1, i)
		})
	}},
}

func scimUser(id int, name string) string {
	return fmt.Sprintf(`{"id":"%d","userName":"u%d","displayName":"%s","emails":[{"value":"u%d@lab.example"}],"active":true}`, id, id, name, id)
}

// without writes rows without end.
func without(w io.Writer, row func(i int) string) error {
	_, err := io.WriteString(w, row(0))
	for i := 1; err == nil; i++ {
		_, err = io.WriteString(w, ","+row(i))
	}
	return err
}

func repeat(w io.Writer, begin, part string) error {
	_, err := io.WriteString(w, begin)
	for err == nil {
		_, err = io.WriteString(w, part)
	}
	return err
}

// TestHostileDirectory runs a daemon on directories that send without end, as they
// are and as gzip bombs. It needs no more memory than it may, answers meanwhile, and
// gives the memory back.
func TestHostileDirectory(t *testing.T) {
	for _, h := range hostile {
		for _, packed := range []bool{false, true} {
			name := h.name
			if packed {
				name += ", packed"
			}
			t.Run(name, func(t *testing.T) { pullHostile(t, h.kind, packed, h.write) })
		}
	}
}

func pullHostile(t *testing.T, kind string, packed bool, write func(io.Writer, int) error) {
	idle := make(chan struct{})
	var answers atomic.Int64
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-idle:
		case <-r.Context().Done():
			return
		}
		out, head := io.Writer(w), `{"totalResults":3,"Resources":[`
		if kind == "snipeit" {
			head = `{"total":3,"rows":[`
		}
		if packed {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			defer z.Close()
			out = z
		}
		if strings.HasSuffix(r.URL.Path, "/users") {
			io.WriteString(out, `{"total":0,"rows":[]}`)
			return
		}
		if _, err := io.WriteString(out, head); err == nil {
			_ = write(out, int(answers.Add(1)))
		}
	}))
	defer srv.Close()
	defer srv.CloseClientConnections()
	dir := t.TempDir()
	socket, config, token := filepath.Join(dir, "s"), filepath.Join(dir, "c.toml"), filepath.Join(dir, "token")
	for file, text := range map[string]string{
		config: fmt.Sprintf("[[reader]]\nname = \"stump\"\n[directory]\nkind = %q\nurl = %q\ntoken_file = %q\nbadge_form = \"H10301:17:{}\"\nbadge_field = \"employeeNumber\"\n", kind, srv.URL, token),
		token:  "secret\n",
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	d := startProcess(t, exec.Command("stump", "run", "--sim", "--config", config, "--state", dir, "--socket", socket), socket)
	time.Sleep(300 * time.Millisecond) // it starts
	before, most := testkit.RSSAnon(t, d.cmd.Process.Pid), int64(0)
	close(idle)
	pulls, done := 0, make(chan struct{})
	go func() {
		defer close(done)
		ctx, cancel := context.WithTimeout(t.Context(), *hostileFor)
		defer cancel()
		for ctx.Err() == nil {
			_ = d.client.Follow(ctx, "pulls", wire.NewPull{Force: true}, new(wire.Pull), bookcmd.Unseen)
			pulls++
		}
	}()
	for running := true; running; time.Sleep(10 * time.Millisecond) {
		select {
		case <-done:
			running = false
		default:
		}
		most = max(most, testkit.RSSAnon(t, d.cmd.Process.Pid))
	}
	var status wire.Status
	if !d.get("status", &status) {
		t.Error("no answer")
	}
	after := testkit.RSSAnon(t, d.cmd.Process.Pid)
	t.Logf("%d pulls, %d answers; anonymous memory %d KiB idle, at most %d KiB more, %d KiB more afterwards", pulls, answers.Load(), before, most-before, after-before)
	if most-before > hostileGrowth {
		t.Errorf("anonymous memory grew by %d KiB", most-before)
	}
}
