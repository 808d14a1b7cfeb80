package reservation

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
)

const day = 24 * time.Hour

// monday is the first day of the tables.
var monday = time.Date(2026, 11, 2, 9, 0, 0, 0, time.UTC)

// on is a day of the tables, in days after monday.
func on(n float64) time.Time { return monday.Add(time.Duration(n * float64(day))) }

// booking reads "ann ipad 1-3": who, what and the days; "ann phone -" is a place in the line.
// What has a capital letter is a kind.
func booking(t *testing.T, s string) (b Booking) {
	t.Helper()
	b.ID = s
	var what, days string
	if _, err := fmt.Sscan(s, &b.Person, &what, &days); err != nil {
		t.Fatalf("%q: %v", s, err)
	}
	if strings.ToLower(what) == what {
		b.Device = what
	} else {
		b.Kind = what
	}
	b.Kept = strings.HasSuffix(s, " kept")
	if days != "-" {
		var from, to float64
		if _, err := fmt.Sscanf(days, "%f-%f", &from, &to); err != nil {
			t.Fatalf("%q: %v", s, err)
		}
		b.From, b.To = on(from), on(to)
	}
	return b
}

// shelf reads devices, "ipad", "ipad:ben" without an end, "ipad:ben:3" until a day, and
// bookings, as booking does.
func shelf(t *testing.T, now float64, devices string, booked ...string) *Shelf {
	t.Helper()
	s := &Shelf{Now: on(now)}
	for _, word := range strings.Fields(devices) {
		part := strings.Split(word, ":")
		d := Device{ID: part[0]}
		if len(part) > 1 {
			d.Holder = part[1]
		}
		if len(part) > 2 {
			var until float64
			fmt.Sscan(part[2], &until)
			d.Until = on(until)
		}
		s.Devices = append(s.Devices, d)
	}
	for _, word := range booked {
		if b := booking(t, word); b.Device == "" {
			s.Booked = append(s.Booked, b)
		} else {
			d := s.device(b.Device)
			d.Booked = append(d.Booked, b)
		}
	}
	return s
}

// TestBook has what can be reserved, and what is in the way of the rest.
func TestBook(t *testing.T) {
	for name, tt := range map[string]struct {
		devices string
		booked  []string
		want    string // the booking
		not     string // what is in the way: a booking, "ben until 3", "3" of the kind, or nothing
	}{
		"nothing in the way":               {"ipad pixel", nil, "ann ipad 1-3", ""},
		"another device":                   {"ipad pixel", []string{"ben pixel 1-3"}, "ann ipad 1-3", ""},
		"before another":                   {"ipad", []string{"ben ipad 3-5"}, "ann ipad 1-3", ""},
		"after another":                    {"ipad", []string{"ben ipad 3-5"}, "ann ipad 5-6", ""},
		"into another":                     {"ipad", []string{"ben ipad 3-5"}, "ann ipad 1-4", "ben ipad 3-5"},
		"within another":                   {"ipad", []string{"ben ipad 3-9"}, "ann ipad 4-5", "ben ipad 3-9"},
		"one's own, too":                   {"ipad", []string{"ann ipad 3-9"}, "ann ipad 4-5", "ann ipad 3-9"},
		"while it is out":                  {"ipad:ben:3", nil, "ann ipad 2-4", "ben until 3"},
		"when it is back":                  {"ipad:ben:3", nil, "ann ipad 3-4", ""},
		"what one has":                     {"ipad:ann:3", nil, "ann ipad 2-4", "ann until 3"},
		"it should be back":                {"ipad:ben:0.5", nil, "ann ipad 2-4", ""},
		"out without an end":               {"ipad:ben", nil, "ann ipad 2-4", ""},
		"no such device":                   {"ipad", nil, "ann pixel 2-4", " 0"},
		"a kind":                           {"ipad pixel", nil, "ann K 1-3", ""},
		"the last of a kind":               {"ipad pixel", []string{"ben K 1-3"}, "ann K 2-4", ""},
		"none is left":                     {"ipad pixel", []string{"ben K 1-3", "cem K 2-5"}, "ann K 2-4", "ben K 1-3 2"},
		"one after the other":              {"ipad", []string{"ben K 1-3", "cem K 4-5"}, "ann K 3-4", ""},
		"around another":                   {"ipad", []string{"ben K 2-3"}, "ann K 1-4", "ben K 2-3 1"},
		"a kind, one reserved by name":     {"ipad pixel", []string{"ben pixel 1-3"}, "ann K 2-4", ""},
		"a kind, all reserved by name":     {"ipad pixel", []string{"ben pixel 1-3", "ben ipad 3-5"}, "ann K 2-4", " 2"},
		"a kind, one out":                  {"ipad pixel:ben:3", []string{"cem K 1-2"}, "ann K 1-4", "cem K 1-2 2"},
		"a kind, one out for another time": {"ipad pixel:ben:3", []string{"cem K 1-2"}, "ann K 3-4", ""},
		"none of the kind":                 {"", nil, "ann K 1-3", " 0"},
		"by name, for which a kind waits":  {"ipad pixel", []string{"ben K 1-3", "cem K 1-3"}, "ann ipad 2-4", "ben K 1-3 2"},
		"by name, before a kind":           {"ipad pixel", []string{"ben K 1-3", "cem K 1-3"}, "ann ipad 0.5-1", ""},
		"by name, the kind has another":    {"ipad pixel", []string{"ben K 1-3"}, "ann ipad 2-4", ""},
		"by name, taken from the kind":     {"ipad pixel", []string{"ben K 1-3", "cem pixel 2-5"}, "ann ipad 2-4", "ben K 1-3 2"},
	} {
		t.Run(name, func(t *testing.T) {
			s := shelf(t, 1, tt.devices, tt.booked...)
			b := booking(t, tt.want)
			b.ID = ""
			got := ""
			if c := s.Book(b); c != nil {
				got = c.Booked.ID
				if c.Holder != "" {
					got = fmt.Sprint(c.Holder, " until ", c.Until.Sub(monday).Hours()/24)
				} else if c.Count > 0 || got == "" {
					got = fmt.Sprint(got, " ", c.Count)
				}
			}
			if got != tt.not {
				t.Errorf("%q is in the way, want %q", got, tt.not)
			}
		})
	}
}

// TestTake has what reservations mean for who takes the iPad on day 1, for a loan that would
// end on day 15, or never.
func TestTake(t *testing.T) {
	for name, tt := range map[string]struct {
		devices string
		booked  []string
		person  string
		end     float64 // of the loan as usual; 0 for never
		want    string  // the fulfilled booking, the one in the way, the end
	}{
		"nothing reserved":                 {"ipad", nil, "ann", 15, "/  / 15"},
		"without an end":                   {"ipad", nil, "ann", 0, "/  / never"},
		"reserved after it":                {"ipad", []string{"ben ipad 15-16"}, "ann", 15, "/  / 15"},
		"reserved before it should end":    {"ipad", []string{"ben ipad 5-7"}, "ann", 15, "/ ben ipad 5-7 / 5"},
		"reserved, and lent without end":   {"ipad", []string{"ben ipad 50-57"}, "ann", 0, "/ ben ipad 50-57 / 50"},
		"reserved now":                     {"ipad", []string{"ben ipad 0.5-3"}, "ann", 15, "/ ben ipad 0.5-3 / 15"},
		"reserved now and then":            {"ipad", []string{"ben ipad 0.5-3", "cem ipad 6-7"}, "ann", 15, "/ ben ipad 0.5-3 / 6"},
		"one's own, as reserved":           {"ipad", []string{"ann ipad 0.5-3"}, "ann", 15, "ann ipad 0.5-3 /  / 3"},
		"one's own, a little early":        {"ipad", []string{"ann ipad 1.4-3"}, "ann", 15, "ann ipad 1.4-3 /  / 3"},
		"one's own, much earlier":          {"ipad", []string{"ann ipad 2-3"}, "ann", 15, "/  / 15"},
		"one's own, longer than usual":     {"ipad", []string{"ann ipad 1-30"}, "ann", 15, "ann ipad 1-30 /  / 30"},
		"a little early, another's before": {"ipad", []string{"ben ipad 1.2-1.3", "ann ipad 1.4-3"}, "ann", 15, "ann ipad 1.4-3 / ben ipad 1.2-1.3 / 1.2"},
		"one's turn has come":              {"ipad", []string{"ann ipad 0.9-1.9 kept"}, "ann", 15, "ann ipad 0.9-1.9 kept /  / 15"},
		"from who has it":                  {"ipad:ben:9", []string{"ann ipad 1-2"}, "ann", 15, "ann ipad 1-2 /  / 2"},
		"a kind, as reserved":              {"ipad", []string{"ann K 1-3"}, "ann", 15, "ann K 1-3 /  / 3"},
		"by name before a kind":            {"ipad", []string{"ann K 1-3", "ann ipad 1-2"}, "ann", 15, "ann ipad 1-2 /  / 2"},
		"a kind, as another has":           {"ipad pixel:cem:0.5", []string{"ben K 1-3", "ann K 1-3"}, "ann", 15, "ann K 1-3 /  / 3"},
		"a kind, another is there":         {"ipad pixel", []string{"ben K 1-3"}, "ann", 15, "/  / 15"},
		"a kind, the last one":             {"ipad", []string{"ben K 1-3"}, "ann", 15, "/ ben K 1-3 / 15"},
		"a kind, the last one from then":   {"ipad", []string{"ben K 4-6"}, "ann", 15, "/ ben K 4-6 / 4"},
		"a kind, the other comes back":     {"ipad pixel:cem:3", []string{"ben K 4-6"}, "ann", 15, "/  / 15"},
		"a kind, the other may come back":  {"ipad pixel:cem", []string{"ben K 4-6"}, "ann", 15, "/ ben K 4-6 / 4"},
		"a kind, the other should be back": {"ipad pixel:cem:0.5", []string{"ben K 4-6"}, "ann", 15, "/ ben K 4-6 / 4"},
		"a kind, the other is reserved":    {"ipad pixel", []string{"cem pixel 5-7", "ben K 4-6"}, "ann", 15, "/ ben K 4-6 / 4"},
		"a kind, this one is not for it":   {"ipad pixel", []string{"ann ipad 5-9", "ben K 4-6"}, "ann", 15, "/  / 15"},
		"a device that is not on a shelf":  {"pixel", nil, "ann", 15, "/  / 15"},
	} {
		t.Run(name, func(t *testing.T) {
			end := time.Time{}
			if tt.end > 0 {
				end = on(tt.end)
			}
			s := shelf(t, 1, tt.devices, tt.booked...)
			before := fmt.Sprint(*s)
			got := s.Take("ipad", tt.person, end)
			last := "never"
			if !got.End.IsZero() {
				last = fmt.Sprint(got.End.Sub(monday).Hours() / 24)
			}
			if got := strings.TrimPrefix(fmt.Sprintf("%s / %s / %s", got.Fulfils.ID, got.Before.ID, last), " "); got != tt.want {
				t.Errorf("%s, want %s", got, tt.want)
			}
			if after := fmt.Sprint(*s); after != before {
				t.Errorf("the shelf was %s, is %s", before, after)
			}
		})
	}
}

// TestTurn has for whom the iPad is kept that has come back on day 1, for up to a day.
func TestTurn(t *testing.T) {
	for name, tt := range map[string]struct {
		devices string
		booked  []string
		line    []string
		want    string
	}{
		"nobody":                           {"ipad", nil, nil, ""},
		"the first in the line":            {"ipad", nil, []string{"ben ipad -", "cem K -"}, "ben ipad - 1-2"},
		"who waits for the kind":           {"ipad", nil, []string{"cem K -", "ben ipad -"}, "cem K - 1-2"},
		"until it is reserved":             {"ipad", []string{"eve ipad 1.5-3"}, []string{"ben ipad -"}, "ben ipad - 1-1.5"},
		"until one's own begins":           {"ipad", []string{"ben ipad 1.75-3"}, []string{"ben ipad -"}, "ben ipad - 1-1.75"},
		"reserved now":                     {"ipad", []string{"eve ipad 0.5-3"}, []string{"ben ipad -"}, "eve ipad 0.5-3 0.5-3"},
		"reserved, but over":               {"ipad", []string{"eve ipad 0.5-1"}, []string{"ben ipad -"}, "ben ipad - 1-2"},
		"who reserved the kind":            {"ipad", []string{"eve K 0.5-3"}, []string{"ben ipad -"}, "eve K 0.5-3 0.5-3"},
		"who reserved the kind has one":    {"ipad pixel", []string{"eve K 0.5-3"}, []string{"ben ipad -"}, "ben ipad - 1-2"},
		"the second who reserved the kind": {"ipad pixel", []string{"eve K 0.5-3", "fay K 0.75-3"}, nil, "fay K 0.75-3 0.75-3"},
		"the other is out":                 {"ipad pixel:cem", []string{"eve K 0.5-3"}, nil, "eve K 0.5-3 0.5-3"},
		"the kind is reserved soon":        {"ipad", []string{"eve K 1.5-3"}, []string{"ben ipad -"}, "ben ipad - 1-1.5"},
		"not a device of the lab":          {"pixel", nil, []string{"ben ipad -"}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			var line []Booking
			for _, word := range tt.line {
				line = append(line, booking(t, word))
			}
			b, got := shelf(t, 1, tt.devices, tt.booked...).Turn("ipad", line, day), ""
			if b.ID != "" {
				got = fmt.Sprintf("%s %g-%g", b.ID, b.From.Sub(monday).Hours()/24, b.To.Sub(monday).Hours()/24)
			}
			if got != tt.want {
				t.Errorf("%q, want %q", got, tt.want)
			}
		})
	}
}

// TestLapses has when a booking ends for which nobody comes within a day.
func TestLapses(t *testing.T) {
	for name, tt := range map[string]struct {
		rules  Rules
		booked string
		there  time.Time
		want   time.Time
	}{
		"the device is there":      {Rules{day}, "ann ipad 1-5", on(0), on(2)},
		"it comes later":           {Rules{day}, "ann ipad 1-5", on(2.5), on(3.5)},
		"it comes too late":        {Rules{day}, "ann ipad 1-5", on(4.5), on(5)},
		"it does not come":         {Rules{day}, "ann ipad 1-5", time.Time{}, on(5)},
		"shorter than that":        {Rules{day}, "ann ipad 1-1.5", on(0), on(1.5)},
		"it never lapses":          {Rules{}, "ann ipad 1-5", on(0), on(5)},
		"who waits in line, waits": {Rules{day}, "ann ipad -", on(0), time.Time{}},
	} {
		if got := tt.rules.Lapses(booking(t, tt.booked), tt.there); !got.Equal(tt.want) {
			t.Errorf("%s: %v, want %v", name, got, tt.want)
		}
	}
	if (Rules{}).Keeps() != day || (Rules{NoShow: time.Hour}).Keeps() != time.Hour {
		t.Error("what is kept for who is next")
	}
}

// TestCheck has the times that a booking can have.
func TestCheck(t *testing.T) {
	for name, tt := range map[string]struct {
		from, to float64
		want     string
	}{
		"to come":        {1, 3, "1-3"},
		"began already":  {-1, 3, "0-3"},
		"is over":        {-3, -1, "before it begins"},
		"ends as begins": {2, 2, "before it begins"},
		"ends before":    {3, 2, "before it begins"},
		"a quarter":      {1, 93, "1-93"},
		"too long":       {1, 94, "92 days at most"},
	} {
		b, err := Check(Booking{From: on(tt.from), To: on(tt.to)}, monday)
		got := fmt.Sprintf("%g-%g", b.From.Sub(monday).Hours()/24, b.To.Sub(monday).Hours()/24)
		if err != nil {
			got = err.Error()
			if !errors.Is(err, checkout.ErrRefused) {
				t.Errorf("%s: %v is no refusal", name, err)
			}
		}
		if !strings.HasSuffix(got, tt.want) {
			t.Errorf("%s: %s, want %s", name, got, tt.want)
		}
	}
}

// TestWeekly ends before its day, and keeps to the clock of the lab.
func TestWeekly(t *testing.T) {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	first := Booking{From: time.Date(2026, 10, 19, 9, 0, 0, 0, zone), To: time.Date(2026, 10, 19, 11, 0, 0, 0, zone)}
	var got []string
	for _, b := range Weekly(first, time.Date(2026, 11, 2, 9, 0, 0, 0, zone), zone) {
		got = append(got, b.From.UTC().Format("2 15:04-")+b.To.UTC().Format("15:04"))
	}
	if want := []string{"19 07:00-09:00", "26 08:00-10:00"}; !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
	if n := len(Weekly(first, first.From.AddDate(5, 0, 0), zone)); n != 53 {
		t.Errorf("%d weeks", n)
	}
}

// TestFree lists what can be reserved, and nothing else.
func TestFree(t *testing.T) {
	s := shelf(t, 0, "ipad pixel nokia:ben:2 moto", "ann ipad 1-3", "cem K 1.5-4", "dia K 3-5")
	for from, want := range map[float64]string{0.2: "ipad pixel moto", 1: "pixel moto", 2: "pixel nokia moto", 3: "ipad pixel nokia moto", 3.5: "ipad pixel nokia moto"} {
		if got := strings.Join(s.Free(on(from), on(from+0.5)), " "); got != want {
			t.Errorf("on day %g: %s, want %s", from, got, want)
		}
		for _, d := range s.Devices {
			can := s.Book(Booking{Device: d.ID, From: on(from), To: on(from + 0.5)}) == nil
			if listed := slices.Contains(strings.Fields(want), d.ID); can != listed {
				t.Errorf("on day %g %s can be reserved: %v, is listed: %v", from, d.ID, can, listed)
			}
		}
	}
}
