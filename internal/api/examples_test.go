package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"stump/internal/api/openapi/openapitest"
	"stump/internal/api/wire"
)

// before is what must be so for a call's example: requests that are made before it.
var before = map[string][][3]string{
	"POST /v1/return":               {{"POST", "give", `{"device":"ipad","person":"ann"}`}},
	"POST /v1/devices/{ref}/extend": {{"POST", "give", `{"device":"ipad","person":"ann"}`}},
	"POST /v1/devices/{ref}/found":  {{"POST", "devices/ipad/lost", `{}`}},
	"DELETE /v1/tokens/{name}":      {{"POST", "tokens", `{"name":"ci","role":"staff"}`}},
	"GET /v1/tokens":                {{"POST", "tokens", `{"name":"ci","role":"staff"}`}},
	"DELETE /v1/feeds/{of}/{ref}":   {{"POST", "feeds", `{"of":"device","name":"ipad"}`}},
	"GET /v1/who":                   {{"POST", "give", `{"device":"ipad","person":"ann"}`}},
	"POST /v1/stock/count":          {{"POST", "stock", `{}`}},
	"POST /v1/stock/finish":         {{"POST", "stock", `{}`}},
	"POST /v1/stock/correct":        {{"POST", "stock", `{}`}, {"POST", "stock/finish", `{}`}},
	"POST /v1/sim/type":             {{"POST", "sim/tap", `{"card":"H10301:17:31999"}`}},
}

// elsewhere are calls whose example needs more than a station that has just started, and
// the test that has it.
var elsewhere = map[string]string{
	"POST /v1/sync/{id}/drop":    "TestStuck",
	"POST /v1/sync/{id}/accept":  "TestStuck",
	"POST /v1/pulls":             "TestPulled",
	"GET /login/sso":             "of the package's own tests of the login",
	"GET /login/callback":        "of the package's own tests of the login",
	"POST /login":                "of the package's own tests of the login",
	"POST /login/station/digits": "of the package's own tests of the login",
	"GET /kiosk":                 "of the package's own tests of the kiosk",
	"GET /extend/{token}":        "of the package's own tests of links",
	"POST /extend/{token}":       "of the package's own tests of links",
	"GET /v1/feeds/{file}":       "TestFeeds",
	"POST /v1/lab":               "TestLab",
	"DELETE /v1/lab":             "TestLab",
	"POST /v1/my/feed":           "of the package's own tests: at the socket is nobody in the register",
	"DELETE /v1/my/feed":         "of the package's own tests: at the socket is nobody in the register",
	"GET /v1/my/loans":           "of the package's own tests: at the socket is nobody in the register",
	"GET /v1/my/history":         "of the package's own tests: at the socket is nobody in the register",
	"GET /v1/my/reservations":    "of the package's own tests: at the socket is nobody in the register",
	"POST /v1/my/reservations":   "of the package's own tests: at the socket is nobody in the register",
}

// exampleToml is a station that can do most of what can be asked.
const exampleToml = `[web]
listen = "127.0.0.1:0"
[keyboard]
device = "auto"
[enroll]
people = "free"
[[reader]]
badge = { facilities = [17] }
device = { facilities = [200] }
[clock]
trust = "rtc"
`

// TestExampleRequests makes the requests of the description, each on its own and with each
// of its parameters. That the answers are described, the whole package's tests see to.
func TestExampleRequests(t *testing.T) {
	spec, err := openapitest.Read()
	if err != nil {
		t.Fatal(err)
	}
	shared := newLab(t, exampleToml) // for what changes nothing
	for pattern, c := range spec.Calls {
		if elsewhere[pattern] != "" || strings.Contains(pattern, "/{id}") && !strings.Contains(pattern, "/sync/{id}/") {
			continue // or it is of something that was begun
		}
		t.Run(strings.NewReplacer("/", "_", " ", "").Replace(pattern), func(t *testing.T) {
			t.Parallel()
			l := shared
			if c.Method != "GET" || before[pattern] != nil {
				l = newLab(t, exampleToml)
			}
			for _, r := range before[pattern] {
				l.want(r[0], r[1], r[2], 200, "")
			}
			path := c.Path
			for _, p := range c.Params {
				if p.In == "path" {
					path = strings.ReplaceAll(path, "{"+p.Name+"}", url.PathEscape(fmt.Sprint(p.Example)))
				}
			}
			media, body := c.Example()
			for _, query := range queries(c) {
				if status, answer := l.example(c.Method, path+query, media, body); status >= 400 {
					t.Errorf("%s %s %s: %d %s", c.Method, path+query, body, status, answer)
				}
			}
		})
	}
}

// queries are the examples of a call's parameters: none of them and each on its own where
// nothing changes by it, else all together.
func queries(c *openapitest.Call) []string {
	all, queries := url.Values{}, []string{}
	for _, p := range c.Params {
		if p.In != "query" || p.Example == nil {
			continue
		}
		example := p.Example
		if several, ok := example.([]any); ok {
			example = several[0]
		}
		queries = append(queries, "?"+url.Values{p.Name: {fmt.Sprint(example)}}.Encode())
		all.Set(p.Name, fmt.Sprint(example))
	}
	if c.Method != "GET" {
		return []string{"?" + all.Encode()}
	}
	return append(queries, "")
}

// example makes a request as a script does, and reads the beginning of an answer without an
// end.
func (l *lab) example(method, path, media, body string) (status int, answer string) {
	l.Helper()
	ctx, cancel := context.WithCancel(l.Context())
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, method, "http://stump"+path, strings.NewReader(body))
	if err != nil {
		l.Fatal(err)
	}
	req.Header.Set("Content-Type", media)
	client := l.http
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		l.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == 200 && slices.Contains([]string{"/v1/events"}, req.URL.Path) {
		_, err := io.ReadFull(resp.Body, make([]byte, 1))
		return resp.StatusCode, fmt.Sprint(err)
	}
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		l.Error(err)
	}
	return resp.StatusCode, string(text)
}

// stuckID is the id of the event that is stuck at a place.
func (l *lab) stuckID(state string) string {
	l.Helper()
	l.until("sync", `"state":"`+state+`"`)
	var st struct {
		Sinks []struct{ Stuck []struct{ ID string } }
	}
	if err := json.Unmarshal([]byte(l.want("GET", "sync", "", 200, "")), &st); err != nil {
		l.Fatal(err)
	}
	for _, s := range st.Sinks {
		for _, row := range s.Stuck {
			return url.PathEscape(row.ID)
		}
	}
	l.Fatal("nothing is stuck")
	return ""
}

// TestStuck: what the directory refuses is given up, and of an event of which nobody knows
// whether it arrived an admin says that it did.
func TestStuck(t *testing.T) {
	for _, tt := range []struct {
		name, state, answer, decide, body string
	}{
		{"refused", "parked", `{"error":"Unknown User"}`, "drop", `{"note":"they left"}`},
		{"cut off", "lost", "", "accept", `{}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			place := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				switch {
				case r.URL.Path == "/w":
					_, _ = io.WriteString(w, `{"error":"RFID did not match known values"}`)
				case tt.answer == "":
					conn, _, _ := http.NewResponseController(w).Hijack()
					conn.Close()
				default:
					_, _ = io.WriteString(w, tt.answer)
				}
			}))
			defer place.Close()
			l := newLab(t, fmt.Sprintf("[[reader]]\npreset = \"original\"\n[directory]\nkind = \"endpoints\"\nhash_string = \"x\"\ncheckinout = \"%[1]s/c?s={staff}&a={asset}\"\nwhatis = \"%[1]s/w?t={tag}\"\nassociate = \"%[1]s/a?w={who}&t={tag}\"\n", place.URL))
			l.want("POST", "give", `{"device":"ipad","person":"ann"}`, 200, ``)
			l.want("POST", "sync/"+l.stuckID(tt.state)+"/"+tt.decide, tt.body, 200, `"stuck_rows":0`)
		})
	}
}

// TestPulled reads a directory's register at once.
func TestPulled(t *testing.T) {
	users := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = io.WriteString(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":1,"startIndex":1,"itemsPerPage":1,
			"Resources":[{"schemas":["urn:ietf:params:scim:schemas:core:2.0:User"],"id":"7","userName":"gus","displayName":"Gus Lindqvist","active":true}]}`)
	}))
	defer users.Close()
	l := newLab(t, fmt.Sprintf("[directory]\nkind = \"scim\"\nurl = %q\n", users.URL))
	pulled := l.worked("pulls", `{"force":false}`, `"state":"done",.*"problem":null,"force":false}`)
	var job wire.Job
	if err := json.Unmarshal([]byte(pulled), &job); err != nil {
		t.Fatal(err)
	}
	l.want("GET", "sync", "", 200, `"people":1`)
	l.want("DELETE", "pulls/"+job.ID, "", 200, `"state":"done"`)
	l.want("GET", "people?q=lindqvist", "", 200, `"name":"Gus Lindqvist"`)
}

// TestSyncChecked tries a directory once: its results come as they are found, one try is
// made at a time, and the end of it ends it while the server hangs.
func TestSyncChecked(t *testing.T) {
	hangs, asked := make(chan struct{}), make(chan struct{}, 9)
	var slow atomic.Bool
	users := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if slow.Load() {
			asked <- struct{}{}
			<-hangs
		}
		w.Header().Set("Content-Type", "application/scim+json")
		_, _ = io.WriteString(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":0,"startIndex":1,"itemsPerPage":0,"Resources":[]}`)
	}))
	defer users.Close()
	defer close(hangs)
	l := newLab(t, fmt.Sprintf("[directory]\nkind = \"scim\"\nurl = %q\n", users.URL))
	checked := l.worked("sync/checks", "", `"state":"done",.*"problem":null,"results":\[{"check":"name","result":"pass",.*{"check":"users",.*\],"summary":{"summary":true,"result":`)
	var first, second wire.SyncCheck
	if err := json.Unmarshal([]byte(checked), &first); err != nil {
		t.Fatal(err)
	}
	events := l.want("GET", "sync/checks/"+first.ID+"/events", "", 200, `^{"n":1,"event":"result","data":{"check":"name",`)
	if n := strings.Count(events, `"event":"result"`); n != len(first.Results) || !strings.Contains(events, `"event":"summary"`) {
		t.Errorf("%d results of %d: %s", n, len(first.Results), events)
	}
	l.want("DELETE", "sync/checks/"+first.ID, "", 200, `"state":"done"`)
	l.want("GET", "sync/checks/"+first.ID, "", 404, "")
	slow.Store(true)
	if err := json.Unmarshal([]byte(l.want("POST", "sync/checks", "", 202, `"state":"running"`)), &second); err != nil {
		t.Fatal(err)
	}
	<-asked
	l.want("POST", "sync/checks", "", 409, `has begun a check of the directory`)
	l.want("DELETE", "sync/checks/"+second.ID, "", 200, `"state":"cancelled",.*"summary":null}`)
	l.want("GET", "pulls/"+second.ID, "", 404, "")
}
