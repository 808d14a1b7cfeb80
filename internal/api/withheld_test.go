package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/internal/api/openapi/openapitest"
	"stump/internal/api/wire"
	"stump/internal/identity"
)

// TestMachineWithheld asks everything in each role below admin, of a station in trouble
// and then of one whose ledger is closed: no answer names a file, a process, a user of the
// machine or a secret.
func TestMachineWithheld(t *testing.T) {
	l := newLab(t, exampleToml+"[[webhook]]\nname = \"hook\"\nurl = \"http://127.0.0.1:1/hook\"\n[backup]\nkeep = 1\n")
	var made struct{ Token string }
	if err := json.Unmarshal([]byte(l.want("POST", "tokens", `{"name":"ci","role":"technician"}`, 200, ``)), &made); err != nil || made.Token == "" {
		t.Fatal(err)
	}
	l.want("POST", "give", `{"device":"ipad","person":"ann"}`, 200, ``)
	l.want("POST", "sim/tap", `{"card":"H10301:99:4711"}`, 200, ``)
	l.want("POST", "sim/tap", `{"card":"bits:00101010001111001010110100"}`, 200, ``)
	whose, err := user.Current()
	if err != nil {
		t.Fatal(err)
	}
	state := filepath.Dir(l.Ledger.Path())
	secrets := map[string]*regexp.Regexp{
		"a file":        regexp.MustCompile(regexp.QuoteMeta(filepath.Dir(state)) + `|/(etc|home|proc|root|run|tmp|usr|var)/|\.db\b|\.sock\b`),
		"the process":   regexp.MustCompile(fmt.Sprintf(`"pid":%d|process %[1]d`, os.Getpid())),
		"the user":      regexp.MustCompile(`"` + regexp.QuoteMeta(whose.Username) + `"`),
		"a token":       regexp.MustCompile(regexp.QuoteMeta(made.Token)),
		"a card number": regexp.MustCompile(`\b(3100[0-9]|810[0-9]|4711)\b`),
	}
	spec, err := openapitest.Read()
	if err != nil {
		t.Fatal(err)
	}
	everything := func(when string) {
		for _, role := range []identity.Role{identity.None, identity.Board, identity.Staff, identity.Technician} {
			who := identity.Principal{Name: "tess", Role: role, ID: "session:" + role.String()}
			for pattern, c := range spec.Calls {
				if pattern == "GET /v1/openapi.json" { // everybody's, and of no station
					continue
				}
				status, answer := l.asks(who, c)
				for what, secret := range secrets {
					if found := secret.FindString(answer); found != "" {
						t.Errorf("%s: %s tells the role %v of %s, %s: %d %s", when, pattern, role, what, found, status, answer)
					}
				}
			}
		}
	}
	answer := l.tests(identity.Principal{Name: "tess", Role: identity.Technician, ID: "session:technician"})
	if !strings.Contains(answer, `"check":"storage"`) {
		t.Errorf("the self-test: %s", answer)
	}
	answer = regexp.MustCompile(`[0-9]+ MB free`).ReplaceAllString(answer, "") // any number
	for what, secret := range secrets {
		if found := secret.FindString(answer); found != "" {
			t.Errorf("a self-test tells a technician of %s: %s in %s", what, found, answer)
		}
	}
	everything("at work")
	if err := l.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	everything("with a closed ledger")
}

// asks makes the example's request of a call, and reads what comes in a moment.
func (l *lab) asks(who identity.Principal, c *openapitest.Call) (status int, answer string) {
	l.Helper()
	path := c.Path
	for _, p := range c.Params {
		if p.In == "path" {
			path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(fmt.Sprint(p.Example)))
		}
	}
	_, body := c.Example()
	ctx, cancel := context.WithTimeout(identity.With(l.Context(), who), time.Minute)
	defer cancel()
	if slices.Contains([]string{"/v1/events", "/login/station"}, path) {
		ctx, cancel = context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
	}
	w := httptest.NewRecorder()
	l.API.ServeHTTP(w, httptest.NewRequestWithContext(ctx, c.Method, path, strings.NewReader(body)))
	return w.Code, w.Body.String()
}

// tests makes a self-test for somebody, and returns all that they read of it.
func (l *lab) tests(who identity.Principal) string {
	l.Helper()
	_, begun := l.by(who, "POST", "/v1/selftest", `{}`)
	var test wire.SelfTest
	if err := json.Unmarshal([]byte(begun), &test); err != nil || test.ID == "" {
		l.Fatalf("%s: %v", begun, err)
	}
	w := httptest.NewRecorder()
	r := httptest.NewRequestWithContext(identity.With(l.Context(), who), "GET", "/v1/selftest/"+test.ID+"/events", nil)
	l.API.ServeHTTP(w, r)
	_, after := l.by(who, "GET", "/v1/selftest/"+test.ID, "")
	return begun + w.Body.String() + after
}
