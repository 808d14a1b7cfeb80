package directory

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
)

const hookSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw" // the standard's own example

// receiver takes webhooks as a careful receiver does: it checks the signature,
// and remembers ids.
type receiver struct {
	t testing.TB

	mu     sync.Mutex
	events []CloudEvent // each once, in order of arrival
	seen   map[string]bool
	posts  int
	header http.Header
	body   []byte
}

func (r *receiver) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.posts++
	r.header, r.body = req.Header, body
	if !verify(hookSecret, req.Header, body) {
		r.t.Errorf("bad signature: %v", req.Header)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	var ev CloudEvent
	if err := json.Unmarshal(body, &ev); err != nil {
		r.t.Errorf("%v: %s", err, body)
	}
	if r.seen == nil {
		r.seen = map[string]bool{}
	}
	if id := req.Header.Get("Idempotency-Key"); !r.seen[id] {
		r.seen[id] = true
		r.events = append(r.events, ev)
	}
	w.WriteHeader(http.StatusNoContent)
}

func openHook(t testing.TB, address string) *Webhook {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(hookSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	h, err := NewWebhook(WebhookConfig{Name: "hook", URL: address, SecretFile: file, HTTP: quick}, "lab")
	if err != nil {
		t.Fatal(err)
	}
	return h
}

const wantMessage = `{"specversion":"1.0","id":"01931f5e-7a00-7000-8000-000000000007","source":"/stump/lab%201","type":"stump.handover",` +
	`"subject":"ipad","time":"2026-11-21T10:43:00Z","datacontenttype":"application/json","data":{"station":"lab 1","seq":7,` +
	`"id":"01931f5e-7a00-7000-8000-000000000007","kind":"handover","reader":"door","actor":"bob","device":"iPad","device_id":"ipad",` +
	`"person":"Bob","person_id":"bob","from":"Ann","from_id":"ann","at":"2026-11-21T10:43:00Z","clock_trusted":true,"source":"reader","note":null}}`

func TestWebhookMessage(t *testing.T) {
	r := &receiver{t: t}
	srv := httptest.NewServer(r)
	defer srv.Close()
	ev := checkout.Event{
		Station: "lab 1", Seq: 7, ID: uuid.MustParse("01931f5e-7a00-7000-8000-000000000007"), Kind: checkout.Handover, Reader: "door",
		Actor: "bob", Person: "bob", PersonName: "Bob", From: "ann", FromName: "Ann", Device: "ipad", DeviceName: "iPad",
		Source: checkout.SourceReader, At: checkout.Stamp{Wall: time.Date(2026, 11, 21, 10, 43, 0, 0, time.UTC), Trusted: true},
	}
	h := openHook(t, srv.URL)
	if o := h.Deliver(t.Context(), Delivery{Event: ev}); o.Verdict != Done {
		t.Fatalf("%+v", o)
	}
	if string(r.body) != wantMessage {
		t.Errorf("body\n%s\nwant\n%s", r.body, wantMessage)
	}
	if got := r.header.Get("Content-Type"); got != "application/cloudevents+json; charset=utf-8" {
		t.Errorf("content type %q", got)
	}
	if got := r.header.Get("Idempotency-Key"); got != `"01931f5e-7a00-7000-8000-000000000007"` {
		t.Errorf("idempotency key %s", got)
	}
	ev.At.Trusted = false
	h.Deliver(t.Context(), Delivery{Event: ev})
	if strings.Contains(string(r.body), `"time"`) {
		t.Errorf("a time from a clock that is not trusted: %s", r.body)
	}
}

// The vector of the standard (standard-webhooks/spec).
func TestWebhookSignatureVector(t *testing.T) {
	key, err := base64.StdEncoding.DecodeString("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	if err != nil {
		t.Fatal(err)
	}
	got := signature(key, "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", []byte(`{"test": 2432232314}`))
	if want := "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="; got != want {
		t.Errorf("signature %s, want %s", got, want)
	}
}

func TestWebhookAnswers(t *testing.T) {
	for _, tc := range []struct {
		status int
		body   string
		want   Verdict
	}{
		{200, "ok", Done}, {202, "", Done}, {204, "", Done},
		{200, "<html><form>log in</form></html>", BadConfig},
		{400, "", Refused}, {422, "", Refused}, {413, "", Refused},
		{401, "", BadConfig}, {403, "", BadConfig}, {404, "", BadConfig}, {410, "", BadConfig}, {302, "", BadConfig},
		{408, "", Failing}, {409, "", Failing}, {500, "", Failing}, {502, "", Failing},
		{429, "", Down}, {503, "", Down},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			io.WriteString(w, tc.body)
		}))
		if o := openHook(t, srv.URL).Deliver(t.Context(), Delivery{Event: event(1, "ipad")}); o.Verdict != tc.want {
			t.Errorf("%d %q: %+v, want %v", tc.status, tc.body, o, tc.want)
		}
		srv.Close()
	}
}

// A redirect within the host is followed, one to another host never: it would
// carry the event there.
func TestWebhookRedirects(t *testing.T) {
	r := &receiver{t: t}
	elsewhere := httptest.NewServer(r)
	defer elsewhere.Close()
	mux := http.NewServeMux()
	mux.Handle("/moved", http.RedirectHandler("/hook", http.StatusPermanentRedirect))
	mux.Handle("/away", http.RedirectHandler(elsewhere.URL, http.StatusPermanentRedirect))
	here := &receiver{t: t}
	mux.Handle("/hook", here)
	srv := httptest.NewServer(mux)
	defer srv.Close()
	if o := openHook(t, srv.URL+"/moved").Deliver(t.Context(), Delivery{Event: event(1, "ipad")}); o.Verdict != Done || here.posts != 1 {
		t.Errorf("within the host: %+v, %d posts", o, here.posts)
	}
	if o := openHook(t, srv.URL+"/away").Deliver(t.Context(), Delivery{Event: event(1, "ipad")}); o.Verdict != BadConfig || r.posts != 0 {
		t.Errorf("to another host: %+v, %d posts", o, r.posts)
	}
}

// Every fault: after healing the receiver has every event once, by its id, and
// in order per device; nothing waits for a person.
func TestWebhookUnderFaults(t *testing.T) {
	for _, x := range []fault{resetAtOnce, hangAtOnce, hangAfterCommit, hangInBody, resetAfterCommit, status500, status500Commit,
		status429, status429After, status401, status403, status404, htmlPage, redirectLogin, redirectAway, hugeBody, slowDrip,
		closeHalfWay, gzipBomb, redirectPost, longHeader} {
		t.Run(string(x), func(t *testing.T) {
			t.Parallel()
			r := &receiver{t: t}
			f := newFaultServer(r)
			srv := f.serve(t)
			f.set(x)
			l := openLedger(t, "hook")
			register(t, l)
			w, _ := start(t, Options{Outbox: l, Register: l, Webhooks: map[string]Deliverer{"hook": openHook(t, srv.URL)}, Backoff: impatient})
			for range 3 {
				bump(t, l, annBadge, ipadTag)
				bump(t, l, bobBadge, pixelTag)
			}
			eventually(t, "the display's mark", w.Behind)
			u, _ := url.Parse(srv.URL)
			t.Logf("stump sync says:\n%s", sayings(t, w, u.Host))
			time.Sleep(50 * time.Millisecond)
			f.set(healthy)
			eventually(t, "all told after healing", func() bool {
				w.Hurry()
				n, err := l.Backlog("hook")
				return n == 0 && err == nil
			})
			r.mu.Lock()
			defer r.mu.Unlock()
			for _, device := range []string{"ipad-mini-g1-inky", "pixel"} {
				var kinds []string
				for _, ev := range r.events {
					if ev.Subject == device {
						kinds = append(kinds, string(ev.Data.Kind))
					}
				}
				if want := []string{"checkout", "return", "checkout"}; !slices.Equal(kinds, want) {
					t.Errorf("of %s the receiver has %q, want %q", device, kinds, want)
				}
			}
		})
	}
}

func TestWebhookConfiguration(t *testing.T) {
	for want, c := range map[string]WebhookConfig{
		"webhook.url": {URL: "host/hook"},
		"its host can't be the webhook's name: set webhook.name": {URL: "http://[::1]:8080/hook"},
		"webhook.name": {URL: "https://host", Name: "Directory!"},
	} {
		if _, err := NewWebhook(c, "lab"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	c := Config{Webhooks: []WebhookConfig{{URL: "https://Chat.example/a"}, {URL: "https://chat.example/b"}}}
	_, err := OpenWebhooks(c)
	var bad *KeyError
	if !errors.As(err, &bad) || bad.Index != 1 || bad.Key != "name" || !strings.Contains(err.Error(), `two webhooks are called "chat.example"`) {
		t.Errorf("%v", err)
	}
	c.Webhooks[1].URL = "chat.example"
	if _, err := OpenWebhooks(c); !errors.As(err, &bad) || bad.Index != 1 || bad.Key != "url" {
		t.Errorf("%v", err)
	}
	c.Webhooks[1].URL = "https://chat.example/b"
	c.Webhooks[1].Name = "mail"
	hooks, err := OpenWebhooks(c)
	if got := Sinks(Local{}, hooks); err != nil || !slices.Equal(got, []string{"chat.example", "mail"}) {
		t.Errorf("%q, %v", got, err)
	}
	h := hooks["mail"].(*Webhook)
	h.cfg.SecretFile = "/nonexistent"
	if o := h.Deliver(context.Background(), Delivery{Event: event(1, "ipad")}); o.Verdict != BadConfig {
		t.Errorf("no secret: %+v, want nothing sent unsigned", o)
	}
	h.cfg.Kinds = []string{"return"}
	if o := h.Deliver(context.Background(), Delivery{Event: event(1, "ipad")}); o.Verdict != Moot {
		t.Errorf("a kind that is not wanted: %+v", o)
	}
}

// The path of a hook may be a secret: no trouble says it.
func TestWebhookPathIsNotSaid(t *testing.T) {
	for _, code := range []int{301, 308, 400, 401, 404, 405, 410, 429, 500} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if code < 400 {
				w.Header().Set("Location", "https://"+r.Host+r.URL.String())
			}
			w.WriteHeader(code)
		}))
		t.Cleanup(srv.Close)
		o := openHook(t, srv.URL+"/hooks/T0/sesame?key=sesame").Deliver(t.Context(), Delivery{Event: event(1, "ipad")})
		if o.Reason == "" || strings.Contains(o.Reason+o.Remedy, "sesame") {
			t.Errorf("%d: %q, %q", code, o.Reason, o.Remedy)
		}
		t.Logf("%d: %s", code, o.Reason)
	}
}

// Kinds that nobody is told of get through whatever the receiver does: they must
// not make those that fail in an outage look as if they failed by themselves.
func TestUnwantedKindsProveNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := NewMemory("hook")
		hook := openHook(t, "http://lab.example/hook")
		hook.cfg.Kinds = []string{"checkout"}
		hook.client = failing(t)
		w, stop := start(t, Options{Outbox: out, Webhooks: map[string]Deliverer{"hook": hook}})
		defer stop()
		out.Add(event(1, "ipad"), false)
		time.Sleep(time.Minute)
		enrol := event(2, "pixel")
		enrol.Kind = checkout.Enrol
		out.Add(enrol, false)
		time.Sleep(24 * time.Hour)
		synctest.Wait()
		st, err := w.Status()
		if s := st.Sinks[0]; err != nil || s.State != Unheard || s.StuckRows != 0 || s.Backlog != 1 {
			t.Errorf("%+v, %v, want it down, with the one event that waits", s, err)
		}
	})
}

// failing is a client of a server that answers every call with 500.
func failing(t *testing.T) *client {
	t.Helper()
	c, err := newClient(HTTP{Proxy: "none", testOnlyDial: func(context.Context, string, string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		go func() {
			defer theirs.Close()
			if _, err := http.ReadRequest(bufio.NewReader(theirs)); err == nil {
				io.WriteString(theirs, "HTTP/1.1 500 Oops\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
			}
		}()
		return ours, nil
	}}, clientOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestCredentialsFromSystemd(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("CREDENTIALS_DIRECTORY", dir)
	if err := os.WriteFile(filepath.Join(dir, "token"), []byte("sesame\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	if v, err := secret("token").read(); v != "sesame" || err != nil {
		t.Errorf("%q, %v", v, err)
	}
	if err := os.WriteFile(filepath.Join(dir, "two"), []byte("a\nb\n"), 0o400); err != nil {
		t.Fatal(err)
	}
	for _, name := range []secret{"two", "missing"} {
		if _, err := name.read(); err == nil {
			t.Errorf("%s was read", name)
		}
	}
}
