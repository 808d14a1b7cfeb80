package kit

import (
	"strings"
	"testing"

	"stump/internal/hint"
)

// TestFate has the table of docs/loans.md.
func TestFate(t *testing.T) {
	const out, on, back, tagged, every = 0, 1, 2, 3, 4
	for _, tt := range []struct {
		name string
		part Part
		want [5]Fate // when the kit goes out, on, back, and back where parts with a tag, or all, are asked for
	}{
		{"in it, with a tag", Part{Held: true, In: true, Tagged: true}, [5]Fate{Goes, Goes, Goes, Asked, Asked}},
		{"in it, without", Part{Held: true, In: true}, [5]Fate{Goes, Goes, Goes, Goes, Asked}},
		{"in the lab", Part{Tagged: true}, [5]Fate{Goes, Lacks, Stays, Stays, Stays}},
		{"with somebody", Part{Held: true, Tagged: true}, [5]Fate{Lacks, Lacks, Stays, Stays, Stays}},
		{"lost", Part{Lost: true, Tagged: true}, [5]Fate{Lacks, Lacks, Stays, Stays, Stays}},
		{"retired", Part{Retired: true, Tagged: true}, [5]Fate{Stays, Stays, Stays, Stays, Stays}},
	} {
		p := tt.part
		got := [5]Fate{out: p.Fate(Out, Trust), on: p.Fate(On, Every), back: p.Fate(Back, Trust), tagged: p.Fate(Back, Tagged), every: p.Fate(Back, Every)}
		if got != tt.want {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestMayJoin(t *testing.T) {
	box := Device{ID: "box-b", Name: "Box B", HasParts: true}
	part := Device{ID: "charger", Name: "Charger"}
	for _, tt := range []struct {
		name string
		f    func(part, box *Device)
		want string // none: it may
	}{
		{"a part", func(part, box *Device) {}, ""},
		{"the first part", func(part, box *Device) { box.HasParts = false }, ""},
		{"again", func(part, box *Device) { part.Kit = "box-b" }, ""},
		{"a retired part", func(part, box *Device) { part.Retired = true }, ""},
		{"itself", func(part, box *Device) { *part = *box }, "Box B can't be a part of itself"},
		{"of a part", func(part, box *Device) { box.Kit = "case" }, "Box B is itself a part of case: a kit has no kit in it"},
		{"a kit", func(part, box *Device) { part.HasParts = true }, "Charger has parts itself: a kit has no kit in it"},
		{"of two", func(part, box *Device) { part.Kit = "box-a" }, "Charger is a part of box-a already"},
		{"of what is gone", func(part, box *Device) { box.Retired = true }, "Box B is no longer in use"},
	} {
		p, b := part, box
		tt.f(&p, &b)
		err := MayJoin(p, b)
		if (err == nil) != (tt.want == "") || err != nil && (err.Error() != tt.want || hint.Of(err) == "" || strings.HasSuffix(hint.Of(err), ".")) {
			t.Errorf("%s: %v (%s), want %q", tt.name, err, hint.Of(err), tt.want)
		}
	}
}
