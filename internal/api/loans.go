package api

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/text/unicode/norm"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/hw/selftest"
	"stump/internal/hint"
)

// ledgerStatus is the HTTP status that fits an error of the ledger.
func ledgerStatus(err error) int {
	var (
		ambiguous *checkout.AmbiguousError
		exists    *checkout.ExistsError
		taken     *checkout.TagTakenError
		damaged   *ledger.DamagedError
	)
	switch {
	case errors.As(err, &damaged), errors.Is(err, ledger.ErrClosed), errors.Is(err, ledger.ErrReadOnly):
		return http.StatusInternalServerError
	case errors.Is(err, checkout.ErrNotFound):
		return http.StatusNotFound
	case errors.As(err, &ambiguous), errors.As(err, &exists), errors.As(err, &taken), errors.Is(err, checkout.ErrRefused):
		return http.StatusConflict
	case errors.Is(err, ledger.ErrCannotSave):
		return http.StatusInsufficientStorage
	}
	return http.StatusBadRequest // what is left was wrong with the request
}

// withHint says what to do about an error of the ledger.
func withHint(err error) error {
	if hint.Of(err) != "" {
		return err
	}
	var (
		ambiguous *checkout.AmbiguousError
		exists    *checkout.ExistsError
		taken     *checkout.TagTakenError
		refused   *checkout.RefusedError
	)
	switch {
	case errors.Is(err, checkout.ErrNotFound):
		return hint.Wrap(err, "`stump people list` and `stump devices list` show who and what there is")
	case errors.As(err, &ambiguous):
		return hint.Wrap(err, "`stump people list` and `stump devices list` begin with the id")
	case errors.As(err, &exists):
		return hint.Wrap(err, "choose another with --id, or change the one that is there with edit")
	case errors.As(err, &taken):
		return hint.Wrap(err, "check the number, or give "+taken.Owner+" another one first: "+giveTag(taken.OwnerKind, taken.Owner))
	case errors.As(err, &refused) && refused.Holder == "" && refused.Reason == "":
		return hint.Wrap(err, editCommand(refused.Subject.Kind, refused.Subject.ID, "--status active")+" ends that")
	case errors.Is(err, checkout.ErrRefused):
		return hint.Wrap(err, "`stump who` shows who holds which device; `stump people list` and `stump devices list` show the status")
	case errors.Is(err, ledger.ErrCannotSave):
		return hint.Wrap(err, ledger.SaveRemedy(err))
	}
	return err
}

func (s *Server) give(w http.ResponseWriter, r *http.Request) error {
	var g Give
	if err := readJSON(r, &g); err != nil {
		return err
	}
	ev, err := s.o.Ledger.Give(checkout.Request{
		Device: g.Device, Person: g.Person, Actor: actor(r), Note: g.Note, Source: checkout.SourceCLI,
	})
	if err != nil {
		return err
	}
	return s.changed(w, ev)
}

func (s *Server) bring(w http.ResponseWriter, r *http.Request) error {
	var b Bring
	if err := readJSON(r, &b); err != nil {
		return err
	}
	ev, err := s.o.Ledger.Return(checkout.Request{
		Device: b.Device, Actor: actor(r), Note: b.Note, Condition: b.Condition, Source: checkout.SourceCLI,
	})
	if err != nil {
		return err
	}
	return s.changed(w, ev)
}

// changed answers with the event that was committed.
func (s *Server) changed(w http.ResponseWriter, ev checkout.Event) error {
	if s.o.Panel != nil {
		s.o.Panel.Poke()
	}
	return writeJSON(w, historyRow(ev))
}

// expected is whom a tag is expected for. Whom the register does not have, the
// directory may know; otherwise they are added to it when the tag is shown.
func (s *Server) expected(kind checkout.SubjectKind, ref string) (Enrolled, error) {
	var (
		a      = Enrolled{Name: ref, New: true}
		id     string
		status checkout.Status
		err    error
	)
	if kind == checkout.KindPerson {
		var p checkout.Person
		p, err = s.o.Ledger.FindPerson(ref)
		id, a.Name, status = p.ID, cmp.Or(p.Name, ref), p.Status
	} else {
		var d checkout.Device
		d, err = s.o.Ledger.FindDevice(ref)
		id, a.Name, status = d.ID, cmp.Or(d.Name, ref), d.Status
	}
	if errors.Is(err, checkout.ErrNotFound) {
		if err := checkout.CheckName(ref); err != nil {
			return a, err
		}
		return s.alike(kind, ref, a)
	}
	if err == nil && status == checkout.Retired {
		err = &checkout.RefusedError{Subject: checkout.Subject{Kind: kind, ID: id, Name: a.Name, Status: status}}
	}
	a.ID, a.New = known(id), false
	return a, err
}

// alike looks for who or what may have been meant by a name that the register
// does not have. A name in other capitals is the one, as it is when the tag is
// shown; one with a slip in it must not become somebody new.
func (s *Server) alike(kind checkout.SubjectKind, ref string, a Enrolled) (Enrolled, error) {
	if kind == checkout.KindPerson && s.o.Worker != nil && s.o.Worker.EnrolsPeople() {
		return a, nil
	}
	same, near, err := s.near(kind, ref)
	switch {
	case err != nil || len(same)+len(near) == 0:
		return a, err
	case len(same) == 1:
		return same[0], nil
	}
	add := "what is new is added first with `stump devices add`"
	if kind == checkout.KindPerson {
		add = "who is new is added first with `stump people add`"
	}
	return a, hint.Wrap(&checkout.NotFoundError{Kind: kind, Ref: ref}, didYouMean(append(same, near...))+" "+add)
}

// near finds those whose name or id is ref in other capitals, and those for
// whom ref may be a slip or a part of the name.
func (s *Server) near(kind checkout.SubjectKind, ref string) (same, near []Enrolled, err error) {
	ref = norm.NFC.String(ref) // a Mac's files have their letters and accents apart
	for c, err := range s.names(kind) {
		switch {
		case err != nil:
			return nil, nil, err
		case strings.EqualFold(norm.NFC.String(c.Name), ref) || strings.EqualFold(*c.ID, ref):
			same = append(same, c)
		case hint.IsSlip(ref, c.Name), hint.IsSlip(ref, *c.ID), kind == checkout.KindPerson && isPartOf(ref, c.Name):
			near = append(near, c)
		}
	}
	return same, near, nil
}

func didYouMean(near []Enrolled) string {
	var meant []string
	for _, c := range near[:min(len(near), 3)] {
		meant = append(meant, fmt.Sprintf("%s (id %s)", c.Name, *c.ID))
	}
	return "did you mean " + strings.Join(meant, " or ") + "?"
}

// withName tells of a name that the register has instead of the one that it has
// not.
func (s *Server) withName(err error) error {
	var gone *checkout.NotFoundError
	if hint.Of(err) != "" || !errors.As(err, &gone) {
		return err
	}
	same, near, nerr := s.near(gone.Kind, gone.Ref)
	switch {
	case nerr != nil:
	case len(same)+len(near) > 0:
		return hint.Wrap(err, didYouMean(append(same, near...)))
	case gone.Kind == checkout.KindPerson:
		if _, derr := s.o.Ledger.FindDevice(gone.Ref); derr == nil {
			return hint.Wrap(err, "that is a device; `stump people list` shows who there is")
		}
	default:
		if _, perr := s.o.Ledger.FindPerson(gone.Ref); perr == nil {
			return hint.Wrap(err, "that is a person; `stump devices list` shows what there is")
		}
	}
	return err
}

// names yields everybody, or everything, that is in use.
func (s *Server) names(kind checkout.SubjectKind) iter.Seq2[Enrolled, error] {
	return func(yield func(Enrolled, error) bool) {
		if kind == checkout.KindDevice {
			for d, err := range s.o.Ledger.Devices() {
				if d.Status != checkout.Retired && !yield(Enrolled{ID: &d.ID, Name: d.Name}, err) {
					return
				}
			}
			return
		}
		for p, err := range s.o.Ledger.People() {
			if p.Status != checkout.Retired && !yield(Enrolled{ID: &p.ID, Name: p.Name}, err) {
				return
			}
		}
	}
}

// isPartOf reports whether part is one of the words of a name.
func isPartOf(part, name string) bool {
	return slices.ContainsFunc(strings.Fields(name), func(word string) bool { return strings.EqualFold(word, part) })
}

// enrol has the next unknown tag become somebody's.
func (s *Server) enrol(w http.ResponseWriter, r *http.Request) error {
	var e Enrol
	if err := readJSON(r, &e); err != nil {
		return err
	}
	if len(s.o.Readers) == 0 {
		return errNoDaemon
	}
	kind := checkout.KindPerson
	if e.Kind == "device" {
		kind = checkout.KindDevice
	} else if e.Kind != "person" {
		return refuse(`use "person" or "device"`, "%q can't be enrolled", e.Kind)
	}
	if e.Name == "" {
		return refuse("name who or what the tag is for", "no name")
	}
	answer, err := s.expected(kind, e.Name)
	if err != nil {
		return err
	}
	wait, err := s.o.Readers[0].Enrol(r.Context(), kind, cmp.Or(str(answer.ID), e.Name), answer.Name, actor(r))
	if err != nil {
		return err
	}
	if !e.Wait {
		return writeJSON(w, answer)
	}
	select {
	case res := <-wait:
		if res.Err != nil {
			return res.Err
		}
		answer.ID = known(res.Record.ID)
		return writeJSON(w, answer)
	case <-r.Context().Done():
		return context.Cause(r.Context())
	}
}

// Status is what the station is doing.
type Status struct {
	Station string   `json:"station"`
	Version string   `json:"version"`
	PID     int      `json:"pid"`
	Readers []string `json:"readers"`
	Sim     bool     `json:"sim"`
	Display string   `json:"display"`
	Since   *string  `json:"display_down_since"`
	Ledger  string   `json:"ledger"` // its file
	Listen  *string  `json:"listen"` // the address beside the socket
	Events  uint64   `json:"events"` // the number of the newest; `stump verify` counts them
	// Salvaged says what was saved of a damaged ledger, until somebody has
	// said that they have seen it.
	Salvaged *string `json:"salvaged"`
	// Damaged says what damage was met since the start.
	Damaged *string `json:"damaged"`
	// Backups are the folders of the backups; none if they are off.
	Backups []Backup `json:"backups"`
	// Conditions are what is wrong with each reader.
	Conditions map[string][]selftest.Condition `json:"conditions"`
}

// Backup is the last good backup in a folder.
type Backup struct {
	Folder string  `json:"folder"`
	File   *string `json:"file"`  // null: none was found to be whole yet
	Event  uint64  `json:"event"` // the newest in it
	// At is when it was made, or found to be whole.
	At           *time.Time `json:"at"`
	ClockTrusted bool       `json:"clock_trusted"`
	// Others is how many files in the folder are of another ledger, or damaged.
	Others int `json:"others"`
}

func (s *Server) status(w http.ResponseWriter, _ *http.Request) error {
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
		return err
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
		h := s.o.Panel.Health()
		st.Display = "up"
		if !h.Up {
			since := h.Since.Format(time.RFC3339)
			st.Since = &since
			st.Display = "down"
			if h.Err != nil {
				st.Display = "down: " + h.Err.Error()
			}
		}
	}
	return writeJSON(w, st)
}
