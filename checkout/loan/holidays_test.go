package loan

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// TestOverHolidays lends and extends over holidays, weekends and changes of the clock, in two
// zones that change it at different times: due dates are those of docs/loans.md.
func TestOverHolidays(t *testing.T) {
	holidays := map[Date]bool{
		{2026, 3, 30}: true, {2026, 10, 26}: true, {2026, 11, 2}: true, // Mondays after a change of the clock
		{2026, 12, 24}: true, {2026, 12, 25}: true, {2027, 1, 1}: true, {2026, 3, 9}: true,
	}
	const asked = "Mon 2006-01-02 15:04"
	for name, tt := range map[string]struct {
		zone, from string
		length     int    // of such devices, in days
		due        string // that an admin gives it; none: as usual
		extend     int    // how often, as usual
		until      string
	}{
		"to a Friday":                {"Europe/Vienna", "Fri 2026-11-20 16:30", 7, "", 0, "Fri 2026-11-27 16:30 CET"},
		"over Christmas":             {"Europe/Vienna", "Fri 2026-12-11 16:30", 14, "", 0, "Mon 2026-12-28 16:30 CET"},
		"over Christmas, there":      {"America/New_York", "Fri 2026-12-11 16:30", 14, "", 0, "Mon 2026-12-28 16:30 EST"},
		"clocks go forward":          {"Europe/Vienna", "Fri 2026-03-27 16:30", 2, "", 0, "Tue 2026-03-31 16:30 CEST"},
		"clocks go forward, there":   {"America/New_York", "Fri 2026-03-06 16:30", 2, "", 0, "Tue 2026-03-10 16:30 EDT"},
		"not yet there":              {"America/New_York", "Fri 2026-03-27 16:30", 2, "", 0, "Tue 2026-03-31 16:30 EDT"},
		"clocks go back":             {"Europe/Vienna", "Thu 2026-10-22 16:30", 2, "", 0, "Tue 2026-10-27 16:30 CET"},
		"clocks go back, there":      {"America/New_York", "Thu 2026-10-29 16:30", 3, "", 0, "Tue 2026-11-03 16:30 EST"},
		"what an admin says":         {"Europe/Vienna", "Fri 2026-12-11 16:30", 14, "Fri 2026-12-25 10:00", 0, "Fri 2026-12-25 10:00 CET"},
		"what an admin says, a year": {"America/New_York", "Sat 2026-03-07 16:30", 14, "Sun 2026-11-01 10:00", 0, "Sun 2026-11-01 10:00 EST"},

		"extended into a holiday":      {"Europe/Vienna", "Fri 2026-12-04 16:30", 7, "", 2, "Mon 2026-12-28 16:30 CET"},
		"extended from a holiday":      {"Europe/Vienna", "Fri 2026-12-11 16:30", 7, "Fri 2026-12-25 10:00", 1, "Mon 2027-01-04 10:00 CET"},
		"extended over the change":     {"Europe/Vienna", "Mon 2026-10-12 16:30", 7, "", 1, "Tue 2026-10-27 16:30 CET"},
		"over the change, there":       {"America/New_York", "Mon 2026-10-19 16:30", 7, "", 1, "Tue 2026-11-03 16:30 EST"},
		"over both changes":            {"America/New_York", "Mon 2026-03-02 16:30", 240, "", 0, "Wed 2026-10-28 16:30 EDT"},
		"over both changes, extended":  {"America/New_York", "Mon 2026-03-02 16:30", 120, "", 2, "Thu 2027-02-25 16:30 EST"},
		"to an hour that is skipped":   {"Europe/Vienna", "Sat 2026-03-21 02:30", 9, "", 0, "Tue 2026-03-31 02:30 CEST"},
		"at the hour that comes twice": {"America/New_York", "Sun 2026-11-01 01:30", 2, "", 0, "Tue 2026-11-03 01:30 EST"},
	} {
		zone := in(t, tt.zone)
		r := Rules{Length: time.Duration(tt.length) * day, Calendar: Calendar{Days: workdays, Closed: func(d Date) bool { return holidays[d] }, Zone: zone}}
		from, err := time.ParseInLocation(asked, tt.from, zone)
		if err != nil {
			t.Fatal(err)
		}
		length := r.Lasts("", "", from)
		if tt.due != "" {
			due, err := time.ParseInLocation(asked, tt.due, zone)
			if err != nil {
				t.Fatal(err)
			}
			length = due.Sub(from)
		}
		for range tt.extend {
			if length, err = r.Extend(Extension{Since: from, Length: length, Now: from}); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		if got := from.Add(length).Format(asked + " MST"); got != tt.until {
			t.Errorf("%s: until %s, want %s", name, got, tt.until)
		}
	}
}

// TestExtendModel: an extension ends where a loan of that length would that began when this
// one is due, on an open day, whoever asks for it; who has the device gets no more than that.
func TestExtendModel(t *testing.T) {
	zones := []*time.Location{in(t, "Europe/Vienna"), in(t, "America/New_York"), in(t, "Australia/Lord_Howe")}
	rapid.Check(t, func(t *rapid.T) {
		zone := rapid.SampledFrom(zones).Draw(t, "zone")
		from := time.Date(2026, 1, 1, 0, rapid.IntRange(0, 2*366*24*60).Draw(t, "minutes"), 0, 0, zone)
		closed := map[Date]bool{}
		for range rapid.IntRange(0, 8).Draw(t, "holidays") {
			closed[DateOf(from.AddDate(0, 0, rapid.IntRange(0, 60).Draw(t, "holiday")))] = true
		}
		open := func(at time.Time) bool {
			d := at.In(zone)
			return d.Weekday() != time.Sunday && d.Weekday() != time.Saturday && !closed[DateOf(d)]
		}
		n := rapid.IntRange(1, 20).Draw(t, "days")
		r := Rules{Length: time.Duration(n) * day, Extensions: 1, Calendar: Calendar{Days: workdays, Closed: func(d Date) bool { return closed[d] }, Zone: zone}}
		due := from.Add(time.Duration(rapid.IntRange(1, 40*24*60).Draw(t, "due")) * time.Minute)
		e := Extension{Since: from, Now: from, Length: due.Sub(from), Own: rapid.Bool().Draw(t, "own")}
		length, err := r.Extend(e)
		if err != nil {
			t.Fatal(err)
		}
		got := from.Add(length)
		// Day by day from the due date on.
		d := due.In(zone)
		want := time.Date(d.Year(), d.Month(), d.Day()+n, 12, 0, 0, 0, zone)
		for !open(want) {
			want = time.Date(want.Year(), want.Month(), want.Day()+1, 12, 0, 0, 0, zone)
		}
		if DateOf(got.In(zone)) != DateOf(want) || !open(got) {
			t.Fatalf("due %v, extended by %d days until %v, want on %v", due, n, got, want)
		}
		e.Until = got.Add(time.Duration(rapid.IntRange(-60, 60).Draw(t, "later")) * time.Second)
		length, err = r.Extend(e)
		switch late, early := e.Until.After(got), !e.Until.After(due); {
		case e.Own && (late || early):
			if err == nil {
				t.Fatalf("who has it got until %v, which is beyond %v to %v", e.Until, due, got)
			}
		case err != nil || !from.Add(length).Equal(e.Until):
			t.Fatalf("until %v: %v, %v", e.Until, from.Add(length), err)
		}
	})
}
