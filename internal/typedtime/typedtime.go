// Package typedtime reads times as people type them and spreadsheets write them.
package typedtime

import (
	"strconv"
	"strings"
	"time"
)

// What a time that somebody types may mean: "7d" is in the past or in the future.
const (
	Ago     = -1
	FromNow = 1
)

// Days and times of day. 3/4/2026 is none: which number is the day, nobody knows.
var (
	days   = []string{time.DateOnly, "2006/01/02", "2.1.2006"}
	clocks = []string{" 15:04", "T15:04", " 15:04:05", "T15:04:05"}
)

// Absolute reads a time with a date, in a zone unless it says another. day is whether it is
// only a day; then it is when that begins.
func Absolute(s string, zone *time.Location) (t time.Time, day, ok bool) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, false, true
	}
	for _, date := range days {
		if t, err := time.ParseInLocation(date, s, zone); err == nil {
			return t, true, true
		}
		for _, clock := range clocks {
			if t, err := time.ParseInLocation(date+clock, s, zone); err == nil {
				return t, false, true
			}
		}
	}
	return t, false, false
}

// Read reads what Absolute does, in the zone of now, and also a number of days or hours, now,
// today, yesterday, tomorrow, or a weekday, which is the last one or, FromNow, the next.
func Read(s string, now time.Time, direction int) (t time.Time, ok bool) {
	if t, _, ok := Absolute(s, now.Location()); ok {
		return t, true
	}
	day := func(n int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+n, 0, 0, 0, 0, now.Location())
	}
	word := strings.ToLower(strings.TrimSpace(s))
	switch word {
	case "now":
		return now, true
	case "today":
		return day(0), true
	case "yesterday":
		return day(-1), true
	case "tomorrow":
		return day(1), true
	}
	for n := 1; n <= 7; n++ {
		t := day(direction * n)
		if name := strings.ToLower(t.Weekday().String()); len(word) >= 3 && strings.HasPrefix(name, word) {
			return t, true
		}
	}
	if n, err := strconv.ParseUint(strings.TrimRight(word, "dh"), 10, 16); err == nil && len(word) > 1 {
		switch number := strconv.FormatUint(n, 10); word {
		case number + "d":
			return now.AddDate(0, 0, direction*int(n)), true
		case number + "h":
			return now.Add(time.Duration(direction) * time.Duration(n) * time.Hour), true
		}
	}
	return t, false
}
