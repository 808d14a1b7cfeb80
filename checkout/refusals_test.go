package checkout

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func refusalOf(tag byte, reason string) Refusal {
	return Refusal{Tag: deskSubject(tag).Tag, Unknown: reason == "unknown", Reason: reason}
}

func taken(all []Refusal) string {
	var s []string
	for _, r := range all {
		what := fmt.Sprintf("%c %s %d", r.Tag.Value[15], r.Reason, r.Count)
		if r.Noted {
			what += " noted"
		}
		s = append(s, what)
	}
	return strings.Join(s, "; ")
}

// TestRefusals: of a tag and reason one a minute; what comes again is counted, and the
// count goes with the next that is saved.
func TestRefusals(t *testing.T) {
	var r Refusals
	note := func(sec int, tag byte, reason string, fresh bool) {
		t.Helper()
		got, full := r.Note(time.Duration(sec)*time.Second, refusalOf(tag, reason))
		want(t, fmt.Sprint("fresh at ", sec), got, fresh)
		want(t, "full", full, false)
	}
	note(0, 'a', "unknown", true)
	note(1, 'a', "unknown", false)
	note(2, 'a', "suspended", true)
	note(3, 'b', "unknown", true)
	want(t, "taken", taken(r.Take(false)), "a unknown 2; a suspended 1; b unknown 1")
	want(t, "taken again", taken(r.Take(true)), "")
	note(30, 'a', "unknown", false)
	note(31, 'a', "suspended", false)
	want(t, "in the minute", taken(r.Take(false)), "")
	note(60, 'a', "unknown", true)
	want(t, "after the minute", taken(r.Take(false)), "a unknown 1 noted; a unknown 1")
	note(61, 'a', "unknown", false)
	want(t, "before a list is shown", taken(r.Take(true)), "a suspended 1 noted; a unknown 1 noted")
}

// TestRefusalsAreBounded: whoever has many cards fills neither memory nor ledger, and
// others are listed again soon.
func TestRefusalsAreBounded(t *testing.T) {
	var r Refusals
	dropped, saved := 0, 0
	for i := range 6000 { // ten a second, each twice
		n := refusalOf(0, "unknown")
		n.Tag.Value[14], n.Tag.Value[15] = byte(i/2>>8), byte(i/2)
		if _, full := r.Note(time.Duration(i)*100*time.Millisecond, n); full {
			dropped++
		}
		saved += len(r.Take(false))
		if len(r.kept) > 3*mostRefusals {
			t.Fatalf("%d are kept", len(r.kept))
		}
	}
	if dropped == 0 || saved > 2*11*mostRefusals {
		t.Errorf("%d were dropped, %d saved", dropped, saved)
	}
	if fresh, _ := r.Note(time.Hour, refusalOf('a', "unknown")); !fresh {
		t.Error("an hour later nothing is listed")
	}
}

// TestRefusalsCount: every bump that was not dropped is counted once.
func TestRefusalsCount(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var r Refusals
		var at time.Duration
		noted, got := map[byte]int{}, map[byte]int{}
		take := func(all bool) {
			for _, k := range r.Take(all) {
				got[k.Tag.Value[15]] += k.Count
			}
		}
		for range rapid.IntRange(1, 100).Draw(t, "steps") {
			at += rapid.SampledFrom([]time.Duration{0, 1, 10, 59, 60, 61}).Draw(t, "s") * time.Second
			tag := rapid.SampledFrom([]byte("abc")).Draw(t, "tag")
			if rapid.IntRange(0, 3).Draw(t, "take") == 0 {
				take(rapid.Bool().Draw(t, "all"))
			}
			r.Note(at, refusalOf(tag, "unknown"))
			noted[tag]++
		}
		take(true)
		for tag, n := range noted {
			if got[tag] != n {
				t.Errorf("%c was bumped %d times, counted are %d", tag, n, got[tag])
			}
		}
	})
}
