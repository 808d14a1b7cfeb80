package keyboard

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

var people = []string{"Ann Fisher", "Anna Karenina", "Ben Okri", "Zoë Müller", "Élodie Brun", "Dia Ann Roy"}

func press(l *line, keys ...any) (Answer, bool) {
	var a Answer
	var done bool
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			for _, r := range k {
				a, done = l.press(Press(r))
			}
		case Press:
			a, done = l.press(k)
		}
	}
	return a, done
}

func TestLine(t *testing.T) {
	tests := []struct {
		name string
		free bool
		keys []any
		want string // typed|offer|number of offers
	}{
		{"nothing", false, []any{}, "||0"},
		{"first letters", false, []any{"an"}, "an|Ann Fisher|3"},
		{"more", false, []any{"anna"}, "anna|Anna Karenina|1"},
		{"a later word", false, []any{"fi"}, "fi|Ann Fisher|1"},
		{"no accents typed", false, []any{"zoe m"}, "zoe m|Zoë Müller|1"},
		{"accents typed", false, []any{"élod"}, "élod|Élodie Brun|1"},
		{"nobody", false, []any{"xy"}, "xy||0"},
		{"backspace", false, []any{"annb", Backspace}, "ann|Ann Fisher|3"},
		{"backspace at the start", false, []any{Backspace, "b"}, "b|Ben Okri|2"},
		{"tab", false, []any{"b", Tab}, "Ben Okri|Ben Okri|1"},
		{"down", false, []any{"an", Down}, "an|Anna Karenina|3"},
		{"down and round", false, []any{"an", Down, Down, Down}, "an|Ann Fisher|3"},
		{"up", false, []any{"an", Up}, "an|Dia Ann Roy|3"},
		{"a letter starts over", false, []any{"an", Down, "n"}, "ann|Ann Fisher|3"},
		{"no leading blank", false, []any{"  b"}, "b|Ben Okri|2"},
		{"tab without offers", false, []any{"q", Tab, Down, Up}, "q||0"},
	}
	for _, tc := range tests {
		l := &line{names: people, free: tc.free}
		press(l, tc.keys...)
		v := l.view()
		if got := fmt.Sprintf("%s|%s|%d", v.Typed, v.Offer, v.Offers); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestEnter(t *testing.T) {
	tests := []struct {
		free bool
		keys []any
		want Answer
	}{
		{false, []any{"ann"}, Answer{"Ann Fisher", true}},
		{false, []any{"ann", Down}, Answer{"Anna Karenina", true}},
		{false, []any{"zoe"}, Answer{"Zoë Müller", true}},
		{false, []any{"Gil"}, Answer{"Gil", false}},
		{true, []any{"Ann"}, Answer{"Ann", false}}, // not Ann Fisher, who was there before
		{true, []any{"ann fisher"}, Answer{"Ann Fisher", true}},
		{true, []any{"ann", Tab}, Answer{"Ann Fisher", true}},
		{true, []any{"Gil  Blas "}, Answer{"Gil Blas", false}},
	}
	for _, tc := range tests {
		l := &line{names: people, free: tc.free}
		press(l, tc.keys...)
		if got, done := l.press(Enter); !done || got != tc.want {
			t.Errorf("free %v %q: %+v, %v; want %+v", tc.free, tc.keys, got, done, tc.want)
		}
	}
	l := &line{names: people}
	if _, done := press(l, Enter, " ", Enter); done {
		t.Error("an empty line was taken")
	}
}

func TestLineIsNotTooLong(t *testing.T) {
	l := &line{}
	press(l, strings.Repeat("ä", 500))
	if n := utf8.RuneCountInString(l.view().Typed); n != maxTyped {
		t.Errorf("%d letters", n)
	}
}
