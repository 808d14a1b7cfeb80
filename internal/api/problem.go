package api

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"golang.org/x/text/unicode/norm"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/ledger/boltfile"
	"stump/checkout/ledger/journal"
	"stump/directory"
	"stump/directory/call"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/jobs"
	"stump/internal/station"
)

func problem(code wire.Code, remedy, format string, args ...any) error {
	return &wire.CodedError{Code: code, Err: hint.Errorf(remedy, format, args...)}
}

// refuse returns an error that the client can correct.
func refuse(remedy, format string, args ...any) error {
	return problem(wire.CodeInvalid, remedy, format, args...)
}

// fail answers with err. When part of an answer was sent already, it breaks the
// answer off, so that the client does not take that part for the whole.
func (s *Server) fail(w *reply, r *http.Request, err error) {
	code, remedy := s.explain(err)
	gone := r.Context().Err() != nil
	if errors.Is(err, context.Canceled) && gone {
		// Either the client has gone, and reads no answer, or the daemon ends.
		code, err = wire.CodeStopping, station.ErrStopping
	}
	if status, _ := code.Row(); status == http.StatusInternalServerError || w.begun && !gone {
		s.o.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	if w.begun {
		panic(http.ErrAbortHandler)
	}
	if hint.Of(err) == "" && remedy != "" {
		err = hint.Wrap(err, remedy)
	}
	door.SayWait(w, err)
	err = withheld(identity.Of(r.Context()), code, err)
	status, _ := code.Row()
	switch {
	case !console.Wants(r):
		wire.WriteProblem(w, code, err)
	case code == wire.CodeNoLogin && r.Method == http.MethodGet:
		door.Want(w, r)
		http.Redirect(w, r, "/login", http.StatusSeeOther)
	default:
		if code == wire.CodeStaleLogin {
			door.Want(w, r)
		}
		if err := s.pages.Fail(w, r, status, err); err != nil {
			s.o.Log.Error("no page can be shown", "err", err)
		}
	}
}

// explain returns the code of err, and a remedy for an err that has no hint. An error
// that nobody foresaw is the station's.
func (s *Server) explain(err error) (code wire.Code, remedy string) {
	var (
		problem *wire.CodedError
		large   *http.MaxBytesError
		damaged *ledger.DamagedError
		token   *identity.TokenError
	)
	switch {
	case errors.As(err, &problem):
		return problem.Code, ""
	case errors.As(err, &large):
		return wire.CodeTooLarge, fmt.Sprintf("nothing was changed; send at most %d MB at once", large.Limit>>20)
	case errors.As(err, &damaged):
		return wire.CodeDamaged, ""
	case errors.Is(err, ledger.ErrClosed), errors.Is(err, ledger.ErrReadOnly):
		return wire.CodeInternal, ""
	case errors.Is(err, ledger.ErrCannotSave):
		return wire.CodeCannotSave, boltfile.SaveRemedy(err)
	case errors.As(err, &token) && token.There:
		return wire.CodeExists, ""
	case errors.As(err, &token):
		return wire.CodeNotFound, ""
	}
	if code, remedy := s.explainBooks(err); code != "" {
		return code, remedy
	}
	return explainPlace(err), ""
}

// explainBooks explains an error about people, devices and loans; "" if it is none.
func (s *Server) explainBooks(err error) (code wire.Code, remedy string) {
	var (
		missing   *books.NotFoundError
		ambiguous *books.AmbiguousError
		exists    *books.ExistsError
		taken     *books.TagTakenError
		changed   *books.ChangedError
		refused   *checkout.RefusedError
	)
	switch {
	case errors.As(err, &missing):
		return wire.CodeNotFound, s.meant(missing)
	case errors.Is(err, books.ErrNoTag), errors.Is(err, books.ErrNotFound):
		return wire.CodeNotFound, ""
	case errors.As(err, &ambiguous):
		return wire.CodeAmbiguous, "`stump people list` and `stump devices list` begin with the id"
	case errors.As(err, &exists):
		return wire.CodeExists, "choose another with --id, or change the one that is there with edit"
	case errors.As(err, &taken):
		return wire.CodeTagTaken, "check the number, or give " + taken.Owner + " another one first: " + s.of(taken.OwnerKind).giveTag(taken.Owner)
	case errors.As(err, &changed):
		return wire.CodeChanged, ""
	case errors.As(err, &refused) && refused.Holder == "" && refused.Reason == "" && refused.ReservedBy == "":
		return wire.CodeRefused, s.of(refused.Subject.Kind).edits(refused.Subject.ID, "--status active") + " ends that"
	case errors.Is(err, checkout.ErrRefused):
		return wire.CodeRefused, "`stump who` shows who holds which device; `stump people list` and `stump devices list` show the status"
	}
	return "", ""
}

// explainPlace returns the code of an error about the station's readers or its directory,
// or of one that says itself what to do.
func explainPlace(err error) wire.Code {
	is := func(all ...error) bool {
		return slices.ContainsFunc(all, func(e error) bool { return errors.Is(err, e) })
	}
	_, place := call.OfError(err)
	switch {
	case is(station.ErrReplaced, journal.ErrBusy, jobs.ErrFull, jobs.ErrReplaced), errors.As(err, new(*jobs.BusyError)), errors.As(err, new(*station.LeasedError)):
		return wire.CodeBusy
	case is(station.ErrNotShown, jobs.ErrExpired):
		return wire.CodeTimeout
	case is(station.ErrStopping, journal.ErrDecided, jobs.ErrStopping):
		return wire.CodeStopping
	case is(directory.ErrEnrolOff, directory.ErrHasBadge, directory.ErrAmbiguous, directory.ErrTaken):
		return wire.CodeRefused
	case is(jobs.ErrCancelled):
		return wire.CodeTooLate
	case is(call.ErrNobody, jobs.ErrNotFound):
		return wire.CodeNotFound
	case place, is(call.ErrOffline):
		return wire.CodeDirectory
	case hint.Of(err) != "":
		return wire.CodeInvalid
	}
	return wire.CodeInternal
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
	list := "`stump " + reg.path + " list` shows the " + reg.path
	if _, oerr := other.find(missing.Ref); err == nil && oerr == nil {
		return "that is a " + other.kind.String() + "; " + list
	}
	return list
}

// near finds the parties in use whose name or id is ref but for capitals, and those
// for whom ref may be a slip, or a part of a person's name.
func (reg *register) near(ref string) (same, near []party, err error) {
	ref = norm.NFC.String(ref) // macOS writes letters and their accents apart
	for p, err := range reg.all(books.Page{}) {
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
