package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
	"stump/internal/sitekey"
)

// tell sends a request of an admin with headers, given as names and values.
func tell(h http.Handler, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	return tellAs(h, identity.Process(), method, path, body, headers...)
}

func tellAs(h http.Handler, who identity.Principal, method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, "/v1/"+path, strings.NewReader(body))
	for pair := range slices.Chunk(headers, 2) {
		r.Header.Add(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r.WithContext(identity.With(r.Context(), who)))
	return w
}

// want checks a status and the code of a problem.
func wantAnswer(t *testing.T, what string, w *httptest.ResponseRecorder, status int, code wire.Code) {
	t.Helper()
	var p wire.Problem
	_ = json.Unmarshal(w.Body.Bytes(), &p)
	if w.Code != status || p.Code != code {
		t.Errorf("%s: %d %s, want %d %q", what, w.Code, w.Body, status, code)
	}
}

// TestIfMatch: what has changed since somebody looked is not overwritten.
func TestIfMatch(t *testing.T) {
	s := newServer(t, newLedger(t))
	seedLab(t, client.Local(s))
	tag := func(path string) string {
		w := tell(s, "GET", path, "")
		if tag := w.Header().Get("ETag"); len(tag) > 2 {
			return tag
		}
		t.Fatalf("%s has no ETag: %d %s", path, w.Code, w.Body)
		return ""
	}
	for _, of := range []string{"people/ann", "devices/ipad"} {
		first := tag(of)
		if again := tag(of); again != first {
			t.Errorf("%s: the ETag of the same is %s, then %s", of, first, again)
		}
		w := tell(s, "PATCH", of, `{"name":"Second"}`, "If-Match", first)
		wantAnswer(t, "the first change", w, 200, "")
		if second := w.Header().Get("ETag"); second == first || second != tag(of) {
			t.Errorf("%s: the change answers ETag %s after %s, and it is %s", of, second, first, tag(of))
		}
		wantAnswer(t, "the second change", tell(s, "PATCH", of, `{"name":"Third"}`, "If-Match", first), 412, wire.CodeChanged)
		wantAnswer(t, "retiring", tell(s, "POST", of+"/retire", "", "If-Match", first), 412, wire.CodeChanged)
		if w := tell(s, "GET", of, ""); !strings.Contains(w.Body.String(), `"name":"Second"`) {
			t.Errorf("%s was overwritten: %s", of, w.Body)
		}
		for header, status := range map[string]int{
			"*": 200, first: 412, first + `, "x"`: 412, `"x", ` + tag(of): 200, "W/" + tag(of): 412, "x": 400, `"`: 400, "": 200,
		} {
			w := tell(s, "PATCH", of, `{}`, "If-Match", header)
			wantAnswer(t, of+" If-Match: "+header, w, status, map[int]wire.Code{400: wire.CodeInvalid, 412: wire.CodeChanged}[status])
		}
	}
	device, person := tag("devices/ipad"), tag("people/ann")
	wantAnswer(t, "a return", tell(s, "POST", "return", `{"device":"ipad"}`, "If-Match", device), 200, "")
	wantAnswer(t, "a stale return", tell(s, "POST", "return", `{"device":"ipad"}`, "If-Match", device), 412, wire.CodeChanged)
	wantAnswer(t, "a stale give", tell(s, "POST", "give", `{"device":"ipad","person":"ann"}`, "If-Match", device), 412, wire.CodeChanged)
	wantAnswer(t, "a stale loss", tell(s, "POST", "devices/ipad/lost", `{}`, "If-Match", device), 412, wire.CodeChanged)
	wantAnswer(t, "a stale merge", tell(s, "POST", "people/ann/merge", `{"into":"b1"}`, "If-Match", person), 412, wire.CodeChanged)
	wantAnswer(t, "a stale erasure", tell(s, "POST", "people/ann/erase", "", "If-Match", person), 412, wire.CodeChanged)
	wantAnswer(t, "nobody", tell(s, "PATCH", "people/nobody", `{}`, "If-Match", "*"), 404, wire.CodeNotFound)
	wantAnswer(t, "a new person", tell(s, "POST", "people", `{"name":"Cem"}`, "If-Match", "*"), 400, wire.CodeInvalid)
	wantAnswer(t, "an import", tell(s, "POST", "people/import", "id,name\nx,X\n", "If-Match", "*"), 400, wire.CodeInvalid)
}

// events is how many events there are.
func events(t *testing.T, l *ledger.Ledger) uint64 {
	t.Helper()
	info, err := l.Info()
	if err != nil {
		t.Fatal(err)
	}
	return info.Seq
}

// TestOnce: a request with a name changes something once, also after a restart.
func TestOnce(t *testing.T) {
	o := ledger.Options{Station: "lab", SiteKey: sitekey.New()}
	path := filepath.Join(t.TempDir(), "ledger.db")
	l, err := ledger.Create(path, o)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { l.Close() }()
	s := newServer(t, l)
	seedLab(t, client.Local(s))
	requests := []struct{ method, path, body, other string }{
		{"POST", "give", `{"device":"ipad","person":"b1","note":"x"}`, `{"device":"ipad","person":"b2","note":"x"}`},
		{"POST", "return", `{"device":"ipad"}`, `{"device":"ipad","note":"x"}`},
		{"POST", "devices/ipad/lost", `{}`, `{"note":"x"}`},
		{"POST", "devices/ipad/found", `{}`, `{"note":"x"}`},
		{"POST", "people", `{"name":"Zoe"}`, `{"name":"Zoë"}`},
		{"POST", "devices", `{"name":"Pixel","tag":"H10301:200:7"}`, `{"name":"Pixel"}`},
		{"PATCH", "people/b2", `{"badge":"H10301:17:7"}`, `{}`},
		{"POST", "people/import", "id,name\nx,X\n", "id,name\nx,Y\n"},
		{"POST", "people/b2/retire", ``, ` `},
		{"POST", "people/x/merge", `{"into":"ann"}`, `{"into":"zoe"}`},
		{"POST", "people/zoe/erase", ``, ` `},
	}
	first := map[string]*httptest.ResponseRecorder{}
	for _, r := range requests {
		key := r.method + r.path
		w := tell(s, r.method, r.path, r.body, keyHeader, key)
		first[key] = w
		wantAnswer(t, key, w, 200, "")
	}
	n := events(t, l)
	repeat := func(when string) {
		t.Helper()
		for _, r := range requests {
			key := r.method + r.path
			w := tell(s, r.method, r.path, r.body, keyHeader, key)
			if r.path == "people/zoe/erase" || w.Code != 409 { // her erasure took the answers before it away
				if w.Code != 200 || w.Body.String() != first[key].Body.String() || w.Header().Get("ETag") != first[key].Header().Get("ETag") ||
					w.Header().Get("Content-Type") != "application/json" || w.Header().Get("Idempotency-Replayed") != "true" {
					t.Errorf("%s, %s again: %d %v %s, want %s", when, key, w.Code, w.Header(), w.Body, first[key].Body)
				}
			} else {
				wantAnswer(t, key, w, 409, wire.CodeDone)
			}
			wantAnswer(t, key+" with another body", tell(s, r.method, r.path, r.other, keyHeader, key), 422, wire.CodeKeyReused)
		}
		if got := events(t, l); got != n {
			t.Errorf("%s: %d events, want %d", when, got, n)
		}
	}
	repeat("at once")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	if l, err = ledger.Open(path, o); err != nil {
		t.Fatal(err)
	}
	s = newServer(t, l)
	repeat("after a restart")
}

// TestOnceAnswers: without an erasure in between the answer is that of the first time.
func TestOnceAnswers(t *testing.T) {
	l := newLedger(t)
	s := newServer(t, l)
	seedLab(t, client.Local(s))
	give := `{"device":"ipad","person":"b1"}`
	first := tell(s, "POST", "give", give, keyHeader, "k")
	n := events(t, l)
	for range 3 {
		if w := tell(s, "POST", "give", give, keyHeader, "k"); w.Code != 200 || w.Body.String() != first.Body.String() {
			t.Errorf("%d %s, want %s", w.Code, w.Body, first.Body)
		}
	}
	// Another's key is another key, and without one it is refused as ever.
	wantAnswer(t, "another admin", tellAs(s, identity.User(7, "eve"), "POST", "give", give, keyHeader, "k"), 409, wire.CodeRefused)
	wantAnswer(t, "without a key", tell(s, "POST", "give", give), 409, wire.CodeRefused)
	wantAnswer(t, "the key at another route", tell(s, "POST", "return", `{"device":"ipad"}`, keyHeader, "k"), 422, wire.CodeKeyReused)
	// What failed was not made.
	wantAnswer(t, "a refusal", tell(s, "POST", "give", give, keyHeader, "later"), 409, wire.CodeRefused)
	wantAnswer(t, "a return", tell(s, "POST", "return", `{"device":"ipad"}`), 200, "")
	wantAnswer(t, "tried again", tell(s, "POST", "give", give, keyHeader, "later"), 200, "")
	if got := events(t, l); got != n+2 {
		t.Errorf("%d events, want %d", got, n+2)
	}
	wantAnswer(t, "a dry run", tell(s, "POST", "people/import?dry_run=true", "id,name\nx,X\n", keyHeader, "dry"), 200, "")
	wantAnswer(t, "a dry run again", tell(s, "POST", "people/import?dry_run=true", "id,name\nx,X\n", keyHeader, "dry"), 200, "")
	for name, headers := range map[string][]string{"a long key": {keyHeader, strings.Repeat("x", 256)}, "two keys": {keyHeader, "a", keyHeader, "b"}} {
		wantAnswer(t, name, tell(s, "POST", "return", `{"device":"ipad"}`, headers...), 400, wire.CodeInvalid)
	}
	wantAnswer(t, "a check", tell(s, "POST", "verifications", "", keyHeader, "k"), 400, wire.CodeInvalid)
	if w := tell(s, "GET", "who", "", keyHeader, "k"); w.Code != 200 {
		t.Errorf("a question: %d %s", w.Code, w.Body)
	}
}

// TestOnceUnanswered: a power cut after the commit, before the answer was kept.
func TestOnceUnanswered(t *testing.T) {
	l := newLedger(t)
	s := newServer(t, l)
	seedLab(t, client.Local(s))
	body := `{"device":"ipad","person":"b1"}`
	terms := books.Terms{Key: digest([]byte("process"), []byte("k")), Request: digest([]byte("POST"), []byte("/v1/give"), nil, []byte(body))}
	if _, err := l.On(terms).Give(books.Request{Device: "ipad", Person: "b1", Actor: "admin", Source: checkout.SourceCLI}); err != nil {
		t.Fatal(err)
	}
	n := events(t, l)
	wantAnswer(t, "sent again", tell(s, "POST", "give", body, keyHeader, "k"), 409, wire.CodeDone)
	if got := events(t, l); got != n {
		t.Errorf("%d events, want %d", got, n)
	}
}

// TestOnceAtOnce: of many that come at the same time, one changes something.
func TestOnceAtOnce(t *testing.T) {
	l := newLedger(t)
	s := newServer(t, l)
	seedLab(t, client.Local(s))
	n := events(t, l)
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if w := tell(s, "POST", "people", `{"name":"Zoe","badge":"H10301:17:9"}`, keyHeader, "k"); w.Code != 200 && w.Code != 409 {
				t.Errorf("%d %s", w.Code, w.Body)
			}
		})
	}
	all.Wait()
	if _, people := ask(s, "GET", "/v1/people?q=zoe", ""); strings.Count(people, "\n") != 1 || events(t, l) != n+1 {
		t.Errorf("%d events, and %s", events(t, l)-n, people)
	}
}
