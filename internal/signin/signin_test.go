package signin

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/internal/hint"
	"stump/internal/identity"
)

var config = Config{ClientID: "stump", Roles: map[string]string{"admin": "lab-admins", "technician": "lab-tech", "staff": "everybody"}}

// TestWho: which claims make whom.
func TestWho(t *testing.T) {
	badge := config
	badge.PersonClaim, badge.RolesClaim = "employee", "roles"
	for name, tt := range map[string]struct {
		c      Config
		claims string
		want   Who
	}{
		"an admin":                            {config, `{"sub":"1","email":"ann@x","email_verified":true,"groups":["everybody","lab-admins","chess"]}`, Who{"ann@x", identity.Admin, "", "ann@x"}},
		"one word":                            {config, `{"sub":"1","email":"ann@x","email_verified":true,"groups":"lab-tech"}`, Who{"ann@x", identity.Technician, "", "ann@x"}},
		"an address that nobody has verified": {config, `{"sub":"1","email":"ann@x","groups":["everybody"],"preferred_username":"ann"}`, Who{"ann", identity.Staff, "", ""}},
		"verified as a word":                  {config, `{"sub":"1","email":"ann@x","email_verified":"true","groups":["everybody"]}`, Who{"1", identity.Staff, "", ""}},
		"other claims":                        {badge, `{"sub":"1","email":"ann@x","email_verified":true,"roles":["everybody"],"employee":"e7"}`, Who{"ann@x", identity.Staff, "e7", ""}},
		"no group of ours":                    {config, `{"sub":"1","email":"ann@x","email_verified":true,"groups":["Lab-Admins","admin",7]}`, Who{}},
		"no groups":                           {config, `{"sub":"1"}`, Who{}},
		"groups in another claim":             {badge, `{"sub":"1","groups":["lab-admins"]}`, Who{}},
	} {
		var claims map[string]any
		if err := json.Unmarshal([]byte(tt.claims), &claims); err != nil {
			t.Fatal(err)
		}
		got, err := tt.c.who(claims)
		if tt.want.Role == identity.None && !errors.Is(err, ErrNoRole) || tt.want.Role != identity.None && (err != nil || got != tt.want) {
			t.Errorf("%s: %+v, %v, want %+v", name, got, err, tt.want)
		}
	}
	empty := config
	empty.Roles = map[string]string{"admin": ""}
	if who, err := empty.who(map[string]any{"groups": []any{""}}); err == nil {
		t.Errorf("a group without a name makes %+v", who)
	}
}

// double is a provider whose answers can be changed.
type double struct {
	*httptest.Server
	places, claims, info map[string]any
	asked                url.Values // of the token
	basic                string
	status               int
}

func newDouble(t *testing.T) (*double, *Provider) {
	t.Helper()
	d := &double{status: 200}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, v any) { _ = json.NewEncoder(w).Encode(v) }
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { answer(w, d.places) })
	mux.HandleFunc("POST /token", func(w http.ResponseWriter, r *http.Request) {
		_ = r.ParseForm()
		d.asked = r.PostForm
		user, password, _ := r.BasicAuth()
		if d.basic = user + ":" + password; d.status != 200 {
			w.WriteHeader(d.status)
			answer(w, map[string]string{"error": "invalid_grant"})
			return
		}
		body, _ := json.Marshal(d.claims)
		answer(w, map[string]string{"access_token": "A", "id_token": "e30." + base64.RawURLEncoding.EncodeToString(body) + ".sig"})
	})
	mux.HandleFunc("/me", func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer A" {
			w.WriteHeader(401)
		}
		answer(w, d.info)
	})
	d.Server = httptest.NewTLSServer(mux)
	t.Cleanup(d.Close)
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("s e:cret\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d.places = map[string]any{"issuer": d.URL, "authorization_endpoint": d.URL + "/auth?x=1", "token_endpoint": d.URL + "/token", "userinfo_endpoint": d.URL + "/me"}
	c := config
	c.Issuer, c.SecretFile = d.URL, secret
	return d, New(c, "https://stump.lab/login/callback", d.Client().Transport, func() time.Time { return time.Unix(1_000_000, 0) })
}

// begin begins a login and returns what goes to the provider.
func begin(t *testing.T, p *Provider) (sent url.Values, cookie string) {
	t.Helper()
	address, cookie, err := p.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return u.Query(), cookie
}

// TestFlow: a login, and how each of its steps can be false.
func TestFlow(t *testing.T) {
	d, p := newDouble(t)
	sent, cookie := begin(t, p)
	for name, want := range map[string]string{
		"response_type": "code", "client_id": "stump", "redirect_uri": "https://stump.lab/login/callback", "scope": "openid email profile",
		"code_challenge_method": "S256", "x": "1",
	} {
		if sent.Get(name) != want {
			t.Errorf("%s is %q, want %q", name, sent.Get(name), want)
		}
	}
	good := map[string]any{
		"iss": d.URL, "sub": "1", "aud": "stump", "exp": 1_000_060, "nonce": sent.Get("nonce"), "groups": []string{"lab-admins"}, "email": "ann@x", "email_verified": true,
	}
	with := func(name string, v any) map[string]any {
		c := maps.Clone(good)
		if c[name] = v; v == nil {
			delete(c, name)
		}
		return c
	}
	d.claims = good
	if who, err := p.End(t.Context(), sent.Get("state"), "C", cookie); err != nil || who != (Who{"ann@x", identity.Admin, "", "ann@x"}) {
		t.Fatalf("%+v, %v", who, err)
	}
	if d.asked.Get("code") != "C" || challenge(d.asked.Get("code_verifier")) != sent.Get("code_challenge") || d.asked.Get("grant_type") != "authorization_code" ||
		d.asked.Get("redirect_uri") != sent.Get("redirect_uri") || d.basic != "stump:s+e%3Acret" || d.asked.Has("client_secret") {
		t.Errorf("asked with %v as %s", d.asked, d.basic)
	}
	var unreachable *AwayError
	for name, tt := range map[string]struct {
		claims map[string]any
		broken bool // and not the provider's fault
	}{
		"another issuer": {with("iss", "https://evil"), false}, "for another": {with("aud", "other"), false}, "for several": {with("aud", []string{"stump", "other"}), false},
		"for nobody": {with("aud", nil), false}, "over": {with("exp", 1_000_000-301), false}, "without an end": {with("exp", nil), false},
		"another login's": {with("nonce", "x"), true}, "of no login": {with("nonce", nil), true}, "nobody": {with("sub", nil), false},
	} {
		d.claims = tt.claims
		who, err := p.End(t.Context(), sent.Get("state"), "C", cookie)
		if err == nil || who != (Who{}) || errors.Is(err, ErrBroken) != tt.broken || errors.As(err, &unreachable) == tt.broken || hint.Of(err) == "" {
			t.Errorf("%s: %+v, %v", name, who, err)
		}
	}
	d.claims = with("aud", []string{"stump", "other"})
	d.claims["azp"] = "stump"
	if _, err := p.End(t.Context(), sent.Get("state"), "C", cookie); err != nil {
		t.Errorf("for several, given to us: %v", err)
	}
	d.claims = good
	d.asked = nil
	for name, tt := range map[string][3]string{
		"another state": {"x", "C", cookie}, "no state": {"", "C", cookie}, "no code": {sent.Get("state"), "", cookie}, "no cookie": {sent.Get("state"), "C", ""},
		"half a cookie": {sent.Get("state"), "C", sent.Get("state")}, "an empty cookie": {"", "C", ".."},
	} {
		if _, err := p.End(t.Context(), tt[0], tt[1], tt[2]); !errors.Is(err, ErrBroken) || d.asked != nil {
			t.Errorf("%s: %v, asked %v", name, err, d.asked)
		}
	}
	d.status = 400
	if _, err := p.End(t.Context(), sent.Get("state"), "C", cookie); !errors.As(err, &unreachable) || !strings.Contains(err.Error(), "invalid_grant") {
		t.Errorf("refused: %v", err)
	}
}

// TestUserInfo: what the ID token lacks is asked for.
func TestUserInfo(t *testing.T) {
	d, p := newDouble(t)
	d.places["token_endpoint_auth_methods_supported"] = []string{"client_secret_post"}
	sent, cookie := begin(t, p)
	d.claims = map[string]any{"iss": d.URL, "sub": "1", "aud": "stump", "exp": 1_000_060, "nonce": sent.Get("nonce"), "groups": []string{"everybody"}}
	d.info = map[string]any{"sub": "1", "email": "ann@x", "email_verified": true}
	if who, err := p.End(t.Context(), sent.Get("state"), "C", cookie); err != nil || who != (Who{"ann@x", identity.Staff, "", "ann@x"}) {
		t.Errorf("%+v, %v", who, err)
	}
	if d.basic != ":" || d.asked.Get("client_secret") != "s e:cret" {
		t.Errorf("asked with %v as %s", d.asked, d.basic)
	}
	d.info["sub"] = "2"
	if who, err := p.End(t.Context(), sent.Get("state"), "C", cookie); err == nil {
		t.Errorf("of another: %+v", who)
	}
}

// TestAway: a provider that can't be used, and one that comes back.
func TestAway(t *testing.T) {
	d, p := newDouble(t)
	for name, change := range map[string][2]string{
		"another issuer": {"issuer", "https://evil.example"}, "no TLS": {"token_endpoint", "http://evil.example/token"}, "no address": {"authorization_endpoint", ""},
	} {
		old := d.places[change[0]]
		d.places[change[0]] = change[1]
		var unreachable *AwayError
		if _, _, err := p.Begin(t.Context()); !errors.As(err, &unreachable) || hint.Of(err) == "" {
			t.Errorf("%s: %v", name, err)
		}
		d.places[change[0]] = old
	}
	if _, _, err := p.Begin(t.Context()); err != nil {
		t.Errorf("when it is there: %v", err)
	}
}
