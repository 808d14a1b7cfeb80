package directory

import (
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
	"sync/atomic"
	"time"
)

// Limits on what a server may make us swallow.
const (
	answerLimit = 1 << 20  // the answer to one call
	pageLimit   = 16 << 20 // one page of a list
	listLimit   = 1 << 20  // rows of a whole list
	headerLimit = 64 << 10
)

// HTTP is how places are reached; it is the same for all of them.
type HTTP struct {
	// CAFile is a PEM file of certificates trusted beside the system's.
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

	testOnlyDial func(ctx context.Context, network, addr string) (net.Conn, error)
}

func (h HTTP) withDefaults() HTTP {
	def := func(d *time.Duration, v time.Duration) {
		if *d <= 0 {
			*d = v
		}
	}
	def(&h.ConnectTimeout, 10*time.Second)
	def(&h.AnswerTimeout, 15*time.Second)
	def(&h.TotalTimeout, 30*time.Second)
	return h
}

// client calls one place.
type client struct {
	http  http.Client
	total time.Duration
	hide  bool
}

// clientOptions are what differs from place to place.
type clientOptions struct {
	// hide keeps the paths of addresses out of what is said: they may be a secret,
	// or have a number in them.
	hide bool
	// fresh opens a connection for every call. Go's Transport silently repeats
	// a GET when a kept connection turns out to be dead (net/http,
	// shouldRetryRequest): two toggles for one event.
	fresh bool
	// follow allows redirects within the same host that keep the method: most
	// make a GET of a POST, and the answer to that would pass for "received".
	follow bool
}

// newClient returns a client. It reads CAFile.
func newClient(h HTTP, o clientOptions) (*client, error) {
	h = h.withDefaults()
	t := &http.Transport{
		TLSHandshakeTimeout:    h.ConnectTimeout,
		ResponseHeaderTimeout:  h.AnswerTimeout,
		MaxResponseHeaderBytes: headerLimit,
		DisableKeepAlives:      o.fresh,
		MaxIdleConnsPerHost:    16,
		IdleConnTimeout:        60 * time.Second,
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12},
		Protocols:              new(http.Protocols),
	}
	t.Protocols.SetHTTP1(true)
	// HTTP/2 makes a call again by itself that the server says it did not begin.
	t.Protocols.SetHTTP2(!o.fresh)
	t.DialContext = (&net.Dialer{Timeout: h.ConnectTimeout}).DialContext
	if h.testOnlyDial != nil {
		t.DialContext = h.testOnlyDial
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
	if t.TLSClientConfig.RootCAs, err = h.authorities(); err != nil {
		return nil, err
	}
	c := &client{total: h.TotalTimeout, hide: o.hide}
	c.http = http.Client{Transport: t, CheckRedirect: func(req *http.Request, via []*http.Request) error {
		from := via[0].URL
		if !o.follow || len(via) > 3 || req.Method != via[0].Method || req.URL.Host != from.Host || req.URL.Scheme != from.Scheme {
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

// authorities returns the system's certificates and those of CAFile; nil is the
// system's alone.
func (h HTTP) authorities() (*x509.CertPool, error) {
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

// reply is an answer, whole and within the limit.
type reply struct {
	Status int
	Header http.Header
	Body   []byte
	URL    *url.URL // what was asked
	// Where and To are that, and the target of a redirect that was not followed,
	// as may be said.
	Where, To string
}

// callError is a call without a usable answer.
type callError struct {
	err error
	// sent: the request was given to a connection that stood (TCP, a proxy's
	// CONNECT, TLS), so the other side may have acted on it. Whether any of it went
	// out is not asked: the answer, and our own giving up, overtake the write.
	sent bool
	host string
}

func (e *callError) Error() string { return e.err.Error() }
func (e *callError) Unwrap() error { return e.err }

// proxyError is a proxy that does not connect us.
type proxyError struct {
	host   string
	status int
}

func (e *proxyError) Error() string {
	return fmt.Sprintf("the proxy %s answers %s", e.host, statusWords(e.status))
}

var errTooBig = errors.New("answer too big")

// do makes one call. limit caps the body.
func (c *client) do(ctx context.Context, req *http.Request, limit int64) (reply, *callError) {
	ctx, cancel := context.WithTimeout(ctx, c.total)
	defer cancel()
	var sent atomic.Bool
	ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { sent.Store(true) }})
	req.Header.Set("User-Agent", "stump")
	fail := func(err error) (reply, *callError) {
		return reply{}, &callError{err: err, sent: sent.Load(), host: req.URL.Host}
	}
	resp, err := c.http.Do(req.WithContext(ctx))
	if err != nil {
		return fail(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return fail(err)
	}
	if int64(len(body)) > limit {
		return fail(errTooBig)
	}
	r := reply{Status: resp.StatusCode, Header: resp.Header, Body: body, URL: req.URL, Where: "this address", To: "elsewhere"}
	if !c.hide {
		r.Where = req.URL.Path
	}
	if to, err := resp.Location(); err == nil {
		r.To = "to " + to.Host + to.Path
		if c.hide {
			r.To = "to " + to.Scheme + "://" + to.Host
		}
	}
	return r, nil
}
