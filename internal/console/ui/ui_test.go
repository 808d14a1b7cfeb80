package ui

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"stump/checkout"
	"stump/internal/books"
)

// TestWords: every language says everything, and with the same places for names.
var english, german, french, spanish = *words[0], *words[1], *words[2], *words[3]

// TestTexts: words that nobody wants, and texts without words, are mistakes of who wrote them.
func TestTexts(t *testing.T) {
	panics := func(f func()) (is any) {
		defer func() { is = recover() }()
		f()
		return nil
	}
	type little struct {
		Board string
		Days  [12]string
	}
	if is := panics(func() { Texts[little]("ui") }); is == nil {
		t.Error("all words but those of the board are wanted by nobody")
	}
	type more struct{ Board, Nonsense string }
	if is := panics(func() { Texts[more]("none") }); is != "there are no words none.Board" {
		t.Errorf("%v", is)
	}
	if all := Texts[struct{}]("none"); len(all) != len(languages) {
		t.Errorf("%v", all)
	}
}

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
			if w.Kinds.Of(string(k)) == "" && !slices.Contains(inside, k) {
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
	later := now.AddDate(0, 2, 0)
	for w, want := range map[*Words]string{&english: "1 Feb 2027, 62 d", &german: "1. Feb. 2027, 62 Tage", &french: "1 févr. 2027, 62 jours", &spanish: "1 feb 2027, 62 días"} {
		if got := w.At(later, now) + ", " + w.For(later.Sub(now)); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := german.Began(now, false, now, now); got != "vor 12:00" {
		t.Errorf("%q", got)
	}
	if got := german.Began(now, false, time.Time{}, now); got != "unbekannt" {
		t.Errorf("%q", got)
	}
	for d, want := range map[time.Duration]string{0: "1 min", 59 * time.Minute: "59 min", 47 * time.Hour: "47 h", 49 * time.Hour: "2 d"} {
		if got := english.For(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}

func TestSentence(t *testing.T) {
	for text, want := range map[string]string{
		"": "", "über alles": "Über alles.", "is it there?": "Is it there?", "empty": "Empty.",
		"hook.lab.example does not speak TLS": "hook.lab.example does not speak TLS.",
	} {
		if got := Sentence(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// TestCoded: commands in a text are marked as such, and nothing in it is.
func TestCoded(t *testing.T) {
	for text, want := range map[string]string{
		"":                                "",
		"begin again":                     "begin again",
		"run `stump scope <b>`, then ask": "run <code>stump scope &lt;b&gt;</code>, then ask",
		"`stump verify` says":             "<code>stump verify</code> says",
	} {
		var b strings.Builder
		if err := Coded(text).Render(t.Context(), &b); err != nil || b.String() != want {
			t.Errorf("%q: %q, %v, want %q", text, b.String(), err, want)
		}
	}
}

// TestNotes: what an event says beside who, what and when is said in the page's language.
func TestNotes(t *testing.T) {
	now := time.Date(2026, 12, 1, 12, 0, 0, 0, time.UTC)
	for _, tt := range []struct {
		e    checkout.Event
		w    *Words
		want string
	}{
		{checkout.Event{Due: now.Add(72 * time.Hour)}, &english, "due Fri 12:00"},
		{checkout.Event{Due: now.Add(72 * time.Hour), Note: "is on its way"}, &german, "bis Fr 12:00, is on its way"},
		{checkout.Event{Due: now.Add(time.Hour), Stage: "3d"}, &french, "à rendre 13:00"},
		{checkout.Event{Happened: now.AddDate(0, 0, -7), Condition: "damaged: a crack"}, &german, "geschah 24. Nov. 12:00, beschädigt: a crack"},
		{checkout.Event{Condition: "like new", Missing: []string{"Lens", "Strap"}}, &spanish, "No volvió con él: Lens, Strap, like new"},
		{checkout.Event{Kit: "box", Booking: checkout.Booking{Kind: "phone", From: now, To: now.Add(time.Hour)}}, &english, "12:00 – 13:00, Part of: box"},
		{checkout.Event{}, &english, ""},
	} {
		if got := Text(LineOf(tt.w, books.Entry{Event: tt.e}, now).Note); got != tt.want {
			t.Errorf("%+v: %q, want %q", tt.e, got, tt.want)
		}
	}
}

// mostScript is the size in bytes that all scripts of the pages have together, unpacked: a
// page is quick on a small board, and works without them.
const mostScript = 5000

// TestScripts: the scripts are few and small, and none is written into a page.
func TestScripts(t *testing.T) {
	files, err := filepath.Glob("assets/*.js")
	if err != nil || len(files) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	all := 0
	for _, f := range files {
		text, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		all += len(text)
	}
	if all > mostScript {
		t.Errorf("the scripts have %d bytes, which is over %d", all, mostScript)
	}
	pages, err := filepath.Glob("../*/*.templ")
	if err != nil || len(pages) < 10 {
		t.Fatalf("only %d pages: %v", len(pages), err)
	}
	ours := regexp.MustCompile(`<script src=(\{ (ui\.)?Asset\("[a-z]+\.js"\) \}|"/login\.js") defer></script>`)
	for _, page := range pages {
		text, err := os.ReadFile(page)
		if err != nil {
			t.Fatal(err)
		}
		if rest := ours.ReplaceAllString(string(text), ""); strings.Contains(rest, "<script") {
			t.Errorf("%s has a script that is no file of assets", page)
		}
	}
}
