package api

import "net/http"

// route is a row of the table of routes.
type route struct {
	pattern string
	needs   part
	answer  handler
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
)

// lacks is the answer of a station without this part; nil if it has it.
func (s *Server) lacks(needed part) error {
	here := map[part]bool{
		ledgerOnly: true, display: s.o.Panel != nil, readers: len(s.o.Readers) > 0, places: s.o.Worker != nil,
		tester: s.o.SelfTest != nil, simulation: s.o.Lines != nil,
	}
	switch {
	case here[needed]:
		return nil
	case needed == simulation:
		return problem(http.StatusConflict, "start the daemon with `stump run --sim`", "this station has real lines, nothing is simulated")
	}
	return problem(http.StatusServiceUnavailable, "start it with `stump run`", "no daemon is running")
}

// routes is everything that can be asked. Lists, the check of the ledger, the
// self-test and the scope answer one JSON object a line, all others one object, a
// CSV file or a copy of the ledger.
func (s *Server) routes() []route {
	return []route{
		// What the station is doing, and what was refused
		{"GET /v1/status", ledgerOnly, object(s.status)},
		{"GET /v1/panel", display, object(s.panel)},
		{"GET /v1/unknown", ledgerOnly, list(s.unknown)},
		{"GET /v1/frames", readers, list(s.frames)},

		// Who has what, and an admin's corrections
		{"GET /v1/who", ledgerOnly, list(s.who)},
		{"GET /v1/history", ledgerOnly, list(s.history)},
		{"POST /v1/give", ledgerOnly, asked(s.give)},
		{"POST /v1/return", ledgerOnly, asked(s.bring)},
		{"POST /v1/devices/{ref}/lost", ledgerOnly, asked(s.lost)},
		{"POST /v1/devices/{ref}/found", ledgerOnly, asked(s.found)},

		// The register; enroll gives the next unknown tag to a person or device
		{"GET /v1/people", ledgerOnly, list(s.people.list)},
		{"POST /v1/people", ledgerOnly, asked(changed[PersonChange](s.people, s.add))},
		{"PATCH /v1/people/{ref}", ledgerOnly, asked(changed[PersonChange](s.people, s.edit))},
		{"POST /v1/people/{ref}/retire", ledgerOnly, s.retire(s.people)},
		{"POST /v1/people/{ref}/erase", ledgerOnly, object(s.erase)},
		{"GET /v1/people/{ref}/dossier", ledgerOnly, object(s.dossier)},
		{"POST /v1/people/import", ledgerOnly, s.imports(s.people)},
		{"GET /v1/people/export", ledgerOnly, exports(s.people)},
		{"GET /v1/devices", ledgerOnly, list(s.devices.list)},
		{"POST /v1/devices", ledgerOnly, asked(changed[DeviceChange](s.devices, s.add))},
		{"PATCH /v1/devices/{ref}", ledgerOnly, asked(changed[DeviceChange](s.devices, s.edit))},
		{"POST /v1/devices/{ref}/retire", ledgerOnly, s.retire(s.devices)},
		{"POST /v1/devices/import", ledgerOnly, s.imports(s.devices)},
		{"GET /v1/devices/export", ledgerOnly, exports(s.devices)},
		{"POST /v1/enroll", readers, asked(s.enrol)},

		// The staff directory and the webhooks
		{"GET /v1/sync", places, object(s.syncStatus)},
		{"POST /v1/sync/pull", places, asked(s.syncPull)},
		{"POST /v1/sync/{id}/retry", places, asked(s.syncRetry)},
		{"POST /v1/sync/{id}/drop", places, asked(s.syncDrop)},
		{"POST /v1/sync/{id}/accept", places, asked(s.syncAccept)},

		// The ledger; salvage/seen takes the notice of a damaged one away
		{"POST /v1/verify", ledgerOnly, s.verify},
		{"GET /v1/backup", ledgerOnly, s.backup},
		{"POST /v1/salvage/seen", ledgerOnly, object(s.salvageSeen)},

		// The reader's lines
		{"POST /v1/selftest", tester, s.selftest},
		{"POST /v1/scope", tester, s.scope},
		{"POST /v1/sim/seed", simulation, object(s.simSeed)},
		{"POST /v1/sim/tap", simulation, asked(s.simTap)},
		{"POST /v1/sim/fault", simulation, asked(s.simFault)},
	}
}
