package door

import (
	"cmp"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"stump/internal/api/wire"
	"stump/internal/console/login"
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

// page sends the page of a login, with an alert unless err is nil.
func (d *Door) page(w http.ResponseWriter, r *http.Request, status int, err error) error {
	v := login.New(r, cmp.Or(d.Station, "Stump"), d.Language)
	if err != nil {
		v.Alert, v.Remedy = v.Tell(err.Error(), hint.Of(err))
	}
	if who := identity.Of(r.Context()); who.May(identity.Staff) && err == nil {
		v.As, v.Role = who.Name, who.Role.String()
	}
	v.Account, v.Reader = d.SignIn != nil, d.Reader
	if d.Reader {
		v.Left = int(math.Ceil(d.Access.AwaitsBump(Cookie(r, Bump)).Seconds()))
	}
	page, err := ui.Render(r, login.Page(v))
	if err != nil {
		return err
	}
	return ui.Send(w, r, status, page)
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
	return &wire.CodedError{Code: wire.CodeTooOften, Err: &tooOften{wait, "too many failures from this address"}}
}

// Slower is the answer to who asks too often for what they may ask for.
func Slower(wait time.Duration) error {
	return &wire.CodedError{Code: wire.CodeTooOften, Err: &tooOften{wait, "it is asked for too often"}}
}

// tooOften is the answer to too many failures, or to too many calls.
type tooOften struct {
	wait time.Duration
	says string
}

func (e *tooOften) Error() string { return e.says }

// Hint is what to do about it.
func (e *tooOften) Hint() string { return "try again in " + e.seconds() + " s" }

// seconds is how long to wait, as Retry-After wants it.
func (e *tooOften) seconds() string { return strconv.Itoa(int(math.Ceil(e.wait.Seconds()))) }
