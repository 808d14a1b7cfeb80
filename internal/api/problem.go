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
	"stump/directory"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/station"
)

// Code says what kind of problem an answer tells of. Programs go by it: the sentences
// may change, a code does not.
type Code string

// The codes. The table has the status of each.
const (
	CodeInvalid      Code = "invalid"
	CodeNoLogin      Code = "no-login"
	CodeTooOften     Code = "too-often"
	CodeRole         Code = "role"
	CodeStaleLogin   Code = "stale-login"
	CodeNotFound     Code = "not-found"
	CodeNoRoute      Code = "no-route"
	CodeForeignPage  Code = "foreign-page"
	CodeAmbiguous    Code = "ambiguous"
	CodeExists       Code = "exists"
	CodeTagTaken     Code = "tag-taken"
	CodeRefused      Code = "refused"
	CodeBusy         Code = "busy"
	CodeNotSimulated Code = "not-simulated"
	CodeNoWeb        Code = "no-web"
	CodeDone         Code = "done"
	CodeChanged      Code = "changed"
	CodeKeyReused    Code = "key-reused"
	CodeTimeout      Code = "timeout"
	CodeTooLarge     Code = "too-large"
	CodeInternal     Code = "internal"
	CodeDamaged      Code = "damaged"
	CodeDirectory    Code = "directory"
	CodeNoDaemon     Code = "no-daemon"
	CodeStopping     Code = "stopping"
	CodeCannotSave   Code = "cannot-save"
)

// codes is the table of problems: docs/api.md is made from it, and what is not in it is
// never answered.
var codes = []struct {
	code   Code
	status int
	title  string
	when   string // for the manual
}{
	{CodeInvalid, http.StatusBadRequest, "Invalid request", "a parameter, a key or a value is not one of this call's"},
	{CodeNoLogin, http.StatusUnauthorized, "Not logged in", "the call needs a role, and nobody has logged in; send a token"},
	{CodeRole, http.StatusForbidden, "Role needed", "the call needs another role than the one of who asks"},
	{CodeStaleLogin, http.StatusForbidden, "Login too old", "the call wants an admin who has logged in within 15 min"},
	{CodeForeignPage, http.StatusForbidden, "Foreign page", "a browser asks for a page of another address"},
	{CodeTooOften, http.StatusTooManyRequests, "Too many failures", "too many logins or tokens from this address were wrong; wait for Retry-After"},
	{CodeNotFound, http.StatusNotFound, "Not found", "nobody and nothing has this name or id"},
	{CodeNoRoute, http.StatusNotFound, "No such call", "the path, or the method with this path, is not part of the API"},
	{CodeAmbiguous, http.StatusConflict, "Ambiguous name", "several people or devices have this name: use an id"},
	{CodeExists, http.StatusConflict, "Already there", "the id is taken"},
	{CodeTagTaken, http.StatusConflict, "Tag taken", "the badge or tag is somebody else's"},
	{CodeRefused, http.StatusConflict, "Refused", "a rule of the lab forbids it: nobody has the device, or who has it is suspended"},
	{CodeBusy, http.StatusConflict, "Busy", "another call has what this one needs; ask again when it has ended"},
	{CodeDone, http.StatusConflict, "Done already", "a request with this `Idempotency-Key` was made, and its answer was not kept"},
	{CodeNotSimulated, http.StatusConflict, "Not simulated", "only a simulated station can do that"},
	{CodeNoWeb, http.StatusConflict, "No web address", "the configuration has no [web] listen"},
	{CodeTimeout, http.StatusRequestTimeout, "Not in time", "nobody did in time what was asked for, such as showing a tag"},
	{CodeChanged, http.StatusPreconditionFailed, "Changed meanwhile", "the person or device is not what `If-Match` says"},
	{CodeTooLarge, http.StatusRequestEntityTooLarge, "Too large", "the request is longer than this call takes"},
	{CodeKeyReused, http.StatusUnprocessableEntity, "Key used before", "this `Idempotency-Key` was sent with another request within a day"},
	{CodeInternal, http.StatusInternalServerError, "Fault of the station", "the station failed; its log says how"},
	{CodeDamaged, http.StatusInternalServerError, "Damaged ledger", "the ledger's file is damaged"},
	{CodeDirectory, http.StatusBadGateway, "Directory not reached", "the staff directory did not answer, or with what can't be used"},
	{CodeNoDaemon, http.StatusServiceUnavailable, "No daemon", "only a running daemon with readers can do that"},
	{CodeStopping, http.StatusServiceUnavailable, "Stopping", "the station stops; nothing was changed"},
	{CodeCannotSave, http.StatusInsufficientStorage, "Can't save", "the disk takes nothing; nothing was changed"},
}

// row is the code's row in the table of problems.
func (c Code) row() (status int, title string) {
	for _, row := range codes {
		if row.code == c {
			return row.status, row.title
		}
	}
	return http.StatusInternalServerError, "Fault of the station"
}

// problemError is an error with its code.
type problemError struct {
	code Code
	error
}

func (e *problemError) Unwrap() error { return e.error }

func problem(code Code, remedy, format string, args ...any) error {
	return &problemError{code, hint.Errorf(remedy, format, args...)}
}

// refuse returns an error that the client can correct.
func refuse(remedy, format string, args ...any) error {
	return problem(CodeInvalid, remedy, format, args...)
}

// errNotText is the answer to a request that is not text.
var errNotText = hint.Errorf("set the terminal's or the script's encoding to UTF-8", "what was given is not valid UTF-8")

// fail answers with err. When part of an answer was sent already, it breaks the
// answer off, so that the client does not take that part for the whole.
func (s *Server) fail(w *reply, r *http.Request, err error) {
	code, remedy := s.explain(err)
	gone := r.Context().Err() != nil
	if errors.Is(err, context.Canceled) && gone {
		// Either the client has gone, and reads no answer, or the daemon ends.
		code, err = CodeStopping, station.ErrStopping
	}
	if status, _ := code.row(); status == http.StatusInternalServerError || w.begun && !gone {
		s.o.Log.Error("request failed", "method", r.Method, "path", r.URL.Path, "err", err)
	}
	if w.begun {
		panic(http.ErrAbortHandler)
	}
	if hint.Of(err) == "" && remedy != "" {
		err = hint.Wrap(err, remedy)
	}
	sayWait(w, err)
	writeProblem(w, code, withheld(identity.Of(r.Context()), code, err))
}

// problemType is the media type of a problem, by RFC 9457.
const problemType = "application/problem+json"

func writeProblem(w http.ResponseWriter, code Code, err error) {
	status, title := code.row()
	w.Header().Set("Content-Type", problemType)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(Problem{
		Type: "urn:stump:problem:" + string(code), Title: title, Status: status, Detail: err.Error(), Code: code,
		Error: err.Error(), Hint: hint.Of(err),
	})
}

// explain returns the code of err, and a remedy for an err that has no hint. An error
// that nobody foresaw is the station's.
func (s *Server) explain(err error) (code Code, remedy string) {
	var (
		problem *problemError
		large   *http.MaxBytesError
		damaged *ledger.DamagedError
		token   *identity.TokenError
	)
	switch {
	case errors.As(err, &problem):
		return problem.code, ""
	case errors.As(err, &large):
		return CodeTooLarge, fmt.Sprintf("nothing was changed; send at most %d MB at once", large.Limit>>20)
	case errors.As(err, &damaged):
		return CodeDamaged, ""
	case errors.Is(err, ledger.ErrClosed), errors.Is(err, ledger.ErrReadOnly):
		return CodeInternal, ""
	case errors.Is(err, ledger.ErrCannotSave):
		return CodeCannotSave, ledger.SaveRemedy(err)
	case errors.As(err, &token) && token.There:
		return CodeExists, ""
	case errors.As(err, &token):
		return CodeNotFound, ""
	}
	if code, remedy := s.explainBooks(err); code != "" {
		return code, remedy
	}
	return explainPlace(err), ""
}

// explainBooks explains an error about people, devices and loans; "" if it is none.
func (s *Server) explainBooks(err error) (code Code, remedy string) {
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
		return CodeNotFound, s.meant(missing)
	case errors.As(err, &ambiguous):
		return CodeAmbiguous, "`stump people list` and `stump devices list` begin with the id"
	case errors.As(err, &exists):
		return CodeExists, "choose another with --id, or change the one that is there with edit"
	case errors.As(err, &taken):
		return CodeTagTaken, "check the number, or give " + taken.Owner + " another one first: " + s.of(taken.OwnerKind).giveTag(taken.Owner)
	case errors.As(err, &changed):
		return CodeChanged, ""
	case errors.As(err, &refused) && refused.Holder == "" && refused.Reason == "":
		return CodeRefused, s.of(refused.Subject.Kind).edits(refused.Subject.ID, "--status active") + " ends that"
	case errors.Is(err, checkout.ErrRefused):
		return CodeRefused, "`stump who` shows who holds which device; `stump people list` and `stump devices list` show the status"
	}
	return "", ""
}

// explainPlace returns the code of an error about the station's readers or its directory,
// or of one that says itself what to do.
func explainPlace(err error) Code {
	is := func(all ...error) bool {
		return slices.ContainsFunc(all, func(e error) bool { return errors.Is(err, e) })
	}
	_, place := call.OfError(err)
	switch {
	case is(station.ErrLeased, station.ErrReplaced):
		return CodeBusy
	case is(station.ErrNotShown):
		return CodeTimeout
	case is(station.ErrStopping):
		return CodeStopping
	case is(directory.ErrEnrolOff, directory.ErrHasBadge, directory.ErrAmbiguous, directory.ErrTaken):
		return CodeRefused
	case is(call.ErrNobody):
		return CodeNotFound
	case place, is(call.ErrOffline):
		return CodeDirectory
	case hint.Of(err) != "":
		return CodeInvalid
	}
	return CodeInternal
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
