package scim

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/elimity-com/scim"
	"github.com/elimity-com/scim/optional"
	"github.com/elimity-com/scim/schema"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
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

// tokenOf writes a token as an admin does, with a line end.
func tokenOf(t testing.TB, token string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

func openSCIM(t testing.TB, base, token string) *SCIM {
	t.Helper()
	d, err := New(call.API{URL: base + "/scim/v2/", TokenFile: tokenOf(t, token)}, call.Badges{}, call.HTTP{Proxy: "none"}, decimal26)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// decimal26 reads a plain decimal as 26 bits.
func decimal26(s string) (checkout.Tag, error) {
	v, err := strconv.ParseUint(s, 10, 26)
	return testkit.Tag(v, 26), err
}

func TestSCIMPull(t *testing.T) {
	ann := scimPerson("2819", "Ann", "91234")
	bob := scim.ResourceAttributes{"id": "3", "userName": "bob", "name": map[string]any{"givenName": "Bob", "familyName": "Ross"},
		"active": false, "emails": []any{map[string]any{"value": "b@home"}, map[string]any{"value": "b@work", "primary": true}}}
	eve := scim.ResourceAttributes{"id": "4", "userName": "eve"}
	_, srv := newSCIMServer(t, ann, bob, eve)
	snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []books.SyncRow{
		{Kind: checkout.KindPerson, Ref: "2819", Name: "Ann", Tag: testkit.Tag(91234, 26)},
		{Kind: checkout.KindPerson, Ref: "3", Name: "Bob Ross", Email: "b@work", Inactive: true},
		{Kind: checkout.KindPerson, Ref: "4", Name: "eve"},
	}
	if !slices.Equal(snap.People, want) || !snap.HasPeople || snap.HasDevices {
		t.Errorf("%+v, want people %+v", snap, want)
	}
}

// Groups come by the attribute of users, those that matter here; who has none is in none
// where others are in some. Where nobody has any, nothing is known, and that is said.
func TestSCIMGroups(t *testing.T) {
	in := func(id string, names ...string) scim.ResourceAttributes {
		u, all := scimPerson(id, "P "+id, ""), []any{}
		for _, name := range names {
			all = append(all, map[string]any{"value": "key of " + name, "display": name})
		}
		if names != nil {
			u["groups"] = all
		}
		return u
	}
	pull := func(wanted checkout.Groups, people ...scim.ResourceAttributes) (got []string, notes []string) {
		_, srv := newSCIMServer(t, people...)
		d := openSCIM(t, srv.URL, "secret-token")
		d.Wanted = wanted
		snap, err := d.Pull(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range snap.People {
			got = append(got, fmt.Sprint(p.HasGroups, " ", p.Groups()))
		}
		return got, snap.PeopleList.Notes
	}
	got, notes := pull("trained\nkey of crew", in("1", "Trained", "all staff"), in("2"), in("3", "crew"))
	if fmt.Sprint(got) != "[true Trained true  true key of crew]" || notes != nil {
		t.Errorf("%q, %q", got, notes)
	}
	got, notes = pull("trained", in("1"), in("2"))
	if fmt.Sprint(got) != "[false  false ]" || len(notes) != 1 {
		t.Errorf("nobody has groups: %q, %q", got, notes)
	}
	if !strings.HasPrefix(notes[0], "SCIM says of nobody in which groups they are (attribute groups), and its list of groups can't be read, ") {
		t.Errorf("%q", notes)
	}
	got, notes = pull("", in("1", "Trained"))
	if fmt.Sprint(got) != "[false ]" || notes != nil {
		t.Errorf("no group matters: %q, %q", got, notes)
	}
}

// A server may list groups apart from users (RFC 7643, 4.2). Unless all of them can be read,
// nothing is known of groups.
func TestSCIMGroupsApart(t *testing.T) {
	group := func(id, name string, people ...string) string {
		var members []string
		for _, p := range people {
			kind, key, _ := strings.Cut(p, " ")
			members = append(members, fmt.Sprintf(`{"value":%q,"$ref":"https://x/scim/v2/%ss/%[1]s","type":%[2]q}`, key, kind))
		}
		return fmt.Sprintf(`{"id":%q,"displayName":%q,"members":[%s]}`, id, name, strings.Join(members, ","))
	}
	many := []string{"User 1", "User 3"}
	for i := range 4000 {
		many = append(many, fmt.Sprintf("User %036d", 100+i))
	}
	for name, c := range map[string]struct {
		groups []string
		status int // in place of a list
		want   string
	}{
		"three":              {groups: []string{group("g1", "Trained", "User 1", "User 2"), group("g2", "all staff", "User 1"), group("crew", "The crew", "User 2")}, want: "1 Trained, 2 crew+Trained, 3"},
		"a long one":         {groups: []string{group("g1", "trained", many...)}, want: "1 trained, 2, 3 trained"},
		"one that is nested": {groups: []string{group("g1", "trained", "User 1", "Group g2"), group("g2", "x", "User 2")}, want: "1 trained, 2, 3; the group trained has groups in it: whoever is only in these is not seen as one of it"},
		"none matters":       {groups: []string{group("g1", "x", "User 1")}, want: "1, 2, 3"},
		"none":               {want: "?; SCIM says of nobody in which groups they are (attribute groups), and lists no groups: who was in one stays in it"},
		"too long":           {groups: []string{group("g1", "trained", slices.Concat(many, many, many)...), group("g2", "crew", "User 1")}, want: "?"},
		"no such list":       {status: http.StatusNotFound, want: "?; SCIM says of nobody in which groups they are (attribute groups), and its list of groups can't be read, "},
		"not for us":         {status: http.StatusForbidden, want: "?; SCIM says of nobody in which groups they are (attribute groups), and its list of groups can't be read, "},
		"broken":             {status: http.StatusInternalServerError, want: "?; SCIM says of nobody in which groups they are (attribute groups), and its list of groups can't be read, "},
	} {
		_, srv := newSCIMServer(t, scimPerson("1", "P", ""), scimPerson("2", "P", ""), scimPerson("3", "P", ""))
		inner := srv.Config.Handler
		srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			switch {
			case !strings.HasSuffix(r.URL.Path, "/Groups"):
				inner.ServeHTTP(w, r)
			case c.status != 0:
				w.WriteHeader(c.status)
			case r.URL.Query().Get("startIndex") == "1":
				fmt.Fprintf(w, `{"totalResults":%d,"Resources":[%s]}`, len(c.groups), strings.Join(c.groups, ","))
			default:
				fmt.Fprintf(w, `{"totalResults":%d,"Resources":[]}`, len(c.groups))
			}
		})
		d := openSCIM(t, srv.URL, "secret-token")
		d.Wanted = "crew\ntrained"
		snap, err := d.Pull(t.Context())
		if err != nil || len(snap.People) != 3 {
			t.Fatalf("%s: %d people, %v", name, len(snap.People), err)
		}
		var all []string
		for _, p := range snap.People {
			all = append(all, strings.TrimSpace(p.Ref+" "+strings.ReplaceAll(string(p.Groups()), "\n", "+")))
		}
		got := strings.Join(all, ", ")
		if !snap.People[0].HasGroups {
			got = "?"
		}
		if got = strings.Join(append([]string{got}, snap.PeopleList.Notes...), "; "); got != c.want && !(strings.HasPrefix(c.want, "?") && strings.HasPrefix(got, c.want)) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}

// Who is written to in which language, by preferredLanguage alone.
func TestSCIMLanguage(t *testing.T) {
	var people []scim.ResourceAttributes
	for i, list := range []string{"", "de-AT", "it", "fr-CH, en;q=0.8"} {
		p := scimPerson(strconv.Itoa(i), "P", "")
		p["locale"] = "es-ES"
		if list != "" {
			p["preferredLanguage"] = list
		}
		people = append(people, p)
	}
	_, srv := newSCIMServer(t, people...)
	snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []checkout.Language
	for _, p := range snap.People {
		got = append(got, p.Language)
	}
	if want := []checkout.Language{"", "de", "", "fr"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
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
		snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
		if err != nil || len(snap.People) != 250 {
			t.Errorf("pages of %d: %d people, %v", most, len(snap.People), err)
		}
	}
}

// cursorServer pages as RFC 9865 has it, and knows no startIndex.
func cursorServer(t testing.TB, n int, circle bool) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/ServiceProviderConfig") {
			fmt.Fprint(w, `{"pagination":{"cursor":true,"index":true,"defaultPaginationMethod":"index"}}`)
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
	snap, err := openSCIM(t, cursorServer(t, 100, false).URL, "secret-token").Pull(t.Context())
	if err != nil || len(snap.People) != 100 {
		t.Errorf("%d people, %v", len(snap.People), err)
	}
	if snap, err := openSCIM(t, cursorServer(t, 100, true).URL, "secret-token").Pull(t.Context()); err != nil || len(snap.People) != 40 || !snap.PeopleList.Partial {
		t.Errorf("a cursor that goes in a circle: %d people, %v", len(snap.People), err)
	}
}

// Servers that ignore where to go on would be read without end.
func TestSCIMThatNeverEnds(t *testing.T) {
	for name, tc := range map[string]struct {
		config, list string
		people       int
		partial      bool
	}{
		"ignores startIndex, with a total":    {"{}", `{"totalResults":250,"Resources":[{"id":"1","userName":"a"},{"id":"2","userName":"b"}]}`, 2, true},
		"ignores startIndex, without a total": {"{}", `{"Resources":[{"id":"1","userName":"a"}]}`, 1, false},
		"a new cursor each time, the same page": {`{"pagination":{"cursor":true}}`,
			`{"Resources":[{"id":"1","userName":"a"}],"nextCursor":"%d"}`, 1, true},
		"a total below zero": {"{}", `{"totalResults":-1,"Resources":[{"id":"1","userName":"a"}]}`, 1, false},
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
		snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
		if err != nil || len(snap.People) != tc.people || snap.PeopleList.Partial != tc.partial || calls > 10 {
			t.Errorf("%s: %+v, %v after %d calls, want %d people, partial %v", name, snap, err, calls, tc.people, tc.partial)
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
	snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
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
	snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []books.SyncRow{
		{Kind: checkout.KindPerson, Ref: "11", Name: "ann"},
		{Kind: checkout.KindPerson, Ref: "0123456789abcdef0123456789abcdef", Name: "bob", Inactive: true},
		{Kind: checkout.KindPerson, Ref: "0123456789abcdef0123456789abcdee", Name: "cem", Email: "b@x"},
		{Kind: checkout.KindPerson, Ref: "a&amp;b", Name: "D &amp; E"},
		{Kind: checkout.KindPerson, Ref: "5", Name: "Eve"},
	}
	if !slices.Equal(snap.People, want) {
		t.Errorf("%+v, want %+v", snap.People, want)
	}
}

func TestSCIMFailures(t *testing.T) {
	_, srv := newSCIMServer(t, scimPerson("1", "Ann", ""))
	d := openSCIM(t, srv.URL, "old")
	if _, err := d.Pull(t.Context()); err == nil || !strings.HasSuffix(err.Error(), "denies access (401 Unauthorized): token expired") {
		t.Errorf("%v", err)
	}
	if o := d.Probe(t.Context()); o.Verdict != call.BadConfig {
		t.Errorf("probe: %+v", o)
	}
	for body, want := range map[string]string{
		`{"totalResults":1,"Resources":[{"id":"1"`: "not SCIM's JSON",
		`{"hello":1}`:                           "not SCIM's JSON",
		"<!doctype html><title>Sign in</title>": "web page, such as a login",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, body) }))
		_, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
		if !errors.Is(err, call.ErrOffline) || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", body, err, want)
		}
		srv.Close()
	}
}

// One user who can't be read costs only a note.
func TestSCIMUsers(t *testing.T) {
	for user, is := range map[string]string{ // "active", "inactive", or part of the note
		`{"id":"2","userName":"ben"}`:                                "active",
		`{"id":"2","userName":"ben","active":null}`:                  "active",
		`{"id":"2","userName":"ben","active":1}`:                     "active",
		`{"id":"2","userName":"ben","active":1.0}`:                   "active",
		`{"id":"2","userName":"ben","active":"1"}`:                   "active",
		`{"id":"2","userName":"ben","active":"True"}`:                "active",
		`{"id":"2","userName":"ben","active":" yes "}`:               "active",
		`{"id":"2","userName":"ben","active":0}`:                     "inactive",
		`{"id":"2","userName":"ben","active":"FALSE"}`:               "inactive",
		`{"id":"2","userName":"ben","active":"no"}`:                  "inactive",
		`{"id":2,"userName":"ben","active":""}`:                      "2 (ben is neither active nor not)",
		`{"id":"2","userName":"ben","active":"maybe"}`:               "2 (ben is neither active nor not)",
		`{"id":"2","userName":"ben","active":{"value":true}}`:        "2 (ben is neither active nor not)",
		`{"id":"2","active":2}`:                                      "2 (it is neither active nor not)",
		`{"id":null,"userName":"ben"}`:                               "the 2. of page 1 (it has no id)",
		`{"id":{},"userName":"ben"}`:                                 "the 2. of page 1 (it has no id)",
		`{"userName":"ben"}`:                                         "the 2. of page 1 (it has no id)",
		`"ben"`:                                                      "the 2. of page 1 (it is not an object)",
		`null`:                                                       "the 2. of page 1 (it has no id)",
		`{"id":"2","userName":"` + strings.Repeat("b", 1<<17) + `"}`: "2 (it is too long)",
	} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Query().Get("startIndex") != "1" {
				fmt.Fprint(w, `{"totalResults":3}`)
				return
			}
			fmt.Fprintf(w, `{"totalResults":3,"Resources":[{"id":"1","userName":"ann"},%s,{"id":"3","userName":"cem"}]}`, user)
		}))
		snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
		srv.Close()
		notes := strings.Join(snap.PeopleList.Notes, "; ")
		switch {
		case err != nil || snap.PeopleList.Broken || snap.People[0].Ref != "1" || snap.People[len(snap.People)-1].Ref != "3":
			t.Errorf("%.60s: %+v, %v", user, snap, err)
		case is == "active" || is == "inactive":
			if len(snap.People) != 3 || snap.People[1].Inactive != (is == "inactive") || notes != "" {
				t.Errorf("%.60s: %+v, notes %q, want it %s", user, snap.People, notes, is)
			}
		case len(snap.People) != 2 || !strings.Contains(notes, is) || snap.PeopleList.Unread["2"] == strings.Contains(is, "page") || snap.PeopleList.Partial == snap.PeopleList.Unread["2"]:
			t.Errorf("%.60s: %+v, notes %q, want %q", user, snap.PeopleList, notes, is)
		}
	}
}

// Numbers as ids are not rounded.
func TestSCIMLongIDs(t *testing.T) {
	_, srv := newSCIMServer(t)
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, `{"Resources":[{"id":9007199254740993,"userName":"a"},{"id":9007199254740992,"userName":"b"},{"id":3.0,"userName":"c"}]}`)
	})
	snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
	if err != nil || len(snap.People) != 3 || snap.People[0].Ref != "9007199254740993" || snap.People[2].Ref != "3" {
		t.Errorf("%+v, %v", snap, err)
	}
}

// A badge field that nobody has is said, with those that there are, although only
// the one that is configured is asked for.
func TestSCIMFieldThatNobodyHas(t *testing.T) {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		more := `,"employeeNumber":"7","urn:x:User":{"badges":[{"value":"9"}],"badge":"8"}`
		if q.Has("attributes") {
			more = ""
		}
		if q.Get("startIndex") != "1" {
			fmt.Fprint(w, `{"totalResults":1}`)
			return
		}
		fmt.Fprintf(w, `{"totalResults":1,"Resources":[{"id":"1","userName":"ann"%s}]}`, more)
	}))
	defer srv.Close()
	snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
	const want = "the only person has nothing in badge_field " + employeeNumber + "; there are: employeeNumber, "
	if err != nil || len(snap.BadgeField.Notes) != 1 || !strings.HasPrefix(snap.BadgeField.Notes[0], want) || !strings.HasSuffix(snap.BadgeField.Notes[0], ": is employeeNumber meant?") || !strings.Contains(snap.BadgeField.Notes[0], "urn:x:User:badge") {
		t.Errorf("%q, %v", snap.BadgeField.Notes, err)
	}
}

func TestAttributePaths(t *testing.T) {
	u, err := parseUser([]byte(`{"id":"1","nickName":"x","emails":[{"type":"home","value":"h"},{"type":"work","value":"w"}],
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

// FuzzAttributePath: what is taken can be asked for and looked up.
func FuzzAttributePath(f *testing.F) {
	f.Add(employeeNumber)
	f.Add(`urn:a:b[type eq "x"].value`)
	f.Add("[].]")
	f.Fuzz(func(t *testing.T, s string) {
		p, err := parseAttrPath(s)
		if err != nil {
			return
		}
		if p.name() == "" {
			t.Errorf("%q asks for nothing", s)
		}
		p.find(user{"a": []any{map[string]any{"b": 1.0}}})
	})
}

// FuzzUsers: whatever a server sends for a user is read without a panic.
func FuzzUsers(f *testing.F) {
	for _, s := range []string{`{"id":"1"}`, `{"id":1,"emails":[1],"name":"x"}`, "null", "[]", `"x"`} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(_ *testing.T, raw []byte) {
		if u, err := parseUser(raw); err == nil {
			u.row()
		}
	})
}
