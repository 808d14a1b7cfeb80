package loan

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

var workdays = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}

func in(t testing.TB, zone string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// TestEnd has closed days, the hours at which clocks change, and the end of February.
func TestEnd(t *testing.T) {
	vienna := in(t, "Europe/Vienna")
	const layout = "Mon 2006-01-02 15:04 MST"
	christmas := func(d Date) bool { return d.Month == time.December && d.Day >= 25 && d.Day <= 26 }
	for name, tt := range map[string]struct {
		c      Calendar
		from   string
		length time.Duration
		want   string
	}{
		"always":                     {Calendar{}, "2026-11-30 10:00", 14 * day, "Mon 2026-12-14 10:00 CET"},
		"always, over a change":      {Calendar{}, "2026-10-20 10:00", 7 * day, "Tue 2026-10-27 09:00 CET"},
		"on an open day":             {Calendar{Days: workdays}, "2026-11-30 10:00", 4 * day, "Fri 2026-12-04 10:00 CET"},
		"on a Saturday":              {Calendar{Days: workdays}, "2026-11-30 10:00", 5 * day, "Mon 2026-12-07 10:00 CET"},
		"on a Sunday":                {Calendar{Days: workdays}, "2026-11-30 10:00", 6 * day, "Mon 2026-12-07 10:00 CET"},
		"hours":                      {Calendar{Days: workdays, Until: 18 * time.Hour}, "2026-12-03 16:00", 3 * time.Hour, "Thu 2026-12-03 19:00 CET"},
		"hours into a Saturday":      {Calendar{Days: workdays}, "2026-12-04 23:00", 3 * time.Hour, "Mon 2026-12-07 02:00 CET"},
		"until":                      {Calendar{Until: 18 * time.Hour}, "2026-11-30 10:00", 3 * day, "Thu 2026-12-03 18:00 CET"},
		"until, on a Saturday":       {Calendar{Days: workdays, Until: 18*time.Hour + 30*time.Minute}, "2026-11-30 19:00", 5 * day, "Mon 2026-12-07 18:30 CET"},
		"until, lent after it":       {Calendar{Until: 18 * time.Hour}, "2026-11-30 19:00", day, "Tue 2026-12-01 18:00 CET"},
		"a holiday, then a weekend":  {Calendar{Days: workdays, Closed: christmas}, "2026-12-18 10:00", 7 * day, "Mon 2026-12-28 10:00 CET"},
		"clocks go back":             {Calendar{Days: workdays}, "2026-10-20 10:00", 7 * day, "Tue 2026-10-27 10:00 CET"},
		"clocks go forward":          {Calendar{Days: workdays}, "2026-03-26 10:00", 4 * day, "Mon 2026-03-30 10:00 CEST"},
		"at an hour that is skipped": {Calendar{Closed: christmas}, "2026-03-28 02:30", day, "Sun 2026-03-29 03:30 CEST"},
		"the end of February":        {Calendar{Days: workdays}, "2026-02-23 10:00", 6 * day, "Mon 2026-03-02 10:00 CET"},
		"a leap year":                {Calendar{Until: 18 * time.Hour}, "2028-02-15 10:00", 14 * day, "Tue 2028-02-29 18:00 CET"},
		"the end of a year":          {Calendar{Days: workdays, Closed: christmas}, "2026-12-31 10:00", 2 * day, "Mon 2027-01-04 10:00 CET"},
		"never open":                 {Calendar{Closed: func(Date) bool { return true }}, "2026-11-30 10:00", 2 * day, "Wed 2026-12-02 10:00 CET"},
	} {
		tt.c.Zone = vienna
		from, err := time.ParseInLocation("2006-01-02 15:04", tt.from, vienna)
		if err != nil {
			t.Fatal(err)
		}
		if got := tt.c.End(from, tt.length).In(vienna).Format(layout); got != tt.want {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestEndModel compares the end of loans with an oracle that looks at each minute.
func TestEndModel(t *testing.T) {
	zones := []*time.Location{time.UTC, in(t, "Europe/Vienna"), in(t, "America/New_York"), in(t, "Australia/Lord_Howe"), in(t, "Pacific/Apia")}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		days := rapid.SliceOfNDistinct(rapid.IntRange(0, 6), 1, 7, rapid.ID).Draw(t, "days")
		holidays := map[Date]bool{}
		from := time.Date(2026, 1, 1, 0, rapid.IntRange(0, 3*366*24*60).Draw(t, "minutes"), 0, 0, zone)
		for range rapid.IntRange(0, 5).Draw(t, "holidays") {
			holidays[DateOf(from.AddDate(0, 0, rapid.IntRange(0, 40).Draw(t, "holiday")))] = true
		}
		c := Calendar{Zone: zone, Closed: func(d Date) bool { return holidays[d] }, Until: time.Duration(rapid.IntRange(0, 1439).Draw(t, "until")) * time.Minute}
		for _, d := range days {
			c.Days = append(c.Days, time.Weekday(d))
		}
		n := rapid.IntRange(1, 30).Draw(t, "length")
		got := c.End(from, time.Duration(n)*day)
		// The last day of the loan, then day by day at noon, which no clock skips.
		noon := time.Date(from.Year(), from.Month(), from.Day()+n, 12, 0, 0, 0, zone)
		for !slices.Contains(c.Days, noon.Weekday()) || holidays[DateOf(noon)] {
			noon = time.Date(noon.Year(), noon.Month(), noon.Day()+1, 12, 0, 0, 0, zone)
		}
		if DateOf(got.In(zone)) != DateOf(noon) {
			t.Fatalf("from %v for %d days until %v, want on %v", from, n, got, noon)
		}
		hour, minute := from.Hour(), from.Minute()
		if c.Until > 0 {
			hour, minute = int(c.Until/time.Hour), int(c.Until/time.Minute)%60
		}
		if want := time.Date(noon.Year(), noon.Month(), noon.Day(), hour, minute, 0, 0, zone); !got.Equal(want) {
			t.Fatalf("from %v until %v, want %v", from, got, want)
		}
		if !got.After(from) {
			t.Fatalf("from %v until %v", from, got)
		}
	})
}
