package wiegand

import (
	"cmp"
	"slices"
	"testing"
)

// TestThin: which falls may be left out so that even intervals remain. The lines
// alternate unless they are given; the first is the best fit.
func TestThin(t *testing.T) {
	for _, tt := range []struct {
		name, pattern string
		extra         int
		want          [][]int
	}{
		{"exact", "25*100", 1, nil},
		{"within the slack", "10*100 112 88 13*100", 1, nil},
		{"a split", "10*100 40 60 14*100", 1, [][]int{{11}}},
		{"a split in the first interval", "40 60 24*100", 1, [][]int{{1}}},
		{"a split in the last interval", "24*100 40 60", 1, [][]int{{25}}},
		{"either may be the bit, the second fits better", "10*100 5 95 14*100", 1, [][]int{{11}, {10}}},
		{"either may be the bit, the first fits better", "10*100 95 5 14*100", 1, [][]int{{11}, {12}}},
		{"two on a bit", "4*100 5 5 90 4*100", 1, nil},
		{"two splits, one to be left out", "5*100 40 60 5*100 40 60 10*100", 1, nil},
		{"a split and a hole", "5*100 40 60 5*100 200 10*100", 1, nil},
		{"a hole", "10*100 200 13*100", 1, nil},
		{"after the last", "25*100 30", 1, [][]int{{26}}},
		{"before the first", "30 25*100", 1, [][]int{{0}}},
		{"well after the last", "25*100 175", 1, [][]int{{26}}},
		{"well before the first", "175 25*100", 1, [][]int{{0}}},
		{"where one more bit would be", "25*100 120", 1, nil},
		{"where one more bit would be, early", "25*100 80", 1, nil},
		{"where one bit before would be", "120 25*100", 1, nil},
		{"late inside, and one after the last", "5*100 120 80 18*100", 1, nil},
		{"two splits", "5*100 40 60 5*100 40 60 10*100", 2, [][]int{{6, 13}}},
		{"one split in three", "10*100 30 30 40 14*100", 2, [][]int{{11, 12}}},
		{"both lines in an interval", "10*100 40 0 60 14*100", 2, [][]int{{11, 12}}},
		{"both lines on a bit", "10*100 5 0 95 14*100", 2, [][]int{{11, 12}, {10, 11}, {10, 12}}},
		{"one split, two to be left out", "10*100 40 60 14*100", 2, nil},
		{"exact, two to be left out", "27*100", 2, nil},
		{"both after the last", "25*100 30 0", 2, [][]int{{26, 27}}},
		{"both well after the last", "25*100 160 0", 2, [][]int{{26, 27}}},
		{"both well before the first", "0 160 25*100", 2, [][]int{{0, 1}}},
		{"before and after", "30 25*100 160", 2, [][]int{{0, 27}}},
		{"where two more bits would be", "25*100 120 110", 2, nil},
		{"two splits and a hole", "5*100 40 60 5*100 40 60 3*100 200 6*100", 2, nil},
	} {
		var w workspace
		w.search = search{tr: spaced(t, 2*ms, tt.pattern, ""), interval: 2 * ms, slack: 2 * ms / 8}
		w.thin(removal{}, tt.extra)
		found := w.search.found[:w.search.n]
		slices.SortStableFunc(found, func(a, b removal) int { return cmp.Compare(a.fit, b.fit) })
		var got [][]int
		for _, f := range found {
			got = append(got, f.out[:f.n])
		}
		if !slices.EqualFunc(got, tt.want, slices.Equal) {
			t.Errorf("%s: %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestTellsApart(t *testing.T) {
	h10301, defcon := mustFormat(t, "H10301"), mustFormat(t, "Defcon32")
	b := card(t)
	long, err := defcon.Pack(Fields{Facility: 5, Number: 6})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		f    *Format
		a, b Bits
		want bool
	}{
		{h10301, b, b, true}, {h10301, b, b.Flip(0), true}, {h10301, b, b.Flip(25), true}, {h10301, b, b.Flip(3).Flip(20), false},
		{defcon, long, long.Flip(2), true}, {defcon, long, long.Flip(3), false}, {defcon, long.Flip(3), long.Flip(5), false},
	} {
		if got := tellsApart(tt.f, tt.a, tt.b); got != tt.want {
			t.Errorf("%s, %v and %v: %v", tt.f, tt.a, tt.b, got)
		}
	}
}

// TestSettled: what repeats on a line within reach of its pulse goes; the other
// line's does not, and a pulse is a pulse again when it comes later.
func TestSettled(t *testing.T) {
	tr := train{{Time: 0}, {Time: 60}, {Time: 100}, {Time: 150}, {Time: 160, Line: 1}, {Time: 165}, {Time: 170, Line: 1}, {Time: 271, Line: 1}}
	var w workspace
	want := train{tr[0], tr[3], tr[4], tr[5], tr[6], tr[7]}
	if got := tr.settled(&w, 100); !slices.Equal(got, want) {
		t.Errorf("%+v\nwant %+v", got, want)
	}
}

// repaired decodes a train with some formats and returns its one read.
func repaired(t *testing.T, o Options, tr train, formats ...string) Read {
	t.Helper()
	reads := decodeAll(newDecoder(t, o, formats...), tr)
	if len(reads) != 1 {
		t.Fatalf("%d reads: %+v", len(reads), reads)
	}
	return reads[0]
}

// with puts one more edge into a train, so long after fall i.
func with(tr train, i int, after int64, line uint8) train {
	tr = append(slices.Clone(tr), Edge{Time: tr[i].Time + after, Line: line})
	sortEdges(tr)
	return tr
}

// TestWithoutExtra: an extra edge is removed only where that is certain.
func TestWithoutExtra(t *testing.T) {
	b := card(t)
	exact := train(falls(b, 0, 2*ms))
	other := func(i int) uint8 { return 1 - b.Bit(i) }
	for _, tt := range []struct {
		name    string
		tr      train
		formats []string
		want    Repair
		fault   Fault
	}{
		{"between bits", with(exact, 7, 900*us, 0), []string{"H10301"}, RepairGlitch, ""},
		{"just after a bit, its line", with(exact, 7, 20*us, b.Bit(7)), []string{"H10301"}, RepairBounce, ""},
		{"a little later, its line", with(exact, 7, 21*us, b.Bit(7)), []string{"H10301"}, RepairGlitch, ""},
		{"just after a bit, the other line", with(exact, 7, 5*us, other(7)), []string{"H10301"}, RepairGlitch, ""},
		{"with a bit, the other line", with(exact, 7, 3*us, other(7)), []string{"H10301"}, "", FaultCollision},
		{"just after a bit, no parity", with(exact, 7, 20*us, other(7)), []string{"raw26"}, "", FaultInterval},
		{"between bits, no parity", with(exact, 7, 900*us, 0), []string{"raw26"}, RepairGlitch, ""},
		{"the parity is wrong", with(falls(b.Flip(3), 0, 2*ms), 7, 900*us, 0), []string{"H10301"}, "", FaultInterval},
		{"one more bit", train(falls(BitsFromUint64(1, 27), 0, 2*ms)), []string{"H10301"}, "", FaultCount},
		{"two", with(with(exact, 7, 900*us, 0), 12, 900*us, 0), []string{"H10301"}, RepairGlitch, ""},
		{"three", with(with(with(exact, 7, 900*us, 0), 12, 900*us, 0), 19, 900*us, 0), []string{"H10301"}, "", FaultInterval},
		{"both lines between bits", with(with(exact, 7, 900*us, 0), 7, 900*us, 1), []string{"H10301"}, RepairGlitch, ""},
		{"both lines, no parity", with(with(exact, 7, 900*us, 0), 7, 900*us, 1), []string{"raw26"}, RepairGlitch, ""},
		{"both lines beside a bit", with(with(exact, 7, 100*us, 0), 7, 100*us, 1), []string{"H10301"}, RepairGlitch, ""},
		{"both lines beside a bit, no parity", with(with(exact, 7, 100*us, 0), 7, 100*us, 1), []string{"raw26"}, "", FaultCollision},
		{"both lines with a bit", with(with(exact, 7, 0, 0), 7, us, 1), []string{"H10301"}, "", FaultCollision},
		{"two, each beside a bit of the other line", with(with(exact, 7, 50*us, other(7)), 14, 50*us, other(13)), []string{"H10301"}, "", FaultInterval},
		{"of nine", with(falls(BitsFromUint64(5, 8), 0, 2*ms), 7, 3500*us, 0), []string{"raw8"}, "", FaultCount},
		{"of ten", with(falls(BitsFromUint64(5, 9), 0, 2*ms), 8, 3500*us, 0), []string{"raw9"}, RepairGlitch, ""},
		{"far after the last", with(exact, 25, 3500*us, 0), []string{"H10301"}, RepairGlitch, ""},
		{"far after the last, or 28 bits that lost one", with(exact, 25, 4*ms, 0), []string{"H10301", "raw28"}, "", FaultInterval},
		{"well after the last, and 28 bits are a card", with(exact, 25, 3500*us, 0), []string{"H10301", "raw28"}, RepairGlitch, ""},
		{"far after the last, and 29 bits are not a card", with(exact, 25, 4*ms, 0), []string{"H10301", "raw29"}, RepairGlitch, ""},
		{"of a fast reader that jitters", with(spaced(t, 400*us, "8*92 9*100 8*108", b.String()), 7, 150*us, 0), []string{"H10301"}, "", FaultCount},
		{"between bits, and 28 bits are a card", with(exact, 7, 900*us, 0), []string{"H10301", "raw28"}, RepairGlitch, ""},
	} {
		r := repaired(t, Options{}, tt.tr, tt.formats...)
		if r.Repaired != tt.want || r.Fault != tt.fault || tt.want != "" && tt.name[:2] != "of" && r.Bits != b || r.OK() == (r.Format == nil) {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
}

// TestWithoutBounce: repeats are removed where a frame shows contacts that
// bounce, within a quarter of an even reader's interval.
func TestWithoutBounce(t *testing.T) {
	b := card(t)
	bounced := func(tr train, after int64, at ...int) train {
		for _, i := range at {
			tr = append(slices.Clone(tr), Edge{Time: int64(i)*2*ms + after, Line: b.Bit(i)})
		}
		sortEdges(tr)
		return tr
	}
	exact := train(falls(b, 0, 2*ms))
	uneven := train(falls(b, 0, 0))
	for i := range uneven {
		uneven[i].Time = int64(i)*2*ms + int64(i*i%7)*230*us
	}
	slurred := func(tr train, after int64, at ...int) train {
		for _, i := range at {
			tr = append(slices.Clone(tr), Edge{Time: uneven[i].Time + after, Line: b.Bit(i)})
		}
		sortEdges(tr)
		return tr
	}
	for _, tt := range []struct {
		name    string
		tr      train
		formats []string
		want    Repair
		fault   Fault
	}{
		{"twice, 50 µs", bounced(exact, 50*us, 3, 9), []string{"H10301"}, RepairBounce, ""},
		{"twice, 99 µs", bounced(exact, 99*us, 3, 9), []string{"H10301"}, RepairBounce, ""},
		{"twice, 300 µs, and none sooner", bounced(exact, 300*us, 3, 9), []string{"H10301"}, RepairGlitch, ""},
		{"one soon, others within a quarter", bounced(bounced(exact, 50*us, 3), 499*us, 9, 15), []string{"H10301"}, RepairBounce, ""},
		{"one soon, others later than a quarter", bounced(bounced(exact, 50*us, 3), 550*us, 9, 15), []string{"H10301"}, "", FaultInterval},
		{"no parity", bounced(exact, 50*us, 3, 9), []string{"raw26"}, RepairBounce, ""},
		{"the parity is wrong", bounced(falls(b.Flip(3), 0, 2*ms), 50*us, 9, 12), []string{"H10301"}, "", FaultInterval},
		{"one bit too many is left", bounced(exact, 50*us, 3, 9), []string{"raw25"}, "", FaultInterval},
		{"a lost bit too", slices.Delete(bounced(exact, 50*us, 3, 9), 20, 21), []string{"raw25"}, "", FaultInterval},
		{"uneven, 50 µs", slurred(uneven, 50*us, 3, 9), []string{"H10301"}, RepairBounce, ""},
		{"uneven, and 20 bits are a card", slurred(uneven, 50*us, 3, 9), []string{"H10301", "raw20"}, RepairBounce, ""},
		{"uneven, others within a quarter", slurred(slurred(uneven, 50*us, 3), 400*us, 9, 15), []string{"H10301"}, "", FaultCount},
		{"uneven, both lines together", slurred(with(slices.Delete(slices.Clone(uneven), 20, 21), 12, 2*us, 1-b.Bit(12)), 50*us, 3, 9), []string{"raw26"}, "", FaultCollision},
	} {
		r := repaired(t, Options{}, tt.tr, tt.formats...)
		if r.Repaired != tt.want || r.Fault != tt.fault || tt.want != "" && r.Bits != b {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
}

// TestWithLostIsAlone: a lost pulse is put back only where nothing else is wrong.
func TestWithLostIsAlone(t *testing.T) {
	b := card(t)
	exact := train(falls(b, 0, 2*ms))
	without := func(tr train, i int) train { return slices.Delete(slices.Clone(tr), i, i+1) }
	late := func(tr train, i int, by int64) train {
		tr = slices.Clone(tr)
		tr[i].Time += by
		return tr
	}
	h10301 := []string{"H10301"}
	for _, tt := range []struct {
		name    string
		tr      train
		formats []string
		ok      bool
	}{
		{"alone", without(exact, 9), h10301, true},
		{"and one end late", late(without(exact, 9), 24, 700*us), h10301, false},
		{"and a late stamp beside it", late(without(exact, 9), 9, 700*us), h10301, false},
		{"and later than a lost bit explains", late(without(exact, 24), 24, 900*us), h10301, false},
		{"and a late stamp elsewhere", late(without(exact, 9), 15, 700*us), h10301, false},
		{"and all after it is late", spaced(t, 2*ms, "8*100 245 15*100", b.String()[:9]+b.String()[10:]), h10301, false},
		{"the last, and one interval is longer", spaced(t, 2*ms, "12*100 133 11*100", b.String()[:25]), h10301, false},
		{"and a stray edge", append(train{{Time: -9 * ms}}, without(exact, 9)...), h10301, false},
		{"and another one", without(without(exact, 9), 14), []string{"raw24", "H10301"}, false},
		{"no format of its length", without(exact, 9), []string{"H10306", "raw24"}, false},
		{"two formats disagree", without(exact, 9), []string{"H10301", "odd26"}, false},
		{"two formats agree", without(exact, 9), []string{"H10301", "ind26"}, true},
		{"the second can't tell", without(exact, 9), []string{"H10301", "raw26"}, true},
		{"only the second can tell", without(exact, 9), []string{"raw26", "H10306", "H10301"}, true},
	} {
		o := Options{RepairLost: true}
		for _, name := range tt.formats {
			o.Formats = append(o.Formats, lostFormat(t, name))
		}
		r := decodeAll(NewDecoder(o), tt.tr)[0]
		if r.OK() != tt.ok || tt.ok && (r.Bits != b || r.Repaired != RepairLost || r.Format.Name == "raw26") {
			t.Errorf("%s: %+v", tt.name, r)
		}
	}
	// Keys that lost a bit are not a card, also where cards have as many bits: one
	// of 8 bits, or two of 4.
	short, err := NewFormat(CustomFormat{Name: "short", Bits: 8, Number: "1-7", Parity: []CustomParity{{Bit: 0, Kind: "even", Covers: "1-7"}}})
	if err != nil {
		t.Fatal(err)
	}
	key := without(train(falls(BitsFromUint64(0xb4, 8), 0, 2*ms)), 4)
	for keypad, ok := range map[string]bool{"": true, "4bit": false, "8bit": false} {
		r := decodeAll(NewDecoder(Options{RepairLost: true, Keypad: keypad, Formats: []*Format{short}}), key)[0]
		if r.OK() != ok {
			t.Errorf("keypad %q: %+v", keypad, r)
		}
	}
}

// lostFormat is a known format, or odd26: H10301 with the other parity.
func lostFormat(t *testing.T, name string) *Format {
	t.Helper()
	if name != "odd26" {
		return mustFormat(t, name)
	}
	f, err := NewFormat(CustomFormat{Name: name, Bits: 26, Facility: "1-8", Number: "9-24", Parity: []CustomParity{
		{Bit: 0, Kind: "odd", Covers: "1-12"}, {Bit: 25, Kind: "odd", Covers: "13-24"}}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}
