package wiegand

import (
	"math/rand/v2"
	"testing"
)

// TestPause: a reader that pauses inside its cards is known from the third such
// card on, and kept so.
func TestPause(t *testing.T) {
	f := mustFormat(t, "H10301")
	rng := rand.New(rand.NewPCG(1, 2))
	pausing := func(b Bits, at, long int64, after int) (edges []Edge) {
		edges = falls(b, at, 2*ms)
		for i := after; i < len(edges); i++ {
			edges[i].Time += long
		}
		return edges
	}
	d := newDecoder(t, Options{}, "H10301")
	at := int64(0)
	for i, tt := range []struct {
		long  int64
		after int
		want  bool
	}{
		{30 * ms, 13, false}, {55 * ms, 8, false}, {40 * ms, 20, false}, {30 * ms, 13, true}, {45 * ms, 1, true}, {45 * ms, 25, true}, {0, 1, true},
		{70 * ms, 13, false}, {60 * ms, 13, true}, {70 * ms, 4, true}, {75 * ms, 22, true}, {90 * ms, 13, false},
	} {
		b := randomCard(rng, f, &Options{})
		at += 1e9
		reads := decodeAll(d, pausing(b, at, tt.long, tt.after))
		if got := len(reads) == 1 && reads[0].OK() && reads[0].Bits == b && reads[0].Start == at && reads[0].End == at+50*ms+tt.long; got != tt.want {
			t.Errorf("card %d, %+v: %+v", i, tt, reads)
		}
	}
	p, news := d.Learned()
	if !news || p.Pause != 72*ms {
		t.Errorf("pause %d ms, %v", p.Pause/ms, news)
	}
	d = newDecoder(t, Options{Known: Profile{Pause: 40 * ms}}, "H10301")
	b := card(t)
	for name, edges := range map[string][]Edge{
		"after a restart": pausing(b, 1e9, 40*ms, 9),
		"a glitch in it":  with(pausing(b, 2e9, 40*ms, 9), 4, ms, 0),
		"a stray before":  append([]Edge{{Time: 3e9 - 45*ms}}, falls(b, 3e9, 2*ms)...),
	} {
		if r := decodeAll(d, edges); len(r) != 1 || r[0].Bits != b || !r[0].OK() {
			t.Errorf("%s: %+v", name, r)
		}
	}
	lost := func(at int64) []Edge { e := pausing(b, at, 40*ms, 9); return append(e[:8:8], e[9:]...) }
	twice := pausing(b, 4e9, 40*ms, 9)
	for i := 18; i < 26; i++ {
		twice[i].Time += 30 * ms
	}
	for name, edges := range map[string][]Edge{
		"two pauses": twice, "a bit lost at it": lost(5e9), "one lost, one added": with(lost(6e9), 3, ms, 0),
		"a changed bit": pausing(b.Flip(3), 7e9, 40*ms, 9), "two ends of cards": append(falls(b, 8e9, 2*ms)[9:], falls(b, 8e9+90*ms, 2*ms)[17:]...),
	} {
		for _, r := range decodeAll(d, edges) {
			if r.OK() {
				t.Errorf("%s: %+v", name, r)
			}
		}
	}
}

// TestPauseOfLongerCards: a card that may go on after a pause is waited for, and
// not taken for a shorter one.
func TestPauseOfLongerCards(t *testing.T) {
	d := newDecoder(t, Options{Known: Profile{Pause: 40 * ms}}, "H10301", "raw34")
	long, err := mustFormat(t, "H10306").Pack(Fields{Facility: 5, Number: 6})
	if err != nil {
		t.Fatal(err)
	}
	for i, b := range []Bits{card(t).join(BitsFromUint64(0x5a, 8)), long, card(t)} {
		edges := falls(b, int64(i)*1e9, 2*ms)
		for j := 26; j < len(edges); j++ {
			edges[j].Time += 40 * ms
		}
		if r := decodeAll(d, edges); len(r) != 1 || r[0].Bits != b || !r[0].OK() {
			t.Errorf("card %d: %+v", i, r)
		}
	}
}

// TestNoPause: cards that are cut short teach no pause.
func TestNoPause(t *testing.T) {
	f := mustFormat(t, "H10301")
	rng := rand.New(rand.NewPCG(1, 2))
	d := newDecoder(t, Options{}, "H10301")
	for i := range int64(300) {
		b, other := randomCard(rng, f, &Options{}), randomCard(rng, f, &Options{})
		n := 4 + rng.IntN(18)
		decodeAll(d, append(falls(b, i*1e9, 2*ms)[:n:n], falls(other, i*1e9+100*ms, 2*ms)[rng.IntN(22):]...))
	}
	if p := d.known.clone(); p.Pause != 0 {
		t.Errorf("a pause of %d ms", p.Pause/ms)
	}
}
