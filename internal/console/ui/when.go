package ui

import (
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/a-h/templ"
)

// At is a time as people read it: "14:05" today, "Fri 14:05" within a week, else "4 Dec 14:05",
// with the year if it is another one.
func (w *Words) At(t, now time.Time) string {
	clock := t.Format("15:04")
	y, m, d := t.Date()
	ny, nm, nd := now.Date()
	near := t.Sub(now)
	if near < 0 {
		near = -near
	}
	switch {
	case y == ny && m == nm && d == nd:
		return clock
	case near < 6*24*time.Hour:
		return w.Days[t.Weekday()] + " " + clock
	case y == ny:
		return w.dayAndMonth(t) + " " + clock
	}
	return w.Day(t)
}

// Day is a day with its year: "4 Dec 2026".
func (w *Words) Day(t time.Time) string { return w.dayAndMonth(t) + " " + strconv.Itoa(t.Year()) }

func (w *Words) dayAndMonth(t time.Time) string {
	return Fill(w.OfMonth, strconv.Itoa(t.Day())) + w.Months[t.Month()-1]
}

// For is a span in the largest unit that it fills: "3 d", "5 h", "12 min".
func (w *Words) For(d time.Duration) string {
	switch {
	case d >= 48*time.Hour:
		return Fill(w.InDays, strconv.Itoa(int(d.Hours()/24)))
	case d >= time.Hour:
		return strconv.Itoa(int(d.Hours())) + " h"
	}
	return strconv.Itoa(max(int(d.Minutes()), 1)) + " min"
}

// Fill puts a name or time into a text.
func Fill(text, with string) string { return strings.Replace(text, "%s", with, 1) }

// Began is when something began: known at t, else before a time, else not known.
func (w *Words) Began(t time.Time, known bool, before, now time.Time) string {
	switch {
	case known:
		return w.At(t, now)
	case !before.IsZero():
		return Fill(w.Before, w.At(before, now))
	}
	return w.Unknown
}

// To is the address of a device's or person's page.
func To(path, id string) templ.SafeURL { return templ.SafeURL(path + url.PathEscape(id)) }

// Remedy is what to do: what the pages have a form for is called by its name.
func Remedy(hint string) string {
	return strings.ReplaceAll(hint, "`stump selftest`", "the self-test")
}

// Sentence is a text with a capital, unless a host or file comes first, and a full stop, unless
// it has an end.
func Sentence(s string) string {
	first, n := utf8.DecodeRuneInString(s)
	if n == 0 {
		return ""
	}
	if word, _, more := strings.Cut(s, " "); !more || !strings.Contains(word, ".") {
		s = string(unicode.ToUpper(first)) + s[n:]
	}
	if strings.ContainsAny(s[len(s)-1:], ".?!") {
		return s
	}
	return s + "."
}
