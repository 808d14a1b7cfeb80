package console

import (
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
	"stump/internal/identity"
)

var ben = identity.Principal{Name: "Ben", Role: identity.Staff, Person: "ben", Source: checkout.SourceWeb}

// reserved is what is reserved: "ann ipad 4 Dec 09:00-4 Dec 11:00", or "-" for the line.
func (p *pages) reserved() string {
	p.Helper()
	var all []string
	for r, err := range p.books.Reservations(books.ReservationFilter{}) {
		p.ok(err)
		when := "-"
		if !r.From.IsZero() {
			when = r.From.UTC().Format("2 15:04") + "-" + r.To.UTC().Format("2 15:04")
		}
		all = append(all, r.PersonID+" "+r.DeviceID+r.Kind+" "+when)
	}
	return strings.Join(all, ", ")
}

// newest is the last event of a kind: who is said to have done it, and the note.
func (p *pages) newest(kind checkout.Kind) (e books.Entry) {
	p.Helper()
	for got, err := range p.books.History(books.HistoryFilter{}) {
		if p.ok(err); got.Kind == kind {
			e = got
		}
	}
	return e
}

func wish(what, from, to string, more ...string) url.Values {
	v := url.Values{"what": {what}, "from": {from}, "to": {to}}
	for i := 0; i < len(more); i += 2 {
		v.Set(more[i], more[i+1])
	}
	return v
}

// TestReserving: staff reserve and cancel for themselves, admins for all; who did it is in
// the history.
func TestReserving(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(ann, "GET", "/reservations", nil)
	p.has("an empty page", page, "Nothing is reserved.", `name="from" value="2026-12-01T13:00"`, `name="to" value="2026-12-02T13:00"`, "!name=\"person\"", `<option value="kind:phone">phone</option>`,
		`<option value="device:quest 3">Quest</option>`, `aria-current="page"`)
	_, page = p.ask(tess, "GET", "/reservations", nil)
	p.has("who is in no register", page, "Nothing is reserved.", "!<form method=\"post\" action=\"/reservations\"")
	post := func(who identity.Principal, path string, form url.Values, to string) {
		t.Helper()
		before := p.changed
		if w, page := p.ask(who, "POST", path, form); w.Code != http.StatusSeeOther || w.Header().Get("Location") != to || p.changed == before {
			t.Fatalf("%s: %d %v\n%s", path, w.Code, w.Header(), page)
		}
	}
	post(ann, "/reservations", wish("device:quest 3", "2026-12-04T09:00", "2026-12-04T11:00", "note", "a talk"), "/reservations?saved")
	if e := p.newest(checkout.Reserve); e.Person != "ann" || e.Actor != "ann" || e.Source != checkout.SourceWeb || e.Note != "a talk" {
		t.Errorf("%+v", e)
	}
	post(root, "/reservations", wish("kind:phone", "2026-12-20T09:00", "2026-12-20T11:00", "person", "ann", "weekly", "2027-01-03"), "/reservations?saved")
	if e := p.newest(checkout.Reserve); e.Person != "ann" || e.Actor != "root" {
		t.Errorf("%+v", e)
	}
	post(ben, "/devices/ipad/reserve", url.Values{"line": {"1"}}, "/devices/ipad?saved")
	const all = "ben ipad -, ann quest 3 4 09:00-4 11:00, ann phone 20 09:00-20 11:00, ann phone 27 09:00-27 11:00, ann phone 3 09:00-3 11:00"
	if got := p.reserved(); got != all {
		t.Errorf("%s\nwant %s", got, all)
	}

	_, page = p.ask(ann, "GET", "/reservations", nil)
	p.has("the page", page, "Who is next", "<td>1. Ben", "with Ann Okafor", "The next 7 days", "Fri 09:00", "Fri 11:00", "Later", "any phone", "each week until 3 Jan 2027<", "3 Jan 2027 09:00 – 3 Jan 2027 11:00", "Cancel all 3", "Ben &lt;b&gt;", "!/people/")
	if n := strings.Count(page, `<form method="post" action="/reservations/cancel">`); n != 5 { // hers, and all weeks at once
		t.Errorf("she can cancel %d times", n)
	}
	for at, wants := range map[string][]string{
		"?q=quest": {"Fri 09:00", "!any phone"}, "?q=BEN": {"with Ann", "!Fri 09:00"}, "?what=kind:phone": {"any phone", "!Fri 09:00", `<option value="kind:phone" selected>`},
		"?what=kind:tablet": {"with Ann", "!any phone"}, "?what=device:quest%203": {"Fri 09:00", "!any phone"}, "?what=device:none": {"Nothing is called that"}, "?q=%3Cb%3E": {"with Ann Okafor", "!Fri 09:00"},
	} {
		_, page := p.ask(ben, "GET", "/reservations"+at, nil)
		p.has(at, page, wants...)
	}
	_, page = p.ask(ben, "GET", "/devices/ipad", nil)
	p.has("the device's page", page, "Reservations", "in line, place 1", `action="/devices/ipad/reserve"`, `name="from" value="2026-12-15T12:00"`, "!name=\"person\"") // when it should be back
	_, page = p.ask(root, "GET", "/devices/ipad", nil)
	p.has("to an admin", page, `href="/people/ben"`, `name="person" list="people"`)
	_, page = p.ask(ann, "GET", "/my", nil)
	p.has("one's own", page, "Reservations", "Fri 09:00", "<td data-is=\"Device\">phone</td><td>20 Dec 09:00 – 20 Dec 11:00</td>", "<td>Fri 09:00 – Fri 11:00, a talk</td>", "Cancel all 3", `<input type="hidden" name="back" value="/my">`, `href="/reservations#reserve"`, `href="/devices/ipad#report"`, "!With Ann")
	_, page = p.ask(root, "GET", "/people/ann", nil)
	p.has("a person's", page, "Fri 09:00", `name="back" value="/people/ann"`, "!/extend")

	ids := regexp.MustCompile(`name="id" value="(\d+)"`).FindAllStringSubmatch(page, -1)
	post(ann, "/reservations/cancel", url.Values{"id": {ids[0][1]}, "back": {"/my"}}, "/my?saved")
	if e := p.newest(checkout.Cancel); e.Actor != "ann" || e.Device != "quest 3" {
		t.Errorf("%+v", e)
	}
	weeks := url.Values{"back": {"https://evil.example"}}
	for _, id := range ids {
		weeks.Add("id", id[1])
	}
	post(root, "/reservations/cancel", weeks, "/reservations?saved")
	if got := p.reserved(); got != "ben ipad -" {
		t.Errorf("what is left: %s", got)
	}
}

// TestRefusedReservations: the page says why in its language, what was typed is there, and
// nothing is reserved.
func TestRefusedReservations(t *testing.T) {
	p := newPages(t, nil)
	_, err := p.books.Reserve(books.Booking{Device: "quest 3", Person: "ben", Actor: "root", From: noon.AddDate(0, 0, 3), To: noon.AddDate(0, 0, 5)})
	p.ok(err)
	p.ok(p.books.AddDevice(books.Device{ID: "go", Name: "Quest Go"}, checkout.Tag{}, "root", checkout.SourceCLI))
	before, changed := p.reserved(), p.changed
	const from, to = "2026-12-04T13:00", "2026-12-04T15:00"
	for name, tt := range map[string]struct {
		who    identity.Principal
		path   string
		form   url.Values
		says   []string
		header []string
	}{
		"taken":                {ann, "/reservations", wish("device:quest 3", from, to, "note", "my words"), []string{"Quest is reserved for Ben &lt;b&gt;Lindqvist&lt;/b&gt;, Fri 12:00 to Sun 12:00.", "Free then: Quest Go.", `value="my words"`, `<option value="device:quest 3" selected>`, `value="2026-12-04T13:00"`}, nil},
		"taken, in German":     {ann, "/reservations", wish("device:quest 3", from, to), []string{"Quest ist für Ben", "Dann frei: Quest Go."}, []string{"Accept-Language", "de"}},
		"taken, on its page":   {ann, "/devices/quest%203/reserve", wish("", from, to, "note", "my words"), []string{"Quest is reserved for Ben", "Free then: Quest Go.", `value="my words"`, `action="/devices/quest%203/reserve"`}, nil},
		"lent":                 {ben, "/reservations", wish("device:ipad", from, to), []string{"iPad &amp; Pen is with Ann Okafor until 15 Dec 11:00. Reserve it from then on."}, nil},
		"no phone":             {ann, "/reservations", wish("kind:fax", from, to), []string{"No device in use is of the kind fax."}, nil},
		"backwards":            {ann, "/reservations", wish("device:go", to, from), []string{"It would be over before it begins."}, nil},
		"too long":             {ann, "/reservations", wish("device:go", from, "2027-12-04T13:00"), []string{"A reservation lasts 92 days at most."}, nil},
		"half":                 {ann, "/reservations", wish("device:go", from, ""), []string{"One of the times is missing."}, nil},
		"neither":              {ann, "/reservations", wish("device:go", "", ""), []string{"One of the times is missing."}, nil},
		"no time":              {ann, "/reservations", wish("device:go", "<soon>", to), []string{"&lt;soon&gt; is no time."}, nil},
		"no day":               {ann, "/reservations", wish("device:go", from, to, "weekly", "soon"), []string{"soon is no day. Write it as 2026-12-04."}, nil},
		"nothing":              {ann, "/reservations", wish("", from, to), []string{"Nothing is chosen."}, nil},
		"for another":          {ann, "/reservations", wish("device:go", from, to, "person", "ben"), []string{"Here everybody reserves for themselves."}, nil},
		"for nobody known":     {root, "/reservations", wish("device:go", from, to, "person", "Zoe <i>"), []string{"Zoe &lt;i&gt;"}, nil},
		"who has it":           {ann, "/reservations", wish("device:ipad", "", "", "line", "1"), []string{"Ann Okafor has iPad &amp; Pen. Extend the loan."}, nil},
		"another's":            {ann, "/reservations/cancel", url.Values{"id": {"99"}}, []string{"That reservation has ended already."}, nil},
		"no id of one":         {ann, "/reservations/cancel", url.Values{"id": {"x"}}, []string{"That reservation has ended already."}, nil},
		"a note with controls": {ann, "/reservations", wish("device:go", from, to, "note", "a\x1bb"), []string{`role="alert"`}, nil},
	} {
		w, page := p.ask(tt.who, "POST", tt.path, tt.form, tt.header...)
		if p.has(name, page, append(tt.says, `role="alert"`)...); w.Code != http.StatusConflict {
			t.Errorf("%s: %d", name, w.Code)
		}
	}
	_, page := p.ask(root, "GET", "/reservations", nil)
	id := regexp.MustCompile(`name="id" value="(\d+)"`).FindStringSubmatch(page)[1]
	w, page := p.ask(ann, "POST", "/reservations/cancel", url.Values{"id": {id}})
	if p.has("another's", page, "Somebody else has made this reservation."); w.Code != http.StatusConflict {
		t.Errorf("another's: %d", w.Code)
	}
	if got := p.reserved(); got != before || p.changed != changed {
		t.Errorf("%s, before %s; told %d times", got, before, p.changed-changed)
	}
	if w, _ := p.ask(ann, "POST", "/devices/nothing/reserve", nil); w.Code != http.StatusNotFound {
		t.Errorf("a device that is not there: %d", w.Code)
	}
}

// TestReportFault: who has a device says what is wrong with it, once, and nobody else.
func TestReportFault(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(ann, "GET", "/devices/ipad", nil)
	p.has("who has it", page, `action="/devices/ipad/report"`, `id="report"`)
	now := revision.FindStringSubmatch(page)[1]
	fault := url.Values{"revision": {now}, "condition": {"incomplete"}, "words": {" no pen "}}
	if w, page := p.ask(ben, "POST", "/devices/ipad/report", fault); w.Code != http.StatusPreconditionFailed {
		t.Errorf("another: %d %s", w.Code, page)
	}
	w, page := p.ask(ann, "POST", "/devices/ipad/report", fault)
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/devices/ipad?saved" || p.changed != 1 {
		t.Fatalf("%d %v %s", w.Code, w.Header(), page)
	}
	d, err := p.books.FindDevice("ipad")
	p.ok(err)
	e := p.newest(checkout.Correct)
	if got := fmt.Sprint(d.Condition, "; ", e.Actor, " ", e.Source, " ", e.Device, ": ", e.Note); got != "incomplete: no pen; ann web ipad: condition: incomplete: no pen" {
		t.Errorf("%s", got)
	}
	if !checkout.NeedsRepair(d.Condition) {
		t.Errorf("%q needs no repair", d.Condition)
	}
	w, page = p.ask(ann, "POST", "/devices/ipad/report", url.Values{"revision": {now}, "condition": {"damaged"}, "words": {"again"}})
	if p.has("a page from before", page, "It has changed meanwhile", `value="again"`); w.Code != http.StatusPreconditionFailed {
		t.Errorf("a page from before: %d", w.Code)
	}
	_, page = p.ask(ann, "GET", "/devices/ipad", nil)
	w, page = p.ask(ann, "POST", "/devices/ipad/report", url.Values{"revision": {revision.FindStringSubmatch(page)[1]}, "condition": {"ok"}, "words": {"a\x1bb"}})
	if p.has("words with controls", page, `role="alert"`); w.Code != http.StatusConflict {
		t.Errorf("words with controls: %d", w.Code)
	}
	_, page = p.ask(root, "GET", "/devices/ipad", nil)
	p.has("an admin who has it not", page, "incomplete: no pen", "!/report\"")
}

// TestExtendFromMine leads back to one's own devices.
func TestExtendFromMine(t *testing.T) {
	p := newPages(t, nil)
	_, page := p.ask(ann, "GET", "/my", nil)
	p.has("mine", page, `action="/devices/ipad/extend"`)
	w, _ := p.ask(ann, "POST", "/devices/ipad/extend", url.Values{"revision": {revision.FindStringSubmatch(page)[1]}, "back": {"/my"}})
	if w.Code != http.StatusSeeOther || w.Header().Get("Location") != "/my?saved" {
		t.Errorf("%d %v", w.Code, w.Header())
	}
	for l, err := range p.books.Loans(books.LoanFilter{Device: "ipad"}) {
		if p.ok(err); !l.Due.Equal(noon.Add(-time.Hour).AddDate(0, 0, 28)) {
			t.Errorf("due %v", l.Due)
		}
	}
}
