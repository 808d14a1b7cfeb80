package api

import (
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/station"
)

// TestErrorsOfPages: a browser that has not logged in is sent to do so, and reads in words
// why there is no page; a script gets a problem, and is sent nowhere.
func TestErrorsOfPages(t *testing.T) {
	s := newWebsite(t)
	const html = "text/html,application/xhtml+xml;q=0.9"
	if w := s.ask("GET", "/people", "", "Accept", html); w.Code != 303 || w.Header().Get("Location") != "/login" {
		t.Errorf("without a login: %d %v", w.Code, w.Header())
	}
	for _, path := range []string{"/people", "/login"} {
		s.wants("a wrong token at "+path, s.ask("GET", path, "", "Accept", html, "Authorization", "Bearer stump_x"), 401, wire.CodeNoLogin)
	}
	s.wants("a script", s.ask("GET", "/people", ""), 401, wire.CodeNoLogin)
	s.wants("of the API", s.ask("GET", "/v1/people", "", "Accept", html), 401, wire.CodeNoLogin)
}

// TestBackToThePage: whoever asks for a page and has to log in gets there by every way in, also when
// the login is too old for it; and nobody gets there twice.
func TestBackToThePage(t *testing.T) {
	s := newWebsite(t)
	s.with(func(o *Options) { o.Readers = make([]*station.Reader, 1) })
	const html, page = "text/html", "/people/b1/erase?x=1"
	link := func(headers ...string) *httptest.ResponseRecorder {
		secret := s.o.Access.NewLink("root")
		return s.form("/login", url.Values{"secret": {secret}}, headers...)
	}
	leads := func(name string, w *httptest.ResponseRecorder, to string) {
		t.Helper()
		if w.Code != 303 || w.Header().Get("Location") != to {
			t.Errorf("%s leads to %d %s, want %s", name, w.Code, w.Header().Get("Location"), to)
		}
	}
	asks := func() string {
		return jar(t, s.ask("GET", page, "", "Accept", html), door.Wanted)[1]
	}
	w := link("Cookie", asks())
	leads("a link", w, page)
	session := jar(t, w, door.Session)
	leads("the next link", link(session...), "/")

	bump := asks() + "; " + jar(t, s.form("/login/station", nil), door.Bump)[1]
	leads("a badge", s.form("/login/station/digits", url.Values{"digits": {s.o.Access.Bumped("b1", "Ben")}}, "Cookie", bump), page)
	if w := link("Cookie", door.Wanted+"=Ly9ldmls"); w.Header().Get("Location") != "/" { // //evil
		t.Errorf("a page of somebody else leads to %s", w.Header().Get("Location"))
	}

	session = jar(t, link(), door.Session)
	s.now = s.now.Add(16 * time.Minute)
	w = s.ask("GET", page, "", "Accept", html, "Cookie", session[1])
	if w.Code != 403 {
		t.Errorf("a login of before: %d", w.Code)
	}
	leads("a login anew", link("Cookie", session[1]+"; "+jar(t, w, door.Wanted)[1]), page)
	if w := s.ask("GET", page, "", "Cookie", session[1]); len(w.Result().Cookies()) > 0 {
		t.Errorf("a script keeps %v", w.Result().Cookies())
	}
}
