package listen

import (
	"context"
	"crypto/tls"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"stump/internal/api/wire"
	"stump/internal/certificate"
	"stump/internal/hint"
	"stump/internal/patience"
)

// Bounds of what others on the network can take. Whoever is slow is cut off and asks
// again; a tap waits for nobody.
const (
	maxConns    = 256 // at once; 100 browsers that watch need one each
	siteStreams = 64  // of HTTP/2, in a connection
	headTime    = 10 * time.Second
	bodyTime    = 2 * time.Minute // for a whole request
	idleTime    = time.Minute
	writeTime   = 30 * time.Second // for a part of an answer
	maxHead     = 16 << 10         // bytes
)

// Site serves the API by TLS to whoever has a token or a session. It is a task.
type Site struct {
	Handler http.Handler
	Addr    string // such as ":8443"
	// URL is how others reach it; "" for the host's name, or the address in Addr.
	URL         string
	Certificate *certificate.Source
	Log         *slog.Logger

	opened net.Listener
}

// Names are the names and addresses by which others may reach this machine.
func Names(address string) (names []string) {
	add := func(name string) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if u, err := url.Parse(address); err == nil {
		add(strings.ToLower(u.Hostname()))
	}
	if host, err := os.Hostname(); err == nil {
		host = strings.ToLower(host)
		add(host)
		if short, _, _ := strings.Cut(host, "."); short != "localhost" {
			add(short + ".local")
		}
	}
	add("localhost")
	addrs, _ := net.InterfaceAddrs()
	for _, a := range addrs {
		if ip, ok := a.(*net.IPNet); ok && !ip.IP.IsLinkLocalUnicast() {
			add(ip.IP.String())
		}
	}
	return names
}

// Open listens.
func (s *Site) Open() (err error) {
	if s.opened, err = net.Listen("tcp", s.Addr); err != nil {
		return hint.Errorf("choose another address with listen in the table [web]", "%w", err)
	}
	if s.URL == "" {
		s.URL = "https://" + s.host()
	}
	s.URL = strings.TrimRight(s.URL, "/")
	return nil
}

// Close gives the address back, of a site that does not run.
func (s *Site) Close() error { return s.opened.Close() }

// host is where others reach us when nobody has said it.
func (s *Site) host() string {
	host, port, _ := net.SplitHostPort(s.Listens())
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		host = "localhost"
		if name, err := os.Hostname(); err == nil {
			host = strings.ToLower(name)
			if !strings.Contains(host, ".") {
				host += ".local"
			}
		}
	}
	if port == "443" && !strings.Contains(host, ":") {
		return host
	}
	return net.JoinHostPort(host, port)
}

// Listens is the address, with the port that it got.
func (s *Site) Listens() string { return s.opened.Addr().String() }

// Web says where others reach the station.
func (s *Site) Web() wire.Web {
	cert, listens := s.Certificate.Current(), s.Listens()
	print := certificate.Fingerprint(cert)
	return wire.Web{Listen: &listens, URL: &s.URL, Fingerprint: &print, SelfMade: s.Certificate.SelfMade(), Expires: &cert.NotAfter}
}

// String is task.Task's.
func (s *Site) String() string { return `web "` + s.Addr + `"` }

// Run serves until ctx is done. It then gives answers under way half a second.
func (s *Site) Run(ctx context.Context) error {
	room := patience.Listen(s.opened, maxConns)
	room.Short = short(s.Log, s.String())
	srv := &http.Server{
		Handler:           patience.Handler(writeTime, Guard(s.URL, s.Handler)),
		ReadHeaderTimeout: headTime,
		ReadTimeout:       bodyTime,
		IdleTimeout:       idleTime,
		MaxHeaderBytes:    maxHead,
		ConnState:         room.State,
		TLSConfig:         &tls.Config{MinVersion: tls.VersionTLS12, GetCertificate: s.Certificate.Get},
		HTTP2: &http.HTTP2Config{
			MaxConcurrentStreams: siteStreams, SendPingTimeout: idleTime, WriteByteTimeout: writeTime,
			MaxReceiveBufferPerConnection: 256 << 10, MaxReceiveBufferPerStream: 64 << 10,
		},
		ErrorLog:    slog.NewLogLogger(s.Log.Handler(), slog.LevelDebug),
		BaseContext: func(net.Listener) context.Context { return ctx },
	}
	failed := make(chan error, 1)
	go func() { failed <- srv.ServeTLS(room, "", "") }()
	s.Log.Info("the web address listens", "address", s.Listens(), "url", s.URL)
	select {
	case err := <-failed:
		srv.Close()
		return err
	case <-ctx.Done():
	}
	end, cancel := context.WithTimeout(context.WithoutCancel(ctx), 500*time.Millisecond)
	defer cancel()
	if srv.Shutdown(end) != nil {
		srv.Close()
	}
	return nil
}

// Guard keeps foreign pages from h, which others reach at an address, and says what browsers
// may do with ours.
func Guard(address string, h http.Handler) http.Handler {
	origin := http.NewCrossOriginProtection()
	origin.SetDenyHandler(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		wire.WriteProblem(w, wire.CodeForeignPage, hint.Errorf("ask without a browser, or from a page of this address", "the request comes from a page of %q", r.Header.Get("Origin")))
	}))
	if u, err := url.Parse(address); err == nil {
		_ = origin.AddTrustedOrigin("https://" + u.Host) // where a proxy asks by another name
	}
	names := Names(address)
	ours := origin.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		for name, value := range SiteHeaders {
			w.Header().Set(name, value)
		}
		if !isOurs(r.Host, names) {
			wire.WriteProblem(w, wire.CodeForeignPage, hint.Errorf("ask at "+address+", or set url in the table [web] to the name that you use", "%q is not a name of this station", r.Host))
			return
		}
		ours.ServeHTTP(w, r)
	})
}

// SiteHeaders are in every answer. Only our own files are scripts, styles and pictures;
// no page is shown inside another's.
var SiteHeaders = map[string]string{
	"Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; manifest-src 'self'; " +
		"form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY",
	"Referrer-Policy":              "same-origin",
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Permissions-Policy":           "camera=(), geolocation=(), microphone=()",
	"Cache-Control":                "no-store",
}

// isOurs reports whether a page of this host can only be ours. An address is no name that
// somebody else could point here.
func isOurs(host string, names []string) bool {
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	return slices.Contains(names, host) || net.ParseIP(strings.Trim(host, "[]")) != nil
}
