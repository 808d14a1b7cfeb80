package directory

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// faultCase is a fault and what "stump sync" shows for it, with lab.example as the
// host.
type faultCase struct {
	fault fault
	// only: the fault is only of CHECKINOUT, while WHATIS works.
	only bool
	says string
	// lost: the event waits for a person, since it may have been counted.
	lost bool
}

var endpointFaults = []faultCase{
	{fault: resetAtOnce, says: "lab.example closed the connection before its answer was complete"},
	{fault: hangAtOnce, says: "lab.example gave no complete answer in time"},
	{fault: status500, says: "lab.example failed (500 Internal Server Error)"},
	{fault: status429, says: "lab.example asks to wait (429 Too Many Requests)"},
	{fault: status429After, says: "lab.example asks to wait (429 Too Many Requests)"},
	{fault: status401, says: "lab.example denies access (401 Unauthorized)"},
	{fault: status403, says: "lab.example denies access (403 Forbidden)"},
	{fault: status404, says: "lab.example has nothing at /whatis.php (404 Not Found)"},
	{fault: htmlPage, says: "lab.example answers with a web page, such as a login"},
	{fault: redirectLogin, says: "lab.example answers with a web page, such as a login"},
	{fault: redirectAway, says: "lab.example redirects to login.example/sso (302 Found)"},
	{fault: halfJSON, says: "lab.example answers with something that is not its usual JSON"},
	{fault: hugeBody, says: "the answer of lab.example is too long"},
	{fault: slowDrip, says: "lab.example gave no complete answer in time"},
	{fault: closeHalfWay, says: "lab.example closed the connection before its answer was complete"},
	{fault: gzipBomb, says: "the answer of lab.example is too long"},
	{fault: longHeader, says: "lab.example closed the connection before its answer was complete"},
	{fault: badTrailer, says: "lab.example closed the connection before its answer was complete"},

	{only: true, fault: resetAtOnce, lost: true, says: "lab.example closed the connection before its answer was complete"},
	{only: true, fault: hangAtOnce, lost: true, says: "lab.example gave no complete answer in time"},
	{only: true, fault: hangAfterCommit, lost: true, says: "lab.example gave no complete answer in time"},
	{only: true, fault: hangInBody, lost: true, says: "lab.example gave no complete answer in time"},
	{only: true, fault: resetAfterCommit, lost: true, says: "lab.example closed the connection before its answer was complete"},
	{only: true, fault: status500, lost: true, says: "lab.example failed (500 Internal Server Error)"},
	{only: true, fault: status500Commit, lost: true, says: "lab.example failed (500 Internal Server Error)"},
	{only: true, fault: status503, says: "lab.example asks to wait (503 Service Unavailable)"},
	{only: true, fault: status503Commit, lost: true, says: "lab.example failed (503 Service Unavailable)"},
	{only: true, fault: status429, says: "lab.example asks to wait (429 Too Many Requests)"},
	{only: true, fault: status401, says: "lab.example denies access (401 Unauthorized)"},
	{only: true, fault: status404, says: "lab.example has nothing at /checkinout.php (404 Not Found)"},
	{only: true, fault: htmlPage, lost: true, says: "lab.example answers with a web page"},
	{only: true, fault: redirectAway, says: "lab.example redirects to login.example/sso (302 Found)"},
	{only: true, fault: halfJSON, lost: true, says: "lab.example answers with something that is not its usual JSON"},
	{only: true, fault: hugeBody, lost: true, says: "the answer of lab.example is too long"},
	{only: true, fault: slowDrip, lost: true, says: "lab.example gave no complete answer in time"},
	{only: true, fault: closeHalfWay, lost: true, says: "lab.example closed the connection before its answer was complete"},
	{only: true, fault: gzipBomb, lost: true, says: "the answer of lab.example is too long"},
	{only: true, fault: longHeader, lost: true, says: "lab.example closed the connection before its answer was complete"},
	{only: true, fault: badTrailer, lost: true, says: "lab.example closed the connection before its answer was complete"},
}

// register enters the people and devices of newOriginal.
func (b *box) register() {
	b.t.Helper()
	b.sync(
		books.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Ref: "1", Tag: annBadge}, books.SyncRow{Kind: checkout.KindPerson, Name: "Bob", Ref: "2", Tag: bobBadge},
		books.SyncRow{Kind: checkout.KindDevice, Name: "iPad Mini G1 (inky)", Ref: "11", Tag: ipadTag}, books.SyncRow{Kind: checkout.KindDevice, Name: "Pixel", Ref: "12", Tag: pixelTag},
	)
}

func TestEndpointsUnderFaults(t *testing.T) {
	for _, tc := range endpointFaults {
		name := string(tc.fault)
		if tc.only {
			name += ", to CHECKINOUT only"
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newOriginal()
			f := newFaultServer(s)
			if tc.only {
				f.only = func(r *http.Request) bool { return r.URL.Path == "/checkinout.php" }
			}
			srv := f.serve(t)
			cfg := endpointsAt(srv.URL)
			cfg.HTTP = tc.fault.timeouts()
			endpointScenario(t, tc, cfg, s, f.set)
		})
	}
}

// endpointScenario taps under a fault, reads the status, mends the fault, does what
// a person would do, and counts.
func endpointScenario(t *testing.T, tc faultCase, cfg endpointsConfig, s *original, set func(fault)) {
	t.Helper()
	u, _ := url.Parse(cfg.WhatIs)
	d, err := cfg.open()
	if err != nil {
		t.Fatal(err)
	}
	l := newBox(t, Main)
	l.register()
	set(tc.fault)
	w, _ := start(t, Options{Directory: d, Ledger: l, backoff: impatient})

	// Every tap is committed at once, whatever the directory does.
	first := l.bump(annBadge, ipadTag)
	l.bump(annBadge, ipadTag)
	l.bump(bobBadge, pixelTag)

	eventually(t, "the display's mark", w.Behind)
	var said string
	eventually(t, "said: "+tc.says, func() bool {
		said = sayings(t, w, u.Host)
		return strings.Contains(said, tc.says)
	})
	if tc.lost {
		eventually(t, "lost", func() bool {
			said = sayings(t, w, u.Host)
			return strings.Contains(said, "lost "+fmt.Sprint(first.Seq)+": Ann took iPad Mini G1 (inky)") && strings.Contains(said, "look in the directory after a minute: if Ann has iPad Mini G1 (inky) there, accept; if not, retry")
		})
	} else if strings.Contains(said, "lost ") {
		t.Errorf("parked, though it was certainly not done:\n%s", said)
	}
	t.Logf("stump sync says:\n%s", said)

	set(healthy)
	eventually(t, "all delivered after healing", func() bool {
		w.Hurry()
		resolveLost(t, w, s)
		n, err := l.Backlog(Main)
		return n == 0 && err == nil
	})
	want := []string{"Ann checked out iPad Mini G1 (inky)", "Ann checked in iPad Mini G1 (inky)", "Bob checked out Pixel"}
	got := s.toggles()
	if i := slices.Index(got, want[2]); i >= 0 {
		got = append(slices.Delete(slices.Clone(got), i, i+1), want[2]) // another device's order does not matter
	}
	if !slices.Equal(got, want) {
		t.Errorf("the server counted %q, want each once and in order", s.toggles())
	}
	eventually(t, "no mark", func() bool { return !w.Behind() })
}

// resolveLost does what the remedy of a lost row says: it looks in the directory,
// accepts what was counted, and retries the rest.
func resolveLost(t *testing.T, w *Worker, s *original) {
	t.Helper()
	st, err := w.Status()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range st.Sinks[0].Stuck {
		words := "checked out"
		if r.Event.Kind == checkout.Return {
			words = "checked in"
		}
		counted := func() bool {
			return slices.Contains(s.toggles(), *r.Event.Person+" "+words+" "+*r.Event.Device)
		}
		if !counted() {
			time.Sleep(time.Second) // a slow server may count it yet: the remedy says to wait
		}
		if counted() {
			err = w.Accept(r.ID, "admin")
		} else {
			err = w.Retry(r.ID)
		}
		if err != nil && err != errSending {
			t.Fatal(err)
		}
	}
}

// If the server recognises events, a call whose answer was lost is repeated, and
// nothing waits for a person.
func TestEndpointsThatHonourEvents(t *testing.T) {
	for _, x := range []fault{hangAfterCommit, resetAfterCommit, status500Commit, halfJSON, slowDrip} {
		t.Run(string(x), func(t *testing.T) {
			t.Parallel()
			s := newOriginal()
			f := newFaultServer(s)
			f.only = func(r *http.Request) bool { return r.URL.Path == "/checkinout.php" }
			srv := f.serve(t)
			cfg := endpointsAt(srv.URL)
			cfg.HTTP, cfg.EventParameter = x.timeouts(), "event"
			endpointScenario(t, faultCase{fault: x, says: "down for"}, cfg, s, f.set)
		})
	}
}

// certFault serves a certificate that is bad until it is renewed.
func certFault(host string, from, to time.Duration) func(*testing.T, *original) (endpointsConfig, func(fault)) {
	return func(t *testing.T, s *original) (endpointsConfig, func(fault)) {
		now := time.Now()
		bad, badCA := certificate(t, host, now.Add(from), now.Add(to))
		good, goodCA := certificate(t, "127.0.0.1", now.Add(-time.Hour), now.Add(time.Hour))
		broken, renew := serveTLS(t, s, bad)
		cfg := endpointsAt(broken.URL)
		cfg.CAFile = joinFiles(t, badCA, goodCA)
		return cfg, func(x fault) {
			if x == healthy {
				renew(good)
			}
		}
	}
}

// proxied puts a proxy in between that refuses to connect.
func proxied(status int) func(*testing.T, *original) (endpointsConfig, func(fault)) {
	return func(t *testing.T, _ *original) (endpointsConfig, func(fault)) {
		p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(p.Close)
		cfg := endpointsAt("https://far.example")
		cfg.Proxy = p.URL
		return cfg, nil
	}
}

// tlsServer serves with a valid certificate and otherwise by c.
func tlsServer(t *testing.T, s *original, c *tls.Config) endpointsConfig {
	cert, ca := certificate(t, "127.0.0.1", time.Now().Add(-time.Hour), time.Now().Add(time.Hour))
	c.Certificates = []tls.Certificate{cert}
	srv := httptest.NewUnstartedServer(s)
	srv.TLS, srv.Config.ErrorLog = c, quiet
	srv.StartTLS()
	t.Cleanup(srv.Close)
	cfg := endpointsAt(srv.URL)
	cfg.CAFile = ca
	return cfg
}

// connectionFaults are faults before HTTP.
var connectionFaults = []struct {
	name, says string
	make       func(*testing.T, *original) (endpointsConfig, func(fault))
}{
	{"refuses", "lab.example refuses the connection", func(t *testing.T, s *original) (endpointsConfig, func(fault)) {
		srv := httptest.NewServer(s)
		addr := srv.Listener.Addr().String()
		srv.Close()
		return endpointsAt("http://" + addr), func(x fault) {
			if x == healthy {
				restartAt(t, addr, s)
			}
		}
	}},
	{"certificate for another name", "the certificate is not for lab.example", certFault("other.example", -time.Hour, time.Hour)},
	{"certificate has ended", "the certificate of lab.example expired on", certFault("127.0.0.1", -48*time.Hour, -24*time.Hour)},
	{"certificate from the future: the clock is not set", "when the certificate of lab.example is not valid yet: waiting for the time", certFault("127.0.0.1", 24*time.Hour, 48*time.Hour)},
	{"certificate of an unknown authority", "the certificate of lab.example is from an authority that is not trusted", func(t *testing.T, s *original) (endpointsConfig, func(fault)) {
		now := time.Now()
		cert, _ := certificate(t, "127.0.0.1", now.Add(-time.Hour), now.Add(time.Hour))
		good, ca := certificate(t, "127.0.0.1", now.Add(-time.Hour), now.Add(time.Hour))
		srv, renew := serveTLS(t, s, cert)
		cfg := endpointsAt(srv.URL)
		cfg.CAFile = ca
		return cfg, func(x fault) {
			if x == healthy {
				renew(good)
			}
		}
	}},
	{"no TLS there", "lab.example does not speak TLS", func(t *testing.T, s *original) (endpointsConfig, func(fault)) {
		srv := httptest.NewServer(s)
		t.Cleanup(srv.Close)
		return endpointsAt(strings.Replace(srv.URL, "http:", "https:", 1)), nil
	}},
	{"TLS of long ago", "no TLS version or cipher in common with lab.example (protocol version not supported)", func(t *testing.T, s *original) (endpointsConfig, func(fault)) {
		return tlsServer(t, s, &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}), nil
	}},
	{"TLS that we do not speak", "no TLS version or cipher in common with lab.example (handshake failure)", func(t *testing.T, s *original) (endpointsConfig, func(fault)) {
		return tlsServer(t, s, &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_RC4_128_SHA}}), nil
	}},
	{"TLS that wants our certificate", "no TLS version or cipher in common with lab.example (certificate required)", func(t *testing.T, s *original) (endpointsConfig, func(fault)) {
		return tlsServer(t, s, &tls.Config{ClientAuth: tls.RequireAnyClientCert}), nil
	}},
	{"proxy that wants a password", "the proxy proxy.example answers 407 Proxy Authentication Required", proxied(http.StatusProxyAuthRequired)},
	{"proxy that can't reach it", "the proxy proxy.example answers 502 Bad Gateway: it can't reach lab.example", proxied(http.StatusBadGateway)},
	{"proxy that is away", "the proxy can't be reached on the way to lab.example", func(t *testing.T, _ *original) (endpointsConfig, func(fault)) {
		p := httptest.NewServer(nil)
		p.Close()
		cfg := endpointsAt("https://far.example")
		cfg.Proxy = p.URL
		return cfg, nil
	}},
	{"IPv6, refuses", "lab.example refuses the connection", func(t *testing.T, s *original) (endpointsConfig, func(fault)) {
		ln, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := ln.Addr().String()
		ln.Close()
		_, port, _ := net.SplitHostPort(addr)
		six := net.JoinHostPort("2001:db8::1", port)
		cfg := endpointsAt("http://" + six)
		// Containers often have no IPv6, so the address is reached over IPv4.
		cfg.TestDial = func(ctx context.Context, network, to string) (net.Conn, error) {
			if to != six {
				return nil, fmt.Errorf("dialled %q, not %q", to, six)
			}
			return new(net.Dialer).DialContext(ctx, network, addr)
		}
		return cfg, func(x fault) {
			if x == healthy {
				restartAt(t, addr, s)
			}
		}
	}},
	{"no such name", "no address for lab.example (DNS: no such name)", func(t *testing.T, _ *original) (endpointsConfig, func(fault)) {
		noNames(t)
		return endpointsAt("http://directory.example"), nil
	}},
}

func TestEndpointsUnderConnectionFaults(t *testing.T) {
	for _, tc := range connectionFaults {
		t.Run(tc.name, func(t *testing.T) {
			if tc.name != "no such name" { // that one changes the resolver of all
				t.Parallel()
			}
			s := newOriginal()
			cfg, set := tc.make(t, s)
			cfg.ConnectTimeout, cfg.AnswerTimeout, cfg.TotalTimeout = time.Second, time.Second, 2*time.Second
			said := func(s string) string { return s }
			if cfg.Proxy != "" {
				u, _ := url.Parse(cfg.Proxy)
				said = func(s string) string { return strings.ReplaceAll(s, u.Host, "proxy.example") }
			} else {
				cfg.Proxy = "none"
			}
			if set != nil {
				endpointScenario(t, faultCase{fault: "connection", says: tc.says}, cfg, s, set)
				return
			}
			u, _ := url.Parse(cfg.WhatIs)
			d, err := cfg.open()
			if err != nil {
				t.Fatal(err)
			}
			l := newBox(t, Main)
			l.register()
			w, _ := start(t, Options{Directory: d, Ledger: l})
			l.bump(annBadge, ipadTag)
			var words string
			eventually(t, "said: "+tc.says, func() bool {
				words = said(sayings(t, w, u.Host))
				return strings.Contains(words, tc.says)
			})
			if strings.Contains(words, "lost") {
				t.Error("lost, though nothing was sent")
			}
			t.Logf("stump sync says:\n%s", words)
		})
	}
}

// Every call opens its own connection, and no call is made twice.
func TestEndpointsUseFreshConnections(t *testing.T) {
	s := newOriginal()
	f := newFaultServer(s)
	srv := f.serve(t)
	d, err := endpointsAt(srv.URL).open()
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		d.Deliver(t.Context(), tap(checkout.Checkout))
	}
	slices.Sort(f.seen)
	if n := len(slices.Compact(f.seen)); n != 5 || f.calls != 5 {
		t.Errorf("%d calls over %d connections, want 5 over 5", f.calls, n)
	}
}

// A call whose answer, or end, comes before the write returns was sent: it must not
// be repeated.
func TestEndpointsWhereTheAnswerOvertakesTheWrite(t *testing.T) {
	for _, x := range []fault{resetAfterCommit, closeHalfWay, badTrailer, resetAtOnce} {
		t.Run(string(x), func(t *testing.T) {
			t.Parallel()
			s := newOriginal()
			f := newFaultServer(s)
			f.set(x)
			cfg := endpointsAt(f.serve(t).URL)
			cfg.HTTP = x.timeouts()
			cfg.TestDial = func(ctx context.Context, network, addr string) (net.Conn, error) {
				c, err := new(net.Dialer).DialContext(ctx, network, addr)
				if err != nil {
					return nil, err
				}
				return newLateConn(c), nil
			}
			d, err := cfg.open()
			if err != nil {
				t.Fatal(err)
			}
			if o := d.Deliver(t.Context(), tap(checkout.Checkout)); o.Verdict != call.InDoubt {
				t.Errorf("%+v after the server counted %q, want it lost", o, s.toggles())
			}
		})
	}
}

// No secret and no badge number may appear in a log, a status or an error.
func TestSayingsHideNumbers(t *testing.T) {
	digits := regexp.MustCompile(`91234|7654321|8123456|[0-9a-f]{64}`)
	for _, x := range []fault{healthy, resetAtOnce, hangAtOnce, redirectAway, status404, halfJSON} {
		f := newFaultServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			staff, _, _ := strings.Cut(r.URL.Path, "/8123456") // the server may say a device's number
			fmt.Fprintf(w, `{"error":"Unknown: %s"}`, staff)
		}))
		srv := f.serve(t)
		cfg := endpointsAt(srv.URL)
		cfg.HTTP = x.timeouts()
		cfg.CheckInOut = srv.URL + "/checkinout/{staff}/{asset}"
		cfg.WhatIs = srv.URL + "/whatis/{tag}"
		cfg.Associate = srv.URL + "/associate/{who}/{tag}"
		d, err := cfg.open()
		if err != nil {
			t.Fatal(err)
		}
		f.set(x)
		o := d.Deliver(t.Context(), tap(checkout.Checkout))
		_, err = d.WhatIs(t.Context(), annBadge, checkout.KindPerson)
		_, errEnrol := d.Enrol(t.Context(), "Ann", annBadge)
		if said := fmt.Sprint(o.Reason, o.Remedy, err, errEnrol); digits.MatchString(said) {
			t.Errorf("%s: %s", x, said)
		}
	}
}
