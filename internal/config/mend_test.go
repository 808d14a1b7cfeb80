package config

import (
	"errors"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/internal/hint"
)

// said are the faults of a file, each with its hint.
func said(err error) (all []string) {
	faults := Faults{err}
	errors.As(err, &faults)
	for _, err := range faults {
		if err != nil {
			all = append(all, strings.TrimPrefix(err.Error(), "x:")+" | "+hint.Of(err))
		}
	}
	return all
}

// A line that is not TOML is said with what to write, and the rest of the file is
// checked all the same.
func TestNotTOML(t *testing.T) {
	for name, tt := range map[string]struct {
		src  string
		want []string // each fault, from its line on, as far as it is given
	}{
		"unquoted": {
			"[[reader]]\ndata0 = GPIO17\ndata1 = pin 12 # white\n[display]\nkind = hd44780-i3c\n",
			[]string{`2: GPIO17 is not in quotation marks | write data0 = "GPIO17"`, `3: pin 12 is not in quotation marks | write data1 = "pin 12"`,
				`5: hd44780-i3c is not in quotation marks | write kind = "hd44780-i3c"`, `5: display.kind: "hd44780-i3c" is not known | did you mean "hd44780-i2c"?`},
		},
		"in lists and tables": {
			"[[reader]]\nformats = [H10301, \"H10302\", raw26]\n[lights]\ngreen = { line = GPIO22, active_low = True }\n",
			[]string{`2: H10301 and raw26 are not in quotation marks | write formats = ["H10301", "H10302", "raw26"]`,
				`4: GPIO22 and True are not in quotation marks | write green = { line = "GPIO22", active_low = true }`},
		},
		"truth":           {"[[reader]]\nactive_low = yes\n", []string{"2: yes is neither true nor false | write active_low = true"}},
		"off is a word":   {"[keyboard]\ndevice = off\n", []string{`2: off is not in quotation marks | write device = "off"`}},
		"lengths":         {"[desk]\nwindow = 60s\n", []string{`2: 60s is not in quotation marks | write window = "60s"`}},
		"no end":          {"[[reader]]\ndata0 = \"GPIO17\ndata1 = 'GPIO18\n", []string{`2: "GPIO17 has no quotation mark at its end | write data0 = "GPIO17"`, `3: 'GPIO18 has no quotation mark`}},
		"of a typesetter": {"[[reader]]\ndata0 = “GPIO17”\n", []string{`2: “GPIO17” has a typesetter's quotation marks | write data0 = "GPIO17"`}},
		"no equals sign":  {"[[reader]]\ndata0 GPIO17\ndata1 \"GPIO18\"\n", []string{`2: data0 has no = | write data0 = "GPIO17"`, `3: data1 has no = | write data1 = "GPIO18"`}},
		"brackets":        {"[[reader]\nname = \"a\"\n[display\nkind = \"x\"\n", []string{`1: the brackets of "[[reader]" are not a pair | write [[reader]]`, `3: the brackets of "[display" are not a pair | write [display]`, `4: display.kind: "x" is not known`}},
		"one bracket": {
			"[reader]\nname = \"a\"\nformats = 7\n[reader] # the other\nname = \"a\"\n[reader.badge]\nmin = 5\nmax = 2\n",
			[]string{"1: reader: must be a list, not a table | there may be several: write [[reader]], in two brackets", "3: reader.formats: must be a list", "4: reader: must be a list",
				`5: reader.name: two readers are called "a"`, "6: reader.badge: min 5 is above max 2"},
		},
		"two brackets":      {"[[desk]]\nwindow = \"2h\"\n[[lights.green]]\nline = 5\n", []string{"1: desk: must be a table, not a list | there is only one: write [desk], in one bracket", "2: desk.window", "3: lights.green: must be a table", "4: lights.green.line: must be"}},
		"a table twice":     {"[desk]\nwindow = \"2h\"\n[display]\n[desk]\nwindow = 5\n[[dsek]]\n", []string{"2: desk.window", "4: [desk] is there twice | write the keys of both below the first", `6: unknown key "dsek"`}},
		"header in a text":  {"[display.texts]\nopen = \"\"\"\n[reader]\n[[desk]]\n\"\"\"\n[[desk]]\n", []string{"6: desk: must be a table"}},
		"other comments":    {"; of an INI file\n// of a program\n[desk]\nwindow = \"2h\"\n", []string{"1: that is no comment | a comment begins with #", "2: that is no comment", "4: desk.window"}},
		"twice":             {"[desk]\nwindow = \"50s\"\nwindow = \"2h\"\n", []string{"3: key 'desk.window' has already been defined | `stump config example`"}},
		"no value":          {"[desk]\nwindow =\nheld_by_other = \"x\"\n", []string{"2: expected value", `3: desk.held_by_other: "x" is not known`}},
		"a list's elements": {"[[reader]]\nformats = [\n  H10301,\n  \"raw26\",\n]\n", []string{`3: H10301 is not in quotation marks | write "H10301",`}},
		"YAML": {
			"# stump\nreader:\n  - name: door\n    data0: GPIO17\ndisplay:\n  kind: none\n",
			[]string{`2: "reader:" is YAML, and a configuration is TOML (and so are 4 more lines) | a table is [[reader]], on a line of its own; its keys stand below it`},
		},
		"YAML of one key":       {"log_level: debug\n", []string{`1: "log_level: debug" is YAML, and a configuration is TOML | a key is log_level = "debug"`}},
		"YAML's dashes":         {"---\nreader:\n", []string{`1: "---" is YAML, and a configuration is TOML (and so is 1 more line)`}},
		"JSON":                  {" {\"reader\": []}\n", []string{"1: the file begins with { | this is JSON"}},
		"a text without an end": {"[display.texts]\nopen = \"\"\"\nHi\n", []string{"3: unexpected EOF"}},
		"what a guess can't be": {"[backup]\nkeep = many\n", []string{`2: many is not in quotation marks | write keep = "many"`}},
	} {
		_, err := Parse("x", tt.src)
		got := said(err)
		ok := len(got) == len(tt.want)
		for i := range min(len(got), len(tt.want)) {
			ok = ok && strings.HasPrefix(got[i], tt.want[i])
		}
		if !ok {
			t.Errorf("%s:\n got %s\nwant %s", name, strings.Join(got, "\n     "), strings.Join(tt.want, "\n     "))
		}
	}
}

// What Parse says to write is right: a file of which each value has lost its
// quotation marks is said line by line, and with the lines that are proposed it is
// the file that it was.
func TestMendingIsRight(t *testing.T) {
	values := []string{"GPIO17", "pin 11", "P9_12", "pinctrl-bcm2711:17", "H10301", "/dev/ttyUSB0", "hd44780-i2c", "60s", "14d", "84:31066", "off", "a.b", "ä"}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 5).Draw(t, "lines")
		whole, bare := "", ""
		for i := range n {
			key := rapid.SampledFrom([]string{"a", "b-c", "d_e"}).Draw(t, "key") + string(rune('a'+i))
			value := rapid.SampledFrom(values).Draw(t, "value")
			switch rapid.IntRange(0, 2).Draw(t, "as") {
			case 0:
				whole, bare = whole+key+" = \""+value+"\"\n", bare+key+" = "+value+"\n"
			case 1:
				whole, bare = whole+key+" = [\""+value+"\", 1]\n", bare+key+" = ["+value+", 1]\n"
			case 2:
				whole, bare = whole+key+" = { x = \""+value+"\", y = true } # z\n", bare+key+" = { x = "+value+", y = true } # z\n"
			}
		}
		c := Default()
		c.path, c.guessed = "x", map[int]bool{}
		text, _, _, ok := c.parse(bare)
		if !ok || text != whole || len(c.faults) != n {
			t.Fatalf("%v, %q, want %q: %v", ok, text, whole, c.faults)
		}
	})
}

// Mistakes of all kinds are found at once, and what follows from another is not.
func TestAllMistakesAtOnce(t *testing.T) {
	_, err := Parse("x", `log_level = "loud"
[[reader]]
name = 5
data0 = GPIO17
data1 = "GPIO18"
badge = { min = "x", max = 3 }
[[reader]]
name = "stump"
formats = 7
device = { facilities = [99999] }
[desk]
window = true
held_by_other = "keep"
[lights]
green = { line = 22 }
[directory]
kind = "snipeit"
url = 1
[dsek]
`)
	want := []string{
		`1: log_level: "loud"`, "3: reader.name: must be a string", "4: GPIO17 is not in quotation marks", "6: reader.badge.min: must be an integer",
		"9: reader.formats: must be a list", "12: desk.window: must be", `13: desk.held_by_other: "keep"`, "15: lights.green.line: must be a string",
		"18: directory.url: must be a string", `19: unknown key "dsek"`,
	}
	got := said(err)
	for i, w := range want {
		if len(got) != len(want) || !strings.HasPrefix(got[i], w) {
			t.Fatalf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	}
}
