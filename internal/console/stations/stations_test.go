package stations

import (
	"reflect"
	"strings"
	"testing"
	"time"

	"stump/directory"
	"stump/hw/selftest"
	"stump/internal/api/wire"
	"stump/internal/console/ui"
	"stump/internal/signal"
	"stump/wiegand"
)

// TestWords: every language says everything, and with the same places for names.
func TestWords(t *testing.T) {
	for _, language := range []string{"en", "de", "fr", "es"} {
		v, en := reflect.ValueOf(*words[language]), reflect.ValueOf(*words["en"])
		for i := range v.NumField() {
			text := v.Field(i).String()
			if places := strings.Count(text, "%s"); text == "" || places != strings.Count(en.Field(i).String(), "%s") {
				t.Errorf("%s: %s is %q", language, v.Type().Field(i).Name, text)
			}
		}
	}
}

var noon = time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)

func known(s string) *string { return &s }

func made(st wire.Status) View {
	return Made(ui.Frame{Words: &ui.Words{Language: "en", Before: "before %s", Unknown: "not known"}}, st, noon)
}

// TestTroubles: what is wrong with the whole station is said once, and of which reader the
// rest is.
func TestTroubles(t *testing.T) {
	disk := selftest.Condition{Name: "slow-storage", Text: "saving takes 2 s", Remedy: "replace the card"}
	v := made(wire.Status{Damaged: known("page 3"), Conditions: map[string][]selftest.Condition{
		"door": {{Name: "swapped", Text: "exchanged", Remedy: "exchange them"}, disk}, "desk": {disk},
	}})
	want := []Trouble{{Text: "page 3", Remedy: "`stump verify` says more"}, {"", "saving takes 2 s", "replace the card"}, {"door", "exchanged", "exchange them"}}
	if !reflect.DeepEqual(v.Troubles, want) {
		t.Errorf("%+v", v.Troubles)
	}
}

func TestFacts(t *testing.T) {
	at := noon.Add(-time.Hour)
	v := made(wire.Status{
		Version: "1.2", Sim: true,
		Readers: []string{"door: DATA0 = GPIO17; its cards are known", "desk"}, Display: "down: no answer", Since: known("2026-12-01T10:00:00Z"), Events: 7,
		Backups:    []wire.Backup{{Folder: "/b", File: known("f"), Event: 5, At: &at, ClockTrusted: true}, {Folder: "/c"}},
		Conditions: map[string][]selftest.Condition{"door": {{Name: "clock", Text: "not set for 3 hours"}}},
	})
	if want := []Reader{{Name: "door", State: "DATA0 = GPIO17; its cards are known"}, {Name: "desk"}}; !reflect.DeepEqual(v.Readers, want) {
		t.Errorf("%+v", v.Readers)
	}
	expires := noon.AddDate(0, 0, -1)
	v.Web(wire.Web{Expires: &expires, SelfMade: true}, noon)
	want := []Fact{
		{"Station", "stump 1.2, simulated", false},
		{"Display", "down since 10:00: no answer", true}, {"Clock", "not set for 3 hours", true}, {"Ledger", "newest event 7", false},
		{"Backup /b", "11:00, up to event 5", false}, {"Backup /c", "none yet", true}, {"Web certificate", "until  12:00, made here", true},
	}
	if !reflect.DeepEqual(v.Facts, want) {
		t.Errorf("%+v", v.Facts)
	}
	if f := made(wire.Status{Ledger: known("/l")}).Facts; f[len(f)-1] != (Fact{What: "Backup", Is: "off"}) {
		t.Errorf("no backups: %+v", f)
	}
	v.Sync(directory.Status{Directory: "snipeit", Sinks: []directory.SinkStatus{
		{Place: "https://a", State: "up"},
		{Place: "https://b", State: "down", Backlog: 3, StuckRows: 1, Reason: known("refused"), Remedy: known("renew the token"), Notes: []string{"its clock is wrong"}},
	}, Pull: &directory.PullStatus{Error: known("no route"), Remedy: known("look at the cable")}})
	if want := []Fact{{"https://a", "up", false}, {"https://b", "down, 3 waiting, 1 stuck", true}}; !reflect.DeepEqual(v.Places, want) {
		t.Errorf("%+v", v.Places)
	}
	if want := []Trouble{{"door", "not set for 3 hours", ""}, {"https://b", "refused", "renew the token"}, {Where: "https://b", Text: "its clock is wrong"}, {"snipeit", "no route", "look at the cable"}}; !reflect.DeepEqual(v.Troubles, want) {
		t.Errorf("%+v", v.Troubles)
	}
}

// TestTested: a remedy is said once, the wiring is drawn once, and a question that wants yes
// or no gets buttons.
func TestTested(t *testing.T) {
	v := made(wire.Status{})
	v.Tested(wire.SelfTest{Job: wire.Job{State: "running"}, Question: &wire.Question{Question: 3, Text: "Is it on? [y/n]"}, Results: []selftest.Result{
		{Check: "clock", Result: selftest.Fail, Remedy: "set it"}, {Check: "idle", Result: selftest.Pass},
		{Check: "card", Result: selftest.Fail, Remedy: "exchange the wires"}, {Check: "second-card", Result: selftest.Fail, Remedy: "exchange the wires"},
	}})
	if !v.Test.YesNo || v.Test.Question.Text != "Is it on?" || v.Test.Question.Question != 3 || !v.Test.Running() {
		t.Errorf("%+v", v.Test)
	}
	for i, want := range []struct {
		do, word string
		picture  bool
	}{{"set it", "fails", false}, {"", "passes", false}, {"exchange the wires", "fails", true}, {"As for card above.", "fails", false}} {
		if c := v.Test.Checks[i]; c.Do != want.do || c.Word != want.word || c.Picture != want.picture {
			t.Errorf("%s: %+v, want %+v", c.Check, c, want)
		}
	}
}

// TestDraw: a stroke for each pulse, on its line, at its time.
func TestDraw(t *testing.T) {
	fault := wiegand.FaultParity
	edges := []wiegand.Edge{{Time: 100e6}, {Time: 100.05e6, Rising: true}, {Time: 102e6, Line: 1}, {Time: 104e6}, {Time: 104e6, Line: 7}}
	v := made(wire.Status{})
	f := v.draw(wire.BadFrame{Reader: "door", Record: wiegand.Record{StartNS: 100e6, EndNS: 104e6, Count: 3, Fault: &fault}, Edges: edges})
	if want := (Frame{"door", "parity, 3 bit, 4.0 ms", [2]string{"M6.0 6v22M994.0 6v22", "M500.0 40v22"}}); f != want {
		t.Errorf("%+v, want %+v", f, want)
	}
	if f := v.draw(wire.BadFrame{}); f.Strokes != [2]string{} {
		t.Errorf("no edges: %+v", f)
	}
	many := v.draw(wire.BadFrame{Edges: make([]wiegand.Edge, 5*mostEdges)})
	if n := strings.Count(many.Strokes[0], "M"); n != mostEdges {
		t.Errorf("%d strokes", n)
	}
}

// TestWeeks: a week's bar stands where it was in the half year, refused frames are seen however
// few they are, and the table says all of it in words, the newest first.
func TestWeeks(t *testing.T) {
	weeks := []signal.Week{
		{Begins: "2026-05-04", Good: 9, Bad: map[string]uint64{"noise": 1}}, // more than half a year ago
		{Begins: "2026-11-16", Good: 50, Bad: map[string]uint64{"parity": 10, "noise": 40}},
		{Begins: "2026-11-23", Good: 1000, Bad: map[string]uint64{"count": 1}},
		{Begins: "2026-11-30", Good: 4},
	}
	want := []bar{
		{"552", "50", "50", "good"}, {"552", "0", "50", "bad"},
		{"576", "2", "98", "good"}, {"576", "0", "2", "bad"},
		{"600", "0", "100", "good"},
	}
	if got := weekBars(weeks); !reflect.DeepEqual(got, want) {
		t.Errorf("%v", got)
	}
	if got := weekBars(nil); got != nil {
		t.Errorf("of none %v", got)
	}
	if got := weekBars([]signal.Week{{Begins: "<x>"}}); got != nil {
		t.Errorf("of no day %v", got)
	}
	v := made(wire.Status{})
	v.Words.OfMonth = "%s "
	for i := range v.Words.Months {
		v.Words.Months[i] = time.Month(i + 1).String()[:3]
	}
	rows := v.weekRows(weeks)
	if len(rows) != 4 || rows[0] != (weekRow{"30 Nov 2026", "4", "0", "100.0 %", "", false}) || rows[2] != (weekRow{"16 Nov 2026", "50", "50", "50.0 %", "noise 40, parity 10", true}) {
		t.Errorf("%+v", rows)
	}
	v.Readers = []Reader{{Name: "door", Weeks: weeks}, {Name: "desk"}}
	var page strings.Builder
	if err := Page(v).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(page.String(), `<svg class="signal"`); n != 1 || !strings.Contains(page.String(), "Good and refused frames of the reader door by week") || !strings.Contains(page.String(), "noise 40, parity 10") {
		t.Errorf("%d pictures in %s", n, &page)
	}
}

// TestOthersOfLab: the other stations of the lab are listed with what they say of themselves.
func TestOthersOfLab(t *testing.T) {
	lab, own, heard := "berlin", "hub", noon.Add(-time.Hour)
	v := made(wire.Status{Lab: &wire.Lab{Lab: &lab, Station: &own}})
	v.Lab([]wire.LabStation{
		{Name: "hub", Office: true},
		{Name: "annex", Office: true, Heard: &heard, Version: known("1.2")},
		{Name: "north", Lag: 3, Fault: known("door: no lines"), URL: known("https://north.example:8443")},
		{Name: "evil", URL: known("javascript:alert(1)")},
	}, noon)
	want := []Member{
		{"annex (an office of the hub)", "11:00", "1.2", "0", "", ""},
		{"north", "–", "–", "3", "door: no lines", "https://north.example:8443"},
		{"evil", "–", "–", "0", "", "javascript:alert(1)"},
	}
	if !reflect.DeepEqual(v.Members, want) {
		t.Errorf("%+v, want %+v", v.Members, want)
	}
	var page strings.Builder
	if err := List(v).Render(t.Context(), &page); err != nil {
		t.Fatal(err)
	}
	if got := page.String(); !strings.Contains(got, `<a href="https://north.example:8443" rel="noreferrer">north</a>`) || strings.Contains(got, "javascript:") || strings.Contains(got, `>annex (an office of the hub)</a>`) {
		t.Errorf("the page: %s", got)
	}
}
