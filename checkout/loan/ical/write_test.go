package ical

import (
	"fmt"
	"strings"
	"testing"
	"time"
	"unicode"
	"unicode/utf8"
)

// written are the events of a calendar as this package's own reader finds them, with their
// values as they were meant.
func written(t testing.TB, text string) (events []map[string]string, calendar map[string]string) {
	t.Helper()
	var inside []string
	calendar = map[string]string{}
	err := unfold([]byte(text), func(n int, line string) error {
		p := parse(n, line)
		switch {
		case !p.whole:
			t.Fatalf("line %d has no value: %q", n, line)
		case p.name == "BEGIN":
			if inside = append(inside, p.value); p.value == "VEVENT" {
				events = append(events, map[string]string{})
			}
		case p.name == "END":
			if len(inside) == 0 || inside[len(inside)-1] != p.value {
				t.Fatalf("line %d ends %s in %v", n, p.value, inside)
			}
			inside = inside[:len(inside)-1]
		case len(inside) == 2:
			events[len(events)-1][p.name] = unescape(line[strings.IndexByte(line, ':')+1:])
		default:
			calendar[p.name] = unescape(p.value)
		}
		return nil
	})
	if err != nil || len(inside) != 0 {
		t.Fatalf("%v, within %v", err, inside)
	}
	return events, calendar
}

// unescape reads a value of text (RFC 5545, 3.3.11).
func unescape(value string) string {
	var b strings.Builder
	for i := 0; i < len(value); i++ {
		if value[i] == '\\' && i+1 < len(value) {
			if i++; value[i] == 'n' || value[i] == 'N' {
				b.WriteByte('\n')
				continue
			}
		}
		b.WriteByte(value[i])
	}
	return b.String()
}

// lines checks the form of each line: at most 75 bytes, whole letters, and no ends but CRLF.
func checkLines(t testing.TB, text string) {
	t.Helper()
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\r\n"), "\r\n") {
		if len(line) > 75 || !utf8.ValidString(line) || strings.IndexFunc(line, unicode.IsControl) >= 0 || strings.TrimSpace(line) == "" {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
}

// TestWrite is a calendar to the letter.
func TestWrite(t *testing.T) {
	vienna := in(t, "Europe/Vienna")
	w := NewWriter("", "Lab; 3", time.Date(2026, 11, 30, 10, 0, 0, 0, vienna))
	w.Add(Entry{UID: "1@stump", Begin: time.Date(2026, 12, 4, 9, 0, 0, 0, vienna), End: time.Date(2026, 12, 4, 11, 30, 0, 0, vienna), Summary: `iPad \ Pro, 13`, Location: "Lab"})
	w.Add(Entry{UID: "2@stump", Revision: 3, Begin: time.Date(2027, 7, 4, 9, 0, 0, 0, vienna), End: time.Date(2027, 7, 4, 9, 0, 1, 0, vienna), Summary: "a\r\nb", Description: "https://lab.example/" + strings.Repeat("ü", 30)})
	want := strings.ReplaceAll(`BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Stump//Stump//EN
NAME:Lab\; 3
X-WR-CALNAME:Lab\; 3
REFRESH-INTERVAL;VALUE=DURATION:PT1H
X-PUBLISHED-TTL:PT1H
BEGIN:VEVENT
UID:1@stump
DTSTAMP:20261130T090000Z
DTSTART:20261204T080000Z
DTEND:20261204T103000Z
SUMMARY:iPad \\ Pro\, 13
LOCATION:Lab
TRANSP:TRANSPARENT
END:VEVENT
BEGIN:VEVENT
UID:2@stump
SEQUENCE:3
DTSTAMP:20261130T090000Z
DTSTART:20270704T070000Z
DTEND:20270704T070001Z
SUMMARY:a\nb
DESCRIPTION:https://lab.example/üüüüüüüüüüüüüüüüüüüüü
 üüüüüüüüü
TRANSP:TRANSPARENT
END:VEVENT
END:VCALENDAR
`, "\n", "\r\n")
	if got := w.Text(); got != want {
		t.Errorf("%s", got)
	}
}

// TestWriteDays: what is written of whole days, the reader of holidays reads as those days.
func TestWriteDays(t *testing.T) {
	vienna := in(t, "Europe/Vienna")
	w := NewWriter("PUBLISH", "", time.Now())
	w.Add(Entry{UID: "1", Begin: time.Date(2026, 12, 24, 0, 0, 0, 0, vienna), End: time.Date(2026, 12, 27, 0, 0, 0, 0, vienna), Summary: "BEGIN:VEVENT\nDTSTART:20260101"})
	w.Add(Entry{UID: "2", Begin: time.Date(2026, 12, 30, 9, 0, 0, 0, vienna), End: time.Date(2026, 12, 30, 18, 0, 0, 0, vienna), Summary: "x"})
	c, err := Read([]byte(w.Text()), vienna)
	if err != nil || next(c, 9) != "20261224 20261225 20261226" || c.Events != 1 || c.Parts != 1 {
		t.Errorf("%+v, %v", c, err)
	}
}

// FuzzWrite: whatever is called so, what is written is what is read, and nothing else.
func FuzzWrite(f *testing.F) {
	f.Add("iPad Pro 13", "Ben", int64(1796302800), uint16(60))
	f.Add("x\r\nEND:VEVENT\r\nBEGIN:VALARM", "a;b,c\\n:\"", int64(-1), uint16(0))
	f.Add(strings.Repeat("漢", 40), "\xff\x00\u2028\u0085\t", int64(1<<35), uint16(1))
	f.Add(" begins with a blank", "\ufeff", int64(0), uint16(9))
	f.Fuzz(func(t *testing.T, summary, place string, begin int64, minutes uint16) {
		if begin < 0 || begin > 1<<37 {
			begin = 1796302800
		}
		from := time.Unix(begin, 0)
		to := from.Add(time.Duration(minutes) * time.Minute)
		w := NewWriter("", place, from)
		for i := range 2 {
			w.Add(Entry{UID: fmt.Sprint(i), Begin: from, End: to, Summary: summary, Location: place, Description: summary + "\n" + place})
		}
		text := w.Text()
		checkLines(t, text)
		all, calendar := written(t, text)
		meant := func(s string) string {
			return strings.Map(func(r rune) rune {
				if r != '\n' && unicode.IsControl(r) {
					return -1
				}
				return r
			}, strings.ToValidUTF8(s, "\ufffd"))
		}
		if len(all) != 2 || strings.TrimSpace(calendar["NAME"]) != strings.TrimSpace(meant(place)) {
			t.Fatalf("%d events of %q\n%s", len(all), calendar, text)
		}
		for i, e := range all {
			want := map[string]string{"UID": fmt.Sprint(i), "SUMMARY": meant(summary), "LOCATION": meant(place), "DESCRIPTION": meant(summary) + "\n" + meant(place)}
			for key, value := range want {
				if e[key] != value {
					t.Errorf("%s is %q, want %q\n%s", key, e[key], value, text)
				}
			}
			for key, at := range map[string]time.Time{"DTSTART": from, "DTEND": to, "DTSTAMP": from} {
				when, err := parseWhen(property{name: key, value: e[key]})
				if err != nil || when.zone != time.UTC || !time.Unix(int64(when.day)*86400+int64(when.seconds), 0).Equal(at) {
					t.Errorf("%s is %s, %v, want %v", key, e[key], err, at.UTC())
				}
			}
		}
	})
}
