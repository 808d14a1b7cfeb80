package api

import (
	"testing"

	"stump/internal/api/wire"
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
