package ical

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Entry is an event of a calendar that is written. Its times are moments, and so are written
// in UTC.
type Entry struct {
	UID string // the same for as long as it is the same event
	// Revision grows with each change; 0 leaves it out.
	Revision                       uint64
	Begin, End                     time.Time
	Summary, Location, Description string // all but the first may be empty
}

// Writer writes a calendar: events that keep nobody from anything else.
type Writer struct {
	b     strings.Builder
	stamp string
}

const layoutUTC = layoutTime + "Z"

// NewWriter begins a calendar as it is at a time. method is PUBLISH where a program is sent it
// by itself, and empty where it asks; name is the calendar's, and may be empty, too.
func NewWriter(method, name string, at time.Time) *Writer {
	w := &Writer{stamp: at.UTC().Format(layoutUTC)}
	w.line("BEGIN", "VCALENDAR")
	w.line("VERSION", "2.0")
	w.line("PRODID", "-//Stump//Stump//EN")
	if method != "" {
		w.line("METHOD", method)
	}
	if name != "" {
		w.line("NAME", escape(name))         // RFC 7986
		w.line("X-WR-CALNAME", escape(name)) // and what came before it, which programs read
		w.line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H")
		w.line("X-PUBLISHED-TTL", "PT1H")
	}
	return w
}

// Add writes an event.
func (w *Writer) Add(e Entry) {
	w.line("BEGIN", "VEVENT")
	w.line("UID", e.UID)
	if e.Revision > 0 {
		w.line("SEQUENCE", strconv.FormatUint(e.Revision, 10))
	}
	w.line("DTSTAMP", w.stamp)
	w.line("DTSTART", e.Begin.UTC().Format(layoutUTC))
	w.line("DTEND", e.End.UTC().Format(layoutUTC))
	w.line("SUMMARY", escape(e.Summary))
	if e.Location != "" {
		w.line("LOCATION", escape(e.Location))
	}
	if e.Description != "" {
		w.line("DESCRIPTION", escape(e.Description))
	}
	w.line("TRANSP", "TRANSPARENT")
	w.line("END", "VEVENT")
}

// Text ends the calendar, and is all of it.
func (w *Writer) Text() string {
	w.line("END", "VCALENDAR")
	return w.b.String()
}

// line writes a line, which goes on in others where it is long.
func (w *Writer) line(key, value string) {
	for line, first := key+":"+value, true; line != ""; first = false {
		most := 75 // bytes of a line
		if !first {
			w.b.WriteByte(' ')
			most--
		}
		n := min(most, len(line))
		for n < len(line) && !utf8.RuneStart(line[n]) { // not inside a letter
			n--
		}
		w.b.WriteString(line[:n])
		w.b.WriteString("\r\n")
		line = line[n:]
	}
}

var signs = strings.NewReplacer(`\`, `\\`, ";", `\;`, ",", `\,`, "\n", `\n`)

// escape is a text as a value: it can't end its line, nor begin another.
func escape(text string) string {
	return signs.Replace(strings.Map(func(r rune) rune {
		if r != '\n' && unicode.IsControl(r) {
			return -1
		}
		return r
	}, strings.ToValidUTF8(text, "\ufffd")))
}
