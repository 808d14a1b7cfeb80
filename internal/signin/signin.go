// Package signin logs people in by an OpenID provider: the code flow with PKCE.
//
//	browser              station                 provider
//	GET /login/sso ──▶   state, nonce, verifier
//	   ◀── 303 ────────  in a cookie
//	GET /authorize ─────────────────────────────▶ who are you?
//	   ◀── 303, code, state ─────────────────────
//	GET /login/callback ▶ the cookie's state?
//	                      code, verifier ───────▶
//	                      ◀──────── ID token ──── nonce, groups, e-mail
//
// The station keeps nothing meanwhile: what belongs to a login is in the cookie of the
// browser that began it.
//
// The ID token comes from the provider itself, by TLS, so its signature need not be
// checked (OpenID Connect Core 3.1.3.7, 6); its issuer, audience, time and nonce are. A
// library for it and its signatures would be a third of a megabyte on the board.
package signin

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"stump/internal/hint"
	"stump/internal/identity"
)

// Config is the table [web.oidc].
type Config struct {
	Issuer   string `toml:"issuer"` // "" is off
	ClientID string `toml:"client_id"`
	// SecretFile is read at each login.
	SecretFile string   `toml:"client_secret_file"`
	Scopes     []string `toml:"scopes"` // beside openid; none: email, profile
	// Roles name the group of each role, and RolesClaim the claim that has the groups;
	// "" is groups.
	Roles      map[string]string `toml:"roles"`
	RolesClaim string            `toml:"roles_claim"`
	// PersonClaim has the person's id in the register; "" is the verified e-mail address.
	PersonClaim string `toml:"person_claim"`
}

// Who is somebody whom the provider has named.
type Who struct {
	Name string // as the history shall have it
	Role identity.Role
	// ID or Email is theirs in the register; the other is empty, or both.
	ID, Email string
}

// Errors of a login.
var (
	ErrNoRole = hint.Errorf("ask an admin: the table [web.oidc] has a group for each role", "no group of yours has a role here")
	ErrBroken = hint.Errorf("begin again at /login, in this browser, and be done within 10 min", "this login was not begun here, or is over")
)

// Provider logs people in. It is safe for concurrent use.
type Provider struct {
	c        Config
	redirect string
	client   *http.Client
	now      func() time.Time

	mu    sync.Mutex
	found *places // when it was first reached
}

// places are what a provider says of itself.
type places struct {
	Issuer    string   `json:"issuer"`
	Authorize string   `json:"authorization_endpoint"`
	Token     string   `json:"token_endpoint"`
	UserInfo  string   `json:"userinfo_endpoint"`
	Methods   []string `json:"token_endpoint_auth_methods_supported"`
}

// callTime is how long a call to the provider may take, callSize the largest answer in
// bytes, and slack how far its clock and ours may differ.
const (
	callTime = 10 * time.Second
	callSize = 1 << 20
	slack    = 5 * time.Minute
)

// New returns a provider that sends browsers back to redirect. It asks nobody yet: a
// provider that is away keeps no station from starting. A nil transport is the default
// one, a nil now time.Now.
func New(c Config, redirect string, transport http.RoundTripper, now func() time.Time) *Provider {
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	if now == nil {
		now = time.Now
	}
	return &Provider{c: c, redirect: redirect, client: &http.Client{Transport: transport, Timeout: callTime, CheckRedirect: stay}, now: now}
}

// AwayError is that the provider can't be reached, or answers what can't be used.
type AwayError struct{ error }

// Unwrap is the reason.
func (e *AwayError) Unwrap() error { return e.error }

func away(format string, args ...any) error {
	err := fmt.Errorf("the provider of logins: "+format, args...)
	return &AwayError{hint.Wrap(err, "look at the table [web.oidc], and whether the provider is there; a link of `stump web admin-link` works without it")}
}

// call sends a request and reads the JSON of its answer.
func (p *Provider) call(r *http.Request, into any) error {
	r.Header.Set("Accept", "application/json")
	resp, err := p.client.Do(r)
	if err != nil {
		return away("%w", err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, callSize))
	if err != nil {
		return away("%w", err)
	}
	if resp.StatusCode != http.StatusOK {
		var refusal struct {
			Error       string `json:"error"`
			Description string `json:"error_description"`
		}
		_ = json.Unmarshal(body, &refusal)
		return away("%s answers %s %s %s", r.URL.Host, resp.Status, refusal.Error, refusal.Description)
	}
	if err := json.Unmarshal(body, into); err != nil {
		return away("%s answers what is not JSON: %w", r.URL.Host, err)
	}
	return nil
}

// reach asks for the provider's addresses, until it was reached once.
func (p *Provider) reach(ctx context.Context) (*places, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.found != nil {
		return p.found, nil
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(p.c.Issuer, "/")+"/.well-known/openid-configuration", nil)
	if err != nil {
		return nil, away("%w", err)
	}
	var found places
	if err := p.call(r, &found); err != nil {
		return nil, err
	}
	if found.Issuer != p.c.Issuer {
		return nil, away("it calls itself %q, and the configuration %q", found.Issuer, p.c.Issuer)
	}
	for _, place := range []string{found.Authorize, found.Token, cmp.Or(found.UserInfo, found.Token)} {
		// TLS stands for the signature: only a test's provider is on this machine.
		if u, err := url.Parse(place); err != nil || u.Host == "" || u.Scheme != "https" && !strings.HasPrefix(p.c.Issuer, "http://") {
			return nil, away("%q is no address by TLS", place)
		}
	}
	p.found = &found
	return p.found, nil
}

// Begin returns where the browser has to go, and what its cookie must hold meanwhile.
func (p *Provider) Begin(ctx context.Context) (address, cookie string, err error) {
	to, err := p.reach(ctx)
	if err != nil {
		return "", "", err
	}
	state, nonce, verifier := rand.Text(), rand.Text(), rand.Text()+rand.Text()
	scopes := p.c.Scopes
	if scopes == nil {
		scopes = []string{"email", "profile"}
	}
	u, err := url.Parse(to.Authorize)
	if err != nil {
		return "", "", away("%w", err)
	}
	q := u.Query()
	for name, value := range map[string]string{
		"response_type": "code", "client_id": p.c.ClientID, "redirect_uri": p.redirect, "state": state, "nonce": nonce,
		"scope": strings.Join(append([]string{"openid"}, scopes...), " "), "code_challenge": challenge(verifier), "code_challenge_method": "S256",
	} {
		q.Set(name, value)
	}
	u.RawQuery = q.Encode()
	return u.String(), strings.Join([]string{state, nonce, verifier}, "."), nil
}

// challenge is what the provider is told of a verifier (RFC 7636).
func challenge(verifier string) string {
	sum := sha256.Sum256([]byte(verifier))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

func same(a, b string) bool { return a != "" && subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }

// End is who has come back, with these parameters and that cookie.
func (p *Provider) End(ctx context.Context, state, code, cookie string) (Who, error) {
	kept := strings.Split(cookie, ".")
	if len(kept) != 3 || code == "" || !same(state, kept[0]) {
		return Who{}, ErrBroken
	}
	to, err := p.reach(ctx)
	if err != nil {
		return Who{}, err
	}
	access, id, err := p.exchange(ctx, to, code, kept[2])
	if err != nil {
		return Who{}, err
	}
	claims, err := p.claims(id, to.Issuer, kept[1])
	if err != nil {
		return Who{}, err
	}
	if to.UserInfo != "" && p.lacksClaims(claims) { // many providers keep the ID token small
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, to.UserInfo, nil)
		if err != nil {
			return Who{}, away("%w", err)
		}
		r.Header.Set("Authorization", "Bearer "+access)
		more := map[string]any{}
		if err := p.call(r, &more); err != nil {
			return Who{}, err
		}
		if more["sub"] != claims["sub"] {
			return Who{}, away("it names one person, and tells of another")
		}
		maps.Copy(claims, more)
	}
	return p.c.who(claims)
}

// exchange gives the code for the tokens.
func (p *Provider) exchange(ctx context.Context, to *places, code, verifier string) (access, id string, err error) {
	form := url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {p.redirect}, "code_verifier": {verifier}, "client_id": {p.c.ClientID},
	}
	var secret string
	if p.c.SecretFile != "" {
		raw, err := os.ReadFile(p.c.SecretFile)
		if err != nil {
			return "", "", away("client_secret_file: %w", err)
		}
		secret = strings.TrimSpace(string(raw))
	}
	basic := len(to.Methods) == 0 || slices.Contains(to.Methods, "client_secret_basic")
	if secret != "" && !basic {
		form.Set("client_secret", secret)
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, to.Token, strings.NewReader(form.Encode()))
	if err != nil {
		return "", "", away("%w", err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" && basic {
		r.SetBasicAuth(url.QueryEscape(p.c.ClientID), url.QueryEscape(secret)) // RFC 6749, 2.3.1
	}
	var tokens struct {
		Access string `json:"access_token"`
		ID     string `json:"id_token"`
	}
	err = p.call(r, &tokens)
	return tokens.Access, tokens.ID, err
}

// claims are those of an ID token that was made for us, now, and for this login.
func (p *Provider) claims(token, issuer, nonce string) (map[string]any, error) {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil, away("it sends no ID token")
	}
	raw, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return nil, away("its ID token can't be read: %w", err)
	}
	claims := map[string]any{}
	if err := json.NewDecoder(bytes.NewReader(raw)).Decode(&claims); err != nil {
		return nil, away("its ID token can't be read: %w", err)
	}
	text := func(claim string) string { s, _ := claims[claim].(string); return s }
	audience := groupsOf(claims["aud"])
	expires, _ := claims["exp"].(float64)
	switch {
	case text("iss") != issuer || text("sub") == "":
		return nil, away("its ID token is another's")
	case !slices.Contains(audience, p.c.ClientID) || len(audience) > 1 && text("azp") != p.c.ClientID:
		return nil, away("its ID token is for %q", audience)
	case p.now().Add(-slack).After(time.Unix(int64(expires), 0)):
		return nil, away("its ID token has expired, or the station's clock is ahead")
	case !same(nonce, text("nonce")):
		return nil, ErrBroken
	}
	return claims, nil
}

func (p *Provider) lacksClaims(claims map[string]any) bool {
	return claims[p.c.rolesClaim()] == nil || claims[p.c.personClaim()] == nil
}

func (c *Config) rolesClaim() string  { return cmp.Or(c.RolesClaim, "groups") }
func (c *Config) personClaim() string { return cmp.Or(c.PersonClaim, "email") }

// who reads the claims. The highest role counts.
func (c *Config) who(claims map[string]any) (Who, error) {
	text := func(claim string) string { s, _ := claims[claim].(string); return s }
	email := ""
	if verified, _ := claims["email_verified"].(bool); verified {
		email = text("email")
	}
	who := Who{Name: cmp.Or(email, text("preferred_username"), text("sub"))}
	if c.PersonClaim == "" {
		who.Email = email
	} else {
		who.ID = text(c.PersonClaim)
	}
	groups := groupsOf(claims[c.rolesClaim()])
	for role, group := range c.Roles {
		if r, err := identity.ParseRole(role); err == nil && group != "" && slices.Contains(groups, group) {
			who.Role = max(who.Role, r)
		}
	}
	if who.Role == identity.None {
		return who, ErrNoRole
	}
	return who, nil
}

// groupsOf are a claim's words: one, or a list.
func groupsOf(claim any) (groups []string) {
	switch v := claim.(type) {
	case string:
		return []string{v}
	case []any:
		for _, g := range v {
			if s, ok := g.(string); ok {
				groups = append(groups, s)
			}
		}
	}
	return groups
}
