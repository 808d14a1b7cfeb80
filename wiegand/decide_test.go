package wiegand

import (
	"slices"
	"strings"
	"testing"
)

// uneven is the spacing of a reader that proves nothing, in percent of its
// median: 25 intervals.
const uneven = "70 130 95 160 60 115 145 80 100 165 55 120 90 150 65 110 135 75 105 155 85 140 60 125 100"

// frameOf is a card on a spacing in percent of T.
func frameOf(t *testing.T, b Bits, T int64, pattern string) train {
	t.Helper()
	return spaced(t, T, pattern, b.String())
}

// moved is tr without fall i, and with a fall so long after fall j: the length
// is kept.
func moved(tr train, i, j int, after int64, line uint8) train {
	at := tr[j].Time + after
	tr = append(slices.Delete(slices.Clone(tr), i, i+1), Edge{Time: at, Line: line})
	sortEdges(tr)
	return tr
}

// TestSuspect: a frame of the right length is not a card where some of its edges
// can't be the card's.
func TestSuspect(t *testing.T) {
	b := card(t)
	other := 1 - b.Bit(12)
	slow, fast := frameOf(t, b, 2*ms, uneven), frameOf(t, b, 400*us, uneven)
	for _, tt := range []struct {
		name string
		tr   train
		want Fault
	}{
		{"slow", slow, ""},
		{"slow, both lines together", moved(slow, 4, 12, 3*us, other), FaultCollision},
		{"slow, the other line soon after", moved(slow, 4, 12, 4*us, other), FaultCollision},
		{"slow, two soon after each other", moved(slow, 4, 12, 60*us, other), FaultInterval},
		{"slow, two soon after each other on one line", moved(slow, 4, 12, 60*us, b.Bit(12)), FaultInterval},
		{"slow, a little later", moved(slow, 4, 12, 101*us, other), ""},
		{"fast", fast, ""},
		{"fast, both lines together", moved(fast, 4, 12, 3*us, other), FaultCollision},
		{"fast, two soon after each other", moved(fast, 4, 12, 60*us, other), FaultInterval},
		{"even, both lines together", frameOf(t, b, 2*ms, "12*100 150 0 11*100"), FaultCollision},
		{"even, it hesitates", frameOf(t, b, 2*ms, "11*100 133 13*100"), ""},
	} {
		if r := repaired(t, Options{}, tt.tr, "raw26"); r.Fault != tt.want {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
}

// TestSuspectWidths: in an uneven frame a pulse unlike the others is not the
// card's, if there are no pulses in between.
func TestSuspectWidths(t *testing.T) {
	b := card(t)
	for _, tt := range []struct {
		name   string
		widths []int64 // of the first pulses; the others are 50 µs
		want   Fault
	}{
		{"alike", nil, ""},
		{"within 30 %", []int64{65 * us, 35 * us}, ""},
		{"a glitch", []int64{12 * us}, FaultWidth},
		{"not so narrow", []int64{13 * us}, ""},
		{"five times as wide", []int64{251 * us}, FaultWidth},
		{"not so wide", []int64{250 * us}, ""},
		{"a glitch and one in between", []int64{5 * us, 70 * us}, ""},
		{"a glitch, and a fifth in between", []int64{5 * us, 70 * us, 70 * us, 70 * us, 70 * us, 70 * us}, ""},
	} {
		var pulses []pulse
		for i, e := range frameOf(t, b, 2*ms, uneven) {
			p := pulse{e.Time, 50 * us, e.Line}
			if i < len(tt.widths) {
				p.width = tt.widths[i]
			}
			pulses = append(pulses, p)
		}
		if r := repaired(t, Options{BothEdges: true}, train(edgesOf(pulses)), "raw26"); r.Fault != tt.want {
			t.Errorf("%s: %+v", tt.name, r)
		}
		if r := repaired(t, Options{}, train(edgesOf(pulses)), "raw26"); !r.OK() {
			t.Errorf("%s, falling edges: %+v", tt.name, r)
		}
	}
}

// TestBlame: where several faults apply, the first; a fast reader's late stamps
// are none.
func TestBlame(t *testing.T) {
	b := card(t)
	exact := train(falls(b, 0, 2*ms))
	wrong, fast := train(falls(b.Flip(3), 0, 2*ms)), train(falls(b.Flip(3), 0, 200*us))
	slur := frameOf(t, b, 2*ms, uneven)
	oneLine := func(n int, every int64) (tr train) {
		for i := range n {
			tr = append(tr, Edge{Time: int64(i) * every, Line: 1})
		}
		return tr
	}
	mixed := func(n int, every int64) train {
		tr := oneLine(n, every)
		tr[n/2].Line = 0
		return tr
	}
	for _, tt := range []struct {
		name string
		tr   train
		want Fault
	}{
		{"one edge", oneLine(1, ms), FaultNoise},
		{"two edges", mixed(2, 5*ms), FaultNoise},
		{"three edges", mixed(3, 5*ms), FaultCount},
		{"50 Hz", oneLine(8, 20*ms), FaultNoise},
		{"60 Hz", oneLine(8, 16_667*us), FaultNoise},
		{"65 Hz", oneLine(8, 15_400*us), FaultCount},
		{"47 Hz", oneLine(8, 21_100*us), FaultCount},
		{"50 Hz on both lines", mixed(8, 20*ms), FaultCount},
		{"a burst on two lines", mixed(12, 30*us), FaultNoise},
		{"a burst of both lines", mixed(12, 9*us), FaultCollision},
		{"5 µs after a bit", with(wrong, 9, 5*us, 1-b.Bit(9)), FaultCollision},
		{"5 µs after a fast bit", with(fast, 9, 5*us, 1-b.Bit(9)), FaultInterval},
		{"two crowded", with(with(exact, 9, 50*us, 1-b.Bit(9)), 17, 50*us, 1-b.Bit(15)), ""},
		{"three crowded", with(with(with(exact, 9, 50*us, 1-b.Bit(9)), 17, 50*us, 1-b.Bit(15)), 4, 50*us, 1-b.Bit(4)), FaultNoise},
		{"three crowded, fast", with(with(with(fast, 9, 50*us, 1-b.Bit(9)), 17, 50*us, 1-b.Bit(15)), 4, 50*us, 1-b.Bit(4)), FaultNoise},
		{"strays that are together", append(train{{Time: -9 * ms}, {Time: -9*ms + 2*us, Line: 1}}, falls(b.Flip(3), 0, 2*ms)...), FaultCollision},
		{"strays that are crowded", append(train{{Time: -9 * ms}, {Time: -9*ms + 30*us}, {Time: -9*ms + 60*us}}, with(falls(b.Flip(3), 0, 2*ms), 9, 50*us, 0)...), FaultNoise},
		{"uneven, a bit changed", frameOf(t, b.Flip(3), 2*ms, uneven), FaultParity},
		{"uneven, a bit lost", slices.Delete(slices.Clone(slur), 9, 10), FaultCount},
	} {
		if r := repaired(t, Options{}, tt.tr, "H10301"); r.Fault != tt.want {
			t.Errorf("%s: %+v, want %s", tt.name, r, tt.want)
		}
	}
	prefix := Options{Accept: []Range{{Min: 1, Max: 2}}}
	for _, tt := range []struct {
		b       Bits
		formats string
		want    Fault
	}{
		{b, "H10301", FaultPrefix}, {b, "H10306 H10301", FaultPrefix}, {b, "H10301 H10306", FaultPrefix},
		{b.Flip(3), "raw26 H10301", FaultPrefix}, {b.Flip(3), "H10301 raw26", FaultPrefix}, {b.Flip(3), "H10306 H10301", FaultParity},
	} {
		for _, tr := range []train{falls(tt.b, 0, 2*ms), frameOf(t, tt.b, 2*ms, uneven)} {
			if r := repaired(t, prefix, tr, strings.Fields(tt.formats)...); r.Fault != tt.want {
				t.Errorf("%v as %s: %+v", tt.b, tt.formats, r)
			}
		}
	}
}

// TestStrays: edges apart from the card are cut off, also of a reader that is
// uneven, and are not in Start and End. A frame that is refused keeps them.
func TestStrays(t *testing.T) {
	b := card(t)
	for _, spacing := range []string{"25*100", uneven} {
		tr := frameOf(t, b, 2*ms, spacing)
		start, end := tr[0].Time, tr[25].Time
		before, after := Edge{Time: start - 9*ms, Line: 1}, Edge{Time: end + 5900*us, Line: 1}
		damaged := frameOf(t, b.Flip(3), 2*ms, spacing)
		for _, tt := range []struct {
			name       string
			tr         train
			want       Fault
			start, end int64
		}{
			{"none", tr, "", start, end},
			{"before", append(train{before}, tr...), "", start, end},
			{"after", append(slices.Clone(tr), after), "", start, end},
			{"both", append(append(train{before}, tr...), after), "", start, end},
			{"both, of a damaged card", append(append(train{before}, damaged...), after), FaultCount, before.Time, after.Time},
			{"four", append(append(train{before}, tr...), after, after, after), FaultCount, before.Time, after.Time},
		} {
			if tt.name == "four" && spacing != uneven {
				tt.want = FaultInterval
			}
			if r := repaired(t, Options{}, tt.tr, "H10301"); r.Fault != tt.want || r.Start != tt.start || r.End != tt.end || tt.want == "" && r.Bits != b {
				t.Errorf("%s, %.6s: %+v", tt.name, spacing, r)
			}
		}
	}
	slur := frameOf(t, b, 2*ms, uneven)
	tr := append(train{{Time: slur[0].Time - 9*ms}}, moved(slur, 4, 12, 2*us, 1-b.Bit(12))...)
	if r := repaired(t, Options{}, tr, "raw26"); r.Fault != FaultCollision {
		t.Errorf("a stray, and both lines together: %+v", r)
	}
}

// TestStrayEnd: with both edges a card ends when its last pulse does, also where
// a stray edge before it was cut off.
func TestStrayEnd(t *testing.T) {
	b := card(t)
	r := repaired(t, Options{BothEdges: true}, edgesOf(append(pulsesOf(b, 0), pulse{-9 * ms, 50 * us, 0})), "H10301")
	if !r.OK() || r.Start != 0 || r.End != 50*ms+50*us {
		t.Errorf("%+v", r)
	}
}

// TestOneBit: a format of one bit has no interval, however many edges come, and
// one edge is noise.
func TestOneBit(t *testing.T) {
	for n := 1; n < 30; n++ {
		reads := decodeAll(newDecoder(t, Options{RepairLost: true}, "raw1"), spaced(t, 2*ms, uneven, "")[:min(n, 26)])
		if len(reads) != 1 || reads[0].OK() {
			t.Errorf("%d edges: %+v", n, reads)
		}
	}
}

// TestNothingToRepair: a frame of the right length whose even spacing proves one
// bit an edge is not made another card; one that proves nothing may be.
func TestNothingToRepair(t *testing.T) {
	b := card(t)
	if r := repaired(t, Options{}, frameOf(t, b.Flip(3), 2*ms, "24*100 130"), "H10301", "raw25"); r.Fault != FaultParity {
		t.Errorf("a late last bit was removed: %+v", r)
	}
	short := b.String()[:9] + b.String()[10:]
	tr := spaced(t, 400*us, strings.TrimSuffix(uneven, " 100"), short)
	tr = append(tr, Edge{Time: tr[2].Time + 20*us, Line: tr[2].Line})
	sortEdges(tr)
	if r := repaired(t, Options{}, tr, "H10301", "raw25"); r.Repaired != RepairBounce || r.Bits.String() != short {
		t.Errorf("a bounce makes up the length of another format: %+v", r)
	}
}

// TestLearn: only even cards teach the reader's interval.
func TestLearn(t *testing.T) {
	b := card(t)
	for _, tt := range []struct {
		name string
		tr   train
		want int64
	}{
		{"even", falls(b, 0, 2*ms), 2 * ms},
		{"uneven", frameOf(t, b, 2*ms, uneven), 0},
		{"faster than readers are", frameOf(t, b, 100*us, "6*97 100 5*97 100 5*97 100 6*97"), 0},
		{"refused", falls(b.Flip(3), 0, 2*ms), 0},
		{"a key", falls(BitsFromUint64(5, 4), 0, 3*ms), 0},
	} {
		d := newDecoder(t, Options{Keypad: "4bit"}, "H10301")
		if r := decodeAll(d, tt.tr); len(r) != 1 || r[0].OK() != (tt.name != "refused") || d.interval != tt.want {
			t.Errorf("%s: learned %d, %+v", tt.name, d.interval, r)
		}
	}
}
