//go:build services

package capture

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"stump/wiegand"
	"testing"
)

// TestSigrok gives the same dump to sigrok-cli, an independent decoder, and
// wants the same bits of clean frames.
func TestSigrok(t *testing.T) {
	sigrok, err := exec.LookPath("sigrok-cli")
	if err != nil {
		t.Fatal("sigrok-cli is not installed: scripts/setup installs it")
	}
	var formats []*wiegand.Format
	for _, name := range []string{"H10301", "H10306", "C1k35s", "H10302", "C1k48s"} {
		format, err := wiegand.FormatByName(name)
		if err != nil {
			t.Fatal(err)
		}
		formats = append(formats, format)
	}
	for _, bothEdges := range []bool{true, false} {
		rng := rand.New(rand.NewPCG(8, 8))
		file := filepath.Join(t.TempDir(), "cards.vcd")
		var want []string
		writeDump(t, file, bothEdges, func() []wiegand.Edge {
			if len(want) == 10 {
				return nil
			}
			bits := randomCard(rng, formats[len(want)%len(formats)])
			edges := cardEdges(bits, 1e12+int64(len(want))*150*ms, ms*int64(1+len(want)%2))
			want = append(want, bits)
			return edges
		})

		var theirs []string
		out, err := exec.Command(sigrok, "-i", file, "-I", "vcd", "-P", "wiegand:d0=D0:d1=D1", "-A", "wiegand=state").CombinedOutput()
		if err != nil {
			t.Fatalf("sigrok-cli: %v\n%s", err, out)
		}
		for _, m := range regexp.MustCompile(`\d+ bits ([01]+)`).FindAllSubmatch(out, -1) {
			theirs = append(theirs, string(m[1]))
		}
		if !slices.Equal(theirs, want) {
			t.Errorf("both edges %v: sigrok reads\n%q, want\n%q\n%s", bothEdges, theirs, want, out)
		}

		dump, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var ours []string
		d := wiegand.NewDecoder(wiegand.Options{Formats: formats, BothEdges: bothEdges})
		if err := wiegand.Decode(vcdEdges(bytes.NewReader(dump)), d, func(r *wiegand.Read) error {
			if r.OK() && r.Repaired == "" {
				ours = append(ours, r.Bits.String())
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(ours, want) {
			t.Errorf("both edges %v: we read\n%q, want\n%q", bothEdges, ours, want)
		}
	}
}

// randomCard returns bits that the format takes.
func randomCard(rng *rand.Rand, f *wiegand.Format) string {
	for {
		bits := make([]byte, f.Len)
		for i := range bits {
			bits[i] = '0' + byte(rng.IntN(2))
		}
		b, _ := wiegand.ParseBits(string(bits))
		if _, ok := f.Unpack(b); ok {
			return string(bits)
		}
	}
}

// writeDump writes what next returns until it returns nothing.
func writeDump(t *testing.T, file string, bothEdges bool, next func() []wiegand.Edge) {
	t.Helper()
	f, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w := NewVCDWriter(f, bothEdges)
	for edges := next(); edges != nil; edges = next() {
		for _, e := range edges {
			if err := w.Write(e); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}
