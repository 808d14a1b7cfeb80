package door

import (
	"errors"
	"fmt"
	"html"
	"io"
	"math"
	"net/http"
	"strconv"
	"time"

	"stump/internal/api/wire"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Session is the cookie of a browser that has logged in. Its prefix has browsers take it
// only by TLS, for this host and all its paths.
const Session = "__Host-stump"

// Cookie is what a browser keeps by this name, "" for nothing.
func Cookie(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

// SetCookie has a browser keep a secret, for maxAge seconds; -1 has it forget.
func SetCookie(w http.ResponseWriter, name, secret string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: secret, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// The frame of a page.
var head = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">
<link rel="icon" href="` + ui.Asset("icon.svg") + `" type="image/svg+xml"><link rel="stylesheet" href="` + ui.Asset("stump.css") + `">`

const (
	body = `</head>
<body><main><h1>Stump</h1>
`
	foot = "</main></body></html>\n"
)

// Page sends a page, with an alert unless err is nil; in has its title, and what else its
// head has.
func Page(w http.ResponseWriter, status int, in string, err error, text string) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	alert := ""
	if err != nil {
		alert = fmt.Sprintf("<p role=\"alert\">%s. %s.</p>\n", html.EscapeString(err.Error()), html.EscapeString(hint.Of(err)))
	}
	_, werr := io.WriteString(w, head+in+body+alert+text+foot)
	return werr
}

// Failed notes a failed login or a token that is not known, and is the answer to it.
func Failed(access *identity.Store, r *http.Request, what string, most int, err error) error {
	where := identity.Where(r.RemoteAddr)
	if wait := access.Failed(what+" "+where, most); wait > 0 {
		return tooSoon(wait) // and not noted: somebody tries to fill the list
	}
	access.Refuse(identity.Refusal{What: what, Address: where, Call: r.Method + " " + r.URL.Path})
	return &wire.CodedError{Code: wire.CodeNoLogin, Err: err}
}

// SayWait says in the answer's header how long to wait, if err does.
func SayWait(w http.ResponseWriter, err error) {
	var often *tooOften
	if errors.As(err, &often) {
		w.Header().Set("Retry-After", often.seconds())
	}
}

func tooSoon(wait time.Duration) error {
	return &wire.CodedError{Code: wire.CodeTooOften, Err: &tooOften{wait}}
}

// tooOften is the answer to too many failures.
type tooOften struct{ wait time.Duration }

func (e *tooOften) Error() string { return "too many failures from this address" }

// Hint is what to do about it.
func (e *tooOften) Hint() string { return "try again in " + e.seconds() + " s" }

// seconds is how long to wait, as Retry-After wants it.
func (e *tooOften) seconds() string { return strconv.Itoa(int(math.Ceil(e.wait.Seconds()))) }
