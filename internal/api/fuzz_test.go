package api_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"stump/checkout/ledger"
	"stump/internal/api/openapi/openapitest"
	"stump/internal/api/wire"
	"stump/internal/identity"
)

var (
	fuzzTime = flag.Duration("apifuzz", 0, "how long TestRandomRequests goes on; 0: 500 requests")
	fuzzSeed = flag.Uint64("apiseed", 1, "where TestRandomRequests begins")
)

// asker is who asks a station over the network.
type asker struct {
	name  string
	role  identity.Role
	token string
	home  bool // at the socket
	// browser is the cookie of one that has logged in.
	browser *http.Cookie
}

// fuzzer sends what the description has, and what it does not, to a station by TLS and to
// its socket, and looks at what comes.
type fuzzer struct {
	*lab
	spec    *openapitest.Spec
	calls   []*openapitest.Call
	askers  []asker
	web     http.Client
	station string

	mu       sync.Mutex
	found    map[string]int
	statuses map[int]int
	done     map[string]int // by call, what was not refused

	begun, ended atomic.Int64 // imports
}

func newFuzzer(t *testing.T) *fuzzer {
	t.Helper()
	spec, err := openapitest.Read()
	if err != nil {
		t.Fatal(err)
	}
	f := &fuzzer{lab: newLab(t, exampleToml), spec: spec, found: map[string]int{}, statuses: map[int]int{}, done: map[string]int{}}
	f.web = http.Client{
		Transport:     &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	t.Cleanup(f.web.CloseIdleConnections)
	var web wire.Web
	if err := json.Unmarshal([]byte(f.want("GET", "web", "", 200, "")), &web); err != nil {
		t.Fatal(err)
	}
	f.station = *web.URL
	if web.Listen != nil {
		f.station = "https://" + *web.Listen
	}
	f.askers = []asker{{}, {name: "a wrong token", token: "stump_x"}, {name: "the socket", role: identity.Admin, home: true}}
	for i, role := range identity.Roles() {
		var made wire.MadeToken
		if err := json.Unmarshal([]byte(f.want("POST", "tokens", fmt.Sprintf(`{"name":"%s%d","role":%q}`, openapitest.Own, i, role), 200, "")), &made); err != nil {
			t.Fatal(err)
		}
		f.askers = append(f.askers, asker{name: role, role: made.Role, token: made.Secret})
	}
	f.askers = append(f.askers, asker{name: "a browser", role: identity.Admin, browser: f.login()}, f.askers[len(f.askers)-1])
	for _, pattern := range slices.Sorted(maps.Keys(spec.Calls)) {
		f.calls = append(f.calls, spec.Calls[pattern])
	}
	return f
}

// login logs a browser in by a link.
func (f *fuzzer) login() *http.Cookie {
	f.Helper()
	var link wire.Link
	if err := json.Unmarshal([]byte(f.want("POST", "web/admin-link", "", 200, "")), &link); err != nil {
		f.Fatal(err)
	}
	_, secret, _ := strings.Cut(link.URL, "#")
	resp, err := f.web.PostForm(f.station+"/login", url.Values{"secret": {secret}})
	if err != nil || len(resp.Cookies()) == 0 {
		f.Fatal(resp, err)
	}
	resp.Body.Close()
	return resp.Cookies()[0]
}

// fault notes something that should not be, and tells of it the first time.
func (f *fuzzer) fault(r openapitest.Request, who asker, format string, args ...any) {
	what := fmt.Sprintf("%.1500s", fmt.Sprintf(format, args...))
	f.mu.Lock()
	defer f.mu.Unlock()
	kind := r.Call.Method + " " + r.Call.Path + ": " + strings.SplitN(what, ":", 2)[0]
	if f.found[kind]++; f.found[kind] <= 3 {
		log := f.log.String()
		f.Errorf("%s %.400s as %q, with %v\n%.400q\n%s\nthe station's log ends so: %s", r.Method, r.URL, who.name, r.Header, r.Body, what, log[max(0, len(log)-2000):])
	}
}

// endless are the calls whose answer has no end.
var endless = []string{"/v1/events", "/v1/leases/{id}/scope"}

// most is how long an answer may take, and waits where it waits its turn: a simulated card
// for those of others, which a broken wire leaves without an answer, and an erasure for a
// check of the ledger. Among other tests a machine may be slow, too.
const (
	most  = 5 * time.Second
	waits = time.Minute
)

// one sends a request and looks at its answer.
func (f *fuzzer) one(random *openapitest.Random) {
	c, who := f.calls[random.IntN(len(f.calls))], f.askers[random.IntN(len(f.askers))]
	if random.IntN(2) == 0 { // most is for admins
		who = f.askers[len(f.askers)-1]
	}
	station, client := f.station, f.web
	if who.home {
		station, client = "http://stump", f.http
		client.CheckRedirect = f.web.CheckRedirect
	}
	r := random.Next(c, station)
	if who.token != "" {
		r.Header.Set("Authorization", "Bearer "+who.token)
	}
	if who.browser != nil {
		r.AddCookie(who.browser)
	}
	patience, forever := most, slices.Contains(endless, c.Path) || strings.HasSuffix(c.Path, "/events")
	switch {
	case forever:
		patience = 300 * time.Millisecond
	case *fuzzTime == 0, strings.HasPrefix(c.Path, "/v1/sim/"), strings.HasSuffix(c.Path, "/erase"):
		patience = waits
	}
	ctx, cancel := context.WithTimeout(f.Context(), patience)
	defer cancel()
	if strings.HasSuffix(c.Path, "/import") {
		f.begun.Add(1)
		defer f.ended.Add(1)
	}
	ended := f.ended.Load()
	resp, err := client.Do(r.WithContext(ctx))
	if err != nil {
		if !forever || !errors.Is(err, context.DeadlineExceeded) {
			f.fault(r, who, "no answer: %v", err)
		}
		return
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	// An import breaks a list of lines off.
	changed := r.Header.Get("Accept") == wire.LineType && f.begun.Load() > ended
	if err != nil && !forever && !changed {
		f.fault(r, who, "half an answer: %v", err)
	}
	if err != nil { // only whole lines are looked at
		body = body[:bytes.LastIndexByte(body, '\n')+1]
		if len(body) == 0 {
			return
		}
	}
	a := openapitest.Answer{Status: resp.StatusCode, Header: resp.Header, Body: body}
	f.judge(r, who, a)
	if len(body) == 1<<20 { // it goes on
		return
	}
	if err := f.spec.CheckAnswer(r.Call, a); err != nil {
		f.fault(r, who, "not as described: %v", err)
	}
	random.Learn(c, a)
}

// judge looks at a status.
func (f *fuzzer) judge(r openapitest.Request, who asker, a openapitest.Answer) {
	f.mu.Lock()
	f.statuses[a.Status]++
	if key := r.Call.Method + " " + r.Call.Path; a.Status < 400 {
		f.done[key]++
	}
	f.mu.Unlock()
	least, _ := identity.ParseRole(r.Call.Role)
	may := r.Call.Role == "none" || who.role >= least
	switch {
	case a.Status >= 500 && r.Call.Path != "/readyz": // that says so when another request has the lines
		f.fault(r, who, "the station's fault: %d %s", a.Status, a.Body)
	case r.Wrong != "" && a.Status < 400:
		f.fault(r, who, "%s is taken: %d %s", r.Wrong, a.Status, a.Body)
	case !may && a.Status < 400 && (r.Call.Board != "free" || who.role != identity.Board):
		f.fault(r, who, "needs the role %s: %d %s", r.Call.Role, a.Status, a.Body)
	case who.role == identity.Admin && a.Status == http.StatusForbidden && !bytes.Contains(a.Body, []byte(`"stale-login"`)):
		f.fault(r, who, "an admin may not: %s", a.Body)
	}
}

// TestRandomRequests sends random requests in every role: whatever is asked, the station has
// no fault, answers in time and as it is described, refuses what the description forbids,
// and its ledger is sound. `make api-fuzz` goes on for an hour, with several at once.
func TestRandomRequests(t *testing.T) {
	f := newFuzzer(t)
	workers, end := 1, time.Now().Add(*fuzzTime)
	if *fuzzTime > 0 {
		workers = 4
	}
	var all sync.WaitGroup
	var n atomic.Int64
	for w := range workers {
		random := openapitest.NewRandom(f.spec, *fuzzSeed+uint64(w))
		all.Go(func() {
			for i := 0; i < 500 || time.Now().Before(end); i++ {
				f.one(random)
				if i%200 == 199 { // a broken reader answers nothing
					f.want("POST", "sim/fault", `{"fault":"off"}`, 200, "")
				}
				if n.Add(1)%5000 == 0 {
					f.sound()
				}
			}
		})
	}
	all.Wait()
	f.sound()
	never := slices.DeleteFunc(slices.Sorted(maps.Keys(f.spec.Calls)), func(pattern string) bool { return f.done[pattern] > 0 })
	t.Logf("%d requests from seed %d, by status %v; found %v; never done: %s", n.Load(), *fuzzSeed, f.statuses, f.found, strings.Join(never, ", "))
}

// sound checks the ledger.
func (f *fuzzer) sound() {
	f.Helper()
	report, err := f.Ledger.Verify(f.Context(), ledger.VerifyOptions{})
	if err != nil || !report.OK() {
		f.Errorf("%v, %v", report, err)
	}
}
