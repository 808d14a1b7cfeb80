package console

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/directory"
	"stump/directory/call"
	"stump/hw/selftest"
	"stump/internal/books"
	"stump/internal/console/imports"
	"stump/internal/hint"
	"stump/internal/identity"
	"stump/internal/inbox"
	"stump/internal/notify"
	"stump/internal/sitekey"
)

// noon is the time at every page of these tests.
var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

// pages are a console over a real ledger: Ann has the iPad, Ben a phone that is overdue.
type pages struct {
	testing.TB
	books *ledger.Ledger
	*Console
	changed int
	// What the station says of itself, and what its worker was told.
	status     directory.Status
	disputes   []inbox.Row
	conditions map[string][]selftest.Condition
	said       []string
}

func newPages(t testing.TB, with func(*Options)) *pages {
	t.Helper()
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{
		Station: "lab-1", SiteKey: sitekey.New(), Loans: loan.Rules{Length: 14 * 24 * time.Hour, Kinds: map[string]time.Duration{"phone": 24 * time.Hour}, Extensions: 1},
		Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: noon, Trusted: true} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &pages{TB: t, books: l}
	for _, who := range []books.Person{{ID: "ann", Name: "Ann Okafor", Email: "ann@lab.example"}, {ID: "ben", Name: "Ben <b>Lindqvist</b>"}} {
		p.ok(l.AddPerson(who, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	for _, d := range []books.Device{{ID: "ipad", Name: "iPad & Pen", Kind: "tablet"}, {ID: "pixel", Name: "Pixel 9", Kind: "phone"}, {ID: "quest 3", Name: "Quest"}} {
		p.ok(l.AddDevice(d, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	p.give("ipad", "ann", noon.Add(-time.Hour))
	p.give("pixel", "ben", noon.Add(-73*time.Hour))
	o := Options{
		Books: l, Station: "lab-1", Language: "en", Zone: time.UTC, Now: func() time.Time { return noon }, Visitor: identity.Board, Holders: identity.Staff,
		Me: func(r *http.Request) (books.Person, error) {
			return l.FindPerson(identity.Of(r.Context()).Person)
		},
		Appended: l.Appended, Site: func() string { return "https://stump.lab.example:8443" }, Changed: func() { p.changed++ },
	}
	o.Inbox = Inbox{
		Waiting: func(r *http.Request) ([]inbox.Row, error) {
			return inbox.Station{Books: l, Now: noon, Status: func() (directory.Status, error) { return p.status, nil }, Conditions: func() map[string][]selftest.Condition { return p.conditions }, Lab: func() []inbox.Row { return p.disputes }}.Waiting(identity.Of(r.Context()).May(identity.Admin))
		},
		Assign: func(r *http.Request, id, kind, name string) error {
			tag, err := l.UnknownTag(id)
			if err != nil {
				return err
			}
			if kind == "person" {
				_, err = l.EnrolPerson(name, tag, "root", checkout.SourceWeb)
			} else {
				_, err = l.EnrolDevice(name, tag, "root", checkout.SourceWeb)
			}
			return err
		},
		Retry: func(id string) error { p.said = append(p.said, "retry "+id); return nil },
		Drop: func(id, actor string, source checkout.Source, note string) error {
			p.said = append(p.said, fmt.Sprint("drop ", id, " ", actor, " ", source, " ", note))
			return nil
		},
		Accept: func(r *http.Request, id string) error {
			p.said = append(p.said, "accept "+id+" "+identity.Of(r.Context()).Name)
			return nil
		},
	}
	if with != nil {
		with(&o)
	}
	p.Console = New(o)
	return p
}

func (p *pages) ok(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

func (p *pages) give(device, person string, at time.Time) {
	p.Helper()
	_, err := p.books.Give(books.Request{Device: device, Person: person, At: at, Actor: "root", Source: checkout.SourceCLI})
	p.ok(err)
}

var (
	visitor = identity.Principal{}
	ann     = identity.Principal{Name: "Ann Okafor", Role: identity.Staff, Person: "ann", Source: checkout.SourceWeb}
	tess    = identity.Principal{Name: "tess", Role: identity.Technician, Source: checkout.SourceWeb}
	root    = identity.Principal{Name: "root", Role: identity.Admin, Source: checkout.SourceWeb}
)

// ask asks for a page, or posts a form to it, and returns the answer and its text. The roles
// are the API's to check.
func (p *pages) ask(who identity.Principal, method, path string, form url.Values, header ...string) (*httptest.ResponseRecorder, string) {
	p.Helper()
	mux := http.NewServeMux()
	for _, to := range p.Routes() {
		mux.HandleFunc(to.Pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := to.Answer(w, r); err != nil {
				status := http.StatusInternalServerError
				if errors.Is(err, books.ErrNotFound) {
					status = http.StatusNotFound
				}
				p.ok(p.Console.Fail(w, r, status, err))
			}
		})
	}
	r := httptest.NewRequestWithContext(identity.With(p.Context(), who), method, path, strings.NewReader(form.Encode()))
	if method == "POST" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, r)
	return w, w.Body.String()
}

// has wants a page to have some texts, and to lack those after a !.
func (p *pages) has(name, page string, texts ...string) {
	p.Helper()
	for _, text := range texts {
		text, not := strings.CutPrefix(text, "!")
		if strings.Contains(page, text) == not {
			p.Errorf("%s: %q is there: %v\n%s", name, text, not, page)
		}
	}
}

const (
	annsRow = `<tr data-device="ipad" data-person="ann">`
	bensRow = `<tr data-device="pixel" data-person="ben">`
)

func TestBoard(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(visitor, "GET", "/", nil)
	p.has("a visitor", page, "!Ann Okafor", "!Pixel 9", "Quest", "!href=\"/devices/", "Log in to see more", `<html lang="en">`)
	_, page = p.ask(ann, "GET", "/", nil)
	p.has("staff", page, annsRow, bensRow, "iPad &amp; Pen", "Ben &lt;b&gt;Lindqvist&lt;/b&gt;", "!<b>Lindqvist", `href="/devices/quest%203"`, "!/people/", "2 d late", ">Sat 11:00<", "15 Dec 11:00", "<b>1</b> overdue")
	if strings.Index(page, bensRow) > strings.Index(page, annsRow) {
		t.Error("what is overdue is not on top")
	}
	_, page = p.ask(root, "GET", "/", nil)
	p.has("an admin", page, `href="/people/ben"`, `href="/people"`)
	_, page = p.ask(root, "GET", "/?q=ANN", nil)
	p.has("searched", page, annsRow, "!"+bensRow, `value="ANN"`)
	_, page = p.ask(root, "GET", "/?only=overdue&q=i", nil)
	p.has("only what is overdue", page, "!"+annsRow, bensRow, `href="/?q=i"`)
	_, page = p.ask(root, "GET", "/?q=<script>", nil)
	p.has("nothing found", page, "Nothing is called that.", "!<script>")

	p = newPages(t, func(o *Options) { o.Visitor = identity.None })
	if w, _ := p.ask(visitor, "GET", "/", nil); w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/login" {
		t.Errorf("a visitor of a closed board: %d %v", w.Code, w.Header())
	}
	p = newPages(t, func(o *Options) { o.Holders = identity.Board })
	_, page = p.ask(visitor, "GET", "/", nil)
	p.has("a visitor of an open board", page, annsRow, "Ann Okafor", "!href=\"/devices/")
}

func TestLanguages(t *testing.T) {
	p := newPages(t, func(o *Options) { o.Language = "fr" })
	for accepts, want := range map[string]string{
		"":                        `<html lang="fr">`,
		"de-CH,de;q=0.9,en;q=0.8": `<html lang="de">`,
		"pt-BR, es;q=0.5":         `<html lang="es">`,
		"den":                     `<html lang="fr">`,
		"EN-us":                   "Who has what",
	} {
		_, page := p.ask(ann, "GET", "/", nil, "Accept-Language", accepts)
		p.has(accepts, page, want)
	}
}

func TestPacked(t *testing.T) {
	p := newPages(t, nil)
	w, _ := p.ask(ann, "GET", "/", nil, "Accept-Encoding", "gzip")
	z, err := gzip.NewReader(w.Body)
	p.ok(err)
	page, err := io.ReadAll(z)
	p.ok(err)
	p.has("unpacked", string(page), annsRow)
	css := regexp.MustCompile(`/assets/stump\.[0-9a-f]{8}\.css`).FindString(string(page))
	w, text := p.ask(visitor, "GET", css, nil)
	if w.Header().Get("Content-Type") != "text/css; charset=utf-8" || !strings.Contains(text, "color-scheme") {
		t.Errorf("%s: %d %v", css, w.Code, w.Header())
	}
	if w, _ := p.ask(visitor, "GET", "/assets/stump.css", nil); w.Code != http.StatusNotFound {
		t.Errorf("a file without its hash: %d", w.Code)
	}
}

var revision = regexp.MustCompile(`name="revision" value="([0-9a-f]+)"`)

// TestForms: what the forms of a device's page do is in the books, with who did it.
func TestForms(t *testing.T) {
	p := newPages(t, nil)
	rev := func(who identity.Principal, device string) string {
		t.Helper()
		w, page := p.ask(who, "GET", "/devices/"+device, nil)
		m := revision.FindStringSubmatch(page)
		if m == nil {
			t.Fatalf("%d %s", w.Code, page)
		}
		return m[1]
	}
	for _, tt := range []struct {
		who          identity.Principal
		device, form string
		fields       url.Values
		want         string // the newest event
	}{
		{root, "ipad", "return", url.Values{"condition": {"damaged"}, "note": {"a crack"}}, "return ann root web damaged a crack"},
		{root, "ipad", "give", url.Values{"person": {"Ben <b>Lindqvist</b>"}, "due": {"2026-12-04"}}, "checkout ben root web  "},
		{root, "ipad", "extend", url.Values{"due": {"2026-12-05"}}, "extend ben root web  "},
		{root, "ipad", "give", url.Values{"person": {"ann"}}, "handover ann root web  "},
		{ann, "ipad", "extend", url.Values{}, "extend ann ann web  "},
		{root, "ipad", "lost", url.Values{"note": {"on the train"}}, "lost  root web  on the train"},
		{root, "ipad", "found", url.Values{}, "found  root web  "},
	} {
		before := p.changed
		fields := url.Values{"revision": {rev(tt.who, tt.device)}}
		for name, v := range tt.fields {
			fields[name] = v
		}
		w, page := p.ask(tt.who, "POST", "/devices/"+tt.device+"/"+tt.form, fields)
		if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/devices/"+tt.device+"?saved" || p.changed != before+1 {
			t.Fatalf("%s: %d %v, told %d times\n%s", tt.form, w.Code, w.Header(), p.changed-before, page)
		}
		var last books.Entry
		for e, err := range p.books.History(books.HistoryFilter{Device: tt.device}) {
			p.ok(err)
			last = e
		}
		if got := fmt.Sprintln(last.Kind, last.Person, last.Actor, last.Source, last.Condition, last.Note); strings.TrimSpace(got) != strings.TrimSpace(tt.want) {
			t.Errorf("%s: %s, want %s", tt.form, got, tt.want)
		}
		_, page = p.ask(tt.who, "GET", "/devices/"+tt.device+"?saved", nil)
		p.has("afterwards", page, "Saved.")
	}
	for _, l := range []string{"ipad"} {
		d, err := p.books.FindDevice(l)
		p.ok(err)
		if d.Holder != "" || d.Lost {
			t.Errorf("%+v", d)
		}
	}
}

// TestKitPage: the page of a box has its parts, and its form notes what did not come back.
func TestKitPage(t *testing.T) {
	p := newPages(t, nil)
	kit := "quest 3"
	for _, part := range []string{"pixel", "ipad"} {
		if _, err := p.books.Return(books.Request{Device: part, Actor: "root"}); err != nil {
			t.Log(err)
		}
		p.ok(p.books.EditDevice(part, books.Edit{Kit: &kit}, "root", checkout.SourceCLI))
	}
	_, page := p.ask(root, "GET", "/devices/quest%203", nil)
	p.has("in the lab", page, "Parts", `<li data-part="ipad"><a href="/devices/ipad">iPad &amp; Pen</a>: free</li>`, "!Did not come back")
	p.ask(root, "POST", "/devices/quest%203/give", url.Values{"revision": {revision.FindStringSubmatch(page)[1]}, "person": {"ann"}})
	_, page = p.ask(root, "GET", "/devices/quest%203", nil)
	p.has("with ann", page, `>Pixel 9</a>: in it</li>`, "Did not come back with it", `<input type="checkbox" name="missing" value="pixel">`)
	w, _ := p.ask(root, "POST", "/devices/quest%203/return", url.Values{"revision": {revision.FindStringSubmatch(page)[1]}, "missing": {"pixel"}})
	if w.Code != http.StatusSeeOther {
		t.Errorf("%d", w.Code)
	}
	_, page = p.ask(root, "GET", "/devices/quest%203", nil)
	p.has("without", page, `>Pixel 9</a>: missing, with Ann Okafor</li>`, `iPad &amp; Pen</a>: free</li>`)
}

// TestDueIsAWholeDay: a day is until its last minute.
func TestDueIsAWholeDay(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(root, "GET", "/devices/quest%203", nil)
	p.ask(root, "POST", "/devices/quest%203/give", url.Values{"revision": {revision.FindStringSubmatch(page)[1]}, "person": {"ann"}, "due": {"2026-12-04"}})
	for l, err := range p.books.Loans(books.LoanFilter{Device: "quest 3"}) {
		p.ok(err)
		if want := time.Date(2026, 12, 4, 23, 59, 0, 0, time.UTC); !l.Due.Equal(want) {
			t.Errorf("due %v, want %v", l.Due, want)
		}
	}
}

// TestRefusedForms: nothing changes, the page says why, and what was typed is still there.
func TestRefusedForms(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(root, "GET", "/devices/ipad", nil)
	now := revision.FindStringSubmatch(page)[1]
	for name, tt := range map[string]struct {
		who    identity.Principal
		form   string
		fields url.Values
		status int
		says   []string
	}{
		"a page from before":   {root, "return", url.Values{"revision": {"00"}, "note": {"my words"}}, 412, []string{"It has changed meanwhile", `value="my words"`}},
		"no revision":          {root, "return", nil, 412, []string{"It has changed meanwhile"}},
		"nobody of that name":  {root, "give", url.Values{"revision": {now}, "person": {"Zoe <i>"}}, 409, []string{"Zoe &lt;i&gt;", `value="Zoe &lt;i&gt;"`}},
		"no day":               {root, "give", url.Values{"revision": {now}, "person": {"ben"}, "due": {"friday"}}, 409, []string{"friday is no day. Write it as 2026-12-04."}},
		"too late a day":       {root, "extend", url.Values{"revision": {now}, "due": {"2026-11-01"}}, 409, []string{"It would end before it begins."}},
		"more than they may":   {ann, "extend", url.Values{"revision": {now}, "due": {"2027-12-01"}}, 409, []string{"iPad &amp; Pen can be extended until 29 Dec 11:00 at most. Ask an admin for more."}},
		"of somebody else":     {ann, "extend", nil, 412, []string{"It has changed meanwhile"}},
		"a note with controls": {root, "return", url.Values{"revision": {now}, "note": {"a\x1bb"}}, 409, []string{"role=\"alert\""}},
	} {
		w, page := p.ask(tt.who, "POST", "/devices/ipad/"+tt.form, tt.fields)
		if w.Code != tt.status {
			t.Errorf("%s: %d, want %d", name, w.Code, tt.status)
		}
		p.has(name, page, append(tt.says, `role="alert"`, "with Ann Okafor")...)
	}
	for language, says := range map[string]string{"de": "Ann Okafor hat iPad &amp; Pen schon.", "fr": "Ann Okafor a déjà iPad &amp; Pen.", "es": "Ann Okafor ya tiene iPad &amp; Pen."} {
		_, page := p.ask(root, "POST", "/devices/ipad/give", url.Values{"revision": {now}, "person": {"ann"}}, "Accept-Language", language)
		p.has("in "+language, page, `role="alert"`, says, "!already")
	}
	if _, page := p.ask(root, "GET", "/devices/ipad", nil); p.changed != 0 || revision.FindStringSubmatch(page)[1] != now {
		t.Error("something has changed")
	}
	if w, _ := p.ask(root, "POST", "/devices/nothing/return", nil); w.Code != http.StatusNotFound {
		t.Errorf("a device that is not there: %d", w.Code)
	}
}

func TestDevicePage(t *testing.T) {
	p := newPages(t, nil)
	link := "https://assets.example/7"
	p.ok(p.books.EditDevice("ipad", books.Edit{Link: &link}, "root", checkout.SourceCLI))
	_, page := p.ask(root, "GET", "/devices/ipad", nil)
	p.has("an admin", page, "with Ann Okafor", `href="/people/ann"`, "/return", "/give", "/extend", "/lost", `href="https://assets.example/7"`, "History", ">taken</td>", `<option value="Ben &lt;b&gt;Lindqvist&lt;/b&gt;">`)
	_, page = p.ask(ann, "GET", "/devices/ipad", nil)
	p.has("who has it", page, "with Ann Okafor", "/extend", "!/return", "!/give", "!History", "!/people/")
	_, page = p.ask(ann, "GET", "/devices/pixel", nil)
	p.has("others", page, "!/extend", "2 d late", "!History")
	_, page = p.ask(tess, "GET", "/devices/pixel", nil)
	p.has("a technician", page, "History", "!<form method=\"post\" action=\"/devices")
	w, page := p.ask(ann, "GET", "/devices/nothing", nil)
	if p.has("nothing", page, "There is no such page"); w.Code != http.StatusNotFound {
		t.Error(w.Code)
	}
}

func TestPeopleAndMine(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(root, "GET", "/people", nil)
	p.has("people", page, "Ann Okafor", `href="/people/ben"`, "Ben &lt;b&gt;")
	_, page = p.ask(root, "GET", "/people?q=okafor", nil)
	p.has("searched", page, "Ann Okafor", "!/people/ben")
	_, page = p.ask(root, "GET", "/people/ann", nil)
	p.has("a person", page, "ann@lab.example", annsRow, "!"+bensRow, ">taken</td>")
	_, page = p.ask(ann, "GET", "/my", nil)
	p.has("mine", page, "My devices", annsRow, "!ann@lab.example", `aria-current="page"`)
	_, err := p.books.Return(books.Request{Device: "ipad", Actor: "root", Source: checkout.SourceCLI})
	p.ok(err)
	_, page = p.ask(ann, "GET", "/my", nil)
	p.has("nothing", page, "You have nothing.")
	_, page = p.ask(ann, "GET", "/devices", nil)
	p.has("devices", page, `<tr data-device="pixel" data-person="ben">`, "with Ben", ">free<")
}

// TestChanges: a page hears of an event, of several at once one time, and no more when it
// has gone.
func TestChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var bell notify.Bell
		c := New(Options{Visitor: identity.Board, Appended: bell.Next})
		r := httptest.NewRequest("GET", "/changes", nil)
		ctx, leave := context.WithCancel(t.Context())
		w, done := httptest.NewRecorder(), make(chan error, 1)
		go func() { done <- c.changes(w, r.WithContext(ctx)) }()
		synctest.Wait()
		if w.Body.String() != "" || w.Header().Get("Content-Type") != "text/event-stream" || !w.Flushed {
			t.Fatalf("%v %q", w.Header(), w.Body)
		}
		bell.Tell()
		synctest.Wait()
		bell.Tell()
		time.Sleep(time.Second)
		synctest.Wait()
		if got := w.Body.String(); got != "data: changed\n\n" {
			t.Errorf("two events at once: %q", got)
		}
		bell.Tell()
		time.Sleep(time.Second)
		synctest.Wait()
		if n := strings.Count(w.Body.String(), "data:"); n != 2 {
			t.Errorf("%d changes", n)
		}
		leave()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	closed := New(Options{})
	if err := closed.changes(httptest.NewRecorder(), httptest.NewRequest("GET", "/changes", nil)); hint.Of(err) == "" {
		t.Errorf("a visitor of a closed board: %v", err)
	}
}

// counted counts how often the loans are read.
type counted struct {
	books.Keeper
	reads atomic.Int32
}

func (c *counted) Loans(f books.LoanFilter) iter.Seq2[books.Loan, error] {
	c.reads.Add(1)
	return c.Keeper.Loans(f)
}

// TestParts: a hundred who watch are shown what one reading makes, until something happens;
// who has other rights or words gets their own.
func TestParts(t *testing.T) {
	var keeper *counted
	p := newPages(t, func(o *Options) { keeper = &counted{Keeper: o.Books}; o.Books = keeper })
	all := func() {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				_, page := p.ask(ann, "GET", "/", nil, "Stump-Part", "live")
				if !strings.HasPrefix(strings.TrimSpace(page), `<div id="live">`) || strings.Contains(page, "<header") {
					t.Error(page)
				}
			})
		}
		wg.Wait()
	}
	all()
	if n := keeper.reads.Load(); n != 1 {
		t.Errorf("the loans were read %d times", n)
	}
	_, page := p.ask(root, "GET", "/", nil, "Stump-Part", "live")
	p.has("an admin's", page, `href="/people/ann"`)
	_, page = p.ask(ann, "GET", "/", nil, "Stump-Part", "live", "Accept-Language", "de")
	p.has("a German's", page, "überfällig", "!/people/")
	_, page = p.ask(visitor, "GET", "/", nil, "Stump-Part", "live")
	p.has("a visitor's", page, "!Ann Okafor")
	p.give("quest 3", "ann", noon)
	all()
	_, page = p.ask(ann, "GET", "/", nil, "Stump-Part", "live")
	p.has("afterwards", page, `data-device="quest 3" data-person="ann"`)
	_, page = p.ask(ann, "GET", "/", nil)
	p.has("the whole", page, "<header", "Ann Okafor</span>")
}

// BenchmarkBoard is the board of 200 loans: what it takes to make what all who watch are
// shown, and how large that and the first view of an admin are, packed.
func BenchmarkBoard(b *testing.B) {
	p := newPages(b, nil)
	for i := range 198 {
		id := fmt.Sprint("device-", i)
		if err := p.books.AddDevice(books.Device{ID: id, Name: fmt.Sprintf("Device %d of the lab", i), Kind: "phone"}, checkout.Tag{}, "root", checkout.SourceCLI); err != nil {
			b.Fatal(err)
		}
		person := fmt.Sprint("person-", i)
		if err := p.books.AddPerson(books.Person{ID: person, Name: fmt.Sprintf("Person %d", i)}, checkout.Tag{}, "root", checkout.SourceCLI); err != nil {
			b.Fatal(err)
		}
		p.give(id, person, noon.Add(-time.Duration(i)*time.Hour))
	}
	var size int
	for b.Loop() {
		p.parts.forget()
		w, _ := p.ask(root, "GET", "/", nil, "Accept-Encoding", "gzip", "Stump-Part", "live")
		size = w.Body.Len()
	}
	w, _ := p.ask(root, "GET", "/", nil, "Accept-Encoding", "gzip")
	first := w.Body.Len()
	z, err := gzip.NewReader(w.Body)
	p.ok(err)
	text, err := io.ReadAll(z)
	p.ok(err)
	for _, file := range regexp.MustCompile(`/assets/[^"]+`).FindAllString(string(text), -1) {
		w, _ := p.ask(root, "GET", file, nil, "Accept-Encoding", "gzip")
		first += w.Body.Len()
	}
	b.ReportMetric(float64(size), "B/refresh")
	b.ReportMetric(float64(first), "B/first-view")
}

// form is a form with a file, as a browser sends it.
func (p *pages) upload(fields map[string]string, file string) (*httptest.ResponseRecorder, string) {
	p.Helper()
	var body bytes.Buffer
	m := multipart.NewWriter(&body)
	for name, value := range fields {
		p.ok(m.WriteField(name, value))
	}
	if file != "" {
		part, err := m.CreateFormFile("file", "x.csv")
		p.ok(err)
		_, err = io.WriteString(part, file)
		p.ok(err)
	}
	p.ok(m.Close())
	r := httptest.NewRequestWithContext(identity.With(p.Context(), root), "POST", "/import", &body)
	r.Header.Set("Content-Type", m.FormDataContentType())
	w := httptest.NewRecorder()
	p.ok(p.importFile(w, r))
	return w, w.Body.String()
}

func TestImport(t *testing.T) {
	type asked struct {
		kind  checkout.SubjectKind
		file  string
		pairs []string
		dry   bool
	}
	var got []asked
	p := newPages(t, func(o *Options) {
		o.Import = func(_ *http.Request, kind checkout.SubjectKind, file io.Reader, pairs []string, dry bool) (imports.Result, error) {
			b, err := io.ReadAll(file)
			got = append(got, asked{kind, string(b), pairs, dry})
			return imports.Result{Added: 2, Warning: "<careful>", Changes: []books.ImportChange{{ID: "x", What: "name: A → B"}}}, err
		}
	})
	const file = "Login,Full Name,Shoe <size>\na,A,44\n"
	w, page := p.upload(map[string]string{"kind": "person", "do": "look"}, file)
	p.has("looked at", page, "2 new, 0 changed, 0 as before", "&lt;careful&gt;", "name: A → B", "Shoe &lt;size&gt;", `value="import"`)
	if w.Code != http.StatusOK || p.changed != 0 {
		t.Errorf("%d, told %d times", w.Code, p.changed)
	}
	data := regexp.MustCompile(`name="data" value="([^"]+)"`).FindStringSubmatch(page)[1]
	_, page = p.upload(map[string]string{"kind": "person", "do": "import", "data": data, "column-0": "id", "column-1": "name", "column-2": "-"}, "")
	p.has("imported", page, "2 new", `type="file"`, "!"+data)
	want := []asked{
		{checkout.KindPerson, file, []string{"Login=-", "Full Name=name", "Shoe <size>=-"}, true},
		{checkout.KindPerson, file, []string{"Login=id", "Full Name=name", "Shoe <size>=-"}, false},
	}
	if !reflect.DeepEqual(got, want) || p.changed != 1 {
		t.Errorf("%+v, want %+v; told %d times", got, want, p.changed)
	}
	for name, tt := range map[string]struct {
		fields map[string]string
		file   string
		says   string
	}{
		"no file":            {map[string]string{"do": "look"}, "", "There is no file."},
		"an empty file":      {map[string]string{"do": "look"}, "\n", "No header"},
		"too large":          {map[string]string{"do": "look"}, strings.Repeat("x", imports.MaxFile+1), "more than 1024 kB"},
		"much too large":     {map[string]string{"do": "look"}, strings.Repeat("x", 3*imports.MaxFile), "more than 1024 kB"},
		"a form that is bad": {map[string]string{"do": "import", "data": "%%%"}, "", "The form has lost its file"},
	} {
		w, page := p.upload(tt.fields, tt.file)
		if p.has(name, page, tt.says, `role="alert"`); w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	p.o.Import = func(*http.Request, checkout.SubjectKind, io.Reader, []string, bool) (imports.Result, error) {
		return imports.Result{}, hint.Errorf("correct them", "import: %w", &books.BadLines{Lines: []*books.RowError{{Line: 2, Err: errors.New("<bad>")}, {Line: 4, Err: errors.New("Worse")}}, More: 7})
	}
	w, page = p.upload(map[string]string{"kind": "device", "do": "import"}, "id,name\na,A\n")
	if p.has("bad lines", page, "&lt;bad&gt;", "Worse", "+ 7", "!value=\"import\""); w.Code != http.StatusUnprocessableEntity {
		t.Error(w.Code)
	}
}

func TestAudit(t *testing.T) {
	access := identity.Open(t.TempDir(), identity.Options{Now: func() time.Time { return noon }})
	p := newPages(t, func(o *Options) { o.Access = access })
	access.Refuse(identity.Refusal{What: "login", Address: "10.0.0.9", Call: "POST /<login>"})
	_, err := p.books.Complete(checkout.Completion{
		Person: checkout.Subject{Kind: checkout.KindPerson, ID: "ben"}, Device: checkout.Subject{Kind: checkout.KindDevice, ID: "quest 3"}, Reader: "door",
	})
	p.ok(err)
	_, page := p.ask(root, "GET", "/audit", nil)
	p.has("audit", page, "root <span class=\"dim\">cli</span>", "iPad &amp; Pen", "10.0.0.9", "POST /&lt;login&gt;", "!Quest", "Nobody looked at")

	// Who looked at whom is shown by name, and all of it can be searched.
	access.Looked(identity.Look{Name: "tess", Source: "api", What: "history", Person: "ben"})
	access.Looked(identity.Look{Name: "root", Source: "cli", What: "history", Person: identity.Everybody})
	access.Looked(identity.Look{Name: "root", Source: "web", What: "dossier", Person: "gone"})
	_, page = p.ask(root, "GET", "/audit", nil)
	p.has("looks", page, "tess <span class=\"dim\">api</span>", "Ben &lt;b&gt;Lindqvist&lt;/b&gt;", "<td>history</td>", "everybody", "gone", "!Nobody looked at")
	_, page = p.ask(root, "GET", "/audit?q=lindqvist", nil)
	p.has("who looked at Ben", page, "tess <span", "Pixel 9", "!dossier", "!iPad &amp; Pen", "!10.0.0.9", "Nothing is called that.")
	_, page = p.ask(root, "GET", "/audit?q=10.0.0.9", nil)
	p.has("an address", page, "POST /&lt;login&gt;", "!Pixel", "!tess <span")
	_, page = p.ask(root, "GET", "/audit?q=auskunft", nil, "Accept-Language", "de")
	p.has("in German", page, "<td>Auskunft</td>", "Wer bei anderen nachgesehen hat", "!<td>Verlauf</td>")
}

func TestSettings(t *testing.T) {
	access := identity.Open(t.TempDir(), identity.Options{Now: func() time.Time { return noon }})
	var left []string
	p := newPages(t, func(o *Options) {
		o.Access, o.Leave = access, func(id string) { left = append(left, id) }
		o.Settings.Config = func(w io.Writer) error { _, err := io.WriteString(w, "station = \"<lab>\"\n"); return err }
	})
	_, page := p.ask(root, "GET", "/settings", nil)
	p.has("settings", page, "station = &#34;&lt;lab&gt;&#34;", "Make a token", "!Revoke</button>")
	_, page = p.ask(root, "POST", "/settings/tokens", url.Values{"name": {"wall"}, "role": {"board"}, "expires": {"2027-01-31"}})
	secret := regexp.MustCompile(`<code>([^<]+)</code>`).FindStringSubmatch(page)
	if secret == nil {
		t.Fatal(page)
	}
	if who, err := access.Bearer(secret[1]); err != nil || who.Role != identity.Board {
		t.Errorf("the token is %+v's, %v", who, err)
	}
	if all := access.Tokens(); len(all) != 1 || all[0].By != "root" || !all[0].Expires.Equal(time.Date(2027, 1, 31, 23, 59, 0, 0, time.UTC)) {
		t.Errorf("%+v", all)
	}
	_, page = p.ask(root, "GET", "/settings", nil)
	p.has("afterwards", page, "wall", "31 Jan 2027", "!"+secret[1])
	for name, form := range map[string]url.Values{
		"the same name": {"name": {"wall"}, "role": {"staff"}}, "no such role": {"name": {"x"}, "role": {"king"}}, "no day": {"name": {"y"}, "role": {"staff"}, "expires": {"soon"}},
	} {
		w, page := p.ask(root, "POST", "/settings/tokens", form)
		if p.has(name, page, `role="alert"`, fmt.Sprintf("value=%q", form.Get("name"))); w.Code != http.StatusConflict || len(access.Tokens()) != 1 {
			t.Errorf("%s: %d, %d tokens", name, w.Code, len(access.Tokens()))
		}
	}
	if w, _ := p.ask(root, "POST", "/settings/tokens/revoke", url.Values{"name": {"wall"}}); w.Code != http.StatusSeeOther || len(access.Tokens()) != 0 || !reflect.DeepEqual(left, []string{"token:wall"}) {
		t.Errorf("%d, %d tokens, %v", w.Code, len(access.Tokens()), left)
	}
	if w, page := p.ask(root, "POST", "/settings/tokens/revoke", url.Values{"name": {"wall"}}); w.Code != http.StatusConflict {
		t.Errorf("again: %d %s", w.Code, page)
	}
}

// TestSettingsOfTheStation: what a start with the file as it is now would say, who is logged
// in and may be logged out, what roles may, and a mail to who asks.
func TestSettingsOfTheStation(t *testing.T) {
	access := identity.Open(t.TempDir(), identity.Options{Now: func() time.Time { return noon }})
	var left []string
	var wrong error
	var mails []books.Person
	steps := []call.Step{{Name: "connect", Measured: "mail.lab answers in 3 ms"}, {Name: "login", Outcome: call.Outcome{Verdict: call.BadConfig, Reason: "mail.lab refuses <the> login", Remedy: "check mail.user"}}}
	p := newPages(t, func(o *Options) {
		o.Access, o.Leave = access, func(id string) { left = append(left, id) }
		o.Settings.Check = func() (string, error) { return "/etc/stump.toml is right\n", wrong }
	})
	_, page := p.ask(root, "GET", "/settings", nil)
	p.has("settings", page, "/etc/stump.toml is right", "The file is right.", "No mails are sent", "looks after readers", "!The station would not start")
	wrong = errors.Join(hint.Errorf("use 8443", "/etc/stump.toml:3: web.listen: %q is not a port", "<x>"), errors.New("[web] is empty"))
	_, page = p.ask(root, "GET", "/settings", nil)
	p.has("a wrong file", page, "The station would not start:", "<b>/etc/stump.toml:3: web.listen:", "&#34;&lt;x&gt;&#34; is not a port", "use 8443", "[web] is empty", "!The file is right.")

	w, page := p.ask(root, "POST", "/settings/mail", nil)
	if p.has("no mails", page, "No mails are sent"); w.Code != http.StatusConflict {
		t.Error(w.Code)
	}
	p.o.Settings.Mail = func(_ context.Context, to books.Person) []call.Step { mails = append(mails, to); return steps }
	chief := ann
	chief.Role = identity.Admin
	_, page = p.ask(root, "GET", "/settings", nil)
	p.has("no address", page, "log in as somebody who has a mail address", "!action=\"/settings/mail\"")
	_, page = p.ask(chief, "GET", "/settings", nil)
	p.has("an address", page, "A test message to you, at ann@lab.example.", "action=\"/settings/mail\"", "!mail.lab answers")
	_, page = p.ask(chief, "POST", "/settings/mail", nil)
	p.has("a mail", page, "mail.lab answers in 3 ms", "<b>works</b>", "mail.lab refuses &lt;the&gt; login", "check mail.user")
	if len(mails) != 1 || mails[0].Email != "ann@lab.example" {
		t.Errorf("mails to %+v", mails)
	}

	_, page = p.ask(root, "GET", "/settings", nil)
	p.has("nobody has logged in", page, "!sessions/end")
	access.Login(chief)
	secret := access.Login(tess)
	who, err := access.Session(secret)
	p.ok(err)
	chief.ID = access.Sessions()[0].ID
	_, page = p.ask(chief, "GET", "/settings", nil)
	p.has("sessions", page, "tess", "Ann Okafor", "this browser", who.ID, "!"+secret)
	w, _ = p.ask(chief, "POST", "/settings/sessions/end", url.Values{"id": {who.ID}})
	if _, err := access.Session(secret); err == nil || w.Code != http.StatusSeeOther || !slices.Equal(left, []string{who.ID}) {
		t.Errorf("%d, %v, %v", w.Code, err, left)
	}
	if list := access.Sessions(); len(list) != 1 || list[0].Name != "Ann Okafor" {
		t.Errorf("%+v", list)
	}
}

func TestLabels(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(root, "GET", "/labels?sheet=65&skip=3", nil)
	p.has("labels", page, `class="labels sheet-65"`, "iPad &amp; Pen", "quest 3")
	if n := strings.Count(page, `class="gone"`); n != 3 {
		t.Errorf("%d labels are passed over", n)
	}
	if n := strings.Count(page, `class="qr"`); n != 3 {
		t.Errorf("%d codes", n)
	}
	_, page = p.ask(root, "GET", "/labels?q=pixel&sheet=7&skip=-1", nil)
	p.has("of one", page, `class="labels sheet-24"`, "Pixel 9", "!quest 3", "!class=\"gone\"")
}
