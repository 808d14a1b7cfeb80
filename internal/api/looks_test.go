package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"stump/internal/identity"
)

// TestLooks: who looks at another person's loans, history or dossier is listed, by whichever
// way they came; who looks at themselves, at the board or at nobody, and a page that is only
// up to date, is not.
func TestLooks(t *testing.T) {
	s := newWebsite(t)
	bearer := func(name, role string) string {
		var made struct{ Token string }
		s.admin("POST", "/v1/tokens", fmt.Sprintf(`{"name":%q,"role":%q}`, name, role), &made)
		return "Bearer " + made.Token
	}
	tess, kiosk := bearer("tess", "technician"), bearer("hall", "board")
	cookie := "__Host-stump=" + s.o.Access.Login(identity.Principal{Name: "Ben", Role: identity.Admin, Person: "b1"})
	type look struct{ Name, Source, What, Person_id string }
	looks := func() (list []look) {
		t.Helper()
		_, text := ask(s.Server, "GET", "/v1/looks", "")
		for line := range strings.Lines(text) {
			var l look
			if err := json.Unmarshal([]byte(line), &l); err != nil {
				t.Fatal(err)
			}
			list = append(list, l)
		}
		return list
	}
	const html = "text/html"
	for _, tt := range []struct {
		path, who string // who: a token, a cookie, or the socket's admin
		headers   []string
		want      *look
	}{
		{"/v1/people/ann", "socket", nil, &look{"admin", "cli", "loans", "ann"}},
		{"/v1/who?person=Ann", "socket", nil, &look{"admin", "cli", "loans", "ann"}},
		{"/v1/history?person=ann", tess, nil, &look{"tess", "api", "history", "ann"}},
		{"/v1/history", tess, nil, &look{"tess", "api", "history", "*"}},
		{"/v1/people/ann/dossier", cookie, nil, &look{"Ben", "web", "dossier", "ann"}},
		{"/people/ann", cookie, []string{"Accept", html}, &look{"Ben", "web", "history", "ann"}},
		{"/people/ann", cookie, []string{"Accept", html, "Stump-Part", "live"}, nil},
		{"/people/b1", cookie, []string{"Accept", html}, nil},
		{"/v1/history?person=b1", cookie, nil, nil},
		{"/v1/my/history", cookie, nil, nil},
		{"/v1/who", "socket", nil, nil},
		{"/v1/history?device=ipad", tess, nil, nil},
		{"/v1/people/nobody", "socket", nil, nil},
		{"/v1/people/ann", tess, nil, nil}, // which is refused
		{"/v1/who?person=ann", kiosk, nil, nil},
	} {
		before := looks()
		headers := tt.headers
		switch {
		case tt.who == "socket":
			ask(s.Server, "GET", tt.path, "")
		case strings.HasPrefix(tt.who, "Bearer"):
			s.ask("GET", tt.path, "", append(headers, "Authorization", tt.who)...)
		default:
			if w := s.ask("GET", tt.path, "", append(headers, "Cookie", tt.who)...); w.Code != http.StatusOK {
				t.Errorf("%s: %d %s", tt.path, w.Code, w.Body)
			}
		}
		after := looks()
		switch {
		case tt.want == nil && fmt.Sprint(after) != fmt.Sprint(before):
			t.Errorf("%s is listed: %v", tt.path, after)
		case tt.want != nil && (len(after) == 0 || after[0] != *tt.want):
			t.Errorf("%s: %v, want %v", tt.path, after, *tt.want)
		}
	}
	if list := s.o.Access.Looks(); len(list) != 5 || list[len(list)-1].Count != 2 || list[len(list)-1].Name != "admin" {
		t.Errorf("equal looks are not one: %+v", list)
	}
	s.wants("tess asks who looked", s.ask("GET", "/v1/looks", "", "Authorization", tess), 403, "role")
	if _, text := ask(s.Server, "GET", "/v1/looks?q=tess", ""); strings.Count(text, "\n") != 2 || strings.Contains(text, "Ben") {
		t.Errorf("of tess: %s", text)
	}
	// Who is erased is in no list any more, neither as who looked nor as whom they looked at.
	ask(s.Server, "POST", "/v1/return", `{"device":"ipad"}`)
	if status, text := ask(s.Server, "POST", "/v1/people/ann/erase", ""); status != 200 {
		t.Fatalf("%d %s", status, text)
	}
	if list := looks(); len(list) != 1 || list[0].Person_id != "*" {
		t.Errorf("after the erasure: %v", list)
	}
}
