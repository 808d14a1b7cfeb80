//go:build services

package main

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"stump/checkout"
	"stump/internal/api/client"
	"stump/internal/hub"
	"stump/internal/hub/hubtest"
	"stump/internal/hub/office"
	"stump/internal/hub/pgtest"
	"stump/internal/lab/wire"
	"stump/internal/testkit"
)

// running is a hub in this process, with a configuration of its own.
type running struct {
	*shell
	url  string
	cfg  hub.Config
	log  testkit.Log
	stop func()
}

// runs starts a hub of a database. more is what its file says besides.
func runs(t testing.TB, database, more string) *running {
	t.Helper()
	addr := freeAddr(t)
	h := &running{shell: &shell{t, filepath.Join(t.TempDir(), "hub.toml")}, url: "https://" + addr}
	h.ok(os.WriteFile(h.file, fmt.Appendf(nil, "[database]\nurl = %q\n[web]\nlisten = %q\nurl = %q\n%s\n", database, addr, h.url, more), 0o600))
	return h
}

func (h *running) start() {
	h.Helper()
	var err error
	h.cfg, err = hub.LoadConfig(h.file)
	h.ok(err)
	ctx, stop := context.WithCancel(context.Background())
	ended := make(chan error, 1)
	go func() { ended <- serve(ctx, &h.cfg, slog.New(slog.NewTextHandler(&h.log, nil))) }()
	h.stop = func() {
		h.Helper()
		stop()
		h.ok(<-ended)
		h.stop = func() {}
	}
	h.Cleanup(func() { h.stop() })
	h.until(h.log.String, func() bool { _, err := client.Dial(ctx, office.Socket(&h.cfg)); return err == nil })
}

// until waits for something, and says what is there instead.
func (h *running) until(says func() string, f func() bool) {
	h.Helper()
	for end := time.Now().Add(30 * time.Second); !f(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			h.Fatal(says())
		}
	}
}

// admin is a browser, or a script, at a hub.
type admin struct {
	*running
	http http.Client
}

// browser follows an admin's link.
func (h *running) browser(link string) *admin {
	h.Helper()
	jar, err := cookiejar.New(nil)
	h.ok(err)
	a := &admin{h, http.Client{Jar: jar, Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}}
	_, secret, ok := strings.Cut(strings.TrimSpace(link), h.url+"/login#")
	if !ok {
		h.Fatalf("the link is %q", link)
	}
	var got string
	h.until(func() string { return got + h.log.String() }, func() bool {
		answer, err := a.http.PostForm(h.url+"/login", url.Values{"secret": {secret}})
		if err != nil {
			return false
		}
		defer answer.Body.Close()
		b, _ := io.ReadAll(answer.Body)
		got = string(b)
		return answer.StatusCode == http.StatusOK
	})
	if !strings.Contains(got, `action="/logout"`) {
		h.Fatalf("after the login: %s", got)
	}
	return a
}

// asks asks the API, or for a page, and returns what is answered.
func (a *admin) asks(method, path, body string) (int, string) {
	a.Helper()
	r, err := http.NewRequest(method, a.url+path, strings.NewReader(body))
	a.ok(err)
	answer, err := a.http.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	a.ok(err)
	return answer.StatusCode, string(b)
}

// sees waits until an answer has a text, in a page or in the API.
func (a *admin) sees(path, text string) {
	a.Helper()
	var got string
	a.until(func() string { return fmt.Sprintf("%s has no %q: %s\n%s", path, text, got, a.log.String()) }, func() bool {
		_, got = a.asks("GET", path, "")
		return strings.Contains(got, text)
	})
}

func (a *admin) does(method, path, body string) string {
	a.Helper()
	status, got := a.asks(method, path, body)
	if status != http.StatusOK {
		a.Fatalf("%s %s: %d %s", method, path, status, got)
	}
	return got
}

// TestOffice: an admin at the hub's address sees the whole lab, and what they do there is
// heard at stations. It goes on without the database.
func TestOffice(t *testing.T) {
	database := pgtest.Own(t)
	if err := database.Exec("postgres", "create database lab"); err != nil {
		t.Fatal(err)
	}
	h := runs(t, database.URL("lab"), "[hub]\nname = \"berlin\"")
	words := strings.Fields(h.shell.does("setup"))
	h.fails(1, "does not run", "systemctl start", "web", "admin-link")
	h.start()
	a := h.browser(words[len(words)-1])
	h.browser(h.shell.does("web", "admin-link"))

	// Before any station has joined, people and devices can be there.
	a.does("POST", "/v1/people", `{"id":"zoe","name":"Zoe Ray","badge":"H10301:17:5"}`)
	a.does("POST", "/v1/devices", `{"id":"quest","name":"Quest 3"}`)
	a.does("POST", "/v1/people", `{"id":"eve","name":"Eve Stone"}`)
	a.does("POST", "/v1/give", `{"device":"quest","person":"eve"}`)
	a.does("POST", "/v1/return", `{"device":"quest"}`)
	a.sees("/v1/history", "Eve Stone")
	a.does("POST", "/v1/people/eve/erase", "")
	if past := a.does("GET", "/v1/history?kind=any", ""); strings.Contains(past, "Eve Stone") || !strings.Contains(past, `"kind":"erase"`) {
		t.Errorf("the history after somebody was erased: %s", past)
	}
	north := h.join("north")
	b := hubtest.New("north", time.Now())
	b.Bump("ipad", "ann", "", checkout.Place{})
	p := b.Next(0, 0)
	p.Patches = []wire.Patch{{Kind: "device", ID: "ipad", Fields: map[string]string{"name": "The iPad"}}, {Kind: "person", ID: "ann", Fields: map[string]string{"name": "Ann Okafor"}}}
	p.Station.URL = "https://north.example:8443"
	north.asks("POST", wire.PathAppend, p)
	a.sees("/v1/who", "Ann Okafor")
	a.sees("/", `data-device="ipad"`)
	a.sees("/stations", `<a href="https://north.example:8443" rel="noreferrer">north</a>`)
	p = b.Next(1, 0)
	p.Station.URL = "javascript:alert(1)"
	north.asks("POST", wire.PathAppend, p)
	a.sees("/v1/lab/stations", `"url":null`)
	a.sees("/v1/lab/stations", `"name":"north"`)
	a.sees("/v1/status", `"lab":"berlin"`)

	// What an admin does is heard at the station, in the lab's words.
	a.does("POST", "/v1/return", `{"device":"ipad","note":"found"}`)
	a.does("POST", "/v1/give", `{"device":"quest","person":"ann"}`)
	var c wire.Changes
	h.until(h.log.String, func() bool {
		h.ok(json.Unmarshal(north.asks("GET", wire.PathChanges+"?epoch=0&since=0", nil), &c))
		said := map[string]string{}
		for _, l := range c.Loans {
			said[l.Device] = l.Person + " at " + l.Station
		}
		return said["ipad"] == " at hub" && said["quest"] == "ann at hub"
	})
	tagged := false
	for _, s := range c.Subjects {
		for field := range s.Fields {
			tagged = tagged || s.ID == "zoe" && strings.HasPrefix(field, "tag/")
		}
	}
	if !tagged {
		t.Errorf("stations do not hear of a badge: %+v", c.Subjects)
	}

	// The history is that of all stations, also for who watches.
	a.sees("/v1/history", `"station":"north"`)
	a.sees("/v1/history?device=ipad&kind=return", `"station":"hub"`)
	events, err := a.http.Get(h.url + "/v1/events")
	h.ok(err)
	defer events.Body.Close()
	b.Bump("pixel", "ann", "", checkout.Place{})
	north.asks("POST", wire.PathAppend, b.Next(1, 0))
	for lines := bufio.NewScanner(events.Body); lines.Scan(); {
		if strings.Contains(lines.Text(), `"device_id":"pixel"`) {
			break
		}
	}

	// Only the hub's own paths are for stations; what has no reader says so.
	if status, got := a.asks("GET", "/v1/panel", ""); status != http.StatusServiceUnavailable || !strings.Contains(got, "a hub has no readers") {
		t.Errorf("the panel: %d %s", status, got)
	}
	if status, got := (&admin{running: h, http: http.Client{Transport: a.http.Transport}}).asks("GET", "/v1/people", ""); status != http.StatusUnauthorized {
		t.Errorf("nobody asks: %d %s", status, got)
	}

	// Without the database the console shows what it knows, and what is done is told later.
	database.Stop()
	a.does("POST", "/v1/return", `{"device":"quest"}`)
	a.sees("/v1/lab", `"waiting":1`)
	a.sees("/", "The lab is not reached")
	h.stop()
	h.start() // not even a restart needs it
	a.sees("/v1/devices/quest", `"person_id":null`)
	h.ok(database.Run())
	h.until(h.log.String, func() bool {
		h.ok(json.Unmarshal(north.asks("GET", wire.PathChanges+"?epoch=0&since=0", nil), &c))
		for _, l := range c.Loans {
			if l.Device == "quest" && l.Person == "" {
				return true
			}
		}
		return false
	})
}

// TestOfficeNames: the office of another hub needs another name; one whose folder was lost
// takes its place again, and has the register again.
func TestOfficeNames(t *testing.T) {
	url := pgtest.Shared(t).Database(t, func(string) error { return nil })
	one := runs(t, url, "")
	link := strings.Fields(one.shell.does("setup"))
	one.start()
	a := one.browser(link[len(link)-1])
	a.does("POST", "/v1/devices", `{"id":"quest","name":"Quest 3"}`)
	a.sees("/v1/lab", `"waiting":0`)

	two := runs(t, url, "")
	two.start()
	outsider := &admin{two, http.Client{Transport: a.http.Transport}}
	outsider.sees("/v1/devices", "the office of another hub is called hub")
	outsider.sees("/healthz", "ok")
	browser, err := http.NewRequest("GET", two.url+"/", nil)
	two.ok(err)
	browser.Header.Set("Accept", "text/html,application/xhtml+xml")
	answer, err := outsider.http.Do(browser)
	two.ok(err)
	said, err := io.ReadAll(answer.Body)
	answer.Body.Close()
	if err != nil || answer.StatusCode != http.StatusServiceUnavailable || !strings.HasPrefix(answer.Header.Get("Content-Type"), "text/html") ||
		!strings.Contains(string(said), `<p role="alert">the office of another hub is called hub`) || !strings.Contains(string(said), "office = &#34;hub2&#34;") {
		t.Errorf("a browser is told %d %v %s", answer.StatusCode, err, said)
	}
	two.stop()
	third := runs(t, url, "[hub]\noffice = \"annex\"")
	third.start()
	third.browser(third.shell.does("web", "admin-link")).sees("/v1/devices/quest", "Quest 3")

	one.stop()
	one.ok(os.RemoveAll(office.Dir(&one.cfg)))
	db, err := pgx.Connect(t.Context(), url)
	one.ok(err)
	defer db.Close(context.WithoutCancel(t.Context()))
	_, err = db.Exec(t.Context(), `update station set heard = heard - interval '10 minutes' where name = 'hub'`)
	one.ok(err)
	link = strings.Fields(one.shell.does("setup"))
	one.start()
	one.browser(link[len(link)-1]).sees("/v1/devices/quest", "Quest 3")
	north := one.join("hub2")
	if !bytes.Contains(north.asks("GET", wire.PathChanges+"?epoch=0&since=0&first", nil), []byte(`"office":true`)) {
		t.Error("stations do not hear that the office is one")
	}
}

// TestOfficeInbox: what stations did not agree on is in the inbox of the hub's console and API,
// with both stories, until an admin accepts it there or by a command.
func TestOfficeInbox(t *testing.T) {
	database := pgtest.Own(t)
	if err := database.Exec("postgres", "create database lab"); err != nil {
		t.Fatal(err)
	}
	h := runs(t, database.URL("lab"), "")
	words := strings.Fields(h.shell.does("setup"))
	h.start()
	a := h.browser(words[len(words)-1])
	north, south := h.join("north"), h.join("south")
	there, here := hubtest.New("north", time.Now()), hubtest.New("south", time.Now())
	tells := func(s *caller, b *hubtest.Board, from int, patches ...wire.Patch) {
		p := b.Next(from, 0)
		p.Patches = patches
		s.asks("POST", wire.PathAppend, p)
	}
	device := func(id, name, tag string) wire.Patch {
		return wire.Patch{Kind: "device", ID: id, Fields: map[string]string{"name": name, "tag/" + tag: "active|…" + tag + "|"}}
	}
	// The stations are apart. Both have taken the iPad, each for somebody else; both have called a
	// phone pixel; and both have given the card 77 away.
	there.Bump("ipad", "ann", "", checkout.Place{})
	tells(north, there, 0, device("ipad", "The iPad", "11"), device("pixel", "Pixel 9", "77"),
		wire.Patch{Kind: "person", ID: "ann", Fields: map[string]string{"name": "Ann Okafor"}}, wire.Patch{Kind: "person", ID: "ben", Fields: map[string]string{"name": "Ben Lind"}})
	here.Bump("ipad", "ben", "", checkout.Place{})
	tells(south, here, 0, wire.Patch{Kind: "device", ID: "pixel", Fields: map[string]string{"name": "Pixel of south"}}, device("quest", "Quest", "77"))

	type row struct {
		ID, Kind, What, Here, There, Place string
		Answers                            []string
	}
	var rows struct{ Items []row }
	h.until(func() string { return fmt.Sprintf("%+v", rows) }, func() bool {
		rows.Items = nil
		h.ok(json.Unmarshal([]byte(a.does("GET", "/v1/inbox", "")), &rows))
		rows.Items = slices.DeleteFunc(rows.Items, func(r row) bool { return r.Kind != "conflict" })
		return len(rows.Items) == 3 && strings.HasPrefix(rows.Items[1].What, "Quest") && strings.HasPrefix(rows.Items[2].What, "The iPad")
	})
	want := []row{
		{Kind: "conflict", What: "the field name of Pixel 9 was changed at south, too", Here: "Pixel 9", There: "Pixel of south", Place: "south", Answers: []string{"accept"}},
		{Kind: "conflict", What: "Quest was given a tag at south that is another's", Here: "device pixel", There: "…77", Place: "south", Answers: []string{"accept"}},
		{Kind: "conflict", What: "The iPad was moved at south, which did not know who had it", Here: "ben's name", There: "ann's name", Place: "north", Answers: []string{"accept"}},
	}
	ids := []string{}
	for i, got := range rows.Items {
		ids = append(ids, got.ID)
		if got.ID = ""; !reflect.DeepEqual(got, want[i]) {
			t.Errorf("%+v, want %+v", got, want[i])
		}
	}
	page := a.does("GET", "/inbox", "")
	for _, says := range []string{"Stations did not agree", "<b>north</b>", "<p>ann&#39;s name</p>", `value="` + ids[2] + `"`} {
		if !strings.Contains(page, says) {
			t.Errorf("the page has no %q: %s", says, page)
		}
	}

	// One is accepted in a browser, one by a script, one by a command.
	if answer, err := a.http.PostForm(h.url+"/inbox/accept", url.Values{"id": {ids[2]}}); err != nil || answer.Request.URL.RequestURI() != "/inbox?saved" {
		t.Errorf("%v %v", answer, err)
	}
	a.does("POST", "/v1/sync/"+ids[1]+"/accept", "{}")
	if status, got := a.asks("POST", "/v1/sync/"+ids[1]+"/accept", "{}"); status == http.StatusOK || !strings.Contains(got, "there is no conflict") {
		t.Errorf("once more: %d %s", status, got)
	}
	if status, got := a.asks("POST", "/v1/sync/lab-x/accept", "{}"); status != http.StatusNotFound || !strings.Contains(got, "is no conflict") {
		t.Errorf("no number: %d %s", status, got)
	}
	if left := h.shell.does("conflicts"); strings.Count(left, "\n") != 2 || !strings.Contains(left, "pixel name") {
		t.Errorf("what is left: %s", left)
	}
	h.shell.does("conflicts", "accept", ids[0])
	a.sees("/inbox", "Nothing to do.")

	// Without the database it is not said that all is well.
	database.Stop()
	a.sees("/v1/inbox", "what its stations do not agree on is not listed")
}

// TestShell: the commands of the books are those of a station, and act in the office.
func TestShell(t *testing.T) {
	h := runs(t, pgtest.Shared(t).Database(t, func(string) error { return nil }), "")
	words := strings.Fields(h.shell.does("setup"))
	h.fails(1, "the hub does not run", "systemctl start", "people", "list")
	h.start()
	h.browser(words[len(words)-1]) // the office is open
	h.fails(2, "PERSON is missing", "usage: stump-hub give DEVICE PERSON", "give", "ipad")
	h.fails(2, `"peple" is not a command`, "did you mean `stump-hub people`?", "peple")
	h.fails(1, "not in the register", "`stump devices list` shows the devices", "give", "toaster", "ann")
	h.shell.does("people", "add", "Ann Okafor", "--id", "ann")
	h.shell.does("devices", "add", "The iPad", "--id", "ipad")
	for _, tt := range []struct {
		says string
		args []string
	}{
		{"The iPad is now with Ann Okafor\n", []string{"give", "ipad", "ann"}},
		{"The iPad is with Ann Okafor until 2099-01-02 10:00\n", []string{"extend", "ipad", "--due", "2099-01-02 10:00"}},
		{"nothing to do\n", []string{"inbox"}},
		{"no unknown tag was shown\n", []string{"unknown"}},
		{"The iPad is back from Ann Okafor\n", []string{"return", "ipad", "--note", "lay in the kitchen"}},
		{"Ann Okafor would be erased from the register and from 3 events; it can't be undone\nnothing was changed; look with \"stump-hub people dossier ann\"; add --yes to do it\n", []string{"people", "erase", "ann"}},
	} {
		if got := h.shell.does(tt.args...); got != tt.says {
			t.Errorf("%v: %q, want %q", tt.args, got, tt.says)
		}
	}
	token := strings.Fields(h.shell.does("token", "add", "wallboard", "--role", "board"))
	r, err := http.NewRequest("GET", h.url+"/v1/devices", nil)
	h.ok(err)
	r.Header.Set("Authorization", "Bearer "+token[len(token)-1])
	web := http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}}}
	answer, err := web.Do(r)
	h.ok(err)
	defer answer.Body.Close()
	if devices, err := io.ReadAll(answer.Body); err != nil || !strings.Contains(string(devices), "The iPad") {
		t.Errorf("with the token: %s, %v", devices, err)
	}
	if past := h.shell.does("history"); !strings.Contains(past, "lay in the kitchen") {
		t.Errorf("the history: %s", past)
	}
}
