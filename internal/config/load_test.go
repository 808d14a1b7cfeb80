package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"stump/directory/call"
	"stump/internal/hint"
)

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	_, err := Load(filepath.Join(dir, "none.toml"))
	if err == nil || !strings.Contains(hint.Of(err), "stump config example > ") || !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing file: %v", err)
	}
	if _, err := Load(dir); err == nil || hint.Of(err) != "name the file in it" {
		t.Errorf("a folder: %v", err)
	}
	if _, err := Load(filepath.Join(dir, "x\x00y")); err == nil || !strings.HasPrefix(err.Error(), "configuration: ") {
		t.Errorf("a name that no file has: %v", err)
	}
	if _, err := Load("/dev/zero"); err == nil || !strings.Contains(err.Error(), "/dev/zero has more than 1024 kB") {
		t.Errorf("a file that never ends: %v", err)
	}
	path := filepath.Join(dir, "stump.toml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("[desk]\nwindow = \"30s\"\n")
	c, err := Load(path)
	if err != nil {
		t.Fatal(err)
	}
	if c.Desk.Window != 30*time.Second || c.Path() != path || c.Desk.HeldByOther != "handover" {
		t.Errorf("%+v from %s", c.Desk, c.Path())
	}
	// A file that could be decoded comes with its error, to be checked further.
	write("[desk]\nwindow = \"2h\"\n[directory]\nkind = \"scim\"\n")
	if c, err = Load(path); err == nil || c == nil || c.Directory.Kind != "scim" {
		t.Errorf("a wrong value: %v, %v", c, err)
	}
	// So does one with a value of a wrong type, and one that is not TOML everywhere.
	for _, text := range []string{"[desk]\nwindow = 1.5\nheld_by_other = \"return\"\n", "[desk\nheld_by_other = \"return\"\n"} {
		write(text)
		if c, err = Load(path); err == nil || c == nil || c.Desk.HeldByOther != "return" {
			t.Errorf("%q: %v, %v", text, c, err)
		}
	}
	write("[display.texts]\nopen = \"\"\"\nHi\n")
	if c, err = Load(path); err == nil || c != nil {
		t.Errorf("a text without an end: %v, %v", c, err)
	}
}

// An error of the directory or of a webhook gets the line of its key.
func TestLocate(t *testing.T) {
	c, err := Parse("x", "[directory]\nkind = \"local\"\n\n[[webhook]]\nurl = \"a\"\n[[webhook]]\n\nurl = \"b\"\n")
	if err != nil {
		t.Fatal(err)
	}
	bad := errors.New("it is bad")
	for _, tt := range []struct {
		err        error
		want, hint string
	}{
		{nil, "", ""},
		{&call.KeyError{Table: "directory", Key: "kind", Err: bad}, "x:2: directory.kind: it is bad", "docs/directory.md"},
		{&call.KeyError{Table: "directory", Key: "url", Err: bad}, "x:1: directory.url: it is bad", "docs/directory.md"},
		{&call.KeyError{Table: "webhook", Index: 0, Key: "url", Err: bad}, "x:5: webhook.url: it is bad", "docs/directory.md"},
		{&call.KeyError{Table: "webhook", Index: 1, Key: "url", Err: bad}, "x:8: webhook.url: it is bad", "docs/directory.md"},
		{&call.KeyError{Table: "webhook", Index: 1, Key: "name", Err: bad}, "x:6: webhook.name: it is bad", "docs/directory.md"},
		{hint.Wrap(&call.KeyError{Table: "directory", Key: "kind", Err: bad}, "mend it"), "x:2: directory.kind: it is bad", "mend it"},
		{bad, "x: it is bad", "docs/directory.md"},
	} {
		got := c.Locate(tt.err)
		if tt.err == nil {
			if got != nil {
				t.Errorf("of nothing: %v", got)
			}
			continue
		}
		if got.Error() != tt.want || !strings.HasPrefix(hint.Of(got), tt.hint) {
			t.Errorf("%v: %q (%s)", tt.err, got, hint.Of(got))
		}
	}
}

func TestCheckListen(t *testing.T) {
	for addr, want := range map[string]string{
		"127.0.0.1:8080": "", "127.9.9.9:1": "", "localhost:65535": "", "[::1]:80": "", "127.0.0.1:0": "",
		"": "the address is empty", "127.0.0.1": `"127.0.0.1" is not an address with a port`, ":80": `":80" listens everywhere`,
		"0.0.0.0:80": `"0.0.0.0" is not a loopback`, "[::]:80": `"::" is not a loopback`, "10.1.2.3:80": "not a loopback",
		"lab.example:80": `"lab.example" is not a loopback`, "127.0.0.1:65536": `"65536" is not a port`, "127.0.0.1:-1": `"-1" is not a port`,
		"localhost:http": `"http" is not a port`, "[::1:80": "not an address with a port",
	} {
		err := CheckListen(addr)
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want)) {
			t.Errorf("%q: %v, want %q", addr, err, want)
		}
		if err != nil && !strings.Contains(hint.Of(err), "loopback address such as") {
			t.Errorf("%q: hint %q", addr, hint.Of(err))
		}
	}
}

func TestSpan(t *testing.T) {
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{
		"0": 0, "0s": 0, "14d": 14 * day, "1d": day, "0d": 0, "36h": 36 * time.Hour, "1h30m": 90 * time.Minute, "65535d": 65535 * day,
	} {
		var s, again Span
		if err := s.UnmarshalText([]byte(text)); err != nil || time.Duration(s) != want {
			t.Errorf("%s is %v, %v", text, time.Duration(s), err)
		}
		written, err := s.MarshalText()
		if err != nil || again.UnmarshalText(written) != nil || again != s {
			t.Errorf("%s is written %s, which is %v", text, written, time.Duration(again))
		}
	}
	for span, want := range map[Span]string{Span(36 * time.Hour): "36h0m0s", Span(2 * day): "2d", 0: "0s"} {
		if got, _ := span.MarshalText(); string(got) != want {
			t.Errorf("%v is written %s", time.Duration(span), got)
		}
	}
	for _, text := range []string{"", "d", "-1d", "1.5d", "14", "two weeks", "65536d", "1d2h"} {
		var s Span
		if err := s.UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q is %v", text, time.Duration(s))
		}
	}
}

// Everything that is wrong is reported at once, in the order of the lines, also
// what keeps the file from being decoded.
func TestManyFaults(t *testing.T) {
	for name, tt := range map[string]struct{ src, want string }{
		"values": {
			"log_level = \"loud\"\n[desk]\nwindow = \"2h\"\n[[reader]]\nkeypad = \"6bit\"\n[backup]\nkeep = -1\n",
			"1 log_level, 3 desk.window, 5 reader.keypad, 7 backup.keep",
		},
		"types and unknown keys": {
			"[desk]\nwindow = true\nheld = 1\n[[reader]]\nname = 1\n[[reader]]\nformats = [1, \"H10301\"]\nbadge = { min = -1, max = \"x\" }\n",
			"2 desk.window, 3 unknown key \"desk.held\", 5 reader.name, 7 reader.formats, 8 reader.badge.max, 8 reader.badge.min",
		},
		"an unknown table is one fault": {"[dsek]\nwindow = \"1m\"\nother = { a = 1 }\n", "1 unknown key \"dsek\""},
		"tables in lists": {
			"[[format]]\nname = \"a\"\nbits = 26\nnumber = \"1-16\"\nparity = [\n{ bit = \"0\", kind = \"even\", covers = \"1-2\" },\n{ bits = 1 } ]\n",
			"5 format.parity.bit, 5 unknown key \"format.parity.bits\"",
		},
	} {
		_, err := Parse("x", tt.src)
		all := Faults{err}
		errors.As(err, &all)
		var got []string
		for _, err := range all {
			line, rest, _ := strings.Cut(strings.TrimPrefix(err.Error(), "x:"), ": ")
			key, _, _ := strings.Cut(rest, ": ")
			got = append(got, line+" "+key)
		}
		if s := strings.Join(got, ", "); s != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", name, s, tt.want)
		}
	}
}

// A value of a wrong type is refused for every key, with its line and name.
func TestWrongTypes(t *testing.T) {
	values := map[kind]string{
		aString: `"text"`, integer: "7", aNumber: "1.5", boolean: "true", list: "[]", table: "{}", date: "2026-01-01",
	}
	tried := 0
	var walk func(reflect.Type, string)
	walk = func(typ reflect.Type, path string) {
		for _, f := range reflect.VisibleFields(typ) {
			key := f.Tag.Get("toml")
			if key == "" || key == "-" {
				continue
			}
			key = path + key
			inner := f.Type
			for inner.Kind() == reflect.Pointer || inner.Kind() == reflect.Slice {
				inner = inner.Elem()
			}
			if inner.Kind() == reflect.Struct && (f.Type.Kind() != reflect.Slice || path == "") {
				walk(inner, key+".")
			}
			want := kindOf(f.Type)
			if f.Type.Kind() == reflect.Pointer {
				want = kindOf(f.Type.Elem())
			}
			for has, value := range values {
				if has == want || key == "reader.device" && has == aString || want == interval && (has == aString || has == integer) {
					continue
				}
				tried++
				src, line := source(key, value)
				_, err := Parse("x", src)
				if wrong := fmt.Sprintf("x:%d: %s: must be %s, not %s", line, key, want, has); err == nil || err.Error() != wrong {
					t.Errorf("%s = %s: %v\nwant %s", key, value, err, wrong)
				}
			}
		}
	}
	walk(reflect.TypeFor[Config](), "")
	if tried < 400 {
		t.Errorf("only %d values were tried", tried)
	}
}
