package sheet

import (
	"time"

	"stump/internal/hint"
	"stump/internal/typedtime"
)

// typedTime reads a time, where the station is unless it says a zone. day is whether it is
// only a day; then it is when that begins. Empty is zero.
func typedTime(s string) (t time.Time, day bool, err error) {
	if s == "" {
		return t, false, nil
	}
	t, day, ok := typedtime.Absolute(s, time.Local)
	if !ok {
		err = hint.Errorf("write it as 2026-12-04, '2026-12-04 18:00' or 4.12.2026", "%q is not a time", s)
	}
	return t, day, err
}

// dueTime reads until when something is lent: a day is so until its end.
func dueTime(s string) (time.Time, error) {
	t, day, err := typedTime(s)
	if day {
		t = time.Date(t.Year(), t.Month(), t.Day(), 23, 59, 0, 0, t.Location())
	}
	return t, err
}
