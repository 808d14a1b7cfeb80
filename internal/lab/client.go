package lab

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"stump/internal/hint"
	"stump/internal/lab/wire"
)

// Problem is what a hub answers when it does not do what was asked.
type Problem struct{ wire.Problem }

func (p *Problem) Error() string { return "the hub says: " + p.Problem.Error }

// Hint says what to do.
func (p *Problem) Hint() string { return p.Problem.Hint }

// is reports whether a hub has answered with a code.
func is(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

// mostAnswer is how many bytes an answer of a hub may have: a page of rows with long notes.
const mostAnswer = 16 << 20

// client asks a hub.
type client struct {
	url    string
	bearer string
	http   *http.Client
}

// client returns a client of the hub at url. A hub with a pin is the one whose key has
// it, whoever signed its certificate.
func (l *Link) client(url string, pin []byte, bearer string) *client {
	if l.o.Transport != nil {
		return &client{url, bearer, &http.Client{Transport: l.o.Transport}}
	}
	t := &http.Transport{
		DialContext:         (&net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
		TLSHandshakeTimeout: 15 * time.Second, IdleConnTimeout: 2 * wire.Wait, MaxIdleConnsPerHost: 2,
		ResponseHeaderTimeout: wire.Wait + 20*time.Second,
	}
	if len(pin) > 0 {
		t.TLSClientConfig = &tls.Config{
			MinVersion:         tls.VersionTLS12,
			InsecureSkipVerify: true, // the pin is checked instead
			VerifyConnection: func(s tls.ConnectionState) error {
				if !bytes.Equal(Pin(s.PeerCertificates[0]), pin) {
					return hint.Errorf("if it was set up anew, join it again with a new code", "whoever answers at %s is not the hub that the join code was of", url)
				}
				return nil
			},
		}
	}
	return &client{strings.TrimSuffix(url, "/"), bearer, &http.Client{Transport: t}}
}

// Pin is by what a station knows the hub again: the SHA-256 of the public key of its
// certificate.
func Pin(c *x509.Certificate) []byte {
	sum := sha256.Sum256(c.RawSubjectPublicKeyInfo)
	return sum[:]
}

// ask sends a request, in as JSON if it is not nil, and reads the answer into out. It takes
// as long as ctx lets it.
func (c *client) ask(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(b)
	}
	r, err := http.NewRequestWithContext(ctx, method, c.url+path, body)
	if err != nil {
		return err
	}
	r.Header.Set("Authorization", "Bearer "+c.bearer)
	if in != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	answer, err := c.http.Do(r)
	if err != nil {
		return fmt.Errorf("the hub does not answer: %w", err)
	}
	defer answer.Body.Close()
	from := json.NewDecoder(io.LimitReader(answer.Body, mostAnswer))
	if answer.StatusCode/100 != 2 {
		p := &Problem{}
		if err := from.Decode(&p.Problem); err != nil || p.Code == "" {
			return fmt.Errorf("whoever answers at %s is no hub: %s", c.url, answer.Status)
		}
		p.Problem.Error = cmp.Or(p.Problem.Error, p.Code)
		return p
	}
	if out == nil {
		return nil
	}
	if err := from.Decode(out); err != nil {
		return fmt.Errorf("the answer of the hub ends too early, or is none: %w", err)
	}
	return nil
}
