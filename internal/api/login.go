package api

import (
	"cmp"
	"iter"
	"net/http"
	"slices"
	"strings"

	"stump/internal/api/calendar"
	"stump/internal/api/door"
	"stump/internal/api/link"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
	"stump/internal/panel"
)

// accessRoutes are the routes with which people and scripts get in.
func (s *Server) accessRoutes() []route {
	d := &door.Door{
		Access: s.o.Access, SignIn: s.o.SignIn, Books: s.o.Books, Station: s.o.Station, Language: s.o.Language, Reader: len(s.o.Readers) > 0,
		Leave: s.jobs.Leave, Log: s.o.Log,
	}
	show, extend := link.None, link.None
	if p := s.o.Extend; p != nil {
		p.Changed, show, extend = s.poke, p.Show, p.Extend
	}
	feeds := s.calendars()
	return []route{
		{"GET /v1/feeds", logins, identity.Admin, list(s.feeds)},
		{"POST /v1/feeds", logins, identity.Admin, asked(feeds.Make)},
		{"DELETE /v1/feeds/{of}/{ref}", logins, identity.Admin, object(feeds.Revoke)},
		{"POST /v1/my/feed", logins, identity.Staff, object(feeds.MakeMine)},
		{"DELETE /v1/my/feed", logins, identity.Staff, object(feeds.RevokeMine)},
		{"GET /v1/feeds/{file}", logins, identity.None, s.many(bare(feeds.Send))},
		{"GET /extend/{token}", logins, identity.None, s.many(show)},
		{"POST /extend/{token}", logins, identity.None, s.many(extend)},
		{"GET /extend.css", logins, identity.None, link.Style},
		{"GET /v1/tokens", logins, identity.FreshAdmin, list(s.tokens)},
		{"POST /v1/tokens", logins, identity.FreshAdmin, asked(s.addToken)},
		{"DELETE /v1/tokens/{name}", logins, identity.FreshAdmin, object(s.revokeToken)},
		{"GET /v1/refusals", logins, identity.Admin, list(s.refusals)},
		{"GET /v1/looks", logins, identity.Admin, list(s.looked)},
		{"GET /v1/web", logins, identity.Admin, object(s.web)},
		{"POST /v1/web/show", display, identity.Admin, object(s.showFingerprint)},
		{"POST /v1/web/admin-link", logins, identity.FreshAdmin, object(s.adminLink)},
		{"GET /login", logins, identity.None, d.Login},
		{"GET /login.js", logins, identity.None, door.Script},
		{"POST /login", logins, identity.None, d.WithLink},
		{"GET /login/sso", logins, identity.None, d.ToProvider},
		{"GET /login/callback", logins, identity.None, d.FromProvider},
		{"POST /login/station", logins, identity.None, d.AwaitBump},
		{"POST /login/station/digits", logins, identity.None, d.Digits},
		{"POST /logout", logins, identity.None, d.Logout},
		{"GET /kiosk", logins, identity.None, s.many(s.kiosk)},
	}
}

func (s *Server) tokens(_ *http.Request, _ query, p books.Page) (iter.Seq2[identity.Token, error], error) {
	return short(s.o.Access.Tokens(), p, func(t identity.Token) []string { return []string{t.Name} })
}

// calendars are those that programs read at secret addresses.
func (s *Server) calendars() calendar.Desk {
	return calendar.Desk{Books: s.o.Books, Access: s.o.Access, Me: s.me, Site: s.site, Station: s.o.Station, Language: s.o.Language, Holders: s.board(boardHolders), Now: s.o.Now}
}

func (s *Server) feeds(_ *http.Request, _ query, p books.Page) (iter.Seq2[identity.Feed, error], error) {
	return short(s.o.Access.Feeds(), p, func(f identity.Feed) []string { return []string{f.Of, f.ID} })
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
	name := r.PathValue("name")
	err := s.o.Access.RevokeToken(name)
	if err == nil {
		s.jobs.Leave("token:" + name)
	}
	return struct{}{}, err
}

// refusals lists failed logins, and calls for which somebody's role was not enough.
func (s *Server) refusals(_ *http.Request, _ query, p books.Page) (iter.Seq2[identity.Refusal, error], error) {
	return short(s.o.Access.Refusals(), p, func(r identity.Refusal) []string { return []string{r.Name, r.Address} })
}

// looked lists who looked at what others have or had.
func (s *Server) looked(_ *http.Request, _ query, p books.Page) (iter.Seq2[identity.Look, error], error) {
	return short(s.o.Access.Looks(), p, func(l identity.Look) []string { return []string{l.Name, l.Person, l.What} })
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
