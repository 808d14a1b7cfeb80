package directory

import (
	"net/http"
	"testing"
	"time"
)

// Retry-After in all its forms, and what the worker makes of it: never "now" in
// a loop, never "next year".
func TestRetryAfterForms(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	back := Backoff{}.withDefaults()
	most := func(n int64) int64 { return n - 1 }
	for value, want := range map[string]time.Duration{
		"7":                                7 * time.Second,
		"0":                                time.Second,
		"100000":                           15 * time.Minute,
		"2147483647":                       15 * time.Minute,
		"99999999999999999999":             time.Second, // makes no sense: the first wait as without it
		"-5":                               time.Second,
		"soon":                             time.Second,
		"":                                 time.Second,
		"Sat, 21 Nov 2026 12:00:42 GMT":    42 * time.Second,
		"Sat, 21 Nov 2026 11:00:00 GMT":    time.Second,      // past
		"Fri, 31 Dec 9999 23:59:59 GMT":    15 * time.Minute, // far
		"Thu, 01 Jan 1970 00:00:00 GMT":    time.Second,
		"Saturday, 21-Nov-26 12:01:00 GMT": time.Minute, // RFC 850, which must be read
	} {
		after := retryAfter(reply{Header: http.Header{"Retry-After": {value}}}, now)
		if got := back.Wait(1, 0, after, most); got != want {
			t.Errorf("Retry-After %q: %s, want %s", value, got, want)
		}
	}
}
