package wiegand

import (
	"encoding/json"
	"fmt"
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

// otherwise are the formats whose published table contradicts genuine cards.
var otherwise = []string{"N10002", "MDI37"}

// TestTable compares the table with the facts that it was written from.
func TestTable(t *testing.T) {
	facts := readFacts(t)
	if len(facts) != 43 || len(Formats()) != 61 {
		t.Fatalf("%d formats, %d facts", len(Formats()), len(facts))
	}
	for _, fact := range facts {
		f := mustFormat(t, fact.Name)
		if f.Len != fact.Bits {
			t.Errorf("%s: %d bits, want %d", f.Name, f.Len, fact.Bits)
		}
		if slices.Contains(otherwise, fact.Name) {
			continue
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

// TestGenuineCards reads cards that people own as they are printed. Each confirmed
// format has one, and the rows name the threads.
func TestGenuineCards(t *testing.T) {
	confirmed := map[string]bool{}
	for _, tt := range []struct {
		format, bits string
		want         Fields
	}{
		{"H10301", "10001010100111110000100100", Fields{Facility: 21, Number: 15890}},
		{"H10302", "0010110000100101000101011100101000000", Fields{Number: 11850046624}},
		{"H10306", "1011000101011010000110100001000111", Fields{Facility: 0x62b4, Number: 0x3423}},
		{"N10002", "0000000001100000110110000100010011", Fields{Facility: 193, Number: 45193}},
		{"P10004", "0011000011110111000110000100001011101", Fields{Facility: 3133, Number: 202818}},
		{"P10004", "0111010100110001111101010101010100100", Fields{Facility: 7500, Number: 128341}},
		{"P10004", "0111010100110010010001011101011010100", Fields{Facility: 7500, Number: 148950}},
		{"FC16CN16", "110110000000100000101101110100000001", Fields{Facility: 45072, Number: 23456}},
		{"FC16CN16", "110110000000100000101101111000001000", Fields{Facility: 45072, Number: 23489}},
		{"FC16CN16", "110110000001000000100100110000110000", Fields{Facility: 45088, Number: 18822}},
		{"GProxII36", "000000000011110000000111000100110010", Fields{Facility: 30, Number: 14489}},
		{"S10401", "1101010011111111111111111111111110110", Fields{Facility: 42, Number: 268435451}},
		{"S10401", "1101010011111111111111111111111111111", Fields{Facility: 42, Number: 268435455}},
		{"S10401", "0101010100000000000000000000000000001", Fields{Facility: 42, Number: 268435456}},
		{"MDI37", "0101010100000000000000000000000001000", Fields{Facility: 42, Number: 268435460}},
	} {
		b, err := ParseBits(tt.bits)
		f := mustFormat(t, tt.format)
		if got, ok := f.Unpack(b); err != nil || !ok || got != tt.want {
			t.Errorf("%s %s: %+v, %v, %v, want %+v", tt.format, tt.bits, got, ok, err, tt.want)
		}
		confirmed[f.Name] = true
	}
	// Its frames are not published: the numbers of ten cards are.
	if b, err := mustFormat(t, "C10106").Pack(Fields{Facility: 152340, Number: 195534}); err != nil || b.Decimal() != fmt.Sprint(uint64(152340<<19|195534)) {
		t.Errorf("C10106: %s, %v", b, err)
	}
	confirmed["C10106"] = true
	for _, f := range Formats() {
		if confirmed[f.Name] != (f.cards != "") {
			t.Errorf("%s: its cards are %q; tried here: %v", f.Name, f.cards, confirmed[f.Name])
		}
	}
}

// TestSerialNumbers: the same tag, EM4100 0A004D7603 or the UID A4DCCC1D, in each
// format of serial numbers.
func TestSerialNumbers(t *testing.T) {
	for _, tt := range []struct {
		format, bits string
		number       uint64
	}{
		{"UID32", "10100100110111001100110000011101", 0xa4dccc1d},
		{"UID32LSB", "00011101110011001101110010100100", 0xa4dccc1d},
		{"W42", "1" + "0000101000000000010011010111011000000011" + "1", 0x0a004d7603},
		{"W44", "0000101000000000010011010111011000000011" + "0001", 0x0a004d7603},
		{"W44", "0000000100000000000110010101000011000011" + "0011", 0x01001950c3}, // CDVI's example
		{"UID56LSB", "10000000000100101011110001011010001001001010001000000100", 0x04a2245abc1280},
	} {
		b, err := ParseBits(tt.bits)
		if err != nil {
			t.Fatal(err)
		}
		f := mustFormat(t, tt.format)
		if got, ok := f.Unpack(b); !ok || got.Number != tt.number || !f.UID() {
			t.Errorf("%s: %x, %v, want %x", tt.format, got.Number, ok, tt.number)
		}
	}
}

// TestSafeFormats: a format without a check is among them only where none with one
// has so many bits.
func TestSafeFormats(t *testing.T) {
	safe := SafeFormats()
	for _, f := range safe {
		if f.doubt != "" {
			t.Errorf("%s is in doubt: %s", f.Name, f.doubt)
		}
		if !f.Checked() && slices.ContainsFunc(safe, func(o *Format) bool { return o.Len == f.Len && o.Checked() }) {
			t.Errorf("%s checks nothing and would hide what others of %d bits refuse", f.Name, f.Len)
		}
	}
	for name, want := range map[string]bool{"H10301": true, "ind27": true, "Optus34": false, "HCP32": false, "UID64": true, "UID56": false, "MDI37": true, "Casi40": false} {
		if got := slices.Contains(safe, mustFormat(t, name)); got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
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
				if again, err := f.PackData(f.Data(b)); f.data() != nil && (err != nil || again != b) {
					t.Fatalf("%v has the data %v, which is %v, %v", b, f.Data(b), again, err)
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
	for name, want := range map[string]string{"H10301": "H10301", "h10301": "H10301", "raw26": "raw26", "RAW128": "raw128", "mdi37": "S10401"} {
		if f, err := FormatByName(name); err != nil || f.Name != want {
			t.Errorf("%s: %v, %v", name, f, err)
		}
	}
	for name, want := range map[string]string{
		"H10311": `unknown format "H10311": did you mean H10301?`,
		"c1k35":  "did you mean C1k35s?",
		"mdi":    "unknown format",
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
