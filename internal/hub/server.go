// Package hub is the server that makes several stations one lab: what stations ask of it,
// by HTTPS. It keeps everything in its store but a few keys, so there may be any number of
// hubs.
package hub

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"stump/internal/hint"
	"stump/internal/hub/store"
	"stump/internal/lab/wire"
)

// Bounds of what one request has.
const (
	mostBody = 8 << 20  // bytes
	mostJoin = 64 << 20 // bytes: the register of a station, by who has a code
	answerIn = 30 * time.Second
)

// Server answers stations.
type Server struct {
	Store *store.Store
	Keys  Keys
	Log   *slog.Logger
	// Office answers all that is not asked by stations; nil: nothing does.
	Office http.Handler
	// Wait is how long a question for changes is held; wire.Wait if zero.
	Wait time.Duration
}

// CodeBusy is a problem that goes away.
const CodeBusy = "busy"

// Handler is what a hub serves.
func (s *Server) Handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+wire.PathJoin, s.join)
	mux.HandleFunc("GET "+wire.PathHead, s.asStation(s.head))
	mux.HandleFunc("POST "+wire.PathAppend, s.asStation(s.append))
	mux.HandleFunc("GET "+wire.PathChanges, s.asStation(s.changes))
	mux.HandleFunc("POST "+wire.PathLease, s.asStation(s.lease))
	mux.HandleFunc("POST "+wire.PathLeave, s.asStation(s.leave))
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("GET /readyz", s.ready)
	if s.Office != nil {
		mux.Handle("/", s.Office)
		return mux
	}
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		s.fail(w, r, &store.Problem{Wire: wire.Problem{Code: wire.CodeInvalid, Error: "there is nothing at " + r.Method + " " + r.URL.Path, Hint: "a hub answers stations; see docs/hub.md"}})
	})
	return mux
}

// ready says whether stations can be served.
func (s *Server) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 5*time.Second)
	defer cancel()
	if _, err := s.Store.Check(ctx); err != nil {
		s.fail(w, r, err)
		return
	}
	fmt.Fprintln(w, "ready")
}

// bearer is the secret that a request shows; empty for none.
func bearer(r *http.Request) string {
	word, token, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if !strings.EqualFold(word, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

// stationHandler answers a station.
type stationHandler func(r *http.Request, from store.Sender, body io.Reader) (any, error)

// asStation lets only stations in.
func (s *Server) asStation(h stationHandler) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		from, err := s.Store.Sender(r.Context(), bearer(r))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		answer, err := h(r, from, http.MaxBytesReader(w, r.Body, mostBody))
		if err != nil {
			s.fail(w, r, err)
			return
		}
		s.Store.Heard(from)
		s.answer(w, answer)
	}
}

func (s *Server) answer(w http.ResponseWriter, answer any) {
	b, err := json.Marshal(answer)
	if err != nil {
		s.Log.Error("an answer can't be written", "err", err)
		w.WriteHeader(http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(append(b, '\n'))
}

// status is how problems stand in HTTP.
var status = map[string]int{
	wire.CodeGap: http.StatusConflict, wire.CodeForked: http.StatusConflict, wire.CodeTaken: http.StatusConflict, wire.CodeClash: http.StatusConflict,
	wire.CodeFenced: http.StatusConflict,
	wire.CodeForged: http.StatusUnprocessableEntity, wire.CodeNewer: http.StatusUnprocessableEntity, wire.CodeInvalid: http.StatusBadRequest,
	wire.CodeNotHere: http.StatusUnauthorized, wire.CodeSpent: http.StatusGone, wire.CodeKey: http.StatusPreconditionRequired,
	CodeBusy: http.StatusServiceUnavailable,
}

// fail answers with a problem.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	p, known := errors.AsType[*store.Problem](err)
	switch {
	case known:
	case r.Context().Err() != nil:
		return // nobody reads it
	case store.Busy(err):
		p = &store.Problem{Wire: wire.Problem{Code: CodeBusy, Error: err.Error(), Hint: hint.Of(err)}}
	default:
		s.Log.Error("a request failed", "path", r.URL.Path, "err", err)
		p = &store.Problem{Wire: wire.Problem{Code: CodeBusy, Error: "the hub can't do that now: its database does not answer as it should", Hint: "it is tried again; `stump-hub check` and the hub's log tell more"}}
	}
	code, ok := status[p.Wire.Code]
	if !ok {
		code = http.StatusInternalServerError
	}
	if code == http.StatusServiceUnavailable {
		w.Header().Set("Retry-After", "5")
	}
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("Cache-Control", "no-store")
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(p.Wire)
}

// decode reads a body.
func decode(body io.Reader, into any) error {
	err := json.NewDecoder(body).Decode(into)
	if large, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return invalid("send fewer at once", "the request has more than %d bytes", large.Limit)
	}
	if err != nil {
		return invalid("are station and hub of versions that know each other?", "the request can't be read: %v", err)
	}
	return nil
}

func invalid(remedy, format string, args ...any) error {
	return &store.Problem{Wire: wire.Problem{Code: wire.CodeInvalid, Error: fmt.Sprintf(format, args...), Hint: remedy}}
}

func (s *Server) head(r *http.Request, from store.Sender, _ io.Reader) (any, error) {
	return s.Store.Head(r.Context(), from)
}

func (s *Server) append(r *http.Request, from store.Sender, body io.Reader) (any, error) {
	var a wire.Append
	if err := decode(body, &a); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerIn)
	defer cancel()
	receipts, err := s.Store.Append(ctx, from, &a)
	if receipts == nil {
		receipts = []wire.Accepted{}
	}
	return receipts, err
}

func (s *Server) changes(r *http.Request, from store.Sender, _ io.Reader) (any, error) {
	q := r.URL.Query()
	epoch, err := strconv.ParseInt(q.Get("epoch"), 10, 64)
	since, err2 := strconv.ParseUint(q.Get("since"), 10, 63)
	if err := errors.Join(err, err2); err != nil {
		return nil, invalid("write ?epoch=E&since=V, of the last answer, or 0", "the question for changes can't be read: %v", err)
	}
	wait := s.Wait
	if wait == 0 {
		wait = wire.Wait
	}
	if q.Has("first") { // it wants to know who else there is
		wait = 0
	}
	return s.Store.Changes(r.Context(), from, epoch, since, wait)
}

func (s *Server) lease(r *http.Request, from store.Sender, body io.Reader) (any, error) {
	var ask wire.Lease
	if err := decode(body, &ask); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(r.Context(), answerIn)
	defer cancel()
	return s.Store.Lease(ctx, from, &ask)
}

func (s *Server) leave(r *http.Request, from store.Sender, _ io.Reader) (any, error) {
	return struct{}{}, s.Store.Leave(r.Context(), from)
}
