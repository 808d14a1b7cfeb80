package webhook

import (
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/directory/call"
)

// script is a receiver like Apps Script: it counts the event, and says at another host
// where the answer is.
type script struct {
	mu     sync.Mutex
	posts  int
	gets   []*http.Request
	bodies []string
	answer http.HandlerFunc // at the other host
	status int
	here   *httptest.Server
}

func newScript(t *testing.T, status int, answer http.HandlerFunc) *script {
	s := &script{status: status, answer: answer}
	there := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		s.mu.Lock()
		s.gets, s.bodies = append(s.gets, r), append(s.bodies, string(b))
		s.mu.Unlock()
		s.answer(w, r)
	}))
	t.Cleanup(there.Close)
	s.here = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.posts++
		s.mu.Unlock()
		w.Header().Set("Location", strings.Replace(there.URL, "127.0.0.1", "localhost", 1)+"/macros/echo?key=sesame")
		w.WriteHeader(s.status)
	}))
	t.Cleanup(s.here.Close)
	return s
}

func (s *script) deliver(t *testing.T, step string) call.Outcome {
	t.Helper()
	h, err := New(Config{Name: "script", URL: s.here.URL + "/macros/exec", SecretFile: secretFile(t, hookSecret), HTTP: call.HTTP{Proxy: "none"}})
	if err != nil {
		t.Fatal(err)
	}
	return h.Deliver(t.Context(), call.Delivery{Event: event, Step: step})
}

func says(status int, body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		io.WriteString(w, body)
	}
}

// TestRedirectToAnswer: after 302 and 303 the answer is fetched bare, at any host, and the
// event is not posted again while that answer can't be had.
func TestRedirectToAnswer(t *testing.T) {
	for _, c := range []struct {
		status int
		answer http.HandlerFunc
		want   call.Verdict
		step   bool // the next attempt asks for the answer alone
	}{
		{302, says(200, `{"result":"success"}`), call.OK, false},
		{303, says(204, ""), call.OK, false},
		{302, says(503, ""), call.Down, true},
		{302, says(500, ""), call.Failing, true},
		{302, says(429, ""), call.Down, true},
		{302, says(200, "<html>log in</html>"), call.BadConfig, false}, // the event never arrived
		{302, says(401, ""), call.BadConfig, false},
		{302, says(400, "no"), call.BadConfig, false},
		{301, says(200, "ok"), call.BadConfig, false},
		{307, says(200, "ok"), call.BadConfig, false},
		{308, says(200, "ok"), call.BadConfig, false},
	} {
		t.Run(fmt.Sprint(c.status, c.want), func(t *testing.T) {
			s := newScript(t, c.status, c.answer)
			o := s.deliver(t, "")
			if o.Verdict != c.want || s.posts != 1 || (o.Step != "") != c.step {
				t.Fatalf("%+v, %d posts", o, s.posts)
			}
			if strings.Contains(o.Reason+o.Remedy, "sesame") {
				t.Errorf("the address is said: %s", o.Reason)
			}
			if c.status > 303 || c.status == 301 {
				if len(s.gets) > 0 {
					t.Errorf("%d calls went to another host", len(s.gets))
				}
				return
			}
			r := s.gets[0]
			for _, name := range []string{"webhook-id", "webhook-signature", "Idempotency-Key", "Referer", "Authorization", "Content-Type"} {
				if r.Header.Get(name) != "" {
					t.Errorf("%s goes to another host", name)
				}
			}
			if len(s.gets) != 1 || r.Method != http.MethodGet || s.bodies[0] != "" {
				t.Errorf("%s with %q, %d times, want a bare GET", r.Method, s.bodies[0], len(s.gets))
			}
			s.answer = says(200, "ok")
			if o = s.deliver(t, o.Step); o.Verdict != call.OK && c.want != call.BadConfig {
				t.Errorf("when it answers: %+v", o)
			}
			if want := map[bool]int{true: 1, false: 2}[c.step]; s.posts != want {
				t.Errorf("%d posts in the end, want %d", s.posts, want)
			}
		})
	}
}

// An answer that is gone for good says nothing: the event is posted again, with its id.
func TestAnswerGone(t *testing.T) {
	s := newScript(t, 302, says(200, "ok"))
	gone := httptest.NewServer(says(404, ""))
	defer gone.Close()
	if o := s.deliver(t, answerStep(gone.URL, time.Now())); o.Verdict != call.OK || s.posts != 1 {
		t.Errorf("%+v, %d posts", o, s.posts)
	}
}

// An answer that can't be had for an hour is given up, and where the network works a
// host that can't be reached is no place for one.
func TestAnswerGivenUp(t *testing.T) {
	away := httptest.NewServer(says(503, ""))
	away.Close()
	s := newScript(t, 302, says(200, "ok"))
	if o := s.deliver(t, answerStep(away.URL, time.Now().Add(-50*time.Minute))); o.Verdict != call.Down || s.posts != 0 {
		t.Errorf("within the hour: %+v, %d posts", o, s.posts)
	}
	if o := s.deliver(t, answerStep(away.URL, time.Now().Add(-70*time.Minute))); o.Verdict != call.OK || s.posts != 1 {
		t.Errorf("after an hour: %+v, %d posts", o, s.posts)
	}
	hook := httptest.NewServer(http.RedirectHandler(away.URL, http.StatusFound))
	defer hook.Close()
	o := openHook(t, hook.URL).Deliver(t.Context(), call.Delivery{Event: event})
	if o.Verdict != call.BadConfig || o.Step != "" || !strings.Contains(o.Reason, " redirects elsewhere, and ") {
		t.Errorf("to nowhere: %+v", o)
	}
}

// Redirects of the answer are followed, but not for ever, and not from https to http.
func TestRedirectOfAnswer(t *testing.T) {
	hops := 0
	s := newScript(t, 302, nil)
	s.answer = func(w http.ResponseWriter, r *http.Request) {
		if hops++; hops < 3 {
			http.Redirect(w, r, "/further", http.StatusFound)
		}
	}
	if o := s.deliver(t, ""); o.Verdict != call.OK || hops != 3 || s.gets[2].Header.Get("Referer") != "" {
		t.Errorf("%+v after %d hops", o, hops)
	}
	s.answer = func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/again", http.StatusFound) }
	if o := s.deliver(t, ""); o.Verdict != call.BadConfig || len(s.gets) > 12 {
		t.Errorf("%+v after %d hops", o, len(s.gets))
	}
	plain := httptest.NewServer(says(200, "ok"))
	defer plain.Close()
	tls := httptest.NewTLSServer(http.RedirectHandler(plain.URL, http.StatusFound))
	defer tls.Close()
	h, err := New(Config{Name: "x", URL: tls.URL, HTTP: call.HTTP{Proxy: "none", CAFile: certFile(t, tls)}})
	if err != nil {
		t.Fatal(err)
	}
	if o := h.Deliver(context.Background(), call.Delivery{Event: event}); o.Verdict != call.BadConfig {
		t.Errorf("from https to http: %+v", o)
	}
}

// TestRefusalIsSaid: the first line of a refusal is in the reason: short, printable,
// and without what is secret.
func TestRefusalIsSaid(t *testing.T) {
	for _, c := range []struct {
		status     int
		body, want string
	}{
		{400, "no_text", "refuses it (400 Bad Request): no_text"},
		{400, "posting_to_general_channel_denied\nsecond line", ": posting_to_general_channel_denied"},
		{404, "no_service", "has nothing at this address (404 Not Found): no_service"},
		{403, "invalid_token", "denies access (403 Forbidden): invalid_token"},
		{500, "rollup_error", "failed (500 Internal Server Error): rollup_error"},
		{400, "{\n \"error\": {\n  \"message\": \"bad card\"\n }\n}", `: { "error": { "message": "bad card" } }`},
		{400, "<html><body>Oops</body></html>", "(400 Bad Request)"},
		{400, "", "(400 Bad Request)"},
		{400, "a\x1b[2J\u202eb", ": a [2J b"},
		{400, strings.Repeat("long ", 100), "long long…"},
		{400, "no hook T0AB/B1CD/Zq9 for whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw and sesam, key 8f14e45fceea167a5a36dedd4bea2543", ": no hook …/…/Zq9 for … and …, key …"},
		{400, "token xoxb-1234567890-abcdefABCDEF is bad", ": token … is bad"},
	} {
		srv := httptest.NewServer(says(c.status, c.body))
		h, err := New(Config{Name: "x", URL: srv.URL + "/services/T0AB/B1CD/Zq9?key=sesam", SecretFile: secretFile(t, hookSecret), HTTP: call.HTTP{Proxy: "none"}})
		if err != nil {
			t.Fatal(err)
		}
		o := h.Deliver(t.Context(), call.Delivery{Event: event})
		if !strings.HasSuffix(o.Reason, c.want) || len([]rune(o.Reason)) > 200 {
			t.Errorf("%d %q: %q, want …%s", c.status, c.body, o.Reason, c.want)
		}
		srv.Close()
	}
}

// certFile is the certificate of a server.
func certFile(t *testing.T, srv *httptest.Server) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: srv.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}
