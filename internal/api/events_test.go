package api

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
)

// stream asks for the events on a connection of its own, as an admin.
func stream(t *testing.T, s *Server, query string, header ...string) (resp *http.Response, line func() string) {
	t.Helper()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.ServeHTTP(w, r.WithContext(identity.With(r.Context(), identity.Principal{Name: "test", Role: identity.Admin})))
	}))
	t.Cleanup(srv.Close)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, "GET", srv.URL+"/v1/events"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	if resp, err = srv.Client().Do(req); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	r := bufio.NewReader(resp.Body)
	return resp, func() string {
		t.Helper()
		for {
			l, err := r.ReadString('\n')
			if err != nil {
				t.Fatalf("the stream ended: %v", err)
			}
			if l = strings.TrimSpace(l); l != "" {
				return l
			}
		}
	}
}

// keysOf are the places of all events.
func keysOf(t *testing.T, s *Server) (all []string) {
	t.Helper()
	for e, err := range s.o.Ledger.History(books.HistoryFilter{Kind: books.AnyKind}) {
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e.Key())
	}
	return all
}

// TestEventsAsSSE: replay, then live, and on from where the client was.
func TestEventsAsSSE(t *testing.T) {
	s := newServer(t, newLedger(t))
	c := client.Local(s)
	seedLab(t, c)
	keys := keysOf(t, s)
	resp, line := stream(t, s, "?after="+keys[1], "Accept", "text/event-stream")
	if got := resp.Header.Get("Content-Type"); got != "text/event-stream" || resp.StatusCode != 200 {
		t.Fatalf("%d %s", resp.StatusCode, got)
	}
	if got := line(); got != "retry: 2000" {
		t.Errorf("first %q", got)
	}
	event := func() (id, kind string, e books.EntryJSON) {
		t.Helper()
		id, kind = strings.TrimPrefix(line(), "id: "), strings.TrimPrefix(line(), "event: ")
		if err := json.Unmarshal([]byte(strings.TrimPrefix(line(), "data: ")), &e); err != nil {
			t.Fatal(err)
		}
		return id, kind, e
	}
	for _, key := range keys[2:] {
		if id, kind, e := event(); id != key || string(e.Kind) != kind {
			t.Fatalf("replayed %s %s %+v, want %s", id, kind, e, key)
		}
	}
	if err := c.Do(t.Context(), "POST", "return", wire.Bring{Device: "iPad", Note: "found"}, nil); err != nil {
		t.Fatal(err)
	}
	id, kind, e := event()
	if kind != "return" || str(e.DeviceID) != "ipad" || str(e.PersonID) != "ann" || id != keysOf(t, s)[len(keys)] {
		t.Errorf("live: %s %s %+v", id, kind, e)
	}
	// Last-Event-ID wins over after=, since the browser sends it by itself.
	_, line = stream(t, s, "?after="+keys[0], "Accept", "text/event-stream", "Last-Event-ID", keys[len(keys)-1])
	line()
	if again, _, _ := event(); again != id {
		t.Errorf("resumed with %s, want %s", again, id)
	}
}

// TestEventsAsLines: each line is an object of history, or a CloudEvent.
func TestEventsAsLines(t *testing.T) {
	s := newServer(t, newLedger(t))
	seedLab(t, client.Local(s))
	keys := keysOf(t, s)
	after := "?after=" + keys[len(keys)-2]
	_, history := ask(s, "GET", "/v1/history"+after, "")
	for accept, want := range map[string]string{
		"":                             strings.TrimSpace(history),
		"application/x-ndjson":         strings.TrimSpace(history),
		"application/cloudevents+json": `"type":"stump.checkout"`,
	} {
		resp, line := stream(t, s, after, "Accept", accept)
		got := line()
		if !strings.Contains(got, want) || !strings.Contains(want+resp.Header.Get("Content-Type"), "json") {
			t.Errorf("%q: %s %s, want %s", accept, resp.Header.Get("Content-Type"), got, want)
		}
	}
}

// TestEventsRefused: a place that this station never had is said, and so is a role.
func TestEventsRefused(t *testing.T) {
	s := newServer(t, newLedger(t))
	seedLab(t, client.Local(s))
	for _, cursor := range []string{"x", strings.Repeat("ab", 32) + ":1"} {
		status, answer := ask(s, "GET", "/v1/events?after="+cursor, "")
		var p wire.Problem
		if err := json.Unmarshal([]byte(answer), &p); err != nil || status < 400 || status > 499 || p.Hint == "" {
			t.Errorf("%s: %d %s", cursor, status, answer)
		}
	}
}
