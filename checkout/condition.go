package checkout

import (
	"net/url"
	"strings"
	"time"
	"unicode"

	"stump/internal/hint"
)

// The conditions in which a device can come back. Words may follow: "damaged: a crack".
// What begins otherwise is words alone, and says nothing about repair.
const (
	ConditionOK         = "ok"
	ConditionDamaged    = "damaged"
	ConditionIncomplete = "incomplete"
)

// NeedsRepair reports whether a condition says that somebody must see to the device: that
// it is damaged or incomplete.
func NeedsRepair(condition string) bool {
	end := strings.IndexFunc(condition, func(r rune) bool { return !unicode.IsLetter(r) })
	if end < 0 {
		end = len(condition)
	}
	word := condition[:end]
	return strings.EqualFold(word, ConditionDamaged) || strings.EqualFold(word, ConditionIncomplete)
}

// Day is a day of the calendar where the lab is, as 2006-01-02; empty for none. Of two days
// the earlier one is the smaller.
type Day string

// CheckDay accepts days, and none.
func CheckDay(d Day) error {
	if _, err := time.Parse(time.DateOnly, string(d)); d != "" && err != nil {
		return hint.Errorf("write it as 2026-12-04", "%q is no day", d)
	}
	return nil
}

// DayOf is the day of a time, where its clock is.
func DayOf(t time.Time) Day { return Day(t.Format(time.DateOnly)) }

// Begin is when the day begins in a zone; zero for no day.
func (d Day) Begin(zone *time.Location) time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(d), zone)
	if err != nil {
		return time.Time{}
	}
	return t
}

// Waits reports whether the day is still to come. While today is not known, none comes.
func (d Day) Waits(today Day) bool { return d != "" && (today == "" || today < d) }

// CheckLink accepts addresses of pages, and none.
func CheckLink(s string) error {
	u, err := url.Parse(s)
	if s != "" && (err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "") {
		return hint.Errorf("write it as https://assets.example/hardware/7, or leave it empty", "%q is no link", s)
	}
	return CheckText("link", s, MaxName)
}
