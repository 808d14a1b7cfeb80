package wire

import (
	"encoding/json"
	"net/http"

	"stump/internal/hint"
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
	CodeTooLate      Code = "too-late"
	CodeChanged      Code = "changed"
	CodeKeyReused    Code = "key-reused"
	CodeTimeout      Code = "timeout"
	CodeTooLarge     Code = "too-large"
	CodeInternal     Code = "internal"
	CodeDamaged      Code = "damaged"
	CodeDirectory    Code = "directory"
	CodeNotReady     Code = "not-ready"
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
	{CodeTooLate, http.StatusConflict, "Too late", "what the request is for has ended, or waits for something else now"},
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
	{CodeNotReady, http.StatusServiceUnavailable, "Not ready", "the station takes no bumps now"},
	{CodeStopping, http.StatusServiceUnavailable, "Stopping", "the station stops; nothing was changed"},
	{CodeCannotSave, http.StatusInsufficientStorage, "Can't save", "the disk takes nothing; nothing was changed"},
}

// Row is the code's row in the table of problems.
func (c Code) Row() (status int, title string) {
	for _, row := range codes {
		if row.code == c {
			return row.status, row.title
		}
	}
	return http.StatusInternalServerError, "Fault of the station"
}

// WriteProblem answers with a problem.
func WriteProblem(w http.ResponseWriter, code Code, err error) {
	status, _ := code.Row()
	w.Header().Set("Content-Type", ProblemType)
	if status == http.StatusUnauthorized {
		w.Header().Set("WWW-Authenticate", "Bearer")
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(NewProblem(code, err))
}

// NewProblem is the problem that err is, with its code.
func NewProblem(code Code, err error) Problem {
	status, title := code.Row()
	return Problem{
		Type: "urn:stump:problem:" + string(code), Title: title, Status: status, Detail: err.Error(), Code: code,
		Error: err.Error(), Hint: hint.Of(err),
	}
}

// CodedError is an error with its code.
type CodedError struct {
	Code Code
	Err  error
}

func (e *CodedError) Error() string { return e.Err.Error() }

// Unwrap is the error without its code.
func (e *CodedError) Unwrap() error { return e.Err }

// ErrNotText is the answer to a request that is not text.
var ErrNotText = hint.Errorf("set the terminal's or the script's encoding to UTF-8", "what was given is not valid UTF-8")
