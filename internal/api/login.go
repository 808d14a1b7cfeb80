package api

import (
	"cmp"
	"errors"
	"fmt"
	"html"
	"io"
	"iter"
	"net/http"
	"slices"
	"strings"

	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/panel"
	"stump/internal/signin"
)

// accessRoutes are the routes with which people and scripts get in.
func (s *Server) accessRoutes() []route {
	return []route{
		{"GET /v1/tokens", logins, identity.FreshAdmin, list(s.tokens)},
		{"POST /v1/tokens", logins, identity.FreshAdmin, asked(s.addToken)},
		{"DELETE /v1/tokens/{name}", logins, identity.FreshAdmin, object(s.revokeToken)},
		{"GET /v1/refusals", logins, identity.Admin, list(s.refusals)},
		{"GET /v1/web", logins, identity.Admin, object(s.web)},
		{"POST /v1/web/show", display, identity.Admin, object(s.showFingerprint)},
		{"POST /v1/web/admin-link", logins, identity.FreshAdmin, object(s.adminLink)},
		{"GET /login", logins, identity.None, s.loginPage},
		{"GET /login.js", logins, identity.None, loginScript},
		{"POST /login", logins, identity.None, s.login},
		{"GET /login/sso", logins, identity.None, s.signIn},
		{"GET /login/callback", logins, identity.None, s.signedIn},
		{"POST /login/station", logins, identity.None, s.awaitBump},
		{"POST /login/station/digits", logins, identity.None, s.digits},
		{"POST /logout", logins, identity.None, s.logout},
		{"GET /kiosk", logins, identity.None, s.kiosk},
	}
}

func (s *Server) tokens(_ *http.Request, _ query, p books.Page) (iter.Seq2[identity.Token, error], error) {
	return short(s.o.Access.Tokens(), p, func(t identity.Token) []string { return []string{t.Name} })
}

func (s *Server) addToken(r *http.Request, t *wire.NewToken) (any, error) {
	role, err := identity.ParseRole(t.Role)
	if err != nil {
		return nil, err
	}
	token, secret, err := s.o.Access.AddToken(identity.Token{Name: t.Name, Role: role, By: identity.Of(r.Context()).Name, Expires: t.Expires})
	if err != nil {
		return nil, err
	}
	return wire.MadeToken{Token: token, Secret: secret}, nil
}

func (s *Server) revokeToken(r *http.Request) (any, error) {
	return struct{}{}, s.o.Access.RevokeToken(r.PathValue("name"))
}

// refusals lists failed logins, and calls for which somebody's role was not enough.
func (s *Server) refusals(_ *http.Request, _ query, p books.Page) (iter.Seq2[identity.Refusal, error], error) {
	return short(s.o.Access.Refusals(), p, func(r identity.Refusal) []string { return []string{r.Name, r.Address} })
}

func (s *Server) web(*http.Request) (any, error) {
	if s.o.Web == nil {
		return wire.Web{}, nil
	}
	return s.o.Web(), nil
}

// shownBytes is how much of a fingerprint a row of 16 letters has room for.
const shownBytes = len("AB:CD:EF:01:23:")

// showFingerprint shows the certificate's fingerprint on the display, where somebody
// compares it who does not trust the network. Nobody at a desk is disturbed.
func (s *Server) showFingerprint(r *http.Request) (any, error) {
	if s.o.Web == nil || s.o.Web().Fingerprint == nil {
		return nil, errNoWeb
	}
	for _, reader := range s.o.Readers {
		if waits, err := reader.Waits(r.Context()); err != nil || waits {
			return nil, cmp.Or(err, problem(wire.CodeBusy, "ask again in a minute", "the display is in use"))
		}
	}
	var parts []string
	for part := range slices.Chunk([]byte(*s.o.Web().Fingerprint), shownBytes) {
		parts = append(parts, strings.TrimSuffix(string(part), ":"))
	}
	s.o.Panel.Show(panel.Pages("fingerprint", parts))
	return struct{}{}, nil
}

var errNoWeb = problem(wire.CodeNoWeb, `set listen in the table [web] of the configuration, such as ":8443"`, "no browser can reach this station")

// adminLink makes a link with which a browser becomes an admin. Its secret is in the
// fragment, which browsers send to nobody.
func (s *Server) adminLink(r *http.Request) (any, error) {
	if s.o.Web == nil || s.o.Web().URL == nil {
		return nil, errNoWeb
	}
	secret := s.o.Access.NewLink(identity.Of(r.Context()).Name)
	return wire.Link{URL: *s.o.Web().URL + "/login#" + secret, Expires: s.o.Now().Add(identity.LinkLife)}, nil
}

// cookieName has a prefix with which browsers take the cookie only by TLS, for this
// host and all its paths.
const cookieName = "__Host-stump"

// cookie is the secret of a browser's session, "" without one.
func cookie(r *http.Request) string { return cookieOf(r, cookieName) }

// cookieOf is what a browser keeps by this name, "" for nothing.
func cookieOf(r *http.Request, name string) string {
	c, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return c.Value
}

func setCookie(w http.ResponseWriter, name, secret string, maxAge int) {
	http.SetCookie(w, &http.Cookie{
		Name: name, Value: secret, Path: "/", MaxAge: maxAge, Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// The pages of a login. They work without the script, which fills the form from the
// link's fragment.
const (
	pageHead = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">`
	loginHead = `<title>Log in – Stump</title>`
	pageMain  = `</head>
<body><main><h1>Stump</h1>
`
	pageForm = `<form id="login" method="post" action="/login">
<p><label for="secret">What stands behind the # of your link</label></p>
<p><input id="secret" name="secret" type="password" autocomplete="off" required> <button>Log in</button></p>
</form>
<p>An admin gets a link with <code>stump web admin-link</code>. It works once, for 10 minutes.</p>
<script src="/login.js"></script>
`
	pageSignIn = `<p><a href="/login/sso">Log in with your account</a></p>
`
	pageIn = `<p>You are logged in as %s, with the role %v.</p>
<form method="post" action="/logout"><button>Log out</button></form>
`
	pageFoot = "</main></body></html>\n"
	script   = `"use strict";
const secret = location.hash.slice(1);
if (secret) {
  history.replaceState(null, "", location.pathname);
  const form = document.getElementById("login");
  form.elements.secret.value = secret;
  form.submit();
}
`
)

// page sends a page, with an alert unless err is nil; head has its title.
func page(w http.ResponseWriter, status int, head string, err error, body string) error {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	alert := ""
	if err != nil {
		alert = fmt.Sprintf("<p role=\"alert\">%s. %s.</p>\n", html.EscapeString(err.Error()), html.EscapeString(hint.Of(err)))
	}
	_, werr := io.WriteString(w, pageHead+head+pageMain+alert+body+pageFoot)
	return werr
}

func (s *Server) loginPage(w http.ResponseWriter, r *http.Request) error {
	if who := identity.Of(r.Context()); who.May(identity.Staff) {
		return page(w, http.StatusOK, loginHead, nil, fmt.Sprintf(pageIn, html.EscapeString(who.Name), who.Role))
	}
	return page(w, http.StatusOK, loginHead, nil, s.ways(r))
}

// ways are the ways to log in from this browser.
func (s *Server) ways(r *http.Request) string {
	body := s.bumpForm(r) + pageForm
	if s.o.SignIn != nil {
		body = pageSignIn + body
	}
	return body
}

func loginScript(w http.ResponseWriter, _ *http.Request) error {
	w.Header().Set("Content-Type", "text/javascript; charset=utf-8")
	_, err := io.WriteString(w, script)
	return err
}

// maxForm is the size of the largest form of a login, in bytes.
const maxForm = 4 << 10

// login begins a session by the secret of a link.
func (s *Server) login(w http.ResponseWriter, r *http.Request) error {
	secret, err := field(w, r, "secret")
	if err != nil {
		return s.notLoggedIn(w, r, err)
	}
	who, err := s.o.Access.Redeem(secret)
	if err != nil {
		return s.notLoggedIn(w, r, s.failed(r, "login", identity.LoginFailures, err))
	}
	s.begin(w, r, who)
	return nil
}

// field reads a field of a login's form.
func field(w http.ResponseWriter, r *http.Request, name string) (string, error) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		return "", refuse("Try again", "the form can't be read")
	}
	return r.PostForm.Get(name), nil
}

// notLoggedIn says on the page of a login why it was none.
func (s *Server) notLoggedIn(w http.ResponseWriter, r *http.Request, err error) error {
	code, _ := s.explain(err)
	status, _ := code.Row()
	sayWait(w, err)
	return page(w, status, loginHead, err, s.ways(r))
}

// begin begins a browser's session, and ends the one that it had.
func (s *Server) begin(w http.ResponseWriter, r *http.Request, who identity.Principal) {
	s.jobs.Leave(identity.Of(r.Context()).ID)
	s.o.Access.Logout(cookie(r))
	setCookie(w, cookieName, s.o.Access.Login(who), int(identity.SessionLife.Seconds()))
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// signInCookie is what a browser keeps while it is at the provider, and signInTime how
// long, in seconds.
const (
	signInCookie = "__Host-stump-login"
	signInTime   = 600
)

// signIn sends a browser to the OpenID provider.
func (s *Server) signIn(w http.ResponseWriter, r *http.Request) error {
	if s.o.SignIn == nil {
		return page(w, http.StatusNotFound, loginHead, hint.Errorf("The table [web.oidc] of the configuration names one", "this station knows no provider of logins"), s.ways(r))
	}
	address, kept, err := s.o.SignIn.Begin(r.Context())
	if err != nil {
		return s.notSignedIn(w, r, err)
	}
	setCookie(w, signInCookie, kept, signInTime)
	http.Redirect(w, r, address, http.StatusSeeOther)
	return nil
}

// signedIn is where the provider sends the browser back.
func (s *Server) signedIn(w http.ResponseWriter, r *http.Request) error {
	if s.o.SignIn == nil {
		return s.signIn(w, r)
	}
	kept := cookieOf(r, signInCookie)
	setCookie(w, signInCookie, "", -1)
	q := r.URL.Query()
	who, err := s.o.SignIn.End(r.Context(), q.Get("state"), q.Get("code"), kept)
	if err != nil {
		var unreachable *signin.AwayError
		if errors.As(err, &unreachable) {
			return s.notSignedIn(w, r, err)
		}
		if failed := s.failed(r, "login", identity.LoginFailures, err); !errors.Is(failed, err) {
			err = failed // too often
		}
		sayWait(w, err)
		return page(w, http.StatusForbidden, loginHead, err, s.ways(r))
	}
	p := identity.Principal{Name: who.Name, Role: who.Role}
	if p.Person, err = s.personOf(who); err != nil {
		return err
	}
	s.begin(w, r, p)
	return nil
}

// notSignedIn says that the provider can't be used; why, is in the log.
func (s *Server) notSignedIn(w http.ResponseWriter, r *http.Request, err error) error {
	s.o.Log.Error("nobody can log in by the provider", "err", err)
	return page(w, http.StatusBadGateway, loginHead, hint.Errorf("Try again, or ask an admin for a link", "the provider of logins can't be used now"), s.ways(r))
}

// personOf is the id in the register of who was named, "" if they aren't there.
func (s *Server) personOf(who signin.Who) (string, error) {
	if who.ID == "" && who.Email == "" {
		return "", nil
	}
	for p, err := range s.o.Ledger.People(books.Page{}) {
		if err != nil {
			return "", err
		}
		if who.ID != "" && p.ID == who.ID || who.ID == "" && strings.EqualFold(p.Email, who.Email) {
			return p.ID, nil
		}
	}
	return "", nil
}

// logout ends the session of a browser.
func (s *Server) logout(w http.ResponseWriter, r *http.Request) error {
	s.o.Access.Logout(cookie(r))
	setCookie(w, cookieName, "", -1)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
	return nil
}
