package sheet

import (
	"time"

	"stump/internal/hint"
)

// Days and times as files have them. 3/4/2026 is none: which number is the day, nobody knows.
var (
	dayLayouts  = []string{time.DateOnly, "2006/01/02", "2.1.2006"}
	timeLayouts = []string{" 15:04:05", " 15:04", "T15:04:05", "T15:04", " 15:04:05.999999"}
)

// typedTime reads a time, where the station is unless it says a zone. day is whether it is
// only a day; then it is when that begins. Empty is zero.
func typedTime(s string) (t time.Time, day bool, err error) {
	if s == "" {
		return t, false, nil
	}
	if t, err = time.Parse(time.RFC3339, s); err == nil {
		return t, false, nil
	}
	for _, layout := range dayLayouts {
		if t, err = time.ParseInLocation(layout, s, time.Local); err == nil {
			return t, true, nil
		}
		for _, clock := range timeLayouts {
			if t, err = time.ParseInLocation(layout+clock, s, time.Local); err == nil {
				return t, false, nil
			}
		}
	}
	return t, false, hint.Errorf("write it as 2026-12-04, '2026-12-04 18:00' or 4.12.2026", "%q is not a time", s)
}

// dueTime reads until when something is lent: a day is so until its end.
func dueTime(s string) (time.Time, error) {
	t, day, err := typedTime(s)
	if day {
		t = time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 0, 0, t.Location())
	}
	return t, err
}
