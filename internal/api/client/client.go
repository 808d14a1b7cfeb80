package client

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

	"stump/internal/api/wire"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Client asks the API of a daemon, or of a handler in this process: a command works
// the same whether a daemon runs or not.
type Client struct {
	http http.Client
	// Actor is who asks, for the history.
	Actor string
}

// Dial returns a client of the daemon that listens on socket. It fails when none
// answers there.
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
	return newClient(dial), nil
}

// Local returns a client of a handler in this process.
func Local(h http.Handler) *Client {
	server := make(pipes)
	ours := func(net.Listener) context.Context { return identity.With(context.Background(), identity.Process()) }
	go (&http.Server{Handler: h, BaseContext: ours}).Serve(server) // until the process ends
	return newClient(server.dial)
}

func newClient(dial func(ctx context.Context, network, addr string) (net.Conn, error)) *Client {
	// The API never redirects. A redirect would turn a change into a question.
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &Client{http: http.Client{Transport: &http.Transport{DialContext: dial}, CheckRedirect: stay}}
}

// pipes is a listener for connections within this process.
type pipes chan net.Conn

func (p pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	client, server := net.Pipe()
	select {
	case p <- server:
		return client, nil
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

func (p pipes) Accept() (net.Conn, error) { return <-p, nil }
func (p pipes) Close() error              { return nil }
func (p pipes) Addr() net.Addr            { return &net.UnixAddr{Net: "unix"} }

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
	req.Header.Set("Accept", wire.LineType+", application/json")
	req.Header.Set(wire.ActorHeader, url.QueryEscape(c.Actor))
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
		return nil, problemOf(resp)
	}
	return answer{resp.Body}, nil
}

// answer is the body of an answer, which may break off.
type answer struct{ io.ReadCloser }

func (a answer) Read(b []byte) (int, error) {
	n, err := a.ReadCloser.Read(b)
	if err != nil && !errors.Is(err, io.EOF) {
		err = hint.Errorf("`stump verify` says whether the ledger is whole; the daemon's log says the rest", "the answer broke off: %w", err)
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
		// encoding/json writes this escape only in place of what is not UTF-8.
		if bytes.Contains(b, []byte(`\ufffd`)) {
			return wire.ErrNotText
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

// endPatience is how long the end of a job that is no longer wanted is waited for.
const endPatience = 5 * time.Second

// Follow begins a job at path, shows each of its events, and reads into out what it was in
// the end. If that is not what it should have come to, its problem is the error. When ctx
// ends, or see fails, the job is ended, too. see gets the path of the job with each event.
func (c *Client) Follow(ctx context.Context, path string, in, out any, see func(ctx context.Context, job string, e *wire.JobEvent) error) (err error) {
	var job wire.Job
	if err := c.Do(ctx, http.MethodPost, path, in, &job); err != nil {
		return err
	}
	path += "/" + job.ID
	defer func() {
		if err != nil && (job.Ended == nil || ctx.Err() != nil) {
			ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
			defer cancel()
			_ = c.Do(ctx, http.MethodDelete, path, nil, nil) // it may have ended by itself
		}
	}()
	events, err := c.Stream(ctx, http.MethodGet, path+"/events", nil, nil)
	if err != nil {
		return err
	}
	defer events.Close()
	for dec := json.NewDecoder(events); ; {
		var e wire.JobEvent
		if err := dec.Decode(&e); err != nil {
			return err
		}
		if e.What != "end" {
			if err := see(ctx, path, &e); err != nil {
				return err
			}
			continue
		}
		if err := errors.Join(json.Unmarshal(e.Data, &job), json.Unmarshal(e.Data, out)); err != nil {
			return err
		}
		return Failure(job)
	}
}

// Failure is why a job did not come to its end, nil if it did or was ended by its owner.
func Failure(j wire.Job) error {
	if p := j.Problem; p != nil {
		return hint.Wrap(&StatusError{p.Status, p.Code, p.Error}, p.Hint)
	}
	return nil
}

// problemOf is the error that an answer carries.
func problemOf(resp *http.Response) error {
	body, err := io.ReadAll(io.LimitReader(resp.Body, 1<<20))
	if err != nil {
		return err
	}
	var p wire.Problem
	if err := json.Unmarshal(body, &p); err != nil || p.Error == "" {
		return fmt.Errorf("%s: %s", resp.Status, strings.TrimSpace(string(body)))
	}
	return hint.Wrap(&StatusError{resp.StatusCode, p.Code, p.Error}, p.Hint)
}

// StatusError is an error that came as an answer.
type StatusError struct {
	Status  int       // of HTTP
	Code    wire.Code // of the problem
	Message string
}

func (e *StatusError) Error() string { return e.Message }
