package hub

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
)

// Here carries requests to a handler in this process.
func Here(h http.Handler) http.RoundTripper { return here{h} }

type here struct{ handler http.Handler }

// RoundTrip is http.RoundTripper's.
func (t here) RoundTrip(r *http.Request) (*http.Response, error) {
	in := r.Clone(r.Context())
	in.RequestURI, in.Host, in.RemoteAddr = r.URL.RequestURI(), r.URL.Host, "office"
	if in.Body == nil {
		in.Body = http.NoBody
	}
	w := &written{head: http.Header{}}
	t.handler.ServeHTTP(w, in)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	status := cmp.Or(w.status, http.StatusOK)
	return &http.Response{
		Status: http.StatusText(status), StatusCode: status, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: w.head, Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r,
	}, nil
}

// written takes an answer.
type written struct {
	head   http.Header
	status int
	body   bytes.Buffer
}

// Header is http.ResponseWriter's, as are the others.
func (w *written) Header() http.Header { return w.head }

func (w *written) Write(b []byte) (int, error) { return w.body.Write(b) }

func (w *written) WriteHeader(status int) { w.status = cmp.Or(w.status, status) }
