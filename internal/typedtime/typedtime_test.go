package typedtime

import (
	"testing"
	"time"
)

// TestRead: it is Saturday, 21 November 2026, 10:30.
func TestRead(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 30, 0, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		typed     string
		direction int
		want      string
	}{
		{"2026-11-19T10:00:00Z", Ago, "2026-11-19T10:00:00Z"},
		{"2026-11-19", Ago, "2026-11-19T00:00:00+01:00"},
		{"2026-11-19 14:05", Ago, "2026-11-19T14:05:00+01:00"},
		{"2026-11-19T14:05", Ago, "2026-11-19T14:05:00+01:00"},
		{"2026-11-19 14:05:06", Ago, "2026-11-19T14:05:06+01:00"},
		{"21.11.2026", Ago, "2026-11-21T00:00:00+01:00"},
		{"7d", Ago, "2026-11-14T10:30:00+01:00"},
		{"7d", FromNow, "2026-11-28T10:30:00+01:00"},
		{"36h", Ago, "2026-11-19T22:30:00+01:00"},
		{"36h", FromNow, "2026-11-22T22:30:00+01:00"},
		{"today", Ago, "2026-11-21T00:00:00+01:00"},
		{"Yesterday", Ago, "2026-11-20T00:00:00+01:00"},
		{"tomorrow", FromNow, "2026-11-22T00:00:00+01:00"},
		{"monday", Ago, "2026-11-16T00:00:00+01:00"},
		{"Mon", FromNow, "2026-11-23T00:00:00+01:00"},
		{"saturday", Ago, "2026-11-14T00:00:00+01:00"},
		{"saturday", FromNow, "2026-11-28T00:00:00+01:00"},
	} {
		got, ok := Read(tt.typed, now, tt.direction)
		if !ok || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%s, %d: %v %v, want %s", tt.typed, tt.direction, got, ok, tt.want)
		}
	}
	for _, typed := range []string{"", "d", "7", "7dh", "-1d", "mo", "noon", "3/4/2026", "2026-13-01", "99999d"} {
		if got, ok := Read(typed, now, Ago); ok {
			t.Errorf("%q is %v", typed, got)
		}
	}
}
