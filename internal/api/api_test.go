package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger"
	"stump/internal/api/client"
	"stump/internal/api/listen"
	"stump/internal/api/wire"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/sitekey"
	"stump/wiegand"
)

// newLedger has ann, two people called Ben, and an iPad that ann has.
func newLedger(t *testing.T) *ledger.Ledger {
	t.Helper()
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

func newServer(t *testing.T, l *ledger.Ledger) *Server {
	t.Helper()
	f, err := wiegand.FormatByName("H10301")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	return NewServer(Options{Ledger: l, Station: "lab", Formats: []*wiegand.Format{f}, Now: func() time.Time { return now }})
}

// serve listens on a socket in a short path and returns it.
func serve(t *testing.T, h http.Handler, addr string) (*listen.Listener, context.CancelFunc, <-chan error) {
	t.Helper()
	dir, err := os.MkdirTemp("", "st")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &listen.Listener{Handler: h, Socket: filepath.Join(dir, "run", "stump.sock"), Addr: addr, Log: slog.New(slog.DiscardHandler)}
	if err := l.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- l.Run(ctx) }()
	t.Cleanup(stop)
	return l, stop, ended
}

func seedLab(t *testing.T, c *client.Client) {
	t.Helper()
	name := func(s string) *string { return &s }
	for _, p := range []wire.PersonChange{
		{Name: name("Ann"), Badge: name("H10301:17:1")},
		{Name: name("Ben"), ID: name("b1")}, {Name: name("Ben"), ID: name("b2")},
	} {
		if err := c.Do(t.Context(), "POST", "people", p, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := c.Do(t.Context(), "POST", "devices", wire.DeviceChange{Name: name("iPad"), Tag: name("H10301:200:1")}, nil); err != nil {
		t.Fatal(err)
	}
	if err := c.Do(t.Context(), "POST", "give", wire.Give{Device: "iPad", Person: "Ann"}, nil); err != nil {
		t.Fatal(err)
	}
}

// TestParity asks a handler in the process and one behind a socket the same
// things, and wants the same answers, errors and hints included.
func TestParity(t *testing.T) {
	requests := []struct{ method, path, query, body string }{
		{"GET", "who", "", ""}, {"GET", "who", "person=ann", ""}, {"GET", "who", "person=Ben", ""},
		{"GET", "who", "person=nobody", ""}, {"GET", "who", "overdue=true", ""},
		{"GET", "history", "", ""}, {"GET", "history", "device=ipad", ""}, {"GET", "history", "since=yesterday", ""},
		{"GET", "history", "since=2020-01-01T00:00:00Z", ""}, {"GET", "history", "since=2099-01-01T00:00:00Z", ""},
		{"GET", "people", "", ""}, {"GET", "devices", "", ""}, {"GET", "unknown", "", ""},
		{"GET", "people/export", "", ""}, {"GET", "devices/export", "", ""},
		{"POST", "people", "", `{"name":"Cem"}`}, {"POST", "people", "", `{"name":"Cem","id":"b1"}`},
		{"POST", "people", "", `{"name":"Dia","badge":"H10301:17:1"}`}, {"POST", "people", "", `{"name":"Dia","badge":"nonsense"}`},
		{"POST", "people", "", `{"name":""}`}, {"POST", "people", "", `{"nmae":"Dia"}`}, {"POST", "people", "", `{`}, {"POST", "people", "", ``},
		{"PATCH", "people/" + client.Ref("Ben"), "", `{"email":"x@lab.example"}`}, {"PATCH", "people/b1", "", `{"email":"x@lab.example"}`},
		{"PATCH", "people/b1", "", `{"status":"away"}`}, {"PATCH", "people/b1", "", `{"badge":""}`},
		{"PATCH", "people/" + client.Ref(".."), "", `{"email":"x"}`}, {"PATCH", "people/" + client.Ref("a/b//c"), "", `{"email":"x"}`},
		{"POST", "people/import", "", "id,name\nzoe,Zoe\n"}, {"POST", "people/import", "", "id,name\nzoe\n"},
		{"POST", "people/import", "", "id,name,phone\n"}, {"POST", "devices/import", "", "id,name,tag\nd,D,H10301:17:1\n"},
		{"POST", "people/ann/retire", "", ""}, {"POST", "devices/toaster/retire", "", ""},
		{"POST", "give", "", `{"device":"ipad","person":"b1"}`}, {"POST", "give", "", `{"device":"ipad","person":"Ben"}`},
		{"POST", "give", "", `{"device":"toaster","person":"ann"}`},
		{"POST", "return", "", `{"device":"ipad","note":"x"}`}, {"POST", "return", "", `{"device":"ipad","note":"x"}`},
		{"POST", "enrolments", "", `{"kind":"person","name":"ann"}`}, {"GET", "panel", "", ""},
		{"POST", "sim/tap", "", `{"card":"ann"}`}, {"POST", "sim/seed", "", ""}, {"POST", "sim/fault", "", `{"fault":"off"}`},
		{"GET", "nothing", "", ""}, {"DELETE", "people", "", ""}, {"GET", "", "", ""},
	}
	local := client.Local(newServer(t, newLedger(t)))
	l, _, _ := serve(t, newServer(t, newLedger(t)), "")
	remote, err := client.Dial(t.Context(), l.Socket)
	if err != nil {
		t.Fatal(err)
	}
	seedLab(t, local)
	seedLab(t, remote)
	failures := 0
	for _, r := range requests {
		ask := func(c *client.Client) (string, error) {
			q, _ := url.ParseQuery(r.query)
			body, err := c.Stream(t.Context(), r.method, r.path, q, strings.NewReader(r.body))
			if err != nil {
				return "", err
			}
			defer body.Close()
			b, err := io.ReadAll(body)
			return steady(string(b)), err
		}
		gotLocal, errLocal := ask(local)
		gotRemote, errRemote := ask(remote)
		if gotLocal != gotRemote {
			t.Errorf("%s %s: local\n%s\nremote\n%s", r.method, r.path, gotLocal, gotRemote)
		}
		if fmt.Sprint(errLocal) != fmt.Sprint(errRemote) || hint.Of(errLocal) != hint.Of(errRemote) {
			t.Errorf("%s %s: local %v (%s), remote %v (%s)", r.method, r.path, errLocal, hint.Of(errLocal), errRemote, hint.Of(errRemote))
		}
		if errLocal != nil {
			failures++
			if hint.Of(errLocal) == "" && !strings.Contains(errLocal.Error(), ":") && !strings.Contains(errLocal.Error(), "is empty") {
				t.Errorf("%s %s: %v: no hint", r.method, r.path, errLocal)
			}
		}
	}
	if failures < 20 {
		t.Errorf("only %d of the requests were refused", failures)
	}
}

// steady takes out what differs between two ledgers: times, identities and who asked.
func steady(lines string) string {
	var out []string
	for line := range strings.Lines(lines) {
		var m map[string]any
		if json.Unmarshal([]byte(line), &m) == nil {
			for _, k := range []string{"at", "since", "last", "actor"} {
				delete(m, k)
			}
			if _, event := m["seq"]; event {
				delete(m, "id")
				delete(m, "chain")
			}
			b, _ := json.Marshal(m)
			line = string(b)
		}
		out = append(out, line)
	}
	return strings.Join(out, "\n")
}

// TestErrorObjects looks at the bytes: every refusal is an object with exactly
// these keys, and a status that fits.
func TestErrorObjects(t *testing.T) {
	s := newServer(t, newLedger(t))
	seedLab(t, client.Local(s))
	for _, tt := range []struct {
		method, path, body string
		status             int
	}{
		{"GET", "/v1/who?persn=ann", "", 400},
		{"GET", "/v1/who?person=", "", 400},
		{"GET", "/v1/who?person=ann&person=ben", "", 400},
		{"GET", "/v1/who?overdue=perhaps", "", 400},
		{"GET", "/v1/history?limit=0", "", 400},
		{"GET", "/v1/history?kind=nonsense&refused=true", "", 400},
		{"GET", "/v1/history?kind=checkout&refused=true", "", 400},
		{"POST", "/v1/people", `{"name":"X"}{"name":"Y"}`, 400},
		{"POST", "/v1/people", `{"name":"X","status":"suspended"}`, 400},
		{"PATCH", "/v1/people/ann", `{"id":"x"}`, 400},
		{"PATCH", "/v1/devices/ipad", `{"status":"suspended"}`, 400},
		{"GET", "/v1/who?person=nobody", "", 404},
		{"GET", "/v1/who?person=Ben", "", 409},
		{"POST", "/v1/people", `{"name":"X","id":"b1"}`, 409},
		{"POST", "/v1/people", `{"name":"X","badge":"H10301:17:1"}`, 409},
		{"POST", "/v1/people", `{"name":"X","badge":"H10301:17"}`, 400},
		{"POST", "/v1/people", `not json`, 400},
		{"POST", "/v1/people/import", "id\n", 400},
		{"POST", "/v1/give", `{"device":"ipad","person":"ann"}`, 409},
		{"GET", "/v1/history?since=x", "", 400},
		{"GET", "/v1/panel", "", 503},
		{"POST", "/v1/sim/seed", "", 409},
		{"GET", "/v2/who", "", 404},
		{"PUT", "/v1/people", "", 404},
	} {
		w := httptest.NewRecorder()
		r := httptest.NewRequest(tt.method, "http://stump"+tt.path, strings.NewReader(tt.body))
		s.ServeHTTP(w, r.WithContext(identity.With(t.Context(), identity.Process())))
		resp, body := w.Result(), w.Body.Bytes()
		var m map[string]any
		if err := json.Unmarshal(body, &m); err != nil || len(m) != 7 || m["error"] == "" || m["detail"] != m["error"] {
			t.Errorf("%s %s: %s", tt.method, tt.path, body)
		}
		status, title := wire.Code(fmt.Sprint(m["code"])).Row()
		if m["type"] != fmt.Sprint("urn:stump:problem:", m["code"]) || m["title"] != title || m["status"] != float64(status) {
			t.Errorf("%s %s: %s", tt.method, tt.path, body)
		}
		if _, ok := m["hint"]; !ok || resp.StatusCode != tt.status || status != tt.status || resp.Header.Get("Content-Type") != wire.ProblemType {
			t.Errorf("%s %s: %d, want %d: %s", tt.method, tt.path, resp.StatusCode, tt.status, body)
		}
	}
}

// TestActor: who asks is written into the history, for ever.
func TestActor(t *testing.T) {
	c := client.Local(newServer(t, newLedger(t)))
	for name, ok := range map[string]bool{"": true, "Zoë": true, `LAB\ann`: true, "a\x00b": false, "a\tb": false, "\xff": false, strings.Repeat("a", 1001): false} {
		c.Actor = name
		body, err := c.Stream(t.Context(), "POST", "people/import", nil, strings.NewReader("id,name\nx,X\n"))
		if ok != (err == nil) || err != nil && hint.Of(err) == "" {
			t.Errorf("%q: %v", name, err)
		}
		if err == nil {
			body.Close()
		}
	}
}

func TestClosedLedgerIsTheServersFault(t *testing.T) {
	l := newLedger(t)
	s := newServer(t, l)
	l.Close()
	for _, path := range []string{"who", "history", "people", "people/export", "unknown"} {
		_, err := client.Local(s).Stream(t.Context(), "GET", path, nil, nil)
		var status *client.StatusError
		if !errors.As(err, &status) || status.Status != 500 {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// TestStreaming reads the first row of a history while the rest is not made
// yet, and goes away.
func TestStreaming(t *testing.T) {
	l := newLedger(t)
	s := newServer(t, l)
	c := client.Local(s)
	seedLab(t, c)
	for range 300 {
		if err := c.Do(t.Context(), "POST", "return", wire.Bring{Device: "ipad", Note: "x"}, nil); err != nil {
			t.Fatal(err)
		}
		if err := c.Do(t.Context(), "POST", "give", wire.Give{Device: "ipad", Person: "ann"}, nil); err != nil {
			t.Fatal(err)
		}
	}
	ln, _, _ := serve(t, s, "")
	remote, err := client.Dial(t.Context(), ln.Socket)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]*client.Client{"local": c, "remote": remote} {
		body, err := c.Stream(t.Context(), "GET", "history", nil, nil)
		if err != nil {
			t.Fatal(name, err)
		}
		var first wire.History
		if err := json.NewDecoder(body).Decode(&first); err != nil || first.Seq != 1 {
			t.Errorf("%s: %+v, %v", name, first, err)
		}
		body.Close()
	}
	// Nobody holds on to the ledger.
	closed := make(chan error, 1)
	go func() { closed <- l.Close() }()
	select {
	case err := <-closed:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(10 * time.Second):
		t.Error("an answer that nobody reads holds the ledger")
	}
}

// TestStopWithOpenRequest stops while somebody waits for an answer.
func TestStopWithOpenRequest(t *testing.T) {
	asked := make(chan struct{})
	h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(asked)
		<-r.Context().Done()
		NewServer(Options{}).fail(&reply{ResponseWriter: w}, r, context.Cause(r.Context()))
	})
	l, stop, ended := serve(t, h, "")
	c, err := client.Dial(t.Context(), l.Socket)
	if err != nil {
		t.Fatal(err)
	}
	failed := make(chan error, 1)
	go func() { failed <- c.Do(context.Background(), "POST", "enrolments", nil, nil) }()
	<-asked
	start := time.Now()
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	if took := time.Since(start); took > 2*time.Second {
		t.Errorf("stopping took %v", took)
	}
	if err := <-failed; err == nil || err.Error() != "the station is stopping" {
		t.Errorf("who waited was told %v", err)
	}
	if err := c.Do(context.Background(), "GET", "who", nil, nil); err == nil || hint.Of(err) == "" {
		t.Errorf("after the end: %v", err)
	}
}

// TestWebPages: a browser on this machine must not be anybody's tool.
func TestWebPages(t *testing.T) {
	s := newServer(t, newLedger(t))
	seedLab(t, client.Local(s))
	l, _, _ := serve(t, s, "127.0.0.1:0")
	addr := l.TCP()
	for _, tt := range []struct {
		name, method, host, origin string
		status                     int
	}{
		{"own", "GET", addr, "", 200},
		{"own by name", "GET", "localhost", "", 200},
		{"own change", "POST", addr, "http://" + addr, 200},
		{"script", "POST", addr, "", 200},
		{"rebound name", "GET", "evil.example", "", 403},
		{"rebound name with port", "GET", "evil.example:8080", "", 403},
		{"other origin", "POST", addr, "https://evil.example", 403},
	} {
		path, body := "/v1/people", ""
		if tt.method == "POST" {
			path, body = "/v1/people/import", "id,name\nx,X\n"
		}
		req, err := http.NewRequest(tt.method, "http://"+addr+path, bytes.NewReader([]byte(body)))
		if err != nil {
			t.Fatal(err)
		}
		req.Host = tt.host
		if tt.origin != "" {
			req.Header.Set("Origin", tt.origin)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		var p wire.Problem
		err = json.NewDecoder(resp.Body).Decode(&p)
		resp.Body.Close()
		if resp.StatusCode != tt.status {
			t.Errorf("%s: %d, want %d", tt.name, resp.StatusCode, tt.status)
		}
		if tt.status == 403 && (err != nil || p.Error == "" || p.Hint == "") {
			t.Errorf("%s: %+v, %v: no error and hint", tt.name, p, err)
		}
	}
}

// TestClientSends: names are elements of a path whatever is in them, and the actor
// arrives as it is.
func TestClientSends(t *testing.T) {
	s := NewServer(Options{})
	s.handle(route{"POST /v1/people/{ref}/echo", ledgerOnly, identity.Admin, func(w http.ResponseWriter, r *http.Request) error {
		_, err := fmt.Fprintf(w, "%q", r.PathValue("ref")+"|"+identity.Of(r.Context()).Name+"|"+r.URL.Query().Get("q"))
		return err
	}})
	c := client.Local(s)
	for _, ref := range []string{"ann", "Ann Okafor", "a/b", "..", ".", "%2e", "a?b#c", "李雷", "a;b=c", "x\"y", "...", "+"} {
		c.Actor = "Zoë " + ref
		body, err := c.Stream(t.Context(), "POST", "people/"+client.Ref(ref)+"/echo", url.Values{"q": {ref}}, nil)
		if err != nil {
			t.Errorf("%q: %v", ref, err)
			continue
		}
		got, _ := io.ReadAll(body)
		body.Close()
		if want := fmt.Sprintf("%q", ref+"|Zoë "+ref+"|"+ref); string(got) != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
	c.Actor = ""
	body, err := c.Stream(t.Context(), "POST", "people/ann/echo", nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if got, _ := io.ReadAll(body); string(got) != `"ann|admin|"` {
		t.Errorf("without an actor: %s", got)
	}
}
