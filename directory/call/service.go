package call

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
)

// API is a REST API whose user has a bearer token: keys of [directory].
type API struct {
	// URL is the base address of Snipe-IT (https://host) or of SCIM
	// (https://host/scim/v2).
	URL string `toml:"url"`
	// TokenFile holds the bearer token; a name without a slash is a systemd
	// credential.
	TokenFile string `toml:"token_file"`
}

// Service is an API that can be called.
type Service struct {
	base, host string
	accept     string
	token      Secret
	client     *Client
}

// Open checks the configuration. Paths are relative to URL plus root, which URL
// may already end with; accept are the media types of answers.
func (a API) Open(h HTTP, root, accept string) (*Service, error) {
	u, err := url.Parse(a.URL)
	if err != nil || !IsWeb(u) {
		return nil, BadKey("url", "%q is not an http or https address", a.URL)
	}
	s := &Service{host: u.Host, accept: accept, token: Secret(a.TokenFile)}
	s.base = strings.TrimSuffix(strings.TrimRight(a.URL, "/"), root) + root
	s.client, err = New(h, Options{Lists: true})
	return s, err
}

// IsWeb reports whether u is an http or https address.
func IsWeb(u *url.URL) bool { return u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") }

// Host is the API's host.
func (s *Service) Host() string { return s.host }

// Call makes a call, with body as JSON unless it is nil.
func (s *Service) Call(ctx context.Context, method, path string, query url.Values, body map[string]any) (Reply, Outcome) {
	// Without Accept, Snipe-IT answers an expired token with a redirect to its login.
	header := http.Header{"Accept": {s.accept}}
	if s.token != "" {
		token, err := s.token.Read()
		if err != nil {
			return Reply{}, Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "put the API token there"}
		}
		header.Set("Authorization", "Bearer "+token)
	}
	var payload []byte
	if body != nil {
		header.Set("Content-Type", "application/json")
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return Reply{}, Outcome{Verdict: Refused, Reason: err.Error()}
		}
	}
	address := s.base + path
	if len(query) > 0 {
		address += "?" + query.Encode()
	}
	return s.client.Do(ctx, method, address, header, payload)
}
