package door

import (
	"errors"
	"net/http"

	"stump/internal/api/wire"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Bump is the cookie of a browser that waits for a badge at the reader.
const Bump = "__Host-stump-bump"

// AwaitBump has a browser wait for a badge at the reader.
func (d *Door) AwaitBump(w http.ResponseWriter, r *http.Request) error {
	if !d.Reader {
		return d.notLoggedIn(w, r, &wire.CodedError{Code: wire.CodeNoDaemon, Err: hint.Errorf("Use a link", "this station has no reader")})
	}
	if wait := d.Access.Failed("bump "+identity.Where(r.RemoteAddr), identity.LoginFailures); wait > 0 {
		return d.notLoggedIn(w, r, tooSoon(wait))
	}
	secret, err := d.Access.AwaitBump(Cookie(r, Bump))
	if err != nil {
		return d.notLoggedIn(w, r, &wire.CodedError{Code: wire.CodeBusy, Err: err})
	}
	SetCookie(w, Bump, secret, int((2 * identity.BumpTime).Seconds()))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

// Digits begins the session of whoever has bumped.
func (d *Door) Digits(w http.ResponseWriter, r *http.Request) error {
	digits, err := field(w, r, "digits")
	if err != nil {
		return d.notLoggedIn(w, r, err)
	}
	who, err := d.Access.Digits(Cookie(r, Bump), digits)
	switch {
	case errors.Is(err, identity.ErrNoBadge):
		return d.notLoggedIn(w, r, &wire.CodedError{Code: wire.CodeBusy, Err: err})
	case err != nil:
		return d.notLoggedIn(w, r, Failed(d.Access, r, "login", identity.LoginFailures, err))
	}
	SetCookie(w, Bump, "", -1)
	d.begin(w, r, who)
	return nil
}
