package api

import (
	"flag"
	"io"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"stump/internal/api/openapi/openapitest"
	"stump/internal/identity"
)

// watch holds every answer in the tests of this package to the description.
var watch = openapitest.NewWatch()

func init() {
	watch.Where = testName
	testOnlyServe = func(mux *http.ServeMux, w http.ResponseWriter, r *http.Request) { watch.Serve(mux, w, r) }
}

// testName is the test that asks, if it asks without a network.
func testName() string {
	callers := make([]uintptr, 100)
	frames := runtime.CallersFrames(callers[:runtime.Callers(1, callers)])
	for f, more := frames.Next(); more; f, more = frames.Next() {
		if _, name, ok := strings.Cut(f.Function, ".Test"); ok {
			return "Test" + name
		}
	}
	return ""
}

// NotDescribed is what the tests saw that is not described. If all tests ran, each call
// must have been answered with a success.
func NotDescribed() []string {
	all := flag.Lookup("test.run").Value.String() == "" && flag.Lookup("test.list").Value.String() == "" && flag.Lookup("test.skip").Value.String() == ""
	return watch.Faults(all)
}

// TestRoutesDescribed: the table of routes and the description have the same calls, with
// the same roles.
func TestRoutesDescribed(t *testing.T) {
	routes := map[string]route{}
	for _, r := range NewServer(Options{}).routes() {
		routes[r.pattern] = r
		if watch.Calls[r.pattern] == nil {
			t.Errorf("%s is not described in internal/api/openapi", r.pattern)
		}
	}
	for pattern, c := range watch.Calls {
		to, ok := routes[pattern]
		role := strings.TrimPrefix(to.role.String(), "none")
		switch {
		case !ok:
			t.Errorf("%s is described, and no route", pattern)
		case strings.TrimPrefix(c.Role, "none") != role || c.Fresh != (to.role == identity.FreshAdmin):
			t.Errorf("%s wants the role %q (fresh: %v), and the description says %q (%v)", pattern, role, to.role == identity.FreshAdmin, c.Role, c.Fresh)
		}
		for _, setting := range []string{boardFree, boardHolders} {
			for _, r := range NewServer(Options{Board: setting}).routes() {
				described := c.Board == setting || c.Board == boardFree
				if r.pattern == pattern && (r.role == identity.Board) != (c.Board != "" && described) {
					t.Errorf("%s with board = %q wants the role %v, and the description says board = %q", pattern, setting, r.role, c.Board)
				}
			}
		}
	}
}

// TestDescriptionSent: the description is packed for who takes that, and else it is not.
func TestDescriptionSent(t *testing.T) {
	site, client := newSite(t, newWebsite(t).Server)
	for _, accepts := range []string{"gzip", "identity"} {
		r, err := http.NewRequest("GET", "https://"+site.Listens()+"/v1/openapi.json", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Accept-Encoding", accepts)
		resp, err := client.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(resp.Body)
		resp.Body.Close()
		if packed := resp.Header.Get("Content-Encoding") == "gzip"; err != nil || resp.StatusCode != 200 || packed != (accepts == "gzip") || packed != (len(body) < 50_000) {
			t.Errorf("%s: %d, %d bytes, %v, %v", accepts, resp.StatusCode, len(body), resp.Header, err)
		}
	}
}

// TestExamples: the examples of the description are as it says itself.
func TestExamples(t *testing.T) {
	if err := watch.Examples(); err != nil {
		t.Error(err)
	}
}
