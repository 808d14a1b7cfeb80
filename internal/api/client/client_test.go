package client

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"stump/internal/api/listen"
	"stump/internal/hint"
)

// TestClientReads: what an answer can be, and what it means.
func TestClientReads(t *testing.T) {
	h := http.NewServeMux()
	answers := func(path string, status int, body string) {
		h.HandleFunc("/v1/"+path, func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(status)
			_, _ = io.WriteString(w, body)
		})
	}
	answers("ok", 200, `{"name":"Ann"}`)
	answers("teapot", 418, `{"error":"a teapot","hint":"drink","code":"tea"}`)
	answers("proxy", 502, "<html>bad gateway</html>\n")
	answers("empty", 500, "")
	answers("noerror", 500, `{"hint":"none"}`)
	answers("nonsense", 200, "nonsense")
	h.HandleFunc("/v1/moved", func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/v1/ok", http.StatusFound) })
	c := Local(h)
	var got struct{ Name string }
	if err := c.Do(t.Context(), "GET", "ok", nil, &got); err != nil || got.Name != "Ann" {
		t.Errorf("%+v, %v", got, err)
	}
	if err := c.Do(t.Context(), "GET", "ok", nil, nil); err != nil {
		t.Error(err)
	}
	err := c.Do(t.Context(), "POST", "teapot", got, nil)
	var status *StatusError
	if !errors.As(err, &status) || status.Status != 418 || status.Code != "tea" || err.Error() != "a teapot" || hint.Of(err) != "drink" {
		t.Errorf("%+v, %v (%s)", status, err, hint.Of(err))
	}
	for path, want := range map[string]string{
		"proxy": "502 Bad Gateway: <html>bad gateway</html>", "empty": "500 Internal Server Error: ", "noerror": `500 Internal Server Error: {"hint":"none"}`,
		"moved": `302 Found: <a href="/v1/ok">Found</a>.`,
	} {
		if err := c.Do(t.Context(), "GET", path, nil, nil); err == nil || err.Error() != want {
			t.Errorf("%s: %v, want %s", path, err, want)
		}
	}
	if err := c.Do(t.Context(), "GET", "nonsense", nil, &got); err == nil {
		t.Error("nonsense is read")
	}
	if err := c.Do(t.Context(), "POST", "ok", func() {}, nil); err == nil {
		t.Error("a function is sent")
	}
	if err := c.Do(t.Context(), "BAD METHOD", "ok", nil, nil); err == nil {
		t.Error("a method with a space is sent")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Do(ctx, "GET", "ok", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled before: %v", err)
	}
}

// TestNobodyAnswers: the reasons why no daemon can be asked.
func TestNobodyAnswers(t *testing.T) {
	dir, err := os.MkdirTemp("", "st")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir)
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]syscall.Errno{filepath.Join(dir, "none"): syscall.ENOENT, file: syscall.ECONNREFUSED} {
		if _, err := Dial(t.Context(), path); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", path, err, want)
		}
		if err := listen.CheckSocket(path); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
	// A daemon that is killed while it answers.
	socket := filepath.Join(dir, "sock")
	ln, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	go func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			b := make([]byte, 1)
			if n, _ := conn.Read(b); n > 0 {
				_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"seq\":")
			}
			conn.Close()
		}
	}()
	c, err := Dial(t.Context(), socket)
	if err != nil {
		t.Fatal(err)
	}
	body, err := c.Stream(t.Context(), "GET", "history", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if b, err := io.ReadAll(body); err == nil || !strings.HasPrefix(err.Error(), "the answer broke off: ") || hint.Of(err) == "" {
		t.Errorf("%s, %v (%s)", b, err, hint.Of(err))
	}
	if err := listen.CheckSocket(socket); err == nil || !strings.Contains(err.Error(), "a daemon is running already") || hint.Of(err) == "" {
		t.Errorf("a socket in use: %v", err)
	}
}
