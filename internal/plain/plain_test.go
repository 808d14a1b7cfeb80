package plain

import (
	"bytes"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	for _, tt := range []struct{ in, want string }{
		{"", ""},
		{"Zoë Müller 李 🧑‍🔬", "Zoë Müller 李 🧑‍🔬"},
		{"two\nlines\tand a tab", "two\nlines\tand a tab"},
		{"\x1b[2Jgone", `\u001b[2Jgone`},
		{"\x1b]0;title\x07", `\u001b]0;title\u0007`},
		{"over\rwritten", `over\u000dwritten`},
		{"back\bspace\x7f", `back\u0008space\u007f`},
		{"eight \u009b31m bits", `eight \u009b31m bits`},
		{"raw \x9b31m", `raw \x9b31m`},
		{"Ann \u202ekcalb\u202c", `Ann \u202ekcalb\u202c`},
		{"\u2066isolated\u2069\u200f\u061c", `\u2066isolated\u2069\u200f\u061c`},
		{"cut \xe2\x82", `cut \xe2\x82`},
	} {
		if got := Text(tt.in); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.in, got, tt.want)
		}
	}
	if got := Line("a\r\nb\tc\x1b"); got != `a b c\u001b` {
		t.Errorf("line: %q", got)
	}
}

// TestJSONStaysJSON: a script that reads --json gets the same values.
func TestJSONStaysJSON(t *testing.T) {
	names := []string{"\u202eAnn\u009b", "Zoë\x7f", "\x1b[0m", "plain"}
	b, err := json.Marshal(names)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	w := NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
	var got []string
	if err := json.Unmarshal(out.Bytes(), &got); err != nil || strings.Join(got, "|") != strings.Join(names, "|") {
		t.Errorf("%s: %q, %v", out.Bytes(), got, err)
	}
}

// FuzzWriter cuts a text into pieces: what comes out is the same as in one piece, and
// safe.
func FuzzWriter(f *testing.F) {
	f.Add([]byte("Zoë \x1b[1m\u202e李\x9b"), uint64(1))
	f.Add([]byte("\xf0\x9f\xa7"), uint64(2))
	f.Fuzz(func(t *testing.T, text []byte, seed uint64) {
		r := rand.New(rand.NewPCG(seed, 1))
		var out bytes.Buffer
		w := NewWriter(&out)
		for rest := text; len(rest) > 0; {
			n := 1 + r.IntN(min(len(rest), 5))
			if m, err := w.Write(rest[:n]); m != n || err != nil {
				t.Fatal(m, err)
			}
			rest = rest[n:]
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		if got, want := out.String(), Text(string(text)); got != want {
			t.Fatalf("in pieces %q, in one %q", got, want)
		}
		for _, c := range out.String() {
			if c == utf8.RuneError && !bytes.ContainsRune(text, utf8.RuneError) || c != '\n' && c != '\t' && (unicode.IsControl(c) || unicode.Is(unicode.Bidi_Control, c)) {
				t.Fatalf("%q has %U", out.String(), c)
			}
		}
	})
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("broken") }

func TestErrorsComeThrough(t *testing.T) {
	w := NewWriter(broken{})
	if _, err := w.Write([]byte("x")); err == nil {
		t.Error("a failed write is silent")
	}
	if w.Unwrap() != (broken{}) {
		t.Error("another writer")
	}
	cut := NewWriter(broken{})
	if cut.part = []byte{0xe2}; cut.Flush() == nil {
		t.Error("a failed flush is silent")
	}
}
