package api

import (
	"encoding/json"
	"net/http"

	"stump/checkout"
	"stump/checkout/ledger"
)

// VerifyLine is a line of the answer to a check of the ledger: how far it is, or
// at last what it found.
type VerifyLine struct {
	Done   uint64   `json:"done"`
	Total  uint64   `json:"total"`
	Report *Verdict `json:"report,omitempty"`
}

// Verdict is what a check of the ledger found.
type Verdict struct {
	OK       bool     `json:"ok"`
	Sentence string   `json:"sentence"`
	Events   uint64   `json:"events"`
	Loans    int      `json:"loans"`
	Gaps     uint64   `json:"gaps"`
	Faults   []string `json:"faults"`
}

// verify checks the ledger, a VerifyLine a line.
func (s *Server) verify(w http.ResponseWriter, r *http.Request) error {
	w.Header().Set("Content-Type", "application/x-ndjson")
	enc := json.NewEncoder(w)
	rc := http.NewResponseController(w)
	report, err := s.o.Ledger.Verify(r.Context(), ledger.VerifyOptions{
		Check: s.o.Check, Note: true,
		Progress: func(done, total uint64) {
			_ = enc.Encode(VerifyLine{Done: done, Total: total}) // the end tells whether somebody listens
			_ = rc.Flush()
		},
	})
	if err != nil {
		return err
	}
	v := Verdict{OK: report.OK(), Sentence: report.String(), Events: report.Events, Loans: report.Loans, Gaps: report.Gaps, Faults: []string{}}
	for _, f := range report.Faults {
		v.Faults = append(v.Faults, f.What+": "+f.Detail)
	}
	return enc.Encode(VerifyLine{Done: report.Events, Total: report.Events, Report: &v})
}

// backup sends a consistent copy of the ledger while taps go on.
func (s *Server) backup(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/octet-stream")
	started := &startedWriter{w: w}
	if err := s.o.Ledger.Backup(started); err != nil {
		if !started.yes {
			return err
		}
		s.o.Log.Error("backup broke off", "err", err)
		panic(http.ErrAbortHandler) // it must not be taken for the whole
	}
	return nil
}

// startedWriter notes whether anything was sent.
type startedWriter struct {
	w   http.ResponseWriter
	yes bool
}

func (s *startedWriter) Write(b []byte) (int, error) {
	s.yes = true
	return s.w.Write(b)
}

// salvageSeen takes the notice of a damaged ledger away.
func (s *Server) salvageSeen(w http.ResponseWriter, _ *http.Request) error {
	if err := s.o.Ledger.AcknowledgeSalvage(); err != nil {
		return err
	}
	if s.o.Panel != nil {
		s.o.Panel.Poke()
	}
	return writeJSON(w, struct{}{})
}

// erasePerson erases all that is personal about somebody who has no device.
func (s *Server) erasePerson(w http.ResponseWriter, r *http.Request) error {
	if err := s.o.Ledger.ErasePerson(r.PathValue("ref"), actor(r), checkout.SourceCLI); err != nil {
		return err
	}
	return writeJSON(w, struct{}{})
}

// dossier is all that is held about somebody.
func (s *Server) dossier(w http.ResponseWriter, r *http.Request) error {
	d, err := s.o.Ledger.PersonDossier(r.PathValue("ref"))
	if err != nil {
		return err
	}
	return writeJSON(w, Dossier{personRow(d.Person), d.Loans, d.Events, d.Named, d.Explain})
}

func (s *Server) lost(w http.ResponseWriter, r *http.Request) error {
	return s.correct(w, r, s.o.Ledger.Lose)
}

func (s *Server) found(w http.ResponseWriter, r *http.Request) error {
	return s.correct(w, r, s.o.Ledger.Find)
}

// correct commits an admin's word about a device.
func (s *Server) correct(w http.ResponseWriter, r *http.Request, commit func(checkout.Request) (checkout.Event, error)) error {
	var b Bring
	if err := readJSON(r, &b); err != nil {
		return err
	}
	ev, err := commit(checkout.Request{
		Device: r.PathValue("ref"), Actor: actor(r), Note: b.Note, Condition: b.Condition, Source: checkout.SourceCLI,
	})
	if err != nil {
		return err
	}
	return s.changed(w, ev)
}
