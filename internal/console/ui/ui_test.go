package ui

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"stump/checkout"
)

// TestWords: every language says everything, and with the same places for names.
func TestWords(t *testing.T) {
	for _, w := range words {
		v, en := reflect.ValueOf(*w), reflect.ValueOf(english)
		for i := range v.NumField() {
			name := v.Type().Field(i).Name
			if v.Field(i).Kind() != reflect.String {
				continue
			}
			text := v.Field(i).String()
			if has, want := Fill(text, "\x00") != text, Fill(en.Field(i).String(), "\x00") != en.Field(i).String(); text == "" || has != want {
				t.Errorf("%s: %s is %q", w.Language, name, text)
			}
		}
		for _, k := range checkout.Kinds {
			if w.Kinds[string(k)] == "" && !slices.Contains(inside, k) {
				t.Errorf("%s has no word for the event %s", w.Language, k)
			}
		}
		if slices.Contains(w.Days[:7], "") || slices.Contains(w.Months[:], "") {
			t.Errorf("%s: %q %q", w.Language, w.Days, w.Months)
		}
	}
}

// inside are events that are in no history of a person or device.
var inside = []checkout.Kind{checkout.Clock, checkout.Erase, checkout.Salvage, checkout.Restore, checkout.Migrate, checkout.Digest}

func TestAt(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC) // a Tuesday
	for _, tt := range []struct {
		at   time.Time
		want string
	}{
		{now.Add(-11 * time.Hour), "01:00"},
		{now.Add(-13 * time.Hour), "Mon 23:00"},
		{now.Add(3 * 24 * time.Hour), "Fri 12:00"},
		{now.Add(-5 * 24 * time.Hour), "Thu 12:00"},
		{now.Add(7 * 24 * time.Hour), "8 Dec 12:00"},
		{now.AddDate(0, 2, 0), "1 Feb 2027"},
	} {
		if got := english.At(tt.at, now); got != tt.want {
			t.Errorf("%v: %q, want %q", tt.at, got, tt.want)
		}
	}
	if got := german.Began(now, false, now, now); got != "vor 12:00" {
		t.Errorf("%q", got)
	}
	if got := german.Began(now, false, time.Time{}, now); got != "unbekannt" {
		t.Errorf("%q", got)
	}
	for d, want := range map[time.Duration]string{0: "1 min", 59 * time.Minute: "59 min", 47 * time.Hour: "47 h", 49 * time.Hour: "2 d"} {
		if got := For(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
