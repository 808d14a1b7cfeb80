package wiegand

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"testing"
)

// showing is one card shown: when it begins, and how it is sent.
type showing struct {
	at      int64 // in ms
	bits    Bits
	T       int64
	spacing string // in percent of T
	want    Fault
}

func showAll(t *testing.T, d *Decoder, name string, showings []showing) {
	t.Helper()
	for i, s := range showings {
		tr := frameOf(t, s.bits, s.T, s.spacing)
		for j := range tr {
			tr[j].Time += s.at * ms
		}
		if r := decodeAll(d, tr); len(r) != 1 || r[0].Fault != s.want || r[0].OK() && r[0].Bits != s.bits || !r[0].OK() && r[0].Format != nil {
			t.Errorf("%s, showing %d: %+v, want %q", name, i, r, s.want)
		}
	}
}

const (
	exactly = "25*100"
	// chancy is a spacing that chance has: its intervals vary by 80 % of their mean.
	// wild is one that chance hardly has: by 45 %.
	wild   = "30 170 60 150 45 120 180 90 35 140 155 40 110 165 70 50 130 175 60 100 145 40 85 160 115"
	chancy = "20 310 40 25 180 90 15 60 240 35 110 30 70 20 150 45 280 25 55 95 30 200 65 10 85"
)

// knownReader is a decoder that knows a reader of 2 ms a bit.
func knownReader(t *testing.T) *Decoder {
	t.Helper()
	d := newDecoder(t, Options{}, "H10301", "H10306")
	for i := range int64(KnownCards) {
		decodeAll(d, falls(card(t), i*1000*ms-100e9, 2*ms))
	}
	if p := d.known.clone(); !p.Known() || p.Even != KnownCards || p.Shortest != 2*ms || p.Longest != 2*ms || !reflect.DeepEqual(p.Bits, []int{26}) {
		t.Fatalf("%+v", p)
	}
	return d
}

// TestBelieved: what looks like chance, or unlike this reader, is believed when
// the same bits come again within 10 s.
func TestBelieved(t *testing.T) {
	b := card(t)
	other := b.Flip(3).Flip(4)
	long, err := mustFormat(t, "H10306").Pack(Fields{Facility: 5, Number: 6})
	if err != nil {
		t.Fatal(err)
	}
	even34 := "33*100"
	for _, tt := range []struct {
		name     string
		known    bool
		showings []showing
	}{
		{"even", false, []showing{{0, b, 2 * ms, exactly, ""}}},
		{"chance, again", false, []showing{{0, b, 2 * ms, chancy, FaultNoise}, {1000, b, 2 * ms, chancy, ""}}},
		{"chance, again just in time", false, []showing{{0, b, 2 * ms, chancy, FaultNoise}, {10_000, b, 2 * ms, chancy, ""}}},
		{"chance, again too late", false, []showing{{0, b, 2 * ms, chancy, FaultNoise}, {10_100, b, 2 * ms, chancy, FaultNoise}, {11_000, b, 2 * ms, chancy, ""}}},
		{"chance, other bits", false, []showing{{0, b, 2 * ms, chancy, FaultNoise}, {1000, other, 2 * ms, chancy, FaultNoise}, {2000, b, 2 * ms, chancy, FaultNoise}}},
		{"chance, then even", false, []showing{{0, b, 2 * ms, chancy, FaultNoise}, {1000, b, 2 * ms, exactly, ""}}},
		{"chance, and a good card between", false, []showing{{0, b, 2 * ms, chancy, FaultNoise}, {1000, other, 2 * ms, exactly, ""}, {2000, b, 2 * ms, chancy, ""}}},
		{"regular", false, []showing{{0, b, 2 * ms, uneven, ""}}},
		{"known, even", true, []showing{{0, b, 2 * ms, exactly, ""}}},
		{"known, other bits and length", true, []showing{{0, other, 2 * ms, exactly, ""}, {1000, long, 2 * ms, even34, ""}}},
		{"known, regular", true, []showing{{0, b, 2 * ms, wild, FaultNoise}, {1000, b, 2 * ms, wild, ""}}},
		{"known, a little faster", true, []showing{{0, b, 1601 * us, exactly, ""}}},
		{"known, faster", true, []showing{{0, b, 1599 * us, exactly, FaultNoise}, {1000, b, 1599 * us, exactly, ""}}},
		{"known, a little slower", true, []showing{{0, b, 2499 * us, exactly, ""}}},
		{"known, slower", true, []showing{{0, b, 2501 * us, exactly, FaultNoise}, {1000, b, 2501 * us, exactly, ""}}},
		{"known, another reader", true, []showing{
			{0, b, ms, exactly, FaultNoise}, {1000, b, ms, exactly, ""}, // it is believed as often as it comes
			{2000, b, ms, exactly, ""}, {3000, b, ms, exactly, ""}, {4000, other, ms, exactly, ""}, {5000, b, 2 * ms, exactly, ""},
		}},
		{"known, another reader now and then", true, []showing{
			{0, b, ms, exactly, FaultNoise}, {1000, b, ms, exactly, ""}, {2000, b, 2 * ms, exactly, ""},
			{3000, b, ms, exactly, ""}, {4000, b, ms, exactly, ""}, {5000, other, ms, exactly, FaultNoise},
		}},
	} {
		d := newDecoder(t, Options{}, "H10301", "H10306")
		if tt.known {
			d = knownReader(t)
		}
		showAll(t, d, tt.name, tt.showings)
	}
}

// TestNotBelieved: edges that are all of one line are nobody's card, however
// often they come.
func TestNotBelieved(t *testing.T) {
	d := newDecoder(t, Options{}, "raw26")
	ones := BitsFromUint64(1<<26-1, 26)
	for i := range int64(4) {
		showAll(t, d, "one line", []showing{{i * 1000, BitsFromUint64(0, 26), 2 * ms, chancy, FaultNoise}})
		showAll(t, d, "the other", []showing{{i*1000 + 500, ones, 2 * ms, chancy, FaultNoise}})
	}
}

// TestLearned: what is worth keeping comes a few times in a reader's life, and a
// decoder goes on from it.
func TestLearned(t *testing.T) {
	d := newDecoder(t, Options{BothEdges: true}, "H10301")
	rng := rand.New(rand.NewPCG(3, 3))
	var kept []Profile
	for i := range int64(3 * KnownCards) {
		p := reader{width: 50*us + i%2*us, interval: 2*ms + i%10*us}.send(rng, card(t), i*1e9)
		if i%7 == 3 {
			p = lose(p, 9) // no good card
		}
		decodeAll(d, edgesOf(p))
		if p, news := d.Learned(); news {
			kept = append(kept, p)
		}
	}
	want := Profile{Cards: KnownCards, Even: KnownCards, Shortest: 2 * ms, Longest: 2*ms + 9*us, Narrowest: 50 * us, Widest: 51 * us, Bits: []int{26}}
	if len(kept) != 5 || !reflect.DeepEqual(kept[4], want) {
		t.Fatalf("kept %d times: %+v", len(kept), kept)
	}
	raw, err := json.Marshal(kept[4])
	if err != nil {
		t.Fatal(err)
	}
	var o Options
	if err := json.Unmarshal(raw, &o.Known); err != nil {
		t.Fatal(err)
	}
	showAll(t, newDecoder(t, o, "H10301"), "after a restart", []showing{{0, card(t), ms, exactly, FaultNoise}, {1000, card(t), 2 * ms, exactly, ""}})
	// A new one is learned from its first confirmed card on, again kept at once.
	d = newDecoder(t, o, "H10301")
	for i := range int64(4) {
		decodeAll(d, falls(card(t), i*1e9, 5*ms))
	}
	if p, news := d.Learned(); !news || p.Cards != 1 || p.Shortest != 5*ms {
		t.Errorf("a new reader: %+v, %v", p, news)
	}
}

// TestProfileFromAFile: what can't have been learned is not believed.
func TestProfileFromAFile(t *testing.T) {
	good := Profile{Cards: 50, Even: 50, Shortest: 2 * ms, Longest: 2 * ms, Bits: []int{26}}
	for name, change := range map[string]func(*Profile){
		"cards": func(p *Profile) { p.Cards = 51 }, "no cards": func(p *Profile) { p.Cards = -1 }, "even": func(p *Profile) { p.Even = 51 },
		"negative even": func(p *Profile) { p.Even = -1 }, "order": func(p *Profile) { p.Shortest++ }, "negative": func(p *Profile) { p.Shortest = -1 },
		"long": func(p *Profile) { p.Longest = 26 * ms }, "widths": func(p *Profile) { p.Narrowest = 1 }, "negative width": func(p *Profile) { p.Narrowest = -1 },
		"pause": func(p *Profile) { p.Pause = 101 * ms }, "negative pause": func(p *Profile) { p.Pause = -1 }, "bits": func(p *Profile) { p.Bits = []int{0} },
	} {
		bad := good.clone()
		change(&bad)
		if got := newDecoder(t, Options{Known: bad}, "H10301").known.clone(); !reflect.DeepEqual(got, Profile{}) {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := newDecoder(t, Options{Known: good}, "H10301").known.clone(); !reflect.DeepEqual(got, good) {
		t.Errorf("%+v", got)
	}
}

// TestShape: what tells a reader from chance.
func TestShape(t *testing.T) {
	for _, tt := range []struct {
		name, pattern string
		T             int64
		want          shape
	}{
		{"exact", exactly, 2 * ms, shapeEven},
		{"a little uneven", uneven, 2 * ms, shapeRegular},
		{"wild", wild, 2 * ms, shapeRegular},
		{"chance", chancy, 2 * ms, shapeChance},
		{"few, uneven", "70 130 95 160 60 115 145 80 100 165 55 120 90 150 65 110 135 75 105", 2 * ms, shapeChance},
		{"closer than readers send", wild, 80 * us, shapeChance},
		{"late stamps", "110 105 85 150 60 95 130 70 90 160 60 80 110 115 75 120 105 100 150 50 100 110 70 130 105", 200 * us, shapeEven},
		{"late stamps, slow", "110 105 85 150 60 95 130 70 90 160 60 80 110 115 75 120 105 100 150 50 100 110 70 130 105", 2 * ms, shapeRegular},
		{"late by an interval, the next behind it", "120 80 100 130 75 100 205 40 55 125 70 110 90 125 80 100 120 90 75 130 80 120 85 105 95", 200 * us, shapeEven},
		{"a pulse lost and one added", "120 80 100 130 75 100 205 100 90 125 70 110 45 55 125 70 110 90 125 80 100 120 90 75 130", 200 * us, shapeChance},
	} {
		var w workspace
		tr := spaced(t, tt.T, tt.pattern, "")
		tm := w.measure(tr, len(tr))
		if got := w.shapeOf(tr, &tm); got != tt.want {
			t.Errorf("%s: %d, variance %.3f, %+v", tt.name, got, tr.variance(), tm)
		}
	}
}
