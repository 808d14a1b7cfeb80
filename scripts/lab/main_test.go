//go:build services

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// build makes the programs, once.
func build(t *testing.T) {
	t.Helper()
	dir := built()
	if _, err := os.Stat(filepath.Join(dir, "stump-hub")); err != nil {
		t.Fatal(err)
	}
	program, hub = filepath.Join(dir, "stump"), filepath.Join(dir, "stump-hub")
}

var built = sync.OnceValue(func() string {
	dir, err := os.MkdirTemp("", "lab-")
	if err == nil {
		err = exec.Command("go", "build", "-o", dir, "stump/cmd/stump", "stump/cmd/stump-hub").Run()
	}
	if err != nil {
		return err.Error()
	}
	return dir
})

func TestMain(m *testing.M) {
	status := m.Run()
	os.RemoveAll(built())
	os.Exit(status)
}

// browser is an admin at the hub.
type browser struct {
	*testing.T
	http.Client
	hub string
}

func (b *browser) asks(method, path, body string) *http.Response {
	b.Helper()
	r, err := http.NewRequestWithContext(b.Context(), method, b.hub+path, strings.NewReader(body))
	if err != nil {
		b.Fatal(err)
	}
	answer, err := b.Do(r)
	if err != nil {
		b.Fatal(err)
	}
	if answer.StatusCode != http.StatusOK {
		b.Fatalf("%s %s: %s", method, path, answer.Status)
	}
	return answer
}

// has waits until the hub says that somebody has a device, or nobody. Each time it is asked
// when a page at the hub's address is told that something has changed.
func (b *browser) has(told <-chan struct{}, device, person string) {
	b.Helper()
	for {
		answer := b.asks("GET", "/v1/devices/"+device, "")
		var d struct {
			PersonID *string `json:"person_id"`
		}
		if err := json.NewDecoder(answer.Body).Decode(&d); err != nil {
			b.Fatal(err)
		}
		answer.Body.Close()
		if d.PersonID != nil && *d.PersonID == person || d.PersonID == nil && person == "" {
			return
		}
		select {
		case <-told:
		case <-b.Context().Done():
			b.Fatalf("the hub does not say that %s is with %q", device, person)
		case <-time.After(time.Minute):
			b.Fatalf("nothing is told; the hub does not say that %s is with %q", device, person)
		}
	}
}

// TestHub: what is taken at one station and brought back at another is seen at the hub as it
// happens, and what an admin does there is heard at the stations.
func TestHub(t *testing.T) {
	build(t)
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	l, end, err := open(ctx)
	defer end()
	if err != nil {
		t.Fatal(err)
	}
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{t, http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}, l.hub}
	_, secret, _ := strings.Cut(l.link, "#")
	answer, err := b.PostForm(l.hub+"/login", url.Values{"secret": {secret}})
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatal(answer, err)
	}
	answer.Body.Close()
	told := make(chan struct{}, 1)
	stream := b.asks("GET", "/changes", "")
	defer stream.Body.Close()
	go func() {
		for lines := bufio.NewScanner(stream.Body); lines.Scan(); {
			if strings.HasPrefix(lines.Text(), "data:") {
				select {
				case told <- struct{}{}:
				default:
				}
			}
		}
	}()
	does := func(words string) {
		t.Helper()
		if err := l.do(ctx, strings.Fields(words)); err != nil {
			t.Fatal(err)
		}
	}
	does("a ann ipad")
	b.has(told, "ipad", "ann")
	does("b ann ipad")
	b.has(told, "ipad", "")
	does("c ben pixel")
	b.has(told, "pixel", "ben")
	b.asks("POST", "/v1/return", `{"device":"pixel","note":"found on a desk"}`).Body.Close()
	b.asks("POST", "/v1/give", `{"device":"ipad","person":"cem"}`).Body.Close()
	var table string
	for end := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		table = l.table(ctx)
		if strings.Count(table, "iPad Pro 13: Cem") == 3 && !strings.Contains(table, "Pixel 9: Ben") {
			break
		}
		if time.Now().After(end) {
			t.Fatalf("the stations have not heard of it:\n%s", table)
		}
	}
}

// TestPlay: what is bumped at one station is known at all, and what is bumped at one without
// a network, when it is back.
func TestPlay(t *testing.T) {
	build(t)
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	var out bytes.Buffer
	if err := play(ctx, strings.NewReader("a ann ipad\npull b\nb ben pixel\nplug b\nx\nd ann\nc ann ipad\nquit\n"), &out); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "as an admin of the whole lab: https://127.0.0.1:") {
		t.Errorf("no link to the hub:\n%s", out.String())
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
