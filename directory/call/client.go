package call

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"os"
	"sync"
	"sync/atomic"
	"time"
)

// Limits on what a server may make us read.
const (
	answerLimit = 1 << 20 // the answer to one call; lists are read as they come, see Reading
	headerLimit = 64 << 10
)

// HTTP are the keys that all places have.
type HTTP struct {
	// CAFile is a PEM file of certificates that are trusted besides the system's.
	CAFile string `toml:"ca_file"`
	// Proxy is the URL of an HTTP proxy; empty: from the environment
	// (HTTPS_PROXY, NO_PROXY), "none": never.
	Proxy string `toml:"proxy"`
	// ConnectTimeout is for reaching the server and for the TLS handshake,
	// each. Default 10 s.
	ConnectTimeout time.Duration `toml:"connect_timeout"`
	// AnswerTimeout is from the request to the first byte of the answer.
	// Default 15 s; Snipe-IT mails and chats before it answers.
	AnswerTimeout time.Duration `toml:"answer_timeout"`
	// TotalTimeout is for a whole call. Default 30 s.
	TotalTimeout time.Duration `toml:"total_timeout"`

	// TestDial replaces the network in tests.
	TestDial func(ctx context.Context, network, addr string) (net.Conn, error) `toml:"-"`
}

// Client calls one place.
type Client struct {
	http  http.Client
	bare  http.Client // follows every redirect of a GET
	total time.Duration
	Options

	mu     sync.Mutex
	server Server
}

// Options are what differs from place to place.
type Options struct {
	// Hide keeps the paths of addresses out of reasons: they may be secret, or
	// contain a card's number.
	Hide bool
	// Fresh opens a connection for every call. Go silently repeats a GET when a
	// kept connection turns out to be dead (net/http, shouldRetryRequest): two
	// toggles for one event.
	Fresh bool
	// Follow follows redirects within the same host that keep the method. Most
	// turn a POST into a GET, whose answer would pass for "received".
	Follow bool
}

// New returns a client. It reads CAFile; errors name the key that is wrong.
func New(h HTTP, o Options) (*Client, error) {
	def := func(d time.Duration, v time.Duration) time.Duration {
		if d <= 0 {
			return v
		}
		return d
	}
	connect := def(h.ConnectTimeout, 10*time.Second)
	t := &http.Transport{
		TLSHandshakeTimeout:    connect,
		ResponseHeaderTimeout:  def(h.AnswerTimeout, 15*time.Second),
		MaxResponseHeaderBytes: headerLimit,
		DisableKeepAlives:      o.Fresh,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        60 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		Protocols:              new(http.Protocols),
		DialContext:            h.TestDial,
	}
	t.Protocols.SetHTTP1(true)
	// HTTP/2 repeats a call by itself when the server says that it did not begin it.
	t.Protocols.SetHTTP2(!o.Fresh)
	if h.TestDial == nil {
		t.DialContext = (&net.Dialer{Timeout: connect}).DialContext
	}
	var err error
	if t.Proxy, err = h.proxy(); err != nil {
		return nil, err
	}
	t.OnProxyConnectResponse = func(_ context.Context, proxy *url.URL, _ *http.Request, r *http.Response) error {
		if r.StatusCode == http.StatusOK {
			return nil
		}
		return &proxyError{proxy.Host, r.StatusCode}
	}
	if t.TLSClientConfig.RootCAs, err = h.Authorities(); err != nil {
		return nil, err
	}
	c := &Client{total: def(h.TotalTimeout, 30*time.Second), Options: o}
	c.http = http.Client{Transport: t, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		from := via[0].URL
		if !o.Follow || len(via) > 3 || req.Method != via[0].Method || req.URL.Host != from.Host || req.URL.Scheme != from.Scheme {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	c.bare = http.Client{Transport: t, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		req.Header.Del("Referer") // addresses may be secret
		if len(via) > 5 || via[0].URL.Scheme == "https" && req.URL.Scheme != "https" {
			return http.ErrUseLastResponse
		}
		return nil
	}}
	return c, nil
}

// proxy returns how the proxy of a request is found.
func (h HTTP) proxy() (func(*http.Request) (*url.URL, error), error) {
	switch h.Proxy {
	case "":
		return http.ProxyFromEnvironment, nil
	case "none":
		return nil, nil
	}
	u, err := url.Parse(h.Proxy)
	if err != nil || u.Host == "" {
		return nil, errors.New("proxy is not a URL such as http://proxy.example:3128") // its password is not for a log
	}
	return http.ProxyURL(u), nil
}

// Authorities returns the system's certificates and those of CAFile; nil is the
// system's alone.
func (h HTTP) Authorities() (*x509.CertPool, error) {
	if h.CAFile == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(h.CAFile)
	if err != nil {
		return nil, fmt.Errorf("reading ca_file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("ca_file %s holds no PEM certificate", h.CAFile)
	}
	return pool, nil
}

// Reply is a complete answer.
type Reply struct {
	Status int
	Header http.Header
	Body   []byte
	URL    *url.URL // what was asked
	// path, and the target of a redirect that was not followed, as they may be
	// shown.
	path, target string
	location     *url.URL // of a redirect
}

// Location is where the redirect of a POST points to; "" if it leads nowhere, or from
// https to http.
func (r Reply) Location() string {
	if r.location == nil || !IsWeb(r.location) || r.URL.Scheme == "https" && r.location.Scheme != "https" || len(r.location.String()) > 2000 {
		return ""
	}
	return r.location.String()
}

// callError is a call without a usable answer.
type callError struct {
	err error
	// sent: there was a connection for the request (TCP, a proxy's CONNECT, TLS),
	// so the other side may have acted on it. Whether any of it was written can't
	// be known: the answer, or our own timeout, may come before the write returns.
	sent bool
	host string
}

// proxyError is a proxy that refuses to connect.
type proxyError struct {
	host   string
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy %s answers %s", e.host, statusText(e.status))
}

var errTooBig = errors.New("answer too big")

// Do makes one call. The outcome is OK if there is an answer, whatever it says:
// see Reply.Outcome.
func (c *Client) Do(ctx context.Context, method, address string, header http.Header, body []byte) (Reply, Outcome) {
	return c.read(ctx, method, address, header, body, func(r *Reply, answer io.Reader) (err error) {
		if r.Body, err = io.ReadAll(io.LimitReader(answer, answerLimit+1)); len(r.Body) > answerLimit {
			return errTooBig
		}
		return err
	})
}

// See fetches the answer to a POST from where its redirect points to, see
// Reply.Location. It sends nothing of the POST, so that may be another host.
func (c *Client) See(ctx context.Context, address string) (Reply, Outcome) {
	return c.Get(ctx, address, http.Header{})
}

// Get fetches what is at an address, or where that redirects to, which may be another
// host: the header must have no secret.
func (c *Client) Get(ctx context.Context, address string, header http.Header) (Reply, Outcome) {
	other := Client{http: c.bare, total: c.total, Options: c.Options}
	return other.Do(ctx, http.MethodGet, address, header, nil)
}

// read makes one call, and lets answer read what comes.
func (c *Client) read(ctx context.Context, method, address string, header http.Header, body []byte, answer func(*Reply, io.Reader) error) (Reply, Outcome) {
	ctx, cancel := context.WithTimeout(ctx, c.total)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	req, err := http.NewRequestWithContext(ctx, method, address, bytes.NewReader(body))
	if err != nil { // its text has the address
		return Reply{}, Outcome{Verdict: BadConfig, Reason: "the address can't be called", Remedy: "check the address"}
	}
	req.Header = header
	req.Header.Set("User-Agent", "stump")
	fail := func(err error) (Reply, Outcome) {
		return Reply{}, noAnswer(callError{err: err, sent: sent.Load(), host: req.URL.Host})
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	c.saw(resp)
	r := Reply{Status: resp.StatusCode, Header: resp.Header, URL: req.URL, path: "this address", target: "elsewhere"}
	if err := answer(&r, resp.Body); err != nil {
		return fail(err)
	}
	if !c.Hide {
		r.path = req.URL.Path
	}
	if to, err := resp.Location(); err == nil {
		r.location = to
		r.target = "to " + to.Host + to.Path
		if c.Hide {
			r.target = "to " + to.Scheme + "://" + to.Host
		}
	}
	return r, Outcome{}
}
