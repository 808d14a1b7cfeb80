package directory

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/snipeit"
)

func openSnipe(t testing.TB, change func(*snipeDouble, *snipeConfig)) (*snipeDouble, *snipeit.SnipeIT) {
	t.Helper()
	s := newSnipeDouble()
	srv := httptest.NewServer(s)
	t.Cleanup(srv.Close)
	cfg := snipeAt(t, srv.URL)
	if change != nil {
		change(s, &cfg)
	}
	d, err := cfg.open()
	if err != nil {
		t.Fatal(err)
	}
	return s, d
}

// snipeTap is tap with Snipe-IT's keys.
func snipeTap(kind checkout.Kind) call.Delivery {
	d := tap(kind)
	d.PersonRef, d.DeviceRef = "1", "11"
	if kind == checkout.Handover {
		d.PersonRef, d.FromRef = "2", "1"
	}
	return d
}

// deliver goes through all parts, as the worker does.
func deliver(t testing.TB, to Deliverer, d call.Delivery) call.Outcome {
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
	_, d := openSnipe(t, func(s *snipeDouble, c *snipeConfig) { s.users[2].endDate = "2020-01-31" })
	snap, err := d.Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []checkout.SyncRow{
		{Kind: checkout.KindPerson, Ref: "1", Name: "Ann O'Brien", Email: "ann@x", Tag: annBadge},
		{Kind: checkout.KindPerson, Ref: "2", Name: "Bob R&D", Email: "bob@x", Tag: bobBadge},
		{Kind: checkout.KindPerson, Ref: "3", Name: "Cem Leer", Inactive: true},
	}
	if !slices.Equal(snap.People, want) {
		t.Errorf("people\n%+v\nwant\n%+v", snap.People, want)
	}
	want = []checkout.SyncRow{
		{Kind: checkout.KindDevice, Ref: "11", Name: "iPad <mini>", Type: "Pixel 9", Tag: ipadTag},
		{Kind: checkout.KindDevice, Ref: "12", Name: "Pixel 9 9876543", Type: "Pixel 9", Tag: pixelTag},
		{Kind: checkout.KindDevice, Ref: "13", Name: "Broken", Type: "Pixel 9", Tag: checkout.TagFromUint64(9876544, 26), Inactive: true},
	}
	if !slices.Equal(snap.Devices, want) {
		t.Errorf("devices\n%+v\nwant\n%+v", snap.Devices, want)
	}
}

func TestSnipeITFields(t *testing.T) {
	_, d := openSnipe(t, func(s *snipeDouble, c *snipeConfig) {
		c.DeviceField, c.Field, c.Transform, c.RequireActivated = "custom:RFID", "email", nil, true
	})
	snap, err := d.Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got := snap.Devices[0].Tag; got != checkout.TagFromUint64(9001, 26) {
		t.Errorf("tag from a custom field: %v", got)
	}
	if !snap.People[1].Inactive {
		t.Error("Bob is not activated, and active here")
	}
	if len(snap.Notes) != 1 || !strings.HasPrefix(snap.Notes[0], "2 records of the directory have a number that is not a badge") || strings.Contains(snap.Notes[0], "@") {
		t.Errorf("notes %q", snap.Notes)
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
	for name, list := range map[string]string{
		"a total that is too high": `{"total":5,"rows":[{"id":1,"name":"a"}]}`,
		"a total that is too low":  `{"total":1,"rows":[{"id":1,"name":"a"},{"id":2,"name":"b"}]}`,
		"a total below zero":       `{"total":-5,"rows":[{"id":1,"name":"a"}]}`,
		"a total without end":      `{"total":999999999,"rows":[{"id":1,"name":"a"}]}`,
		"no total":                 `{"rows":[{"id":1,"name":"a"}]}`,
	} {
		calls := 0
		srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { calls++; io.WriteString(w, list) }))
		liar, err := snipeAt(t, srv.URL).open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := liar.Pull(t.Context()); !errors.Is(err, call.ErrOffline) || calls > 3 {
			t.Errorf("%s: %v after %d calls, want it refused", name, err, calls)
		}
		srv.Close()
	}
	// Somebody is deleted between two pages: one slides over the edge unseen.
	first := true
	s.pageHandler = func() {
		if first {
			first, s.users = false, s.users[1:]
		}
	}
	if _, err := d.Pull(t.Context()); !errors.Is(err, call.ErrOffline) {
		t.Errorf("a list that changed while it was read: %v, want it refused", err)
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
			s, d := openSnipe(t, func(s *snipeDouble, _ *snipeConfig) {
				s.noteNeeded, s.language = true, language
				s.assets[0].holder, s.assets[0].holderType = tc.holder, "user"
			})
			ev := snipeTap(tc.kind)
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
	o := deliver(t, d, snipeTap(checkout.Checkout))
	if o.Reason != "by Snipe-IT Bob R&D had it before this checkout" || o.Theirs == nil || *o.Theirs != (checkout.Holding{Ref: "2", Name: "Bob R&D"}) {
		t.Errorf("%+v", o)
	}
	s.assets[0].holder, s.assets[0].holderType = 3, "location"
	if o := deliver(t, d, snipeTap(checkout.Checkout)); o.Reason != "by Snipe-IT it is with the location Berlin" || o.Theirs != nil {
		t.Errorf("%+v", o)
	}
}

// A refusal that can't be looked into, for the rate limit is reached, is no
// refusal yet: somebody may just have done by hand what the event says.
func TestSnipeITRefusalIsLookedInto(t *testing.T) {
	s := newSnipeDouble()
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPost {
			s.mu.Lock()
			s.assets[0].holder, s.assets[0].holderType, s.limit = 1, "user", 2
			s.mu.Unlock()
		}
		s.ServeHTTP(w, r)
	}))
	t.Cleanup(srv.Close)
	d, err := snipeAt(t, srv.URL).open()
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []call.Verdict{call.Down, call.OK} {
		if o := deliver(t, d, snipeTap(checkout.Checkout)); o.Verdict != want {
			t.Errorf("try %d: %+v, want %v", i, o, want)
		}
	}
}

func TestSnipeITTimesAndNotes(t *testing.T) {
	s, d := openSnipe(t, func(_ *snipeDouble, c *snipeConfig) { c.Zone = "America/New_York" })
	ev := snipeTap(checkout.Checkout)
	ev.Event.Station, ev.Event.Loan = "lab", 48*time.Hour
	ev.Event.At = checkout.Stamp{Wall: time.Date(2026, 11, 21, 2, 30, 0, 0, time.UTC), Trusted: true}
	deliver(t, d, ev)
	got := s.wrote[0]
	for key, want := range map[string]any{
		"checkout_at": "2026-11-20 21:30:00", "expected_checkin": "2026-11-22",
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
		ev := snipeTap(checkout.Checkout)
		tc.change(&ev)
		if o := deliver(t, d, ev); o.Verdict != call.Refused || o.Reason != tc.want {
			t.Errorf("%+v, want %q", o, tc.want)
		}
	}
}

// Old versions said success and did nothing.
func TestSnipeITThatLies(t *testing.T) {
	s, d := openSnipe(t, func(s *snipeDouble, _ *snipeConfig) {
		s.lies = 1
		s.assets[0].holder, s.assets[0].holderType = 1, "user"
	})
	ev := snipeTap(checkout.Return)
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
		s, d := openSnipe(t, func(s *snipeDouble, _ *snipeConfig) { s.limit, s.limitStyle, s.retryAfter = 1, style, "7" })
		o := deliver(t, d, snipeTap(checkout.Checkout))
		if o.Verdict != call.Down || o.After != want {
			t.Errorf("style %d: %+v, want to wait %v", style, o, want)
		}
		if s.done() != nil {
			t.Errorf("style %d: did %q", style, s.done())
		}
	}
}

func TestSnipeITConfigurationErrors(t *testing.T) {
	_, d := openSnipe(t, func(s *snipeDouble, _ *snipeConfig) { s.token = "renewed" })
	if o := d.Probe(t.Context()); o.Verdict != call.BadConfig {
		t.Errorf("wrong token: %+v", o)
	}
	_, d = openSnipe(t, func(_ *snipeDouble, c *snipeConfig) { c.TokenFile = "/nonexistent/token" })
	if o := d.Probe(t.Context()); o.Verdict != call.BadConfig || !strings.Contains(o.Reason, "/nonexistent/token") {
		t.Errorf("no token file: %+v", o)
	}
	for key, change := range map[string]func(*snipeConfig){
		"url": func(c *snipeConfig) { c.URL = "snipe.example" }, "token_file": func(c *snipeConfig) { c.TokenFile = "" },
		"device_field": func(c *snipeConfig) { c.DeviceField = "rfid" }, "zone": func(c *snipeConfig) { c.Zone = "Mars/Olympus" },
		"badge_transform": func(c *snipeConfig) { c.Transform = []string{"rot13"} }, "device_form": func(c *snipeConfig) { c.DeviceForm = "H10301:84" },
	} {
		cfg := snipeAt(t, "https://host")
		change(&cfg)
		_, err := cfg.open()
		if bad := (*call.KeyError)(nil); !errors.As(err, &bad) || bad.Key != key || !strings.HasPrefix(err.Error(), "directory."+key+": ") {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// Every fault, with the events of a whole afternoon: after healing each is done
// once, in order per device.
func TestSnipeITUnderFaults(t *testing.T) {
	for _, x := range []fault{resetAtOnce, hangAtOnce, hangAfterCommit, hangInBody, resetAfterCommit, status500, status500Commit,
		status429After, status401, status403, htmlPage, redirectLogin, halfJSON, hugeBody, slowDrip} {
		for _, only := range []bool{false, true} {
			name := string(x)
			if only {
				name += ", to what changes something only"
			}
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				s := newSnipeDouble()
				f := newFaultServer(s)
				if only {
					f.only = func(r *http.Request) bool { return r.Method == http.MethodPost }
				}
				srv := f.serve(t)
				cfg := snipeAt(t, srv.URL)
				cfg.HTTP = x.timeouts()
				d, err := cfg.open()
				if err != nil {
					t.Fatal(err)
				}
				l := newBox(t, Main)
				w, _ := start(t, Options{Directory: d, Ledger: l, backoff: impatient})
				eventually(t, "pulled", func() bool { m, _ := ownerOf(l, annBadge); return m.ID != "" })
				f.set(x)
				l.bump(annBadge, ipadTag)  // out
				l.bump(bobBadge, ipadTag)  // handed over
				l.bump(bobBadge, pixelTag) // another device
				l.bump(bobBadge, ipadTag)  // back
				eventually(t, "the display's mark", w.Behind)
				u, _ := url.Parse(srv.URL)
				t.Logf("stump sync says:\n%s", sayings(t, w, u.Host))
				time.Sleep(50 * time.Millisecond)
				f.set(healthy)
				eventually(t, "all told after healing", func() bool {
					w.Hurry()
					n, err := l.Backlog(Main)
					return n == 0 && err == nil
				})
				got := slices.DeleteFunc(s.done(), func(s string) bool { return s == "out 12 to 2" })
				if want := []string{"out 11 to 1", "in 11 from 1", "out 11 to 2", "in 11 from 2"}; !slices.Equal(got, want) || len(s.done()) != 5 {
					t.Errorf("Snipe-IT did %q, want %q", s.done(), want)
				}
			})
		}
	}
}
