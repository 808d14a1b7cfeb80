package directory

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"stump/checkout"
	"stump/directory/call"
)

// tap is a delivery about Ann (or Bob, from Ann) and the iPad.
func tap(kind checkout.Kind) call.Delivery {
	d := call.Delivery{
		Event: checkout.Event{
			Seq: 1, ID: uuid.NewSHA1(uuid.Nil, []byte(kind)), Kind: kind, Person: "ann", PersonName: "Ann",
			Device: "ipad", DeviceName: "iPad Mini G1 (inky)",
		},
		PersonTag: annBadge, DeviceTag: ipadTag,
	}
	if kind == checkout.Handover {
		d.Event.Person, d.Event.PersonName, d.PersonTag = "bob", "Bob", bobBadge
		d.Event.From, d.Event.FromName, d.FromTag = "ann", "Ann", annBadge
	}
	return d
}

func TestEndpointsCheckoutAndReturn(t *testing.T) {
	s, d := openOriginal(t, nil)
	for _, kind := range []checkout.Kind{checkout.Checkout, checkout.Return} {
		if o := d.Deliver(t.Context(), tap(kind)); o.Verdict != call.OK {
			t.Fatalf("%s: %+v", kind, o)
		}
	}
	want := []string{"Ann checked out iPad Mini G1 (inky)", "Ann checked in iPad Mini G1 (inky)"}
	if got := s.toggles(); !slices.Equal(got, want) {
		t.Errorf("server counted %q, want %q", got, want)
	}
}

func TestEndpointsHandoverIsTwoCalls(t *testing.T) {
	s, d := openOriginal(t, nil)
	d.Deliver(t.Context(), tap(checkout.Checkout))
	hand := tap(checkout.Handover)
	o := d.Deliver(t.Context(), hand)
	if o.Verdict != call.Part {
		t.Fatalf("first call: %+v", o)
	}
	hand.Step = o.Step
	if o := d.Deliver(t.Context(), hand); o.Verdict != call.OK {
		t.Fatalf("second call: %+v", o)
	}
	want := []string{"Ann checked in iPad Mini G1 (inky)", "Bob checked out iPad Mini G1 (inky)"}
	if got := s.toggles()[1:]; !slices.Equal(got, want) {
		t.Errorf("server counted %q, want %q", got, want)
	}
}

// A return that somebody else brings is told as the holder's: the server
// toggles by badge, and would check the device out to the bringer.
// Whoever looks must know which half of a hand-over was lost: the iPad on the
// shelf means "counted" after the first, and "not counted" after the second.
func TestEndpointsTellWhatToLookFor(t *testing.T) {
	_, d := openOriginal(t, nil)
	for _, tc := range []struct {
		kind checkout.Kind
		step string
		want string
	}{
		{checkout.Checkout, "", "Ann has iPad Mini G1 (inky) there"},
		{checkout.Return, "", "iPad Mini G1 (inky) is back there"},
		{checkout.Handover, "", "iPad Mini G1 (inky) is back there"},
		{checkout.Handover, "returned", "Bob has iPad Mini G1 (inky) there"},
	} {
		dl := tap(tc.kind)
		dl.Step = tc.step
		if got := d.IfCounted(dl); got != tc.want {
			t.Errorf("%s, %q: %q, want %q", tc.kind, tc.step, got, tc.want)
		}
	}
}

func TestEndpointsReturnForAnother(t *testing.T) {
	s, d := openOriginal(t, nil)
	d.Deliver(t.Context(), tap(checkout.Checkout))
	ret := tap(checkout.Handover) // Bob's, from Ann
	ret.Event.Kind = checkout.Return
	if o := d.Deliver(t.Context(), ret); o.Verdict != call.OK {
		t.Fatalf("%+v", o)
	}
	if got := s.toggles()[1]; got != "Ann checked in iPad Mini G1 (inky)" {
		t.Errorf("server counted %q", got)
	}
}

func TestEndpointsConflict(t *testing.T) {
	s, d := openOriginal(t, nil)
	s.holder["8123456"] = sentBadge(annBadge) // somebody used the server's own page
	o := d.Deliver(t.Context(), tap(checkout.Checkout))
	if o.Verdict != call.Conflict || o.Theirs == nil || !o.Theirs.Free {
		t.Fatalf("%+v, want a conflict in which the device is free", o)
	}
	if o := d.Deliver(t.Context(), tap(checkout.Checkout)); o.Verdict != call.OK {
		t.Errorf("retry: %+v, want it to turn the server round", o)
	}
}

func TestEndpointsRefusal(t *testing.T) {
	s, d := openOriginal(t, nil)
	delete(s.devices, "8123456")
	o := d.Deliver(t.Context(), tap(checkout.Checkout))
	if o.Verdict != call.Refused || o.Reason != "the directory says: Unknown Device" {
		t.Errorf("%+v", o)
	}
	noBadge := tap(checkout.Checkout)
	noBadge.PersonTag = checkout.Tag{}
	if o := d.Deliver(t.Context(), noBadge); o.Verdict != call.Refused || !strings.Contains(o.Reason, "badge number of Ann") {
		t.Errorf("without a badge: %+v", o)
	}
}

func TestEndpointsWhatIs(t *testing.T) {
	_, d := openOriginal(t, nil)
	for _, tc := range []struct {
		tag  checkout.Tag
		hint checkout.SubjectKind
		want checkout.SyncRow
	}{
		{annBadge, checkout.KindPerson, checkout.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Tag: annBadge}},
		{ipadTag, checkout.KindDevice, checkout.SyncRow{Kind: checkout.KindDevice, Name: "iPad Mini G1 (inky)", Tag: ipadTag}},
		{annBadge, checkout.Unknown, checkout.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Tag: annBadge}},
		{ipadTag, checkout.Unknown, checkout.SyncRow{Kind: checkout.KindDevice, Name: "iPad Mini G1 (inky)", Tag: ipadTag}},
		{checkout.TagFromUint64(5, 26), checkout.Unknown, checkout.SyncRow{}},
	} {
		got, err := d.WhatIs(t.Context(), tc.tag, tc.hint)
		if err != nil || got != tc.want {
			t.Errorf("WhatIs(%s, %q) = %+v, %v, want %+v", tc.tag.Decimal(), tc.hint, got, err, tc.want)
		}
	}
}

func TestEndpointsEnrol(t *testing.T) {
	_, d := openOriginal(t, nil)
	tag := checkout.TagFromUint64(555555, 26)
	rec, err := d.Enrol(t.Context(), "C Benninger", tag)
	if err != nil || rec.Name != "C Benninger" || rec.Tag != tag || rec.Kind != checkout.KindPerson {
		t.Errorf("Enrol: %+v, %v", rec, err)
	}
	if _, err := d.Enrol(t.Context(), "Mallory & Co?", tag); !errors.Is(err, call.ErrNobody) {
		t.Errorf("Enrol of a stranger: %v, want call.ErrNobody", err)
	}
}

// A proxy is used where one is configured.
func TestProxy(t *testing.T) {
	s := newOriginal()
	asked := ""
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = r.URL.Host // a proxy is asked with the whole address
		s.ServeHTTP(w, r)
	}))
	defer proxy.Close()
	cfg := endpointsAt("http://far.example")
	cfg.Proxy = proxy.URL
	d, err := cfg.open()
	if err != nil {
		t.Fatal(err)
	}
	if o := d.Probe(t.Context()); o.Verdict != call.OK || asked != "far.example" {
		t.Errorf("%+v through the proxy, asked for %q", o, asked)
	}
	cfg.Proxy = "proxy.example:3128"
	if _, err := cfg.open(); err == nil {
		t.Error("a proxy without a scheme was taken")
	}
}
