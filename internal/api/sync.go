package api

import (
	"errors"
	"net/http"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/internal/hint"
)

// Decision is what an admin decides about an event that is stuck.
type Decision struct {
	Note string `json:"note"`
}

// Pull asks for the register to be read from the directory now.
type Pull struct {
	// Force lets more people be deactivated at once than is plausible.
	Force bool `json:"force"`
}

func (s *Server) syncStatus(w http.ResponseWriter, _ *http.Request) error {
	if s.o.Worker == nil {
		return errNoDaemon
	}
	st, err := s.o.Worker.Status()
	if err != nil {
		return err
	}
	return writeJSON(w, st)
}

func (s *Server) syncPull(w http.ResponseWriter, r *http.Request) error {
	if s.o.Worker == nil {
		return errNoDaemon
	}
	var p Pull
	if err := readJSON(r, &p); err != nil {
		return err
	}
	if err := s.o.Worker.Pull(r.Context(), p.Force); errors.Is(err, directory.ErrUnsupported) {
		return refuse("docs/directory.md tells which directories have one", "%w", err)
	} else if err != nil {
		return err
	}
	return s.syncStatus(w, r)
}

func (s *Server) syncRetry(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, func(id string, _ Decision) error { return s.o.Worker.Retry(id) })
}

func (s *Server) syncDrop(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, func(id string, d Decision) error { return s.o.Worker.Drop(id, actor(r), d.Note) })
}

func (s *Server) syncAccept(w http.ResponseWriter, r *http.Request) error {
	return s.decide(w, r, func(id string, _ Decision) error { return s.o.Worker.Accept(id, actor(r)) })
}

func (s *Server) decide(w http.ResponseWriter, r *http.Request, act func(id string, d Decision) error) error {
	if s.o.Worker == nil {
		return errNoDaemon
	}
	var d Decision
	if err := readJSON(r, &d); err != nil {
		return err
	}
	err := act(r.PathValue("id"), d)
	if errors.Is(err, ledger.ErrNotQueued) {
		return &problemError{http.StatusNotFound, hint.Wrap(err, "`stump sync` lists what is stuck, with its id")}
	}
	if err != nil && hint.Of(err) == "" {
		return hint.Wrap(err, "`stump sync` shows whom events are told to, and what is stuck, with its id")
	} else if err != nil {
		return err
	}
	return s.syncStatus(w, r)
}
