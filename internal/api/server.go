// Package api is the station's HTTP API, JSON under /v1 on a unix socket, and the
// client that the commands use. The table in routes.go has everything that can be
// asked; the objects are in wire.go.
//
// An error is answered as {"error":…,"hint":…} with a fitting status. There are no
// roles: whoever may open the socket may do everything.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/panel"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/wiegand"
)

// Options are the parts of the station that the API serves. Without a daemon there
// are only Ledger, Formats, Station and Check, or only Station and SelfTest.
type Options struct {
	Ledger  *ledger.Ledger
	Path    string // of the ledger's file
	Station string
	Version string
	// Formats are the site's card formats, for written credentials.
	Formats []*wiegand.Format
	Panel   *panel.Panel
	Readers []*station.Reader
	Lines   *simlab.Lines // the simulated lines; nil on hardware
	Worker  *directory.Worker
	// TCP returns the address beside the socket; nil or "" for none.
	TCP func() string
	// Check is bbolt's own check of a file, in another process; nil leaves it out.
	Check func(ctx context.Context, path string) error
	// Conditions returns what is wrong with each reader.
	Conditions func() map[string][]selftest.Condition
	// Backups returns the newest good backup in each folder; nil without a daemon.
	Backups func() []Backup
	// SelfTest returns what a self-test of a reader works with; "" is the first reader.
	SelfTest func(reader string) (*selftest.Env, error)
	Log      *slog.Logger
	// Now is the wall clock; time.Now if nil.
	Now func() time.Time
}

// Server answers the API.
type Server struct {
	o               Options
	mux             *http.ServeMux
	people, devices *register
	sim             sync.Mutex // held while a simulated card is shown: there is room for one
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
	s.people, s.devices = s.registers()
	for _, r := range s.routes() {
		s.handle(r)
	}
	s.handle(route{"/", ledgerOnly, func(_ http.ResponseWriter, r *http.Request) error {
		return problem(http.StatusNotFound, "`stump --help` lists what can be asked", "%s %s is not part of the API", r.Method, r.URL.Path)
	}})
	return s
}

// ServeHTTP is http.Handler's.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// handle serves a route.
func (s *Server) handle(to route) {
	s.mux.HandleFunc(to.pattern, func(w http.ResponseWriter, r *http.Request) {
		answer := &reply{ResponseWriter: w}
		err := checkActor(r)
		if err == nil {
			err = s.lacks(to.needs)
		}
		if err == nil {
			err = to.answer(answer, r)
		}
		if err != nil {
			s.fail(answer, r, err)
		}
	})
}

// reply is the answer to a request.
type reply struct {
	http.ResponseWriter
	begun bool // something was sent: the status can't change any more
}

func (a *reply) Write(b []byte) (int, error) {
	a.begun = true
	return a.ResponseWriter.Write(b)
}

// Unwrap is for http.ResponseController.
func (a *reply) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// actorHeader names the admin who asks, escaped as in a query.
const actorHeader = "Stump-Actor"

// actor is the name of the admin who asks, "admin" without one.
func actor(r *http.Request) string {
	name, _ := url.QueryUnescape(r.Header.Get(actorHeader)) // checkActor has seen it
	return cmp.Or(name, "admin")
}

// checkActor refuses a name that the history can't have.
func checkActor(r *http.Request) error {
	name, err := url.QueryUnescape(r.Header.Get(actorHeader))
	if err == nil && name != "" {
		err = checkout.CheckName(name)
	}
	if err != nil {
		return refuse("send a name, escaped as in a query, or leave it out", "%s: %w", actorHeader, err)
	}
	return nil
}
