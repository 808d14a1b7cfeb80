// Package door has the pages with which browsers get in: by a link, by a badge at the
// reader, or by an OpenID provider.
//
//	GET /login                   all ways, and who has logged in
//	POST /login                  the secret of a link ─────────▶ a session
//	POST /login/station[/digits] a badge, and the digits of the display ─▶ a session
//	GET /login/sso, /callback    the provider ─────────────────▶ a session
package door

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/signin"
)

// Door lets browsers in. Its methods answer requests; an error is a fault of the station.
type Door struct {
	Access  *identity.Store
	SignIn  *signin.Provider // nil without one
	Station string
	// Language is that of the page for whoever asks for none of ours.
	Language string
	Reader   bool // whether a badge can be bumped here
	Books    books.Keeper
	// Leave is told who has another session now.
	Leave func(id string)
	Log   *slog.Logger
}

// Login shows all ways to log in, or who has.
func (d *Door) Login(w http.ResponseWriter, r *http.Request) error {
	return d.page(w, r, http.StatusOK, nil)
}

// Script fills the form of a link.
func Script(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	_, err := w.Write(ui.File("login.js"))
	return err
}

// maxForm is the size of the largest form of a login, in bytes.
const maxForm = 4 << 10

// WithLink begins a session by the secret of a link.
func (d *Door) WithLink(w http.ResponseWriter, r *http.Request) error {
	secret, err := field(w, r, "secret")
	if err != nil {
		return d.notLoggedIn(w, r, err)
	}
	who, err := d.Access.Redeem(secret)
	if err != nil {
		return d.notLoggedIn(w, r, Failed(d.Access, r, "login", identity.LoginFailures, err))
	}
	d.begin(w, r, who)
	return nil
}

// field reads a field of a login's form.
func field(w http.ResponseWriter, r *http.Request, name string) (string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return "", &wire.CodedError{Code: wire.CodeInvalid, Err: hint.Errorf("Try again", "the form can't be read")}
	}
	return r.PostForm.Get(name), nil
}

// notLoggedIn says on the page of a login why it was none.
func (d *Door) notLoggedIn(w http.ResponseWriter, r *http.Request, err error) error {
	code := wire.CodeInternal
	var coded *wire.CodedError
	if errors.As(err, &coded) {
		code = coded.Code
	}
	status, _ := code.Row()
	SayWait(w, err)
	return d.page(w, r, status, err)
}

// begin begins a browser's session, ends the one that it had, and goes on to the page that
// was wanted.
func (d *Door) begin(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	d.Leave(identity.Of(r.Context()).ID)
	d.Access.Logout(Cookie(r, Session))
	SetCookie(w, Session, d.Access.Login(who), int(identity.SessionLife.Seconds()))
	http.Redirect(w, r, wanted(w, r), http.StatusSeeOther)
}

// signInCookie is what a browser keeps while it is at the provider, and signInTime how
// long, in seconds.
const (
	signInCookie = "__Host-stump-login"
	signInTime   = 600
)

// ToProvider sends a browser to the OpenID provider.
func (d *Door) ToProvider(w http.ResponseWriter, r *http.Request) error {
	if d.SignIn == nil {
		return d.page(w, r, http.StatusNotFound, hint.Errorf("The table [web.oidc] of the configuration names one", "this station knows no provider of logins"))
	}
	address, kept, err := d.SignIn.Begin(r.Context())
	if err != nil {
		return d.notSignedIn(w, r, err)
	}
	SetCookie(w, signInCookie, kept, signInTime)
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// FromProvider is where the provider sends the browser back.
func (d *Door) FromProvider(w http.ResponseWriter, r *http.Request) error {
	if d.SignIn == nil {
		return d.ToProvider(w, r)
	}
	kept := Cookie(r, signInCookie)
	SetCookie(w, signInCookie, "", -1)
	q := r.URL.Query()
	who, err := d.SignIn.End(r.Context(), q.Get("state"), q.Get("code"), kept)
	if err != nil {
		var unreachable *signin.AwayError
		if errors.As(err, &unreachable) {
			return d.notSignedIn(w, r, err)
		}
		if failed := Failed(d.Access, r, "login", identity.LoginFailures, err); !errors.Is(failed, err) {
			err = failed // too often
		}
		SayWait(w, err)
		return d.page(w, r, http.StatusForbidden, err)
	}
	p := identity.Principal{Name: who.Name, Role: who.Role}
	if p.Person, err = d.personOf(who); err != nil {
		return err
	}
	d.begin(w, r, p)
	return nil
}

// notSignedIn says that the provider can't be used; why, is in the log.
func (d *Door) notSignedIn(w http.ResponseWriter, r *http.Request, err error) error {
	d.Log.Error("nobody can log in by the provider", "err", err)
	return d.page(w, r, http.StatusBadGateway, hint.Errorf("Try again, or ask an admin for a link", "the provider of logins can't be used now"))
}

// personOf is the id in the register of who was named, "" if they aren't there.
func (d *Door) personOf(who signin.Who) (string, error) {
	if who.ID == "" && who.Email == "" {
		return "", nil
	}
	for p, err := range d.Books.People(books.Page{}) {
		if err != nil {
			return "", err
		}
		if who.ID != "" && p.ID == who.ID || who.ID == "" && strings.EqualFold(p.Email, who.Email) {
			return p.ID, nil
		}
	}
	return "", nil
}

// Logout ends the session of a browser.
func (d *Door) Logout(w http.ResponseWriter, r *http.Request) error {
	d.Access.Logout(Cookie(r, Session))
	SetCookie(w, Session, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
