package main

import (
	"strconv"
	"strings"
	"time"
)

// What a time that somebody types may mean: "7d" is in the past or in the future.
const (
	ago     = -1
	fromNow = 1
)

// typedTime reads a time as people type it, in the zone of now: RFC 3339, a date, a date
// and time, a number of days or hours, now, today, yesterday, tomorrow, or a weekday, which is
// the last one or, fromNow, the next.
func typedTime(flag, s string, now time.Time, direction int) (time.Time, error) {
	if t, err := time.Parse(time.RFC3339, s); err == nil {
		return t, nil
	}
	for _, layout := range []string{time.DateOnly, "2006-01-02 15:04", "2006-01-02T15:04", time.DateTime} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t, nil
		}
	}
	day := func(n int) time.Time {
		return time.Date(now.Year(), now.Month(), now.Day()+n, 0, 0, 0, 0, now.Location())
	}
	word := strings.ToLower(strings.TrimSpace(s))
	switch word {
	case "now":
		return now, nil
	case "today":
		return day(0), nil
	case "yesterday":
		return day(-1), nil
	case "tomorrow":
		return day(1), nil
	}
	for n := 1; n <= 7; n++ {
		t := day(direction * n)
		if name := strings.ToLower(t.Weekday().String()); len(word) >= 3 && strings.HasPrefix(name, word) {
			return t, nil
		}
	}
	if n, err := strconv.ParseUint(strings.TrimRight(word, "dh"), 10, 16); err == nil && len(word) > 1 {
		switch number := strconv.FormatUint(n, 10); word {
		case number + "d":
			return now.AddDate(0, 0, direction*int(n)), nil
		case number + "h":
			return now.Add(time.Duration(direction) * time.Duration(n) * time.Hour), nil
		}
	}
	return time.Time{}, misuse("write 2026-11-21T10:00:00Z, 2026-11-21, '2026-11-21 10:00', 7d, 36h, yesterday or monday", "%s: %q is not a time", flag, s)
}

// optionalTime is typedTime of a flag that may be left out.
func optionalTime(flag, s string, direction int) (*time.Time, error) {
	if s == "" {
		return nil, nil
	}
	t, err := typedTime(flag, s, time.Now(), direction)
	if err != nil {
		return nil, err
	}
	return &t, nil
}
