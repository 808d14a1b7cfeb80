package console

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/stock"
	"stump/directory"
	"stump/directory/call"
	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/console/enrol"
	"stump/internal/console/imports"
	"stump/internal/console/login"
	"stump/internal/console/ui"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/panel"
	"stump/internal/signal"
	"stump/wiegand"
)

var (
	galleryAt = flag.String("gallery", "", "show every page in every state at this `address`, until interrupted")
	galleryIn = flag.String("language", "en", "the `language` of the pages that -gallery shows")
)

// shown is a page in a state.
type shown struct{ page, state, html string }

// gallery has every page in every state.
type gallery struct {
	*pages
	all []shown
	// What the station's API says.
	status wire.Status
	test   wire.SelfTest
	held   map[string]any
	enrol  enrol.State
	stock  wire.Stock
}

// add adds the answer to a request.
func (g *gallery) add(page, state string, who identity.Principal, method, path string, form url.Values) {
	g.Helper()
	_, html := g.ask(who, method, path, form)
	g.all = append(g.all, shown{page, state, html})
}

// get adds a page as an admin sees it.
func (g *gallery) get(page, state, path string) {
	g.Helper()
	g.add(page, state, root, "GET", path, nil)
}

// ServeHTTP is the station's API, as far as pages ask it.
func (g *gallery) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/v1/")
	var is any
	switch {
	case r.Method == "PATCH":
		wire.WriteProblem(w, wire.CodeChanged, errors.New("it has changed"))
		return
	case path == "status":
		is = g.status
	case strings.HasPrefix(path, "selftest/"):
		is = g.test
	case path == "frames":
		is = map[string]any{"items": []wire.BadFrame{badFrame()}}
	case path == "sync":
		is = directory.Status{Sinks: []directory.SinkStatus{{Place: "snipe.lab.example", State: "up", Backlog: 3}}}
	case path == "web":
		ends := noon.AddDate(1, 0, 0)
		is = wire.Web{Expires: &ends, SelfMade: true}
	case path == "stock":
		is = g.stock
	case strings.HasSuffix(path, "/dossier"):
		is = g.held
	default:
		http.NotFound(w, r)
		return
	}
	_ = json.NewEncoder(w).Encode(is)
}

// badFrame is a frame that lost a pulse.
func badFrame() (f wire.BadFrame) {
	fault := wiegand.FaultParity
	f.Reader, f.Count, f.Fault = "door", 25, &fault
	for i := range 25 {
		f.EndNS = int64(i) * 2e6
		f.Edges = append(f.Edges, wiegand.Edge{Time: f.EndNS, Line: uint8(i * i % 3 % 2)})
	}
	return f
}

func newGallery(t *testing.T, language string) *gallery {
	t.Helper()
	g := &gallery{held: map[string]any{}}
	access := identity.Open(t.TempDir(), identity.Options{Now: func() time.Time { return noon }})
	g.pages = newPages(t, func(o *Options) {
		o.API, o.Access, o.Leave, o.Language = g, access, func(string) {}, language
		o.Feed = func(*http.Request, string, string, bool) (string, error) {
			return "https://stump.lab.example:8443/calendar/Zm9vYmFyYmF6.ics", nil
		}
		o.Settings.Config = func(w io.Writer) error {
			_, err := io.WriteString(w, "station = \"lab-1\"\n\n[web]\nlisten = \":8443\"\n")
			return err
		}
		o.Settings.Check = func() (string, error) { return "/etc/stump.toml is right\n", nil }
		o.Settings.Mail = func(context.Context, books.Person) []call.Step {
			return []call.Step{{Name: "connect", Measured: "mail.lab.example answers in 3 ms"}, {Name: "login", Outcome: call.Outcome{Verdict: call.BadConfig, Reason: "mail.lab.example refuses the login: 535 no", Remedy: "check mail.user and what is in mail.password_file"}}}
		}
		o.Import = func(_ *http.Request, _ checkout.SubjectKind, file io.Reader, _ []string, _ bool) (imports.Result, error) {
			b, err := io.ReadAll(file)
			if strings.Contains(string(b), "Zeppelin") {
				err = hint.Errorf("correct it", "import: %w", &books.BadLines{Lines: []*books.RowError{{Line: 3, Err: errors.New("the id is empty")}}})
			}
			return imports.Result{Added: 1, Changed: 1, Unchanged: 3}, err
		}
		o.Enrol = Enrol{Show: func(*http.Request, string) (enrol.State, error) { return g.enrol, nil }, Begin: func(*http.Request, string, string) (string, error) {
			return "", hint.Errorf("did you mean Quest (id quest 3)?", `device "quset": not in the register`)
		}}
		o.Weeks = func(string) (all []signal.Week) {
			for i := range 20 {
				all = append(all, signal.Week{Begins: noon.AddDate(0, 0, 7*(i-20)-1).Format(time.DateOnly), Good: uint64(300 + 17*i%90), Bad: map[string]uint64{"noise": uint64(i % 5)}})
			}
			return all
		}
		o.Wiring = func(string) (string, error) { return "<svg xmlns='http://www.w3.org/2000/svg'/>", nil }
	})
	access.Login(root)
	g.status = wire.Status{Station: "lab-1", Version: "1.2", Readers: []string{"door: DATA0 = GPIO17, DATA1 = GPIO18"}, Sim: true, Display: "up", Ledger: new(string), Events: 812}
	g.fill()
	return g
}

// fill brings the pages into their states, one after the other.
func (g *gallery) fill() {
	g.board()
	g.devices()
	g.reserved()
	g.registers()
	g.inboxes()
	g.lists(g.o.Access)
	g.stations()
}

func (g *gallery) board() {
	g.add("Board", "a visitor, who sees what is free", visitor, "GET", "/", nil)
	g.add("Board", "staff", ann, "GET", "/", nil)
	g.get("Board", "an admin", "/")
	g.get("Board", "only what is overdue", "/?only=overdue")
	g.get("Board", "nothing is found", "/?q=zeppelin")
	g.get("Board", "no such page", "/devices/nothing")
	g.o.Holders = identity.Board
	g.all = append(g.all, shown{"Kiosk", "somebody has taken a device", g.kiosk(panel.Message{Key: "checked-out", Person: "Ann", Device: "iPad"})}, shown{"Kiosk", "nobody is there", g.kiosk()})
	g.o.Holders = identity.Staff
	for state, change := range map[string]func(*login.View){
		"a secret":            func(*login.View) {},
		"an account, a badge": func(v *login.View) { v.Account, v.Reader = true, true },
		"digits":              func(v *login.View) { v.Reader, v.Left = true, 42 },
		"wrong": func(v *login.View) {
			v.Alert, v.Remedy = v.Tell("the link is used up, older than 10 min, or not whole", "`stump web admin-link` prints a new one")
		},
		"logged in": func(v *login.View) { v.As, v.Role = "ann", "staff" },
	} {
		r := httptest.NewRequestWithContext(g.Context(), "GET", "/login", nil)
		v := login.New(r, "lab-1", g.o.Language)
		change(&v)
		page, err := ui.Render(r, login.Page(v))
		g.ok(err)
		g.all = append(g.all, shown{"Login", state, string(page)})
	}
}

func (g *gallery) devices() {
	now := func(ref string) url.Values {
		d, err := g.books.FindDevice(ref)
		g.ok(err)
		return url.Values{"revision": {d.Revision}}
	}
	with := func(v url.Values, name, value string) url.Values { v.Set(name, value); return v }
	g.get("Device", "free", "/devices/quest%203")
	g.add("Device", "of who has it", ann, "GET", "/devices/ipad", nil)
	g.add("Device", "for a technician", tess, "GET", "/devices/pixel", nil)
	g.get("Device", "overdue", "/devices/pixel")
	g.get("Device", "saved", "/devices/ipad?saved")
	g.add("Device", "a form from before", root, "POST", "/devices/ipad/return", url.Values{"revision": {"00"}, "note": {"found on a desk"}})
	g.add("Device", "a form that is refused", root, "POST", "/devices/ipad/give", with(now("ipad"), "person", "Zoe"))
	g.add("Device", "a calendar has an address", root, "POST", "/devices/ipad/calendar", nil)
	for i, part := range []string{"Lens", "Tripod", "Battery"} {
		id, kit := strings.ToLower(part), "camera"
		if i == 0 {
			g.ok(g.books.AddDevice(books.Device{ID: kit, Name: "Camera kit", Kind: "kit"}, checkout.Tag{}, "root", checkout.SourceCLI))
		}
		g.ok(g.books.AddDevice(books.Device{ID: id, Name: part}, checkout.Tag{}, "root", checkout.SourceCLI))
		g.ok(g.books.EditDevice(id, books.Edit{Kit: &kit}, "root", checkout.SourceCLI))
	}
	g.give("camera", "ann", time.Time{})
	g.get("Device", "a kit", "/devices/camera")
	_, err := g.books.Return(books.Request{Device: "camera", Actor: "root", Missing: []string{"lens"}, Source: checkout.SourceCLI})
	g.ok(err)
	g.get("Device", "a kit that lacks a part", "/devices/camera")
	_, err = g.books.Lose(books.Request{Device: "tripod", Actor: "root", Note: "on the train", Source: checkout.SourceCLI})
	g.ok(err)
	g.get("Device", "lost", "/devices/tripod")
	g.get("Devices", "all", "/devices")
	g.get("Devices", "none is found", "/devices?q=zeppelin")
	g.add("My devices", "some", ann, "GET", "/my", nil)
	ben := identity.Principal{Name: "Ben Lindqvist", Role: identity.Staff, Person: "cem", Source: checkout.SourceWeb}
	g.ok(g.books.AddPerson(books.Person{ID: "cem", Name: "Cem Yıldız"}, checkout.Tag{Bits: 26}, "root", checkout.SourceCLI))
	g.add("My devices", "none", ben, "GET", "/my", nil)
	g.get("Person", "with a device", "/people/ann")
	g.ok(g.books.AddPerson(books.Person{ID: "ann-2", Name: "Ann Okafor"}, checkout.Tag{}, "root", checkout.SourceCLI))
	g.get("Person", "two have one name", "/people/ann")
	g.get("People", "all", "/people")
}

func (g *gallery) reserved() {
	g.get("Reservations", "none", "/reservations")
	for _, b := range []books.Booking{
		{Device: "quest 3", Person: "ben", From: noon.AddDate(0, 0, 3), To: noon.AddDate(0, 0, 5), Note: "a talk"},
		{Kind: "phone", Person: "ann", From: noon.AddDate(0, 0, 1), To: noon.AddDate(0, 0, 1).Add(time.Hour), Weekly: noon.AddDate(0, 1, 0)},
		{Device: "ipad", Person: "cem"},
	} {
		b.Actor, b.Source = "root", checkout.SourceCLI
		_, err := g.books.Reserve(b)
		g.ok(err)
	}
	g.get("Reservations", "some", "/reservations")
	g.add("Reservations", "for staff", ann, "GET", "/reservations", nil)
	g.add("Reservations", "refused", ann, "POST", "/reservations", wish("device:quest 3", "2026-12-04T13:00", "2026-12-04T15:00", "note", "my words"))
}

func (g *gallery) registers() {
	g.get("Forms", "a new person", "/add/person")
	g.get("Forms", "a new device", "/add/device")
	g.get("Forms", "a person", "/people/cem/edit")
	g.get("Forms", "a device", "/devices/camera/edit")
	g.add("Forms", "wrong", root, "POST", "/add/person", url.Values{"form": {"new"}, "email": {"nowhere"}})
	d, err := g.books.FindDevice("ipad")
	g.ok(err)
	g.add("Forms", "too late", root, "POST", "/devices/ipad/edit", url.Values{"form": {"facts"}, "revision": {d.Revision}, "name": {"iPad of Ann"}, "was.name": {"iPad"}, "kind": {d.Kind}, "was.kind": {d.Kind}})
	g.get("Forms", "erase who has nothing", "/people/cem/erase")
	device := "iPad & Pen"
	g.held["loans"] = []wire.Who{{Device: &device, DeviceID: &d.ID}}
	g.get("Forms", "erase who has something", "/people/ann/erase")
	r := httptest.NewRequestWithContext(identity.With(g.Context(), root), "POST", "/people/ann/edit", strings.NewReader("form=facts&name=Anne&was.name=Ann"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	w := httptest.NewRecorder()
	g.ok(g.Console.Fail(w, r, http.StatusUnauthorized, &wire.CodedError{Code: wire.CodeNoLogin, Err: hint.Errorf("ask an admin to do it, or for the role admin", "this needs the role admin, and nobody has logged in")}))
	g.all = append(g.all, shown{"Forms", "the login has ended", w.Body.String()})
	g.get("Enrol", "empty", "/enrol")
	for _, is := range []enrol.State{
		{Is: "waiting"}, {Is: "done", Subject: "pixel-10", Tag: "…711", Warning: "the tag that it had before does not come back: give it again"}, {Is: "undone"}, {Is: "timeout", Problem: "no unknown tag was shown in time", Remedy: "ask again, and show the tag at the reader within a minute"},
	} {
		is.ID, is.Kind, is.Name, is.Reader = "x1", "device", "Pixel 10", "door"
		g.enrol = is
		g.get("Enrol", is.Is, "/enrol/x1")
	}
	g.add("Enrol", "refused", root, "POST", "/enrol", url.Values{"kind": {"device"}, "name": {"quset"}})
}

func (g *gallery) inboxes() {
	g.get("Inbox", "nothing", "/inbox")
	g.unknown(77, checkout.KindPerson)
	g.unknown(78, checkout.KindDevice)
	g.conditions = map[string][]selftest.Condition{"door": {{Name: "reader-silent", Text: "no card was read for 2.1 days; the longest silence of the past weeks was 15 hours", Remedy: "show a card; if the reader stays silent, run `stump selftest`"}}}
	name := "Ben Lindqvist"
	g.pages.status = directory.Status{
		Sinks: []directory.SinkStatus{{Name: "directory", State: "up", Stuck: []directory.Row{
			{ID: "17", State: "conflict", Reason: "by Snipe-IT it is with Zoe", Event: books.EntryJSON{Kind: checkout.Checkout, Person: &name}, Theirs: &books.Holding{Free: true}},
			{ID: "18@hook", State: "parked", Reason: "hook.lab.example has nothing at /stump (404 Not Found)", Event: books.EntryJSON{Kind: checkout.Return}},
		}}},
		Doubts:  []directory.DoubtRow{{ID: "5", DeviceID: "ipad", Event: books.EntryJSON{Kind: checkout.Checkout, Person: &name}, Theirs: "the directory says: free"}},
		Orphans: []directory.Orphan{{Name: "old", Rows: 3}},
	}
	g.todos.forget()
	g.get("Inbox", "of an admin", "/inbox")
	g.disputes = disputed()
	g.get("Inbox", "of a lab", "/inbox")
	g.add("Inbox", "of a technician", tess, "GET", "/inbox", nil)
	g.add("Inbox", "refused", root, "POST", "/inbox/assign", url.Values{"id": {"none"}, "kind": {"person"}, "name": {"Zoe"}})
}

func (g *gallery) lists(access *identity.Store) {
	const file = "Asset Tag;Asset Name;Category\na1;Nokia 3310;phone\n"
	for state, with := range map[string]struct{ do, file string }{"what would change": {"look", file}, "done": {"import", file}, "bad lines": {"look", file + ";Zeppelin;toy\n"}, "no file": {"look", ""}} {
		_, page := g.upload(map[string]string{"do": with.do, "kind": "device"}, with.file)
		g.all = append(g.all, shown{"Import", state, page})
	}
	g.get("Import", "empty", "/import")
	g.get("Labels", "of 24", "/labels")
	g.get("Labels", "of 40", "/labels?sheet=40")
	g.get("Labels", "of 65, some are gone", "/labels?sheet=65&skip=3")
	g.get("Audit", "nobody looked, nobody was refused", "/audit")
	access.Refuse(identity.Refusal{What: "login", Address: "10.0.0.9", Call: "POST /login"})
	access.Looked(identity.Look{Name: "tess", Source: "api", What: "history", Person: "ben"})
	g.get("Audit", "both", "/audit")
	g.get("Settings", "as they are", "/settings")
	g.o.Settings.Check = func() (string, error) {
		return "", hint.Errorf(`use "8443"`, `/etc/stump.toml:3: web.listen: "x" is not a port`)
	}
	chief := ann
	chief.Role = identity.Admin
	g.add("Settings", "a wrong file, a mail", chief, "POST", "/settings/mail", nil)
	g.add("Settings", "a token", root, "POST", "/settings/tokens", url.Values{"name": {"hall"}, "role": {"board"}})
	g.get("Reports", "a year", "/reports")
	g.stock.State = "none"
	g.get("Stock-taking", "never", "/stock")
	name, id, place, number, who := "Pixel 9", "pixel", "Shelf 2", "…903", "Ben Lindqvist"
	g.stock = wire.Stock{State: "open", Begun: &noon, Seen: 3}
	g.get("Stock-taking", "has begun", "/stock")
	g.stock.Rows = []wire.StockRow{{Found: stock.Missing, Device: &name, DeviceID: &id, Place: &place}, {Found: stock.Here, Device: &name, DeviceID: &id, Person: &who}, {Found: stock.Unknown, Number: &number}}
	g.get("Stock-taking", "goes on", "/stock")
	g.stock.State, g.stock.Ended = "ended", &noon
	g.get("Stock-taking", "has ended", "/stock")
}

func (g *gallery) stations() {
	g.get("Stations", "all is well", "/stations")
	g.get("Stations", "all is well", "/stations/lab-1")
	g.status.Conditions = map[string][]selftest.Condition{"door": {{Name: "reader-silent", Text: "no card was read for 2.1 days; the longest silence of the past weeks was 15 hours", Remedy: "show a card; if the reader stays silent, run `stump selftest`"}}}
	since := noon.Add(-time.Hour).Format(time.RFC3339)
	g.status.Display, g.status.Since = "down: no answer", &since
	g.get("Stations", "a reader is silent", "/stations")
	g.get("Stations", "a reader is silent", "/stations/lab-1")
	g.get("Scope", "alone", "/stations/lab-1/scope?reader=door")
	say := "Show a card to the reader and take it away again."
	results := []selftest.Result{{Check: "board", Result: selftest.Pass, Measured: "Raspberry Pi 4"}, {Check: "idle", Result: selftest.Warn, Measured: "both data lines are low; with no card they should be high", Remedy: "If it stays low, look at the pin itself."}, {Check: "outputs", Result: selftest.Skip, Measured: "no lights or beeper are configured"}}
	g.test = wire.SelfTest{Job: wire.Job{ID: "t1", State: "running"}, Reader: "door", Results: results}
	g.get("Self-test", "under way", "/stations/lab-1/selftest/t1")
	g.test.Say = &say
	g.get("Self-test", "says what to do", "/stations/lab-1/selftest/t1")
	g.test.Question = &wire.Question{Question: 1, Text: "Is the reader's green light on now? [y/n]"}
	g.get("Self-test", "asks yes or no", "/stations/lab-1/selftest/t1")
	g.test.Question.Text = "Which four digits does the display show? (Enter: none)"
	g.get("Self-test", "asks for a text", "/stations/lab-1/selftest/t1")
	g.test.State, g.test.Question = "done", nil
	for _, is := range []selftest.Verdict{selftest.Pass, selftest.Warn, selftest.Fail} {
		g.test.Summary = &selftest.Summary{Summary: true, Result: is, Causes: map[selftest.Verdict][]string{selftest.Fail: {"d1-low", "d0-low"}}[is]}
		if is == selftest.Fail {
			g.test.Results = append(results, selftest.Result{Check: "lines", Result: is, Measured: "DATA1 is low all the time; with no card it should be high", Remedy: "Something holds DATA1 (white on HID readers) down. If it stays low, look at the pin itself."})
		}
		g.get("Self-test", string(is), "/stations/lab-1/selftest/t1")
	}
	g.test.Summary, g.test.State = nil, "cancelled"
	g.get("Self-test", "ended early", "/stations/lab-1/selftest/t1")
}

// TestGallery: every page can be shown in every state, and between them they have every
// component that the style sheet knows. With -gallery it shows them, in light and dark.
func TestGallery(t *testing.T) {
	g := newGallery(t, *galleryIn)
	var all strings.Builder
	seen := map[string]bool{}
	for _, s := range g.all {
		if name := s.page + ", " + s.state; !strings.Contains(s.html, "</main>") || seen[name+s.html] {
			t.Errorf("%s is no page, or one twice:\n%s", name, s.html)
		}
		seen[s.page+", "+s.state+s.html] = true
		all.WriteString(s.html)
	}
	style := string(ui.File("stump.css"))
	for _, class := range regexp.MustCompile(`\.[a-z][a-z-]*[a-z0-9]+`).FindAllString(style, -1) {
		if has := regexp.MustCompile(`class="([^"]* )?` + class[1:] + `[ "]`); !has.MatchString(all.String()) && class != ".fresh" {
			t.Errorf("the style sheet has %s, and no page", class)
		}
	}
	if *galleryAt != "" {
		t.Fatal(http.ListenAndServe(*galleryAt, g.show()))
	}
}

// show shows the gallery: a list of all states, and each in a frame of its own.
func (g *gallery) show() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /assets/{file}", func(w http.ResponseWriter, r *http.Request) { ui.ServeAsset(w, r) })
	mux.HandleFunc("GET /{scheme}/{n}", func(w http.ResponseWriter, r *http.Request) {
		var n int
		if _, err := fmt.Sscan(r.PathValue("n"), &n); err != nil || n < 0 || n >= len(g.all) {
			http.NotFound(w, r)
			return
		}
		// A page that follows what happens would wait for it.
		page := regexp.MustCompile(`<script[^>]*></script>`).ReplaceAllString(g.all[n].html, "")
		fmt.Fprint(w, strings.Replace(page, "</head>", "<style>:root{color-scheme:"+filepath.Base(r.PathValue("scheme"))+"}</style></head>", 1))
	})
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, r *http.Request) {
		width := "48%"
		if r.URL.Query().Has("phone") {
			width = "360px"
		}
		fmt.Fprint(w, `<!DOCTYPE html><html lang="en"><meta charset="utf-8"><title>The console's gallery</title>
<style>body{font:1rem system-ui;margin:1rem}iframe{width:`, width, `;height:44rem;border:1px solid #999;margin-right:1rem}</style>
<h1>The console's gallery</h1><p><a href="/">at a desk</a>, <a href="/?phone">on a phone</a></p>`)
		for i, s := range g.all {
			fmt.Fprintf(w, `<h2 id="%d"><a href="/light/%d">%s: %s</a></h2>`, i, i, html.EscapeString(s.page), html.EscapeString(s.state))
			for _, scheme := range []string{"light", "dark"} {
				fmt.Fprintf(w, `<iframe loading="lazy" title="%s %d" src="/%s/%d"></iframe>`, scheme, i, scheme, i)
			}
		}
	})
	return mux
}
