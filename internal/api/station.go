package api

import (
	"errors"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"unicode/utf8"

	"stump/checkout/ledger"
	"stump/directory"
	"stump/internal/api/labs"
	"stump/internal/api/monitor"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/inbox"
)

func (s *Server) status(r *http.Request) (any, error) {
	pid := os.Getpid()
	st := wire.Status{Station: s.o.Station, Version: s.o.Version, PID: &pid, Sim: s.o.Sims != nil, Readers: []string{}}
	for _, r := range s.o.Readers {
		state := r.Name + ": " + r.String()
		if r.Sender == nil {
			state += "; " + monitor.KnownCards(r.LearnedCards())
		}
		st.Readers = append(st.Readers, state)
	}
	if path, err := filepath.Abs(s.o.Path); err == nil && s.o.Path != "" {
		st.Ledger = &path
	}
	if s.o.TCP != nil {
		st.Listen = known(s.o.TCP())
	}
	info, err := s.o.Ledger.Info()
	if err != nil && info.Damaged == nil {
		return st, err
	}
	st.Events = info.Seq
	st.Backups = []wire.Backup{}
	if s.o.Backups != nil {
		st.Backups = s.o.Backups()
	}
	if s.o.Conditions != nil {
		st.Conditions = inbox.Conditions(s.o.Conditions, identity.Of(r.Context()).May(identity.Admin))
	}
	st.Lab = labs.StatusOf(s.o.Lab)
	if info.Salvaged != nil {
		st.Salvaged = known(info.Salvaged.String())
	}
	if info.Damaged != nil {
		st.Damaged = known(info.Damaged.Error())
	}
	if s.o.Panel != nil {
		st.Display, st.Since = monitor.Display(s.o.Panel.Health())
	}
	st.Withhold(identity.Of(r.Context()))
	return st, nil
}

// panel is what the display shows, but for the digits with which somebody there logs in.
func (s *Server) panel(r *http.Request) (any, error) {
	state := s.o.Panel.State()
	if state.Secret && !identity.Of(r.Context()).May(identity.Admin) {
		hidden := make([]string, len(state.Rows))
		for i, row := range state.Rows {
			hidden[i] = strings.Repeat(" ", utf8.RuneCountInString(row))
		}
		state.Rows = hidden
	}
	return state, nil
}

func (s *Server) syncStatus(*http.Request) (any, error) { return s.o.Worker.Status() }

// syncRows lists the events that wait to be delivered.
func (s *Server) syncRows(_ *http.Request, q query, p books.Page) (iter.Seq2[directory.Row, error], error) {
	stuck, err := q.flag("stuck")
	return s.o.Worker.Rows(p, stuck), err
}

func (s *Server) syncRetry(r *http.Request, _ *wire.Decision) (any, error) {
	return s.decided(stuck(s.o.Worker.Retry(r.PathValue("id"))))
}

func (s *Server) syncDrop(r *http.Request, d *wire.Decision) (any, error) {
	by := identity.Of(r.Context())
	return s.decided(stuck(s.o.Worker.Drop(r.PathValue("id"), by.Name, by.Source, d.Note)))
}

func (s *Server) syncAccept(r *http.Request, _ *wire.Decision) (any, error) {
	return s.decided(s.accept(r, r.PathValue("id")))
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
		return problem(wire.CodeNotFound, "`stump sync` lists what is stuck, with its id", "%w", err)
	case hint.Of(err) == "":
		return hint.Wrap(err, "`stump sync` shows where events are delivered to, and what is stuck, with its id")
	}
	return err
}

// salvageSeen takes the notice of a damaged ledger away.
func (s *Server) salvageSeen(*http.Request) (any, error) {
	err := s.o.Ledger.AcknowledgeSalvage()
	s.poke()
	return struct{}{}, err
}
