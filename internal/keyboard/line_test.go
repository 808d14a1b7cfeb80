package keyboard

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"
)

var people = []string{"Ann Fisher", "Anna Karenina", "Ben Okri", "Zoë Müller", "Élodie Brun", "Dia Ann Roy"}

// hit presses keys and returns the result of the last.
func hit(l *line, keys ...any) (name string, done bool) {
	for _, k := range keys {
		switch k := k.(type) {
		case string:
			for _, r := range k {
				name, done = l.press(press(r))
			}
		case press:
			name, done = l.press(k)
		}
	}
	return name, done
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
		{"backspace", false, []any{"annb", backspace}, "ann|Ann Fisher|3"},
		{"backspace at the start", false, []any{backspace, "b"}, "b|Ben Okri|2"},
		{"tab", false, []any{"b", tab}, "Ben Okri|Ben Okri|1"},
		{"down", false, []any{"an", down}, "an|Anna Karenina|3"},
		{"down and round", false, []any{"an", down, down, down}, "an|Ann Fisher|3"},
		{"up", false, []any{"an", up}, "an|Dia Ann Roy|3"},
		{"a letter starts over", false, []any{"an", down, "n"}, "ann|Ann Fisher|3"},
		{"no leading blank", false, []any{"  b"}, "b|Ben Okri|2"},
		{"tab without offers", false, []any{"q", tab, down, up}, "q||0"},
	}
	for _, tc := range tests {
		l := &line{names: people, free: tc.free}
		hit(l, tc.keys...)
		v := l.view()
		if got := fmt.Sprintf("%s|%s|%d", v.Typed, v.Offer, len(l.offers)); got != tc.want {
			t.Errorf("%s: %q, want %q", tc.name, got, tc.want)
		}
	}
}

func TestEnter(t *testing.T) {
	tests := []struct {
		free bool
		keys []any
		want string
	}{
		{false, []any{"ann"}, "Ann Fisher"},
		{false, []any{"ann", down}, "Anna Karenina"},
		{false, []any{"zoe"}, "Zoë Müller"},
		{false, []any{"Gil"}, "Gil"},
		{true, []any{"Ann"}, "Ann"}, // not Ann Fisher, who was there before
		{true, []any{"ann fisher"}, "Ann Fisher"},
		{true, []any{"ann", tab}, "Ann Fisher"},
		{true, []any{"Gil  Blas "}, "Gil Blas"},
	}
	for _, tc := range tests {
		l := &line{names: people, free: tc.free}
		hit(l, tc.keys...)
		if got, done := l.press(enter); !done || got != tc.want {
			t.Errorf("free %v %q: %q, %v; want %q", tc.free, tc.keys, got, done, tc.want)
		}
	}
	l := &line{names: people}
	if _, done := hit(l, enter, " ", enter); done {
		t.Error("an empty line was taken")
	}
}

func TestLineIsNotTooLong(t *testing.T) {
	l := &line{}
	hit(l, strings.Repeat("ä", 500))
	if n := utf8.RuneCountInString(l.view().Typed); n != maxTyped {
		t.Errorf("%d letters", n)
	}
}
