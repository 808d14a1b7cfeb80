package api

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http/httptest"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/api/door"
	"stump/internal/api/wire"
	"stump/internal/books"
	"stump/internal/identity"
)

// browser is a browser in which an admin has logged in.
type browser struct {
	*website
	cookie string
}

func newBrowser(t *testing.T) *browser {
	s := newWebsite(t)
	return &browser{s, s.o.Access.Login(identity.Principal{Name: "ada", Role: identity.Admin})}
}

const asksForPages = "text/html,application/xhtml+xml"

func (b *browser) get(path string, status int) string {
	b.Helper()
	w := b.ask("GET", path, "", "Accept", asksForPages, "Cookie", door.Session+"="+b.cookie)
	if w.Code != status {
		b.Fatalf("GET %s: %d %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

func (b *browser) post(path string, fields url.Values) *httptest.ResponseRecorder {
	return b.form(path, fields, "Accept", asksForPages, "Cookie", door.Session+"="+b.cookie)
}

var (
	inputs = regexp.MustCompile(`<input[^>]*>`)
	attr   = regexp.MustCompile(` (name|value)="([^"]*)"`)
)

// fields are what a browser sends of a page's form, with what somebody types into it.
func (b *browser) fields(page, form string, typed ...string) url.Values {
	b.Helper()
	_, rest, ok := strings.Cut(page, ` id="`+form+`"`)
	text, _, ok2 := strings.Cut(rest, "</form>")
	if !ok || !ok2 {
		b.Fatalf("there is no form %s: %s", form, page)
	}
	all := url.Values{}
	for _, input := range inputs.FindAllString(text, -1) {
		is := map[string]string{}
		for _, a := range attr.FindAllStringSubmatch(input, -1) {
			is[a[1]] = html.UnescapeString(a[2])
		}
		all.Set(is["name"], is["value"])
	}
	for i := 0; i < len(typed); i += 2 {
		if !all.Has(typed[i]) {
			b.Errorf("the form %s has no field %s", form, typed[i])
		}
		all.Set(typed[i], typed[i+1])
	}
	return all
}

// sends fills a form in, sends it, and wants to be sent to another page.
func (b *browser) sends(page, form, to string, typed ...string) {
	b.Helper()
	w := b.post(page, b.fields(b.get(page, 200), form, typed...))
	if w.Code != 303 || !strings.HasPrefix(w.Header().Get("Location"), to+"?saved") {
		b.Errorf("%s, %s %q: %d %v\n%s", page, form, typed, w.Code, w.Header(), w.Body)
	}
}

// has wants an answer of this status with some texts, and without those after a !.
func (b *browser) has(name string, w *httptest.ResponseRecorder, status int, texts ...string) {
	b.Helper()
	if w.Code != status {
		b.Errorf("%s: %d, want %d", name, w.Code, status)
	}
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(w.Body.String(), text) == not {
			b.Errorf("%s: %q is there: %v\n%s", name, text, not, w.Body)
		}
	}
}

func (b *browser) person(id string) books.Person {
	b.Helper()
	p, err := b.o.Books.FindPerson(id)
	if err != nil {
		b.Fatal(err)
	}
	return p
}

func (b *browser) device(id string) books.Device {
	b.Helper()
	d, err := b.o.Books.FindDevice(id)
	if err != nil {
		b.Fatal(err)
	}
	return d
}

// last is the newest event.
func (b *browser) last() (e books.Entry) {
	b.Helper()
	for next, err := range b.o.Books.History(books.HistoryFilter{}) {
		if err != nil {
			b.Fatal(err)
		}
		e = next
	}
	return e
}

// TestAddPages: what is typed into the forms for who and what is new is in the register,
// once however often it is sent.
func TestAddPages(t *testing.T) {
	b := newBrowser(t)
	b.sends("/add/person", "new", "/people/zoe-angstrom", "name", " Zoë Ångström ", "email", "zoe@lab.example", "groups", "crew, trained", "badge", "H10301:17:77")
	if p := b.person("zoe-angstrom"); p.Name != "Zoë Ångström" || p.Email != "zoe@lab.example" || p.Groups.String() != "crew, trained" || !p.HasBadge() {
		t.Errorf("%+v", p)
	}
	if e := b.last(); e.Kind != checkout.Enrol || e.Actor != "ada" || e.Source != checkout.SourceWeb {
		t.Errorf("the event is %+v", e.Event)
	}
	b.sends("/add/device", "new", "/devices/n1", "id", "n1", "name", "Nokia", "kind", "phone", "serial", "S/N 1", "place", "Shelf 3", "condition", "damaged: a crack",
		"note", "=1+1", "link", "https://assets.example/1", "kit", "iPad", "tag", "H10301:200:9")
	if d := b.device("n1"); d.Name != "Nokia" || d.Kind != "phone" || d.Serial != "S/N 1" || d.Place != "Shelf 3" || d.Condition != "damaged: a crack" || d.Note != "=1+1" ||
		d.Link != "https://assets.example/1" || d.Kit != "ipad" || !d.HasTag() {
		t.Errorf("%+v", d)
	}

	form := b.fields(b.get("/add/device", 200), "new", "name", "Pixel")
	for range 2 { // a reload, or a second click
		if w := b.post("/add/device", form); w.Code != 303 || w.Header().Get("Location") != "/devices/pixel?saved" {
			t.Errorf("%d %v", w.Code, w.Header())
		}
	}
	form.Set("name", "Pixel & Co") // Back, and another name
	w := b.post("/add/device", form)
	b.has("the same form with another name", w, 422, "This form was saved already.", `value="Pixel &amp; Co"`)
	if w := b.post("/add/device", b.fields(w.Body.String(), "new")); w.Header().Get("Location") != "/devices/pixel-co?saved" {
		t.Errorf("sent again: %d %v", w.Code, w.Header())
	}
	for _, id := range []string{"pixel-2", "pixel-co-2"} {
		if _, err := b.o.Books.FindDevice(id); err == nil {
			t.Errorf("%s was added", id)
		}
	}
	b.get("/add/nothing", 404)
	// A new badge that no reader here reads is told on the page that follows.
	w = b.post("/add/person", b.fields(b.get("/add/person", 200), "new", "name", "Yan", "badge", "raw34:9278063906"))
	if page := b.get(w.Header().Get("Location"), 200); strings.Contains(page, "will not be read here") != (w.Header().Get("Location") != "/people/yan?saved") {
		t.Errorf("%s: %s", w.Header().Get("Location"), page)
	}
}

// TestWrongFields: what is wrong stands beside its field and at the head of the page, which
// gets the focus; what was typed stays, and nothing changes.
func TestWrongFields(t *testing.T) {
	b := newBrowser(t)
	before := b.last()
	for name, tt := range map[string]struct {
		page, form string
		typed      []string
		status     int
		field      string
		says       string
	}{
		"no name":             {"/add/person", "new", []string{"name", "  ", "email", "z@lab.example"}, 422, "name", "This is needed."},
		"no address":          {"/add/person", "new", []string{"name", "Zoe", "email", "Zoe <z@lab>"}, 422, "email", "is no e-mail address."},
		"a tag in use":        {"/add/person", "new", []string{"name", "Zoe", "badge", "H10301:17:1"}, 409, "badge", "it is that of person &#34;ann&#34;."},
		"no tag":              {"/add/device", "new", []string{"name", "Zeppelin", "tag", "seventeen"}, 400, "tag", "seventeen"},
		"an id in use":        {"/add/device", "new", []string{"name", "Zeppelin", "id", "ipad"}, 409, "id", "There is a device &#34;ipad&#34; already."},
		"an id of spaces":     {"/add/device", "new", []string{"name", "Zeppelin", "id", "a\tb"}, 422, "id", "can&#39;t be printed"},
		"no link":             {"/devices/ipad/edit", "facts", []string{"link", "javascript:alert(1)"}, 422, "link", "is no link."},
		"no such kit":         {"/devices/ipad/edit", "facts", []string{"kit", "box"}, 404, "kit", "not in the register"},
		"its own kit":         {"/devices/ipad/edit", "facts", []string{"kit", "ipad"}, 409, "kit", "can&#39;t be a part of itself."},
		"too long":            {"/devices/ipad/edit", "facts", []string{"note", strings.Repeat("é", 600)}, 422, "note", "has 1200 bytes"},
		"another order":       {"/devices/ipad/edit", "facts", []string{"name", "a\u202eb"}, 422, "name", "a character that nobody sees"},
		"a group with a line": {"/people/ann/edit", "facts", []string{"groups", "a\x1bb"}, 422, "groups", "control character"},
		"a day that has gone": {"/devices/ipad/edit", "out", []string{"out_until", "2026-11-30"}, 422, "out_until", "The day has come already."},
		"no day":              {"/devices/ipad/edit", "out", []string{"out_until", "friday"}, 422, "out_until", "is no day."},
		"no part":             {"/devices/ipad/edit", "part", []string{"part", "Zeppelin"}, 404, "part", "not in the register"},
		"somebody's badge":    {"/people/b1/edit", "add-badge", []string{"add_badge", "H10301:17:1"}, 409, "add_badge", "it is that of person"},
		"nobody to merge":     {"/people/b1/edit", "merge", []string{"into", "Zoe"}, 404, "into", "not in the register"},
		"several to merge":    {"/people/ann/edit", "merge", []string{"into", "Ben"}, 409, "into", "is that of 2 people"},
	} {
		w := b.post(tt.page, b.fields(b.get(tt.page, 200), tt.form, tt.typed...))
		id := tt.form + "-" + tt.field
		texts := []string{`<div role="alert" tabindex="-1" autofocus><p>Nothing was saved. Correct this:`, `<a href="#` + id + `">`, tt.says, "!stump people", "!stump devices"}
		for i := 1; i < len(tt.typed); i += 2 {
			texts = append(texts, `value="`+html.EscapeString(strings.TrimSpace(tt.typed[i]))+`"`)
		}
		b.has(name, w, tt.status, texts...)
		if !regexp.MustCompile(`<input id="`+id+`"[^>]* aria-invalid="true" aria-describedby="[^"]*`+id+`-wrong[ "]`).MatchString(w.Body.String()) || !strings.Contains(w.Body.String(), `id="`+id+`-wrong"`) {
			t.Errorf("%s: the field %s does not say what is wrong: %s", name, tt.field, w.Body)
		}
	}
	if after := b.last(); after.ID != before.ID || b.device("ipad").Name != "iPad" {
		t.Errorf("something has changed: %+v", after)
	}
}

// TestLateForm: a page from before undoes nothing. What was typed stays, beside what is there
// now; a field that nobody typed into shows what is there now.
func TestLateForm(t *testing.T) {
	b := newBrowser(t)
	const path = "/devices/ipad/edit"
	mine := b.fields(b.get(path, 200), "facts", "name", "iPad Pro", "place", "Shelf 1")
	b.sends(path, "facts", "/devices/ipad", "name", "iPad 13", "note", "a crack", "serial", "S1")
	w := b.post(path, mine)
	b.has("too late", w, 412, "It has changed meanwhile.", "What you typed is still here", `value="iPad Pro"`, `value="Shelf 1"`, `value="a crack"`, `value="S1"`,
		`Somebody else has changed it to: iPad 13`, `id="facts-name-now"`, `!id="facts-place-now"`, `!id="facts-note-now"`)
	if d := b.device("ipad"); d.Name != "iPad 13" || d.Place != "" || d.Note != "a crack" {
		t.Errorf("it was changed: %+v", d)
	}
	again := b.fields(w.Body.String(), "facts")
	if w := b.post(path, again); w.Code != 303 {
		t.Errorf("decided anew: %d %s", w.Code, w.Body)
	}
	if d := b.device("ipad"); d.Name != "iPad Pro" || d.Place != "Shelf 1" || d.Note != "a crack" || d.Serial != "S1" {
		t.Errorf("afterwards: %+v", d)
	}
	if w := b.post(path, again); w.Code != 303 { // a second click
		t.Errorf("sent twice: %d", w.Code)
	}
	again.Set("name", "iPad of Back")
	b.has("Back, and another name", b.post(path, again), 412, `value="iPad of Back"`, "Somebody else has changed it to: iPad Pro")

	// What stands on the page without being typed is no change: nothing of it is sent.
	before := b.last()
	b.sends(path, "facts", "/devices/ipad")
	if after := b.last(); after.ID != before.ID {
		t.Errorf("nothing was typed, and there is %+v", after.Event)
	}
	// A form that is no longer on the page.
	lost := b.fields(b.get("/people/ann/edit", 200), "suspended")
	b.sends("/people/ann/edit", "suspended", "/people/ann")
	b.has("suspended twice", b.post("/people/ann/edit", lost), 412, "It has changed meanwhile")
	lost = b.fields(b.get("/people/b1/erase", 200), "erase", "word", "erase")
	b.sends("/people/b1/edit", "facts", "/people/b1", "email", "b@lab.example")
	b.has("erased too late", b.post("/people/b1/erase", lost), 412, "It has changed meanwhile")
	b.person("b1")
}

// TestPersonForms: badges, whether somebody takes part, two who are one.
func TestPersonForms(t *testing.T) {
	b := newBrowser(t)
	const ann = "/people/ann/edit"
	badges := func(want string) {
		t.Helper()
		if got := b.person("ann").Badge(); got != want {
			t.Errorf("the badges are %s, want %s", got, want)
		}
	}
	b.sends(ann, "add-badge", "/people/ann", "add_badge", "H10301:17:2")
	badges("…226, …228")
	b.sends(ann, "badge-1", "/people/ann")
	badges("…228, …226 lost")
	page := b.get(ann, 200)
	i := strings.Index(page, "…226 lost")
	name := regexp.MustCompile(`id="(badge-\d)"`).FindAllStringSubmatch(page[:i], -1)
	b.sends(ann, name[len(name)-1][1], "/people/ann")
	badges("…228, …226")
	if !strings.Contains(page, "/enrol?kind=person&amp;name=ann") {
		t.Errorf("no way to bump it: %s", page)
	}
	b.sends(ann, "facts", "/people/ann", "groups", "crew; trained", "email", "ann@lab.example")
	if p := b.person("ann"); p.Groups.String() != "crew, trained" || p.Email != "ann@lab.example" {
		t.Errorf("%+v", p)
	}
	b.sends(ann, "facts", "/people/ann", "groups", "", "email", "")
	if p := b.person("ann"); p.Groups != "" || p.Email != "" {
		t.Errorf("cleared: %+v", p)
	}
	b.sends(ann, "suspended", "/people/ann")
	b.sends(ann, "active", "/people/ann")
	b.has("who has something", b.post(ann, b.fields(b.get(ann, 200), "retired")), 409, `role="alert"`, "iPad")
	if p := b.person("ann"); p.Status != checkout.Active {
		t.Errorf("%+v", p)
	}

	page = b.get("/people/b1", 200)
	for _, want := range []string{"There is another person of this name.", `href="/people/b2"`, `href="/people/b1/edit#merge"`} {
		if !strings.Contains(page, want) {
			t.Errorf("b1 lacks %s: %s", want, page)
		}
	}
	if f := b.fields(b.get("/people/b1/edit", 200), "merge"); f.Get("into") != "b2" {
		t.Errorf("whom to merge into is %q", f.Get("into"))
	}
	b.sends("/people/b1/edit", "merge", "/people/b1")
	if p := b.person("b1"); p.ID != "b2" {
		t.Errorf("b1 is %+v", p)
	}
	if page = b.get("/people/b1", 200); !strings.Contains(page, "Ben (b1)") || strings.Contains(page, "There is another") {
		t.Errorf("merged: %s", page)
	}
}

// TestDeviceForms: tags, service, parts.
func TestDeviceForms(t *testing.T) {
	b := newBrowser(t)
	b.sends("/add/device", "new", "/devices/box", "name", "Box")
	b.sends("/add/device", "new", "/devices/lens", "name", "Lens")
	if page := b.get("/devices/box", 200); !strings.Contains(page, "/enrol?kind=device&amp;name=box") {
		t.Errorf("a device without a tag: %s", page)
	}
	was := b.device("ipad").Tag
	b.sends("/devices/ipad/edit", "tag", "/devices/ipad", "tag", "H10301:200:55")
	if d := b.device("ipad"); d.Tag == was || !d.HasTag() {
		t.Errorf("%+v", d)
	}
	b.sends("/devices/box/edit", "out", "/devices/box", "out_until", "2026-12-24")
	if d := b.device("box"); d.Out != "2026-12-24" {
		t.Errorf("%+v", d)
	}
	b.sends("/devices/box/edit", "in", "/devices/box")
	if d := b.device("box"); d.Out != "" {
		t.Errorf("%+v", d)
	}
	b.sends("/devices/box/edit", "part", "/devices/box", "part", "Lens")
	if d := b.device("lens"); d.Kit != "box" {
		t.Errorf("%+v", d)
	}
	out := b.fields(b.get("/devices/box/edit", 200), "part-1")
	b.sends("/devices/lens/edit", "facts", "/devices/lens", "note", "dusty")
	b.has("a part that has changed", b.post("/devices/box/edit", out), 412, "It has changed meanwhile")
	b.sends("/devices/box/edit", "part-1", "/devices/box")
	if d := b.device("lens"); d.Kit != "" || d.Note != "dusty" {
		t.Errorf("%+v", d)
	}
	b.sends("/devices/box/edit", "retired", "/devices/box")
	b.sends("/devices/box/edit", "active", "/devices/box")
	if e := b.last(); e.Device != "box" || e.Actor != "ada" {
		t.Errorf("%+v", e.Event)
	}
	b.get("/devices/nothing/edit", 404)
	b.get("/people/nobody/edit", 404)
}

// TestErasePage: what goes and what stays is said; nobody is erased without the word, or
// while they have something.
func TestErasePage(t *testing.T) {
	b := newBrowser(t)
	if page := b.get("/people/ann/erase", 200); !strings.Contains(page, `<a href="/devices/ipad">iPad</a>`) || strings.Contains(page, "<form method=\"post\" action=\"/people") {
		t.Errorf("who has something: %s", page)
	}
	page := b.get("/people/b1/erase", 200)
	b.has("another word", b.post("/people/b1/erase", b.fields(page, "erase", "word", "ben")), 422, "This is another word than “erase”.", `value="ben"`, "#erase-word")
	b.has("no word", b.post("/people/b1/erase", b.fields(page, "erase")), 422, `role="alert"`)
	var file map[string]any
	if err := json.Unmarshal([]byte(b.get("/people/b1/dossier", 200)), &file); err != nil || fmt.Sprint(file["person"]) == "" {
		t.Errorf("the dossier: %v %v", err, file)
	}
	w := b.post("/people/b1/erase", b.fields(page, "erase", "word", " LÖSCHEN"))
	if w.Code != 303 || w.Header().Get("Location") != "/people?saved" {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if p, err := b.o.Books.FindPerson("b1"); err == nil && p.Name == "Ben" {
		t.Errorf("still there: %+v", p)
	}

	b.website.now = b.website.now.Add(16 * time.Minute)
	b.get("/people/b2/dossier", 403)
	b.get("/people/b2/erase", 403)
}

// TestFormAfterLogin: what was typed when a login had ended, or was too old, is on the page
// that says so, and is sent again after the next login.
func TestFormAfterLogin(t *testing.T) {
	b := newBrowser(t)
	form := b.fields(b.get("/devices/ipad/edit", 200), "facts", "name", `iPad "of" <Ann>`, "note", "x")
	page := b.get("/people/b1/erase", 200)
	b.o.Access.Logout(b.cookie)
	w := b.post("/devices/ipad/edit", form)
	b.has("logged out", w, 401, "Nothing was saved yet", "Log in in another tab", `action="/devices/ipad/edit"`, `<dd>iPad &#34;of&#34; &lt;Ann&gt;</dd>`, "!<Ann>", "!<dd></dd>")
	b.cookie = b.o.Access.Login(identity.Principal{Name: "ada", Role: identity.Admin})
	_, kept, _ := strings.Cut(w.Body.String(), `<form class="bar"`)
	again := b.fields(` id="kept"`+kept, "kept")
	if !slices.Equal(again["name"], form["name"]) || again.Get("revision") != form.Get("revision") {
		t.Fatalf("kept is %v, sent was %v", again, form)
	}
	if w := b.post("/devices/ipad/edit", again); w.Code != 303 {
		t.Errorf("sent again: %d %s", w.Code, w.Body)
	}
	if d := b.device("ipad"); d.Name != `iPad "of" <Ann>` || d.Note != "x" {
		t.Errorf("%+v", d)
	}
	b.website.now = b.website.now.Add(16 * time.Minute)
	b.has("too old a login", b.post("/people/b1/erase", b.fields(page, "erase", "word", "erase")), 403, "Nothing was saved yet", `action="/people/b1/erase"`)

	b.has("nothing typed", b.form("/logout-elsewhere", nil, "Accept", asksForPages), 404, "!Send it again")
	b.wants("a script", b.form("/devices/ipad/edit", form), 401, wire.CodeNoLogin)
	var made wire.MadeToken
	b.admin("POST", "/v1/tokens", `{"name":"sam","role":"staff"}`, &made)
	b.has("another role", b.form("/devices/ipad/edit", form, "Accept", asksForPages, "Cookie", door.Session+"="+b.o.Access.Login(identity.Principal{Name: "sam", Role: identity.Staff})), 403, "!Send it again")
}

// TestPersonPage: past loans and reminders of a person, and of who was merged into them.
func TestPersonPage(t *testing.T) {
	b := newBrowser(t)
	var none struct{}
	b.admin("POST", "/v1/return", `{"device":"ipad"}`, &none)
	b.admin("POST", "/v1/give", `{"device":"ipad","person":"b1"}`, &none)
	b.admin("POST", "/v1/give", `{"device":"ipad","person":"ann"}`, &none)
	page := b.get("/people/ann", 200)
	past, _, _ := strings.Cut(page[strings.Index(page, "Past loans"):], "</table>")
	if strings.Count(past, "<tr>") != 2 || !strings.Contains(past, `href="/devices/ipad"`) {
		t.Errorf("ann's past loans: %s", past)
	}
	if page = b.get("/people/b1", 200); strings.Count(page[strings.Index(page, "Past loans"):strings.Index(page, "Reminders")], "<tr>") != 2 {
		t.Errorf("b1's past loans: %s", page)
	}
	if page = b.get("/people/b2", 200); strings.Contains(page, "Past loans") || !strings.Contains(page, "None was sent.") {
		t.Errorf("b2's page: %s", page)
	}
	for l, err := range b.o.Books.Loans(books.LoanFilter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if _, err := b.o.Ledger.Remind([]books.Saying{{Loan: l, Stage: "0d"}}); err != nil {
			t.Fatal(err)
		}
	}
	page = b.get("/people/ann", 200)
	if strings.Contains(page, "None was sent.") || strings.Count(page, "reminded") != 1 {
		t.Errorf("reminded: %s", page)
	}
}

// TestBadRows: the lines of a file that are wrong are a file, with what is wrong with each,
// that can be imported once it is right.
func TestBadRows(t *testing.T) {
	b := newBrowser(t)
	const file = "Asset Tag;Asset Name;Cost;Link\nn1;Nokia;9;https://a.example\n;=1+1;;x\nn2;Pixel;7;@SUM(1)\n"
	const head = "--cut\r\nContent-Disposition: form-data; name="
	post := func(do, text string) *httptest.ResponseRecorder {
		return b.ask("POST", "/import", head+"\"kind\"\r\n\r\ndevice\r\n"+head+"\"do\"\r\n\r\n"+do+"\r\n"+head+"\"file\"; filename=\"a.csv\"\r\n\r\n"+text+"\r\n--cut--\r\n",
			"Accept", asksForPages, "Cookie", door.Session+"="+b.cookie, "Content-Type", "multipart/form-data; boundary=cut")
	}
	b.has("looked at", post("look", file), 422, "Download these rows", `value="bad"`)
	w := post("bad", file)
	want := "line,why,Asset Tag,Asset Name,Cost,Link\n3,\"the id is empty"
	if got := w.Body.String(); w.Code != 200 || !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") ||
		!strings.HasPrefix(got, want) || !strings.Contains(got, `,'=1+1,,x`) || !strings.Contains(got, "\n4,") || !strings.Contains(got, "'@SUM(1)") || strings.Contains(got, "Nokia") {
		t.Errorf("%d %v\n%s", w.Code, w.Header(), got)
	}
	fixed := strings.ReplaceAll(strings.ReplaceAll(w.Body.String(), "'@SUM(1)", ""), ",,'=1+1,,x", ",n3,'=1+1,,")
	b.has("corrected", post("look", fixed), 200, "2 new, 0 changed")
	if w := post("import", fixed); w.Code != 200 || b.device("n3").Name != "=1+1" {
		t.Errorf("imported: %d %s", w.Code, w.Body)
	}
}
