package snipeit

import (
	"encoding/json"
	"fmt"
	"html"
	"math/rand/v2"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/testkit"
)

// double is Snipe-IT's API with the quirks that its source has (v8.1.4):
// failures with 200, messages in the user's language, escaped strings, an
// unstable order unless sorted, no hand-over, no idempotency.
type double struct {
	mu     sync.Mutex
	users  []*doubleUser
	assets []*doubleAsset
	log    []string // what was done, with its note
	calls  int
	wrote  []map[string]any

	language    string // of the messages
	noteNeeded  bool   // require_checkinout_notes
	full        bool   // nobody gets anything
	lies        int    // so many check-ins say success and do nothing (≤ 5.3)
	limit       int    // calls until 429; 0: no limit
	limitStyle  int    // which of the historic bodies
	retryAfter  string
	token       string
	pageHandler func() // called between pages
}

type doubleUser struct {
	id                     int64
	first, last, num, mail string
	activated              bool
	endDate                string
	groups                 any // as it comes
	department             string
}

type doubleAsset struct {
	id                int64
	name, tag, serial string
	home, at          string // rtd_location and location
	rfid              string
	status            string // status_type
	holder            int64
	holderType        string
	due               string // expected_checkin, as it came
	silent            bool   // the server does not say who has it
	updated           string // updated_at
	ins, outs         int    // counters; the server has them where outs is above 0
}

func newDouble() *double {
	return &double{
		token: "secret-token",
		users: []*doubleUser{
			{id: 1, first: "Ann", last: "O'Brien", num: "91234", mail: "ann@x", activated: true},
			{id: 2, first: "Bob", last: "R&D", num: "07654321", mail: "bob@x"},
			{id: 3, first: "Cem", last: "Leer", activated: true},
		},
		assets: []*doubleAsset{
			{id: 11, name: "iPad <mini>", tag: "8123456", serial: "S1", rfid: "9001", status: "deployable"},
			{id: 12, tag: "9876543", serial: "S2", rfid: "9002", status: "deployable"},
			{id: 13, name: "Broken", tag: "9876544", status: "undeployable"},
		},
	}
}

func (s *double) say(en, de string) string {
	if s.language == "de" {
		return de
	}
	return en
}

func snipeJSON(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v)
}

func snipeError(w http.ResponseWriter, messages any) {
	snipeJSON(w, 200, map[string]any{"status": "error", "messages": messages, "payload": nil})
}

var (
	oneAsset = regexp.MustCompile(`^/api/v1/hardware/(\d+)$`)
	action   = regexp.MustCompile(`^/api/v1/hardware/(\d+)/(checkout|checkin)$`)
)

func (s *double) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls++
	if r.Header.Get("Accept") != "application/json" {
		http.Redirect(w, r, "/login", http.StatusFound)
		return
	}
	if r.Header.Get("Authorization") != "Bearer "+s.token {
		snipeJSON(w, 401, map[string]any{"error": "Unauthorized or unauthenticated."})
		return
	}
	if s.limit > 0 {
		if s.limit--; s.limit == 0 {
			s.throttle(w)
			return
		}
	}
	switch m := oneAsset.FindStringSubmatch(r.URL.Path); {
	case m != nil && r.Method == "GET":
		if a := s.asset(m[1]); a != nil {
			snipeJSON(w, 200, s.assetJSON(a))
			return
		}
		snipeError(w, s.say("Asset does not exist.", "Asset existiert nicht."))
	case r.URL.Path == "/api/v1/users":
		rows := slices.Clone(s.users)
		s.list(w, r, len(rows), func() {
			slices.SortFunc(rows, func(a, b *doubleUser) int { return int(a.id - b.id) })
		}, func() {}, func() { rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] }) },
			func(i int) any { return s.userJSON(rows[i]) })
	case r.URL.Path == "/api/v1/hardware":
		rows := slices.Clone(s.assets)
		s.list(w, r, len(rows), func() {
			slices.SortFunc(rows, func(a, b *doubleAsset) int { return int(a.id - b.id) })
		}, func() {
			slices.SortStableFunc(rows, func(a, b *doubleAsset) int { return strings.Compare(b.updated, a.updated) })
		}, func() { rand.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] }) },
			func(i int) any { return s.assetJSON(rows[i]) })
	default:
		if m := action.FindStringSubmatch(r.URL.Path); m != nil && r.Method == "POST" {
			s.act(w, r, m[1], m[2])
			return
		}
		snipeJSON(w, 404, map[string]any{"status": "error", "messages": "404 endpoint not found", "payload": nil})
	}
}

// throttle answers as one of the versions does.
func (s *double) throttle(w http.ResponseWriter) {
	switch s.limitStyle {
	case 0:
		snipeJSON(w, 429, map[string]any{"status": "error", "messages": "Too many requests", "payload": nil})
	case 1:
		snipeJSON(w, 429, map[string]any{"messages": 429, "payload": nil, "status": "error"})
	case 2:
		snipeJSON(w, 429, map[string]any{"status": "error", "messages": "Too many requests. Try again in 40 seconds.", "status_code": 429, "retryAfter": 40})
	default:
		w.Header().Set("Retry-After", s.retryAfter)
		snipeJSON(w, 429, map[string]any{"status": "error", "messages": "Too many requests."})
	}
}

func (s *double) list(w http.ResponseWriter, r *http.Request, n int, byID, latest, shuffle func(), row func(int) any) {
	q := r.URL.Query()
	limit, _ := strconv.Atoi(q.Get("limit"))
	if limit <= 0 || limit > 500 {
		limit = 500
	}
	offset, _ := strconv.Atoi(q.Get("offset"))
	switch q.Get("sort") + " " + q.Get("order") {
	case "id asc":
		byID()
	case "updated_at desc":
		byID()
		latest()
	default:
		shuffle() // first_name desc is no total order
	}
	rows := []any{}
	for i := offset; i < n && len(rows) < limit; i++ {
		rows = append(rows, row(i))
	}
	snipeJSON(w, 200, map[string]any{"total": n, "rows": rows})
	if s.pageHandler != nil {
		s.pageHandler()
	}
}

func (s *double) asset(id string) *doubleAsset {
	for _, a := range s.assets {
		if strconv.FormatInt(a.id, 10) == id {
			return a
		}
	}
	return nil
}

func (s *double) user(id int64) *doubleUser {
	for _, u := range s.users {
		if u.id == id {
			return u
		}
	}
	return nil
}

func (s *double) userJSON(u *doubleUser) any {
	e := html.EscapeString
	v := map[string]any{
		"id": u.id, "name": e(u.first + " " + u.last), "first_name": e(u.first), "last_name": e(u.last), "email": u.mail,
		"employee_num": e(u.num), "activated": u.activated, "end_date": nil, "deleted_at": nil, "groups": u.groups,
	}
	if u.department != "" {
		v["department"] = map[string]any{"id": 4, "name": e(u.department)}
	}
	if u.endDate != "" {
		v["end_date"] = map[string]string{"date": u.endDate, "formatted": "whatever"}
	}
	return v
}

func (s *double) assetJSON(a *doubleAsset) any {
	e := html.EscapeString
	v := map[string]any{
		"id": a.id, "name": e(a.name), "asset_tag": e(a.tag), "serial": e(a.serial), "model": map[string]any{"id": 7, "name": "Pixel 9"},
		"status_label": map[string]any{"id": 2, "name": "Ready", "status_type": a.status, "status_meta": "deployed"},
		"assigned_to":  nil, "deleted_at": nil, "custom_fields": []any{}, "purchase_cost": nil,
	}
	for key, name := range map[string]string{"rtd_location": a.home, "location": a.at} {
		if v[key] = nil; name != "" {
			v[key] = map[string]any{"id": 3, "name": e(name)}
		}
	}
	if a.rfid != "" {
		v["custom_fields"] = map[string]any{"RFID": map[string]any{"field": "_snipeit_rfid_7", "value": a.rfid, "field_format": "NUMERIC"}}
	}
	if a.holder != 0 && a.holderType == "user" {
		u := s.user(a.holder)
		v["assigned_to"] = map[string]any{"id": u.id, "name": e(u.first + " " + u.last), "employee_number": u.num, "type": "user"}
	} else if a.holder != 0 {
		v["assigned_to"] = map[string]any{"id": a.holder, "name": "Berlin", "type": a.holderType}
	}
	if a.due != "" {
		v["expected_checkin"] = map[string]string{"date": a.due[:len(time.DateOnly)], "formatted": "whatever"}
	}
	if a.outs > 0 {
		v["checkin_counter"], v["checkout_counter"] = a.ins, a.outs
	}
	if a.updated != "" {
		v["updated_at"] = map[string]string{"datetime": a.updated, "formatted": "whatever"}
	}
	if a.silent {
		delete(v, "assigned_to")
	}
	return v
}

func (s *double) act(w http.ResponseWriter, r *http.Request, id, what string) {
	var body map[string]any
	if json.NewDecoder(r.Body).Decode(&body) != nil {
		snipeJSON(w, 422, map[string]any{"status": "error", "messages": "Invalid JSON", "payload": nil})
		return
	}
	s.wrote = append(s.wrote, body)
	a := s.asset(id)
	if a == nil {
		snipeError(w, s.say("Asset not found", "Asset nicht gefunden"))
		return
	}
	if name, ok := body["name"].(string); ok {
		a.name = name // it renames
	}
	note, _ := body["note"].(string)
	if s.noteNeeded && note == "" {
		snipeError(w, map[string][]string{"note": {s.say("The note field is required.", "Notiz muss ausgefüllt werden.")}})
		return
	}
	if what == "checkin" {
		s.checkin(w, a, note)
		return
	}
	s.checkout(w, a, body, note)
}

func (s *double) checkin(w http.ResponseWriter, a *doubleAsset, note string) {
	if a.holder == 0 {
		snipeError(w, s.say("That asset is already checked in.", "Das Asset ist bereits zurückgegeben."))
		return
	}
	if s.lies > 0 {
		s.lies--
		snipeJSON(w, 200, map[string]any{"status": "success", "messages": "Asset was not checked in, please try again", "payload": nil})
		return
	}
	a.ins++
	s.log = append(s.log, fmt.Sprintf("in %d from %d: %s", a.id, a.holder, note))
	a.holder, a.due = 0, ""
	snipeJSON(w, 200, map[string]any{"status": "success", "messages": s.say("Asset checked in successfully.", "Asset erfolgreich zurückgenommen."), "payload": map[string]any{"asset": a.tag}})
}

func (s *double) checkout(w http.ResponseWriter, a *doubleAsset, body map[string]any, note string) {
	if location, ok := body["assigned_location"].(float64); ok && body["checkout_to_type"] == "location" && a.holder == 0 {
		a.holder, a.holderType = int64(location), "location"
		a.outs++
		s.log = append(s.log, fmt.Sprintf("out %d to location %d: %s", a.id, a.holder, note))
		snipeJSON(w, 200, map[string]any{"status": "success", "messages": "ok", "payload": map[string]any{"asset": a.tag}})
		return
	}
	if body["checkout_to_type"] != "user" {
		snipeError(w, map[string][]string{"checkout_to_type": {"The checkout to type field is required."}})
		return
	}
	if a.holder != 0 || a.status != "deployable" || s.full {
		// Whoever has it, the same user too.
		snipeJSON(w, 200, map[string]any{"status": "error", "messages": s.say("That asset is not available for checkout!", "Dieses Asset ist nicht verfügbar!"), "payload": map[string]any{"asset": a.tag}})
		return
	}
	to, _ := body["assigned_user"].(float64)
	if s.user(int64(to)) == nil {
		snipeError(w, "Checkout target for asset "+a.tag+" is invalid - user does not exist.")
		return
	}
	a.holder, a.holderType = int64(to), "user"
	a.outs++
	a.due, _ = body["expected_checkin"].(string)
	s.log = append(s.log, fmt.Sprintf("out %d to %d: %s", a.id, a.holder, note))
	snipeJSON(w, 200, map[string]any{"status": "success", "messages": s.say("Asset checked out successfully.", "Asset erfolgreich herausgegeben."), "payload": map[string]any{"asset": a.tag}})
}

// done lists what was done, without notes.
func (s *double) done() (log []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range s.log {
		what, _, _ := strings.Cut(l, ":")
		log = append(log, what)
	}
	return log
}

// tokenFile writes a token as an admin does, with a line end.
func tokenFile(t testing.TB, token string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte(token+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// site is the configuration of a site.
type site struct {
	Config
	call.API
	call.Badges
	call.HTTP
}

func siteAt(t testing.TB, base string) site {
	return site{
		Config: Config{SettleTime: 20 * time.Millisecond}, API: call.API{URL: base, TokenFile: tokenFile(t, "secret-token")},
		Badges: call.Badges{Transform: []string{"digits", "strip-zeros"}}, HTTP: call.HTTP{Proxy: "none"},
	}
}

func (c site) open() (*SnipeIT, error) { return New(c.Config, c.API, c.Badges, c.HTTP, decimal26) }

// decimal26 reads a plain decimal as 26 bits.
func decimal26(s string) (checkout.Tag, error) {
	v, err := strconv.ParseUint(s, 10, 26)
	return testkit.Tag(v, 26), err
}
