package snipeit

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"stump/checkout"
	"stump/directory/call"
	"stump/internal/books"
)

// TestLoans: who has what, until when; what the server does not say is no answer.
func TestLoans(t *testing.T) {
	for _, version := range versions {
		s, d := openVersion(t, version, func(_ *newer, c *site) { c.Zone = "Europe/Berlin" })
		testLoans(t, version, s.double, d)
	}
}

func testLoans(t *testing.T, version string, s *double, d *SnipeIT) {
	t.Helper()
	s.assets = append(s.assets, &doubleAsset{id: 14, tag: "1", silent: true}, &doubleAsset{id: 15, tag: "2", holder: 11, holderType: "asset"})
	s.assets[0].holder, s.assets[0].holderType, s.assets[0].due = 2, "user", "2026-11-27"
	s.assets[2].holder, s.assets[2].holderType = 3, "location"
	snap, err := d.Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	want := []books.Seen{
		{Device: "11", Holding: books.Holding{Ref: "2", Name: "Bob R&D"}, Due: time.Date(2026, 11, 27, 23, 59, 59, 0, d.zone)},
		{Device: "12", Holding: books.Holding{Free: true}},
		{Device: "13", Elsewhere: "the location Berlin"},
		{Device: "15", Elsewhere: "the asset Berlin"},
	}
	if !slices.Equal(snap.Loans, want) {
		t.Errorf("%s: loans\n%+v\nwant\n%+v", version, snap.Loans, want)
	}
}

// TestAssigned: what can't be read is not nobody.
func TestAssigned(t *testing.T) {
	for answer, want := range map[string]assigned{
		`{}`: {}, `{"assigned_to":null}`: {Said: true}, `{"assigned_to":{"id":7,"name":"Ann"}}`: {true, 7, "Ann", "holder"},
		`{"assigned_to":[]}`: {Said: true, Type: "holder"}, `{"assigned_to":{"id":7,"name":"Ann","type":"user"}}`: {true, 7, "Ann", "user"},
	} {
		var a asset
		if err := json.Unmarshal([]byte(answer), &a); err != nil || a.AssignedTo != want {
			t.Errorf("%s: %+v, %v, want %+v", answer, a.AssignedTo, err, want)
		}
	}
}

// at puts the iPad with a user, a location, or nobody: "user 1".
func (s *double) at(where string) {
	s.assets[0].holder, s.assets[0].holderType = 0, ""
	fmt.Sscanf(where, "%s %d", &s.assets[0].holderType, &s.assets[0].holder)
}

// TestFreeLocations: where a location counts as free, a device is taken from there, and
// put back. The double's location is Berlin.
func TestFreeLocations(t *testing.T) {
	out := []string{"in 11 from 3", "out 11 to 1"}
	for _, tc := range []struct {
		kind  checkout.Kind
		where string // before
		home  string
		want  []string
		then  call.Verdict
	}{
		{checkout.Checkout, "location 3", "", out, call.OK},
		{checkout.Checkout, "location 3", "3 Berlin", out, call.OK},
		{checkout.Checkout, "", "3 Berlin", []string{"out 11 to 1"}, call.OK},
		{checkout.Checkout, "asset 3", "3 Berlin", nil, call.Conflict},
		{checkout.Return, "user 1", "3 Berlin", []string{"in 11 from 1", "out 11 to location 3"}, call.OK},
		{checkout.Return, "user 1", "", []string{"in 11 from 1"}, call.OK},
		{checkout.Return, "user 1", "3 Hamburg", []string{"in 11 from 1"}, call.OK}, // no longer free
		{checkout.Return, "", "3 Berlin", []string{"out 11 to location 3"}, call.OK},
		{checkout.Return, "location 3", "4 Berlin", nil, call.OK},
		{checkout.Return, "user 2", "3 Berlin", nil, call.Conflict},
		{checkout.Handover, "location 3", "3 Berlin", []string{"in 11 from 3", "out 11 to 2"}, call.OK},
		{checkout.Lost, "location 3", "3 Berlin", nil, call.OK},
		{checkout.Found, "user 3", "3 Berlin", []string{"in 11 from 3", "out 11 to location 3"}, call.OK},
		{checkout.Found, "", "3 Berlin", []string{"out 11 to location 3"}, call.OK},
		{checkout.Found, "location 3", "3 Berlin", nil, call.OK},
	} {
		s, d := openSnipe(t, func(s *double, c *site) { c.FreeLocations = []string{" berlin"}; s.noteNeeded = true; s.at(tc.where) })
		ev := tap(tc.kind)
		ev.Home = tc.home
		if o := deliver(t, d, ev); o.Verdict != tc.then {
			t.Errorf("%s at %q, home %q: %+v, want %v", tc.kind, tc.where, tc.home, o, tc.then)
		}
		if got := s.done(); !slices.Equal(got, tc.want) {
			t.Errorf("%s at %q, home %q: did %q, want %q", tc.kind, tc.where, tc.home, got, tc.want)
		}
		// A power cut leaves any part of it done; the whole is delivered again.
		for cut := range tc.want {
			s, d := openSnipe(t, func(s *double, c *site) { c.FreeLocations = []string{"Berlin"}; s.at(tc.where) })
			again := ev
			for range cut {
				again.Step = d.Deliver(t.Context(), again).Step
			}
			again.Step, again.Touched = "", cut > 0
			if o := deliver(t, d, again); o.Verdict != tc.then || !slices.Equal(s.done(), tc.want) {
				t.Errorf("%s at %q, cut off after %d: %+v, did %q, want %q", tc.kind, tc.where, cut, o, s.done(), tc.want)
			}
		}
	}
	s, d := openSnipe(t, func(s *double, c *site) { c.FreeLocations = []string{"Berlin"}; s.at("location 3") })
	want := books.Seen{Device: "11", Holding: books.Holding{Free: true}, Home: "3 Berlin"}
	if snap, err := d.Pull(t.Context()); err != nil || snap.Loans[0] != want {
		t.Errorf("%+v, %v, want %+v", snap.Loans[0], err, want)
	}
	s.at("location 3")
	if _, err := (site{Config: Config{FreeLocations: []string{" "}}, API: call.API{URL: "https://x", TokenFile: "t"}}).open(); err == nil {
		t.Error("a location without a name is taken")
	}
}

// TestHalfDone: after a check-in whose check-out is refused, people read what Snipe-IT
// shows now.
func TestHalfDone(t *testing.T) {
	for where, kind := range map[string]checkout.Kind{"user 1": checkout.Handover, "location 3": checkout.Checkout} {
		s, d := openSnipe(t, func(s *double, c *site) { c.FreeLocations = []string{"Berlin"}; s.full = true; s.at(where) })
		o := deliver(t, d, tap(kind))
		want := "Snipe-IT says: That asset is not available for checkout!; half of it is done: now it says that nobody has it"
		if o.Verdict != call.Refused || o.Reason != want || len(s.done()) != 1 {
			t.Errorf("%s from %s: %+v, did %q", kind, where, o, s.done())
		}
	}
}

// TestDoubt: only a bump that finds what it says before any call of ours leaves a doubt.
func TestDoubt(t *testing.T) {
	for _, tc := range []struct {
		kind    checkout.Kind
		where   string
		home    string
		touched bool
		source  checkout.Source
		want    string
	}{
		{checkout.Checkout, "user 1", "", false, checkout.SourceReader, "before it, Snipe-IT said that Ann O'Brien has it"},
		{checkout.Handover, "user 2", "", false, checkout.SourceReader, "before it, Snipe-IT said that Bob R&D has it"},
		{checkout.Return, "", "", false, checkout.SourceReader, "before it, Snipe-IT said that nobody has it"},
		{checkout.Return, "", "3 Berlin", false, checkout.SourceReader, "before it, Snipe-IT said that nobody has it"},
		{checkout.Return, "location 3", "", false, checkout.SourceReader, "before it, Snipe-IT said that it is free, at Berlin"},
		{checkout.Checkout, "user 1", "", true, checkout.SourceReader, ""}, // ours, perhaps
		{checkout.Checkout, "user 1", "", false, checkout.SourceCLI, ""},   // an admin says what is so
		{checkout.Checkout, "", "", false, checkout.SourceReader, ""},
		{checkout.Handover, "", "", false, checkout.SourceReader, ""}, // its first half, by hand
		{checkout.Return, "user 1", "", false, checkout.SourceReader, ""},
		{checkout.Lost, "", "", false, checkout.SourceReader, ""},
	} {
		_, d := openSnipe(t, func(s *double, c *site) { c.FreeLocations = []string{"Berlin"}; s.at(tc.where) })
		ev := tap(tc.kind)
		ev.Event.Source, ev.Home, ev.Touched = tc.source, tc.home, tc.touched
		if o := d.Deliver(t.Context(), ev); o.Doubt != tc.want {
			t.Errorf("%s at %q, home %q: doubt %q, want %q", tc.kind, tc.where, tc.home, o.Doubt, tc.want)
		}
	}
}

// TestMark: a row is marked right before each call that changes something, and without
// the mark there is no call.
func TestMark(t *testing.T) {
	s, d := openSnipe(t, func(s *double, _ *site) { s.at("user 1") })
	ev := tap(checkout.Handover)
	marks := 0
	ev.Mark = func(string) error { marks++; return nil }
	if o := deliver(t, d, ev); o.Verdict != call.OK || marks != 2 {
		t.Errorf("%+v, marked %d times", o, marks)
	}
	if o := deliver(t, d, ev); o.Verdict != call.OK || marks != 2 {
		t.Errorf("a look: %+v, marked %d times", o, marks)
	}
	s.at("user 1")
	ev.Mark = func(string) error { return errors.New("no space") }
	if o := deliver(t, d, ev); o.Verdict != call.Down || len(s.done()) != 2 {
		t.Errorf("%+v, did %q", o, s.done())
	}
}

// TestOthers: Snipe-IT's counters show whether somebody else moved a device since it and
// the station agreed last, also where it came back.
func TestOthers(t *testing.T) {
	const others = "meanwhile somebody else checked it out or in there"
	for _, tc := range []struct {
		kind  checkout.Kind
		where string
		rev   string // when they agreed; now it is 12
		asked string // before a power cut
		want  string
	}{
		{checkout.Checkout, "", "12", "", ""},
		{checkout.Checkout, "", "10", "", others},
		{checkout.Checkout, "", "10", "10 checked out", others},
		{checkout.Checkout, "", "10", "12 checked out", ""}, // it was not counted
		{checkout.Checkout, "user 1", "11", "11 checked out", ""},
		{checkout.Checkout, "user 1", "10", "10 checked out", others},
		{checkout.Checkout, "", "", "", ""},
		{checkout.Return, "user 1", "12", "", ""},
		{checkout.Return, "user 1", "11", "", others},
		{checkout.Return, "", "11", "11 checked in", ""},
		{checkout.Handover, "user 1", "12", "", ""},
		{checkout.Handover, "", "11", "11 checked in", ""},
		{checkout.Handover, "", "11", "", others},
		{checkout.Handover, "user 1", "11", "11 checked in", others},
		{checkout.Checkout, "location 3", "12", "", ""},
	} {
		for _, source := range []checkout.Source{checkout.SourceReader, checkout.SourceCLI} {
			s, d := openSnipe(t, func(s *double, c *site) { c.FreeLocations = []string{"Berlin"}; s.at(tc.where) })
			s.assets[0].ins, s.assets[0].outs = 5, 7
			ev := tap(tc.kind)
			ev.Rev, ev.Asked, ev.Touched, ev.Event.Source = tc.rev, tc.asked, tc.asked != "", source
			ev.Mark = func(asked string) error { ev.Asked, ev.Touched = asked, true; return nil }
			o, doubt := d.Deliver(t.Context(), ev), ""
			for ; o.Verdict == call.Part; o = d.Deliver(t.Context(), ev) {
				ev.Step, doubt = o.Step, cmp.Or(doubt, o.Doubt)
			}
			doubt = cmp.Or(doubt, o.Doubt)
			want := tc.want
			if source == checkout.SourceCLI {
				want = "" // an admin says what is so
			}
			if o.Verdict != call.OK || doubt != want || o.Rev != fmt.Sprint(s.assets[0].ins+s.assets[0].outs) {
				t.Errorf("%s at %q, rev %q, asked %q, %s: %+v, doubt %q, want %q", tc.kind, tc.where, tc.rev, tc.asked, source, o, doubt, want)
			}
		}
	}
}
