package snipeit

import (
	"fmt"
	"strings"
	"testing"

	"stump/checkout"
)

// TestGroups: groups and the department of a user are groups, in each form that Snipe-IT has
// had; a user of whom no more than a name may be seen has none that are known.
func TestGroups(t *testing.T) {
	s, d := openSnipe(t, nil)
	named := func(names ...string) (all []any) {
		for i, name := range names {
			all = append(all, map[string]any{"id": i, "name": name, "permissions": "{}"})
		}
		return all
	}
	s.users[0].groups, s.users[0].department = map[string]any{"total": 2, "rows": named("Trained", "Caf&eacute;")}, "R&D"
	s.users[1].groups = named("trained", "other") // before v5
	s.users[2].groups = "none"
	d.Wanted = checkout.GroupsOf("trained", "r&d", "Café")
	snap, err := d.Pull(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, p := range snap.People {
		got = append(got, fmt.Sprint(p.HasGroups, " ", strings.ReplaceAll(string(p.Groups()), "\n", ",")))
	}
	if want := "true Café,R&D,Trained|true trained|false "; strings.Join(got, "|") != want {
		t.Errorf("%q, want %q", got, want)
	}
	d.Wanted = ""
	if snap, err = d.Pull(t.Context()); err != nil || snap.People[0].HasGroups {
		t.Errorf("no group matters: %+v, %v", snap.People[0], err)
	}
}

// TestDetails: the serial number, the place and the page of an asset.
func TestDetails(t *testing.T) {
	for _, field := range []string{"asset_tag", "serial"} {
		s, d := openSnipe(t, nil)
		s.assets[0].home, s.assets[0].at = "Shelf <3>", "Berlin"
		s.assets[1].at = "Berlin"
		s.assets[2].at, s.assets[2].holder, s.assets[2].holderType = "Rome", 1, "user"
		d.cfg.DeviceField = field
		snap, err := d.Pull(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range [][3]string{{"S1", "Shelf <3>", "/hardware/11"}, {"S2", "Berlin", "/hardware/12"}, {"", "", "/hardware/13"}} {
			serial, place, link := snap.Devices[i].Details()
			if field == "serial" { // it is the number of a tag
				want[0] = ""
			}
			if serial != want[0] || place != want[1] || !strings.HasPrefix(link, "http") || !strings.HasSuffix(link, want[2]) || strings.Contains(link, "/api") {
				t.Errorf("%s: %q, %q, %q, want %q", field, serial, place, link, want)
			}
		}
	}
}
