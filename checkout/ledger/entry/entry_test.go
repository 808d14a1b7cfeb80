package entry

import (
	"reflect"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

// TestSync: what the directory lacks stays, and its groups are told apart from those here.
func TestSync(t *testing.T) {
	r := record.Row{Name: "iPad", Details: books.Details{Serial: "S1", Place: "Shelf 3", Note: "mine", Link: "https://a.example/1"}}
	in := books.SyncRow{Kind: checkout.KindDevice, Name: "iPad 13", Type: "tablet", Ref: "7"}
	in.SetDetails("", "Berlin", "")
	Sync(&r, &in)
	want := record.Row{Name: "iPad 13", Kind: "tablet", Ref: "7", Details: books.Details{Serial: "S1", Place: "Berlin", Note: "mine", Link: "https://a.example/1"}}
	if !reflect.DeepEqual(r, want) {
		t.Errorf("%+v", r)
	}
	p := record.Row{Name: "Ann", Groups: "crew\ntrained"}
	ann := books.SyncRow{Kind: checkout.KindPerson, Name: "Ann", Email: "a@b.example", Language: "fr"}
	Sync(&p, &ann)
	if p.Groups != "crew\ntrained" || p.RefGroups != "" || p.Language != "fr" {
		t.Errorf("nothing said of groups: %+v", p)
	}
	ann.SetGroups("Trained")
	ann.Language = ""
	Sync(&p, &ann)
	if p.Groups != "crew" || p.RefGroups != "Trained" || p.Language != "fr" {
		t.Errorf("both say it: %+v", p)
	}
	all := checkout.GroupsOf("crew", "trained", "press")
	if Edit(&p, books.Edit{Groups: &all}); p.Groups != "crew\npress" || p.RefGroups != "Trained" {
		t.Errorf("an edit of all: %+v", p)
	}
}

// TestMerge: groups here add up, and those of the directory come with its key.
func TestMerge(t *testing.T) {
	p, was := record.Row{Ref: "7", Groups: "crew", RefGroups: "trained"}, record.Row{Ref: "8", Email: "a@b.example", Groups: "press\ntrained", RefGroups: "pilot", Former: "6"}
	Merge(&p, &was)
	if p.Groups != "crew\npress" || p.RefGroups != "trained" || p.Former != "6\n8" || p.Email != "a@b.example" || !reflect.DeepEqual(was, record.Row{}) {
		t.Errorf("%+v and %+v", p, was)
	}
	p, was = record.Row{Groups: "pilot"}, record.Row{Ref: "8", RefGroups: "pilot"}
	if Merge(&p, &was); p.Ref != "8" || p.Groups != "" || p.RefGroups != "pilot" {
		t.Errorf("%+v", p)
	}
}

// TestImport: a line changes what its file has columns for, and a second time nothing.
func TestImport(t *testing.T) {
	text := rapid.SampledFrom([]string{"", "a", "b"})
	rapid.Check(t, func(t *rapid.T) {
		details := func(what string) books.Details {
			return books.Details{Serial: text.Draw(t, what), Place: text.Draw(t, what), Note: text.Draw(t, what), Link: text.Draw(t, what), Out: checkout.Day(text.Draw(t, what))}
		}
		was := record.Row{Name: text.Draw(t, "was"), Details: details("was"), Condition: text.Draw(t, "was"), Groups: checkout.Groups(text.Draw(t, "was"))}
		in := books.ImportRow{Name: text.Draw(t, "in"), Details: details("in"), Condition: text.Draw(t, "in"), Groups: checkout.Groups(text.Draw(t, "in")),
			Has: books.Columns(rapid.IntRange(0, 127).Draw(t, "has"))}
		is := was
		Import(&is, &in)
		for _, f := range []struct {
			has         books.Columns
			is, was, in string
		}{
			{books.HasSerial, is.Serial, was.Serial, in.Serial}, {books.HasPlace, is.Place, was.Place, in.Place}, {books.HasNote, is.Note, was.Note, in.Note},
			{books.HasLink, is.Link, was.Link, in.Link}, {books.HasOut, string(is.Out), string(was.Out), string(in.Out)},
			{books.HasCondition, is.Condition, was.Condition, in.Condition}, {books.HasGroups, string(is.Groups), string(was.Groups), string(in.Groups)},
		} {
			want := f.was
			if in.Has&f.has != 0 {
				want = f.in
			}
			if f.is != want {
				t.Fatalf("%+v, then %+v: %+v", was, in, is)
			}
		}
		if Changed(&was, &is) == reflect.DeepEqual(was, is) {
			t.Fatalf("changed: %v, from %+v to %+v", Changed(&was, &is), was, is)
		}
		again := is
		if Import(&again, &in); Changed(&is, &again) {
			t.Fatalf("again: %+v, then %+v", is, again)
		}
	})
}

func TestID(t *testing.T) {
	taken := map[string]bool{"jane-doe": true, "jane-doe-2": true, "person": true}
	for name, want := range map[string]string{"Jane  Doe": "jane-doe-3", "Zoë": "zoë", "💡": "person-2", "-a-": "a", strings.Repeat("x", 90): strings.Repeat("x", 41)} {
		if got := ID(checkout.KindPerson, name, func(id string) bool { return taken[id] }); got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}
