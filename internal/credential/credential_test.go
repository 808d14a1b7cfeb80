package credential

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"stump/internal/hint"
	"stump/wiegand"
)

func formats(t testing.TB, names ...string) []*wiegand.Format {
	t.Helper()
	var list []*wiegand.Format
	for _, name := range names {
		f, err := wiegand.FormatByName(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return list
}

func TestParse(t *testing.T) {
	configured := formats(t, "H10301", "H10306", "H10302")
	for _, tt := range []struct{ in, bits string }{
		{"H10301:84:31066", "00101010001111001010110101"},
		{"h10301:84:31066", "00101010001111001010110101"},
		{" H10301:84:31066 ", "00101010001111001010110101"},
		{"H10306:17714:1160", "0010001010011001000000100100010000"},
		{"raw34:2321811728", "0010001010011001000000100100010000"},
		{"RAW4:5", "0101"},
		{"raw8:255", "11111111"},
		{"11072180", "00101010001111001010110100"}, // 26 bits, as the first format has
		{"0", strings.Repeat("0", 26)},
	} {
		got, err := Parse(tt.in, configured)
		if err != nil {
			t.Errorf("%q: %v", tt.in, err)
			continue
		}
		if got.String() != tt.bits {
			t.Errorf("%q: %s, want %s", tt.in, got, tt.bits)
		}
	}
	for _, in := range []string{
		"", ":", "ann", "H10301", "H10301:", "H10301:84", "H10301:84:", "H10301::5", "H10301:84:31066:1", "H10301:256:1", "H10301:1:65536",
		"H10301:-1:5", "H10301:1:-5", "H10301:1:0x10", "H10301:1: 5", "H99999:1:2", "H10302:1:2", "raw:5", "raw0:5", "raw129:5", "raw3:8", "raw-1:0",
		"raw26:", "raw26:abc", "67108864", "-1", "1.5", "1e3", "99999999999999999999999999999999999999999999", "bits:0101", "H10301:84:31066\n1",
	} {
		got, err := Parse(in, configured)
		if err == nil {
			t.Errorf("%q is read as %s", in, got)
			continue
		}
		if hint.Of(err) == "" {
			t.Errorf("%q: %v has no hint", in, err)
		}
		if strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: the error has two lines: %q", in, err)
		}
	}
}

func TestString(t *testing.T) {
	configured := formats(t, "H10301", "H10306")
	for _, tt := range []struct{ bits, want, masked string }{
		{"00101010001111001010110101", "H10301:84:31066", "…066"},
		{"00101010001111001010110100", "raw26:11072180", "…180"}, // a parity is wrong
		{"0010001010011001000000100100010000", "H10306:17714:1160", "…160"},
		{"0101", "raw4:5", "…5"},
	} {
		bits, err := wiegand.ParseBits(tt.bits)
		if err != nil {
			t.Fatal(err)
		}
		if got := String(bits, configured); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.bits, got, tt.want)
		}
		if got := Mask(Tag(bits), configured); got != tt.masked {
			t.Errorf("%s: masked %s, want %s", tt.bits, got, tt.masked)
		}
	}
	// A raw format has no number.
	bits, _ := wiegand.ParseBits("00101010001111001010110100")
	if got := String(bits, formats(t, "raw26", "H10301")); got != "raw26:11072180" {
		t.Errorf("with raw26 first: %s", got)
	}
}

// TestRoundTrip writes any bits and reads them again, and makes tags of them.
func TestRoundTrip(t *testing.T) {
	all := wiegand.Formats()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 128).Draw(t, "bits")
		digits := rapid.SliceOfN(rapid.SampledFrom([]byte("01")), n, n).Draw(t, "value")
		bits, err := wiegand.ParseBits(string(digits))
		if err != nil {
			t.Fatal(err)
		}
		some := rapid.SliceOfN(rapid.SampledFrom(all), 0, 4).Draw(t, "formats")
		written := String(bits, some)
		again, err := Parse(written, some)
		if err != nil {
			t.Fatalf("%s is written as %s, which can't be read: %v", bits, written, err)
		}
		if again != bits {
			t.Fatalf("%s is written as %s, which is read as %s", bits, written, again)
		}
		if back, err := Bits(Tag(bits)); err != nil || back != bits {
			t.Fatalf("%s is the tag %v, which is %s (%v)", bits, Tag(bits), back, err)
		}
	})
}

// TestPackedRoundTrip does so with cards that fit a format.
func TestPackedRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		f := rapid.SampledFrom(wiegand.Formats()).Draw(t, "format")
		fields := wiegand.Fields{
			Facility: rapid.Uint64Range(0, 1<<17).Draw(t, "facility"), Number: rapid.Uint64Range(0, 1<<36).Draw(t, "number"),
		}
		bits, err := f.Pack(fields)
		if err != nil {
			return // too large for it
		}
		written := String(bits, []*wiegand.Format{f})
		again, err := Parse(written, []*wiegand.Format{f})
		if err != nil || again != bits {
			t.Fatalf("%+v in %s is written as %s, which is read as %s (%v)", fields, f.Name, written, again, err)
		}
	})
}

func FuzzParse(f *testing.F) {
	for _, s := range []string{"H10301:84:31066", "raw34:9278063906", "11072180", "raw0:0", "::", "H10302:1", "raw128:340282366920938463463374607431768211455"} {
		f.Add(s)
	}
	configured := formats(f, "H10301", "H10306", "H10302")
	f.Fuzz(func(t *testing.T, s string) {
		bits, err := Parse(s, configured)
		if err != nil {
			return
		}
		again, err := Parse(String(bits, configured), configured)
		if err != nil || again != bits {
			t.Errorf("%q is %s, written %s, read %s (%v)", s, bits, String(bits, configured), again, err)
		}
	})
}
