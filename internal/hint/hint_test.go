package hint

import (
	"errors"
	"fmt"
	"io"
	"testing"
)

func TestOf(t *testing.T) {
	err := fmt.Errorf("outer: %w", Errorf("plug it in", "no power: %w", io.EOF))
	if got := Of(err); got != "plug it in" {
		t.Errorf("hint = %q", got)
	}
	if !errors.Is(err, io.EOF) {
		t.Error("the cause is lost")
	}
	if got := err.Error(); got != "outer: no power: EOF" {
		t.Errorf("error = %q", got)
	}
	if got := Of(errors.Join(io.EOF, &known{})); got != "ask for it" {
		t.Errorf("hint of a joined error = %q", got)
	}
	if Of(io.EOF) != "" || Wrap(nil, "x") != nil {
		t.Error("a plain error has no hint, and no error stays no error")
	}
}

func TestNearest(t *testing.T) {
	keys := []string{"reader", "desk", "display", "directory", "enroll"}
	for word, want := range map[string]string{
		"dekk": "desk", "redaer": "reader", "enrol": "enroll", "dispaly": "display",
		"xyzzy": "", "xx": "", "d": "", "": "", "directories": "directory",
	} {
		if got := Nearest(word, keys); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

func TestIsSlip(t *testing.T) {
	for _, tt := range []struct {
		word, name string
		want       bool
	}{
		{"Ann Okofor", "Ann Okafor", true}, {"ann okafor", "Ann Okafor", true}, {"Ann Okaofr", "Ann Okafor", true},
		{"Ann Okafr", "Ann Okafor", true}, {"Iapd Pro 13", "iPad Pro 13", true}, {"Día Marquez", "Día Márquez", true},
		{"Pixel 8", "Pixel 9", false}, {"iPad Pro 11", "iPad Pro 13", false}, {"Mia", "Dia", false}, {"Ann", "Anna", false},
		{"New phone", "iPhone", false}, {"", "Ann", false}, {"李雪", "李雷", false},
	} {
		if got := IsSlip(tt.word, tt.name); got != tt.want {
			t.Errorf("%q for %q: %v", tt.word, tt.name, got)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, tt := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"abc", "abc", 0}, {"abc", "axc", 1}, {"abc", "ac", 1},
		{"abc", "abxc", 1}, {"abcd", "acbd", 1}, {"kitten", "sitting", 3}, {"é", "e", 1}, {"ca", "abc", 3},
	} {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("%q to %q: %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}

type known struct{}

func (*known) Error() string { return "unknown" }
func (*known) Hint() string  { return "ask for it" }
