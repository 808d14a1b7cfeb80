package labrow

import (
	"maps"
	"testing"

	"stump/checkout"
	"stump/checkout/ledger/record"
	"stump/internal/books"
)

var (
	lookup = []byte("0123456789abcdef")
	other  = []byte("fedcba9876543210")
)

func full() (*record.Row, []Tag) {
	r := &record.Row{Name: "Ann", Email: "ann@example.org", Kind: "k", Kit: "box", Condition: "ok", Ref: "7", Former: "8\n9", Groups: "a\nb", RefGroups: "c",
		Details: books.Details{Serial: "S", Place: "P", Note: "N", Link: "https://x", Out: "2026-12-24"}, Resolved: "ben", Language: "de", Status: checkout.Suspended, ByDirectory: true}
	return r, []Tag{{Lookup: lookup, Mask: "…066", Sealed: []byte{1, 2}}, {Lookup: other, Mask: "…067", Status: checkout.LostBadge}}
}

// TestThereAndBack: what a row says arrives at another station whole.
func TestThereAndBack(t *testing.T) {
	r, tags := full()
	all := Fields(r, tags)
	var got record.Row
	Set(&got, all)
	if again := Fields(&got, TagsOf(all)); !Same(again, all) {
		t.Errorf("%v\n%v", again, all)
	}
	if got.Status != checkout.Suspended || got.Out != "2026-12-24" || got.Groups != "a\nb" || !got.ByDirectory {
		t.Errorf("%+v", got)
	}
	if len(all) != len(names)+len(tags) {
		t.Errorf("%d of %d fields are there", len(all), len(names)+len(tags))
	}
}

func TestDiff(t *testing.T) {
	r, tags := full()
	was := Fields(r, tags)
	base := Base(was)
	if d := Diff(base, was); d != nil || !Unchanged(base, was) {
		t.Errorf("nothing was changed, but %v", d)
	}
	if d := Diff(nil, was); !maps.Equal(d, was) {
		t.Errorf("of a new row all is new, not %v", d)
	}
	r.Name, r.Email = "Anna", ""
	now := Fields(r, []Tag{{Lookup: lookup, Mask: "…066", Sealed: []byte{1, 2}}})
	want := map[string]string{"name": "Anna", "email": "", "tag/66656463626139383736353433323130": ""}
	if d := Diff(base, now); !maps.Equal(d, want) {
		t.Errorf("%v, want %v", d, want)
	}
	lab := maps.Clone(was)
	lab["place"], lab["name"] = "Shelf", "Other"
	merged := Merge(base, now, lab)
	if merged["place"] != "Shelf" || merged["name"] != "Anna" || merged["email"] != "" || merged["tag/66656463626139383736353433323130"] != "" {
		t.Errorf("%v", merged)
	}
}

// TestOlderBase: a station that learns of more fields has not changed those that are empty.
func TestOlderBase(t *testing.T) {
	base := Base(map[string]string{"name": "Ann"})
	short := append([]byte{base[0] - 1}, base[1:len(base)-sumLen]...)
	if d := Diff(short, map[string]string{"name": "Ann"}); d != nil {
		t.Errorf("%v", d)
	}
	for n := range base {
		Diff(base[:n], map[string]string{"name": "Ann"}) // a damaged one is no panic
	}
}
