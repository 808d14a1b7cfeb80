package wiegand

import "testing"

// falls makes the falling edges of a frame, one every interval ns.
func falls(b Bits, start, interval int64) []Edge {
	var edges []Edge
	for i := range b.Len() {
		edges = append(edges, Edge{Time: start + int64(i)*interval, Line: b.Bit(i)})
	}
	return edges
}

// decodeAll pushes edges and then lets the time pass.
func decodeAll(d *Decoder, edges []Edge) (reads []Read) {
	for _, e := range edges {
		reads = append(reads, d.Push(e)...)
	}
	if t, ok := d.Deadline(); ok {
		reads = append(reads, d.Advance(t)...)
	}
	return reads
}

func mustFormat(t testing.TB, name string) *Format {
	t.Helper()
	f, err := FormatByName(name)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func TestKnownAnswers(t *testing.T) {
	for _, tt := range []struct {
		format, bits string
		want         Fields
	}{
		{"H10301", "00101010001111001010110101", Fields{Facility: 84, Number: 31066}},
		{"raw26", "00101010001111001010110101", Fields{Number: 0b00101010001111001010110101}},
		{"H10306", "0010001010011001000000100100010000", Fields{Facility: 17714, Number: 1160}},
		{"H10302", "0000000000000000000000000000000010110", Fields{Number: 11}},
	} {
		f := mustFormat(t, tt.format)
		b, err := ParseBits(tt.bits)
		if err != nil {
			t.Fatal(err)
		}
		reads := decodeAll(NewDecoder(Options{Formats: []*Format{f}}), falls(b, 5, 2_000_000))
		if len(reads) != 1 || !reads[0].OK() || reads[0].Bits != b || reads[0].Fields != tt.want || reads[0].Format != f {
			t.Errorf("%s: %+v, want %+v", tt.format, reads, tt.want)
			continue
		}
		if reads[0].Start != 5 || reads[0].End != 5+int64(b.Len()-1)*2_000_000 {
			t.Errorf("%s: from %d to %d", tt.format, reads[0].Start, reads[0].End)
		}
		if tt.want.Facility > 0 {
			if packed, err := f.Pack(tt.want); err != nil || packed != b {
				t.Errorf("%s: packed %v, %v, want %v", tt.format, packed, err, b)
			}
		}
	}
}
