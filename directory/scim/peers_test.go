package scim

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
)

// scimmyHabits is a server that does what SCIMMY does and the standard has not: it
// refuses to be asked for attributes of an extension, it counts 20 rows a page, and
// beyond the end it gives the first page again.
func scimmyHabits(t testing.TB, n int) *httptest.Server {
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		if !strings.HasSuffix(r.URL.Path, "/Users") {
			fmt.Fprint(w, `{"patch":{"supported":true},"filter":{"supported":true,"maxResults":200}}`)
			return
		}
		if strings.Contains(q.Get("attributes"), "urn:") {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprint(w, `{"status":"400","scimType":"invalidValue","detail":"Cannot read properties of undefined (reading 'includes')"}`)
			return
		}
		rows, start := 20, 1
		if c, err := strconv.Atoi(q.Get("count")); err == nil {
			rows = c
		}
		if s, err := strconv.Atoi(q.Get("startIndex")); err == nil {
			start = s
		}
		from := start
		if from > n {
			from = 1
		}
		var users []string
		for i := from; i <= n && len(users) < rows; i++ {
			users = append(users, fmt.Sprintf(`{"id":"%d","userName":"u%[1]d@x","active":true,"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%d"}}`, i, 1000+i))
		}
		fmt.Fprintf(w, `{"Resources":[%s],"startIndex":%d,"itemsPerPage":%d,"totalResults":%d}`, strings.Join(users, ","), start, rows, n)
	}))
	t.Cleanup(srv.Close)
	return srv
}

// pagesAsked counts the pages that are asked for, besides those that are refused.
func pagesAsked(t testing.TB, srv *httptest.Server) *int {
	n, inner := 0, srv.Config.Handler
	srv.Config.Handler = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		rec := httptest.NewRecorder()
		if inner.ServeHTTP(rec, r); rec.Code == http.StatusOK && strings.HasSuffix(strings.ToLower(r.URL.Path), "/users") {
			n++
		}
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
	})
	return &n
}

// said is all that there is to say of a pull. A list that is not whole always says so.
func said(snap call.Snapshot) []string {
	return slices.Concat(snap.BadgeField.Notes, snap.PeopleList.Notes)
}

// All come, once, and there is nothing to say about it: neither of one page nor of
// several. Only a single page that is full may be that of a server which turns none,
// and counts the page.
func TestSCIMBeyondTheEnd(t *testing.T) {
	for n, says := range map[int]string{1: "", 5: "", 20: "", 21: "", 99: "", 100: "the server may have more than it shows", 101: "", 200: "", 250: ""} {
		srv := scimmyHabits(t, n)
		pages := pagesAsked(t, srv)
		snap, err := openSCIM(t, srv.URL, "secret-token").Pull(t.Context())
		notes := strings.Join(said(snap), "; ")
		if err != nil || len(snap.People) != n || (notes != "") != (says != "") || !strings.Contains(notes, says) {
			t.Errorf("%d people: %d came, %v, notes %q, want %q", n, len(snap.People), err, notes, says)
		}
		// The attributes are refused, and not the number of rows. One page more may
		// be asked for, to see that there is none.
		if want := (n + 99) / 100; *pages > want+1 {
			t.Errorf("%d people: %d pages of 100, want %d", n, *pages, want)
		}
	}
}

// entraUsers is Entra ID's own SCIM API, as its reference has it (learn.microsoft.com,
// entra-id-scim-api-reference, 2026-09): names in small letters, cursors only and
// by default, no totals; what it does not know it refuses.
func entraUsers(t testing.TB, n int) *httptest.Server {
	const badges = "urn:ietf:params:scim:schemas:extension:Microsoft:Entra:2.0:CustomSecurityAttributes"
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		fail := func(code int, detail string) {
			w.WriteHeader(code)
			fmt.Fprintf(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:Error"],"detail":%q,"status":"%d"}`, detail, code)
		}
		from, err := strconv.Atoi(strings.TrimPrefix(q.Get("cursor"), "RFNwdAIAAQ"))
		switch {
		case r.Header.Get("Authorization") != "Bearer secret-token":
			fail(http.StatusUnauthorized, "Lifetime validation failed, the token is expired.")
			return
		case !strings.Contains(r.Header.Get("Accept"), "application/json"):
			fail(http.StatusBadRequest, "application/json is missing")
			return
		case strings.EqualFold(r.URL.Path, "/scim/v2/serviceproviderconfig"):
			fmt.Fprint(w, `{"pagination":{"cursor":true,"index":false,"defaultPaginationMethod":"cursor","defaultPageSize":100,"maxPageSize":1000},"patch":{"supported":true},"filter":{"supported":true,"maxResults":200}}`)
			return
		case q.Has("startIndex"), q.Has("cursor") && err != nil:
			fail(http.StatusBadRequest, "BadRequest")
			return
		}
		rows := 100
		if c, err := strconv.Atoi(q.Get("count")); err == nil {
			rows = min(c, 999)
		}
		var users []string
		for i := from; i < n && len(users) < rows; i++ {
			custom := ""
			if strings.Contains(q.Get("attributes"), badges+":Lab") {
				custom = fmt.Sprintf(`,%q:{"Lab":{"badge":"%d"}}`, badges, 7000+i)
			}
			users = append(users, fmt.Sprintf(`{"id":"00000000-eeee-ffff-aaaa-%012[1]d","active":%[2]t,"displayName":"Person %[1]d","userName":"p%[1]d@contoso.example",`+
				`"emails":[{"type":"work","primary":true,"value":"p%[1]d@contoso.example"}],`+
				`"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User":{"employeeNumber":"%[3]d"}%[4]s}`, i, i != 1, 1000+i, custom))
		}
		next := ""
		if from+len(users) < n {
			next = fmt.Sprintf(`"nextCursor":"RFNwdAIAAQ%d",`, from+len(users))
		}
		fmt.Fprintf(w, `{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"itemsPerPage":%d,%s"resources":[%s]}`, rows, next, strings.Join(users, ","))
	}))
	t.Cleanup(srv.Close)
	return srv
}

func TestSCIMOfEntra(t *testing.T) {
	for field, first := range map[string]uint64{
		"": 1000,
		"urn:ietf:params:scim:schemas:extension:Microsoft:Entra:2.0:CustomSecurityAttributes:Lab.badge": 7000,
	} {
		srv := entraUsers(t, 250)
		pages := pagesAsked(t, srv)
		d, err := New(call.API{URL: srv.URL + "/scim/v2", TokenFile: tokenOf(t, "secret-token")}, call.Badges{Field: field}, call.HTTP{Proxy: "none"}, decimal26)
		if err != nil {
			t.Fatal(err)
		}
		snap, err := d.Pull(t.Context())
		if notes := said(snap); err != nil || len(snap.People) != 250 || len(notes) > 0 {
			t.Fatalf("%q: %d people, %v, notes %q", field, len(snap.People), err, notes)
		}
		want := books.SyncRow{Kind: checkout.KindPerson, Ref: "00000000-eeee-ffff-aaaa-000000000001", Name: "Person 1",
			Email: "p1@contoso.example", Tag: testkit.Tag(first+1, 26), Inactive: true}
		if snap.People[1] != want {
			t.Errorf("%q: %+v, want %+v", field, snap.People[1], want)
		}
		// Each call costs the site money.
		if *pages != 3 {
			t.Errorf("%q: %d pages, want 3", field, *pages)
		}
	}
	_, err := openSCIM(t, entraUsers(t, 1).URL, "old").Pull(t.Context())
	if err == nil || !strings.HasSuffix(err.Error(), "denies access (401 Unauthorized): Lifetime validation failed, the token is expired.") {
		t.Errorf("an old token: %v", err)
	}
}
