package snipeit

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

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
