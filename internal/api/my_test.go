package api

import (
	"context"
	"net/http/httptest"
	"strings"
	"testing"

	"stump/internal/api/client"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/identity"
)

// TestMine: staff see what they have and what they did, and nothing of others; a token is
// nobody of the register.
func TestMine(t *testing.T) {
	l := newLedger(t)
	s := newServer(t, l)
	seedLab(t, client.Local(s)) // Ann has the iPad; there are two Bens
	for _, body := range [][2]string{
		{"/v1/devices", `{"id":"mini","name":"Mini"}`}, {"/v1/give", `{"device":"mini","person":"b1"}`}, {"/v1/give", `{"device":"mini","person":"ann"}`},
		{"/v1/return", `{"device":"mini"}`}, {"/v1/give", `{"device":"mini","person":"b2"}`}, {"/v1/people", `{"id":"b3","name":"Cy"}`},
	} {
		if status, answer := ask(s, "POST", body[0], body[1]); status != 200 {
			t.Fatal(body, answer)
		}
	}
	as := func(person, path string) (int, string) {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(identity.With(context.Background(), identity.Principal{Name: person, Role: identity.Staff, Person: person}), "GET", path, nil)
		r.Header.Set("Accept", wire.LineType)
		s.ServeHTTP(w, r)
		return w.Code, w.Body.String()
	}
	has := func(person, path string, words ...string) {
		t.Helper()
		status, answer := as(person, path)
		for _, word := range words {
			if no := strings.HasPrefix(word, "!"); status != 200 || strings.Contains(answer, strings.TrimPrefix(word, "!")) == no {
				t.Errorf("%s, %s: %d %s, want %s", person, path, status, answer, word)
			}
		}
	}
	nobody := func(person, path string) {
		t.Helper()
		if status, answer := as(person, path); status != 404 || !strings.Contains(answer, "nobody in the register") {
			t.Errorf("%s, %s: %d %s", person, path, status, answer)
		}
	}
	has("ann", "/v1/my/loans", `"device_id":"ipad"`, "!mini")
	has("b2", "/v1/my/loans", `"device_id":"mini"`, "!ipad")
	has("b1", "/v1/my/loans", "!device")
	has("b1", "/v1/my/history", `"kind":"checkout"`, `"kind":"handover"`, `!"b2"`, "!ipad")
	has("b1", "/v1/my/history?device=mini&kind=handover", `"kind":"handover"`, "!checkout", `!"b2"`)
	has("b1", "/v1/my/history?device=ipad", "!device")
	for _, path := range []string{"/v1/my/loans?person=ann", "/v1/my/history?person=ann"} {
		if status, answer := as("b1", path); status != 400 {
			t.Errorf("%s: %d %s", path, status, answer)
		}
	}
	nobody("", "/v1/my/loans")
	nobody("gone", "/v1/my/history")
	nobody("Cy", "/v1/my/loans") // that is b3's name, and no id of theirs

	// Whom an admin has made one with another is that one; who has left is nobody.
	for _, call := range [][2]string{{"/v1/people/b1/merge", `{"into":"b2"}`}, {"/v1/people/b3/retire", ""}} {
		if status, answer := ask(s, "POST", call[0], call[1]); status != 200 {
			t.Fatal(answer)
		}
	}
	has("b1", "/v1/my/loans", `"device_id":"mini"`, `"person_id":"b2"`)
	nobody("b3", "/v1/my/loans")
}

// TestLeaversAreLoggedOut: a session is worth nothing while its person is not active.
func TestLeaversAreLoggedOut(t *testing.T) {
	s := newWebsite(t)
	login := func(p identity.Principal) []string {
		p.Role = identity.Admin
		return []string{"Cookie", door.Session + "=" + s.o.Access.Login(p)}
	}
	b1, nobody, gone := login(identity.Principal{Person: "b1"}), login(identity.Principal{}), login(identity.Principal{Person: "gone"})
	var none struct{}
	for _, tt := range []struct {
		status string
		want   int
	}{{"suspended", 401}, {"active", 200}, {"retired", 401}} {
		s.admin("PATCH", "/v1/people/b1", `{"status":"`+tt.status+`"}`, &none)
		if w := s.ask("GET", "/v1/people", "", b1...); w.Code != tt.want {
			t.Errorf("somebody who is %s: %d", tt.status, w.Code)
		}
	}
	s.wants("who is in no register", s.ask("GET", "/v1/people", "", nobody...), 200, "")
	s.wants("who was erased", s.ask("GET", "/v1/people", "", gone...), 401, wire.CodeNoLogin)
	if err := s.o.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	s.wants("with a register that can't be read", s.ask("GET", "/v1/refusals", "", b1...), 200, "")
}

// TestErasedIsLoggedOut: nothing of somebody who is erased stays in a session.
func TestErasedIsLoggedOut(t *testing.T) {
	s := newWebsite(t)
	in := func(person string) []string {
		return []string{"Cookie", door.Session + "=" + s.o.Access.Login(identity.Principal{Name: person, Role: identity.Staff, Person: person})}
	}
	b1, b2 := in("b1"), in("b2")
	s.wants("b1", s.ask("GET", "/v1/my/loans", "", b1...), 200, "")
	var none struct{}
	s.admin("POST", "/v1/people/b1/erase", "", &none)
	s.wants("b1, who is erased", s.ask("GET", "/v1/who", "", b1...), 401, wire.CodeNoLogin)
	s.wants("b2", s.ask("GET", "/v1/my/loans", "", b2...), 200, "")
}
