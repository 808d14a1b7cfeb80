package door

import (
	"errors"
	"fmt"
	"html"
	"math"
	"net/http"

	"stump/internal/api/wire"
	"stump/internal/hint"
	"stump/internal/identity"
)

// Bump is the cookie of a browser that waits for a badge at the reader.
const Bump = "__Host-stump-bump"

const (
	formBump = `<form method="post" action="/login/station"><p><button>Log in at the reader</button></p></form>
`
	formDigits = `<p>Bump your badge at %s within %d s, with no device waiting. The display then shows six digits.</p>
<form id="digits" method="post" action="/login/station/digits">
<p><label for="six">The six digits on the display</label></p>
<p><input id="six" name="digits" inputmode="numeric" pattern="[0-9]{6}" maxlength="6" autocomplete="one-time-code" required autofocus> <button>Log in</button></p>
</form>
`
)

// bumpForm is the way to log in by a badge at the reader.
func (d *Door) bumpForm(r *http.Request) string {
	switch left := d.Access.AwaitsBump(Cookie(r, Bump)); {
	case !d.Reader:
		return ""
	case left > 0:
		return fmt.Sprintf(formDigits, html.EscapeString(d.Station), int(math.Ceil(left.Seconds()))) + formBump
	}
	return formBump
}

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
