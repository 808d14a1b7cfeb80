package ical

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"stump/checkout/loan"
	"stump/internal/hint"
)

func in(t testing.TB, name string) *time.Location {
	t.Helper()
	z, err := time.LoadLocation(name)
	if err != nil {
		t.Fatal(err)
	}
	return z
}

// events makes a calendar of events, each written in one line with | between its lines.
func events(list ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//test//EN\r\n")
	for _, e := range list {
		b.WriteString("BEGIN:VEVENT\r\n" + strings.ReplaceAll(e, "|", "\r\n") + "\r\nEND:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return b.String()
}

// next are the first days of a calendar, as "20261225 20261226".
func next(c *Calendar, n int) string {
	var days []string
	for _, d := range c.Closed.Next(loan.Date{}, n) {
		days = append(days, fmt.Sprintf("%04d%02d%02d", d.Year, d.Month, d.Day))
	}
	return strings.Join(days, " ")
}

// TestRead has events as programs write them, for a lab in Vienna.
func TestRead(t *testing.T) {
	vienna := in(t, "Europe/Vienna")
	const christmas = "DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261227"
	for name, tt := range map[string]struct{ text, want string }{
		"to the day before":       {events(christmas), "20261225 20261226"},
		"without an end":          {events("DTSTART;VALUE=DATE:20261225"), "20261225"},
		"an end that is no later": {events("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261225"), "20261225"},
		"a duration":              {events("DTSTART;VALUE=DATE:20261225|DURATION:P2D"), "20261225 20261226"},
		"a duration in hours":     {events("DTSTART;VALUE=DATE:20261225|DURATION:PT24H"), "20261225"},
		"a week":                  {events("DTSTART;VALUE=DATE:20261228|DURATION:P1W"), "20261228 20261229 20261230 20261231 20270101 20270102 20270103"},
		"a duration of nothing":   {events("DTSTART;VALUE=DATE:20261225|DURATION:PT0S"), "20261225"},
		"without VALUE":           {events("DTSTART:20261225|DTEND:20261226"), "20261225"},
		"midnight with VALUE":     {events("DTSTART;VALUE=DATE:20261222T000000|DTEND;VALUE=DATE:20261224T000000"), "20261222 20261223"},
		"Outlook.com's end":       {events("DTSTART;VALUE=DATE:20210509|DTEND:20210509T040001Z|RRULE:FREQ=YEARLY;BYMONTH=5;COUNT=3;BYDAY=2SU"), "20210509 20220508 20230514"},
		"Google's, as free":       {events("DTSTART;VALUE=DATE:20261226|DTEND;VALUE=DATE:20261227|STATUS:CONFIRMED|SUMMARY:Stefanitag|TRANSP:TRANSPARENT"), "20261226"},
		"Thunderbird's zone":      {events("DTSTART;VALUE=DATE;TZID=/mozilla.org/20070129_1/Asia/Tokyo:20260101|DTEND;VALUE=DATE;TZID=/mozilla.org/20070129_1/Asia/Tokyo:20260102"), "20260101"},
		"cancelled":               {events("STATUS:CANCELLED|"+christmas, "STATUS:confirmed|DTSTART;VALUE=DATE:20261224"), "20261224"},
		"a day of work":           {events("X-APPLE-SPECIAL-DAY:ALTERNATE-WORKDAY|DTSTART;VALUE=DATE:20261010", "X-APPLE-SPECIAL-DAY:WORK-HOLIDAY|DTSTART;VALUE=DATE:20261001"), "20261001"},
		"BOM, lf, small, folded":  {"\xef\xbb\xbfbegin:vcalendar\nbegin:vevent\nsummary:Weih\n nachten: der Tag\ndtstart;value=\n\tDATE:2026\n 1225\nend:vevent\nend:vcalendar", "20261225"},
		"two calendars":           {events("DTSTART:20261225") + "\r\n" + events("DTSTART:20270101"), "20261225 20270101"},
		"other parts":             {events(christmas+"|BEGIN:VALARM|TRIGGER:-PT15M|DURATION:nonsense|DTSTART:x|END:VALARM|X-ALT-DESC;FMTTYPE=\"a:b;c\":<p>") + "BEGIN:VCALENDAR\nBEGIN:VTIMEZONE\nTZID:x\nBEGIN:STANDARD\nDTSTART:16010101T000000\nEND:STANDARD\nEND:VTIMEZONE\nEND:VCALENDAR", "20261225 20261226"},

		"from midnight to midnight":  {events("DTSTART:20261224T000000|DTEND:20261226T000000"), "20261224 20261225"},
		"to 23:59":                   {events("DTSTART;TZID=Europe/Vienna:20261224T000000|DTEND;TZID=Europe/Vienna:20261225T235900"), "20261224 20261225"},
		"half days at its ends":      {events("DTSTART:20261223T120000|DTEND:20261226T120000"), "20261224 20261225"},
		"midnight for a day":         {events("DTSTART:20261224T000000|DURATION:P1D"), "20261224"},
		"in UTC":                     {events("DTSTART:20261223T230000Z|DTEND:20261224T230000Z"), "20261224"},
		"in another zone":            {events("DTSTART;TZID=America/New_York:20261223T180000|DTEND;TZID=America/New_York:20261225T180000"), "20261224 20261225"},
		"Windows' zone is the lab's": {events(`DTSTART;TZID="W. Europe Standard Time":20261224T000000|DTEND;TZID="W. Europe Standard Time":20261225T000000`), "20261224"},
		"each year, to midnight":     {events("DTSTART:20261224T000000|DTEND:20261225T000000|RRULE:FREQ=YEARLY;COUNT=2"), "20261224 20271224"},

		"each year":             {events("DTSTART;VALUE=DATE:20991225|RRULE:FREQ=YEARLY"), "20991225"},
		"the end is a day":      {events("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;UNTIL=20281225"), "20261225 20271225 20281225"},
		"the end is a time":     {events("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;UNTIL=20271231T225959Z;"), "20261225 20271225"},
		"leap years":            {events("DTSTART;VALUE=DATE:20240229|RRULE:FREQ=YEARLY;COUNT=2"), "20240229 20280229"},
		"several days each":     {events("DTSTART;VALUE=DATE:20261224|DTEND;VALUE=DATE:20261226|RRULE:FREQ=YEARLY;COUNT=2"), "20261224 20261225 20271224 20271225"},
		"but not then":          {events("DTSTART;VALUE=DATE:20261225|RRULE:FREQ=YEARLY;COUNT=3|EXDATE;VALUE=DATE:20261225,20271225"), "20281225"},
		"not then, with a time": {events("DTSTART;TZID=Europe/Vienna:20261225T000000|DURATION:P1D|RRULE:FREQ=YEARLY;COUNT=2|EXDATE:20271224T230000Z"), "20261225"},
		"and then":              {events("DTSTART;VALUE=DATE:20260405|RDATE;VALUE=DATE:20270328,20280416|RDATE;VALUE=DATE:20290401"), "20260405 20270328 20280416 20290401"},
		"one is moved":          {events("UID:a|DTSTART;VALUE=DATE:20260501|RRULE:FREQ=YEARLY;COUNT=3", "UID:a|RECURRENCE-ID;VALUE=DATE:20270501|DTSTART;VALUE=DATE:20270503", "UID:b|DTSTART;VALUE=DATE:20270501"), "20260501 20270501 20270503 20280501"},
		"one is cancelled":      {events("UID:a|RECURRENCE-ID;VALUE=DATE:20270501|STATUS:CANCELLED|DTSTART;VALUE=DATE:20270501", "UID:a|DTSTART;VALUE=DATE:20260501|RRULE:FREQ=YEARLY;COUNT=3"), "20260501 20280501"},
		"before there was any":  {events("DTSTART;VALUE=DATE:18991230", "DTSTART;VALUE=DATE:20261225", "DTSTART;VALUE=DATE:21500101"), "20261225"},
		"since long":            {events("DTSTART;VALUE=DATE:19700101|RRULE:FREQ=YEARLY;UNTIL=20010101"), "20000101 20010101"},
		"two rules":             {events("DTSTART;VALUE=DATE:20270101|RRULE:FREQ=YEARLY;COUNT=2|RRULE:FREQ=MONTHLY;COUNT=2"), "20270101 20270201 20280101"},
	} {
		c, err := Read([]byte(tt.text), vienna)
		if err != nil {
			t.Errorf("%s: %v", name, err)
		} else if got := next(c, 20); got != tt.want {
			t.Errorf("%s: closed on %s, want %s", name, got, tt.want)
		}
	}
}

// TestReadRules has the examples of RFC 5545, 3.8.5.3, as all-day events, and the rules that
// calendars of holidays have.
func TestReadRules(t *testing.T) {
	for rule, want := range map[string]string{
		"19970902 FREQ=DAILY;COUNT=10;INTERVAL=10":                                     "19970902 19970912 19970922 19971002 19971012",
		"19970902 FREQ=WEEKLY;INTERVAL=2;WKST=SU;COUNT=4":                              "19970902 19970916 19970930 19971014",
		"19970902 FREQ=WEEKLY;COUNT=10;WKST=SU;BYDAY=TU,TH":                            "19970902 19970904 19970909 19970911 19970916",
		"19970901 FREQ=WEEKLY;INTERVAL=2;UNTIL=19971224;WKST=SU;BYDAY=MO,WE,FR":        "19970901 19970903 19970905 19970915 19970917",
		"19970805 FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO":                  "19970805 19970810 19970819 19970824",
		"19970805 FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU":                  "19970805 19970817 19970819 19970831",
		"19970905 FREQ=MONTHLY;COUNT=10;BYDAY=1FR":                                     "19970905 19971003 19971107 19971205 19980102",
		"19970907 FREQ=MONTHLY;INTERVAL=2;COUNT=5;BYDAY=1SU,-1SU":                      "19970907 19970928 19971102 19971130 19980104",
		"19970922 FREQ=MONTHLY;COUNT=6;BYDAY=-2MO":                                     "19970922 19971020 19971117 19971222 19980119",
		"19970928 FREQ=MONTHLY;BYMONTHDAY=-3":                                          "19970928 19971029 19971128 19971229 19980129",
		"19970902 FREQ=MONTHLY;COUNT=10;BYMONTHDAY=2,15":                               "19970902 19970915 19971002 19971015 19971102",
		"19970610 FREQ=YEARLY;COUNT=5;BYMONTH=6,7;BYMONTHDAY=10":                       "19970610 19970710 19980610 19980710 19990610",
		"19970310 FREQ=YEARLY;INTERVAL=2;COUNT=5;BYMONTH=1,2,3;BYMONTHDAY=10":          "19970310 19990110 19990210 19990310 20010110",
		"19970519 FREQ=YEARLY;BYDAY=20MO":                                              "19970519 19980518 19990517 20000515 20010514",
		"19970313 FREQ=YEARLY;BYMONTH=3;BYDAY=TH":                                      "19970313 19970320 19970327 19980305 19980312",
		"19980213 FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13":                                 "19980213 19980313 19981113 19990813 20001013",
		"19970913 FREQ=MONTHLY;BYDAY=SA;BYMONTHDAY=7,8,9,10,11,12,13":                  "19970913 19971011 19971108 19971213 19980110",
		"19961105 FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8": "19961105 20001107 20041102 20081104 20121106",
		"19970904 FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3":                      "19970904 19971007 19971106",
		"19970929 FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2":                       "19970929 19971030 19971127 19971230 19980129",
		"20070115 FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5":                               "20070115 20070130 20070215 20070315 20070330",
		// Thunderbird's: midsummer of Sweden, a holiday of Japan. Monday after a new year's Sunday.
		"20060624 FREQ=YEARLY;BYDAY=SA;BYMONTHDAY=20,21,22,23,24,25,26;BYMONTH=6":         "20060624 20070623 20080621 20090620 20100626",
		"20070108 FREQ=MONTHLY;INTERVAL=12;BYDAY=2MO":                                     "20070108 20080114 20090112 20100111 20110110",
		"20070101 FREQ=YEARLY;BYMONTH=1;BYDAY=MO,TU,WE,TH,FR;BYMONTHDAY=1,2,3;BYSETPOS=1": "20070101 20080101 20090101 20100101 20110103",
		"20040531 FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5":                                       "20040531 20050530 20060529 20070528 20080526",
		"20040510 FREQ=YEARLY;COUNT=10;BYDAY=+2SU;BYMONTH=5":                              "20040510 20050508 20060514 20070513 20080511", // the first counts in any case
		"20040510 FREQ=YEARLY;BYMONTH=5":                                                  "20040510 20050510 20060510 20070510 20080510",
		"20040510 FREQ=YEARLY;BYMONTHDAY=1;COUNT=4":                                       "20040510 20040601 20040701 20040801",
	} {
		start, rule, _ := strings.Cut(rule, " ")
		r, err := parseRule(rule)
		if err != nil {
			t.Errorf("%s: %v", rule, err)
			continue
		}
		first, err := parseWhen(property{value: start})
		if err != nil {
			t.Fatal(err)
		}
		got := start
		r.days(first.day, func(day) bool { return true }, func(d day) bool {
			got += " " + d.time().Format(layoutDay)
			return len(got) < len(want)
		})
		if got != want {
			t.Errorf("%s of %s:\n got %s\nwant %s", rule, start, got, want)
		}
	}
}

// TestReadRefuses has what is refused, by its line, and says what to do.
func TestReadRefuses(t *testing.T) {
	one := func(lines string) string { return events(lines) }
	for text, want := range map[string]string{
		"":                               "line 1: this is no iCalendar file",
		"<!DOCTYPE html>":                "line 1: this is no iCalendar file",
		"date,name\n2026-12-25,Xmas":     "line 1: this is no iCalendar file",
		"BEGIN:VEVENT\nEND:VEVENT":       "line 1: this is no iCalendar file",
		"BEGIN:VCALENDAR\nEND:VCALENDAR": "no event in the calendar is of a whole day (of 0)",
		"B\x00E\x00G\x00":                "line 1: the file is no text of one byte a letter, such as UTF-8",
		"BEGIN:VCALENDAR\nBEGIN:VEVENT\nDTSTART:20261225\n":   "line 3: the file ends before END:VEVENT",
		"BEGIN:VCALENDAR\nEND:VEVENT":                         "line 2: END:VEVENT ends what did not begin",
		"BEGIN:VCALENDAR\nEND:VCALENDAR\nEND:VCALENDAR":       "line 3: END:VCALENDAR ends what did not begin",
		"BEGIN:VCALENDAR\n" + strings.Repeat("BEGIN:A\n", 40): "line 17: BEGIN stands in 16 others",
		one("SUMMARY:x"):                                                    "line 4: the event has no DTSTART",
		one("SUMMARY:x|DTSTART;VALUE=DATE"):                                 "line 6: DTSTART has no value",
		one("DTSTART;VALUE=DATE:2014930"):                                   `line 5: DTSTART "2014930" is no day`,
		one("DTSTART;VALUE=DATE:20260230"):                                  `line 5: DTSTART "20260230" is no day`,
		one("DTSTART:20261225|DTEND:soon"):                                  `line 6: DTEND "soon" is no day`,
		one("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261224"):        "line 6: the event ends before it begins",
		one("DTSTART:20261225|DTEND:20281225"):                              "line 5: the event lasts for 731 days",
		one("DTSTART:20261225|DURATION:1D"):                                 `line 6: DURATION: "1D" is none`,
		one("DTSTART:20261225|DURATION:P"):                                  `line 6: DURATION: "P" is none`,
		one("DTSTART:20261225|DURATION:P1M"):                                `line 6: DURATION: "P1M" is none`,
		one("DTSTART:20261225|DURATION:P999999W"):                           `line 6: DURATION: "P999999W" is too long`,
		one("DTSTART:20261225|DURATION:-P1D"):                               `line 6: DURATION: "-P1D" is none`,
		one("DTSTART:20261225|EXDATE:20271225,x"):                           `line 6: EXDATE "x" is no day`,
		one("DTSTART:20261225|RDATE;VALUE=PERIOD:20271225T000000Z/PT24H"):   `line 6: RDATE "20271225T000000Z/PT24H" is no day`,
		one("DTSTART:20261225|EXRULE:FREQ=YEARLY"):                          "line 6: EXRULE is not understood",
		one("DTSTART:20261225|RECURRENCE-ID;RANGE=THISANDFUTURE:20261225"):  "line 6: RANGE=THISANDFUTURE is not understood",
		one("DTSTART:20261225|RRULE:FREQ=HOURLY"):                           "line 6: RRULE: FREQ=HOURLY is not YEARLY, MONTHLY, WEEKLY or DAILY",
		one("DTSTART:20261225|RRULE:YM1 5 #0"):                              `line 6: RRULE: "YM1 5 #0" is not understood`,
		one("DTSTART:20261225|RRULE:FREQ=YEARLY;BYWEEKNO=52"):               `line 6: RRULE: "BYWEEKNO" is not understood`,
		one("DTSTART:20261225|RRULE:RSCALE=CHINESE;FREQ=YEARLY"):            `line 6: RRULE: "RSCALE" is not understood`,
		one("DTSTART:20261225|RRULE:FREQ=YEARLY;BYMONTH=13"):                `line 6: RRULE: BYMONTH=13: "13" is not a number from 1 to 12`,
		one("DTSTART:20261225|RRULE:FREQ=YEARLY;BYMONTHDAY=0"):              `line 6: RRULE: BYMONTHDAY=0: there is no 0th`,
		one("DTSTART:20261225|RRULE:FREQ=YEARLY;BYDAY=2XX"):                 `line 6: RRULE: BYDAY=2XX: "2XX" is no day of the week`,
		one("DTSTART:20261225|RRULE:FREQ=WEEKLY;BYDAY=2MO"):                 `line 6: RRULE: a numbered BYDAY is for YEARLY and MONTHLY`,
		one("DTSTART:20261225|RRULE:FREQ=YEARLY;INTERVAL=0"):                `line 6: RRULE: INTERVAL=0: "0" is not a number from 1 to 1000`,
		one("DTSTART:20261225|RRULE:FREQ=YEARLY;UNTIL=never"):               `line 6: RRULE: UNTIL=NEVER: no day`,
		one("DTSTART:18991225|RRULE:FREQ=YEARLY"):                           "line 5: the event is repeated from 1899 on",
		one("DTSTART:20261225T180000|DTEND:20261225T230000"):                "no event in the calendar is of a whole day (of 1)",
		one("DTSTART:20261225|STATUS:CANCELLED"):                            "no event in the calendar is of a whole day (of 1)",
		one("DTSTART:20261225|RDATE:" + strings.Repeat("20261225,", 10000)): "line 6: RDATE is longer than 65536 bytes",
		events(strings.Repeat("x", Limit)):                                  "the calendar has more than 1048576 bytes",
	} {
		_, err := Read([]byte(text), time.UTC)
		if err == nil || err.Error() != want || hint.Of(err) == "" {
			t.Errorf("%.80q:\n got %v (%s)\nwant %s", text, err, hint.Of(err), want)
		}
	}
}

// TestReadBounds: a calendar that is repeated too often is refused soon, where its rules
// never come to an end or close years.
func TestReadBounds(t *testing.T) {
	for name, e := range map[string]string{
		"never":     "DTSTART:19000101|RRULE:FREQ=YEARLY;BYMONTHDAY=31;BYMONTH=2,4,6,9,11",
		"every day": "DTSTART:19000101|DURATION:P366D|RRULE:FREQ=DAILY",
	} {
		list := make([]string, 10000)
		for i := range list {
			list[i] = e
		}
		_, err := Read([]byte(events(list...)), time.UTC)
		if err == nil || !strings.Contains(err.Error(), "repeated too often") && !strings.Contains(err.Error(), "more than") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestDays has the ends of the years that are kept.
func TestDays(t *testing.T) {
	var d Days
	at := func(y int, m time.Month, dom int) loan.Date { return loan.Date{Year: y, Month: m, Day: dom} }
	if _, ok := d.Last(); ok || d.Len() != 0 || d.Next(loan.Date{}, 1) != nil {
		t.Error("no days are some")
	}
	d.add(dayOf(at(1999, 12, 31)), dayOf(at(2000, 1, 2)))
	d.add(dayOf(at(2099, 12, 31)), dayOf(at(2100, 1, 3)))
	for date, want := range map[loan.Date]bool{
		at(1999, 12, 31): false, at(2000, 1, 1): true, at(2000, 1, 2): false, at(2099, 12, 30): false, at(2099, 12, 31): true, at(2100, 1, 1): false, {}: false,
	} {
		if d.Has(date) != want {
			t.Errorf("%v: %v", date, !want)
		}
	}
	if last, ok := d.Last(); !ok || last != at(2099, 12, 31) || d.Len() != 2 {
		t.Error(last, d.Len())
	}
	if got := d.Next(at(2000, 1, 2), 5); len(got) != 1 || got[0] != at(2099, 12, 31) {
		t.Error(got)
	}
}

// FuzzRead: whatever a server sends is read within bounds, and a refusal says what to do.
func FuzzRead(f *testing.F) {
	f.Add(events("DTSTART;VALUE=DATE:20261225|DTEND;VALUE=DATE:20261227", "UID:a|DTSTART;TZID=Europe/Vienna:20260501T000000|DURATION:P1D|RRULE:FREQ=YEARLY;BYDAY=-1MO;BYMONTH=5;COUNT=3|EXDATE:20270501"))
	f.Add(events("UID:a|RECURRENCE-ID:20270501|DTSTART:20270503|RDATE:20280101,20290101", "DTSTART:20270101|RRULE:FREQ=MONTHLY;BYSETPOS=-1;BYDAY=MO,TU;WKST=SU;INTERVAL=2"))
	f.Add("BEGIN:VCALENDAR\r\nBEGIN:VTIMEZONE\r\nEND:VTIMEZONE\r\nEND:VCALENDAR")
	lab := in(f, "Australia/Lord_Howe")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Read([]byte(text), lab)
		if err != nil && hint.Of(err) == "" {
			t.Fatalf("%v: what is to be done?", err)
		}
		if err == nil && (c.Events == 0 || c.Closed.Len() == 0) {
			t.Fatalf("%+v closes nothing", c)
		}
	})
}
