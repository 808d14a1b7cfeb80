package api

import (
	"errors"
	"net/http"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/internal/hint"
)

func (s *Server) syncStatus(*http.Request) (directory.Status, error) { return s.o.Worker.Status() }

func (s *Server) syncPull(r *http.Request, p Pull) (directory.Status, error) {
	err := s.o.Worker.Pull(r.Context(), p.Force)
	if errors.Is(err, directory.ErrUnsupported) {
		err = refuse("docs/directory.md tells which directories have one", "%w", err)
	}
	return s.decided(err)
}

func (s *Server) syncRetry(r *http.Request, _ Decision) (directory.Status, error) {
	return s.decided(stuck(s.o.Worker.Retry(r.PathValue("id"))))
}

func (s *Server) syncDrop(r *http.Request, d Decision) (directory.Status, error) {
	return s.decided(stuck(s.o.Worker.Drop(r.PathValue("id"), actor(r), d.Note)))
}

func (s *Server) syncAccept(r *http.Request, _ Decision) (directory.Status, error) {
	return s.decided(stuck(s.o.Worker.Accept(r.PathValue("id"), actor(r))))
}

// decided answers with the state after what an admin decided, unless that failed.
func (s *Server) decided(err error) (directory.Status, error) {
	if err != nil {
		return directory.Status{}, err
	}
	return s.o.Worker.Status()
}

// stuck explains why an event can't be retried, dropped or accepted.
func stuck(err error) error {
	switch {
	case errors.Is(err, ledger.ErrNotQueued):
		return problem(http.StatusNotFound, "`stump sync` lists what is stuck, with its id", "%w", err)
	case hint.Of(err) == "":
		return hint.Wrap(err, "`stump sync` shows where events are delivered to, and what is stuck, with its id")
	}
	return err
}
