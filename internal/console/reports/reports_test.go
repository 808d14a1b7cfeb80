package reports

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/checkout/ledger"
	"stump/checkout/loan"
	"stump/internal/books"
	"stump/internal/sitekey"
)

// TestMake: each way in which a device can be used, or not, is in the report where it
// belongs.
func TestMake(t *testing.T) {
	now, trusted := time.Date(2025, 12, 20, 12, 0, 0, 0, time.UTC), true
	l, err := ledger.Create(filepath.Join(t.TempDir(), "ledger.db"), ledger.Options{
		Station: "lab-1", SiteKey: sitekey.New(), Loans: loan.Rules{Length: 24 * time.Hour},
		Stamp: func() checkout.Stamp { return checkout.Stamp{Wall: now, Trusted: trusted} },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	ok := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	ok(l.AddPerson(books.Person{ID: "ann", Name: "Ann"}, checkout.Tag{}, "root", checkout.SourceCLI))
	ok(l.AddPerson(books.Person{ID: "ben", Name: "Ben"}, checkout.Tag{}, "root", checkout.SourceCLI))
	for id, kind := range map[string]string{"pixel": "phone", "nokia": "phone", "ipad": "tablet", "cable": "", "gone": "phone", "old": "phone"} {
		ok(l.AddDevice(books.Device{ID: id, Name: "The " + id, Kind: kind}, checkout.Tag{}, "root", checkout.SourceCLI))
	}
	move := func(at time.Time, device, person string) {
		t.Helper()
		now = at
		q := books.Request{Device: device, Person: person, Actor: "root", Source: checkout.SourceCLI}
		do := l.Give
		if person == "" {
			do = l.Return
		}
		_, err := do(q)
		ok(err)
	}
	day := func(y int, m time.Month, d int) time.Time { return time.Date(y, m, d, 12, 0, 0, 0, time.UTC) }
	move(day(2025, 12, 21), "old", "ann") // before the year, and still out
	move(day(2025, 12, 22), "nokia", "ann")
	move(day(2025, 12, 23), "nokia", "")
	move(day(2026, 1, 2), "pixel", "ann")
	move(day(2026, 1, 3), "pixel", "ben") // handed over
	move(day(2026, 1, 4), "pixel", "")
	move(day(2026, 12, 1), "pixel", "ann")
	move(day(2026, 12, 1), "ipad", "ann")
	trusted = false
	move(day(2026, 12, 1), "ipad", "ben")
	trusted = true
	move(day(2026, 12, 2), "gone", "ann")
	move(day(2026, 12, 2), "gone", "")
	retired := checkout.Retired
	ok(l.EditDevice("gone", books.Edit{Status: &retired}, "root", checkout.SourceCLI))

	now = day(2026, 12, 4)
	r, err := Make(l, now)
	ok(err)
	var kinds, unused, out []string
	for _, u := range r.Kinds {
		kinds = append(kinds, fmt.Sprintf("%q %d: %v", u.Kind, u.Devices, u.Taken))
	}
	for _, d := range r.Unused {
		unused = append(unused, d.ID)
	}
	for _, o := range r.Out {
		out = append(out, fmt.Sprint(o.DeviceID, " ", o.Days))
	}
	for what, pair := range map[string][2]any{
		"kinds": {strings.Join(kinds, "; "), `"phone" 3: [2 0 0 0 0 0 0 0 0 0 0 2]; "tablet" 1: [0 0 0 0 0 0 0 0 0 0 0 1]; "" 1: [0 0 0 0 0 0 0 0 0 0 0 0]`},
		// The nokia was taken before; the old one is out.
		"unused":  {fmt.Sprint(unused), "[cable nokia]"},
		"out":     {fmt.Sprint(out), "[old 348 pixel 3]"},
		"overdue": {r.Overdue, 3},
		"undated": {r.Undated, 1},
		"from":    {r.From, time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)},
	} {
		if pair[0] != pair[1] {
			t.Errorf("%s: %v, want %v", what, pair[0], pair[1])
		}
	}
	var file strings.Builder
	ok(r.WriteCSV(&file))
	if lines := strings.Split(file.String(), "\n"); len(lines) != 1+3*Months+1 || lines[0] != "kind,devices,month,taken" || lines[12] != "phone,3,2026-12,2" {
		t.Errorf("%q", lines)
	}
}
