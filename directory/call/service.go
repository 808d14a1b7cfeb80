package call

import (
	"context"
	"encoding/json"
	"io"
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
	site       string // for people, without a root and without secrets
	accept     string
	token      Secret
	client     *Client
}

// Open checks the configuration. Paths are relative to URL plus root, which URL
// may already end with; accept are the media types of answers.
func (a API) Open(h HTTP, root, accept string) (*Service, error) {
	u, err := url.Parse(a.URL)
	if err != nil || !IsWeb(u) {
		return nil, BadKey("url", "%q is not an http or https address", Masked(a.URL))
	}
	s := &Service{host: u.Host, accept: accept, token: Secret(a.TokenFile)}
	s.base = strings.TrimSuffix(strings.TrimRight(a.URL, "/"), root) + root
	site := url.URL{Scheme: u.Scheme, Host: u.Host, Path: strings.TrimSuffix(strings.TrimRight(u.Path, "/"), root)}
	s.site = site.String()
	s.client, err = New(h, Options{})
	return s, err
}

// IsWeb reports whether u is an http or https address.
func IsWeb(u *url.URL) bool { return u.Host != "" && (u.Scheme == "http" || u.Scheme == "https") }

// Host is the API's host.
func (s *Service) Host() string { return s.host }

// Page is the address of a page for people there.
func (s *Service) Page(path string) string { return s.site + path }

// Call makes a call, with body as JSON unless it is nil.
func (s *Service) Call(ctx context.Context, method, path string, query url.Values, body map[string]any) (Reply, Outcome) {
	header, o := s.header()
	if o.Verdict != OK {
		return Reply{}, o
	}
	var payload []byte
	if body != nil {
		header.Set("Content-Type", "application/json")
		var err error
		if payload, err = json.Marshal(body); err != nil {
			return Reply{}, Outcome{Verdict: Refused, Reason: err.Error()}
		}
	}
	return s.client.Do(ctx, method, s.address(path, query), header, payload)
}

// read makes a GET, and lets answer read what comes.
func (s *Service) read(ctx context.Context, path string, query url.Values, answer func(*Reply, io.Reader) error) (Reply, Outcome) {
	header, o := s.header()
	if o.Verdict != OK {
		return Reply{}, o
	}
	return s.client.read(ctx, http.MethodGet, s.address(path, query), header, nil, answer)
}

func (s *Service) address(path string, query url.Values) string {
	if len(query) == 0 {
		return s.base + path
	}
	return s.base + path + "?" + query.Encode()
}

// header reads the token.
func (s *Service) header() (http.Header, Outcome) {
	// Without Accept, Snipe-IT answers an expired token with a redirect to its login.
	header := http.Header{"Accept": {s.accept}}
	if s.token != "" {
		token, err := s.token.Read()
		if err != nil {
			return nil, Outcome{Verdict: BadConfig, Reason: err.Error(), Remedy: "put the API token there"}
		}
		header.Set("Authorization", "Bearer "+token)
	}
	return header, Outcome{}
}
