package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/hw/selftest"
	"stump/internal/api/client"
	"stump/internal/api/wire"
	"stump/internal/identity"
	"stump/internal/station"
)

// needed says once more, apart from the table of routes, the least role that each route
// wants. A route that is not here has no agreed role.
var needed = map[identity.Role]string{
	identity.Board: "GET devices, GET free",

	identity.Staff: "GET /my, POST /my/calendar, GET /devices, GET /devices/{ref}, POST /devices/{ref}/extend, POST /devices/{ref}/reserve, POST /devices/{ref}/report, GET /reservations, POST /reservations, POST /reservations/cancel, GET status, GET panel, GET who, GET devices/{ref}, GET my/loans, GET my/history, POST devices/{ref}/extend, " +
		"GET reservations, GET my/reservations, POST my/reservations, DELETE my/reservations/{id}, POST my/feed, DELETE my/feed",

	identity.Technician: "GET /enrol, POST /enrol, GET /enrol/{id}, POST /enrol/{id}/undo, GET /inbox, POST /inbox/assign, POST /inbox/ignore, GET inbox, POST unknown/{id}/assign, POST unknown/{id}/ignore, " +
		"GET /stations, GET /stations/{name}, GET /stations/{name}/wiring.svg, GET /stations/{name}/scope, GET /stations/{name}/lines, POST /stations/{name}/selftest, GET /stations/{name}/selftest/{id}, " +
		"POST /stations/{name}/selftest/{id}/answer, POST /stations/{name}/selftest/{id}/end, " +
		"GET /reports, GET /reports.csv, GET unknown, GET frames, GET history, GET events, POST enrolments, GET enrolments/{id}, GET enrolments/{id}/events, POST enrolments/{id}/undo, DELETE enrolments/{id}, " +
		"POST selftest, GET selftest/{id}, GET selftest/{id}/events, POST selftest/{id}/answers, DELETE selftest/{id}, " +
		"POST leases, GET leases, GET leases/{id}, GET leases/{id}/scope, POST leases/{id}/renew, DELETE leases/{id}, GET lab, GET lab/stations, GET /metrics",

	identity.Admin: "POST /inbox/retry, POST /inbox/drop, POST /inbox/accept, " +
		"POST /devices/{ref}/return, POST /devices/{ref}/give, POST /devices/{ref}/lost, POST /devices/{ref}/found, POST /devices/{ref}/calendar, GET /people, GET /people/{ref}, GET /add/{kind}, POST /add/{kind}, GET /people/{ref}/edit, POST /people/{ref}/edit, GET /devices/{ref}/edit, POST /devices/{ref}/edit, GET /import, POST /import, GET /labels, GET /stock, GET /stock.csv, POST /stock/start, POST /stock/count, POST /stock/finish, POST /stock/correct, GET stock, POST stock, POST stock/count, POST stock/finish, POST stock/correct, GET /audit, GET /settings, POST /settings/mail, POST reservations, DELETE reservations/{id}, POST give, POST return, POST devices/{ref}/lost, POST devices/{ref}/found, " +
		"GET people, POST people, GET people/{ref}, POST people/{ref}/merge, PATCH people/{ref}, POST people/{ref}/retire, POST people/import, GET people/export, " +
		"POST devices, PATCH devices/{ref}, POST devices/{ref}/retire, POST devices/import, GET devices/export, " +
		"GET sync, GET sync/rows, POST pulls, GET pulls/{id}, GET pulls/{id}/events, DELETE pulls/{id}, POST sync/checks, GET sync/checks/{id}, GET sync/checks/{id}/events, DELETE sync/checks/{id}, POST sync/{id}/retry, POST sync/{id}/drop, POST sync/{id}/accept, " +
		"POST verifications, GET verifications/{id}, GET verifications/{id}/events, DELETE verifications/{id}, " +
		"GET backups/{id}, GET backups/{id}/events, DELETE backups/{id}, POST salvage/seen, POST sim/seed, POST sim/tap, POST sim/type, POST sim/fault, GET web, POST web/show, GET refusals, GET looks, GET feeds, POST feeds, DELETE feeds/{of}/{ref}",

	identity.None: "GET /healthz, GET /readyz, GET /{$}, GET /changes, GET /assets/{file}, GET /v1/openapi.json, GET /v1/feeds/{file}, GET /login, GET /login.js, POST /login, GET /login/sso, GET /login/callback, POST /login/station, POST /login/station/digits, POST /logout, GET /kiosk, GET /extend/{token}, POST /extend/{token}, GET /extend.css",

	identity.FreshAdmin: "GET /people/{ref}/erase, POST /people/{ref}/erase, GET /people/{ref}/dossier, POST /settings/tokens, POST /settings/tokens/revoke, POST /settings/sessions/end, GET tokens, POST tokens, DELETE tokens/{name}, POST web/admin-link, POST people/{ref}/erase, GET people/{ref}/dossier, POST backups, GET backups/{id}/file, POST lab, DELETE lab",
}

// askers are one of each that a route may meet, the least first.
var askers = []identity.Principal{
	{},
	{Name: "hall", Role: identity.Board, ID: "token:hall", Fresh: true},
	{Name: "sam", Role: identity.Staff, ID: "session:1", Fresh: true},
	{Name: "tess", Role: identity.Technician, ID: "session:2", Fresh: true},
	{Name: "ada", Role: identity.Admin, ID: "session:3"},
	{Name: "ada", Role: identity.Admin, ID: "session:4", Fresh: true},
}

// TestRoles asks every route in every role, and without one.
func TestRoles(t *testing.T) {
	least := map[string]identity.Role{}
	for role, patterns := range needed {
		for pattern := range strings.SplitSeq(patterns, ", ") {
			if !strings.Contains(pattern, " /") {
				pattern = strings.Replace(pattern, " ", " /v1/", 1)
			}
			least[pattern] = role
		}
	}
	s := NewServer(Options{Board: boardFree})
	for _, to := range slices.Concat(s.routes(), s.pageRoutes()) {
		role, agreed := least[to.pattern]
		if delete(least, to.pattern); !agreed {
			t.Errorf("%s is in no row of the table of roles: who may ask it?", to.pattern)
		}
		// Who may ask gets no further than this.
		reached := refuse("go on", "reached")
		own := &Server{o: s.o, mux: http.NewServeMux()}
		own.handle(route{to.pattern, ledgerOnly, to.role, func(http.ResponseWriter, *http.Request) error { return reached }})
		for i, who := range askers {
			method, path := to.split(t)
			w := httptest.NewRecorder()
			own.ServeHTTP(w, httptest.NewRequestWithContext(identity.With(t.Context(), who), method, path, nil))
			var p wire.Problem
			if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || p.Error == "" || p.Error != "reached" && p.Hint == "" {
				t.Fatalf("%s, %s: %d %s", to.pattern, who.ID, w.Code, w.Body)
			}
			want := http.StatusBadRequest // it was reached
			switch may := identity.Role(i) >= role; {
			case !may && i == 0:
				want = http.StatusUnauthorized
			case !may:
				want = http.StatusForbidden
			}
			if w.Code != want || (w.Code == 400) != (p.Error == "reached") {
				t.Errorf("%s, %s with the role %v: %d %+v, want %d", to.pattern, who.ID, who.Role, w.Code, p, want)
			}
			if w.Code != 400 && !strings.Contains(p.Error, "the role "+role.String()) {
				t.Errorf("%s, %s: %q does not name the role %v", to.pattern, who.ID, p.Error, role)
			}
			if (w.Code == 401) != (w.Header().Get("WWW-Authenticate") != "") {
				t.Errorf("%s, %s: %d with %v", to.pattern, who.ID, w.Code, w.Header())
			}
		}
	}
	for pattern := range least {
		t.Errorf("%s is no route", pattern)
	}
}

// TestRolesComeFirst: who may not ask learns nothing else, not even what the station
// lacks.
func TestRolesComeFirst(t *testing.T) {
	s := NewServer(Options{})
	for _, to := range slices.Concat(s.routes(), s.pageRoutes()) {
		if to.role == identity.None {
			continue
		}
		method, path := to.split(t)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequest(method, path, strings.NewReader("not JSON")))
		if w.Code != http.StatusUnauthorized {
			t.Errorf("%s: %d %s", to.pattern, w.Code, w.Body)
		}
	}
}

// TestActors: who asks at the socket is who the kernel says; only root asks for others.
func TestActors(t *testing.T) {
	for _, tt := range []struct {
		who  identity.Principal
		says string
		want string
	}{
		{identity.User(0, "root"), "ann", "ann"},
		{identity.User(0, "root"), "", "root"},
		{identity.Process(), "ann", "ann"},
		{identity.Process(), "", "admin"},
		{identity.User(1000, "ben"), "ann", "ben"},
		{identity.User(1001, ""), "ann", "uid:1001"},
		{identity.Principal{Name: "ci", Role: identity.Admin, Source: checkout.SourceAPI, ID: "token:ci"}, "ann", "ci"},
	} {
		l := newLedger(t)
		s := newServer(t, l)
		seedLab(t, client.Local(s))
		r := httptest.NewRequestWithContext(identity.With(t.Context(), tt.who), "POST", "/v1/return", strings.NewReader(`{"device":"ipad"}`))
		r.Header.Set(wire.ActorHeader, tt.says)
		w := httptest.NewRecorder()
		s.ServeHTTP(w, r)
		var event struct{ Actor, Source string }
		if err := json.Unmarshal(w.Body.Bytes(), &event); err != nil || event.Actor != tt.want || event.Source != string(tt.who.Source) {
			t.Errorf("%s says %q: %d %s, want %s by %s", tt.who.ID, tt.says, w.Code, w.Body, tt.want, tt.who.Source)
		}
	}
}

// TestPeer: the daemon learns from the kernel who is at the other end of the socket.
func TestPeer(t *testing.T) {
	seen := make(chan identity.Principal, 1)
	l, _, _ := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen <- identity.Of(r.Context())
		_ = writeJSON(w, struct{}{})
	}), "127.0.0.1:0")
	c, err := client.Dial(t.Context(), l.Socket)
	if err != nil {
		t.Fatal(err)
	}
	c.Actor = "somebody"
	if err := c.Do(t.Context(), "GET", "who", nil, nil); err != nil {
		t.Fatal(err)
	}
	if p := <-seen; p.ID != fmt.Sprintf("uid:%d", os.Getuid()) || p.Name == "" || !p.May(identity.FreshAdmin) || p.Source != checkout.SourceCLI {
		t.Errorf("at the socket is %+v", p)
	}
	resp, err := http.Get("http://" + l.TCP() + "/v1/who")
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if p := <-seen; p.ID != "loopback" || p.MayActFor() || p.Source != checkout.SourceAPI {
		t.Errorf("at the loopback address is %+v", p)
	}
}

// TestWithheld: of a fault of the station's only an admin reads the words.
func TestWithheld(t *testing.T) {
	fault := fmt.Errorf("open /var/lib/stump/ledger.db: %w", os.ErrPermission)
	answer := func(who identity.Principal, err error) string {
		w := httptest.NewRecorder()
		r := httptest.NewRequestWithContext(identity.With(context.Background(), who), "GET", "/v1/who", nil)
		NewServer(Options{}).fail(&reply{ResponseWriter: w}, r, err)
		return w.Body.String()
	}
	for _, who := range askers {
		for _, err := range []error{fault, &ledger.DamagedError{Reason: "/var/lib"}, fmt.Errorf("/var/lib: %w", ledger.ErrCannotSave)} {
			if got := answer(who, err); strings.Contains(got, "/var/lib") != who.May(identity.Admin) {
				t.Errorf("of %v %s reads %s", err, who.ID, got)
			}
		}
		for _, err := range []error{refuse("mend it", "bad"), problem(wire.CodeNoDaemon, "start it", "no daemon is running")} {
			if got := answer(who, err); !strings.Contains(got, err.Error()) {
				t.Errorf("%s reads %s, want %v", who.ID, got, err)
			}
		}
	}
}

// TestStatusWithheld: the status names no file, process or address to who is no admin.
func TestStatusWithheld(t *testing.T) {
	l := newLedger(t)
	file := "/mnt/usb/ledger.db"
	s := NewServer(Options{
		Ledger: l, Station: "lab", Path: "/var/lib/stump/ledger.db", TCP: func() string { return "127.0.0.1:8080" },
		Backups: func() []wire.Backup { return []wire.Backup{{Folder: "/mnt/usb", File: &file, At: new(time.Time)}} },
		Conditions: func() map[string][]selftest.Condition {
			return map[string][]selftest.Condition{"stump": {{Name: "no-reader", Text: "/dev/ttyUSB0 is gone", Remedy: "look at /dev/ttyUSB0"}}}
		},
	})
	secrets := []string{"/mnt", "/var/lib", "/dev", "127.0.0.1", fmt.Sprintf(`"pid":%d`, os.Getpid())}
	for _, who := range askers[identity.Staff:] {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(identity.With(context.Background(), who), "GET", "/v1/status", nil))
		for _, secret := range secrets {
			if told := strings.Contains(w.Body.String(), secret); w.Code != 200 || told != who.May(identity.Admin) {
				t.Errorf("%s reads %s: %d %s", who.ID, secret, w.Code, w.Body)
			}
		}
		if !strings.Contains(w.Body.String(), `"no-reader"`) {
			t.Errorf("%s does not learn what is wrong: %s", who.ID, w.Body)
		}
	}
	st := wire.Status{Display: "down: open /dev/i2c-1: no such file", Readers: []string{"stump: /dev/ttyUSB0"}}
	st.Withhold(identity.Principal{Role: identity.Technician})
	if st.Display != "down" || st.Readers[0] != "stump" {
		t.Errorf("%+v", st)
	}
}

// TestBoard: the role board sees which devices are free and, where the lab wants it, who
// has the others; never a tag.
func TestBoard(t *testing.T) {
	l := newLedger(t)
	s := newServer(t, l)
	seedLab(t, client.Local(s)) // Ann has the iPad
	var add strings.Builder
	add.WriteString("id,name,tag\n")
	for i := range 5 {
		fmt.Fprintf(&add, "d%d,Device %d,H10301:200:%d\n", i, i, i+10)
	}
	for _, body := range [][2]string{{"/v1/devices/import", add.String()}, {"/v1/give", `{"device":"d1","person":"ann"}`}, {"/v1/devices/d3/retire", ""}} {
		if status, answer := ask(s, "POST", body[0], body[1]); status != 200 {
			t.Fatal(answer)
		}
	}
	hall := identity.Principal{Name: "hall", Role: identity.Board}
	get := func(board string, who identity.Principal, path string) (int, string) {
		o := s.o
		o.Board = board
		w := httptest.NewRecorder()
		NewServer(o).ServeHTTP(w, httptest.NewRequestWithContext(identity.With(t.Context(), who), "GET", path, nil))
		return w.Code, w.Body.String()
	}
	for _, tt := range []struct {
		board  string
		path   string
		has    string
		hasNot []string
	}{
		{"free", "/v1/devices", "d0 d2 d4", []string{"Ann", "ipad", "d1", "d3", "…0"}},
		{"free", "/v1/devices?limit=2", "d0 d2", []string{"d4", `"next":null`}},
		{"free", "/v1/devices?limit=3", `d4 "next":null`, nil},
		{"holders", "/v1/devices", "d0 d1 d2 d3 d4 ipad Ann", []string{"…0"}},
		{"holders", "/v1/who", "Ann iPad", nil},
	} {
		status, answer := get(tt.board, hall, tt.path)
		for want := range strings.FieldsSeq(tt.has) {
			if status != 200 || !strings.Contains(answer, want) {
				t.Errorf("%s, %s: %d %s lacks %s", tt.board, tt.path, status, answer, want)
			}
		}
		for _, no := range tt.hasNot {
			if strings.Contains(answer, no) {
				t.Errorf("%s, %s: %s has %s", tt.board, tt.path, answer, no)
			}
		}
	}
	if status, answer := get("free", hall, "/v1/who"); status != 403 || !strings.Contains(answer, "the role staff") {
		t.Errorf("%d %s", status, answer)
	}
	if status, _ := get("off", hall, "/v1/devices"); status != 403 {
		t.Errorf("off: %d", status)
	}
	if status, _ := get("holders", identity.Principal{}, "/v1/devices"); status != 401 {
		t.Errorf("nobody: %d", status)
	}
	if _, answer := get("free", askers[identity.Staff], "/v1/devices"); !strings.Contains(answer, "d1") || !strings.Contains(answer, `"tag":"`) {
		t.Errorf("staff sees %s", answer)
	}
}

// TestFiner: some of what a technician may do wants an admin where a card is copied by it,
// or people take devices with it.
func TestFiner(t *testing.T) {
	tests := 0
	s := NewServer(Options{SelfTest: func(string, station.Holder) (*selftest.Env, error) { tests++; return &selftest.Env{}, nil }})
	for _, who := range askers[identity.Technician:] {
		request := func(path string) *http.Request {
			return httptest.NewRequestWithContext(identity.With(t.Context(), who), "POST", path, nil)
		}
		admins := who.May(identity.Admin)
		_, err := s.enrolment(request("/v1/enrolments"), wire.NewEnrolment{Kind: "person"})
		if code, _ := s.explain(err); (code == wire.CodeRole) == admins {
			t.Errorf("%s enrols a person: %v", who.ID, err)
		}
		if _, err := s.enrolment(request("/v1/enrolments"), wire.NewEnrolment{Kind: "device"}); err == nil || err.Error() != "no name" {
			t.Errorf("%s enrols a device: %v", who.ID, err)
		}
		before := tests
		_, err = s.testEnv(request("/v1/leases"), "", station.ForScope, true)
		if code, _ := s.explain(err); err != nil && code != wire.CodeRole || (err == nil) != admins || (tests > before) != admins {
			t.Errorf("%s reads numbers: %v", who.ID, err)
		}
		if _, err = s.testEnv(request("/v1/leases"), "", station.ForScope, false); err != nil {
			t.Errorf("%s: %v", who.ID, err)
		}
	}
}
