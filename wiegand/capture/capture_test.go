package capture

import (
	"bytes"
	"compress/gzip"
	"slices"
	"strings"
	"stump/wiegand"
	"testing"
	"unicode/utf16"
)

const (
	sampleGPIOMon1 = `event: FALLING EDGE offset: 17 timestamp: [     100.001000000]
event:  RISING EDGE offset: 17 timestamp: [     100.001050000]
event: FALLING EDGE offset: 18 timestamp: [     100.003000000]
event:  RISING EDGE offset: 18 timestamp: [     100.003050000]
`
	sampleGPIOMon2 = "100.001000000\tfalling\tgpiochip0 17\n100.001050000\trising\tgpiochip0 17\n" +
		"100.003000000\tfalling\tgpiochip0 18\n100.003050000\trising\tgpiochip0 18\n"
	sampleSaleae = "Time [s],Channel 0,Channel 1\n0.000000000,1,1\n0.001000000,0,1\n0.001050000,1,1\n0.003000000,1,0\n0.003050000,1,1\n"
)

// sample is what all of them hold, 99.999 s earlier.
var sample = []wiegand.Edge{{Time: ms}, {Time: 1050 * us, Rising: true}, {Time: 3 * ms, Line: 1}, {Time: 3050 * us, Line: 1, Rising: true}}

func packed(text string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(text))
	_ = z.Close()
	return b.String()
}

func wideText(text string) string {
	b := []byte{0xff, 0xfe}
	for _, u := range utf16.Encode([]rune(text)) {
		b = append(b, byte(u), byte(u>>8))
	}
	return string(b)
}

// TestCapture reads the same edges from recordings of all kinds.
func TestCapture(t *testing.T) {
	trace := "1000000 0 0\n1050000 0 1\n3000000 1 0\n3050000 1 1\n"
	vcd := func(zero, one string) string {
		return "$timescale 1 us $end $var wire 1 ! " + zero + " $end $var wire 1 # " + one + " $end $var wire 1 & other $end $enddefinitions $end\n" +
			"#0 $dumpvars 1! 1# 0& $end #1000 0! #1050 1! #3000 0# #3050 1#"
	}
	for _, tt := range []struct {
		name, text, d0, d1, kind string
		guessed                  bool
	}{
		{"trace", trace, "", "", "trace", false},
		{"trace, comment", "# falling and rising, in ns\n" + trace, "", "", "trace", false},
		{"trace, CRLF", strings.ReplaceAll(trace, "\n", "\r\n"), "", "", "trace", false},
		{"trace, mark", "\ufeff" + trace, "", "", "trace", false},
		{"trace, gzip", packed("\ufeff" + trace), "", "", "trace", false},
		{"trace, UTF-16", wideText(trace), "", "", "trace", false},
		{"vcd", vcd("D0", "D1"), "", "", "vcd", false},
		{"vcd, data0", vcd("data0", "DATA_1"), "", "", "vcd", false},
		{"vcd, gzip", packed("\n" + vcd("D0", "D1")), "", "", "vcd", false},
		{"vcd, named", vcd("green", "white"), "green", "WHITE", "vcd", false},
		{"vcd, guessed", vcd("a", "b"), "", "", "vcd", true},
		{"vcd, guessed by number", vcd("ch9", "ch10"), "", "", "vcd", true},
		{"gpiomon 1", sampleGPIOMon1, "", "", "gpiomon", true},
		{"gpiomon 1, named", sampleGPIOMon1, "17", "18", "gpiomon", false},
		{"gpiomon 2", sampleGPIOMon2, "", "", "gpiomon", true},
		{"gpiomon 2, named", sampleGPIOMon2, "17", "gpiochip0 18", "gpiomon", false},
		{"gpiomon 2, CRLF", strings.ReplaceAll(sampleGPIOMon2, "\n", "\r\n"), "17", "18", "gpiomon", false},
		{"gpiomon 2, names", strings.NewReplacer("gpiochip0 17", `"D0"`, "gpiochip0 18", `"D1"`).Replace(sampleGPIOMon2), "", "", "gpiomon", false},
		{"gpiomon 2, chip and name", strings.NewReplacer("0 17", `0 17 "GPIO17"`, "0 18", `0 18 "GPIO18"`).Replace(sampleGPIOMon2), "GPIO17", "GPIO18", "gpiomon", false},
		{"gpiomon 2, utc", strings.ReplaceAll(sampleGPIOMon2, "100.", "1970-01-01T00:01:40."), "", "", "gpiomon", true},
		{"saleae 2", sampleSaleae, "", "", "saleae", true},
		{"saleae 2, named", sampleSaleae, "0", "Channel 1", "saleae", false},
		{"saleae 1", strings.NewReplacer("Time [s]", "Time[s]", ",", ", ").Replace(sampleSaleae), "", "", "saleae", true},
		{"saleae 1, tabs", strings.ReplaceAll(sampleSaleae, ",", "\t"), "", "", "saleae", true},
		{"saleae 1, no header", sampleSaleae[strings.Index(sampleSaleae, "\n")+1:], "", "", "saleae", true},
		{"saleae, renamed", strings.NewReplacer("Channel 0", "DATA0", "Channel 1", "D1").Replace(sampleSaleae), "", "", "saleae", false},
		{"saleae, a mark and quotes", "\ufeff" + strings.NewReplacer("Channel 0", `"D0"`, "Channel 1", `"D1"`, "\n", "\r\n").Replace(sampleSaleae), "", "", "saleae", false},
		{"saleae, exponents", strings.ReplaceAll(sampleSaleae, "0.001050000", "1.05E-3"), "", "", "saleae", true},
		{"saleae, more channels", strings.NewReplacer("Channel 1\n", "Channel 1,Channel 2\n", "\n0", "\n0", ",1\n", ",1,0\n", ",0\n", ",0,0\n").Replace(sampleSaleae), "", "", "saleae", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := Open(strings.NewReader(tt.text), "", tt.d0, tt.d1)
			if err != nil {
				t.Fatal(err)
			}
			edges, err := readAll(c, 100)
			if err != nil || len(edges) == 0 {
				t.Fatal(edges, err)
			}
			for i, shift := 0, edges[0].Time-ms; i < len(edges); i++ {
				edges[i].Time -= shift
			}
			if !slices.Equal(edges, sample) || c.Kind != tt.kind || c.Guessed != tt.guessed {
				t.Errorf("%s %v %v: %v", c.Kind, c.Guessed, []string{c.D0, c.D1}, edges)
			}
		})
	}
}

// TestCaptureRefused: what can't be read says where, and what it is.
func TestCaptureRefused(t *testing.T) {
	three := "Time [s],a,b,c\n0,1,1,1\n1,0,0,0\n"
	for _, tt := range []struct{ text, kind, d0, d1, want string }{
		{three, "", "", "", `which of the signals ["a" "b" "c"] are DATA0 and DATA1?`},
		{three, "", "a", "", "which of the signals"},
		{three, "", "a", "a", `"a" is DATA0 and DATA1`},
		{three, "", "x", "b", "which of the signals"},
		{"Time [s],a,a\n0,1,1\n", "", "a", "a", "several signals"},
		{"Time [s],a,b\n0,1,2\n", "", "", "", `row 2: "2" is not a level`},
		{"Time [s],a,b\n0,1\n", "", "", "", "row 2: 2 columns, want 3"},
		{"Time [s],a,b\nx,1,1\n", "", "", "", `row 2: "x" is not a time in seconds`},
		{"Time [s],a,b\nNaN,1,1\n", "", "", "", "not a time"},
		{"Time [s],a,b\n1e300,1,1\n", "", "", "", "not a time"},
		{"Time [s],a,b\n2,1,1\n1,0,1\n", "", "", "", "row 3: time 1 is before"},
		{"1.0 rising\n", "gpiomon", "", "", "row 1: \"1.0 rising\" is not an edge"},
		{"1.0 rising 1\nwhat\n", "", "1", "1", "is DATA0 and DATA1"},
		{"", "tape", "", "", `"tape" is not a kind`},
		{"\x1f\x8b", "", "", "", "gzip: "},
		{"$end", "", "", "", "no $enddefinitions"},
	} {
		c, err := Open(strings.NewReader(tt.text), tt.kind, tt.d0, tt.d1)
		if err == nil {
			_, err = readAll(c, 100)
		}
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%q: %v, want %s", tt.text, err, tt.want)
		}
	}
	// The edges before the row that is wrong are read.
	c, err := Open(strings.NewReader(sampleGPIOMon2+"and more\n"), "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if edges, err := readAll(c, 100); len(edges) != 4 || err == nil || !strings.Contains(err.Error(), "row 5") {
		t.Errorf("%v, %v", edges, err)
	}
	// Falling edges alone, as gpiomon --edges=falling prints them.
	c, err = Open(strings.NewReader("1.1 falling 17\n1.2 falling 17\n1.3 falling 18\n"), "", "", "")
	if err != nil {
		t.Fatal(err)
	}
	if edges, err := readAll(c, 100); len(edges) != 3 || err != nil {
		t.Errorf("%v, %v", edges, err)
	}
}

// TestNanoseconds: stamps of the kernel since 1970 keep their last digit.
func TestNanoseconds(t *testing.T) {
	for text, want := range map[string]int64{
		"1767323045.123456789": 1767323045123456789, "0.0000000005": 1, "-0.5": -500000000, "1e-9": 1, "12": 12e9, "0.1234567894": 123456789,
	} {
		if got, ok := nanoseconds(text); !ok || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, ok, want)
		}
	}
}
