package directory

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"stump/checkout"
)

// tap is a delivery about Ann (or Bob, from Ann) and the iPad.
func tap(kind checkout.Kind) Delivery {
	d := Delivery{
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
		if o := d.Deliver(t.Context(), tap(kind)); o.Verdict != Done {
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
	if o.Verdict != Part {
		t.Fatalf("first call: %+v", o)
	}
	hand.Step = o.Step
	if o := d.Deliver(t.Context(), hand); o.Verdict != Done {
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
		{checkout.Handover, handoverReturned, "Bob has iPad Mini G1 (inky) there"},
	} {
		dl := tap(tc.kind)
		dl.Step = tc.step
		if got := d.(Resumer).Counted(dl); got != tc.want {
			t.Errorf("%s, %q: %q, want %q", tc.kind, tc.step, got, tc.want)
		}
	}
}

func TestEndpointsReturnForAnother(t *testing.T) {
	s, d := openOriginal(t, nil)
	d.Deliver(t.Context(), tap(checkout.Checkout))
	ret := tap(checkout.Handover) // Bob's, from Ann
	ret.Event.Kind = checkout.Return
	if o := d.Deliver(t.Context(), ret); o.Verdict != Done {
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
	if o.Verdict != Differs || o.Theirs == nil || !o.Theirs.Free {
		t.Fatalf("%+v, want a conflict in which the device is free", o)
	}
	if o := d.Deliver(t.Context(), tap(checkout.Checkout)); o.Verdict != Done {
		t.Errorf("retry: %+v, want it to turn the server round", o)
	}
}

func TestEndpointsRefusal(t *testing.T) {
	s, d := openOriginal(t, nil)
	delete(s.devices, "8123456")
	o := d.Deliver(t.Context(), tap(checkout.Checkout))
	if o.Verdict != Refused || o.Reason != "the directory says: Unknown Device" {
		t.Errorf("%+v", o)
	}
	noBadge := tap(checkout.Checkout)
	noBadge.PersonTag = checkout.Tag{}
	if o := d.Deliver(t.Context(), noBadge); o.Verdict != Refused || !strings.Contains(o.Reason, "badge number of Ann") {
		t.Errorf("without a badge: %+v", o)
	}
}

func TestEndpointsWhatIs(t *testing.T) {
	_, d := openOriginal(t, nil)
	for _, tc := range []struct {
		tag  checkout.Tag
		hint Kind
		want Answer
	}{
		{annBadge, Person, Answer{true, Record{Kind: Person, Name: "Ann", Tag: annBadge}}},
		{ipadTag, Device, Answer{true, Record{Kind: Device, Name: "iPad Mini G1 (inky)", Tag: ipadTag}}},
		{annBadge, Unknown, Answer{true, Record{Kind: Person, Name: "Ann", Tag: annBadge}}},
		{ipadTag, Unknown, Answer{true, Record{Kind: Device, Name: "iPad Mini G1 (inky)", Tag: ipadTag}}},
		{checkout.TagFromUint64(5, 26), Unknown, Answer{}},
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
	if err != nil || rec.Name != "C Benninger" || rec.Tag != tag || rec.Kind != Person {
		t.Errorf("Enrol: %+v, %v", rec, err)
	}
	if _, err := d.Enrol(t.Context(), "Mallory & Co?", tag); !errors.Is(err, ErrNobody) {
		t.Errorf("Enrol of a stranger: %v, want ErrNobody", err)
	}
}

func TestEndpointsDirectionWords(t *testing.T) {
	_, d := openOriginal(t, func(c *Config) { c.WordsIn, c.WordsOut = []string{"zurück"}, []string{"geliehen"} })
	e := d.(*Endpoints)
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

func TestEndpointTemplatesAreChecked(t *testing.T) {
	for _, tc := range []struct{ key, checkinout, want string }{
		{"missing", "", "needs {staff}"},
		{"hole", "https://h/?a={staff}", "needs {asset}"},
		{"scheme", "ftp://h/?a={staff}&b={asset}", "not an http"},
		{"host", "/x?a={staff}&b={asset}", "not an http"},
	} {
		c := endpointsConfig("https://host")
		c.CheckInOut = tc.checkinout
		if _, err := Open(c); err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want %q", tc.key, err, tc.want)
		}
	}
}

func TestPlain(t *testing.T) {
	if got := plain(" a\x00b\r\n\tc\u202e " + strings.Repeat("x", 200)); !strings.HasPrefix(got, "a b c x") || len([]rune(got)) > 120 {
		t.Errorf("plain = %q", got)
	}
}
