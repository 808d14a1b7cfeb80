package endpoints

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
)

var (
	annBadge = testkit.Tag(91234, 26)
	bobBadge = testkit.Tag(7654321, 26)
	ipadTag  = testkit.Tag(8123456, 26)
)

// hashed is a badge number as it is sent.
func hashed(tag checkout.Tag) string {
	return fmt.Sprintf("%x", sha256.Sum256([]byte("salt"+tag.Decimal())))
}

// script is a server that gives its answers one after the other, the last one again
// and again, and notes the calls.
type script struct {
	answers []string
	calls   []string // path and query, badges by name
}

func (s *script) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	names := strings.NewReplacer(hashed(annBadge), "ANN", hashed(bobBadge), "BOB")
	s.calls = append(s.calls, names.Replace(r.URL.String()))
	answer := s.answers[0]
	if len(s.answers) > 1 {
		s.answers = s.answers[1:]
	}
	var status int
	if n, _ := fmt.Sscanf(answer, "HTTP %d", &status); n == 1 {
		w.WriteHeader(status)
		return
	}
	io.WriteString(w, answer)
}

// open returns a directory that speaks to a script.
func open(t *testing.T, change func(*Config), answers ...string) (*script, *Endpoints) {
	t.Helper()
	s := &script{answers: answers}
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	cfg := Config{CheckInOut: srv.URL + "/io?s={staff}&a={asset}", WhatIs: srv.URL + "/what?t={tag}", Associate: srv.URL + "/give?w={who}&t={tag}", HashString: "salt"}
	if change != nil {
		change(&cfg)
	}
	e, err := New(cfg, call.HTTP{Proxy: "none"})
	if err != nil {
		t.Fatal(err)
	}
	return s, e
}

// delivery is about Ann (or Bob, from Ann) and the iPad.
func delivery(kind checkout.Kind) call.Delivery {
	d := call.Delivery{
		Event: checkout.Event{
			Seq: 1, ID: uuid.MustParse("01931f5e-7a00-7000-8000-000000000007"), Kind: kind, Person: "ann", PersonName: "Ann", Device: "ipad", DeviceName: "iPad",
		},
		PersonTag: annBadge, DeviceTag: ipadTag,
	}
	if kind == checkout.Handover {
		d.Event.Person, d.Event.PersonName, d.PersonTag = "bob", "Bob", bobBadge
		d.Event.From, d.Event.FromName, d.FromTag = "ann", "Ann", annBadge
	}
	return d
}

const (
	out     = `{"response":"Somebody checked out iPad"}`
	in      = `{"response":"Somebody checked in iPad"}`
	works   = `{"error":"RFID did not match known values"}`
	page    = "<html>log in</html>"
	ioByAnn = "/io?s=ANN&a=8123456"
	ioByBob = "/io?s=BOB&a=8123456"
	probe   = "/what?t=0"
)

// Which calls an event takes, and what their answers mean.
func TestDeliver(t *testing.T) {
	byAnother := delivery(checkout.Handover) // Bob brings back what Ann had
	byAnother.Event.Kind = checkout.Return
	lost := delivery(checkout.Handover)
	lost.Event.Kind = checkout.Lost
	half := delivery(checkout.Handover)
	half.Step = "returned"
	noBadge, noTag, nobody := delivery(checkout.Checkout), delivery(checkout.Checkout), delivery(checkout.Checkout)
	noBadge.PersonTag, noTag.DeviceTag = checkout.Tag{}, checkout.Tag{}
	nobody.PersonTag, nobody.Event.PersonName = checkout.Tag{}, ""
	for name, tc := range map[string]struct {
		d       call.Delivery
		answers []string
		calls   []string
		want    call.Outcome
	}{
		"check-out":         {delivery(checkout.Checkout), []string{out}, []string{ioByAnn}, call.Outcome{}},
		"return":            {delivery(checkout.Return), []string{in}, []string{ioByAnn}, call.Outcome{}},
		"return by another": {byAnother, []string{in}, []string{ioByAnn}, call.Outcome{}},
		"lost":              {lost, []string{in}, []string{ioByAnn}, call.Outcome{}},
		"lost on the shelf": {delivery(checkout.Lost), []string{in}, nil, call.Outcome{Verdict: call.Unwanted}},
		"hand-over":         {delivery(checkout.Handover), []string{in}, []string{ioByAnn}, call.Outcome{Verdict: call.Part, Step: "returned"}},
		"hand-over, then":   {half, []string{out}, []string{ioByBob}, call.Outcome{}},
		"enrolment":         {delivery(checkout.Enrol), []string{out}, nil, call.Outcome{Verdict: call.Unwanted}},
		"unknown there":     {delivery(checkout.Checkout), []string{`{"error":"Unknown Device"}`}, []string{ioByAnn}, call.Outcome{Verdict: call.Refused, Reason: "the directory says: Unknown Device"}},
		"no badge":          {noBadge, []string{out}, nil, call.Outcome{Verdict: call.Refused, Reason: "the badge number of Ann is not known here, and the directory needs it"}},
		"nobody's badge":    {nobody, []string{out}, nil, call.Outcome{Verdict: call.Refused, Reason: "the badge number of the person is not known here, and the directory needs it"}},
		"no tag":            {noTag, []string{out}, nil, call.Outcome{Verdict: call.Refused, Reason: "the tag number of iPad is not known here, and the directory needs it"}},
		"the other way":     {delivery(checkout.Return), []string{out}, []string{ioByAnn}, call.Outcome{Verdict: call.Conflict, Reason: "this was a return, and the directory says: Somebody checked out iPad", Theirs: &books.Holding{ID: "ann", Name: "Ann"}}},
		"in instead of out": {delivery(checkout.Checkout), []string{in}, []string{ioByAnn}, call.Outcome{Verdict: call.Conflict, Reason: "this was a checkout, and the directory says: Somebody checked in iPad", Theirs: &books.Holding{Free: true}}},
		"neither":           {delivery(checkout.Checkout), []string{`{"response":"ok"}`}, []string{ioByAnn}, call.Outcome{Verdict: call.Conflict, Reason: `the directory says "ok", which is neither in nor out`}},
		"500":               {delivery(checkout.Checkout), []string{"HTTP 500"}, []string{ioByAnn}, call.Outcome{Verdict: call.InDoubt, Reason: "HOST failed (500 Internal Server Error)"}},
		"503 of a dead PHP": {delivery(checkout.Checkout), []string{"HTTP 503"}, []string{ioByAnn}, call.Outcome{Verdict: call.InDoubt, Reason: "HOST failed (503 Service Unavailable)"}},
		"429":               {delivery(checkout.Checkout), []string{"HTTP 429"}, []string{ioByAnn}, call.Outcome{Verdict: call.Down, Reason: "HOST asks to wait (429 Too Many Requests)"}},
		"401":               {delivery(checkout.Checkout), []string{"HTTP 401"}, []string{ioByAnn}, call.Outcome{Verdict: call.BadConfig, Reason: "HOST denies access (401 Unauthorized)"}},
		"half an answer":    {delivery(checkout.Checkout), []string{`{"resp`}, []string{ioByAnn}, call.Outcome{Verdict: call.InDoubt, Reason: "HOST answers with something that is not its usual JSON"}},
		"nothing":           {delivery(checkout.Checkout), []string{`{}`}, []string{ioByAnn}, call.Outcome{Verdict: call.InDoubt, Reason: "HOST answers with something that is not its usual JSON"}},
		"a login page":      {delivery(checkout.Checkout), []string{page}, []string{ioByAnn, probe}, call.Outcome{Verdict: call.BadConfig, Reason: "HOST answers with a web page, such as a login"}},
		"a script's page":   {delivery(checkout.Checkout), []string{page, works}, []string{ioByAnn, probe}, call.Outcome{Verdict: call.InDoubt, Reason: "HOST answers with a web page"}},
	} {
		s, e := open(t, nil, tc.answers...)
		o := e.Deliver(t.Context(), tc.d)
		u, _ := url.Parse(e.cfg.WhatIs)
		o.Reason, o.Remedy = strings.ReplaceAll(o.Reason, u.Host, "HOST"), ""
		theirs := o.Theirs
		if o.Theirs = tc.want.Theirs; (theirs == nil) != (o.Theirs == nil) || theirs != nil && *theirs != *o.Theirs {
			t.Errorf("%s: the device is with %+v, want %+v", name, theirs, tc.want.Theirs)
		}
		if o != tc.want || !slices.Equal(s.calls, tc.calls) {
			t.Errorf("%s: %+v after %q, want %+v after %q", name, o, s.calls, tc.want, tc.calls)
		}
	}
}

// A server that recognises events gets their ids, and is never in doubt.
func TestDeliverToAServerThatRecognisesEvents(t *testing.T) {
	s, e := open(t, func(c *Config) { c.EventParameter = "event id" }, in, "HTTP 500")
	if !e.Capabilities().Repeatable {
		t.Error("not repeatable")
	}
	d := delivery(checkout.Handover)
	if o := e.Deliver(t.Context(), d); o.Verdict != call.Part {
		t.Errorf("%+v", o)
	}
	d.Step = "returned"
	if o := e.Deliver(t.Context(), d); o.Verdict != call.Failing {
		t.Errorf("%+v", o)
	}
	id := "&event+id=" + d.Event.ID.String()
	if want := []string{ioByAnn + id + "-return", ioByBob + id}; !slices.Equal(s.calls, want) {
		t.Errorf("called %q, want %q", s.calls, want)
	}
	if got := addParameter("https://host/ANN/8123456", "id", "1"); got != "https://host/ANN/8123456?id=1" {
		t.Error(got)
	}
}

// Whoever looks must know which half of a hand-over was lost: the iPad on the
// shelf means "counted" after the first, and "not counted" after the second.
func TestIfCounted(t *testing.T) {
	_, e := open(t, nil, works)
	for _, tc := range []struct {
		kind             checkout.Kind
		step, next, want string
	}{
		{checkout.Checkout, "", "", "Ann has iPad there"},
		{checkout.Return, "", "", "iPad is back there"},
		{checkout.Handover, "", "returned", "iPad is back there"},
		{checkout.Handover, "returned", "", "Bob has iPad there"},
	} {
		d := delivery(tc.kind)
		d.Step = tc.step
		if got, next := e.IfCounted(d), e.NextStep(d); got != tc.want || next != tc.next {
			t.Errorf("%s, %q: %q, then %q; want %q, then %q", tc.kind, tc.step, got, next, tc.want, tc.next)
		}
	}
}

func TestWhatIs(t *testing.T) {
	human, device := `{"type":"human","name":" C\u0000 Benninger"}`, `{"type":"Device","name":"iPad"}`
	ann := books.SyncRow{Kind: checkout.KindPerson, Name: "C Benninger", Tag: annBadge}
	ipad := books.SyncRow{Kind: checkout.KindDevice, Name: "iPad", Tag: annBadge}
	asDevice, asPerson := "/what?t=91234", "/what?t=ANN"
	for name, tc := range map[string]struct {
		hint    checkout.SubjectKind
		answers []string
		calls   []string
		want    books.SyncRow
	}{
		"a person":         {checkout.KindPerson, []string{human}, []string{asPerson}, ann},
		"a device":         {checkout.KindDevice, []string{device}, []string{asDevice}, ipad},
		"no hint, device":  {checkout.Unknown, []string{device}, []string{asDevice}, ipad},
		"no hint, person":  {checkout.Unknown, []string{works, human}, []string{asDevice, asPerson}, ann},
		"unknown":          {checkout.Unknown, []string{works}, []string{asDevice, asPerson}, books.SyncRow{}},
		"without a name":   {checkout.KindPerson, []string{`{"type":"human"}`}, []string{asPerson}, books.SyncRow{}},
		"of another type":  {checkout.KindPerson, []string{`{"type":"cat","name":"Tom"}`}, []string{asPerson}, books.SyncRow{}},
		"called something": {checkout.KindPerson, []string{`{"type":"person","name":"C Benninger"}`}, []string{asPerson}, ann},
	} {
		s, e := open(t, nil, tc.answers...)
		got, err := e.WhatIs(t.Context(), annBadge, tc.hint)
		if err != nil || got != tc.want || !slices.Equal(s.calls, tc.calls) {
			t.Errorf("%s: %+v, %v after %q, want %+v after %q", name, got, err, s.calls, tc.want, tc.calls)
		}
	}
	_, e := open(t, nil, "HTTP 500")
	if _, err := e.WhatIs(t.Context(), annBadge, checkout.Unknown); !errors.Is(err, call.ErrOffline) {
		t.Errorf("%v, want it offline", err)
	}
	if o := e.Probe(t.Context()); o.Verdict != call.Down {
		t.Errorf("probe: %+v, want it down", o)
	}
}

func TestEnrol(t *testing.T) {
	given := `{"msg":"Tag associated"}`
	for name, tc := range map[string]struct {
		answers []string
		want    string
		err     error
	}{
		"with the server's spelling": {[]string{given, `{"type":"human","name":"C. Benninger"}`}, "C. Benninger", nil},
		"as it was typed":            {[]string{given, works}, "c benninger", nil},
		"unknown name":               {[]string{`{"error":"User Not Found"}`}, "", call.ErrNobody},
		"down":                       {[]string{"HTTP 500"}, "", call.ErrOffline},
	} {
		s, e := open(t, nil, tc.answers...)
		row, err := e.Enrol(t.Context(), "c benninger", annBadge)
		if !errors.Is(err, tc.err) || row.Name != tc.want || err == nil && (row.Kind != checkout.KindPerson || row.Tag != annBadge) || s.calls[0] != "/give?w=c%20benninger&t=ANN" {
			t.Errorf("%s: %+v, %v after %q", name, row, err, s.calls)
		}
	}
	_, e := open(t, nil, works)
	without := &Endpoints{}
	if !e.EnrolsPeople() || without.EnrolsPeople() {
		t.Error("it enrols people if it has an address for that")
	}
}

// The hash string may be in a file, which must be there whenever it is used.
func TestHashStringFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "salt")
	s, e := open(t, func(c *Config) { c.HashString, c.HashStringFile = "", file }, out)
	_, err := e.WhatIs(t.Context(), annBadge, checkout.Unknown)
	_, err2 := e.Enrol(t.Context(), "Ann", annBadge)
	for _, o := range []error{err, err2, e.Deliver(t.Context(), delivery(checkout.Checkout))} {
		if o, ok := call.OfError(o); !ok || o.Verdict != call.BadConfig {
			t.Errorf("%+v without the file", o)
		}
	}
	if err := os.WriteFile(file, []byte("salt\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if o := e.Deliver(t.Context(), delivery(checkout.Checkout)); o.Verdict != call.OK || !slices.Equal(s.calls, []string{ioByAnn}) {
		t.Errorf("%+v after %q", o, s.calls)
	}
}

func TestDirection(t *testing.T) {
	e := &Endpoints{cfg: Config{WordsIn: []string{"zurück"}, WordsOut: []string{"geliehen"}}}
	ev := checkout.Event{PersonName: "Ann", DeviceName: "zurück in die Zukunft"}
	for _, tc := range []struct {
		text       string
		out, clear bool
	}{
		{"Ann hat iPad GELIEHEN", true, true},
		{"Ann gibt iPad Zurück", false, true},
		{"Ann hat Zurück in die Zukunft geliehen", true, true}, // the name does not count
		{"iPad: ok", false, false},
		{"geliehen, zurück", true, false},
	} {
		if out, clear := e.direction(tc.text, ev); clear != tc.clear || clear && out != tc.out {
			t.Errorf("direction(%q) = %v, %v", tc.text, out, clear)
		}
	}
}

func TestFillEscapes(t *testing.T) {
	got := fill("https://host/{who}/a?who={who}&tag={tag}", "{who}", "C & B/ü", "{tag}", "1")
	if want := "https://host/C%20%26%20B%2F%C3%BC/a?who=C%20%26%20B%2F%C3%BC&tag=1"; got != want {
		t.Errorf("fill = %s, want %s", got, want)
	}
}

func TestTemplates(t *testing.T) {
	for _, tc := range []struct{ key, checkinout, want string }{
		{"missing", "", "needs {staff}"},
		{"hole", "https://h/?a={staff}", "needs {asset}"},
		{"scheme", "ftp://h/?a={staff}&b={asset}", "not an http"},
		{"host", "/x?a={staff}&b={asset}", "not an http"},
	} {
		c := Config{CheckInOut: tc.checkinout, WhatIs: "https://host/?tag={tag}"}
		if _, err := New(c, call.HTTP{}); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.key, err, tc.want)
		}
	}
}

// FuzzAnswers: whatever a server sends, an empty answer is not a success, and no
// wait is negative.
func FuzzAnswers(f *testing.F) {
	for _, s := range []string{
		`{"response":"Corey checked out iPod"}`, `{"error":"Unknown Device"}`, `{"type":"human","name":"C Benninger"}`, "", "null", "[]", `"x"`,
		"<!DOCTYPE html>", "\xef\xbb\xbf{}", `{"response":"\u0000\u202e"}`,
	} {
		f.Add(200, "", []byte(s))
	}
	f.Add(429, "Wed, 21 Oct 2015 07:28:00 GMT", []byte("{}"))
	f.Add(503, "99999999999999999999", []byte("{}"))
	f.Fuzz(func(t *testing.T, status int, after string, body []byte) {
		r := call.Reply{Status: status, Header: http.Header{"Retry-After": {after}}, Body: body, URL: &url.URL{Host: "host"}}
		a, o := readAnswer(r)
		if o.Verdict == call.OK && a == (answer{}) {
			t.Error("an empty answer counts")
		}
		if o.After < 0 {
			t.Errorf("wait %v", o.After)
		}
		for _, s := range []string{a.Response, a.Error, a.Name} {
			for _, c := range call.Plain(s) {
				if c < ' ' || c == 0x7f || c == 0x202e {
					t.Errorf("%q keeps %U", call.Plain(s), c)
				}
			}
		}
	})
}
