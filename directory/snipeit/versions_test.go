package snipeit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
)

// versions of Snipe-IT whose answers differ for us, and one that does not exist
// yet: it has dropped what the newest calls legacy.
var versions = []string{"8.1.4", "8.1.15", "8.3.0", "8.4.1", "8.5.0", "8.6.0", "8.7.2", "9"}

// newer makes the double, which is v8.1.4, answer as a later version does.
type newer struct {
	*double
	version string

	displayName  string // of Ann, from v8.3.0 on
	otherCompany int64  // the user whom assets can't go to, from v8.5.0 on
	hidden       int64  // the user of whom we see nothing but the name, from v8.7.0 on
	blocked      string // user agents that begin so are refused, from v8.7.0 on
	needs2FA     bool   // the token's user has yet to enrol a second factor
	deactivated  bool   // the token's user
}

// since reports whether the version is v or later.
func (s *newer) since(v string) bool {
	return slices.Compare(parts(s.version), parts(v)) >= 0
}

func parts(version string) (n []int) {
	for p := range strings.SplitSeq(version, ".") {
		v, _ := strconv.Atoi(p)
		n = append(n, v)
	}
	return n
}

func (s *newer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if s.since("8.7.0") && s.denies(w, r) || s.since("8.5.0") && s.refuses(w, r) {
		return
	}
	rec := httptest.NewRecorder()
	s.double.ServeHTTP(rec, r)
	maps.Copy(w.Header(), rec.Header())
	if s.since("8.1.15") { // on every answer, not only where we must wait
		w.Header().Set("X-RateLimit-Remaining", "117")
		w.Header().Set("X-RateLimit-Reset", "43")
		w.Header().Set("Retry-After", "43")
	}
	var body any
	if json.Unmarshal(rec.Body.Bytes(), &body) != nil {
		w.WriteHeader(rec.Code)
		w.Write(rec.Body.Bytes())
		return
	}
	s.rewrite(body)
	snipeJSON(w, rec.Code, body)
}

// denies is the middleware of v8.7.0.
func (s *newer) denies(w http.ResponseWriter, r *http.Request) bool {
	say := func(code int, message string, payload any) bool {
		snipeJSON(w, code, map[string]any{"status": "error", "messages": message, "payload": payload})
		return true
	}
	agent := r.Header.Get("User-Agent")
	switch {
	case s.deactivated:
		return say(401, "Unauthorized or unauthenticated.", nil)
	case s.needs2FA:
		return say(403, "Please enroll a device in two-factor authentication.", nil)
	case s.blocked != "" && strings.HasPrefix(strings.ToLower(agent), strings.ToLower(s.blocked)):
		return say(403, "This API endpoint rejected the request based on its User-Agent.", map[string]any{"user_agent": agent})
	}
	return false
}

// refuses is what check-outs are refused for, besides what v8.1.4 refuses.
func (s *newer) refuses(w http.ResponseWriter, r *http.Request) bool {
	if !strings.HasSuffix(r.URL.Path, "/checkout") {
		return false
	}
	raw, _ := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(raw))
	var body struct {
		User int64 `json:"assigned_user"`
	}
	json.Unmarshal(raw, &body)
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.since("8.7.0") && s.user(body.User) == nil:
		snipeError(w, map[string][]string{"assigned_user": {"The selected assigned user is invalid."}})
	case body.User == s.otherCompany:
		snipeError(w, "Checkout target company and asset company do not match")
	default:
		return false
	}
	return true
}

// rewrite makes an answer of v8.1.4 one of the version.
func (s *newer) rewrite(v any) {
	switch v := v.(type) {
	case []any:
		for _, row := range v {
			s.rewrite(row)
		}
	case map[string]any:
		if label, ok := v["status_label"]; ok && s.since("8.4.1") {
			v["status"] = label
			if s.since("9") {
				delete(v, "status_label")
			}
		}
		if due, ok := v["expected_checkin"].(map[string]any); ok && s.since("8.7.0") {
			// A date has become its midnight.
			due["datetime"] = (s.asset(fmt.Sprint(v["id"])).due + " 00:00:00")[:len(time.DateTime)]
			delete(due, "date")
		}
		if rows, ok := v["rows"].([]any); ok && s.since("8.6.0") {
			v["current_page"], v["per_page"], v["total_pages"] = 1, len(rows), 1
			v["prev_page_url"], v["next_page_url"] = nil, nil
		}
		s.rewriteUser(v)
		for _, field := range v {
			s.rewrite(field)
		}
	}
}

// rewriteUser is for users, in their list and as holders of assets.
func (s *newer) rewriteUser(v map[string]any) {
	_, inList := v["employee_num"]
	if !inList && v["type"] != "user" {
		return
	}
	id, _ := v["id"].(float64)
	if s.since("8.3.0") {
		var display any
		if id == 1 && s.displayName != "" {
			display = s.displayName
			if !inList {
				v["name"] = display
			}
		}
		if inList {
			v["display_name"] = display
		}
	}
	if s.since("8.7.0") && s.hidden != 0 && int64(id) == s.hidden {
		maps.DeleteFunc(v, func(key string, _ any) bool { return key != "id" && key != "name" })
		v["type"] = "user"
	}
}

func openVersion(t *testing.T, version string, change func(*newer, *site)) (*newer, *SnipeIT) {
	t.Helper()
	s := &newer{double: newDouble(), version: version, blocked: "Go-http-client/"}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	cfg := siteAt(t, srv.URL)
	if change != nil {
		change(s, &cfg)
	}
	d, err := cfg.open()
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

// Whatever the version, people and devices are the same, and so is what is done.
func TestSnipeITVersions(t *testing.T) {
	for _, version := range versions {
		s, d := openVersion(t, version, func(s *newer, c *site) { s.displayName = "Annie O'Brien" })
		name := "Ann O'Brien"
		if s.since("8.3.0") {
			name = s.displayName
		}
		snap, err := d.Pull(t.Context())
		if err != nil {
			t.Fatalf("%s: %v", version, err)
		}
		ann := books.SyncRow{Kind: checkout.KindPerson, Ref: "1", Name: name, Email: "ann@x", Tag: testkit.Tag(91234, 26)}
		if len(snap.People) != 3 || snap.People[0] != ann {
			t.Errorf("%s: people %+v, want first %+v", version, snap.People, ann)
		}
		if n := len(snap.Devices); n != 3 || snap.Devices[0].Inactive || !snap.Devices[2].Inactive {
			t.Errorf("%s: devices %+v, want the broken one inactive", version, snap.Devices)
		}
		for _, kind := range []checkout.Kind{checkout.Checkout, checkout.Handover} {
			if o := deliver(t, d, tap(kind)); o.Verdict != call.OK {
				t.Errorf("%s: %s: %+v", version, kind, o)
			}
		}
		back := tap(checkout.Return)
		back.PersonRef = "2"
		if o := deliver(t, d, back); o.Verdict != call.OK {
			t.Errorf("%s: return: %+v", version, o)
		}
		want := []string{"out 11 to 1", "in 11 from 1", "out 11 to 2", "in 11 from 2"}
		if got := s.done(); !slices.Equal(got, want) {
			t.Errorf("%s: did %q, want %q", version, got, want)
		}
	}
}

// What versions differ in, and what comes of it.
func TestSnipeITVersionsRefuse(t *testing.T) {
	otherCompany := func(s *newer, _ *site) { s.otherCompany = 1 }
	for _, tc := range []struct {
		version string
		change  func(*newer, *site)
		person  string
		then    call.Verdict
		reason  string // its end
		remedy  string
	}{
		{"8.4.1", otherCompany, "1", call.OK, "", ""},
		{"8.5.0", otherCompany, "1", call.Refused, "Snipe-IT says: Checkout target company and asset company do not match", "put it right in Snipe-IT"},
		{"8.6.0", nil, "99", call.Refused, "Snipe-IT says: Checkout target for asset 8123456 is invalid - user does not exist.", "put it right in Snipe-IT"},
		{"8.7.0", nil, "99", call.Refused, "Snipe-IT says: The selected assigned user is invalid.", "put it right in Snipe-IT"},
		{"8.6.0", func(s *newer, _ *site) { s.deactivated = true }, "1", call.OK, "", ""},
		{"8.7.0", func(s *newer, _ *site) { s.deactivated = true }, "1", call.BadConfig,
			"denies access (401 Unauthorized): Unauthorized or unauthenticated.", "check the token or the rights of its user"},
		{"8.7.0", func(s *newer, _ *site) { s.needs2FA = true }, "1", call.BadConfig,
			"denies access (403 Forbidden): Please enroll a device in two-factor authentication.", "check the token or the rights of its user"},
		{"8.7.0", func(s *newer, _ *site) { s.blocked = "st" }, "1", call.BadConfig,
			"denies access (403 Forbidden): This API endpoint rejected the request based on its User-Agent.", "in Snipe-IT's settings of the API, let the user agent stump in"},
	} {
		_, d := openVersion(t, tc.version, tc.change)
		ev := tap(checkout.Checkout)
		ev.PersonRef = tc.person
		if o := deliver(t, d, ev); o.Verdict != tc.then || !strings.HasSuffix(o.Reason, tc.reason) || o.Remedy != tc.remedy {
			t.Errorf("%s: %+v, want %v, %q, %q", tc.version, o, tc.then, tc.reason, tc.remedy)
		}
	}
}

// A loan is due in Snipe-IT when it is due here: on that day, or from v8.7.0 on at that
// time.
func TestSnipeITVersionsDue(t *testing.T) {
	ev := tap(checkout.Checkout)
	ev.Event.Loan = 48 * time.Hour
	ev.Event.At = checkout.Stamp{Wall: time.Date(2026, 11, 21, 2, 30, 0, 0, time.UTC), Trusted: true}
	for _, version := range versions {
		s, d := openVersion(t, version, func(_ *newer, c *site) { c.Zone = "America/New_York" })
		if o := deliver(t, d, ev); o.Verdict != call.OK {
			t.Fatalf("%s: %+v", version, o)
		}
		want := time.Date(2026, 11, 22, 23, 59, 59, 0, d.zone)
		if s.since("8.7.0") {
			want = time.Date(2026, 11, 22, 21, 30, 0, 0, d.zone)
		}
		snap, err := d.Pull(t.Context())
		if err != nil || !snap.Loans[0].Due.Equal(want) {
			t.Errorf("%s: %+v, %v, want it due %v", version, snap.Loans, err, want)
		}
	}
}

// Whoever may not see a user sees a name, from v8.7.0 on: that proves nothing
// about the user.
func TestSnipeITHiddenUser(t *testing.T) {
	for _, version := range versions {
		s, d := openVersion(t, version, func(s *newer, c *site) { s.hidden, c.RequireActivated = 1, true })
		snap, err := d.Pull(t.Context())
		if err != nil || snap.People[0].Inactive || !snap.People[1].Inactive {
			t.Errorf("%s: %+v, %v, want Bob suspended, and he alone", version, snap.People, err)
		}
		s.assets[0].holder, s.assets[0].holderType = 1, "user"
		if o := deliver(t, d, tap(checkout.Return)); o.Verdict != call.OK {
			t.Errorf("%s: %+v", version, o)
		}
	}
}
