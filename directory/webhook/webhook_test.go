package webhook

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
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

// secretFile writes a secret as an admin does, with a line end.
func secretFile(t testing.TB, line string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(line+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func openHook(t testing.TB, address string) *Webhook {
	t.Helper()
	h, err := New(Config{Name: "hook", URL: address, SecretFile: secretFile(t, hookSecret), HTTP: call.HTTP{Proxy: "none"}})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// event is one about a device.
var event = checkout.Event{
	Station: "lab", Seq: 1, ID: uuid.NewSHA1(uuid.Nil, []byte("1")), Kind: checkout.Checkout,
	Person: "ann", PersonName: "Ann", Device: "ipad", DeviceName: "iPad", At: checkout.Stamp{Wall: time.Now()},
}

const wantMessage = `{"specversion":"1.0","id":"01931f5e-7a00-7000-8000-000000000007","source":"/stump/lab%201","type":"stump.handover",` +
	`"subject":"ipad","time":"2026-11-21T10:43:00Z","datacontenttype":"application/json","data":{"station":"lab 1","chain":null,"seq":7,` +
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
	if o := h.Deliver(t.Context(), call.Delivery{Event: ev}); o.Verdict != call.OK {
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
	h.Deliver(t.Context(), call.Delivery{Event: ev})
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
		want   call.Verdict
	}{
		{200, "ok", call.OK}, {202, "", call.OK}, {204, "", call.OK},
		{200, "<html><form>log in</form></html>", call.BadConfig},
		{400, "", call.Refused}, {422, "", call.Refused}, {413, "", call.Refused},
		{401, "", call.BadConfig}, {403, "", call.BadConfig}, {404, "", call.BadConfig}, {410, "", call.BadConfig}, {302, "", call.BadConfig},
		{408, "", call.Failing}, {409, "", call.Failing}, {500, "", call.Failing}, {502, "", call.Failing},
		{429, "", call.Down}, {503, "", call.Down},
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(tc.status)
			io.WriteString(w, tc.body)
		}))
		if o := openHook(t, srv.URL).Deliver(t.Context(), call.Delivery{Event: event}); o.Verdict != tc.want {
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
	if o := openHook(t, srv.URL+"/moved").Deliver(t.Context(), call.Delivery{Event: event}); o.Verdict != call.OK || here.posts != 1 {
		t.Errorf("within the host: %+v, %d posts", o, here.posts)
	}
	if o := openHook(t, srv.URL+"/away").Deliver(t.Context(), call.Delivery{Event: event}); o.Verdict != call.BadConfig || r.posts != 0 {
		t.Errorf("to another host: %+v, %d posts", o, r.posts)
	}
}

func TestConfiguration(t *testing.T) {
	for want, c := range map[string]Config{
		"webhook.url": {URL: "host/hook"},
		"its host can't be the webhook's name: set webhook.name": {URL: "http://[::1]:8080/hook"},
		"webhook.name": {URL: "https://host", Name: "Directory!"},
	} {
		if _, err := New(c); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
	h := openHook(t, "https://host")
	h.cfg.SecretFile = "/nonexistent"
	if o := h.Deliver(context.Background(), call.Delivery{Event: event}); o.Verdict != call.BadConfig {
		t.Errorf("no secret: %+v, want nothing sent unsigned", o)
	}
	h.cfg.Kinds = []string{"return"}
	if o := h.Deliver(context.Background(), call.Delivery{Event: event}); o.Verdict != call.Unwanted {
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
		o := openHook(t, srv.URL+"/hooks/T0/sesame?key=sesame").Deliver(t.Context(), call.Delivery{Event: event})
		if o.Reason == "" || strings.Contains(o.Reason+o.Remedy, "sesame") {
			t.Errorf("%d: %q, %q", code, o.Reason, o.Remedy)
		}
		t.Logf("%d: %s", code, o.Reason)
	}
}
