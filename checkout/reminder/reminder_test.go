package reminder

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"stump/checkout/loan"
)

var berlin = func() *time.Location {
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		panic(err)
	}
	return zone
}()

// at reads "2026-11-30 09:00", where the lab is.
func at(s string) time.Time {
	if s == "" {
		return time.Time{}
	}
	t, err := time.ParseInLocation("2006-01-02 15:04", s, berlin)
	if err != nil {
		panic(err)
	}
	return t
}

var usual = Rules{Stages: []Stage{-1, 0, 3}, At: 9 * time.Hour, Calendar: loan.Calendar{Zone: berlin}}

func TestParseStage(t *testing.T) {
	for s, want := range map[string]Stage{"-1d": -1, "0d": 0, "3d": 3, "366d": 366, "-366d": -366, "-0d": 0, "": 99, "1": 99, "d": 99, "+1d": 99, "1.5d": 99, "367d": 99, "1w": 99, " 1d": 99} {
		got, err := ParseStage(s)
		if (err != nil) != (want == 99) || err == nil && got != want {
			t.Errorf("%q: %v, %v", s, got, err)
		}
		if again, err := ParseStage(got.String()); err != nil || again != got {
			t.Errorf("%v is read as %v, %v", got, again, err)
		}
	}
}

// TestSay: a loan from Monday 16 November to Monday 30 November 2026, 18:00.
func TestSay(t *testing.T) {
	week := usual
	week.Calendar.Days = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	anyTime := usual
	anyTime.Any = true
	always := usual
	always.Calendar.Closed = func(loan.Date) bool { return true }
	for _, c := range []struct {
		name       string
		rules      Rules
		now        string
		last       string // message
		told       string // stage
		since, due string
		want       string
	}{
		{"two days before", usual, "2026-11-28 23:59", "", "", "", "", ""},
		{"the day before, too early", usual, "2026-11-29 08:59", "", "", "", "", ""},
		{"the day before", usual, "2026-11-29 09:00", "", "", "", "", "-1d"},
		{"told", usual, "2026-11-29 09:01", "2026-11-29 09:00", "-1d", "", "", ""},
		{"told, and the clock went back over midnight", usual, "2026-11-28 23:00", "2026-11-29 09:00", "", "", "2026-11-29 18:00", ""},
		{"told by a clock that was years ahead", usual, "2026-11-29 09:00", "2031-01-01 09:00", "", "", "", "-1d"},
		{"on the day", usual, "2026-11-30 09:00", "2026-11-29 09:00", "-1d", "", "", "0d"},
		{"on the day, told of something else", usual, "2026-11-30 09:00", "2026-11-30 09:00", "-1d", "", "", ""},
		{"missed yesterday, in the night", usual, "2026-11-30 02:00", "", "", "", "", ""},
		{"both were missed: the last is caught up", usual, "2026-12-01 11:00", "", "", "", "", "0d"},
		{"and only once", usual, "2026-12-02 11:00", "2026-12-01 11:00", "0d", "", "", ""},
		{"after", usual, "2026-12-03 09:00", "2026-12-01 11:00", "0d", "", "", "3d"},
		{"missed for a year", usual, "2027-12-03 09:00", "", "-1d", "", "", "3d"},
		{"after the last", usual, "2026-12-04 09:00", "2026-12-03 09:00", "3d", "", "", ""},
		{"no stages", Rules{}, "2026-12-04 09:00", "", "", "", "", ""},
		{"lent after nine for a day", usual, "2026-11-29 18:00", "", "", "2026-11-29 17:00", "", ""},
		{"lent after nine until the evening", usual, "2026-11-30 12:00", "", "", "2026-11-30 11:00", "", ""},
		{"lent before nine until the evening", usual, "2026-11-30 09:00", "", "", "2026-11-30 08:00", "", "0d"},
		{"any: at once", anyTime, "2026-11-30 11:00", "", "", "2026-11-30 11:00", "", "0d"},
		{"any: with the day", anyTime, "2026-11-29 00:00", "", "", "", "", "-1d"},
		{"any: not the stages before it began", anyTime, "2026-11-29 23:00", "", "", "2026-11-29 22:00", "2026-11-29 23:30", "0d"},
		{"any: lent on the day after it is due", anyTime, "2026-12-01 10:00", "", "", "2026-12-01 09:00", "", ""},
		{"a Sunday: told on Friday", week, "2026-11-27 09:00", "", "", "", "", "-1d"},
		{"not on Sunday", week, "2026-11-29 09:00", "", "", "", "", ""},
		{"Friday was missed: told on Monday of that day", week, "2026-11-30 09:00", "", "", "", "", "0d"},
		{"after falls on Saturday: told on Monday", week, "2026-12-07 09:00", "", "0d", "", "2026-12-02 18:00", "3d"},
		{"not on Saturday", week, "2026-12-05 09:00", "", "0d", "", "2026-12-02 18:00", ""},
		{"always closed", always, "2026-11-30 09:00", "", "", "", "", "0d"},
		{"always closed, missed", always, "2026-12-01 09:00", "", "", "", "", ""},
		{"the clocks go back", usual, "2026-10-25 09:00", "", "", "2026-10-01 10:00", "2026-10-26 18:00", "-1d"},
		{"the clocks went forward", usual, "2027-03-28 09:00", "", "", "2027-03-01 10:00", "2027-03-29 18:00", "-1d"},
	} {
		l := Loan{Since: at("2026-11-16 10:00"), Due: at("2026-11-30 18:00")}
		if c.since != "" {
			l.Since = at(c.since)
		}
		if c.due != "" {
			l.Due = at(c.due)
		}
		if c.told != "" {
			l.Told = true
			l.Last, _ = ParseStage(c.told)
		}
		var got []string
		for _, s := range c.rules.Say(at(c.last), at(c.now), []Loan{l}) {
			got = append(got, s.Stage.String())
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestSayWaits: what nobody has got yet is said together with what is new, and not by
// itself.
func TestSayWaits(t *testing.T) {
	before := Loan{Since: at("2026-11-16 10:00"), Due: at("2026-11-30 18:00"), Told: true, Last: -1, Waits: true}
	other := before
	other.Due = at("2026-12-02 18:00")
	if got := usual.Say(at("2026-11-28 09:00"), at("2026-11-29 09:00"), []Loan{before}); got != nil {
		t.Errorf("by itself: %v", got)
	}
	got := usual.Say(at("2026-11-28 09:00"), at("2026-11-30 09:00"), []Loan{other, before})
	if want := []Saying{{0, -1, true}, {1, 0, false}}; !slices.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
	other.Waits = false
	got = usual.Say(at("2026-11-28 09:00"), at("2026-11-30 09:00"), []Loan{other, before})
	if want := []Saying{{1, 0, false}}; !slices.Equal(got, want) {
		t.Errorf("without what was got: %v, want %v", got, want)
	}
}

// story is what one person does with some devices, hour by hour.
type story struct {
	rules Rules
	loans []Loan // Told is the model's business
	begin time.Time
	open  []bool // of each hour: the station works
	ends  []int  // of each loan, the hour in which it is back
	moved map[int]map[int]time.Time
}

func aStory(t *rapid.T) story {
	s := story{begin: at("2026-10-20 00:00"), moved: map[int]map[int]time.Time{}}
	s.rules = Rules{At: time.Duration(rapid.IntRange(0, 23).Draw(t, "at")) * time.Hour, Any: rapid.Bool().Draw(t, "any"), Calendar: loan.Calendar{Zone: berlin}}
	for range rapid.IntRange(1, 4).Draw(t, "stages") {
		s.rules.Stages = append(s.rules.Stages, Stage(rapid.IntRange(-4, 5).Draw(t, "stage")))
	}
	if rapid.Bool().Draw(t, "weekends") {
		s.rules.Calendar.Days = []time.Weekday{time.Monday, time.Tuesday, time.Wednesday, time.Thursday, time.Friday}
	}
	hours := rapid.IntRange(300, 900).Draw(t, "hours")
	for range hours {
		s.open = append(s.open, true)
	}
	for range rapid.IntRange(0, 4).Draw(t, "outages") {
		from := rapid.IntRange(0, hours-1).Draw(t, "from")
		for h := from; h < min(hours, from+rapid.IntRange(1, 80).Draw(t, "for")); h++ {
			s.open[h] = false
		}
	}
	for i := range rapid.IntRange(1, 4).Draw(t, "loans") {
		from := rapid.IntRange(0, 200).Draw(t, "lent")
		since := s.begin.Add(time.Duration(from) * time.Hour)
		s.loans = append(s.loans, Loan{Since: since, Due: since.Add(time.Duration(rapid.IntRange(1, 400).Draw(t, "length")) * time.Hour)})
		s.ends = append(s.ends, from+rapid.IntRange(100, 700).Draw(t, "kept"))
		s.moved[i] = map[int]time.Time{}
		if rapid.IntRange(0, 2).Draw(t, "extended") == 0 {
			h := from + rapid.IntRange(1, 300).Draw(t, "extended at")
			s.moved[i][h] = s.begin.Add(time.Duration(h+rapid.IntRange(1, 300).Draw(t, "by")) * time.Hour)
		}
	}
	return s
}

// oracle says the same by going through all stages of all loans, each by itself, in words
// that know no rule of the package: the hour in which each is told.
func (s story) oracle() (said []string) {
	told := make([]map[Stage]bool, len(s.loans))
	since, due := make([]time.Time, len(s.loans)), make([]time.Time, len(s.loans))
	for i, l := range s.loans {
		told[i], since[i], due[i] = map[Stage]bool{}, l.Since, l.Due
	}
	busy := map[string]bool{} // days with a message
	closed := func(t time.Time) bool {
		return len(s.rules.Calendar.Days) > 0 && (t.Weekday() == time.Saturday || t.Weekday() == time.Sunday)
	}
	for h := range s.open {
		now := s.begin.Add(time.Duration(h) * time.Hour).In(berlin)
		today := now.Format(time.DateOnly)
		var line []string
		for i, l := range s.loans {
			if t, ok := s.moved[i][h]; ok {
				since[i], due[i] = now, t
				clear(told[i])
			}
			if now.Before(l.Since) || h >= s.ends[i] || !s.open[h] || busy[today] || now.Hour() < int(s.rules.At.Hours()) && !s.rules.Any {
				continue
			}
			var latest *Stage
			for _, stage := range s.rules.Stages {
				noon := time.Date(due[i].In(berlin).Year(), due[i].In(berlin).Month(), due[i].In(berlin).Day(), 12, 0, 0, 0, berlin).AddDate(0, 0, int(stage))
				for closed(noon) {
					if stage <= 0 {
						noon = noon.AddDate(0, 0, -1)
					} else {
						noon = noon.AddDate(0, 0, 1)
					}
				}
				comes := noon.Format(time.DateOnly)
				switch lent := since[i].In(berlin); {
				case comes > today, comes < today && closed(now):
				case comes < lent.Format(time.DateOnly):
				case comes == lent.Format(time.DateOnly) && !s.rules.Any && (lent.Hour() > int(s.rules.At.Hours()) || lent.Hour() == int(s.rules.At.Hours()) && lent.Minute() > 0):
				case latest == nil || stage > *latest:
					latest = &stage
				}
			}
			if latest == nil {
				continue
			}
			later := false
			for stage := range told[i] {
				later = later || stage >= *latest
			}
			if !later {
				told[i][*latest] = true
				line = append(line, fmt.Sprintf("%d:%v", i, *latest))
			}
		}
		if line != nil {
			busy[today] = true
			said = append(said, now.Format("2006-01-02 15:04 ")+strings.Join(line, " "))
		}
	}
	return said
}

// told plays a story by the rules.
func (s story) told() (said []string) {
	var last time.Time
	loans := slices.Clone(s.loans)
	for h := range s.open {
		now := s.begin.Add(time.Duration(h) * time.Hour)
		var here []Loan
		var which []int
		for i := range loans {
			if t, ok := s.moved[i][h]; ok {
				loans[i].Since, loans[i].Due, loans[i].Told = now, t, false
			}
			if !now.Before(s.loans[i].Since) && h < s.ends[i] {
				here, which = append(here, loans[i]), append(which, i)
			}
		}
		if !s.open[h] {
			continue
		}
		line := ""
		for _, say := range s.rules.Say(last, now, here) {
			i := which[say.Loan]
			loans[i].Told, loans[i].Last = true, say.Stage
			line += fmt.Sprintf(" %d:%v", i, say.Stage)
		}
		if line != "" {
			last = now
			said = append(said, now.In(berlin).Format("2006-01-02 15:04")+line)
		}
	}
	return said
}

// TestAgainstOracle: over outages, extensions, weekends and a change of the clocks, nobody is
// reminded once too often or too rarely.
func TestAgainstOracle(t *testing.T) {
	some := 0
	rapid.Check(t, func(t *rapid.T) {
		s := aStory(t)
		got, want := s.told(), s.oracle()
		some += len(want)
		if !slices.Equal(got, want) {
			t.Fatalf("%+v\n got %q\nwant %q", s.rules, got, want)
		}
	})
	if some < 150 {
		t.Errorf("only %d messages in all stories", some)
	}
}

// TestSummary: the note of a digest is read as it was written, others not at all.
func TestSummary(t *testing.T) {
	for _, n := range [][2]int{{0, 0}, {1, 2}, {1234, 17}} {
		note := Summary(n[0], n[1])
		if overdue, reminded, ok := ParseSummary(note); !ok || overdue != n[0] || reminded != n[1] {
			t.Errorf("%q is read as %d, %d, %v", note, overdue, reminded, ok)
		}
	}
	for _, note := range []string{"", "3", "3 overdue", "3 overdue, reminded", "x overdue, 2 reminded", "3 overdue, 2 reminded.", "late"} {
		if overdue, reminded, ok := ParseSummary(note); ok {
			t.Errorf("%q is read as %d, %d", note, overdue, reminded)
		}
	}
}
