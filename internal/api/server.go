// Package api is the station's HTTP API: JSON under /v1, on a unix socket, and
// the client that the commands use.
//
//	GET  /v1/status                      what the station is doing
//	GET  /v1/who, /v1/history            loans and events, one JSON object a line
//	GET  /v1/people, /v1/devices         the register, one JSON object a line
//	POST /v1/people, PATCH /v1/people/{ref}, POST /v1/people/{ref}/retire
//	POST /v1/people/import, GET /v1/people/export      CSV; the same for devices
//	POST /v1/people/{ref}/erase, GET /v1/people/{ref}/dossier
//	POST /v1/devices/{ref}/lost, /v1/devices/{ref}/found
//	POST /v1/enroll, /v1/give, /v1/return
//	GET  /v1/panel                       what the display shows
//	GET  /v1/sync                        what the directory was told, and what not
//	POST /v1/sync/{id}/retry, …/drop, …/accept, /v1/sync/pull
//	POST /v1/verify                      a check of the ledger, with its progress
//	GET  /v1/backup                      a copy of the ledger's file
//	POST /v1/selftest                    a self-test, a line for each check
//	POST /v1/scope                       the lines live, a view ten times a second
//	GET  /v1/frames                      the worst refused frames, with their edges
//	GET  /v1/unknown                     tags that nobody knows
//	POST /v1/sim/seed, /v1/sim/tap, /v1/sim/fault      only with simulated lines
//
// An error is answered as {"error":…,"hint":…} with a fitting status. There are
// no roles: whoever may open the socket may do everything.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/hint"
	"stump/internal/panel"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/wiegand"
)

// Options are what the API speaks for. Only Ledger and Station are there
// without a daemon.
type Options struct {
	Ledger  *ledger.Ledger
	Path    string // of the ledger's file
	Station string
	Version string
	// Formats are the site's card formats, for written credentials.
	Formats []*wiegand.Format
	Panel   *panel.Panel
	Readers []*station.Reader
	Lines   *simlab.Lines // the simulated lines, nil on hardware
	Worker  *directory.Worker
	// TCP is the address that is listened on beside the socket; nil or "" for none.
	TCP func() string
	// Check is bbolt's own check of a file, in another process; nil leaves it out.
	Check func(ctx context.Context, path string) error
	// Conditions returns what is wrong with each reader.
	Conditions func() map[string][]selftest.Condition
	// Backups returns the newest good backup in each folder; nil: there is no daemon.
	Backups func() []Backup
	// SelfTest returns what a self-test of a reader looks at; "" is the first.
	SelfTest func(reader string) (*selftest.Env, error)
	Log      *slog.Logger
	// Now is the wall clock; time.Now if nil.
	Now func() time.Time
}

// Server answers the API.
type Server struct {
	o   Options
	mux *http.ServeMux
	sim simTaps
}

// NewServer returns a handler.
func NewServer(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	s := &Server{o: o, mux: http.NewServeMux()}
	s.routes()
	return s
}

// handler answers a request, or returns why it can't.
type handler func(http.ResponseWriter, *http.Request) error

func (s *Server) routes() {
	handle := func(pattern string, h handler) {
		s.mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			err := checkActor(r)
			if err == nil {
				err = h(w, r)
			}
			if err != nil {
				s.fail(w, r, err)
			}
		})
	}
	handle("GET /v1/status", s.status)
	handle("GET /v1/who", s.who)
	handle("GET /v1/history", s.history)
	handle("GET /v1/people", s.people)
	handle("POST /v1/people", s.add(checkout.KindPerson))
	handle("PATCH /v1/people/{ref}", s.edit(checkout.KindPerson))
	handle("POST /v1/people/{ref}/retire", s.retire(checkout.KindPerson))
	handle("POST /v1/people/import", s.importPeople)
	handle("GET /v1/people/export", s.exportPeople)
	handle("GET /v1/devices", s.devices)
	handle("POST /v1/devices", s.add(checkout.KindDevice))
	handle("PATCH /v1/devices/{ref}", s.edit(checkout.KindDevice))
	handle("POST /v1/devices/{ref}/retire", s.retire(checkout.KindDevice))
	handle("POST /v1/devices/import", s.importDevices)
	handle("GET /v1/devices/export", s.exportDevices)
	handle("POST /v1/enroll", s.enrol)
	handle("POST /v1/give", s.give)
	handle("POST /v1/return", s.bring)
	handle("GET /v1/unknown", s.unknown)
	handle("GET /v1/panel", s.panel)
	handle("POST /v1/selftest", s.selftest)
	handle("POST /v1/salvage/seen", s.salvageSeen)
	handle("POST /v1/people/{ref}/erase", s.erasePerson)
	handle("GET /v1/people/{ref}/dossier", s.dossier)
	handle("POST /v1/devices/{ref}/lost", s.lost)
	handle("POST /v1/devices/{ref}/found", s.found)
	handle("POST /v1/scope", s.scope)
	handle("GET /v1/frames", s.frames)
	handle("POST /v1/verify", s.verify)
	handle("GET /v1/backup", s.backup)
	handle("GET /v1/sync", s.syncStatus)
	handle("POST /v1/sync/pull", s.syncPull)
	handle("POST /v1/sync/{id}/retry", s.syncRetry)
	handle("POST /v1/sync/{id}/drop", s.syncDrop)
	handle("POST /v1/sync/{id}/accept", s.syncAccept)
	handle("POST /v1/sim/seed", s.simSeed)
	handle("POST /v1/sim/tap", s.simTap)
	handle("POST /v1/sim/fault", s.simFault)
	handle("/", func(_ http.ResponseWriter, r *http.Request) error {
		return &problemError{http.StatusNotFound, hint.Errorf("`stump --help` lists what can be asked", "%s %s is not part of the API", r.Method, r.URL.Path)}
	})
}

// ServeHTTP is http.Handler's.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// problemError is an error with the HTTP status that fits it.
type problemError struct {
	status int
	error
}

func (e *problemError) Unwrap() error { return e.error }

// refuse is an error that the asker can mend.
func refuse(remedy, format string, args ...any) error {
	return &problemError{http.StatusBadRequest, hint.Errorf(remedy, format, args...)}
}

// fail answers err.
func (s *Server) fail(w http.ResponseWriter, r *http.Request, err error) {
	err = withHint(s.withName(err))
	status := http.StatusInternalServerError
	var p *problemError
	switch {
	case errors.Is(err, context.Canceled) && r.Context().Err() != nil:
		// Either the asker has gone, and reads no answer, or the daemon ends.
		status, err = http.StatusServiceUnavailable, hint.Errorf("ask again when it runs", "the station is stopping")
	case errors.As(err, &p):
		status = p.status
	default:
		status = ledgerStatus(err)
	}
	if status == http.StatusInternalServerError {
		s.o.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	writeProblem(w, status, err)
}

func writeProblem(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{Error: err.Error(), Hint: hint.Of(err)})
}

// readJSON reads a request's body strictly.
func readJSON(r *http.Request, v any) error {
	body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
	if err != nil {
		return err
	}
	if !utf8.Valid(body) {
		return errNoText // the decoder would replace what it can't read
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.DisallowUnknownFields()
	const remedy = "send one JSON object with the keys of this call"
	if err := dec.Decode(v); err != nil {
		return refuse(remedy, "the request can't be read: %w", err)
	}
	if dec.More() {
		return refuse(remedy, "the request has more than one value")
	}
	return nil
}

// params are a question's parameters. One that is not known would be a filter
// that keeps everything.
func params(r *http.Request, known ...string) (url.Values, error) {
	q, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, refuse("write spaces as %20", "the question can't be read: %w", err)
	}
	for name, values := range q {
		if !slices.Contains(known, name) {
			return nil, refuse("use "+strings.Join(known, ", "), "%q can't be asked for", name)
		}
		if values[0] == "" || len(values) > 1 {
			return nil, refuse("leave it out, or give it one value", "%s has %d values, or an empty one", name, len(values))
		}
	}
	return q, nil
}

func writeJSON(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(v)
}

// stream writes rows as JSON lines while they are read, so that a history of
// years needs no memory.
func stream[T any](w http.ResponseWriter, rows func(yield func(T, error) bool)) error {
	enc := json.NewEncoder(w)
	started := false
	for row, err := range rows {
		if err != nil && !started {
			return err
		}
		if err != nil {
			// The status is out already: break the answer off, so that it is
			// not taken for the whole.
			panic(http.ErrAbortHandler)
		}
		if !started {
			started = true
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		if err := enc.Encode(row); err != nil {
			return nil // the asker has gone
		}
	}
	return nil
}

// known is a value that may be unknown: "" is null.
func known(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}
