package api

import (
	"errors"
	"fmt"
	"html"
	"math"
	"net/http"

	"stump/internal/api/wire"
	"stump/internal/identity"
)

// bumpCookie is what a browser keeps while it waits for a badge at the reader.
const bumpCookie = "__Host-stump-bump"

const (
	pageBump = `<form method="post" action="/login/station"><p><button>Log in at the reader</button></p></form>
`
	pageDigits = `<p>Bump your badge at %s within %d s, with no device waiting. The display then shows six digits.</p>
<form id="digits" method="post" action="/login/station/digits">
<p><label for="six">The six digits on the display</label></p>
<p><input id="six" name="digits" inputmode="numeric" pattern="[0-9]{6}" maxlength="6" autocomplete="one-time-code" required autofocus> <button>Log in</button></p>
</form>
`
)

// bumpForm is the way to log in by a badge at the reader.
func (s *Server) bumpForm(r *http.Request) string {
	switch left := s.o.Access.AwaitsBump(cookieOf(r, bumpCookie)); {
	case len(s.o.Readers) == 0:
		return ""
	case left > 0:
		return fmt.Sprintf(pageDigits, html.EscapeString(s.o.Station), int(math.Ceil(left.Seconds()))) + pageBump
	}
	return pageBump
}

// awaitBump has a browser wait for a badge at the reader.
func (s *Server) awaitBump(w http.ResponseWriter, r *http.Request) error {
	if len(s.o.Readers) == 0 {
		return s.notLoggedIn(w, r, problem(wire.CodeNoDaemon, "Use a link", "this station has no reader"))
	}
	if wait := s.o.Access.Failed("bump "+identity.Where(r.RemoteAddr), identity.LoginFailures); wait > 0 {
		return s.notLoggedIn(w, r, &problemError{wire.CodeTooOften, &tooOften{wait}})
	}
	secret, err := s.o.Access.AwaitBump(cookieOf(r, bumpCookie))
	if err != nil {
		return s.notLoggedIn(w, r, &problemError{wire.CodeBusy, err})
	}
	setCookie(w, bumpCookie, secret, int((2 * identity.BumpTime).Seconds()))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}

// digits begins the session of whoever has bumped.
func (s *Server) digits(w http.ResponseWriter, r *http.Request) error {
	digits, err := field(w, r, "digits")
	if err != nil {
		return s.notLoggedIn(w, r, err)
	}
	who, err := s.o.Access.Digits(cookieOf(r, bumpCookie), digits)
	switch {
	case errors.Is(err, identity.ErrNoBadge):
		return s.notLoggedIn(w, r, &problemError{wire.CodeBusy, err})
	case err != nil:
		return s.notLoggedIn(w, r, s.failed(r, "login", identity.LoginFailures, err))
	}
	setCookie(w, bumpCookie, "", -1)
	s.begin(w, r, who)
	return nil
}
