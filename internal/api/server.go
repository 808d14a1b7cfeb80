// Package api is the station's HTTP API, JSON under /v1 on a unix socket and by TLS.
// The table in server.go has everything that can be
// asked; package wire has the objects.
//
// An error is answered as a problem of RFC 9457, with a code of the table of package wire
// and the keys error and hint.
package api

import (
	"cmp"
	"context"
	"log/slog"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/api/booking"
	"stump/internal/api/labs"
	"stump/internal/api/link"
	"stump/internal/api/looks"
	"stump/internal/api/monitor"
	"stump/internal/api/openapi"
	"stump/internal/api/simuser"
	"stump/internal/api/stocktaking"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console"
	"stump/internal/console/settings"
	"stump/internal/credential"
	"stump/internal/feed"
	"stump/internal/identity"
	"stump/internal/inbox"
	"stump/internal/jobs"
	"stump/internal/keyboard"
	"stump/internal/lab"
	"stump/internal/panel"
	"stump/internal/patience"
	"stump/internal/signal"
	"stump/internal/signin"
	"stump/internal/simlab"
	"stump/internal/station"
	"stump/wiegand"
)

// Options are the parts of the station that the API serves. Without a daemon there
// are only Ledger, Formats, Station and Check, or only Station and SelfTest.
type Options struct {
	// Books is what lists show and admins change; Ledger if nil.
	Books books.Keeper
	// Ledger is the station's file.
	Ledger  *ledger.Ledger
	Path    string // of the ledger's file
	Station string
	// Language is that of pages for whoever asks for none of ours.
	Language string
	Version  string
	// Formats are the site's card formats, for written credentials, and ParseCard
	// reads one; nil reads them in Formats.
	Formats   []*wiegand.Format
	ParseCard func(string) (wiegand.Bits, error)
	Panel     *panel.Panel
	Readers   []*station.Reader
	Trace     *station.Trace  // nil without a daemon
	Sims      []simlab.Reader // the simulated readers, as Readers; nil on hardware
	Lines     *simlab.Lines   // of them the one that plays a recording; may be nil
	Clock     func() int64    // stamps what they send
	// Keyboard is the simulated one; nil without.
	Keyboard *keyboard.Keyboard
	Worker   *directory.Worker
	// TCP returns the address beside the socket; nil or "" for none.
	TCP func() string
	// Check is bbolt's own check of a file, in another process; nil leaves it out.
	Check func(ctx context.Context, path string) error
	// Conditions returns what is wrong with each reader.
	Conditions func() map[string][]selftest.Condition
	// Machine says how the board is; nil without a daemon.
	Machine func() station.Machine
	// Backups returns the newest good backup in each folder; nil without a daemon.
	Backups func() []wire.Backup
	// SelfTest returns what a self-test or a scope of a reader works with, and who takes it
	// for that; "" is the first reader.
	SelfTest func(reader string, by station.Holder) (*selftest.Env, error)
	// Wiring draws which wire goes where at a reader; nil without a daemon.
	Wiring func(reader string) (svg string, err error)
	// Weeks says how a reader was read in each week; nil without a daemon.
	Weeks func(reader string) []signal.Week
	// Disputes are what the stations of a lab have not agreed on; nil at a station.
	Disputes Disputes
	// Lab speaks with the hub; nil without a daemon.
	Lab *lab.Link
	// Access has the tokens and sessions; nil without a daemon.
	Access *identity.Store
	// Board is what the role board sees: "free" devices, or the "holders" of the others,
	// too.
	Board string
	// SignIn logs people in by an OpenID provider; nil without one.
	SignIn *signin.Provider
	// Extend is the page with which loans are extended by links; nil without.
	Extend *link.Page
	// Web says where browsers and scripts reach the station; nil for nowhere.
	Web func() wire.Web
	// Settings are what the page of settings asks of the station.
	Settings settings.Station
	Log      *slog.Logger
	// Now is the wall clock; time.Now if nil.
	Now func() time.Time
}

// Disputes are those of package inbox.
type Disputes = inbox.Disputes

// Server answers the API.
type Server struct {
	o               Options
	mux             *http.ServeMux
	people, devices *register
	desk            books.Keeper // Options.Books as the desk sees them, which waits for no import
	running         sync.Map     // the keys of requests under way, see once
	feed            *feed.Feed
	turns           patience.Turns // of those who read many rows
	jobs            *jobs.Room
	pages           *console.Console
	looks           looks.Watcher
	lab             *simuser.Lab // who stands before simulated readers
}

// NewServer returns a handler.
func NewServer(o Options) *Server {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.ParseCard == nil {
		o.ParseCard = func(s string) (wiegand.Bits, error) { return credential.Parse(s, o.Formats) }
	}
	desk := o.Books
	if o.Books == nil && o.Ledger != nil {
		o.Books, desk = o.Ledger.Whole(), o.Ledger
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	watched, ok := o.Books.(feed.Books) // more than the ledger has, at a hub
	if !ok {
		watched = o.Ledger
	}
	s := &Server{o: o, mux: http.NewServeMux(), feed: feed.New(watched), jobs: jobs.NewRoom(), turns: patience.NewTurns()}
	s.desk = desk
	s.people, s.devices = s.registers(s.o.Books)
	s.lab = &simuser.Lab{Readers: o.Readers, Sims: o.Sims, Lines: o.Lines, Clock: o.Clock, Panel: o.Panel, Keyboard: o.Keyboard, Find: s.reader, Card: s.card}
	s.pages, s.looks = s.newPages(), looks.Watcher{Access: o.Access, Find: func(ref string) (books.Person, error) { return s.desk.FindPerson(ref) }}
	for _, r := range slices.Concat(s.routes(), s.pageRoutes()) {
		s.handle(r)
	}
	s.handle(route{"/", ledgerOnly, identity.None, func(_ http.ResponseWriter, r *http.Request) error {
		return problem(wire.CodeNoRoute, "`stump --help` lists what can be asked", "%s %s is not part of the API", r.Method, r.URL.Path)
	}})
	return s
}

// Jobs is what goes on longer than an answer; as a task it ends all of it.
func (s *Server) Jobs() *jobs.Room { return s.jobs }

// testOnlyServe lets the tests hold each answer to the description of the API.
var testOnlyServe = (*http.ServeMux).ServeHTTP

// ServeHTTP is http.Handler's.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { testOnlyServe(s.mux, w, r) }

// handle serves a route.
func (s *Server) handle(to route) {
	s.mux.HandleFunc(to.pattern, func(w http.ResponseWriter, r *http.Request) {
		answer := &reply{ResponseWriter: w}
		r, err := s.admit(r, to)
		if err == nil {
			err = s.lacks(to.needs)
		}
		if err == nil && s.o.Ledger != nil && to.wholly() {
			err = s.o.Ledger.Settled(r.Context())
		}
		if err == nil {
			s.looks.Note(r)
			err = s.once(answer, r, to)
		}
		if err != nil {
			s.fail(answer, r, err)
		}
	})
}

// many is a handler that reads many rows: so few work at once that a bump finds a
// processor.
func (s *Server) many(h handler) handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		return s.turns.Serve(r.Context(), w, func(w http.ResponseWriter) error { return h(w, r) })
	}
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

// route is a row of the table of routes.
type route struct {
	pattern string
	needs   part
	role    identity.Role // the least that may ask
	answer  handler
}

// wholly reports whether a call waits for the end of an import that is being applied, since
// it shows or changes the register. What the desk does, and what an admin says of a device
// that changed hands, does not wait.
func (to route) wholly() bool {
	_, path, _ := strings.Cut(to.pattern, "/v1/")
	what, _, _ := strings.Cut(path, "/")
	return slices.Contains([]string{"who", "my", "people", "devices", "backups", "reservations", "free", "feeds"}, what)
}

// part is a part of the station that not every server has: a command that opens the
// ledger itself has none, and only a simulated lab has simulated lines.
type part int

const (
	ledgerOnly part = iota
	display
	readers
	places
	tester
	simulation
	logins
	hub
)

// lacks is the answer of a station without this part; nil if it has it.
func (s *Server) lacks(needed part) error {
	here := map[part]bool{
		ledgerOnly: true, display: s.o.Panel != nil, readers: len(s.o.Readers) > 0, places: s.o.Worker != nil,
		tester: s.o.SelfTest != nil, simulation: s.o.Sims != nil, logins: s.o.Access != nil, hub: s.o.Lab != nil,
	}
	switch {
	case here[needed]:
		return nil
	case needed == simulation:
		return problem(wire.CodeNotSimulated, "start the daemon with `stump run --sim`", "this station has real lines, nothing is simulated")
	}
	if s.o.Lab != nil {
		return problem(wire.CodeNoDaemon, "ask a station", "a hub has no readers and no display")
	}
	return problem(wire.CodeNoDaemon, "start it with `stump run`", "no daemon is running")
}

// routes is everything that can be asked. Lists answer a Page, or one JSON object a line
// to who accepts lines; what happens, and the scope, come as lines or
// events, and all others answer one object, a CSV file or a copy of the ledger.
func (s *Server) routes() []route {
	return slices.Concat(s.accessRoutes(), s.bookRoutes(), s.stationRoutes(), s.labRoutes())
}

// pageRoutes are the pages of the console.
func (s *Server) pageRoutes() (all []route) {
	for _, p := range s.pages.Routes() {
		all = append(all, route{p.Pattern, logins, p.Role, p.Answer})
	}
	return all
}

// site is where others reach the station; "" for nowhere.
func (s *Server) site() string {
	if s.o.Web == nil {
		return ""
	}
	return str(s.o.Web().URL)
}

// newPages returns the pages for browsers.
func (s *Server) newPages() *console.Console {
	o := console.Options{
		Books: s.o.Books, Station: s.o.Station, Language: s.o.Language, Now: s.o.Now, Me: s.me, Changed: s.poke, Import: s.importPage, Access: s.o.Access, Leave: s.jobs.Leave, Settings: s.o.Settings, Site: s.site, API: s, Wiring: s.o.Wiring, Weeks: s.o.Weeks, Panel: s.o.Panel,
		Holders: s.board(boardHolders), Visitor: identity.None,
	}
	o.Inbox, o.Enrol, o.Feed = s.answers(), s.enrolPages(), s.calendars().Change
	if s.board(boardHolders, boardFree) == identity.Board {
		o.Visitor = identity.Board
	}
	if s.o.Lab != nil {
		o.Lab = func() *wire.Lab { return labs.StatusOf(s.o.Lab) }
	}
	if s.o.Ledger != nil {
		o.Appended = s.o.Ledger.Appended
	}
	return console.New(o)
}

// stock answers what is asked of a stock-taking.
func (s *Server) stock() stocktaking.Desk {
	d := stocktaking.Desk{Books: s.o.Ledger, Save: func() { s.o.Trace.Save(true) },
		Find: func(name string) (stocktaking.Reader, error) { return s.reader(name) }}
	for _, r := range s.o.Readers {
		d.Readers = append(d.Readers, r)
	}
	return d
}

// bookRoutes are those of the register, the loans and the history.
func (s *Server) bookRoutes() []route {
	desk := booking.Desk{Books: s.o.Books, Me: s.me, Now: s.o.Now, On: func(r *http.Request) (books.Keeper, error) { return s.on(r, checkout.KindDevice, "") }}
	return []route{
		{"GET /v1/openapi.json", ledgerOnly, identity.None, bare(openapi.Send)},

		// Who has what, and an admin's corrections
		{"GET /v1/who", ledgerOnly, s.board(boardHolders), s.many(list(s.who, "person", "device", "overdue", "due_soon", "missing", "shown"))},
		{"GET /v1/history", ledgerOnly, identity.Technician, s.many(list(s.history, "person", "device", "since", "kind", "refused", "shown"))},
		{"GET /v1/my/loans", ledgerOnly, identity.Staff, s.many(list(s.myLoans, "device", "overdue", "due_soon", "missing", "shown"))},
		{"GET /v1/my/history", ledgerOnly, identity.Staff, s.many(list(s.myHistory, "device", "since", "kind", "refused", "shown"))},
		{"GET /v1/events", ledgerOnly, identity.Technician, s.events},
		{"POST /v1/give", ledgerOnly, identity.Admin, asked(s.give)},
		{"POST /v1/return", ledgerOnly, identity.Admin, asked(s.bring)},
		{"POST /v1/devices/{ref}/extend", ledgerOnly, identity.Staff, asked(s.extend)}, // their own; admins all

		// What is reserved: one's own, and admins all
		{"GET /v1/reservations", ledgerOnly, identity.Staff, s.many(list(plainly(desk.List), "person", "device", "kind"))},
		{"POST /v1/reservations", ledgerOnly, identity.Admin, asked(desk.Reserve)},
		{"DELETE /v1/reservations/{id}", ledgerOnly, identity.Admin, object(desk.Cancel)},
		{"GET /v1/my/reservations", ledgerOnly, identity.Staff, s.many(list(plainly(desk.Mine), "device", "kind"))},
		{"POST /v1/my/reservations", ledgerOnly, identity.Staff, asked(desk.ReserveMine)},
		{"DELETE /v1/my/reservations/{id}", ledgerOnly, identity.Staff, object(desk.CancelMine)},
		{"GET /v1/free", ledgerOnly, s.board(boardHolders, boardFree), s.many(list(plainly(desk.Free), "from", "to", "kind"))},

		{"POST /v1/devices/{ref}/lost", ledgerOnly, identity.Admin, asked(s.lost)},
		{"POST /v1/devices/{ref}/found", ledgerOnly, identity.Admin, asked(s.found)},

		{"GET /v1/stock", ledgerOnly, identity.Admin, object(s.stock().Show)},
		{"POST /v1/stock", ledgerOnly, identity.Admin, asked(s.stock().Start)},
		{"POST /v1/stock/count", ledgerOnly, identity.Admin, asked(s.stock().Count)},
		{"POST /v1/stock/finish", ledgerOnly, identity.Admin, asked(s.stock().Finish)},
		{"POST /v1/stock/correct", ledgerOnly, identity.Admin, object(s.stock().Correct)},

		// The register; an enrolment gives the next unknown tag to a person or device
		{"GET /v1/people", ledgerOnly, identity.Admin, s.many(list(s.people.list))},
		{"POST /v1/people", ledgerOnly, identity.Admin, asked(changed(s.people, personChange, s.add))},
		{"GET /v1/people/{ref}", ledgerOnly, identity.Admin, object(s.showPerson)},
		{"PATCH /v1/people/{ref}", ledgerOnly, identity.Admin, asked(changed(s.people, personChange, s.edit))},
		{"POST /v1/people/{ref}/retire", ledgerOnly, identity.Admin, s.retire(s.people)},
		{"POST /v1/people/{ref}/merge", ledgerOnly, identity.Admin, asked(s.merge)},
		{"POST /v1/people/{ref}/erase", ledgerOnly, identity.FreshAdmin, object(s.erase)},
		{"GET /v1/people/{ref}/dossier", ledgerOnly, identity.FreshAdmin, object(s.dossier)},
		{"POST /v1/people/import", ledgerOnly, identity.Admin, s.imports(s.people)},
		{"GET /v1/people/export", ledgerOnly, identity.Admin, s.many(exports(s.people))},
		{"GET /v1/devices", ledgerOnly, s.board(boardHolders, boardFree), s.many(list(s.deviceList, "repair"))},
		{"POST /v1/devices", ledgerOnly, identity.Admin, asked(changed(s.devices, deviceChange, s.add))},
		{"GET /v1/devices/{ref}", ledgerOnly, identity.Staff, object(s.showDevice)},
		{"PATCH /v1/devices/{ref}", ledgerOnly, identity.Admin, asked(changed(s.devices, deviceChange, s.edit))},
		{"POST /v1/devices/{ref}/retire", ledgerOnly, identity.Admin, s.retire(s.devices)},
		{"POST /v1/devices/import", ledgerOnly, identity.Admin, s.imports(s.devices)},
		{"GET /v1/devices/export", ledgerOnly, identity.Admin, s.many(exports(s.devices))},
		{"POST /v1/enrolments", readers, identity.Technician, bare(s.enrol)},
		{"GET /v1/enrolments/{id}", readers, identity.Technician, object(s.jobShown)},
		{"GET /v1/enrolments/{id}/events", readers, identity.Technician, s.jobEvents},
		{"POST /v1/enrolments/{id}/undo", readers, identity.Technician, object(s.undoEnrolment)},
		{"DELETE /v1/enrolments/{id}", readers, identity.Technician, object(s.jobEnded)},
	}
}

// labRoutes are those of programs that watch the station, and of the lab that it is in.
func (s *Server) labRoutes() []route {
	desk := labs.Desk{Link: s.o.Lab, Station: s.o.Station}
	watch := monitor.Desk{
		Station: s.o.Station, Version: s.o.Version, Ledger: s.o.Ledger, Readers: s.o.Readers, Worker: s.o.Worker,
		Conditions: s.o.Conditions, Backups: s.o.Backups, Lab: func() *wire.Lab { return labs.StatusOf(s.o.Lab) }, Now: s.o.Now,
		Panel: s.o.Panel, Machine: s.o.Machine,
	}
	if s.o.Access != nil {
		watch.Sessions = func() int { return len(s.o.Access.Sessions()) }
	}
	return []route{
		{"GET /healthz", ledgerOnly, identity.None, bare(monitor.Alive)},
		{"GET /readyz", readers, identity.None, bare(watch.Ready)},
		{"GET /metrics", ledgerOnly, identity.Technician, s.many(bare(watch.Metrics))},

		{"GET /v1/lab", hub, identity.Technician, object(desk.Show)},
		{"POST /v1/lab", hub, identity.FreshAdmin, asked(desk.Join)},
		{"DELETE /v1/lab", hub, identity.FreshAdmin, object(desk.Leave)},
		{"GET /v1/lab/stations", hub, identity.Technician, list(plainly(desk.Stations))},
	}
}

// stationRoutes are those of the display, the directory, the ledger and the readers.
func (s *Server) stationRoutes() []route {
	return []route{
		// What the station is doing, and what was refused
		{"GET /v1/status", ledgerOnly, identity.Staff, object(s.status)},
		{"GET /v1/panel", display, identity.Staff, object(s.panel)},
		{"GET /v1/inbox", ledgerOnly, identity.Technician, s.many(list(s.inbox))},
		{"GET /v1/unknown", ledgerOnly, identity.Technician, list(s.unknown)},
		{"POST /v1/unknown/{id}/assign", readers, identity.Technician, asked(s.assign)}, // people: admins
		{"POST /v1/unknown/{id}/ignore", ledgerOnly, identity.Technician, object(s.ignore)},
		{"GET /v1/frames", readers, identity.Technician, list(s.frames)},

		// The staff directory and the webhooks
		{"GET /v1/sync", places, identity.Admin, object(s.syncStatus)},
		{"GET /v1/sync/rows", places, identity.Admin, s.many(list(s.syncRows, "stuck"))},
		{"POST /v1/pulls", places, identity.Admin, bare(s.pull)},
		{"GET /v1/pulls/{id}", places, identity.Admin, object(s.jobShown)},
		{"GET /v1/pulls/{id}/events", places, identity.Admin, s.jobEvents},
		{"DELETE /v1/pulls/{id}", places, identity.Admin, object(s.jobEnded)},
		{"POST /v1/sync/checks", places, identity.Admin, bare(s.syncCheck)},
		{"GET /v1/sync/checks/{id}", places, identity.Admin, object(s.jobShown)},
		{"GET /v1/sync/checks/{id}/events", places, identity.Admin, s.jobEvents},
		{"DELETE /v1/sync/checks/{id}", places, identity.Admin, object(s.jobEnded)},
		{"POST /v1/sync/{id}/retry", places, identity.Admin, asked(s.syncRetry)},
		{"POST /v1/sync/{id}/drop", places, identity.Admin, asked(s.syncDrop)},
		{"POST /v1/sync/{id}/accept", places, identity.Admin, asked(s.syncAccept)},

		// The ledger; salvage/seen takes the notice of a damaged one away
		{"POST /v1/verifications", ledgerOnly, identity.Admin, bare(s.verify)},
		{"GET /v1/verifications/{id}", ledgerOnly, identity.Admin, object(s.jobShown)},
		{"GET /v1/verifications/{id}/events", ledgerOnly, identity.Admin, s.jobEvents},
		{"DELETE /v1/verifications/{id}", ledgerOnly, identity.Admin, object(s.jobEnded)},
		{"POST /v1/backups", ledgerOnly, identity.FreshAdmin, bare(s.backup)},
		{"GET /v1/backups/{id}", ledgerOnly, identity.Admin, object(s.jobShown)},
		{"GET /v1/backups/{id}/events", ledgerOnly, identity.Admin, s.jobEvents},
		{"GET /v1/backups/{id}/file", ledgerOnly, identity.FreshAdmin, bare(s.backupFile)},
		{"DELETE /v1/backups/{id}", ledgerOnly, identity.Admin, object(s.jobEnded)},
		{"POST /v1/salvage/seen", ledgerOnly, identity.Admin, object(s.salvageSeen)},

		// The reader's lines
		{"POST /v1/selftest", tester, identity.Technician, bare(s.selftest)},
		{"GET /v1/selftest/{id}", tester, identity.Technician, object(s.jobShown)},
		{"GET /v1/selftest/{id}/events", tester, identity.Technician, s.jobEvents},
		{"POST /v1/selftest/{id}/answers", tester, identity.Technician, asked(s.answerTest)},
		{"DELETE /v1/selftest/{id}", tester, identity.Technician, object(s.jobEnded)},
		{"POST /v1/leases", tester, identity.Technician, bare(s.lease)},
		{"GET /v1/leases", tester, identity.Technician, list(s.leases)},
		{"GET /v1/leases/{id}", tester, identity.Technician, object(s.jobShown)},
		{"GET /v1/leases/{id}/scope", tester, identity.Technician, bare(s.scope)},
		{"POST /v1/leases/{id}/renew", tester, identity.Technician, object(s.renewLease)},
		{"DELETE /v1/leases/{id}", tester, identity.Technician, object(s.jobEnded)},
		{"POST /v1/sim/seed", simulation, identity.Admin, object(s.simSeed)},
		{"POST /v1/sim/tap", simulation, identity.Admin, asked(s.lab.Tap)},
		{"POST /v1/sim/type", simulation, identity.Admin, asked(s.lab.Type)},
		{"POST /v1/sim/fault", simulation, identity.Admin, asked(s.lab.Fault)},
	}
}
