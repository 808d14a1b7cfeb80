package api

import "net/http"

// route is a row of the table of routes.
type route struct {
	pattern string
	// missing is the answer of a station that lacks what the route needs; nil if it
	// lacks nothing.
	missing error
	answer  handler
}

// routes is everything that can be asked. Lists, the check of the ledger, the
// self-test and the scope answer one JSON object a line, all others one object, a
// CSV file or a copy of the ledger.
func (s *Server) routes() []route {
	needs := func(here bool, missing error) error {
		if here {
			return nil
		}
		return missing
	}
	var (
		panel    = needs(s.o.Panel != nil, errNoDaemon)
		readers  = needs(len(s.o.Readers) > 0, errNoDaemon)
		worker   = needs(s.o.Worker != nil, errNoDaemon)
		selfTest = needs(s.o.SelfTest != nil, errNoDaemon)
		sim      = needs(s.o.Lines != nil, errNoSim)
	)
	return []route{
		// What the station is doing, and what was refused
		{"GET /v1/status", nil, object(s.status)},
		{"GET /v1/panel", panel, object(s.panel)},
		{"GET /v1/unknown", nil, list(s.unknown)},
		{"GET /v1/frames", readers, list(s.frames)},

		// Who has what, and an admin's corrections
		{"GET /v1/who", nil, list(s.who)},
		{"GET /v1/history", nil, list(s.history)},
		{"POST /v1/give", nil, asked(s.give)},
		{"POST /v1/return", nil, asked(s.bring)},
		{"POST /v1/devices/{ref}/lost", nil, asked(s.lost)},
		{"POST /v1/devices/{ref}/found", nil, asked(s.found)},

		// The register; enroll gives the next unknown tag to a person or device
		{"GET /v1/people", nil, list(s.people.list)},
		{"POST /v1/people", nil, asked(changed[PersonChange](s.people, s.add))},
		{"PATCH /v1/people/{ref}", nil, asked(changed[PersonChange](s.people, s.edit))},
		{"POST /v1/people/{ref}/retire", nil, s.retire(s.people)},
		{"POST /v1/people/{ref}/erase", nil, object(s.erase)},
		{"GET /v1/people/{ref}/dossier", nil, object(s.dossier)},
		{"POST /v1/people/import", nil, s.imports(s.people)},
		{"GET /v1/people/export", nil, exports(s.people)},
		{"GET /v1/devices", nil, list(s.devices.list)},
		{"POST /v1/devices", nil, asked(changed[DeviceChange](s.devices, s.add))},
		{"PATCH /v1/devices/{ref}", nil, asked(changed[DeviceChange](s.devices, s.edit))},
		{"POST /v1/devices/{ref}/retire", nil, s.retire(s.devices)},
		{"POST /v1/devices/import", nil, s.imports(s.devices)},
		{"GET /v1/devices/export", nil, exports(s.devices)},
		{"POST /v1/enroll", readers, asked(s.enrol)},

		// The staff directory and the webhooks
		{"GET /v1/sync", worker, object(s.syncStatus)},
		{"POST /v1/sync/pull", worker, asked(s.syncPull)},
		{"POST /v1/sync/{id}/retry", worker, asked(s.syncRetry)},
		{"POST /v1/sync/{id}/drop", worker, asked(s.syncDrop)},
		{"POST /v1/sync/{id}/accept", worker, asked(s.syncAccept)},

		// The ledger; salvage/seen takes the notice of a damaged one away
		{"POST /v1/verify", nil, s.verify},
		{"GET /v1/backup", nil, s.backup},
		{"POST /v1/salvage/seen", nil, object(s.salvageSeen)},

		// The reader's lines
		{"POST /v1/selftest", selfTest, s.selftest},
		{"POST /v1/scope", selfTest, s.scope},
		{"POST /v1/sim/seed", sim, object(s.simSeed)},
		{"POST /v1/sim/tap", sim, asked(s.simTap)},
		{"POST /v1/sim/fault", sim, asked(s.simFault)},

		{"/", nil, func(_ http.ResponseWriter, r *http.Request) error {
			return problem(http.StatusNotFound, "`stump --help` lists what can be asked", "%s %s is not part of the API", r.Method, r.URL.Path)
		}},
	}
}
