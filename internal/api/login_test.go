package api

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"stump/internal/api/client"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/identity"
	"stump/internal/signin"
)

// website is a station that is asked over a network, by who is nobody at first.
type website struct {
	*testing.T
	*Server
	now time.Time
	n   int // secrets so far
}

func newWebsite(t *testing.T) *website {
	t.Helper()
	l := newLedger(t)
	seedLab(t, client.Local(newServer(t, l)))
	w := &website{T: t, now: time.Date(2026, 11, 30, 10, 0, 0, 0, time.UTC)}
	now := func() time.Time { return w.now }
	address := "https://stump.lab:8443"
	w.Server = NewServer(Options{
		Ledger: l, Station: "lab", Now: now, Web: func() wire.Web { return wire.Web{URL: &address} },
		Access: identity.Open(t.TempDir(), identity.Options{Now: now, Secret: func() string { w.n++; return fmt.Sprintf("SECRET%d", w.n) }}),
	})
	return w
}

// with starts the station anew, with other options.
func (s *website) with(change func(*Options)) {
	o := s.o
	change(&o)
	s.Server = NewServer(o)
}

// ask sends a request with these headers, from an address.
func (s *website) ask(method, path, body string, headers ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(body))
	for i := 0; i < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	return w
}

func (s *website) form(path string, fields url.Values, headers ...string) *httptest.ResponseRecorder {
	return s.ask("POST", path, fields.Encode(), append(headers, "Content-Type", "application/x-www-form-urlencoded")...)
}

// admin asks as an admin at the socket.
func (s *website) admin(method, path, body string, into any) {
	s.Helper()
	status, answer := ask(s.Server, method, path, body)
	if status != 200 {
		s.Fatalf("%s %s: %d %s", method, path, status, answer)
	}
	if err := json.Unmarshal([]byte(answer), into); err != nil {
		s.Fatal(err)
	}
}

func (s *website) wants(name string, w *httptest.ResponseRecorder, status int, code wire.Code) {
	s.Helper()
	var p wire.Problem
	_ = json.Unmarshal(w.Body.Bytes(), &p)
	if w.Code != status || p.Code != code || code != "" && p.Hint == "" {
		s.Errorf("%s: %d %s, want %d %s", name, w.Code, w.Body, status, code)
	}
}

// TestBearer: a script does what its token's role may, by its name.
func TestBearer(t *testing.T) {
	s := newWebsite(t)
	bearer := map[string]string{}
	for name, role := range map[string]string{"see": "staff", "ci": "admin"} {
		var made wire.MadeToken
		s.admin("POST", "/v1/tokens", fmt.Sprintf(`{"name":%q,"role":%q}`, name, role), &made)
		if made.Name != name || made.Role.String() != role || made.By != "admin" || !strings.HasPrefix(made.Secret, "stump_") {
			t.Errorf("made %+v", made)
		}
		bearer[name] = "Bearer " + made.Secret
	}
	s.wants("nobody", s.ask("GET", "/v1/who", ""), 401, wire.CodeNoLogin)
	s.wants("staff", s.ask("GET", "/v1/who", "", "Authorization", bearer["see"]), 200, "")
	s.wants("in small letters", s.ask("GET", "/v1/who", "", "Authorization", strings.Replace(bearer["see"], "Bearer", "bearer", 1)), 200, "")
	s.wants("staff gives", s.ask("POST", "/v1/give", `{}`, "Authorization", bearer["see"]), 403, wire.CodeRole)
	s.wants("an unknown one", s.ask("GET", "/v1/who", "", "Authorization", "Bearer stump_X"), 401, wire.CodeNoLogin)
	s.wants("a password", s.ask("GET", "/v1/who", "", "Authorization", "Basic YTpi"), 401, wire.CodeNoLogin)
	w := s.ask("POST", "/v1/return", `{"device":"ipad"}`, "Authorization", bearer["ci"])
	if !strings.Contains(w.Body.String(), `"actor":"ci"`) || !strings.Contains(w.Body.String(), `"source":"api"`) {
		t.Errorf("a token returns: %d %s", w.Code, w.Body)
	}
	s.wants("an admin's token is a fresh login", s.ask("GET", "/v1/people/b1/dossier", "", "Authorization", bearer["ci"]), 200, "")

	_, list := ask(s.Server, "GET", "/v1/tokens", "")
	if strings.Count(list, "\n") != 2 || strings.Contains(list, "SECRET") || !strings.Contains(list, `"role":"staff"`) || strings.Contains(list, "hash") {
		t.Errorf("listed: %s", list)
	}
	_, refused := ask(s.Server, "GET", "/v1/refusals", "")
	for _, want := range []string{
		`"what":"role","name":"see","address":"192.0.2.1","call":"POST /v1/give","needs":"admin"`, `"what":"token","name":"","address":"192.0.2.1","call":"GET /v1/who"`,
	} {
		if !strings.Contains(refused, want) {
			t.Errorf("the refusals lack %s: %s", want, refused)
		}
	}
	var none struct{}
	s.admin("DELETE", "/v1/tokens/see", "", &none)
	s.wants("revoked", s.ask("GET", "/v1/who", "", "Authorization", bearer["see"]), 401, wire.CodeNoLogin)
	for _, tt := range []struct {
		method, path, body string
		status             int
		code               wire.Code
	}{
		{"DELETE", "/v1/tokens/see", "", 404, wire.CodeNotFound},
		{"POST", "/v1/tokens", `{"name":"ci","role":"staff"}`, 409, wire.CodeExists},
		{"POST", "/v1/tokens", `{"name":"x","role":"root"}`, 400, wire.CodeInvalid},
		{"POST", "/v1/tokens", `{"name":"","role":"staff"}`, 400, wire.CodeInvalid},
		{"POST", "/v1/tokens", `{"name":"x","role":"staff","expires":"2020-01-01T00:00:00Z"}`, 400, wire.CodeInvalid},
	} {
		w := s.ask(tt.method, tt.path, tt.body, "Authorization", bearer["ci"])
		s.wants(tt.method+" "+tt.body, w, tt.status, tt.code)
	}
}

// TestTooOften: who fails again and again is told to wait, and who has a token is not.
func TestTooOften(t *testing.T) {
	s := newWebsite(t)
	var made wire.MadeToken
	s.admin("POST", "/v1/tokens", `{"name":"see","role":"staff"}`, &made)
	for i := range identity.TokenFailures {
		s.wants("at first", s.ask("GET", "/v1/who", "", "Authorization", fmt.Sprint("Bearer ", i)), 401, wire.CodeNoLogin)
	}
	w := s.ask("GET", "/v1/who", "", "Authorization", "Bearer x")
	s.wants("too often", w, 429, wire.CodeTooOften)
	if w.Header().Get("Retry-After") != "60" {
		t.Errorf("to wait: %q", w.Header().Get("Retry-After"))
	}
	s.wants("a right one", s.ask("GET", "/v1/who", "", "Authorization", "Bearer "+made.Secret), 200, "")
	for range identity.LoginFailures {
		w = s.form("/login", url.Values{"secret": {"x"}})
		if w.Code != 401 || !strings.Contains(w.Body.String(), `<div role="alert" tabindex="-1" autofocus><p>The link is used up`) || !strings.Contains(w.Body.String(), "<form") {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	if w = s.form("/login", url.Values{"secret": {"x"}}); w.Code != 429 || w.Header().Get("Retry-After") != "60" || w.Result().Cookies() != nil && len(w.Result().Cookies()) > 0 {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	s.now = s.now.Add(time.Minute)
	if w = s.form("/login", url.Values{"secret": {"x"}}); w.Code != 401 {
		t.Errorf("a minute later: %d", w.Code)
	}
}

// TestLogin: a link makes a browser an admin's, once; what is dangerous wants a new one
// after a while.
func TestLogin(t *testing.T) {
	s := newWebsite(t)
	link := func() string {
		var l wire.Link
		s.admin("POST", "/v1/web/admin-link", "", &l)
		page, secret, ok := strings.Cut(l.URL, "#")
		if !ok || page != "https://stump.lab:8443/login" || l.Expires != s.now.Add(10*time.Minute) {
			t.Fatalf("%+v", l)
		}
		return secret
	}
	if w := s.ask("GET", "/login", ""); w.Code != 200 || !strings.Contains(w.Body.String(), `<form id="login" method="post" action="/login">`) || !strings.Contains(w.Body.String(), `name="secret"`) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if w := s.ask("GET", "/login.js", ""); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Type"), "text/javascript") {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	secret := link()
	w := s.form("/login", url.Values{"secret": {secret}})
	cookies := w.Result().Cookies()
	if w.Code != 303 || len(cookies) != 1 {
		t.Fatalf("%d %v", w.Code, w.Header())
	}
	if c := cookies[0]; !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteLaxMode || c.Path != "/" || c.Domain != "" || c.MaxAge != 7*24*3600 || strings.Contains(c.Value, secret) {
		t.Errorf("the cookie is %+v", c)
	}
	in := []string{"Cookie", door.Session + "=" + cookies[0].Value}
	if w := s.form("/login", url.Values{"secret": {secret}}); w.Code != 401 || len(w.Result().Cookies()) != 0 {
		t.Errorf("the link works twice: %d", w.Code)
	}
	if w := s.ask("GET", "/login", "", in...); !strings.Contains(w.Body.String(), "logged in as admin, with the role admin") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.wants("as an admin", s.ask("GET", "/v1/people", "", in...), 200, "")
	s.wants("just logged in", s.ask("GET", "/v1/people/b1/dossier", "", in...), 200, "")
	if w := s.ask("POST", "/v1/return", `{"device":"ipad"}`, in...); !strings.Contains(w.Body.String(), `"actor":"admin"`) || !strings.Contains(w.Body.String(), `"source":"web"`) {
		t.Errorf("a browser returns: %d %s", w.Code, w.Body)
	}
	s.now = s.now.Add(15 * time.Minute)
	s.wants("a while later", s.ask("GET", "/v1/people", "", in...), 200, "")
	s.wants("what is dangerous", s.ask("GET", "/v1/people/b1/dossier", "", in...), 403, wire.CodeStaleLogin)

	// A new login ends the old session, and so does a logout.
	w = s.form("/login", url.Values{"secret": {link()}}, in...)
	s.wants("the old session", s.ask("GET", "/v1/people", "", in...), 401, wire.CodeNoLogin)
	in = []string{"Cookie", door.Session + "=" + w.Result().Cookies()[0].Value}
	s.wants("the new one", s.ask("GET", "/v1/people/b1/dossier", "", in...), 200, "")
	w = s.form("/logout", nil, in...)
	if c := w.Result().Cookies(); w.Code != 303 || len(c) != 1 || c[0].MaxAge != -1 || c[0].Value != "" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	s.wants("logged out", s.ask("GET", "/v1/people", "", in...), 401, wire.CodeNoLogin)

	late := link()
	s.now = s.now.Add(10 * time.Minute)
	if w := s.form("/login", url.Values{"secret": {late}}); w.Code != 401 {
		t.Errorf("ten minutes later: %d", w.Code)
	}
	if w := s.form("/login", url.Values{"secret": {strings.Repeat("x", 5000)}}); w.Code != 400 || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("a large form: %d %s", w.Code, w.Body)
	}
}

// TestNoWeb: without an address there is no link.
func TestNoWeb(t *testing.T) {
	s := newWebsite(t)
	s.o.Web = nil
	if status, answer := ask(s.Server, "POST", "/v1/web/admin-link", ""); status != 409 || !strings.Contains(answer, `"code":"no-web"`) {
		t.Errorf("%d %s", status, answer)
	}
	var w wire.Web
	if s.admin("GET", "/v1/web", "", &w); w != (wire.Web{}) {
		t.Errorf("%+v", w)
	}
}

// TestSignIn: who has a role at the provider gets in by their name, once it has sent them
// back to the browser in which they began.
func TestSignIn(t *testing.T) {
	var nonce string
	claims := map[string]any{"sub": "1", "email": "B@lab.example", "email_verified": true, "groups": "lab"}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		claims["nonce"], claims["exp"] = nonce, time.Now().Add(time.Minute).Unix()
		body, _ := json.Marshal(claims)
		fmt.Fprintf(w, `{"access_token":"A","id_token":"e30.%s."}`, base64.RawURLEncoding.EncodeToString(body))
	})
	provider := httptest.NewTLSServer(mux)
	defer provider.Close()
	mux.HandleFunc("GET /.well-known/openid-configuration", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, `{"issuer":%q,"authorization_endpoint":%[1]q,"token_endpoint":"%[1]s/token"}`, provider.URL)
	})
	claims["iss"], claims["aud"] = provider.URL, "stump"

	s := newWebsite(t)
	if w := s.ask("GET", "/login/sso", ""); w.Code != 404 || strings.Contains(s.ask("GET", "/login", "").Body.String(), "/login/sso") {
		t.Errorf("without a provider: %d", w.Code)
	}
	var none struct{}
	s.admin("PATCH", "/v1/people/b1", `{"email":"b@lab.example"}`, &none)
	c := signin.Config{Issuer: provider.URL, ClientID: "stump", Roles: map[string]string{"technician": "lab"}}
	known := func(o *Options) {
		o.SignIn = signin.New(c, "https://stump.lab:8443/login/callback", provider.Client().Transport, nil)
	}
	s.with(known)
	if w := s.ask("GET", "/login", ""); !strings.Contains(w.Body.String(), `href="/login/sso"`) {
		t.Errorf("the page has no way to the provider: %s", w.Body)
	}
	begin := func() (state string, in []string) {
		w := s.ask("GET", "/login/sso", "")
		to, err := url.Parse(w.Header().Get("Location"))
		cookies := w.Result().Cookies()
		if err != nil || w.Code != 303 || "https://"+to.Host != provider.URL || len(cookies) != 1 || cookies[0].MaxAge != 600 || !cookies[0].HttpOnly || !cookies[0].Secure {
			t.Fatalf("%d %v", w.Code, w.Header())
		}
		nonce = to.Query().Get("nonce")
		return to.Query().Get("state"), []string{"Cookie", cookies[0].Name + "=" + cookies[0].Value}
	}
	state, in := begin()
	w := s.ask("GET", "/login/callback?code=C&state="+state, "", in...)
	cookies := w.Result().Cookies()
	if w.Code != 303 || len(cookies) != 2 || cookies[0].MaxAge != -1 || cookies[1].Name != door.Session {
		t.Fatalf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	who, err := s.o.Access.Session(cookies[1].Value)
	state, in = begin()
	w = s.ask("GET", "/login/callback?code=C&state="+state, "", "Cookie", in[1]+"; "+jar(t, s.ask("GET", "/reservations?x=1", "", "Accept", "text/html"), door.Wanted)[1])
	if w.Header().Get("Location") != "/reservations?x=1" {
		t.Errorf("the page that was wanted: %d %v", w.Code, w.Header())
	}
	if err != nil || who.Name != "B@lab.example" || who.Role != identity.Technician || who.Person != "b1" || !who.Fresh {
		t.Errorf("%+v, %v", who, err)
	}
	for name, tt := range map[string]struct {
		change  func()
		path    string
		headers []string
		status  int
	}{
		"in another browser": {func() {}, "?code=C&state=" + state, nil, 403},
		"another state":      {func() {}, "?code=C&state=x", in, 403},
		"refused there":      {func() {}, "?error=access_denied&state=" + state, in, 403},
		"no group":           {func() { claims["groups"] = "chess" }, "?code=C&state=" + state, in, 403},
		"for another":        {func() { claims["aud"] = "other" }, "?code=C&state=" + state, in, 502},
	} {
		old := maps.Clone(claims)
		tt.change()
		w := s.ask("GET", "/login/callback"+tt.path, "", tt.headers...)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), `role="alert"`) || len(w.Result().Cookies()) != 1 || strings.Contains(w.Body.String(), provider.URL) {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
		maps.Copy(claims, old)
	}
	provider.Close()
	s.with(known)
	if w := s.ask("GET", "/login/sso", ""); w.Code != 502 || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("away: %d %s", w.Code, w.Body)
	}
}
