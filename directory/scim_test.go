package directory

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"stump/checkout"
)

// scimPeople is the resource handler of a real SCIM server.
type scimPeople struct {
	scim.ResourceHandler // nothing but lists is asked for
	people               []scim.ResourceAttributes
	most                 int // rows a page, whatever is asked for
}

func (s *scimPeople) GetAll(_ *http.Request, p scim.ListRequestParams) (scim.Page, error) {
	page := scim.Page{TotalResults: len(s.people), Resources: []scim.Resource{}}
	for i := max(p.StartIndex, 1) - 1; i < len(s.people) && len(page.Resources) < min(p.Count, s.most); i++ {
		a := maps.Clone(s.people[i]) // the server adds to it
		page.Resources = append(page.Resources, scim.Resource{ID: a["id"].(string), Attributes: a})
	}
	return page, nil
}

// newSCIMServer is elimity-com/scim with the core and the enterprise schema.
func newSCIMServer(t testing.TB, people ...scim.ResourceAttributes) (*scimPeople, *httptest.Server) {
	t.Helper()
	h := &scimPeople{people: people, most: 7}
	srv, err := scim.NewServer(&scim.ServerArgs{
		ServiceProviderConfig: &scim.ServiceProviderConfig{},
		ResourceTypes: []scim.ResourceType{{
			ID: optional.NewString("User"), Name: "User", Endpoint: "/Users", Schema: schema.CoreUserSchema(),
			SchemaExtensions: []scim.SchemaExtension{{Schema: schema.ExtensionEnterpriseUser()}}, Handler: h,
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer secret-token" {
			w.WriteHeader(http.StatusUnauthorized)
			fmt.Fprint(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"status":"401","detail":"token expired"}`)
			return
		}
		http.StripPrefix("/scim", srv).ServeHTTP(w, r)
	}))
	t.Cleanup(hs.Close)
	return h, hs
}

func scimPerson(id, name, number string) scim.ResourceAttributes {
	return scim.ResourceAttributes{
		"id": id, "userName": strings.ToLower(name) + "@x", "displayName": name, "active": true,
		"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": map[string]any{"employeeNumber": number},
	}
}

func openSCIM(t testing.TB, base string, change func(*Config)) Directory {
	t.Helper()
	cfg := Config{Kind: "scim", URL: base + "/scim/v2/", TokenFile: tokenFile(t, "secret-token"), HTTP: HTTP{Proxy: "none"}}
	if change != nil {
		change(&cfg)
	}
	d, err := Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestSCIMPull(t *testing.T) {
	ann := scimPerson("2819", "Ann", "91234")
	bob := scim.ResourceAttributes{"id": "3", "userName": "bob", "name": map[string]any{"givenName": "Bob", "familyName": "Ross"},
		"active": false, "emails": []any{map[string]any{"value": "b@home"}, map[string]any{"value": "b@work", "primary": true}}}
	eve := scim.ResourceAttributes{"id": "4", "userName": "eve"}
	_, srv := newSCIMServer(t, ann, bob, eve)
	snap, err := openSCIM(t, srv.URL, nil).Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{
		{Kind: Person, Ref: "2819", Name: "Ann", Tag: annBadge},
		{Kind: Person, Ref: "3", Name: "Bob Ross", Email: "b@work", Inactive: true},
		{Kind: Person, Ref: "4", Name: "eve"},
	}
	if !slices.Equal(snap.People, want) || !snap.HasPeople || snap.HasDevices {
		t.Errorf("%+v, want people %+v", snap, want)
	}
}

// Pages are as long as the server likes.
func TestSCIMPagesByWhatArrives(t *testing.T) {
	h, srv := newSCIMServer(t)
	for i := range 250 {
		h.people = append(h.people, scimPerson(strconv.Itoa(i), "P", ""))
	}
	for _, most := range []int{1, 7, 99, 1000} {
		h.most = most
		snap, err := openSCIM(t, srv.URL, nil).Pull(t.Context())
		if err != nil || len(snap.People) != 250 {
			t.Errorf("pages of %d: %d people, %v", most, len(snap.People), err)
		}
	}
}

// cursorServer pages as RFC 9865 has it, and knows no startIndex.
func cursorServer(t testing.TB, n int, circle bool) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig") {
			fmt.Fprint(w, `{"pagination":{"cursor":true,"index":false,"defaultPaginationMethod":"cursor"}}`)
			return
		}
		q := r.URL.Query()
		if !q.Has("cursor") || q.Has("startIndex") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"400","scimType":"invalidCursor","detail":"cursors only"}`)
			return
		}
		from, _ := strconv.Atoi(strings.TrimPrefix(q.Get("cursor"), "c"))
		var list struct {
			Resources  []any  `json:"Resources"`
			NextCursor string `json:"nextCursor,omitempty"`
		}
		for i := from; i < min(from+40, n); i++ {
			list.Resources = append(list.Resources, scimPerson(strconv.Itoa(i), "P", ""))
		}
		if from+40 < n {
			list.NextCursor = "c" + strconv.Itoa(from+40)
			if circle {
				list.NextCursor = "c0"
			}
		}
		json.NewEncoder(w).Encode(list)
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestSCIMCursors(t *testing.T) {
	snap, err := openSCIM(t, cursorServer(t, 100, false).URL, nil).Pull(t.Context())
	if err != nil || len(snap.People) != 100 {
		t.Errorf("%d people, %v", len(snap.People), err)
	}
	if _, err := openSCIM(t, cursorServer(t, 100, true).URL, nil).Pull(t.Context()); err == nil || !strings.Contains(err.Error(), "same users again") {
		t.Errorf("a cursor that goes in a circle: %v", err)
	}
}

// Servers that ignore where to go on would be read without end.
func TestSCIMThatNeverEnds(t *testing.T) {
	for name, tc := range map[string]struct{ config, list, want string }{
		"ignores startIndex, with a total":    {"{}", `{"totalResults":250,"Resources":[{"id":"1","userName":"a"},{"id":"2","userName":"b"}]}`, "same users again"},
		"ignores startIndex, without a total": {"{}", `{"Resources":[{"id":"1","userName":"a"}]}`, "same users again"},
		"a new cursor each time, the same page": {`{"pagination":{"cursor":true}}`,
			`{"Resources":[{"id":"1","userName":"a"}],"nextCursor":"%d"}`, "same users again"},
		"a total below zero": {"{}", `{"totalResults":-1,"Resources":[{"id":"1","userName":"a"}]}`, "same users again"},
	} {
		calls := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig") {
				io.WriteString(w, tc.config)
				return
			}
			calls++
			io.WriteString(w, strings.ReplaceAll(tc.list, "%d", strconv.Itoa(calls)))
		}))
		_, err := openSCIM(t, srv.URL, nil).Pull(t.Context())
		if err == nil || !strings.Contains(err.Error(), tc.want) || calls > 10 {
			t.Errorf("%s: %v after %d calls, want %q", name, err, calls, tc.want)
		}
		srv.Close()
	}
}

// A server may refuse the attributes that we ask for.
func TestSCIMWithoutAttributes(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !strings.HasSuffix(r.URL.Path, "/Users"):
			http.NotFound(w, r)
		case r.URL.Query().Has("attributes"):
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"400","scimType":"invalidPath","detail":"unknown attribute"}`)
		default:
			fmt.Fprint(w, `{"totalResults":1,"Resources":[{"id":"1","userName":"ann"}]}`)
		}
	}))
	t.Cleanup(srv.Close)
	snap, err := openSCIM(t, srv.URL, nil).Pull(t.Context())
	if err != nil || len(snap.People) != 1 {
		t.Errorf("%+v, %v", snap, err)
	}
}

// What real servers send beside what the standard says.
func TestSCIMOddUsers(t *testing.T) {
	const body = `{"totalResults":5,"Resources":[
		{"ID":11,"userName":"ann","Active":"True","emails":["ann@x"],"name":"Ann"},
		{"id":"0123456789abcdef0123456789abcdef","userName":"bob","active":"False","displayName":null,"name":{"formatted":""}},
		{"id":"0123456789abcdef0123456789abcdee","userName":"cem","active":null,"emails":[{"value":"a@x"},{"value":"b@x","primary":true}]},
		{"id":"a&amp;b","displayName":"D &amp; E","emails":{"value":"d@x"}},
		{"id":"5","name":{"givenName":"Eve"}}]}`
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Has("count") && strings.HasSuffix(r.URL.Path, "/Users") {
			w.WriteHeader(http.StatusBadRequest) // a page of 100 is too much
			return
		}
		fmt.Fprint(w, body)
	}))
	t.Cleanup(srv.Close)
	snap, err := openSCIM(t, srv.URL, nil).Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []Record{
		{Kind: Person, Ref: "11", Name: "ann"},
		{Kind: Person, Ref: "0123456789abcdef0123456789abcdef", Name: "bob", Inactive: true},
		{Kind: Person, Ref: "0123456789abcdef0123456789abcdee", Name: "cem", Email: "b@x"},
		{Kind: Person, Ref: "a&amp;b", Name: "D &amp; E"},
		{Kind: Person, Ref: "5", Name: "Eve"},
	}
	if !slices.Equal(snap.People, want) {
		t.Errorf("%+v, want %+v", snap.People, want)
	}
}

func TestSCIMFailures(t *testing.T) {
	_, srv := newSCIMServer(t, scimPerson("1", "Ann", ""))
	d := openSCIM(t, srv.URL, func(c *Config) { c.TokenFile = tokenFile(t, "old") })
	if _, err := d.Pull(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "does not let us in (401 Unauthorized): token expired") {
		t.Errorf("%v", err)
	}
	if o := d.Probe(t.Context()); o.Verdict != BadConfig {
		t.Errorf("probe: %+v", o)
	}
	for body, want := range map[string]string{
		`{"totalResults":2,"Resources":[{"id":"1"}]}`:                "changed while it was read, or the server counts its pages otherwise (1 of 2)",
		`{"totalResults":1,"Resources":[{"userName":"no id"}]}`:      "it has no id",
		`{"totalResults":1,"Resources":[{"id":"1"`:                   "not SCIM's JSON",
		"<!doctype html><title>Sign in</title>":                      "web page, such as a login",
		`{"totalResults":1,"Resources":[{"id":"1","active":"yes"}]}`: "can't be read",
	} {
		served := false
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if served && strings.HasSuffix(r.URL.Path, "/Users") && strings.Contains(want, "changed") {
				fmt.Fprint(w, `{"totalResults":2,"Resources":[]}`)
				return
			}
			served = strings.HasSuffix(r.URL.Path, "/Users")
			fmt.Fprint(w, body)
		}))
		_, err := openSCIM(t, srv.URL, nil).Pull(t.Context())
		if !errors.Is(err, ErrOffline) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
		srv.Close()
	}
}

func TestAttributePaths(t *testing.T) {
	u, err := parseScimUser([]byte(`{"id":"1","nickName":"x","emails":[{"type":"home","value":"h"},{"type":"work","value":"w"}],
		"urn:example:2.0:User":{"badgeNumber":42,"badges":[{"type":"gym","value":"1"},{"type":"lab","value":"2"}]}}`))
	if err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		"nickName": "x", "NICKNAME": "x", "emails.value": "h", `emails[type eq "work"].value`: "w", `emails[type eq "work"]`: "w",
		"urn:example:2.0:User:badgeNumber": "42", `urn:example:2.0:User:badges[type eq "lab"].value`: "2",
		`urn:example:2.0:User:badges[type eq "pool"].value`: "", "missing.deep": "", "urn:other:User:x": "",
	} {
		p, err := parseAttrPath(path)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if got := p.find(u); got != want {
			t.Errorf("%s = %q, want %q", path, got, want)
		}
	}
	for _, bad := range []string{"", "a[b]", `a[b co "c"]`, "urn:x:"} {
		if _, err := parseAttrPath(bad); err == nil {
			t.Errorf("%q was taken", bad)
		}
	}
}

// SCIM end to end: a pull makes a pending badge somebody's, the webhook hears
// of the loan, a leaver is suspended when the device is back.
func TestSCIMEndToEnd(t *testing.T) {
	h, srv := newSCIMServer(t, scimPerson("1", "Ann", "91234"), scimPerson("2", "Bob", "7654321"))
	hook := &hookStage{}
	l := openLedger(t, "hook")
	if _, err := l.Apply([]Record{{Kind: Device, Name: "iPad", Tag: ipadTag}}, Asker{"admin", checkout.SourceCLI}); err != nil {
		t.Fatal(err)
	}
	bump(t, l, annBadge, ipadTag) // nobody knows Ann yet
	w, _ := start(t, Options{Directory: openSCIM(t, srv.URL, nil), Webhooks: map[string]Deliverer{"hook": hook}, Outbox: l, Register: l, Backoff: impatient})
	eventually(t, "pulled", func() bool { s, _ := l.L.Subject(bobBadge); return s.Name == "Bob" })
	eventually(t, "webhook told of the loan, and whose it is", func() bool { return len(hook.seqs()) == 2 })
	hook.stage.mu.Lock()
	loan, whose := cloudEvent(hook.stage.told[0], "lab"), cloudEvent(hook.stage.told[1], "lab")
	hook.stage.mu.Unlock()
	if loan.Tag != "…234" || whose.Type != "stump.resolve" || whose.Tag != "…234" || *whose.Data.Person != "Ann" {
		t.Errorf("the webhook was told %+v, then %+v", loan, whose)
	}
	if s, _ := l.L.Subject(ipadTag); s.HolderName != "Ann" {
		t.Errorf("the iPad is with %q, want Ann", s.HolderName)
	}
	h.people = h.people[1:] // Ann leaves with the iPad
	plan, err := w.Pull(t.Context(), false)
	if err != nil || !slices.Contains(plan.Notes, "Ann left the directory and still has 1 device: stays until back") {
		t.Errorf("%+v, %v", plan, err)
	}
	bump(t, l, annBadge, ipadTag)
	if _, err := w.Pull(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	if s, _ := l.L.Subject(annBadge); s.Status != checkout.Suspended {
		t.Errorf("Ann is %v, want suspended", s.Status)
	}
	st, err := w.Status()
	if err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	st.Write(&b, time.Now())
	t.Logf("stump sync says:\n%s", b.String())
}
