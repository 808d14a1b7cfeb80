package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"stump/internal/hint"
)

// Client asks the API: a daemon's over its socket, or a handler in this
// process, so that a command is written once whether a daemon runs or not.
type Client struct {
	http http.Client
	// Actor is who asks, for the history.
	Actor string
}

// Dial returns a client of the daemon that listens on socket. It fails when
// none answers there.
func Dial(ctx context.Context, socket string) (*Client, error) {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	conn, err := dial(ctx, "", "")
	if err != nil {
		return nil, err
	}
	conn.Close()
	return newClient(&http.Transport{DialContext: dial}), nil
}

// Local returns a client of a handler in this process.
func Local(h http.Handler) *Client {
	return newClient(localTransport{h})
}

func newClient(t http.RoundTripper) *Client {
	// The API sends nobody elsewhere: a redirect would turn a change into a
	// question.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: http.Client{Transport: t, CheckRedirect: stay}}
}

// Ref is a name or id as an element of a path.
func Ref(s string) string {
	if s == "." || s == ".." {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

// Stream asks for path and returns the answer's body, to be closed.
func (c *Client) Stream(ctx context.Context, method, path string, query url.Values, body io.Reader) (io.ReadCloser, error) {
	u := "http://stump/v1/" + path
	if len(query) > 0 {
		u += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, err
	}
	req.Header.Set(actorHeader, url.QueryEscape(c.Actor))
	resp, err := c.http.Do(req)
	if err != nil {
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, hint.Errorf("look whether the daemon still runs; its log says why if not", "the daemon stopped answering: %w", err)
	}
	if resp.StatusCode >= 300 {
		defer resp.Body.Close()
		return nil, problem(resp)
	}
	return answer{resp.Body}, nil
}

// answer is the body of an answer, which may break off.
type answer struct{ io.ReadCloser }

func (a answer) Read(b []byte) (int, error) {
	n, err := a.ReadCloser.Read(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = hint.Errorf("`stump verify` says whether the ledger is whole; the daemon's log says the rest", "the answer broke off")
	}
	return n, err
}

// Do sends in as JSON, unless nil, and reads the answer into out, unless nil.
func (c *Client) Do(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		b, err := json.Marshal(in)
		if err != nil {
			return err
		}
		// What is no UTF-8 was replaced by this escape, which encoding/json
		// writes for nothing else.
		if bytes.Contains(b, []byte(`\ufffd`)) {
			return errNoText
		}
		body = bytes.NewReader(b)
	}
	answer, err := c.Stream(ctx, method, path, nil, body)
	if err != nil {
		return err
	}
	defer answer.Close()
	if out == nil {
		_, err := io.Copy(io.Discard, answer)
		return err
	}
	return json.NewDecoder(answer).Decode(out)
}

var errNoText = hint.Errorf("set the terminal's or the script's encoding to UTF-8", "what was given is not valid UTF-8")

// problem is the error that an answer carries.
func problem(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	var p Problem
	if err := json.Unmarshal(body, &p); err != nil || p.Error == "" {
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return hint.Wrap(&StatusError{resp.StatusCode, p.Error}, p.Hint)
}

// StatusError is an error that came as an answer.
type StatusError struct {
	Code    int // the HTTP status
	Message string
}

func (e *StatusError) Error() string { return e.Message }

// localTransport calls a handler as if it were a server.
type localTransport struct{ h http.Handler }

func (t localTransport) RoundTrip(req *http.Request) (*http.Response, error) {
	pr, pw := io.Pipe()
	w := &localWriter{header: http.Header{}, body: pw, started: make(chan struct{})}
	if req.Body == nil {
		req.Body = http.NoBody
	}
	go func() {
		// A handler breaks an answer off by a panic, as net/http has it.
		defer func() {
			if p := recover(); p != nil {
				w.WriteHeader(http.StatusInternalServerError)
				pw.CloseWithError(io.ErrUnexpectedEOF)
			}
		}()
		t.h.ServeHTTP(w, req)
		w.WriteHeader(http.StatusOK)
		pw.Close()
	}()
	select {
	case <-w.started:
	case <-req.Context().Done():
		pr.Close()
		return nil, req.Context().Err()
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", w.status, http.StatusText(w.status)), StatusCode: w.status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.header, Body: pr, ContentLength: -1, Request: req,
	}, nil
}

// localWriter hands the body over as it is written.
type localWriter struct {
	header  http.Header
	status  int
	body    io.Writer
	started chan struct{}
}

func (w *localWriter) Header() http.Header { return w.header }

func (w *localWriter) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
		close(w.started)
	}
}

func (w *localWriter) Write(b []byte) (int, error) {
	w.WriteHeader(http.StatusOK)
	return w.body.Write(b)
}
