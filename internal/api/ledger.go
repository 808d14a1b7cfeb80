package api

import (
	"net/http"

	"stump/checkout"
	"stump/checkout/ledger"
)

// verify checks the ledger, a VerifyLine a line.
func (s *Server) verify(w http.ResponseWriter, r *http.Request) error {
	send := lines[VerifyLine](w)
	report, err := s.o.Ledger.Verify(r.Context(), ledger.VerifyOptions{
		Check: s.o.Check, Note: true,
		// A client that has gone ends the check by the request's context.
		Progress: func(done, total uint64) { _ = send(VerifyLine{Done: done, Total: total}) },
	})
	if err != nil {
		return err
	}
	v := Verdict{OK: report.OK(), Sentence: report.String(), Events: report.Events, Loans: report.Loans, Gaps: report.Gaps, Faults: []string{}}
	for _, f := range report.Faults {
		v.Faults = append(v.Faults, f.What+": "+f.Detail)
	}
	return send(VerifyLine{Done: report.Events, Total: report.Events, Report: &v})
}

// backup sends a consistent copy of the ledger while taps go on.
func (s *Server) backup(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "application/octet-stream")
	return s.o.Ledger.Backup(w)
}

// salvageSeen takes the notice of a damaged ledger away.
func (s *Server) salvageSeen(*http.Request) (done struct{}, err error) {
	err = s.o.Ledger.AcknowledgeSalvage()
	s.poke()
	return done, err
}

// erase erases all that is personal about somebody who has no device.
func (s *Server) erase(r *http.Request) (done struct{}, err error) {
	return done, s.o.Ledger.ErasePerson(r.PathValue("ref"), actor(r), checkout.SourceCLI)
}

// dossier is all that is held about a person.
func (s *Server) dossier(r *http.Request) (Dossier, error) {
	d, err := s.o.Ledger.PersonDossier(r.PathValue("ref"))
	if err != nil {
		return Dossier{}, err
	}
	return Dossier{personParty(d.Person).row.(Person), d}, nil
}
