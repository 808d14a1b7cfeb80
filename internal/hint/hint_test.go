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
		"xyzzy": "", "": "", "directories": "directory",
	} {
		if got := Nearest(word, keys); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", word, got, want)
		}
	}
}

type known struct{}

func (*known) Error() string { return "unknown" }
func (*known) Hint() string  { return "ask for it" }
