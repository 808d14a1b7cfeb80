package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/books"
	"stump/internal/hint"
)

// problemError is an error with its HTTP status.
type problemError struct {
	status int
	error
}

func (e *problemError) Unwrap() error { return e.error }

func problem(status int, remedy, format string, args ...any) error {
	return &problemError{status, hint.Errorf(remedy, format, args...)}
}

// refuse returns an error that the client can correct.
func refuse(remedy, format string, args ...any) error {
	return problem(http.StatusBadRequest, remedy, format, args...)
}

// errNotText is the answer to a request that is not text.
var errNotText = hint.Errorf("set the terminal's or the script's encoding to UTF-8", "what was given is not valid UTF-8")

// fail answers with err. When part of an answer was sent already, it breaks the
// answer off, so that the client does not take that part for the whole.
func (s *Server) fail(w *reply, r *http.Request, err error) {
	status, remedy := s.explain(err)
	gone := r.Context().Err() != nil
	if errors.Is(err, context.Canceled) && gone {
		// Either the client has gone, and reads no answer, or the daemon ends.
		status, err = http.StatusServiceUnavailable, hint.Errorf("ask again when it runs", "the station is stopping")
	}
	if status == http.StatusInternalServerError || w.begun && !gone {
		s.o.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	if w.begun {
		panic(http.ErrAbortHandler)
	}
	if hint.Of(err) == "" && remedy != "" {
		err = hint.Wrap(err, remedy)
	}
	writeProblem(w, status, err)
}

func writeProblem(w http.ResponseWriter, status int, err error) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{Error: err.Error(), Hint: hint.Of(err)})
}

// explain returns the HTTP status that fits err, and a remedy for an err that has no
// hint.
func (s *Server) explain(err error) (status int, remedy string) {
	var (
		problem   *problemError
		large     *http.MaxBytesError
		damaged   *ledger.DamagedError
		missing   *books.NotFoundError
		ambiguous *books.AmbiguousError
		exists    *books.ExistsError
		taken     *books.TagTakenError
		refused   *checkout.RefusedError
	)
	switch {
	case errors.As(err, &problem):
		return problem.status, ""
	case errors.As(err, &large):
		return http.StatusRequestEntityTooLarge, fmt.Sprintf("nothing was changed; send at most %d MB at once", large.Limit>>20)
	case errors.As(err, &damaged), errors.Is(err, ledger.ErrClosed), errors.Is(err, ledger.ErrReadOnly):
		return http.StatusInternalServerError, ""
	case errors.As(err, &missing):
		return http.StatusNotFound, s.meant(missing)
	case errors.As(err, &ambiguous):
		return http.StatusConflict, "`stump people list` and `stump devices list` begin with the id"
	case errors.As(err, &exists):
		return http.StatusConflict, "choose another with --id, or change the one that is there with edit"
	case errors.As(err, &taken):
		return http.StatusConflict, "check the number, or give " + taken.Owner + " another one first: " + s.of(taken.OwnerKind).giveTag(taken.Owner)
	case errors.As(err, &refused) && refused.Holder == "" && refused.Reason == "":
		return http.StatusConflict, s.of(refused.Subject.Kind).edits(refused.Subject.ID, "--status active") + " ends that"
	case errors.Is(err, checkout.ErrRefused):
		return http.StatusConflict, "`stump who` shows who holds which device; `stump people list` and `stump devices list` show the status"
	case errors.Is(err, ledger.ErrCannotSave):
		return http.StatusInsufficientStorage, ledger.SaveRemedy(err)
	}
	return http.StatusBadRequest, "" // what is left was wrong with the request
}

// meant is a remedy for a name that the register does not have: the name that was
// probably meant, or where to look.
func (s *Server) meant(missing *books.NotFoundError) string {
	reg, other := s.people, s.devices
	if missing.Kind == checkout.KindDevice {
		reg, other = other, reg
	}
	same, near, err := reg.near(missing.Ref)
	if err == nil && len(same)+len(near) > 0 {
		return didYouMean(append(same, near...))
	}
	if _, oerr := other.find(missing.Ref); err == nil && oerr == nil {
		return "that is a " + other.kind.String() + "; `stump " + reg.path + " list` shows the " + reg.path
	}
	return "`stump people list` and `stump devices list` show who and what there is"
}

// near finds the parties in use whose name or id is ref but for capitals, and those
// for whom ref may be a slip, or a part of a person's name.
func (reg *register) near(ref string) (same, near []party, err error) {
	ref = norm.NFC.String(ref) // macOS writes letters and their accents apart
	for p, err := range reg.all() {
		switch {
		case err != nil:
			return nil, nil, err
		case p.status == checkout.Retired:
		case strings.EqualFold(norm.NFC.String(p.name), ref) || strings.EqualFold(p.id, ref):
			same = append(same, p)
		case hint.IsSlip(ref, p.name), hint.IsSlip(ref, p.id), reg.kind == checkout.KindPerson && isPartOf(ref, p.name):
			near = append(near, p)
		}
	}
	return same, near, nil
}

// isPartOf reports whether part is one of the words of a name.
func isPartOf(part, name string) bool {
	return slices.ContainsFunc(strings.Fields(name), func(word string) bool { return strings.EqualFold(word, part) })
}

func didYouMean(near []party) string {
	var meant []string
	for _, p := range near[:min(len(near), 3)] {
		meant = append(meant, fmt.Sprintf("%s (id %s)", p.name, p.id))
	}
	return "did you mean " + strings.Join(meant, " or ") + "?"
}
