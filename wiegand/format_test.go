package wiegand

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// fact is what the published table says of a format.
type fact struct {
	Name   string
	Bits   int
	Fields map[string]struct {
		Bits []int `json:"bits_msb_first"`
		Max  uint64
	}
	Parity []struct {
		Bit    int
		Kind   string
		Covers []int
	}
}

func readFacts(t *testing.T) []fact {
	t.Helper()
	data, err := os.ReadFile("testdata/formats.json")
	if err != nil {
		t.Fatal(err)
	}
	var facts struct{ Formats []fact }
	if err := json.Unmarshal(data, &facts); err != nil {
		t.Fatal(err)
	}
	return facts.Formats
}

// TestTable compares the table with the facts that it was written from.
func TestTable(t *testing.T) {
	formats, facts := Formats(), readFacts(t)
	if len(formats) != 43 || len(facts) != 43 {
		t.Fatalf("%d formats, %d facts", len(formats), len(facts))
	}
	for i, fact := range facts {
		f := formats[i]
		if f.Name != fact.Name || f.Len != fact.Bits {
			t.Errorf("%s %d bits, want %s %d", f.Name, f.Len, fact.Name, fact.Bits)
		}
		for name, fl := range map[string]field{"facility": f.facility, "card": f.number, "issue": f.issue, "oem": f.oem} {
			want := fact.Fields[name]
			if (!slices.Equal(fl.bits, want.Bits) || fl.max != want.Max) && f.doubt == "" {
				t.Errorf("%s %s: %v to %d, want %v to %d", f.Name, name, fl.bits, fl.max, want.Bits, want.Max)
			}
		}
		var want []parity
		for _, p := range fact.Parity {
			want = append(want, parity{bit: p.Bit, odd: p.Kind == "odd", covers: p.Covers})
		}
		if !slices.EqualFunc(f.parity, want, func(a, b parity) bool {
			return a.bit == b.bit && a.odd == b.odd && slices.Equal(a.covers, b.covers)
		}) {
			t.Errorf("%s: parity %+v, want %+v", f.Name, f.parity, want)
		}
	}
}

func TestUnverified(t *testing.T) {
	var names []string
	for _, f := range Formats() {
		if f.doubt != "" {
			names = append(names, f.Name)
		}
	}
	want := []string{"HPP32", "H10320", "HGen37", "MDI37", "ISCS", "P10001", "Casi40", "BC40"}
	if !slices.Equal(names, want) {
		t.Errorf("unverified: %v, want %v", names, want)
	}
	if n := len(VerifiedFormats()); n != 43-len(want) {
		t.Errorf("%d verified formats", n)
	}
}

// TestPackUnpack: whatever is packed is unpacked, and any changed bit that a
// parity bit covers is seen.
func TestPackUnpack(t *testing.T) {
	formats := Formats()
	for _, name := range []string{"raw1", "raw26", "raw64", "raw128"} {
		formats = append(formats, mustFormat(t, name))
	}
	for _, f := range formats {
		t.Run(f.Name, func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				v := drawFields(t, f)
				b, err := f.Pack(v)
				if err != nil {
					t.Fatal(err)
				}
				got, ok := f.Unpack(b)
				if !ok || got != v || b.Len() != f.Len {
					t.Fatalf("%+v packed as %v unpacks as %+v, %v", v, b, got, ok)
				}
				i := rapid.IntRange(0, f.Len-1).Draw(t, "bit")
				if _, ok := f.Unpack(b.Flip(i)); ok && f.covers(i) {
					t.Fatalf("%v with bit %d inverted still passes", b, i)
				}
				text := Credential(b, f)
				if again, err := ParseCredential(text, nil); err != nil || again != b {
					t.Fatalf("%v is written %s and read %v, %v", b, text, again, err)
				}
			})
		})
	}
}

func drawFields(t *rapid.T, f *Format) (v Fields) {
	for _, p := range []struct {
		into *uint64
		from field
	}{{&v.Facility, f.facility}, {&v.Number, f.number}, {&v.Issue, f.issue}, {&v.OEM, f.oem}} {
		if len(p.from.bits) > 0 {
			*p.into = rapid.Uint64Range(0, p.from.max).Draw(t, "field")
		}
	}
	if f.fixedFacility != 0 {
		v.Facility = f.fixedFacility
	}
	if f.defaultOEM != 0 && v.OEM == 0 {
		v.OEM = f.defaultOEM
	}
	return v
}

func TestPackRefuses(t *testing.T) {
	for _, tt := range []struct {
		format string
		v      Fields
		want   string
	}{
		{"H10301", Fields{Facility: 256, Number: 1}, "H10301: facility 256 is larger than 255"},
		{"H10301", Fields{Number: 1, Issue: 1}, "H10301 has no issue"},
		{"H10302", Fields{Facility: 1, Number: 1}, "H10302 has no facility"},
		{"S12906b", Fields{Facility: 1, Number: 1}, "facility 217 only"},
	} {
		if _, err := mustFormat(t, tt.format).Pack(tt.v); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s %+v: %v, want %q", tt.format, tt.v, err, tt.want)
		}
	}
}

func TestFormatByName(t *testing.T) {
	for name, want := range map[string]string{"H10301": "H10301", "h10301": "H10301", "raw26": "raw26", "RAW128": "raw128"} {
		if f, err := FormatByName(name); err != nil || f.Name != want {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	for name, want := range map[string]string{
		"H10311": `unknown format "H10311": did you mean H10301?`,
		"c1k35":  "did you mean C1k35s?",
		"foo":    `unknown format "foo": there are H10301, ind26, `,
		"raw129": "1 to 128 bits",
		"raw0":   "1 to 128 bits",
		"":       "unknown format",
	} {
		if _, err := FormatByName(name); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", name, err, want)
		}
	}
}

func TestCredential(t *testing.T) {
	h10301 := mustFormat(t, "H10301")
	for text, want := range map[string]string{
		"H10301:84:31066":   "H10301:84:31066",
		"h10302:1160":       "H10302:1160",
		"11072181":          "H10301:84:31066", // all bits of the first format
		"raw34:9278063906":  "raw34:9278063906",
		"C15001:84:31066":   "C15001:84:31066", // with the default OEM code
		"HPP32:1805:100000": "HPP32:1805:100000",
	} {
		f := mustFormat(t, want[:strings.Index(want, ":")])
		b, err := ParseCredential(text, []*Format{h10301})
		if err != nil {
			t.Errorf("%s: %v", text, err)
		} else if got := Credential(b, f); got != want {
			t.Errorf("%s is written %s, want %s", text, got, want)
		}
	}
	// An issue number, or a bit that means nothing, is not in the short form.
	kastle := mustFormat(t, "Kastle")
	b, err := kastle.Pack(Fields{Facility: 1, Number: 2, Issue: 3})
	if err != nil {
		t.Fatal(err)
	}
	if got := Credential(b, kastle); got != "raw32:"+b.Decimal() {
		t.Errorf("Kastle with an issue number: %s", got)
	}
	for text, want := range map[string]string{
		"H10301:84":            "write H10301:FACILITY:NUMBER",
		"H10301:84:x":          `"x" is not a number`,
		"H10302:1:2":           "write H10302:NUMBER",
		"H10301:84:99999":      "number 99999 is larger than 65535",
		"raw26:1:2":            "write raw26:NUMBER",
		"raw4:16":              "does not fit in 4 bits",
		"ann":                  "not a decimal number",
		"nonesuch:1":           "unknown format",
		"99999999999999999999": "does not fit in 26 bits",
	} {
		if _, err := ParseCredential(text, []*Format{h10301}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", text, err, want)
		}
	}
	if _, err := ParseCredential("12", nil); err == nil {
		t.Error("a plain number without a format is read")
	}
}
