package wiegand

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// pulsesOf is an exact frame: 50 µs pulses every 2 ms.
func pulsesOf(b Bits, at int64) []pulse {
	return reader{width: 50 * us, interval: 2 * ms}.send(rand.New(rand.NewPCG(0, 0)), b, at)
}

// TestFaults: each kind of damage has its name, with falling edges and with
// both.
func TestFaults(t *testing.T) {
	good := card(t)
	wrongPlace := func(i int) []pulse {
		p := pulsesOf(good, 0)
		p[i].line ^= 1
		return p
	}
	site := Options{Accept: []Range{{Facilities: []uint64{84}, Min: 1, Max: 30000}}}
	for _, tt := range []struct {
		name          string
		pulses        []pulse
		opts          Options
		falling, both Fault
	}{
		{"clean", pulsesOf(good, 0), Options{}, "", ""},
		{"both lines fall with a bit", addPulse(pulsesOf(good, 0), 20*ms, 50*us, 1-good.Bit(10)), Options{}, FaultCollision, FaultCollision},
		{"both lines fall between bits", addPulse(addPulse(pulsesOf(good, 0), 21*ms, 50*us, 0), 21*ms+us, 50*us, 1), Options{}, FaultCollision, FaultCollision},
		{"every pulse on both lines, 5 µs apart", append(pulsesOf(good, 0), pulsesOf(good.Invert(), 5*us)...), Options{}, FaultCollision, FaultCollision},
		{"every pulse on both lines", append(pulsesOf(good, 0), pulsesOf(good.Invert(), 2*us)...), Options{}, FaultCollision, FaultCollision},
		{"lone edge", []pulse{{0, 50 * us, 0}}, Options{}, FaultNoise, FaultNoise},
		{"short burst on one line", burstAt(pulsesOf(good, 0), 21*ms, 0, 10, 10*us), Options{}, FaultNoise, ""},
		{"longer burst on one line", burstAt(pulsesOf(good, 0), 21*ms, 0, 20, 30*us), Options{}, FaultNoise, ""},
		{"burst on one line, too wide for a glitch", burstAt(pulsesOf(good, 0), 21*ms, 0, 4, 30*us), Options{}, FaultNoise, ""},
		{"hum, no card", burstAt(nil, 0, 0, 8, 20*ms), Options{}, FaultNoise, FaultNoise},
		{"two glitches", addPulse(addPulse(pulsesOf(good, 0), 21*ms, 5*us, 1), 31*ms, 5*us, 0), Options{}, FaultInterval, ""},
		{"a line held low", addPulse(lose(lose(pulsesOf(good, 0), 10), 9), 18*ms, 9*ms, good.Bit(9)), Options{}, FaultInterval, FaultCollision},
		{"a pulse too long", addPulse(lose(lose(pulsesOf(good, 0), 10), 9), 18*ms, 1500*us, 0), Options{}, FaultInterval, FaultWidth},
		{"one pulse lost", lose(pulsesOf(good, 0), 10), Options{}, FaultInterval, FaultInterval},
		{"two pulses lost", lose(lose(pulsesOf(good, 0), 10), 10), Options{}, FaultInterval, FaultInterval},
		{"one extra and one lost", addPulse(lose(pulsesOf(good, 0), 10), 31*ms, 50*us, 0), Options{}, FaultInterval, FaultInterval},
		{"first pulse lost", lose(pulsesOf(good, 0), 0), Options{}, FaultCount, FaultCount},
		{"last pulse lost", lose(pulsesOf(good, 0), 25), Options{}, FaultCount, FaultCount},
		{"one more bit", addPulse(pulsesOf(good, 0), 52*ms, 50*us, 0), Options{}, FaultCount, FaultCount},
		{"only one line's bits", onlyLine(pulsesOf(good, 0), 1), Options{}, FaultInterval, FaultInterval},
		{"a bit on the other line", wrongPlace(7), Options{}, FaultParity, FaultParity},
		{"another site's number", pulsesOf(good, 0), site, FaultPrefix, FaultPrefix},
		{"another site's number, damaged", wrongPlace(9), site, FaultParity, FaultParity},
	} {
		for _, both := range []bool{false, true} {
			edges, want := edgesOf(tt.pulses), tt.both
			if !both {
				edges, want = fallsOf(edges), tt.falling
			}
			o := tt.opts
			o.BothEdges = both
			reads := decodeAll(newDecoder(t, o, "H10301"), edges)
			if len(reads) != 1 || reads[0].Fault != want || want == "" && reads[0].Bits != good {
				t.Errorf("%s, both edges %v: %+v, want %q", tt.name, both, reads, want)
			}
			if len(reads) == 1 && want != "" && reads[0].Format != nil {
				t.Errorf("%s: refused, but with a format", tt.name)
			}
		}
	}
}

// TestMisplaced: an edge that makes up the number of a card that lost a bit is
// seen where no late stamp can have put it, also without any parity.
func TestMisplaced(t *testing.T) {
	const T = 2 * ms
	late := func(i int, by int64) []pulse {
		p := pulsesOf(card(t), 0)
		p[i].at += by
		return p
	}
	lateTwo := func(i int, by int64) []pulse {
		p := late(i, by)
		p[i+1].at += by + T/32
		return p
	}
	lostFirst := func(after int64) []pulse { return addPulse(lose(pulsesOf(card(t), 0), 0), 25*T+after, 50*us, 1) }
	lostLast := func(before int64) []pulse { return addPulse(lose(pulsesOf(card(t), 0), 25), -before, 50*us, 1) }
	for i, tt := range []struct {
		from, to int64 // the stray edge's distance, in hundredths of an interval
		do       func(by int64) []pulse
		want     Fault
	}{
		{from: 10, to: 35, do: lostFirst, want: FaultInterval},
		{from: 165, to: 300, do: lostFirst, want: FaultInterval},
		{from: 10, to: 35, do: lostLast, want: FaultInterval},
		{from: 165, to: 300, do: lostLast, want: FaultInterval},
		{from: -80, to: -20, do: func(by int64) []pulse { return late(12, by) }, want: FaultInterval},
		{from: 0, to: 50, do: func(by int64) []pulse { return late(0, by) }},
		{from: 0, to: 80, do: func(by int64) []pulse { return late(1, by) }},
		{from: 0, to: 80, do: func(by int64) []pulse { return late(12, by) }},
		{from: 0, to: 80, do: func(by int64) []pulse { return late(24, by) }},
		{from: 0, to: 50, do: func(by int64) []pulse { return late(25, by) }},
		{from: 15, to: 60, do: func(by int64) []pulse { return lateTwo(1, by) }},
		{from: 15, to: 60, do: func(by int64) []pulse { return lateTwo(12, by) }},
		{from: 15, to: 60, do: func(by int64) []pulse { return lateTwo(23, by) }},
	} {
		for by := tt.from; by <= tt.to; by += 5 {
			edges := fallsOf(edgesOf(tt.do(by * T / 100)))
			if r := decodeAll(newDecoder(t, Options{}, "raw26"), edges); len(r) != 1 || r[0].Fault != tt.want {
				t.Errorf("case %d, %d %%: %+v, want %q", i, by, r, tt.want)
			}
		}
	}
}

// TestUnevenDamage: a reader whose spacing proves nothing has its silences and
// its widths. Each of these has the number of bits.
func TestUnevenDamage(t *testing.T) {
	rng := rand.New(rand.NewPCG(4, 4))
	uneven := reader{width: 50 * us, interval: 1400 * us, spacingTo: 2600 * us}
	for range 100 {
		b := randomCard(rng, mustFormat(t, "raw26"), &Options{})
		clean := uneven.send(rng, b, 0)
		_, end := span(clean)
		hum := lose(lose(clean, 4), 9)
		for i := range int64(2) {
			hum = addPulse(hum, end+2*ms+i*20*ms, 5*ms, b.Bit(25))
		}
		crosstalk := lose(clean, 4)
		for i, width := range []int64{4 * us, 9 * us, 20 * us} {
			crosstalk = addPulse(crosstalk, clean[10+i].at+500*us, width, 1-b.Bit(10+i))
		}
		for name, p := range map[string][]pulse{
			"far": addPulse(lose(clean, 4), end+24*ms, 50*us, 1), "crosstalk": crosstalk,
			"hum": addPulse(lose(hum, 12), -20*ms, 5*ms, b.Bit(0)),
		} {
			if name == "far" { // one silence alone may be a slow bit, up to sixteen of them
				for i := range p[:len(p)-1] {
					p[i].at = end - (end-p[i].at)/2
				}
			}
			for _, both := range []bool{false, true} {
				if name == "crosstalk" && !both {
					continue // too many bits
				}
				edges := edgesOf(p)
				if !both {
					edges = fallsOf(edges)
				}
				for _, r := range decodeAll(newDecoder(t, Options{BothEdges: both}, "raw26"), edges) {
					if r.OK() {
						t.Errorf("%s, both edges %v: %v for %v", name, both, r.Bits, b)
					}
				}
			}
		}
	}
}

func burstAt(p []pulse, at int64, line uint8, n int, every int64) []pulse {
	for i := range int64(n) {
		p = addPulse(p, at+i*every, 5*us, line)
	}
	return p
}

func onlyLine(p []pulse, line uint8) []pulse {
	return slices.DeleteFunc(p, func(q pulse) bool { return q.line != line })
}

// TestRepairs: what is repaired is marked, at every place of the frame.
func TestRepairs(t *testing.T) {
	b := card(t)
	for _, both := range []bool{false, true} {
		for i := range 25 {
			for line := range uint8(2) {
				for _, after := range []int64{300 * us, ms, 1700 * us} {
					p := addPulse(pulsesOf(b, 0), int64(i)*2*ms+after, 5*us, line)
					expectRepair(t, fmt.Sprintf("glitch %d µs after bit %d", after/us, i), p, both, b, RepairGlitch)
				}
			}
			p := pulsesOf(b, 0)
			p[i].width = 2 * us
			p = addPulse(p, p[i].at+6*us, 44*us, p[i].line)
			expectRepair(t, fmt.Sprintf("bounce at bit %d", i), p, both, b, RepairBounce)
		}
	}
}

func expectRepair(t *testing.T, name string, p []pulse, both bool, want Bits, repair Repair) {
	t.Helper()
	edges := edgesOf(p)
	if !both {
		edges = fallsOf(edges)
	}
	reads := decodeAll(newDecoder(t, Options{BothEdges: both}, "H10301"), edges)
	if len(reads) != 1 || reads[0].Bits != want || reads[0].Repaired != repair || reads[0].Count != len(fallsOf(edges)) {
		t.Errorf("%s, both edges %v: %+v, want %s", name, both, reads, repair)
	}
}

// TestNothingOfTheFrameBefore: an exact frame with a bit too many is refused,
// also right after a frame whose extra edge was found by its spacing.
func TestNothingOfTheFrameBefore(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 1))
	f := mustFormat(t, "H10301")
	for range 2000 {
		d := newDecoder(t, Options{}, "H10301")
		b := randomCard(rng, f, &Options{})
		decodeAll(d, fallsOf(edgesOf(glitch(rng, pulsesOf(b, 0), 5*us))))
		longer := randomCard(rng, mustFormat(t, "raw27"), &Options{})
		if r := decodeAll(d, falls(longer, 500*ms, 2*ms)); len(r) != 1 || r[0].OK() {
			t.Fatalf("%v after %v: %+v", longer, b, r)
		}
	}
}

// TestLost: a lost pulse is put back only where asked, inside the frame, alone,
// and where every enabled format that has parity agrees on it.
func TestLost(t *testing.T) {
	b := card(t)
	for i := range 26 {
		edges := fallsOf(edgesOf(lose(pulsesOf(b, 0), i)))
		r := decodeAll(newDecoder(t, Options{}, "H10301"), edges)[0]
		want := FaultInterval
		if i == 0 || i == 25 {
			want = FaultCount
		}
		if r.Fault != want {
			t.Errorf("pulse %d lost: %+v, want %s", i, r, want)
		}
		// The hole beside the first or last bit does not make a stray edge of it, at a shorter card.
		if r = decodeAll(newDecoder(t, Options{}, "H10301", "raw24"), edges)[0]; r.Fault != want {
			t.Errorf("pulse %d lost, raw24 too: %+v, want %s", i, r, want)
		}
		for _, formats := range [][]string{{"H10301"}, {"H10301", "ind26"}, {"raw26", "ind26"}, {"H10301", "raw24"}} {
			r = decodeAll(newDecoder(t, Options{RepairLost: true}, formats...), edges)[0]
			if ok := want == FaultInterval; r.OK() != ok || ok && (r.Bits != b || r.Repaired != RepairLost || r.Format.Raw()) {
				t.Errorf("pulse %d lost, --repair-lost, %v: %+v", i, formats, r)
			}
		}
		if r = decodeAll(newDecoder(t, Options{RepairLost: true}, "raw26"), edges)[0]; r.OK() {
			t.Errorf("pulse %d lost and repaired without parity: %+v", i, r)
		}
		o := Options{RepairLost: true, Accept: []Range{{Facilities: []uint64{1}}}}
		if r = decodeAll(newDecoder(t, o, "H10301"), edges)[0]; r.OK() {
			t.Errorf("pulse %d lost and repaired to another site's card: %+v", i, r)
		}
	}
}

// TestSwapped: the third equal frame that passes only inverted, and no noise
// or good card in between.
func TestSwapped(t *testing.T) {
	b := card(t)
	other := b.Flip(3).Flip(4)
	for _, tt := range []struct {
		frames []Bits
		want   []Fault
	}{
		{[]Bits{b.Invert(), b.Invert(), b.Invert(), b.Invert()}, []Fault{FaultParity, FaultParity, FaultSwapped, FaultSwapped}},
		{[]Bits{b.Invert(), b.Invert(), b, b.Invert()}, []Fault{FaultParity, FaultParity, "", FaultParity}},
		{[]Bits{b.Invert(), other.Invert(), b.Invert(), other.Invert()}, []Fault{FaultParity, FaultParity, FaultParity, FaultParity}},
		{[]Bits{b.Flip(1), b.Flip(1), b.Flip(1)}, []Fault{FaultParity, FaultParity, FaultParity}},
		{[]Bits{b, b, b}, []Fault{"", "", ""}},
		{[]Bits{b.Invert(), BitsFromUint64(1, 25), b.Invert(), b.Invert()}, []Fault{FaultParity, FaultCount, FaultParity, FaultSwapped}},
		{[]Bits{b.Invert(), b.Invert(), b.Flip(1), b.Invert()}, []Fault{FaultParity, FaultParity, FaultParity, FaultParity}},
	} {
		d := newDecoder(t, Options{}, "H10301")
		for i, frame := range tt.frames {
			r := decodeAll(d, falls(frame, int64(i)*500*ms, 2*ms))
			if len(r) != 1 || r[0].Fault != tt.want[i] {
				t.Errorf("frame %d of %v: %+v, want %q", i, tt.frames, r, tt.want[i])
			}
		}
	}
	// Every verified format whose parity shows it.
	for _, f := range SafeFormats() {
		b, err := f.Pack(Fields{Number: 1, Facility: f.fixedFacility})
		if err != nil {
			t.Fatal(err)
		}
		if _, ok := f.Unpack(b.Invert()); ok || !f.Checked() {
			continue
		}
		d := NewDecoder(Options{Formats: []*Format{f}})
		var r []Read
		for i := range int64(3) {
			r = decodeAll(d, falls(b.Invert(), i*500*ms, 2*ms))
		}
		if r[0].Fault != FaultSwapped {
			t.Errorf("%s: %+v", f.Name, r)
		}
	}
}

// TestKeypad: keys are read only where a keypad is enabled, and a card after
// a key is a card.
func TestKeypad(t *testing.T) {
	for mode, bits := range map[string]int{"4bit": 4, "8bit": 8} {
		d := newDecoder(t, Options{Keypad: mode}, "H10301")
		decodeAll(d, falls(card(t), 0, 2*ms)) // the reader is known from here on
		at := 1000 * ms
		for v, key := range []byte("0123456789*#") {
			code := uint64(v)
			if bits == 8 {
				code |= ^uint64(v) << 4 & 0xf0
			}
			edges := falls(BitsFromUint64(code, bits), at, 2*ms)
			edges = append(edges, falls(card(t), edges[bits-1].Time+between(rand.New(rand.NewPCG(1, uint64(v))), 8*ms, 60*ms), 2*ms)...)
			reads := decodeAll(d, edges)
			if len(reads) != 2 || reads[0].Key != key || reads[0].Bits.Len() != bits || reads[1].Bits != card(t) || reads[1].Key != 0 {
				t.Errorf("%s, %c, then a card: %+v", mode, key, reads)
			}
			at += 1000 * ms
		}
		if r := decodeAll(newDecoder(t, Options{}, "H10301"), falls(BitsFromUint64(5, bits), 0, 2*ms)); len(r) != 1 || r[0].OK() {
			t.Errorf("%s is read unasked: %+v", mode, r)
		}
	}
}

// TestKeypadRefuses what is not the code of a key, whatever formats there are of
// that length.
func TestKeypadRefuses(t *testing.T) {
	for mode, codes := range map[string][]uint64{"4bit": {12, 13, 14, 15}, "8bit": {0, 0xff, 0xe0, 0xc2, 0x2d, 0x87 ^ 1}} {
		d := newDecoder(t, Options{Keypad: mode}, "H10301", "raw4", "raw8")
		for i, code := range codes {
			r := decodeAll(d, falls(BitsFromUint64(code, int(mode[0]-'0')), int64(i)*1000*ms, 2*ms))
			if len(r) != 1 || r[0].Fault != FaultParity || r[0].Key != 0 {
				t.Errorf("%s, %x: %+v", mode, code, r)
			}
		}
	}
}

// TestOrderOfFormats: the first that fits is the read's, the others are also.
func TestOrderOfFormats(t *testing.T) {
	edges := falls(card(t), 0, 2*ms)
	for _, tt := range []struct {
		formats []string
		accept  []Range
		want    string
	}{
		{[]string{"H10301", "ind26"}, nil, "H10301"},
		{[]string{"ind26", "H10301"}, nil, "ind26"},
		{[]string{"H10306", "raw26", "H10301"}, nil, "raw26"},
		{[]string{"ind26", "H10301"}, []Range{{Facilities: []uint64{84}}}, "H10301"},
		{[]string{"raw26"}, []Range{{Min: 90001, Max: 7999999, Raw: true}, {Min: 8000001, Max: 9989999, Raw: true}}, ""},
		{[]string{"raw26"}, []Range{{Min: 11072181, Max: 11072181, Raw: true}}, "raw26"},
	} {
		r := decodeAll(newDecoder(t, Options{Accept: tt.accept}, tt.formats...), edges)[0]
		if got := fmt.Sprint(r.Format); r.OK() != (tt.want != "") || r.OK() && got != tt.want {
			t.Errorf("%v: %+v, want %s", tt.formats, r, tt.want)
		}
	}
}

// TestAllFormats: with every verified format enabled, those with parity come
// before those that take anything.
func TestAllFormats(t *testing.T) {
	all := SafeFormats()
	for _, name := range []string{"H10301", "Kastle", "H10306", "C1k35s", "H10302", "C1k48s", "ind27", "ind29"} {
		f := mustFormat(t, name)
		b, err := f.Pack(Fields{Number: 1160})
		if err != nil {
			t.Fatal(err)
		}
		if r := decodeAll(NewDecoder(Options{Formats: all}), falls(b, 0, 2*ms))[0]; r.Format != f {
			t.Errorf("%s is read as %v, %s", name, r.Format, r.Fault)
		}
	}
}

// TestRange: limits are included, facilities belong to the format's number only,
// and a value of more than 64 bits is in no raw range.
func TestRange(t *testing.T) {
	long, err := ParseBits("1" + strings.Repeat("0", 64))
	if err != nil {
		t.Fatal(err)
	}
	v := Fields{Facility: 84, Number: 500}
	for _, tt := range []struct {
		r    Range
		b    Bits
		want bool
	}{
		{Range{}, Bits{}, true},
		{Range{Min: 500, Max: 500}, Bits{}, true},
		{Range{Min: 501}, Bits{}, false},
		{Range{Max: 499}, Bits{}, false},
		{Range{Facilities: []uint64{17, 84}, Max: 500}, Bits{}, true},
		{Range{Facilities: []uint64{17}}, Bits{}, false},
		{Range{Min: 9, Max: 9, Raw: true}, BitsFromUint64(9, 26), true},
		{Range{Min: 10, Raw: true}, BitsFromUint64(9, 26), false},
		{Range{Max: 8, Raw: true}, BitsFromUint64(9, 26), false},
		{Range{Facilities: []uint64{17}, Raw: true}, BitsFromUint64(9, 26), true},
		{Range{Raw: true}, long, false},
	} {
		if got := tt.r.Contains(tt.b, v); got != tt.want {
			t.Errorf("%+v, %s: %v", tt.r, tt.b, got)
		}
	}
}
