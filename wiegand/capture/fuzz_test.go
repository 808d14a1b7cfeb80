package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
	"stump/wiegand"
	"testing"
)

// readAll reads a source to its end, within bounds.
func readAll(src wiegand.Edges, limit int) (edges []wiegand.Edge, err error) {
	for len(edges) < limit {
		e, err := src.Next()
		if errors.Is(err, io.EOF) {
			return edges, nil
		}
		if err != nil {
			return edges, err
		}
		edges = append(edges, e)
	}
	return edges, errors.New("more edges than the text can hold")
}

// FuzzTrace: what is read can be written and read again.
func FuzzTrace(f *testing.F) {
	f.Add("0 0 0\n50000 0 1\n2000000 1 0 a column more # and a comment\n\n# nothing\n")
	f.Add("-5 1 0\r\n-5 1 1\r\n")
	f.Add("1 2 3\n")
	f.Add("9223372036854775807 0 0\n9223372036854775808 0 0\n")
	f.Fuzz(func(t *testing.T, text string) {
		edges, err := readAll(NewTraceReader(strings.NewReader(text)), len(text))
		if err != nil && !strings.HasPrefix(err.Error(), "row ") && !strings.HasPrefix(err.Error(), "more ") {
			t.Fatalf("the error names no row: %v", err)
		}
		var out bytes.Buffer
		for _, e := range edges {
			level := 0
			if e.Rising {
				level = 1
			}
			fmt.Fprintf(&out, "%d %d %d\n", e.Time, e.Line, level)
		}
		again, err := readAll(NewTraceReader(&out), len(text)+1)
		if err != nil || len(again) != len(edges) {
			t.Fatalf("%v, %v, want %v", again, err, edges)
		}
		for i := range edges {
			if again[i] != edges[i] {
				t.Fatalf("%v, want %v", again, edges)
			}
		}
	})
}

// FuzzVCD: no panic, no endless loop, times that rise, edges that alternate.
func FuzzVCD(f *testing.F) {
	f.Add(sampleVCD)
	f.Add("$timescale 10ps $end $var wire 1 # D0 $end $var wire 1 $ DATA1 $end $enddefinitions $end #5 0# b1 $ r1.5 x x# #9 1#")
	f.Add("$comment $end")
	f.Add("$var $end $enddefinitions $end #0")
	f.Fuzz(func(t *testing.T, text string) {
		edges, _ := readAll(vcdEdges(strings.NewReader(text)), len(text))
		level := [2]bool{true, true}
		known := [2]bool{}
		for i, e := range edges {
			if e.Line > 1 || i > 0 && e.Time < edges[i-1].Time || known[e.Line] && level[e.Line] == e.Rising {
				t.Fatalf("edge %d: %+v", i, e)
			}
			level[e.Line], known[e.Line] = e.Rising, true
		}
	})
}

// FuzzCapture: any text as any kind of recording, packed or not. No panic, no
// endless loop, times that rise, an error that is one line.
func FuzzCapture(f *testing.F) {
	f.Add("", sampleVCD, "", "")
	f.Add("", sampleGPIOMon1, "17", "18")
	f.Add("", sampleGPIOMon2, "", "")
	f.Add("", sampleSaleae, "", "Channel 1")
	f.Add("saleae", "1,1,1\n1e-3,0,1\n", "", "0")
	f.Add("gpiomon", "2026-01-02T03:04:05Z rising 1", "", "")
	f.Add("", "\xff\xfe1\x00,\x000\x00", "", "")
	f.Add("", "\x1f\x8b\x08\x00", "", "")
	f.Fuzz(func(t *testing.T, kind, text, d0, d1 string) {
		c, err := Open(strings.NewReader(text), kind, d0, d1)
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("the error has two lines: %q", err)
			}
			return
		}
		edges, err := readAll(c, 64*len(text)+64)
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Fatalf("the error has two lines: %q", err)
		}
		for i, e := range edges {
			if e.Line > 1 || i > 0 && e.Time < edges[i-1].Time {
				t.Fatalf("edge %d: %+v", i, e)
			}
		}
	})
}
