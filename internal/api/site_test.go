package api

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"stump/internal/certificate"
	"stump/internal/identity"
)

// newSite serves a handler by TLS, and returns a client that trusts the certificate.
func newSite(t *testing.T, h http.Handler) (*Site, *http.Client) {
	t.Helper()
	cert, err := certificate.Open(certificate.Options{Dir: t.TempDir(), Names: SiteNames("https://stump.lab:8443")})
	if err != nil {
		t.Fatal(err)
	}
	s := &Site{Handler: h, Addr: "127.0.0.1:0", URL: "https://stump.lab:8443/", Certificate: cert, Log: slog.New(slog.DiscardHandler)}
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
	var made MadeToken
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
		{"nobody who claims", "GET", "/v1/who", []string{actorHeader, "root"}, 401, `"no-login"`},
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
		for header := range siteHeaders {
			if resp.Header.Get(header) == "" {
				t.Errorf("%s: no %s", tt.name, header)
			}
		}
		if policy := resp.Header.Get("Content-Security-Policy"); !strings.HasPrefix(policy, "default-src 'none'") || strings.Contains(policy, "unsafe") {
			t.Errorf("%s: the policy is %s", tt.name, policy)
		}
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

// TestSiteURL: without url it is the host's name, or the address that was given.
func TestSiteURL(t *testing.T) {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if host = strings.ToLower(host); !strings.Contains(host, ".") {
		host += ".local"
	}
	for addr, want := range map[string]string{"127.0.0.1:0": "127.0.0.1", "[::1]:0": "[::1]", "localhost:0": "127.0.0.1", ":0": host, "0.0.0.0:0": host} {
		s := &Site{Addr: addr}
		if err := s.Open(); err != nil {
			if strings.HasPrefix(addr, "[") {
				continue // no IPv6 here
			}
			t.Fatal(err)
		}
		if _, port, _ := net.SplitHostPort(s.Listens()); s.URL != "https://"+want+":"+port {
			t.Errorf("%s is reached at %s, want %s", addr, s.URL, want)
		}
		s.Close()
	}
	if err := (&Site{Addr: "192.0.2.1:1"}).Open(); err == nil {
		t.Error("an address elsewhere is listened at")
	}
}

// pair is a listener for connections in memory.
type pair struct {
	conns chan net.Conn
	addr  net.Addr
}

func (p pair) Accept() (net.Conn, error) {
	if c := <-p.conns; c != nil {
		return c, nil
	}
	return nil, net.ErrClosed
}
func (p pair) Close() error   { return nil }
func (p pair) Addr() net.Addr { return p.addr }

// TestCrowd: there is room for so many; whoever only waits makes room, and whoever is
// answered does not.
func TestCrowd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := pair{make(chan net.Conn, 10), nil}
		c := &crowd{Listener: in, most: 2, since: map[net.Conn]time.Time{}}
		come := func() (ours, theirs net.Conn) {
			time.Sleep(time.Second)
			theirs, server := net.Pipe()
			in.conns <- server
			accepted := make(chan net.Conn, 1)
			go func() {
				conn, _ := c.Accept()
				accepted <- conn
			}()
			synctest.Wait()
			select {
			case ours = <-accepted:
			default: // it was turned away, and the next is waited for
				in.conns <- nil
				<-accepted
			}
			return ours, theirs
		}
		open := func(conn net.Conn) bool {
			_ = conn.SetReadDeadline(time.Now().Add(time.Millisecond))
			_, err := conn.Read(make([]byte, 1))
			return !errors.Is(err, io.EOF)
		}
		a, theirA := come()
		b, theirB := come()
		c.state(a, http.StateActive)
		_, theirC := come()
		if !open(theirA) || open(theirB) || !open(theirC) {
			t.Error("the one that waits does not make room")
		}
		c.state(b, http.StateClosed) // as the server says of what it finds closed
		c.state(a, http.StateIdle)
		d, theirD := come() // C has waited for longer
		if !open(theirA) || open(theirC) || !open(theirD) {
			t.Error("the one that has waited for longest does not make room")
		}
		c.state(a, http.StateActive)
		c.state(d, http.StateActive)
		if e, theirE := come(); e != nil || open(theirE) || !open(theirA) || !open(theirD) {
			t.Error("one too many is let in, or takes the place of one that is answered")
		}
		c.state(d, http.StateClosed)
		if e, _ := come(); e == nil || len(c.since) != 2 {
			t.Errorf("there is no room where one has gone: %d", len(c.since))
		}
	})
}

// TestSlowReader: a stream may be quiet for long; who stops reading it is cut off.
func TestSlowReader(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := pair{make(chan net.Conn, 1), &net.TCPAddr{}}
		s := &Site{URL: "https://stump.lab", Log: slog.New(slog.DiscardHandler)}
		gone := make(chan time.Time, 1)
		srv := &http.Server{Handler: s.guard(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			send := lines[string](&reply{ResponseWriter: w})
			for {
				time.Sleep(5 * time.Minute)
				if err := send(strings.Repeat("x", 1000)); err != nil {
					gone <- time.Now()
					return
				}
			}
		}))}
		go func() { _ = srv.Serve(in) }()
		theirs, ours := net.Pipe()
		in.conns <- ours
		fmt.Fprint(theirs, "GET / HTTP/1.1\r\nHost: stump.lab\r\n\r\n")
		begun, r := time.Now(), bufio.NewReader(theirs)
		for n := 0; n < 3; {
			line, err := r.ReadString('\n')
			if err != nil {
				t.Fatal(err)
			}
			if strings.HasPrefix(line, `"xxx`) {
				n++
			}
		}
		if took := time.Since(begun); took != 15*time.Minute {
			t.Errorf("three lines took %v", took)
		}
		if at := <-gone; at.Sub(begun) != 20*time.Minute+writeTime {
			t.Errorf("who reads no more is cut off after %v", at.Sub(begun))
		}
		close(in.conns)
		theirs.Close()
		_ = srv.Close()
	})
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
