package api

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"stump/internal/api/listen"
	"stump/internal/api/wire"
	"stump/internal/certificate"
	"stump/internal/identity"
)

// newSite serves a handler by TLS, and returns a client that trusts the certificate.
func newSite(t *testing.T, h http.Handler) (*listen.Site, *http.Client) {
	t.Helper()
	cert, err := certificate.Open(certificate.Options{Dir: t.TempDir(), Names: listen.Names("https://stump.lab:8443")})
	if err != nil {
		t.Fatal(err)
	}
	s := &listen.Site{Handler: h, Addr: "127.0.0.1:0", URL: "https://stump.lab:8443/", Certificate: cert, Log: slog.New(slog.DiscardHandler)}
	if err := s.Open(); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- s.Run(ctx) }()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
	trusted := x509.NewCertPool()
	trusted.AddCert(cert.Current())
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: trusted}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return s, &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

// TestSite: whoever comes by TLS is nobody until they say who they are, whatever they
// claim; a foreign page gets nothing; and every answer tells browsers what they may do.
func TestSite(t *testing.T) {
	station := newWebsite(t)
	var made wire.MadeToken
	station.admin("POST", "/v1/tokens", `{"name":"ci","role":"admin"}`, &made)
	s, client := newSite(t, station.Server)
	if w := s.Web(); *w.URL != "https://stump.lab:8443" || *w.Listen != s.Listens() || !w.SelfMade || len(*w.Fingerprint) != 95 || w.Expires.Before(time.Now()) {
		t.Errorf("%+v", w)
	}
	for _, tt := range []struct {
		name, method, path string
		headers            []string
		status             int
		want               string
	}{
		{"nobody", "GET", "/v1/who", nil, 401, `"no-login"`},
		{"nobody who claims", "GET", "/v1/who", []string{wire.ActorHeader, "root"}, 401, `"no-login"`},
		{"the form", "GET", "/login", nil, 200, "<form"},
		{"a token", "GET", "/v1/who", []string{"Authorization", "Bearer " + made.Secret}, 200, `"items"`},
		{"no part of it", "GET", "/v1/nothing", nil, 404, `"no-route"`},
		{"by name", "GET", "/login", []string{"Host", "stump.lab:8443"}, 200, "<form"},
		{"by name in capitals", "GET", "/login", []string{"Host", "STUMP.lab."}, 200, "<form"},
		{"as localhost", "GET", "/login", []string{"Host", "localhost:1"}, 200, "<form"},
		{"by another address", "GET", "/login", []string{"Host", "[2001:db8::1]:8443"}, 200, "<form"},
		{"a rebound name", "GET", "/login", []string{"Host", "evil.example"}, 403, `"foreign-page"`},
		{"a rebound name with a token", "GET", "/v1/who", []string{"Host", "evil.example", "Authorization", "Bearer " + made.Secret}, 403, `"foreign-page"`},
		{"a foreign page", "POST", "/login", []string{"Origin", "https://evil.example"}, 403, `"foreign-page"`},
		{"a foreign page's browser", "POST", "/logout", []string{"Sec-Fetch-Site", "cross-site"}, 403, `"foreign-page"`},
		{"another port's page", "POST", "/logout", []string{"Sec-Fetch-Site", "same-site"}, 403, `"foreign-page"`},
		{"our page", "POST", "/logout", []string{"Origin", "https://stump.lab:8443", "Sec-Fetch-Site", "same-origin"}, 303, ""},
		{"our page behind a proxy", "POST", "/logout", []string{"Host", "localhost", "Origin", "https://stump.lab:8443"}, 303, ""},
		{"a script", "POST", "/logout", nil, 303, ""},
	} {
		req, err := http.NewRequest(tt.method, "https://"+s.Listens()+tt.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		for i := 0; i < len(tt.headers); i += 2 {
			if req.Header.Set(tt.headers[i], tt.headers[i+1]); tt.headers[i] == "Host" {
				req.Host = tt.headers[i+1]
			}
		}
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(tt.name, err)
		}
		body, _ := io.ReadAll(resp.Body)
		resp.Body.Close()
		if resp.StatusCode != tt.status || !strings.Contains(string(body), tt.want) || resp.ProtoMajor != 2 {
			t.Errorf("%s: %d %s %s, want %d %s", tt.name, resp.StatusCode, resp.Proto, body, tt.status, tt.want)
		}
		for header := range listen.SiteHeaders {
			if resp.Header.Get(header) == "" {
				t.Errorf("%s: no %s", tt.name, header)
			}
		}
		if policy := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %s", tt.name, policy)
		}
	}
}

// TestNobodyBySite: a request by TLS has no principal, even from this machine.
func TestNobodyBySite(t *testing.T) {
	s, client := newSite(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprintf(w, "%+v", identity.Of(r.Context()))
	}))
	resp, err := client.Get("https://" + s.Listens())
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if who, _ := io.ReadAll(resp.Body); string(who) != fmt.Sprintf("%+v", identity.Principal{}) {
		t.Errorf("who asks is %s", who)
	}
}

// TestSiteRefusesOldTLS, and what is no TLS gets no answer of the API.
func TestSiteRefusesOldTLS(t *testing.T) {
	s, _ := newSite(t, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it is asked") }))
	if _, err := tls.Dial("tcp", s.Listens(), &tls.Config{MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10, InsecureSkipVerify: true}); err == nil {
		t.Error("TLS 1.1 is spoken")
	}
	resp, err := http.Get("http://" + s.Listens() + "/v1/who")
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != 400 {
		t.Errorf("without TLS: %s", resp.Status)
	}
}
