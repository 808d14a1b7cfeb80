package config

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"stump/internal/hint"
)

// Every way to write a key is found by its line.
func TestLines(t *testing.T) {
	for _, tt := range []struct {
		name, src, key string
		want           int
	}{
		{"the first line", "station = \"x\"", "station", 1},
		{"after comments and blanks", "# a\n\n  # b\nstation = \"x\"\n", "station", 4},
		{"another case", "Station = \"x\"\n", "station", 1},
		{"quoted", "\"station\" = \"x\"\n", "station", 1},
		{"an equals sign in a comment", "# station = \"y\"\nstation = \"x\"\n", "station", 2},
		{"in a table", "[desk]\nwindow = \"1m\"\n", "desk.window", 2},
		{"a table with blanks and a comment", "[ desk ] # [loans]\nwindow = \"1m\"\n", "desk.window", 2},
		{"dotted", "desk.window = \"1m\"\ndesk.held_by_other = \"return\"\n", "desk.held_by_other", 2},
		{"dotted in a table", "[display]\ntexts.open = \"x\"\n", "display.texts.open", 2},
		{"a table in a table", "[display]\nkind = \"none\"\n[display.texts]\nopen = \"x\"\n", "display.texts.open", 4},
		{"a text of one size", "[display.texts]\n\"greet@16x2\" = \"x\"\n", `display.texts."greet@16x2"`, 2},
		{"a kind with a dot", "[loans.kinds]\n\"a.b\" = \"1h\"\n", `loans.kinds."a.b"`, 2},
		{"in an inline table", "[lights]\n\ngreen = { line = \"x\", active_low = true }\n", "lights.green.active_low", 3},
		{"a list over several lines", "[[reader]]\nformats = [\n  \"H10301\",\n  \"raw26\",\n]\nname = \"a\"\n", "reader[0].formats", 2},
		{"after a list over several lines", "[[reader]]\nformats = [\n  \"H10301\", # ]\n]\nname = \"a\"\n", "reader[0].name", 5},
		{"after a text over several lines", "[display.texts]\nopen = \"\"\"\n[desk]\ngreet = 1\n\"\"\"\ngreet = \"Hi\"\n", "display.texts.greet", 6},
		{"not in a text", "[display.texts]\nopen = '''\n[desk]\nwindow = 1\n'''\n", "desk.window", 0},
		{"the first reader of two", "[[reader]]\nname = \"a\"\n[[reader]]\nname = \"b\"\n", "reader[0].name", 2},
		{"the second reader of two", "[[reader]]\nname = \"a\"\n[[reader]]\nname = \"b\"\n", "reader[1].name", 4},
		{"a table of the first reader", "[[reader]]\n[reader.badge]\nmin = 1\n[[reader]]\n[reader.badge]\nmin = 1\n", "reader[0].badge.min", 3},
		{"a table of the second reader", "[[reader]]\n[reader.badge]\nmin = 1\n[[reader]]\n[reader.badge]\nmin = 1\n", "reader[1].badge.min", 6},
		{"other arrays between", "[[reader]]\n[[webhook]]\n[[reader]]\n[[webhook]]\nurl = \"x\"\n", "webhook[1].url", 5},
		{"a key that is not there: its table", "[[reader]]\nname = \"a\"\n\n[[reader]]\n", "reader[1].data0", 4},
		{"a key in a table that is not there", "station = \"x\"\n", "desk.window", 0},
		{"a list in place of an array of tables", "\nreader = [{ name = \"a\" }, { name = \"b\" }]\n", "reader[1].name", 2},
		{"lines of Windows", "[desk]\r\n# x\r\nwindow = \"1m\"\r\n", "desk.window", 3},
		{"a byte order mark", "\xef\xbb\xbf[desk]\nwindow = \"1m\"\n", "desk.window", 2},
	} {
		c, err := Parse("x", tt.src)
		if c == nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		if got := c.line(tt.key); got != tt.want {
			t.Errorf("%s: %s is on line %d, want %d", tt.name, tt.key, got, tt.want)
		}
	}
}

// Whatever the file, it is read or refused with a line of it.
func FuzzParse(f *testing.F) {
	for _, s := range []string{Example(), "[[reader]]\nname = 5\n", "a = \"\"\"\n[b]\n\"\"\"", "reader = [{}, {a = [[1], {b = 2}]}]", "[desk\n", "\xff\xfe[\x00"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		_, err := Parse("x", src)
		all := Faults{err}
		errors.As(err, &all)
		for _, err := range all {
			if err == nil {
				continue
			}
			if hint.Of(err) == "" {
				t.Errorf("no hint: %v", err)
			}
			where, _, _ := strings.Cut(strings.TrimPrefix(err.Error(), "x:"), ":")
			var line int
			if _, scan := fmt.Sscan(where, &line); scan == nil && (line < 1 || line > strings.Count(src, "\n")+1) {
				t.Errorf("%q has no line %d: %v", src, line, err)
			}
		}
	})
}

// The error of a file holds all its faults in the order of the lines.
func TestJoin(t *testing.T) {
	at := func(line int) error { return &fault{file: "x", line: line, what: "bad", remedy: "mend it"} }
	plain := errors.New("the disk is gone")
	if err := Join(nil, nil); err != nil {
		t.Errorf("of nothing: %v", err)
	}
	if err := Join(nil, plain); err != plain {
		t.Errorf("of one: %v", err)
	}
	err := Join(at(9), Join(at(3), at(7)), plain, nil)
	if got, want := err.Error(), "the disk is gone\nx:3: bad\nx:7: bad\nx:9: bad"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if hint.Of(err) != "mend it" || !errors.Is(err, plain) {
		t.Errorf("hint %q", hint.Of(err))
	}
}
