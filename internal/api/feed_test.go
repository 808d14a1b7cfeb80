package api

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/internal/api/client"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
	"stump/internal/sitekey"
)

// newFeeds is a station with a reservation of the iPad, one of any phone and one in the line,
// all of Ben, and the iPad with Ann. The name of a device ends its line and begins an event,
// if it can.
func newFeeds(t *testing.T) *website {
	s := newWebsite(t)
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{Station: "lab", SiteKey: sitekey.New(),
		Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: s.now, Trusted: true} }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	seedLab(t, client.Local(newServer(t, l)))
	s.with(func(o *Options) { o.Ledger, o.Books, o.Language = l, nil, "de" })
	var none map[string]any
	at := func(days int) string { return s.now.AddDate(0, 0, days).UTC().Format(time.RFC3339) }
	for _, c := range [][3]string{
		{"POST", "/v1/devices", `{"id":"evil","name":"Pixel; 9, \\n »Ω« END:VEVENT","kind":"phone"}`},
		{"POST", "/v1/reservations", `{"device":"ipad","person":"b1","from":"` + at(40) + `","to":"` + at(41) + `"}`},
		{"POST", "/v1/reservations", `{"kind":"phone","person":"b1","from":"` + at(2) + `","to":"` + at(3) + `"}`},
		{"POST", "/v1/reservations", `{"device":"evil","person":"b2","from":"` + at(50) + `","to":"` + at(51) + `"}`},
		{"POST", "/v1/reservations", `{"device":"ipad","person":"b2"}`},
		{"POST", "/v1/devices/ipad/extend", `{"due":"` + at(10) + `"}`},
	} {
		s.admin(c[0], c[1], c[2], &none)
	}
	return s
}

// feed makes a calendar, and returns the path of its address.
func (s *website) feed(body string) (path string) {
	s.Helper()
	var made wire.MadeFeed
	s.admin("POST", "/v1/feeds", body, &made)
	path, ok := strings.CutPrefix(made.URL, "https://stump.lab:8443")
	if !ok || !strings.HasSuffix(path, ".ics") || made.Of == "" || made.By == "" {
		s.Errorf("%+v", made)
	}
	return path
}

// summaries are those of a calendar, in order.
func summaries(text string) string {
	var all []string
	for _, m := range regexp.MustCompile(`(?m)^SUMMARY:(.*)\r$`).FindAllStringSubmatch(strings.ReplaceAll(text, "\r\n ", ""), -1) {
		all = append(all, m[1])
	}
	return strings.Join(all, " | ")
}

// TestFeeds: each calendar has what its role sees, and no more.
func TestFeeds(t *testing.T) {
	s := newFeeds(t)
	const evil = `Pixel\; 9\, \\n »Ω« END:VEVENT`
	for _, tt := range []struct{ name, body, want string }{
		{"a device", `{"of":"device","name":"ipad"}`, "Ben"},
		{"a device, without names", `{"of":"device","name":"ipad","role":"board"}`, "Reserviert"},
		{"a person", `{"of":"person","name":"b1"}`, "Reserviert: phone (beliebig) | Reserviert: iPad"},
		{"who has something", `{"of":"person","name":"ann"}`, "iPad zurückbringen"},
		{"the lab", `{"of":"lab"}`, "phone (beliebig): Ben | iPad: Ben | " + evil + ": Ben"},
		{"the lab, without names", `{"of":"lab","role":"board"}`, "phone (beliebig): Reserviert | iPad: Reserviert | " + evil + ": Reserviert"},
	} {
		path := s.feed(tt.body)
		w := s.ask("GET", path, "")
		text := w.Body.String()
		if w.Code != 200 || w.Header().Get("Content-Type") != "text/calendar; charset=utf-8" || summaries(text) != tt.want {
			t.Errorf("%s: %d %v %q\n%s", tt.name, w.Code, w.Header(), summaries(text), text)
		}
		if strings.Contains(tt.body, "board") && strings.Contains(text, "Ben") || strings.Contains(text, "b1") && !strings.Contains(tt.body, "b1") {
			t.Errorf("%s: it names who must not be named\n%s", tt.name, text)
		}
		if strings.Count(text, "BEGIN:VEVENT\r\n") != strings.Count(text, "\r\nEND:VEVENT\r\n") || strings.Count(text, "END:VEVENT\r\n") != strings.Count(text, "\r\nUID:") {
			t.Errorf("%s: a name is a line\n%s", tt.name, text)
		}
	}
	// Of a person it is in theirs.
	french := checkout.Language("fr")
	if err := s.o.Ledger.EditPerson("ann", books.Edit{Language: &french}, "root", checkout.SourceCLI); err != nil {
		t.Fatal(err)
	}
	if text := s.ask("GET", s.feed(`{"of":"person","name":"ann"}`), "").Body.String(); summaries(text) != "Rendre iPad" {
		t.Errorf("in French:\n%s", text)
	}
	// Where visitors see who has what, the role board does.
	s.with(func(o *Options) { o.Board = boardHolders })
	if text := s.ask("GET", s.feed(`{"of":"device","name":"ipad","role":"board"}`), "").Body.String(); summaries(text) != "Ben" {
		t.Errorf("with board = holders:\n%s", text)
	}
	for body, want := range map[string]int{`{"of":"device","name":"none"}`: 404, `{"of":"person","name":"Ben"}`: 409, `{"of":"room"}`: 400, `{"of":"lab","role":"admin"}`: 400, `{"of":"lab","role":"x"}`: 400} {
		if status, answer := ask(s.Server, "POST", "/v1/feeds", body); status != want || !strings.Contains(answer, `"hint":"`) {
			t.Errorf("%s: %d %s", body, status, answer)
		}
	}
	s.with(func(o *Options) { o.Web = nil })
	if status, answer := ask(s.Server, "POST", "/v1/feeds", `{"of":"lab"}`); status != 409 || !strings.Contains(answer, `"no-web"`) {
		t.Errorf("where nobody reaches the station: %d %s", status, answer)
	}
}

// TestFeedChanges: an entry is the same for as long as it is there, whoever asks with what they
// have gets nothing, and what is cancelled is gone.
func TestFeedChanges(t *testing.T) {
	s := newFeeds(t)
	path := s.feed(`{"of":"lab"}`)
	get := func(tag string) *httptest.ResponseRecorder { return s.ask("GET", path, "", "If-None-Match", tag) }
	uids := func(text string) []string { return regexp.MustCompile(`(?m)^UID:.*`).FindAllString(text, -1) }
	first := get("")
	tag := first.Header().Get("ETag")
	s.now = s.now.Add(time.Minute) // DTSTAMP is another one
	for _, has := range []string{tag, `"x", ` + tag, strings.TrimPrefix(tag, "W/"), "*"} {
		if w := get(has); tag == "" || w.Code != 304 || w.Body.Len() != 0 || w.Header().Get("ETag") != tag {
			t.Errorf("%s: %d %v %s", has, w.Code, w.Header(), w.Body)
		}
	}
	if w := get(`"x"`); w.Code != 200 || w.Header().Get("ETag") != tag {
		t.Errorf("with another tag: %d %v", w.Code, w.Header())
	}
	// Another address of the same calendar, of another lab's process, has the same entries.
	before := uids(first.Body.String())
	path = s.feed(`{"of":"lab"}`)
	if now := uids(get("").Body.String()); fmt.Sprint(now) != fmt.Sprint(before) || len(now) != 3 {
		t.Errorf("%v, before %v", now, before)
	}
	var phone struct{ ID string }
	s.admin("GET", "/v1/reservations?kind=phone", "", &phone)
	var none map[string]any
	s.admin("DELETE", "/v1/reservations/"+phone.ID, "", &none)
	w := get(tag)
	if now := uids(w.Body.String()); w.Code != 200 || fmt.Sprint(now) != fmt.Sprint(before[1:]) {
		t.Errorf("after one was cancelled: %d %v", w.Code, now)
	}
	s.admin("POST", "/v1/return", `{"device":"ipad"}`, &none)
	if text := s.ask("GET", s.feed(`{"of":"person","name":"ann"}`), "").Body.String(); summaries(text) != "" || !strings.HasSuffix(text, "END:VCALENDAR\r\n") {
		t.Errorf("of what is back:\n%s", text)
	}
}

// TestFeedSecrets: an address is good until there is another one, it is revoked, or who it is of
// has left; it is kept nowhere, and whoever guesses has to wait.
func TestFeedSecrets(t *testing.T) {
	s := newFeeds(t)
	var none map[string]any
	gone := func(name, path string) {
		t.Helper()
		if w := s.ask("GET", path, ""); w.Code != 404 || w.Header().Get("WWW-Authenticate") != "" || !strings.Contains(w.Body.String(), `"hint":"`) {
			t.Errorf("%s: %d %v %s", name, w.Code, w.Header(), w.Body)
		}
	}
	first := s.feed(`{"of":"device","name":"ipad"}`)
	second := s.feed(`{"of":"device","name":"iPad"}`)
	gone("the one before", first)
	if w := s.ask("GET", second, ""); w.Code != 200 {
		t.Errorf("the new one: %d %s", w.Code, w.Body)
	}
	gone("half of it", second[:len(second)-6])
	s.admin("DELETE", "/v1/feeds/device/ipad", "", &none)
	gone("revoked", second)
	if status, answer := ask(s.Server, "DELETE", "/v1/feeds/device/ipad", ""); status != 404 || !strings.Contains(answer, "no calendar of the device ipad") {
		t.Errorf("revoked again: %d %s", status, answer)
	}
	lab := s.feed(`{"of":"lab"}`)
	s.admin("DELETE", "/v1/feeds/lab/any", "", &none)
	gone("the lab's, revoked", lab)

	// Somebody's own, and of nobody else.
	in := func(person string) []string {
		return []string{"Cookie", door.Session + "=" + s.o.Access.Login(identity.Principal{Name: person, Role: identity.Staff, Person: person})}
	}
	var mine wire.MadeFeed
	w := s.ask("POST", "/v1/my/feed", "", in("b1")...)
	if err := json.Unmarshal(w.Body.Bytes(), &mine); err != nil || mine.ID != "b1" || mine.Of != "person" {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	path := strings.TrimPrefix(mine.URL, "https://stump.lab:8443")
	if text := s.ask("GET", path, "").Body.String(); summaries(text) != "Reserviert: phone (beliebig) | Reserviert: iPad" {
		t.Errorf("%s", text)
	}
	if w := s.ask("DELETE", "/v1/my/feed", "", in("b2")...); w.Code != 404 {
		t.Errorf("somebody else's: %d %s", w.Code, w.Body)
	}
	s.wants("staff make a device's", s.ask("POST", "/v1/feeds", `{"of":"lab"}`, in("b1")...), 403, wire.CodeRole)
	if w := s.ask("DELETE", "/v1/my/feed", "", in("b1")...); w.Code != 200 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	gone("one's own, revoked", path)

	suspended := s.feed(`{"of":"person","name":"b1"}`)
	s.admin("PATCH", "/v1/people/b1", `{"status":"suspended"}`, &none)
	gone("who is suspended", suspended)
	erased := s.feed(`{"of":"person","name":"b2"}`)
	s.admin("POST", "/v1/people/b2/erase", "", &none)
	gone("who was erased", erased)
	for _, f := range s.o.Access.Feeds() {
		if f.ID == "b2" {
			t.Errorf("%+v is left of who was erased", f)
		}
	}

	// No secret is where anybody could read it.
	_, listed := ask(s.Server, "GET", "/v1/feeds", "")
	_, refused := ask(s.Server, "GET", "/v1/refusals", "")
	for _, path := range []string{first, second, path, suspended} {
		secret := strings.TrimSuffix(path[len("/v1/feeds/"):], ".ics")
		if strings.Contains(listed+refused, secret) {
			t.Errorf("%s is in %v %v", secret, listed, refused)
		}
	}
	if !strings.Contains(listed, `"of":"person","id":"b1"`) {
		t.Errorf("%v", listed)
	}
	for range identity.LoginFailures {
		w = s.ask("GET", "/v1/feeds/guess.ics", "")
	}
	if w.Code != 429 || w.Header().Get("Retry-After") == "" {
		t.Errorf("guesses: %d %v", w.Code, w.Header())
	}
}

// TestFeedTooOften: a program that asks all the time is told to wait, and others go on.
func TestFeedTooOften(t *testing.T) {
	s := newFeeds(t)
	one, other := s.feed(`{"of":"lab"}`), s.feed(`{"of":"device","name":"ipad"}`)
	for i := range 60 {
		if w := s.ask("GET", one, ""); w.Code != 200 {
			t.Fatalf("%d: %d %s", i, w.Code, w.Body)
		}
	}
	if w := s.ask("GET", one, ""); w.Code != 429 || w.Header().Get("Retry-After") != "60" || !strings.Contains(w.Body.String(), "too often") {
		t.Errorf("%d %v %s", w.Code, w.Header(), w.Body)
	}
	if w := s.ask("GET", other, ""); w.Code != 200 {
		t.Errorf("another calendar: %d", w.Code)
	}
	s.now = s.now.Add(time.Minute)
	if w := s.ask("GET", one, ""); w.Code != 200 {
		t.Errorf("a minute later: %d", w.Code)
	}
}

// TestFeedsAreKept: addresses survive a restart, and their file has none.
func TestFeedsAreKept(t *testing.T) {
	dir := t.TempDir()
	s := newFeeds(t)
	open := func() {
		s.with(func(o *Options) { o.Access = identity.Open(dir, identity.Options{Now: o.Now}) })
	}
	open()
	path := s.feed(`{"of":"lab"}`)
	before := s.ask("GET", path, "").Header().Get("ETag")
	open()
	if w := s.ask("GET", path, ""); w.Code != 200 || w.Header().Get("ETag") != before {
		t.Errorf("after a restart: %d %s", w.Code, w.Body)
	}
	raw, err := os.ReadFile(filepath.Join(dir, identity.FileName))
	if secret := strings.TrimSuffix(path[len("/v1/feeds/"):], ".ics"); err != nil || strings.Contains(string(raw), secret) || !strings.Contains(string(raw), `"of":"lab"`) {
		t.Errorf("%s, %v", raw, err)
	}
}

// TestFeedPages: a browser makes the address of one's own calendar, and an admin's that of a
// device; it is shown once, and ended.
func TestFeedPages(t *testing.T) {
	s := newFeeds(t)
	in := func(role identity.Role, person string) []string {
		return []string{"Accept", "text/html", "Cookie", door.Session + "=" + s.o.Access.Login(identity.Principal{Name: person, Role: role, Person: person})}
	}
	ben, root := in(identity.Staff, "b1"), in(identity.Admin, "ann")
	address := regexp.MustCompile(`<code>https://stump\.lab:8443(/v1/feeds/\w+\.ics)</code>`)
	for _, tt := range []struct {
		page, form string
		who        []string
		want       string
	}{
		{"/my", "/my/calendar", ben, "Reserviert: phone (beliebig) | Reserviert: iPad"},
		{"/devices/ipad", "/devices/ipad/calendar", root, "Ben"},
	} {
		if w := s.ask("GET", tt.page, "", tt.who...); w.Code != 200 || !strings.Contains(w.Body.String(), `action="`+tt.form+`"`) || strings.Contains(w.Body.String(), `value="revoke"`) {
			t.Errorf("%s at first: %d %s", tt.page, w.Code, w.Body)
		}
		w := s.form(tt.form, url.Values{"do": {"make"}}, tt.who...)
		m := address.FindStringSubmatch(w.Body.String())
		if w.Code != 200 || m == nil {
			t.Fatalf("%s: %d %s", tt.form, w.Code, w.Body)
		}
		if text := s.ask("GET", m[1], "").Body.String(); summaries(text) != tt.want {
			t.Errorf("%s: %s", tt.form, text)
		}
		if w := s.ask("GET", tt.page, "", tt.who...); strings.Contains(w.Body.String(), m[1]) || !strings.Contains(w.Body.String(), `value="revoke"`) {
			t.Errorf("%s afterwards: %s", tt.page, w.Body)
		}
		for range 2 { // the second page did not know of the first
			if w := s.form(tt.form, url.Values{"do": {"revoke"}}, tt.who...); w.Code != 303 || w.Header().Get("Location") != tt.page+"?saved" {
				t.Errorf("%s, revoked: %d %v", tt.form, w.Code, w.Header())
			}
		}
		if w := s.ask("GET", m[1], ""); w.Code != 404 {
			t.Errorf("%s, after it was revoked: %d", tt.form, w.Code)
		}
	}
	if w := s.ask("GET", "/devices/ipad", "", ben...); strings.Contains(w.Body.String(), "/calendar") {
		t.Errorf("staff: %s", w.Body)
	}
	if w := s.form("/devices/ipad/calendar", url.Values{}, ben...); w.Code != 403 {
		t.Errorf("staff make a device's: %d", w.Code)
	}
	if w := s.form("/devices/none/calendar", url.Values{}, root...); w.Code != 404 {
		t.Errorf("of nothing: %d", w.Code)
	}
	s.with(func(o *Options) { o.Web = nil })
	if w := s.ask("GET", "/my", "", ben...); strings.Contains(w.Body.String(), "/my/calendar") {
		t.Errorf("where no program reaches the station: %s", w.Body)
	}
	if w := s.form("/my/calendar", url.Values{}, ben...); w.Code != 409 || !strings.Contains(w.Body.String(), "role=\"alert\"") {
		t.Errorf("made all the same: %d %s", w.Code, w.Body)
	}
}
