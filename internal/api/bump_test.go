package api

import (
	"context"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/identity"
	"stump/internal/panel"
	"stump/internal/station"
)

// jar is a browser's cookies of one name.
func jar(t *testing.T, w *httptest.ResponseRecorder, name string) []string {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == name {
			if !c.Secure || !c.HttpOnly || c.Path != "/" {
				t.Errorf("the cookie is %+v", c)
			}
			return []string{"Cookie", name + "=" + c.Value}
		}
	}
	t.Fatalf("%d: no cookie %s: %v %s", w.Code, name, w.Header(), w.Body)
	return nil
}

// TestLogInAtReader: a browser begins, somebody bumps, and who types the digits in that
// browser has their session; no other browser gets anything.
func TestLogInAtReader(t *testing.T) {
	s := newWebsite(t)
	if w := s.form("/login/station", nil); w.Code != 503 || strings.Contains(w.Body.String(), "/login/station") {
		t.Errorf("without a reader: %d %s", w.Code, w.Body)
	}
	s.with(func(o *Options) { o.Readers = make([]*station.Reader, 1) })
	alert := func(name string, w *httptest.ResponseRecorder, status int, says string) {
		t.Helper()
		if w.Code != status || !strings.Contains(w.Body.String(), `<div role="alert" tabindex="-1" autofocus><p>`+says) || strings.Contains(w.Header().Get("Set-Cookie"), door.Session+"=") {
			t.Errorf("%s: %d %v %s, want %d %s", name, w.Code, w.Header(), w.Body, status, says)
		}
	}
	if w := s.ask("GET", "/login", ""); !strings.Contains(w.Body.String(), `action="/login/station"`) || strings.Contains(w.Body.String(), "digits") {
		t.Errorf("the page is %s", w.Body)
	}
	w := s.form("/login/station", nil)
	mine := jar(t, w, door.Bump)
	if w.Code != 303 || w.Header().Get("Location") != "/login" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	if w := s.ask("GET", "/login", "", mine...); !strings.Contains(w.Body.String(), "Bump your badge at lab, with no device waiting, within 60 s") || !strings.Contains(w.Body.String(), `action="/login/station/digits"`) {
		t.Errorf("the page is %s", w.Body)
	}
	s.now = s.now.Add(10 * time.Second)
	other := s.form("/login/station", nil)
	alert("another browser", other, 409, "Somebody else logs in at the reader now. Begin again in 50 s.")
	if len(other.Result().Cookies()) > 0 || strings.Contains(s.ask("GET", "/login", "").Body.String(), "digits") {
		t.Errorf("another browser has %v", other.Header())
	}
	typed := func(digits string, headers ...string) *httptest.ResponseRecorder {
		return s.form("/login/station/digits", url.Values{"digits": {digits}}, headers...)
	}
	alert("before the bump", typed("", mine...), 409, "No badge has been bumped yet.")
	digits := s.o.Access.Bumped("b1", "Ben")
	if w := s.ask("GET", "/login", "", mine...); strings.Contains(w.Body.String(), digits) {
		t.Error("the page shows the digits")
	}
	alert("in another browser", typed(digits), 401, "The login at the reader is over, or was not begun in this browser")
	alert("in another browser that began", typed(digits, "Cookie", door.Bump+"=X"), 401, "The login at the reader is over")
	alert("wrong", typed("000000x", mine...), 401, "These are not the digits. Type the six digits")
	in := typed(digits, mine...)
	session := jar(t, in, door.Session)
	if in.Code != 303 || in.Header().Get("Location") != "/" {
		t.Errorf("%d %v", in.Code, in.Header())
	}
	if w := s.ask("GET", "/login", "", session...); !strings.Contains(w.Body.String(), "logged in as Ben, with the role staff") {
		t.Errorf("%s", w.Body)
	}
	s.wants("as staff", s.ask("GET", "/v1/who", "", session...), 200, "")
	s.wants("no more than staff", s.ask("GET", "/v1/history", "", session...), 403, wire.CodeRole)
	if who, err := s.o.Access.Session(strings.TrimPrefix(session[1], door.Session+"=")); err != nil || who.Person != "b1" {
		t.Errorf("%+v, %v", who, err)
	}
	alert("again", typed(digits, mine...), 401, "The login at the reader is over")
	if r := s.o.Access.Refusals()[0]; r.Count != 4 || r.What != "login" || r.Call != "POST /login/station/digits" {
		t.Errorf("the refusals are %+v", s.o.Access.Refusals())
	}
}

// TestLogInAtReaderEnds: after three wrong tries, after a minute, and for who begins again
// and again.
func TestLogInAtReaderEnds(t *testing.T) {
	s := newWebsite(t)
	s.with(func(o *Options) { o.Readers = make([]*station.Reader, 1) })
	begin := func() []string { return jar(t, s.form("/login/station", nil), door.Bump) }
	typed := func(digits string, headers ...string) (int, string) {
		w := s.form("/login/station/digits", url.Values{"digits": {digits}}, headers...)
		return w.Code, w.Body.String()
	}
	mine := begin()
	digits := s.o.Access.Bumped("b1", "Ben")
	for i := range 3 {
		status, body := typed("wrong", mine...)
		if status != 401 || strings.Contains(body, "for the third time") != (i == 2) || strings.Contains(body, `name="digits"`) == (i == 2) {
			t.Errorf("the %d. time: %d %s", i+1, status, body)
		}
	}
	if status, _ := typed(digits, mine...); status != 401 {
		t.Errorf("after three tries: %d", status)
	}
	mine = begin()
	s.now = s.now.Add(59 * time.Second)
	digits = s.o.Access.Bumped("b1", "Ben")
	s.now = s.now.Add(60 * time.Second)
	if status, body := typed(digits, mine...); status != 401 || !strings.Contains(body, "over") {
		t.Errorf("a minute after the bump: %d %s", status, body)
	}
	s.now = s.now.Add(time.Minute)
	mine = begin()
	for range identity.LoginFailures - 1 {
		mine = jar(t, s.form("/login/station", nil, mine...), door.Bump)
	}
	if w := s.form("/login/station", nil, mine...); w.Code != 429 || w.Header().Get("Retry-After") != "60" {
		t.Errorf("again and again: %d %v", w.Code, w.Header())
	}
}

// TestPanelHidesDigits: who sees the display from afar does not see with what others log in.
func TestPanelHidesDigits(t *testing.T) {
	p := panel.New(panel.Options{})
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- p.Run(ctx) }()
	defer func() { stop(); <-done }()
	s := NewServer(Options{Panel: p})
	for _, m := range []panel.Message{{Key: "greet", Person: "Ben"}, {Key: "log-in", Person: "Ben", Number: "482951"}} {
		if err := p.Answered(t.Context(), p.Show(m)); err != nil {
			t.Fatal(err)
		}
		for _, who := range askers[identity.Staff:] {
			w := httptest.NewRecorder()
			s.ServeHTTP(w, httptest.NewRequestWithContext(identity.With(t.Context(), who), "GET", "/v1/panel", nil))
			hidden := m.Key == "log-in" && !who.May(identity.Admin)
			want := `"Hello Ben       "`
			if hidden {
				want = `"rows":["                ","                "]`
			}
			if !strings.Contains(w.Body.String(), want) || strings.Contains(w.Body.String(), "482951") != (m.Key == "log-in" && !hidden) {
				t.Errorf("%s, %s: %s", who.ID, m.Key, w.Body)
			}
		}
	}
}
