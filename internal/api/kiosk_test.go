package api

import (
	"context"
	"fmt"
	"iter"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"stump/checkout/ledger/journal"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
)

// shows has the station show the board this much.
func (s *website) shows(board string) { s.with(func(o *Options) { o.Board = board }) }

func (s *website) token(name, role, more string) string {
	s.Helper()
	var made wire.MadeToken
	s.admin("POST", "/v1/tokens", fmt.Sprintf(`{"name":%q,"role":%q%s}`, name, role, more), &made)
	return made.Secret
}

// TestKiosk: the token in the address becomes a cookie at once, which shows the board for
// as long as there is the token, and nothing else.
func TestKiosk(t *testing.T) {
	s := newWebsite(t)
	s.shows(boardFree)
	hall := s.token("hall", "board", "")
	w := s.ask("GET", "/kiosk?token="+hall, "")
	screen := jar(t, w, kioskCookie)
	if w.Code != 303 || w.Header().Get("Location") != "/kiosk" || w.Header().Get("Referrer-Policy") != "no-referrer" || strings.Contains(w.Body.String(), hall) {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if c := w.Result().Cookies()[0]; c.SameSite != http.SameSiteLaxMode || c.MaxAge < 300*24*3600 {
		t.Errorf("the cookie is %+v", c)
	}
	has := func(name string, w *httptest.ResponseRecorder, words ...string) {
		t.Helper()
		for _, word := range words {
			want := !strings.HasPrefix(word, "!")
			if w.Code != 200 || strings.Contains(w.Body.String(), strings.TrimPrefix(word, "!")) != want {
				t.Errorf("%s: %d %s, want %s", name, w.Code, w.Body, word)
			}
		}
	}
	var none struct{}
	s.admin("POST", "/v1/devices", `{"id":"x","name":"<Pixel>"}`, &none)
	free := `<li data-device="x" data-person="">&lt;Pixel&gt;</li>`
	has("what is free", s.ask("GET", "/kiosk", "", screen...), free, "<main", `http-equiv="refresh"`, `data-live="/changes?panel"`, "<h2>1 free</h2>", "!iPad", "!Ann", "!<nav", "Screen not connected. Bumps still count.")
	has("by the header", s.ask("GET", "/kiosk", "", "Authorization", "Bearer "+hall), free, "!Ann")
	s.wants("by the API", s.ask("GET", "/v1/devices", "", screen...), 200, "")
	s.wants("no more than the board", s.ask("GET", "/v1/who", "", screen...), 403, wire.CodeRole)
	has("somebody else can log in there", s.ask("GET", "/login", "", screen...), `name="secret"`)

	s.shows(boardHolders)
	has("who has the others", s.ask("GET", "/kiosk", "", screen...), free, `<li data-device="ipad" data-person="ann"><b>iPad</b> <span>Ann</span>`)
	s.admin("POST", "/v1/devices/x/lost", `{}`, &none)
	has("what is lost", s.ask("GET", "/kiosk", "", screen...), "!Pixel", "<h2>0 free</h2>")
	s.shows("off")
	if w := s.ask("GET", "/kiosk", "", screen...); w.Code != 403 || !strings.Contains(w.Body.String(), `<div role="alert" tabindex="-1" autofocus><p>This needs the role staff`) {
		t.Errorf("off: %d %s", w.Code, w.Body)
	}
	has("off, for staff", s.ask("GET", "/kiosk", "", "Authorization", "Bearer "+s.token("see", "staff", "")), "<b>iPad</b> <span>Ann</span>")

	// A fault is said without its words, and the screen comes back by itself.
	s.shows(boardFree)
	if err := s.o.Ledger.Close(); err != nil {
		t.Fatal(err)
	}
	w = s.ask("GET", "/kiosk", "", screen...)
	if page := w.Body.String(); w.Code != 500 || strings.Contains(page, "ledger") || !strings.Contains(page, "can&#39;t do that now") || !strings.Contains(page, `data-again="30"`) || !strings.Contains(page, `http-equiv="refresh"`) {
		t.Errorf("a fault: %d %s", w.Code, w.Body)
	}
	s.admin("DELETE", "/v1/tokens/hall", "", &none)
	if w := s.ask("GET", "/kiosk", "", screen...); w.Code != 401 || !strings.Contains(w.Body.String(), `role="alert"`) {
		t.Errorf("revoked: %d %s", w.Code, w.Body)
	}
}

// TestKioskTokens: a token that is not the board's is no kiosk's.
func TestKioskTokens(t *testing.T) {
	s := newWebsite(t)
	s.shows(boardFree)
	soon := s.token("soon", "board", `,"expires":"2026-11-30T11:00:00Z"`)
	screen := jar(t, s.ask("GET", "/kiosk?token="+soon, ""), kioskCookie)
	s.now = s.now.Add(time.Hour)
	admins := s.token("ci", "admin", "")
	for name, tt := range map[string]struct {
		path    string
		headers []string
		status  int
		says    string
	}{
		"nobody":                   {"/kiosk", nil, 401, "obody has logged in"},
		"an unknown one":           {"/kiosk?token=stump_x", nil, 401, "The token is not known here"},
		"an admin's":               {"/kiosk?token=" + admins, nil, 401, "This token has the role admin, and a kiosk&#39;s is board"},
		"an admin's, as a cookie":  {"/kiosk", []string{"Cookie", kioskCookie + "=" + admins}, 401, "obody has logged in"},
		"one that is over":         {"/kiosk", screen, 401, "obody has logged in"},
		"something else":           {"/kiosk?tokn=x", nil, 400, "is not a parameter of this call"},
		"none, where one is named": {"/kiosk?token=", nil, 400, "n empty one"},
	} {
		w := s.ask("GET", tt.path, "", tt.headers...)
		again := strings.Contains(w.Body.String(), `http-equiv="refresh"`)
		if w.Code != tt.status || !strings.Contains(w.Body.String(), tt.says) || w.Header().Get("Set-Cookie") != "" || again == strings.Contains(tt.path, "token=stump") {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
	for _, r := range s.o.Access.Refusals() {
		if strings.Contains(r.Call, "stump_") || strings.Contains(r.Call, "token=") {
			t.Errorf("the refusals have a token: %+v", r)
		}
	}
}

// TestKioskOfUser: who comes through the socket stays who they are.
func TestKioskOfUser(t *testing.T) {
	s := newWebsite(t)
	r := httptest.NewRequestWithContext(identity.With(context.Background(), identity.User(0, "root")), "GET", "/v1/people", nil)
	r.Header.Set("Cookie", kioskCookie+"="+s.token("hall", "board", ""))
	w := httptest.NewRecorder()
	s.ServeHTTP(w, r)
	s.wants("root", w, 200, "")
}

// TestBearerOnPages: a script sees a page as its token's role does.
func TestBearerOnPages(t *testing.T) {
	s := newWebsite(t)
	w := s.ask("GET", "/login", "", "Authorization", "Bearer "+s.token("ci", "technician", ""))
	if w.Code != 200 || !strings.Contains(w.Body.String(), "logged in as ci, with the role technician") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	s.wants("a wrong one", s.ask("GET", "/login", "", "Authorization", "Bearer x"), 401, wire.CodeNoLogin)
}

// busy are books whose register an import is changing.
type busy struct{ books.Keeper }

func (busy) Devices(books.Page) iter.Seq2[books.Device, error] {
	return func(yield func(books.Device, error) bool) { yield(books.Device{}, journal.ErrBusy) }
}

// TestKioskDuringAnImport: the page says why there is nothing, as described, and comes again.
func TestKioskDuringAnImport(t *testing.T) {
	s := newWebsite(t)
	s.shows(boardFree)
	token := s.token("wall", "board", "")
	s.with(func(o *Options) { o.Books = busy{o.Ledger} })
	w := s.ask("GET", "/kiosk", "", "Authorization", "Bearer "+token)
	if w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "import") {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}
