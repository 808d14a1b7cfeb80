package api

import (
	"net/http"
	"os"
	"path/filepath"
	"time"

	"stump/internal/panel"
)

func (s *Server) status(*http.Request) (Status, error) {
	st := Status{Station: s.o.Station, Version: s.o.Version, PID: os.Getpid(), Sim: s.o.Lines != nil, Readers: []string{}}
	for _, r := range s.o.Readers {
		st.Readers = append(st.Readers, r.Name+": "+r.Source.String())
	}
	if path, err := filepath.Abs(s.o.Path); err == nil && s.o.Path != "" {
		st.Ledger = path
	}
	if s.o.TCP != nil {
		st.Listen = known(s.o.TCP())
	}
	info, err := s.o.Ledger.Info()
	if err != nil && info.Damaged == nil {
		return st, err
	}
	st.Events = info.Seq
	st.Backups = []Backup{}
	if s.o.Backups != nil {
		st.Backups = s.o.Backups()
	}
	if s.o.Conditions != nil {
		st.Conditions = s.o.Conditions()
	}
	if info.Salvaged != nil {
		st.Salvaged = known(info.Salvaged.String())
	}
	if info.Damaged != nil {
		st.Damaged = known(info.Damaged.Error())
	}
	if s.o.Panel != nil {
		st.Display, st.Since = display(s.o.Panel.Health())
	}
	return st, nil
}

// display is a display's state in words, and since when it is down.
func display(h panel.Health) (state string, since *string) {
	if h.Up {
		return "up", nil
	}
	state = "down"
	if h.Err != nil {
		state = "down: " + h.Err.Error()
	}
	return state, known(h.Since.Format(time.RFC3339))
}

func (s *Server) panel(*http.Request) (panel.State, error) { return s.o.Panel.State(), nil }
