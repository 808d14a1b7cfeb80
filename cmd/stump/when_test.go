package main

import (
	"testing"
	"time"
)

// TestTypedTime: it is Saturday, 21 November 2026, 10:30.
func TestTypedTime(t *testing.T) {
	now := time.Date(2026, 11, 21, 10, 30, 0, 0, time.FixedZone("", 3600))
	for _, tt := range []struct {
		typed     string
		direction int
		want      string
	}{
		{"2026-11-19T10:00:00Z", ago, "2026-11-19T10:00:00Z"},
		{"2026-11-19", ago, "2026-11-19T00:00:00+01:00"},
		{"2026-11-19 14:05", ago, "2026-11-19T14:05:00+01:00"},
		{"2026-11-19T14:05", ago, "2026-11-19T14:05:00+01:00"},
		{"2026-11-19 14:05:06", ago, "2026-11-19T14:05:06+01:00"},
		{"7d", ago, "2026-11-14T10:30:00+01:00"},
		{"7d", fromNow, "2026-11-28T10:30:00+01:00"},
		{"36h", ago, "2026-11-19T22:30:00+01:00"},
		{"36h", fromNow, "2026-11-22T22:30:00+01:00"},
		{"today", ago, "2026-11-21T00:00:00+01:00"},
		{"Yesterday", ago, "2026-11-20T00:00:00+01:00"},
		{"tomorrow", fromNow, "2026-11-22T00:00:00+01:00"},
		{"monday", ago, "2026-11-16T00:00:00+01:00"},
		{"Mon", fromNow, "2026-11-23T00:00:00+01:00"},
		{"saturday", ago, "2026-11-14T00:00:00+01:00"},
		{"saturday", fromNow, "2026-11-28T00:00:00+01:00"},
	} {
		got, err := typedTime("--at", tt.typed, now, tt.direction)
		if err != nil || got.Format(time.RFC3339) != tt.want {
			t.Errorf("%s, %d: %v %v, want %s", tt.typed, tt.direction, got, err, tt.want)
		}
	}
	for _, typed := range []string{"", "d", "7", "7dh", "-1d", "mo", "noon", "2026-13-01", "99999d"} {
		if got, err := typedTime("--at", typed, now, ago); err == nil {
			t.Errorf("%q is %v", typed, got)
		}
	}
}
