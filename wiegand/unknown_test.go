package wiegand

import (
	"math/rand/v2"
	"slices"
	"testing"
)

// show sends frames one after the other.
func show(d *Decoder, frames ...Bits) (reads []Read) {
	for i, b := range frames {
		reads = append(reads, slices.Clone(decodeAll(d, falls(b, d.cur.last+int64(i+1)*500*ms, 2*ms)))...)
	}
	return reads
}

// TestSwappedByDifferentCards: fobs that pass only inverted are swapped lines as soon
// as chance is below one in a thousand.
func TestSwappedByDifferentCards(t *testing.T) {
	for _, tt := range []struct {
		formats []string
		first   int // the frame that is called swapped
	}{
		{[]string{"H10301"}, 5},
		{[]string{"H10301", "H10302"}, 5},
		{[]string{"C1k35s"}, 4},
		{[]string{"H10301", "ind26"}, 10}, // the same checks twice
	} {
		f := mustFormat(t, tt.formats[0])
		d := newDecoder(t, Options{}, tt.formats...)
		for i := 1; i <= 12; i++ {
			b, err := f.Pack(Fields{Facility: 200, Number: uint64(1000 * i)})
			if err != nil {
				t.Fatal(err)
			}
			r := show(d, b.Invert())[0]
			want := FaultParity
			if i >= tt.first {
				want = FaultSwapped
			}
			if r.Fault != want {
				t.Errorf("%v: frame %d: %s, want %s", tt.formats, i, r.Fault, want)
			}
		}
	}
	// One good card, or one that fails inverted as well, and it begins anew.
	for _, between := range []Bits{card(t), card(t).Flip(1)} {
		d := newDecoder(t, Options{}, "H10301")
		for i := range uint64(9) {
			b, err := mustFormat(t, "H10301").Pack(Fields{Facility: 7, Number: 77 * i})
			if err != nil {
				t.Fatal(err)
			}
			if i == 4 {
				show(d, between)
			}
			if r := show(d, b.Invert())[0]; (r.Fault == FaultSwapped) != (i == 8) {
				t.Errorf("frame %d: %s", i, r.Fault)
			}
		}
	}
}

// TestUnknown: the third equal frame that comes intact is a card of a format that is
// not enabled; then others of its length are so at once.
func TestUnknown(t *testing.T) {
	bits := func(s string) Bits {
		b, err := ParseBits(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	b36 := bits("110110000001000000100100110000110000")
	c36 := bits("110110000000100000101101110100000001")
	for _, tt := range []struct {
		name   string
		frames []Bits
		want   []bool
	}{
		{"no format of this length", []Bits{b36, b36, b36, b36, c36}, []bool{false, false, true, true, true}},
		{"others between", []Bits{b36, c36, b36, card(t), c36, b36, c36}, []bool{false, false, false, false, false, true, true}},
		{"a wrong bit", []Bits{card(t).Flip(3), card(t).Flip(3), card(t).Flip(3)}, []bool{false, false, true}},
		{"a good card of that length", []Bits{card(t).Flip(3), card(t).Flip(3), card(t).Flip(3), card(t).Flip(5), card(t), card(t).Flip(6), card(t).Flip(3)}, []bool{false, false, true, true, false, false, true}},
		{"one line alone", []Bits{bits("000000000000000000000000"), bits("000000000000000000000000"), bits("000000000000000000000000")}, []bool{false, false, false}},
		{"keys", []Bits{bits("0101"), bits("0101"), bits("0101"), bits("10100101"), bits("10100101"), bits("10100101")}, make([]bool, 6)},
		{"swapped", []Bits{card(t).Invert(), card(t).Invert(), card(t).Invert()}, []bool{false, false, false}},
		{"good", []Bits{card(t), card(t), card(t)}, []bool{false, false, false}},
	} {
		for i, r := range show(newDecoder(t, Options{}, "H10301"), tt.frames...) {
			if r.Unknown != tt.want[i] || r.Unknown && r.OK() {
				t.Errorf("%s, frame %d: %v (%s), want %v", tt.name, i, r.Unknown, r.Fault, tt.want[i])
			}
		}
	}
	// Uneven frames may be noise, however equal.
	d := newDecoder(t, Options{}, "H10301")
	rng := rand.New(rand.NewPCG(3, 3))
	for i := range int64(5) {
		edges := falls(b36, (i+1)*500*ms, 2*ms)
		for j := range edges[1:] {
			edges[j+1].Time = edges[j].Time + between(rng, 300*us, 6*ms)
		}
		if r := decodeAll(d, edges)[0]; r.Unknown {
			t.Errorf("an uneven frame is a card: %+v", r)
		}
	}
}

func TestEnable(t *testing.T) {
	for _, tt := range []struct {
		bits, want string
		others     []string
	}{
		{"110110000001000000100100110000110000", `formats = ["H10301", "FC16CN16"]`, []string{"raw36"}},
		{"110110000001000000100100110000110001", `formats = ["H10301", "S12906"]`, []string{"raw36"}},
		{"0101010101010101010101010", `formats = ["H10301", "raw25"]`, []string{}},
		{"0010110000100101000101011100101000000", `formats = ["H10301", "H10302"]`, []string{"S10401", "H10304", "raw37"}},
	} {
		b, err := ParseBits(tt.bits)
		if err != nil {
			t.Fatal(err)
		}
		if line, others := Enable(b, []*Format{mustFormat(t, "H10301")}); line != tt.want || !slices.Equal(others, tt.others) {
			t.Errorf("%s: %s, %q, want %s, %q", tt.bits, line, others, tt.want, tt.others)
		}
	}
}
