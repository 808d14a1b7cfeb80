package snipeit

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
	"stump/internal/testkit"
)

func openSnipe(t testing.TB, change func(*double, *site)) (*double, *SnipeIT) {
	t.Helper()
	s := newDouble()
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

// tap is a delivery about Ann (or Bob, from Ann) and the iPad, with Snipe-IT's
// keys.
func tap(kind checkout.Kind) call.Delivery {
	d := call.Delivery{
		Event: checkout.Event{
			Seq: 1, ID: uuid.NewSHA1(uuid.Nil, []byte(kind)), Kind: kind, Person: "ann", PersonName: "Ann",
			Device: "ipad", DeviceName: "iPad Mini G1 (inky)",
		},
		PersonRef: "1", DeviceRef: "11",
	}
	if kind == checkout.Handover {
		d.Event.Person, d.Event.PersonName, d.Event.From, d.Event.FromName = "bob", "Bob", "ann", "Ann"
		d.PersonRef, d.FromRef = "2", "1"
	}
	return d
}

// deliver goes through all parts, as the worker does.
func deliver(t testing.TB, to *SnipeIT, d call.Delivery) call.Outcome {
	t.Helper()
	for range 5 {
		o := to.Deliver(t.Context(), d)
		if o.Verdict != call.Part {
			return o
		}
		d.Step = o.Step
	}
	t.Fatal("no end of parts")
	return call.Outcome{}
}

func TestSnipeITPull(t *testing.T) {
	_, d := openSnipe(t, func(s *double, c *site) { s.users[2].endDate = "2020-01-31" })
	snap, err := d.Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []books.SyncRow{
		{Kind: checkout.KindPerson, Ref: "1", Name: "Ann O'Brien", Email: "ann@x", Tag: testkit.Tag(91234, 26)},
		{Kind: checkout.KindPerson, Ref: "2", Name: "Bob R&D", Email: "bob@x", Tag: testkit.Tag(7654321, 26)},
		{Kind: checkout.KindPerson, Ref: "3", Name: "Cem Leer", Inactive: true},
	}
	if !slices.Equal(snap.People, want) {
		t.Errorf("people\n%+v\nwant\n%+v", snap.People, want)
	}
	want = []books.SyncRow{
		{Kind: checkout.KindDevice, Ref: "11", Name: "iPad <mini>", Type: "Pixel 9", Tag: testkit.Tag(8123456, 26)},
		{Kind: checkout.KindDevice, Ref: "12", Name: "Pixel 9 9876543", Type: "Pixel 9", Tag: testkit.Tag(9876543, 26)},
		{Kind: checkout.KindDevice, Ref: "13", Name: "Broken", Type: "Pixel 9", Tag: testkit.Tag(9876544, 26), Inactive: true},
	}
	for i := range want { // see TestDetails
		want[i].SetDetails(snap.Devices[i].Details())
	}
	if !slices.Equal(snap.Devices, want) {
		t.Errorf("devices\n%+v\nwant\n%+v", snap.Devices, want)
	}
}

func TestSnipeITFields(t *testing.T) {
	_, d := openSnipe(t, func(s *double, c *site) {
		c.DeviceField, c.Field, c.Transform, c.RequireActivated = "custom:RFID", "email", nil, true
	})
	snap, err := d.Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := snap.Devices[0].Tag; got != testkit.Tag(9001, 26) {
		t.Errorf("tag from a custom field: %v", got)
	}
	if !snap.People[1].Inactive {
		t.Error("Bob is not activated, and active here")
	}
	if len(snap.BadgeField.Notes) != 1 || !strings.HasPrefix(snap.BadgeField.Notes[0], "2 records of the directory have a number that is not a badge") || strings.Contains(snap.BadgeField.Notes[0], "@") {
		t.Errorf("notes %q", snap.BadgeField.Notes)
	}
}

// More people than a page holds, in an order that is not Snipe-IT's own.
func TestSnipeITPages(t *testing.T) {
	s, d := openSnipe(t, nil)
	for i := range int64(1200) {
		s.users = append(s.users, &doubleUser{id: 100 + i, first: "Same", last: "Name", num: fmt.Sprint(1000 + i)})
	}
	snap, err := d.Pull(t.Context())
	if err != nil || len(snap.People) != 1203 {
		t.Fatalf("%d people, %v", len(snap.People), err)
	}
	// Somebody is deleted between two pages: one slides over the edge unseen.
	first := true
	s.pageHandler = func() {
		if first {
			first, s.users = false, s.users[1:]
		}
	}
	if snap, err = d.Pull(t.Context()); err != nil || len(snap.People) != 1202 || !snap.PeopleList.Partial || snap.DeviceList.Partial {
		t.Errorf("a list that changed while it was read: %d people, %+v, %v", len(snap.People), snap.PeopleList, err)
	}
}

// Whatever is wrong with a list, what was seen of it is there.
func TestSnipeITLists(t *testing.T) {
	for name, tc := range map[string]struct {
		list    string
		rows    int
		partial bool
		note    string
	}{
		"a total that is too high": {`{"total":5,"rows":[{"id":1,"name":"a"}]}`, 1, true, "1 of 5 came"},
		"a total that is too low":  {`{"total":1,"rows":[{"id":1,"name":"a"},{"id":2,"name":"b"}]}`, 2, true, "2 users came, and the server counts only 1"},
		"a total below zero":       {`{"total":-5,"rows":[{"id":1,"name":"a"}]}`, 1, false, ""},
		"a total without end":      {`{"total":999999999,"rows":[{"id":1,"name":"a"}]}`, 1, true, "1 of 999999999 came"},
		"a total in quotes":        {`{"total":"1","rows":[{"id":1,"name":"a"}]}`, 1, false, ""},
		"no total":                 {`{"rows":[{"id":1,"name":"a"}]}`, 1, false, ""},
		"rows that are an object":  {`{"total":1,"rows":{}}`, 0, true, "counts 1 and shows none: give the token's user the right"},
		"ids in quotes":            {`{"total":2,"rows":[{"id":"1","name":"a"},{"id":2.0,"name":"b"}]}`, 2, false, ""},
		"no id":                    {`{"total":2,"rows":[{"id":1,"name":"a"},{"id":null,"name":"b"}]}`, 1, true, "the 2. of page 1 (it has no id)"},
		"odd fields":               {`{"total":1,"rows":[{"id":1,"name":["a"],"username":"ann","email":7,"end_date":"x"}]}`, 1, false, ""},
		"what is no row":           {`{"total":2,"rows":[{"id":1,"name":"a"},[]]}`, 1, true, "the 2. of page 1 (it is not an object)"},
	} {
		calls := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls++; io.WriteString(w, tc.list) }))
		d, err := siteAt(t, srv.URL).open()
		if err != nil {
			t.Fatal(err)
		}
		snap, err := d.Pull(t.Context())
		notes := strings.Join(snap.PeopleList.Notes, "; ")
		if err != nil || len(snap.People) != tc.rows || len(snap.Devices) != tc.rows || snap.PeopleList.Partial != tc.partial || calls > 8 {
			t.Errorf("%s: %+v, %v after %d calls, want %d rows, partial %v", name, snap, err, calls, tc.rows, tc.partial)
		}
		if !strings.Contains(notes, tc.note) || tc.note == "" && notes != "" {
			t.Errorf("%s: notes %q, want %q", name, notes, tc.note)
		}
		srv.Close()
	}
}

// A right that is missing is named, and what may be seen is pulled.
func TestSnipeITRights(t *testing.T) {
	s := newDouble()
	for path, right := range map[string]string{"/users": "users.view", "/hardware": "assets.view"} {
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == "/api/v1"+path {
				snipeJSON(w, http.StatusForbidden, map[string]any{"status": "error", "messages": "This action is unauthorized."})
				return
			}
			s.ServeHTTP(w, r)
		}))
		d, err := siteAt(t, srv.URL).open()
		if err != nil {
			t.Fatal(err)
		}
		snap, err := d.Pull(t.Context())
		o, _ := call.OfError(err)
		if !strings.HasSuffix(o.Reason, "denies access to "+path+" (403 Forbidden): This action is unauthorized.") || o.Remedy != "give the token's user the right "+right {
			t.Errorf("%s: %+v", path, o)
		}
		if people := len(snap.People); people+len(snap.Devices) != 3 || (people == 0) != (path == "/users") || snap.PeopleList.Broken == snap.DeviceList.Broken {
			t.Errorf("%s: %+v", path, snap)
		}
		srv.Close()
	}
}

// A field that nobody has is said, with those that there are.
func TestSnipeITFieldsThatNobodyHas(t *testing.T) {
	_, d := openSnipe(t, func(_ *double, c *site) { c.DeviceField, c.Field = "custom:RFID Number", "employee_number" })
	snap, err := d.Pull(t.Context())
	if err != nil || len(snap.BadgeField.Notes) != 1 || len(snap.DeviceField.Notes) != 1 ||
		!strings.HasPrefix(snap.BadgeField.Notes[0], "none of 3 people has anything in badge_field employee_number; there are: employee_num, ") || !strings.HasSuffix(snap.BadgeField.Notes[0], ": is employee_num meant?") ||
		snap.DeviceField.Notes[0] != "none of 3 devices has anything in device_field custom:RFID Number; there are: custom:RFID, asset_tag, serial: is custom:RFID meant?" {
		t.Errorf("%q, %q, %v", snap.BadgeField.Notes, snap.DeviceField.Notes, err)
	}
}

func TestSnipeITDeliver(t *testing.T) {
	for _, tc := range []struct {
		kind   checkout.Kind
		holder int64 // before
		force  bool
		want   []string
		then   call.Verdict
	}{
		{checkout.Checkout, 0, false, []string{"out 11 to 1"}, call.OK},
		{checkout.Checkout, 1, false, nil, call.OK}, // told before, the answer was lost
		{checkout.Checkout, 2, false, nil, call.Conflict},
		{checkout.Checkout, 2, true, []string{"in 11 from 2", "out 11 to 1"}, call.OK},
		{checkout.Return, 1, false, []string{"in 11 from 1"}, call.OK},
		{checkout.Return, 0, false, nil, call.OK},
		{checkout.Return, 2, false, nil, call.Conflict},
		{checkout.Handover, 1, false, []string{"in 11 from 1", "out 11 to 2"}, call.OK},
		{checkout.Handover, 0, false, []string{"out 11 to 2"}, call.OK}, // the first half was done
		{checkout.Handover, 2, false, nil, call.OK},
		{checkout.Handover, 3, false, nil, call.Conflict},
		{checkout.Lost, 3, false, nil, call.Conflict},
		{checkout.Found, 3, false, []string{"in 11 from 3"}, call.OK},
		{checkout.Enrol, 3, false, nil, call.Unwanted},
	} {
		for _, language := range []string{"en", "de"} {
			s, d := openSnipe(t, func(s *double, _ *site) {
				s.noteNeeded, s.language = true, language
				s.assets[0].holder, s.assets[0].holderType = tc.holder, "user"
			})
			ev := tap(tc.kind)
			ev.Force = tc.force
			if o := deliver(t, d, ev); o.Verdict != tc.then {
				t.Errorf("%s of what %d has (%s): %+v, want %v", tc.kind, tc.holder, language, o, tc.then)
			}
			if got := s.done(); !slices.Equal(got, tc.want) {
				t.Errorf("%s of what %d has: did %q, want %q", tc.kind, tc.holder, got, tc.want)
			}
		}
	}
}

func TestSnipeITConflictNamesTheHolder(t *testing.T) {
	s, d := openSnipe(t, nil)
	s.assets[0].holder, s.assets[0].holderType = 2, "user"
	o := deliver(t, d, tap(checkout.Checkout))
	if o.Reason != "by Snipe-IT Bob R&D had it before this checkout" || o.Theirs == nil || *o.Theirs != (books.Holding{Ref: "2", Name: "Bob R&D"}) {
		t.Errorf("%+v", o)
	}
	s.assets[0].holder, s.assets[0].holderType = 3, "location"
	if o := deliver(t, d, tap(checkout.Checkout)); o.Reason != "by Snipe-IT it is with the location Berlin" || o.Theirs != nil {
		t.Errorf("%+v", o)
	}
}

// A refusal that can't be looked into, for the rate limit is reached, is no
// refusal yet: somebody may just have done by hand what the event says.
func TestSnipeITRefusalIsLookedInto(t *testing.T) {
	s := newDouble()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.mu.Lock()
			s.assets[0].holder, s.assets[0].holderType, s.limit = 1, "user", 2
			s.mu.Unlock()
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	d, err := siteAt(t, srv.URL).open()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []call.Verdict{call.Down, call.OK} {
		if o := deliver(t, d, tap(checkout.Checkout)); o.Verdict != want {
			t.Errorf("try %d: %+v, want %v", i, o, want)
		}
	}
}

func TestSnipeITTimesAndNotes(t *testing.T) {
	s, d := openSnipe(t, func(_ *double, c *site) { c.Zone = "America/New_York" })
	ev := tap(checkout.Checkout)
	ev.Event.Station, ev.Event.Loan = "lab", 48*time.Hour
	ev.Event.At = checkout.Stamp{Wall: time.Date(2026, 11, 21, 2, 30, 0, 0, time.UTC), Trusted: true}
	deliver(t, d, ev)
	got := s.wrote[0]
	for key, want := range map[string]any{
		"checkout_at": "2026-11-20 21:30:00", "expected_checkin": "2026-11-22 21:30:00",
		"note": "stump lab #1, 2026-11-20 21:30:00 EST, " + ev.Event.ID.String(),
	} {
		if got[key] != want {
			t.Errorf("%s = %v, want %v", key, got[key], want)
		}
	}
	if _, renames := got["name"]; renames {
		t.Error("the check-out renames the asset")
	}
	ev.Event.Kind, ev.Event.At.Trusted = checkout.Return, false
	deliver(t, d, ev)
	if at, sent := s.wrote[1]["checkin_at"]; sent {
		t.Errorf("checkin_at = %v from a clock that is not trusted", at)
	}
}

func TestSnipeITRefusals(t *testing.T) {
	_, d := openSnipe(t, nil)
	for _, tc := range []struct {
		change func(*call.Delivery)
		want   string
	}{
		{func(d *call.Delivery) { d.DeviceRef = "99" }, "Snipe-IT says: Asset does not exist."},
		{func(d *call.Delivery) { d.PersonRef = "99" }, "Snipe-IT says: Checkout target for asset 8123456 is invalid - user does not exist."},
		{func(d *call.Delivery) { d.PersonRef = "" }, "Ann is known here only, not in Snipe-IT"},
		{func(d *call.Delivery) { d.DeviceRef = "" }, "iPad Mini G1 (inky) is known here only, not in Snipe-IT"},
		{func(d *call.Delivery) { d.DeviceRef = "13" }, "Snipe-IT says: That asset is not available for checkout!"},
	} {
		ev := tap(checkout.Checkout)
		tc.change(&ev)
		if o := deliver(t, d, ev); o.Verdict != call.Refused || o.Reason != tc.want {
			t.Errorf("%+v, want %q", o, tc.want)
		}
	}
}

// Old versions said success and did nothing.
func TestSnipeITThatLies(t *testing.T) {
	s, d := openSnipe(t, func(s *double, _ *site) {
		s.lies = 1
		s.assets[0].holder, s.assets[0].holderType = 1, "user"
	})
	ev := tap(checkout.Return)
	o := deliver(t, d, ev)
	if o.Verdict != call.Failing {
		t.Fatalf("%+v, want it seen through", o)
	}
	ev.Step = o.Step
	if o := deliver(t, d, ev); o.Verdict != call.OK || len(s.done()) != 1 {
		t.Errorf("again: %+v, %q", o, s.done())
	}
}

func TestSnipeITRateLimit(t *testing.T) {
	for style, want := range []time.Duration{time.Minute, time.Minute, 40 * time.Second, 7 * time.Second} {
		s, d := openSnipe(t, func(s *double, _ *site) { s.limit, s.limitStyle, s.retryAfter = 1, style, "7" })
		o := deliver(t, d, tap(checkout.Checkout))
		if o.Verdict != call.Down || o.After != want {
			t.Errorf("style %d: %+v, want to wait %v", style, o, want)
		}
		if s.done() != nil {
			t.Errorf("style %d: did %q", style, s.done())
		}
	}
}

func TestSnipeITConfigurationErrors(t *testing.T) {
	_, d := openSnipe(t, func(s *double, _ *site) { s.token = "renewed" })
	if o := d.Probe(t.Context()); o.Verdict != call.BadConfig {
		t.Errorf("wrong token: %+v", o)
	}
	_, d = openSnipe(t, func(_ *double, c *site) { c.TokenFile = "/nonexistent/token" })
	if o := d.Probe(t.Context()); o.Verdict != call.BadConfig || !strings.Contains(o.Reason, "/nonexistent/token") {
		t.Errorf("no token file: %+v", o)
	}
	for key, change := range map[string]func(*site){
		"url": func(c *site) { c.URL = "snipe.example" }, "token_file": func(c *site) { c.TokenFile = "" },
		"device_field": func(c *site) { c.DeviceField = "rfid" }, "zone": func(c *site) { c.Zone = "Mars/Olympus" },
		"badge_transform": func(c *site) { c.Transform = []string{"rot13"} }, "device_form": func(c *site) { c.DeviceForm = "H10301:84" },
	} {
		cfg := siteAt(t, "https://host")
		change(&cfg)
		_, err := cfg.open()
		if bad := (*call.KeyError)(nil); !errors.As(err, &bad) || bad.Key != key || !strings.HasPrefix(err.Error(), "directory."+key+": ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// TestSnipeITFormerKeys: what is with a user whom an admin merged into another here is no
// conflict.
func TestSnipeITFormerKeys(t *testing.T) {
	s, d := openSnipe(t, nil)
	if o := deliver(t, d, tap(checkout.Checkout)); o.Verdict != call.OK {
		t.Fatal(o)
	}
	back := tap(checkout.Return)
	back.PersonRef = "2"
	if o := d.Deliver(t.Context(), back); o.Verdict != call.Conflict {
		t.Errorf("another's return: %v", o)
	}
	back.FormerRefs = []string{"1"}
	if o := deliver(t, d, back); o.Verdict != call.OK || s.assets[0].holder != 0 {
		t.Errorf("a return under the new key: %v, with %v", o, s.assets[0].holder)
	}
}
