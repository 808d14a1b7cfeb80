package config

import (
	"strings"
	"testing"

	"stump/wiegand"
)

func TestWarnings(t *testing.T) {
	for _, tt := range []struct {
		name, src string
		want      []string
	}{
		{"the defaults", "", nil},
		{"the original", "[[reader]]\npreset = \"original\"\n", []string{"x:1: reader stump: raw26 has no parity"}},
		{"formats that look alike", "[[reader]]\nname = \"door\"\nformats = [\"H10306\", \"C1k35s\"]\n",
			[]string{"x:3: reader door: a card of C1k35s that loses its first or last bit"}},
		{"overlapping rules", "[[reader]]\nbadge = { max = 9 }\ndevice = { min = 9 }\n",
			[]string{"x:3: reader stump: badge and device overlap"}},
		{"rules apart", "[[reader]]\nbadge = { max = 9 }\ndevice = { min = 10 }\n", nil},
		{"a line of two readers", "[[reader]]\n[[reader]]\nname = \"b\"\ndata0 = \"gpio18\"\ndata1 = \"GPIO4\"\n",
			[]string{"x:4: reader b: it has a line of reader stump"}},
		{"a line of two readers, by default", "[[reader]]\n[[reader]]\nname = \"b\"\n", []string{"x:2: reader b: it has a line of reader stump"}},
		{"facilities that no card has", "[[reader]]\nformats = [\"H10302\"]\nbadge = { facilities = [1] }\ndevice = { facilities = [2] }\n",
			[]string{"x:3: reader stump: badge: cards of H10302 have no facility", "x:4: reader stump: device: cards of H10302 have no facility"}},
		{"facilities that one format has", "[[reader]]\nformats = [\"H10302\", \"H10301\"]\nbadge = { facilities = [1] }\n", nil},
	} {
		c, err := Parse("x", tt.src)
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
			continue
		}
		got := c.Warnings()
		ok := len(got) == len(tt.want)
		for i := range min(len(got), len(tt.want)) {
			ok = ok && strings.HasPrefix(got[i], tt.want[i])
		}
		if !ok {
			t.Errorf("%s: %q, want %q", tt.name, got, tt.want)
		}
	}
}

// The formats of all readers, each once; a reader's own in its order.
func TestCardFormats(t *testing.T) {
	c, err := Parse("x", `
[[reader]]
formats = ["Site34", "H10301"]
[[reader]]
name = "b"
data0 = "GPIO4"
data1 = "GPIO5"
formats = ["raw26", "h10301"]
[[format]]
name = "site34"
bits = 34
number = "1-32"
`)
	if err != nil {
		t.Fatal(err)
	}
	names := func(i int) string {
		var all []string
		formats := c.CardFormats()
		if i >= 0 {
			formats = c.ReaderFormats(c.Readers[i])
		}
		for _, f := range formats {
			all = append(all, f.Name)
		}
		return strings.Join(all, " ")
	}
	if names(-1) != "site34 H10301 raw26" || names(0) != "site34 H10301" || names(1) != "raw26 H10301" {
		t.Errorf("all %q, first %q, second %q", names(-1), names(0), names(1))
	}
	if f, err := c.FormatByName("SITE34"); err != nil || f.Len != 34 {
		t.Errorf("the site's own: %v, %v", f, err)
	}
	if _, err := c.FormatByName("site35"); err == nil {
		t.Error("site35 is a format")
	}
}

// TestNormalize: what a reader's cards become, and what written cards are read as.
func TestNormalize(t *testing.T) {
	c, err := Parse("x", `
[[reader]]
formats = ["H10301"]
[[reader]]
name = "b"
data0 = "A"
data1 = "B"
formats = ["H10306", "raw42"]
normalize = ["as H10301"]
badge = { facilities = [255] }
`)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.CardFormats(); len(got) != 1 || got[0].Name != "H10301" || len(c.ReadFormats()) != 3 {
		t.Errorf("written %v, read %v", got, c.ReadFormats())
	}
	b, err := c.ParseCard("0001712142") // H10306 is a way to send it, not another card
	if want, _ := c.CardFormats()[0].Pack(wiegand.Fields{Facility: 26, Number: 8206}); err != nil || b != want {
		t.Errorf("%s, %v, want %s", b, err, want)
	}
	for text, want := range map[string]string{
		"normalize = [\"reverse-bytes\"]\n":                                                     "cards of H10302: 35 bits are not whole bytes",
		"formats = [\"H10301\"]\nnormalize = [\"as UID32\"]\n":                                  "a card of 24 bits is too short for UID32, which holds 32",
		"preset = \"original\"\nnormalize = [\"strip-parity\"]\n":                               "takes cards as they are read",
		"formats = [\"H10301\"]\nnormalize = [\"as H10301\"]\nbadge = { facilities = [256] }\n": "256 is not a facility",
	} {
		if _, err := Parse("x", "[[reader]]\n"+text); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", text, err, want)
		}
	}
}

// A preset of the original client's reads a number alone as all bits, if all readers
// have it.
func TestParseCard(t *testing.T) {
	for text, ok := range map[string]bool{
		"preset = \"original\"\n": true, "preset = \"original\"\nformats = [\"H10301\"]\n": true, "formats = [\"H10301\"]\n": false,
		"preset = \"original\"\n[[reader]]\nname = \"b\"\ndata0 = \"A\"\ndata1 = \"B\"\nformats = [\"H10301\"]\n": false,
	} {
		c, err := Parse("x", "[[reader]]\n"+text)
		if err != nil {
			t.Fatal(err)
		}
		b, err := c.ParseCard("1712142")
		if (err == nil) != ok || ok && (b.Len() != 26 || b.Decimal() != "1712142") {
			t.Errorf("%s: %s, %v", text, b, err)
		}
	}
}

// A decoder with rules takes only the cards of the site.
func TestAccept(t *testing.T) {
	c, err := Parse("x", "[[reader]]\nbadge = { facilities = [7], min = 1 }\n[[reader]]\nname = \"b\"\ndata0 = \"A\"\ndata1 = \"B\"\n")
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Readers[0].Accept(); len(got) != 1 || got[0].Facilities[0] != 7 || got[0].Min != 1 {
		t.Errorf("%+v", got)
	}
	if got := c.Readers[1].Accept(); got != nil {
		t.Errorf("without rules: %+v", got)
	}
}

// What the file leaves out of a reader.
func TestReaderDefaults(t *testing.T) {
	for src, want := range map[string]Reader{
		"":           {Name: "stump", Data0: "GPIO17", Data1: "GPIO18", Bias: "as-is", Converter: "bss138"},
		"[[reader]]": {Name: "stump", Data0: "GPIO17", Data1: "GPIO18", Bias: "as-is", Converter: "bss138"},
		"[[reader]]\nname = \"\"\nbias = \"off\"":                {Name: "stump", Data0: "GPIO17", Data1: "GPIO18", Bias: "off", Converter: "bss138"},
		"[[reader]]\ndata0 = \"P9_12\"\nconverter = \"divider\"": {Name: "stump", Data0: "P9_12", Data1: "GPIO18", Bias: "as-is", Converter: "divider"},
	} {
		c, err := Parse("x", src)
		if err != nil {
			t.Errorf("%q: %v", src, err)
			continue
		}
		got := c.Readers[0]
		if len(c.Readers) != 1 || strings.Join(got.Formats, " ") != "H10301 H10306 H10302" {
			t.Errorf("%q: %+v", src, c.Readers)
		}
		if got.Name != want.Name || got.Data0 != want.Data0 || got.Data1 != want.Data1 || got.Bias != want.Bias || got.Converter != want.Converter {
			t.Errorf("%q: %+v", src, got)
		}
	}
}
