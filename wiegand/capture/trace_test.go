package capture

import (
	"bytes"
	"io"
	"slices"
	"strings"
	"stump/wiegand"
	"testing"
)

func TestTraceReader(t *testing.T) {
	const text = `# a comment
0 0 0
50000 0 1   further columns
2000000 1 0 # and a comment

2000000 1 1
`
	want := []wiegand.Edge{{Time: 0}, {Time: 50000, Rising: true}, {Time: 2000000, Line: 1}, {Time: 2000000, Line: 1, Rising: true}}
	got, err := readAll(NewTraceReader(strings.NewReader(text)), 10)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for text, want := range map[string]string{
		"0 0":                      "row 1: want three columns",
		"0 0 0\nx 0 0":             `row 2: "x" is not a time in nanoseconds`,
		"0 2 0":                    `row 1: "2" is not a line`,
		"0 0 2":                    `row 1: "2" is not a level`,
		"5 0 0\n4 0 1":             "row 2: time 4 is before 5: sort the trace by time",
		"5.5 0 0":                  "is not a time",
		"1e9 0 0":                  "is not a time",
		strings.Repeat("0", 2<<20): "longer than 1 MiB",
	} {
		if _, err := readAll(NewTraceReader(strings.NewReader(text)), 10); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.20q: %v, want %q", text, err, want)
		}
	}
}

const sampleVCD = `$date today $end
$version a logic analyser $end
$timescale 100 ns $end
$scope module top $end
$scope module reader $end
$var wire 1 ! d0 $end
$var wire 1 " D1 [0] $end
$var wire 8 # bus $end
$var real 64 % volts $end
$upscope $end $upscope $end
$enddefinitions $end
#0
$dumpvars
1! x" bx # r0.0 %
$end
#10000 0! b1010 #
#10500 1! $comment 0" is no change $end
1"
#30000
b0 "
#30500 1"
1"
`

// vcdEdges reads a dump whose signals have the usual names.
func vcdEdges(r io.Reader) wiegand.Edges {
	c, err := Open(r, KindVCD, "", "")
	if err != nil {
		return &wrong{err}
	}
	return c
}

type wrong struct{ err error }

func (w *wrong) Next() (wiegand.Edge, error) { return wiegand.Edge{}, w.err }

func TestVCDReader(t *testing.T) {
	want := []wiegand.Edge{{Time: ms}, {Time: 1050 * us, Rising: true}, {Time: 3 * ms, Line: 1}, {Time: 3050 * us, Line: 1, Rising: true}}
	got, err := readAll(vcdEdges(strings.NewReader(sampleVCD)), 10)
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("%v, %v, want %v", got, err, want)
	}
	for replace, with := range map[string]string{ // the same in other tools' words
		"! d0 $end":   `! \d0 $end`,
		`" D1 [0]`:    `" reader.DATA1[0]`,
		`0! b1010 #`:  `0! sIDLE %`,
		"#10500 1!":   "#10500 z!",
		`x" bx # r0.`: `z" sx # r0.`,
	} {
		got, err := readAll(vcdEdges(strings.NewReader(strings.Replace(sampleVCD, replace, with, 1))), 10)
		if err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %v, %v, want %v", with, got, err, want)
		}
	}
	for replace, with := range map[string]string{
		"d0":               "clk",
		"8 # bus":          "1 # data0",
		"100 ns":           "3 ns",
		"$enddefinitions":  "$end",
		"#30000":           "#9000",
		"#10500":           "#10x",
		"#10000 0!":        "#10000 k!",
		"$date today $end": "0 0 0",
		"#30500":           "#18446744073709551615",
	} {
		text := strings.Replace(sampleVCD, replace, with, 1)
		if _, err := readAll(vcdEdges(strings.NewReader(text)), 10); err == nil {
			t.Errorf("%s: %v", with, err)
		}
	}
	_, err = readAll(vcdEdges(strings.NewReader(strings.Replace(sampleVCD, "d0", "clk", 1))), 10)
	if want := `which of the signals ["clk" "D1"] are DATA0 and DATA1?`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("%v, want %s", err, want)
	}
}

// TestVCDRoundTrip: edges written and read again are the same, to the µs.
func TestVCDRoundTrip(t *testing.T) {
	edges := cardEdges("00101010001111001010110101", 7_000_000_123_000, 2*ms)
	for _, both := range []bool{true, false} {
		var out bytes.Buffer
		w := NewVCDWriter(&out, both)
		for _, e := range edges {
			if err := w.Write(e); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		got, err := readAll(vcdEdges(&out), 100)
		if err != nil || len(got) != len(edges) {
			t.Fatalf("%d edges, %v, want %d", len(got), err, len(edges))
		}
		for i, e := range edges {
			e.Time += ms - edges[0].Time
			e.Time, e.Seq = e.Time/1000*1000, 0
			if got[i] != e { // also the drawn ones: the pulses are 50 µs wide
				t.Errorf("both edges %v, edge %d: %+v, want %+v", both, i, got[i], e)
			}
		}
	}
}

// TestVCDDrawn: pulses whose end was not seen never overlap the next.
func TestVCDDrawn(t *testing.T) {
	var out bytes.Buffer
	w := NewVCDWriter(&out, false)
	for _, e := range []wiegand.Edge{{Time: 0}, {Time: 10 * us}, {Time: 10 * us, Line: 1}, {Time: 30 * us}, {Time: 3 * ms, Line: 1}} {
		if err := w.Write(e); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := readAll(vcdEdges(&out), 20)
	falls := 0
	for _, e := range got {
		if !e.Rising {
			falls++
		}
	}
	if err != nil || falls != 5 || len(got) != 10 {
		t.Errorf("%v, %v", got, err)
	}
}

func TestVCDWriterEmpty(t *testing.T) {
	var out bytes.Buffer
	if err := NewVCDWriter(&out, true).Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := readAll(vcdEdges(&out), 1); err != nil || len(got) != 0 {
		t.Errorf("%v, %v", got, err)
	}
}

// cardEdges are the edges of a card that begins at a time.
func cardEdges(bits string, at, interval int64) (edges []wiegand.Edge) {
	for i, bit := range bits {
		fall := wiegand.Edge{Time: at + int64(i)*interval, Line: uint8(bit - '0')}
		rise := fall
		rise.Time, rise.Rising = fall.Time+50*us, true
		edges = append(edges, fall, rise)
	}
	return edges
}
