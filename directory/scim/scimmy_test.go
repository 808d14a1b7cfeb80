//go:build services

package scim

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"stump/checkout"
	"stump/directory/call"
	"stump/directory/directorytest"
	"stump/internal/books"
	"stump/internal/testkit"
)

// openSCIMMY opens the server with a badge field; "" is the employee number.
func openSCIMMY(t *testing.T, s *directorytest.SCIMMY, token, field string) *SCIM {
	t.Helper()
	d, err := New(call.API{URL: s.URL, TokenFile: tokenOf(t, token)}, call.Badges{Field: field}, call.HTTP{Proxy: "none"}, decimal26)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// people pulls, and sorts by key, since the server's ids are random.
func people(t *testing.T, d *SCIM) []books.SyncRow {
	t.Helper()
	snap, err := d.Pull(t.Context())
	if notes := said(snap); err != nil || len(notes) > 0 {
		t.Fatalf("%v, notes %q", err, notes)
	}
	byName := func(a, b books.SyncRow) int { return strings.Compare(a.Name, b.Name) }
	return slices.SortedFunc(slices.Values(snap.People), byName)
}

// A server that is not of Go, and reads the standard in its own way: it refuses to
// be asked for attributes of an extension, and beyond the end of the list it gives
// the first page again.
func TestSCIMMY(t *testing.T) {
	s := directorytest.StartSCIMMY(t, "../../scripts")
	ann, bob := s.Add("ann@x", "Ann", "91234", "77001"), s.Add("bob@x", "Bob", "91235", "77002")
	employees := openSCIMMY(t, s, s.Token, "")
	person := func(ref, name string, tag uint64) books.SyncRow {
		return books.SyncRow{Kind: checkout.KindPerson, Ref: ref, Name: name, Email: strings.ToLower(name) + "@x", Tag: testkit.Tag(tag, 26)}
	}
	want := []books.SyncRow{person(ann, "Ann", 91234), person(bob, "Bob", 91235)}
	if got := people(t, employees); !slices.Equal(got, want) {
		t.Errorf("%+v, want %+v", got, want)
	}
	badges := openSCIMMY(t, s, s.Token, `urn:ietf:params:scim:schemas:extension:lab:2.0:User:badges[type eq "lab"].value`)
	want = []books.SyncRow{person(ann, "Ann", 77001), person(bob, "Bob", 77002)}
	if got := people(t, badges); !slices.Equal(got, want) {
		t.Errorf("badges of an extension: %+v, want %+v", got, want)
	}

	s.SetActive(ann, false)
	if got := people(t, employees); !got[0].Inactive || got[1].Inactive {
		t.Errorf("Ann has left: %+v", got)
	}
	s.SetActive(ann, true)
	s.Delete(bob)
	if got := people(t, employees); len(got) != 1 || got[0] != person(ann, "Ann", 91234) {
		t.Errorf("Bob is gone, Ann is back: %+v", got)
	}

	var bad call.Outcome
	if _, err := openSCIMMY(t, s, "old", "").Pull(t.Context()); !errors.As(err, &bad) || bad.Verdict != call.BadConfig || !strings.Contains(bad.Reason, "token expired") {
		t.Errorf("an old token: %v", err)
	}
}

// Its users don't say in which groups they are: it has a list of groups.
func TestSCIMMYGroups(t *testing.T) {
	s := directorytest.StartSCIMMY(t, "../../scripts")
	ann, bob := s.Add("ann@x", "Ann", "91234", ""), s.Add("bob@x", "Bob", "91235", "")
	s.Add("cem@x", "Cem", "91236", "")
	d := openSCIMMY(t, s, s.Token, "")
	d.Wanted = "trained\ncrew"
	groups := func() string {
		snap, err := d.Pull(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		var all []string
		for _, p := range snap.People {
			all = append(all, fmt.Sprint(p.Name, " ", p.HasGroups, " ", strings.ReplaceAll(string(p.Groups()), "\n", "+")))
		}
		return strings.Join(append(all, snap.PeopleList.Notes...), ", ")
	}
	if got := groups(); !strings.HasPrefix(got, "Ann false , Bob false , Cem false , SCIM says of nobody in which groups they are") {
		t.Errorf("no groups: %q", got)
	}
	trained := s.Group("Trained", ann, bob)
	s.Group("crew", bob)
	s.Group("everybody", ann, bob)
	if got := groups(); got != "Ann true Trained, Bob true crew+Trained, Cem true " {
		t.Errorf("%q", got)
	}
	s.Provision("DELETE", "/Groups/"+trained, nil)
	if got := groups(); got != "Ann true , Bob true crew, Cem true " {
		t.Errorf("one is gone: %q", got)
	}
}

// More people than a page has, of ours and of the server's own.
func TestSCIMMYPages(t *testing.T) {
	s := directorytest.StartSCIMMY(t, "../../scripts")
	for i := range 120 {
		s.Add(fmt.Sprintf("p%d@x", i), fmt.Sprintf("P%03d", i), fmt.Sprint(1000+i), "")
	}
	if got := people(t, openSCIMMY(t, s, s.Token, "")); len(got) != 120 || got[119].Tag != testkit.Tag(1119, 26) {
		t.Errorf("%d people, the last is %+v", len(got), got[len(got)-1])
	}
	// No attribute of an extension is asked for.
	snap, err := openSCIMMY(t, s, s.Token, "userName").Pull(t.Context())
	if err != nil || len(snap.People) != 120 {
		t.Errorf("%d people, %v", len(snap.People), err)
	}
}
