package call

import (
	"context"
	"crypto/tls"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// Step is a step on the way to a server, tried by itself.
type Step struct {
	Name     string // name, connect or tls
	Measured string // where it works
	// Outcome says what is wrong; Skipped: it was not tried, Measured says why.
	Outcome Outcome
	Skipped bool
	// Ends is when the certificate ends.
	Ends time.Time
}

// Reach tries the way to an address, step by step, up to the first that does not work.
// Nothing is asked of the server.
func (c *Client) Reach(ctx context.Context, address string) (steps []Step) {
	u, err := url.Parse(address)
	if err != nil {
		return []Step{{Name: "name", Outcome: Misconfigured(err, "check the address")}}
	}
	target, by := u, ""
	transport := c.http.Transport.(*http.Transport) // see New
	if transport.Proxy != nil {
		proxy, err := transport.Proxy(&http.Request{URL: u})
		if err != nil {
			return []Step{{Name: "name", Outcome: Misconfigured(fmt.Errorf("the proxy's address can't be read"), "check directory.proxy or HTTPS_PROXY")}}
		}
		if proxy != nil {
			target, by = proxy, ", the proxy on the way to "+u.Host
		}
	}
	ctx, cancel := context.WithTimeout(ctx, transport.TLSHandshakeTimeout) // as long as to connect
	defer cancel()
	name := Step{Name: "name"}
	if name.Measured, err = resolve(ctx, target.Hostname()); err != nil {
		name.Outcome = noAnswer(callError{err: err, host: target.Host})
		return append(steps, name)
	}
	name.Measured += by
	begin := time.Now()
	conn, err := transport.DialContext(ctx, "tcp", net.JoinHostPort(target.Hostname(), port(target)))
	if err != nil {
		return append(steps, name, Step{Name: "connect", Outcome: noAnswer(callError{err: err, host: target.Host})})
	}
	defer conn.Close()
	steps = append(steps, name, Step{Name: "connect", Measured: fmt.Sprintf("%s answers in %d ms%s", conn.RemoteAddr(), time.Since(begin).Milliseconds(), by)})
	switch {
	case u.Scheme != "https":
		return append(steps, Step{Name: "tls", Skipped: true, Measured: "none: the address begins with http"})
	case by != "":
		return append(steps, Step{Name: "tls", Skipped: true, Measured: "not tried by itself through a proxy"})
	}
	return append(steps, handshake(ctx, conn, transport.TLSClientConfig, u))
}

// resolve looks a name up.
func resolve(ctx context.Context, host string) (words string, err error) {
	if net.ParseIP(host) != nil {
		return host + " is an address", nil
	}
	addresses, err := net.DefaultResolver.LookupHost(ctx, host)
	if err != nil {
		return "", err
	}
	return host + " is " + strings.Join(addresses, ", "), nil
}

func port(u *url.URL) string {
	switch {
	case u.Port() != "":
		return u.Port()
	case u.Scheme == "https":
		return "443"
	}
	return "80"
}

func handshake(ctx context.Context, conn net.Conn, config *tls.Config, u *url.URL) Step {
	config = config.Clone()
	config.ServerName = u.Hostname()
	secure := tls.Client(conn, config)
	if err := secure.HandshakeContext(ctx); err != nil {
		return Step{Name: "tls", Outcome: noAnswer(callError{err: &url.Error{Op: "Get", URL: u.Host, Err: err}, host: u.Host})}
	}
	state := secure.ConnectionState()
	return Step{Name: "tls", Measured: tls.VersionName(state.Version), Ends: CertificateEnd(&state)}
}

// Reach tries the way to the API, step by step.
func (s *Service) Reach(ctx context.Context) []Step { return s.client.Reach(ctx, s.base) }

// NoAnswer is what an error means with which a connection to a host begins or ends.
func NoAnswer(err error, host string) Outcome {
	if strings.HasPrefix(err.Error(), "tls: ") {
		err = &url.Error{Op: "Get", URL: host, Err: err} // as tlsWords knows it
	}
	return noAnswer(callError{err: err, host: host})
}
