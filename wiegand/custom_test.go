package wiegand

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/BurntSushi/toml"
)

const site34 = `
[[format]]
name = "site34"
description = "our own"
bits = 34
facility = "5-16"
number = "17-32"
parity = [
  { bit = 0, kind = "even", covers = "1-16" },
  { bit = 33, kind = "odd", covers = "17-32" },
]
fixed = [{ bit = 1, value = 0 }, { bit = 2, value = 1 }]
issue = "3-4"
`

func parseCustom(t *testing.T, text string) CustomFormat {
	t.Helper()
	var c struct{ Format []CustomFormat }
	if md, err := toml.Decode(text, &c); err != nil || len(md.Undecoded()) > 0 {
		t.Fatal(err, md.Undecoded())
	}
	return c.Format[0]
}

func TestCustomFormat(t *testing.T) {
	f, err := NewFormat(parseCustom(t, site34))
	if err != nil {
		t.Fatal(err)
	}
	b, err := mustFormat(t, "H10306").Pack(Fields{Facility: 17714, Number: 1160})
	if err != nil {
		t.Fatal(err)
	}
	// 17714 is 0100010100110010: bit 1 is 0, bit 2 is 1, the issue 0.
	v, ok := f.Unpack(b)
	if want := (Fields{Facility: 0b010100110010, Number: 1160}); !ok || v != want {
		t.Errorf("%+v, %v, want %+v", v, ok, want)
	}
	if again, err := f.Pack(v); err != nil || again != b {
		t.Errorf("packed %v, %v, want %v", again, err, b)
	}
	for _, i := range []int{0, 1, 2, 5, 17, 33} {
		if _, ok := f.Unpack(b.Flip(i)); ok {
			t.Errorf("bit %d inverted is accepted", i)
		}
	}
	reads := decodeAll(NewDecoder(Options{Formats: []*Format{f}}), falls(b, 0, ms))
	if len(reads) != 1 || reads[0].Format != f || reads[0].Fields != v {
		t.Errorf("%+v", reads)
	}
	if rec := NewRecord(&reads[0], []*Format{f}); *rec.Format != "site34" || strings.Join(rec.Also, " ") != "H10306 N10002 Optus34 SMP34 BQT34" {
		t.Errorf("%s, also %v", *rec.Format, rec.Also)
	}
	other := Read{Bits: b, Format: mustFormat(t, "H10306")}
	if rec := NewRecord(&other, []*Format{other.Format, f}); strings.Join(rec.Also, " ") != "N10002 Optus34 SMP34 BQT34 site34" {
		t.Errorf("also %v", rec.Also)
	}
}

// TestDocumentedFormat: the sample in the documentation is a format.
func TestDocumentedFormat(t *testing.T) {
	doc, err := os.ReadFile("../docs/decoding.md")
	if err != nil {
		t.Fatal(err)
	}
	_, sample, _ := strings.Cut(string(doc), "    [[format]]")
	sample, _, _ = strings.Cut(sample, "\n\n|")
	if _, err := NewFormat(parseCustom(t, "[[format]]"+sample)); err != nil {
		t.Error(err)
	}
}

// TestCustomFormatErrors: every mistake is named with its part and bit, all of
// them at once.
func TestCustomFormatErrors(t *testing.T) {
	for _, tt := range []struct{ replace, with, want string }{
		{`name = "site34"`, `name = ""`, `format "", name: "": a name is needed`},
		{`name = "site34"`, `name = "84"`, `not of digits alone`}, // 84:31066 is facility and number
		{`name = "site34"`, `name = "H10301"`, `format "H10301", name: there is a format of this name already`},
		{`name = "site34"`, `name = "a:b"`, `without spaces, colons and commas`},
		{`name = "site34"`, `name = "a,b"`, `without spaces, colons and commas`},
		{`bits = 34`, `bits = 129`, `format "site34", bits: 129: a frame has 1 to 128 bits`},
		{`bits = 34`, `bits = 33`, `format "site34", parity 2: bit 33 is outside the frame, whose bits are 0 to 32`},
		{`number = "17-32"`, `number = "17-40"`, `format "site34", number: bit 34 is outside the frame`},
		{`number = "17-32"`, `number = "16-32"`, `format "site34", number: bit 16 is in facility already`},
		{`number = "17-32"`, `number = "17-x"`, `format "site34", number: "17-x": bits are given as "0-7,12"`},
		{`number = "17-32"`, ``, `format "site34", number: the card number's bits are needed`},
		{`bit = 1, value = 0`, `bit = 5, value = 0`, `format "site34", fixed 1: bit 5 is in facility already`},
		{`bit = 1, value = 0`, `bit = 1, value = 2`, `format "site34", fixed 1: value 2: a bit is 0 or 1`},
		{`bit = 0, kind`, `bit = 17, kind`, `format "site34", parity 1: bit 17 is in number already`},
		{`kind = "even"`, `kind = "evne"`, `format "site34", parity 1: kind "evne": use "even" or "odd"`},
		{`covers = "1-16"`, `covers = "0-16"`, `format "site34", parity 1: bit 0 covers itself`},
		{`covers = "1-16"`, `covers = "1-16,3"`, `format "site34", parity 1: bit 3 is covered twice`},
		{`covers = "1-16"`, `covers = "1-34"`, `format "site34", parity 1: bit 34 is outside the frame`},
		{`covers = "1-16"`, `covers = "1-33"`, `format "site34", parity 1: it covers bit 33, which is parity 2: list that one first`},
		{`covers = "1-16"`, `covers = ""`, `format "site34", parity 1: ""`},
	} {
		if !strings.Contains(site34, tt.replace) {
			t.Fatalf("%s is not in the sample", tt.replace)
		}
		_, err := NewFormat(parseCustom(t, strings.Replace(site34, tt.replace, tt.with, 1)))
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v\nwant %s", tt.with, err, tt.want)
		}
	}
	_, err := NewFormat(CustomFormat{Name: "x", Bits: 8, Number: "0-9", Parity: []CustomParity{{Bit: 9, Kind: "?"}}})
	if n := len(strings.Split(err.Error(), "\n")); n < 4 {
		t.Errorf("%d mistakes are named:\n%v", n, err)
	}
	_, err = NewFormat(CustomFormat{Name: "x", Bits: 8, Number: "0-6", Parity: []CustomParity{{Bit: 9, Kind: "even", Covers: "0"}}})
	if bad := (*FormatError)(nil); !errors.As(err, &bad) || bad.Format != "x" || bad.Part != "parity 1" || bad.Key() != "parity" {
		t.Errorf("%#v", bad)
	}
}

func TestConfusions(t *testing.T) {
	for _, tt := range []struct {
		formats string
		want    []string // how the findings begin
	}{
		{"H10301", nil},
		{"H10301 H10306", nil},
		{"H10306 BQT34", nil},
		{"H10306 C1k35s", []string{"a card of C1k35s that loses its first or last bit can pass as one of H10306 (1 time in 4): enable"}},
		{"2804W H10301 ind27", []string{
			"ind27 has no parity",
			"a card of 2804W that loses its first or last two bits",
			"a card of 2804W that loses its first or last bit can pass as one of ind27 (always)",
			"a card of ind27",
		}},
		{"raw26", []string{"raw26 has no parity"}},
		{"Defcon32", []string{"Defcon32 leaves 20 of its 42 bits"}},
	} {
		var formats []*Format
		for name := range strings.FieldsSeq(tt.formats) {
			formats = append(formats, mustFormat(t, name))
		}
		got := Confusions(formats)
		if len(got) != len(tt.want) {
			t.Errorf("%s: %v, want %v", tt.formats, got, tt.want)
			continue
		}
		for i := range got {
			if !strings.HasPrefix(got[i], tt.want[i]) {
				t.Errorf("%s: %s\nwant %s", tt.formats, got[i], tt.want[i])
			}
		}
	}
}
