package wiegand

import (
	"math"
	"math/rand/v2"
	"testing"
)

// card is H10301 84:31066.
func card(t testing.TB) Bits {
	t.Helper()
	b, err := mustFormat(t, "H10301").Pack(Fields{Facility: 84, Number: 31066})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func newDecoder(t testing.TB, o Options, names ...string) *Decoder {
	t.Helper()
	for _, name := range names {
		o.Formats = append(o.Formats, mustFormat(t, name))
	}
	return NewDecoder(o)
}

// TestClose: a card is answered within three intervals, everything else 25 ms
// after its last edge.
func TestClose(t *testing.T) {
	b := card(t)
	for _, interval := range []int64{200 * us, ms, 2 * ms, 5 * ms, 8 * ms, 20 * ms} {
		d := newDecoder(t, Options{}, "H10301", "H10306")
		edges := falls(b, 7*ms, interval)
		last := edges[len(edges)-1].Time
		for i, e := range edges {
			if r := d.Push(e); len(r) > 0 {
				t.Fatalf("%d µs: closed before edge %d", interval/us, i)
			}
			if at, ok := d.Deadline(); i < 25 && (!ok || at != e.Time+CloseAfter) {
				t.Errorf("%d µs: edge %d closes after %d", interval/us, i, at-e.Time)
			}
		}
		want := last + min(3*interval, CloseAfter)
		if at, ok := d.Deadline(); !ok || at != want {
			t.Errorf("%d µs: closes %d µs after the last bit, want %d", interval/us, (at-last)/us, (want-last)/us)
		}
		if r := d.Advance(want - 1); len(r) > 0 {
			t.Errorf("%d µs: closed early", interval/us)
		}
		if r := d.Advance(want); len(r) != 1 || r[0].Bits != b {
			t.Errorf("%d µs: %+v", interval/us, r)
		}
		if _, ok := d.Deadline(); ok {
			t.Error("a frame is open after the last one closed")
		}
	}
}

// TestCloseUneven: where nothing proves the interval, 25 ms.
func TestCloseUneven(t *testing.T) {
	d := newDecoder(t, Options{}, "H10301")
	rng := rand.New(rand.NewPCG(1, 1))
	at := int64(0)
	for _, e := range falls(card(t), 0, 0) {
		e.Time = at
		d.Push(e)
		at += between(rng, 300*us, 6*ms)
	}
	last := d.cur.last
	if got, _ := d.Deadline(); got != last+CloseAfter {
		t.Errorf("closes %d µs after the last bit, want 25000", (got-last)/us)
	}
}

// TestCloseLearned: once the reader is known, a card with a stray edge before
// it and stamps that are late is answered as fast.
func TestCloseLearned(t *testing.T) {
	d := newDecoder(t, Options{}, "H10301")
	decodeAll(d, falls(card(t), 0, 2*ms))
	d.Push(Edge{Time: 991 * ms})
	for i, e := range falls(card(t), 1000*ms, 2*ms) {
		e.Time += int64(i%9/8) * 400 * us
		d.Push(e)
	}
	last := d.cur.last
	if got, _ := d.Deadline(); got > last+6*ms || got < last+5*ms {
		t.Errorf("closes %d µs after the last bit, want 5000 to 6000", (got-last)/us)
	}
	if r := d.Advance(last + 6*ms); len(r) != 1 || r[0].Bits != card(t) || r[0].Start != 1000*ms {
		t.Errorf("%+v", r)
	}
}

// TestLateAdvance: code that runs late decides like code that runs on time.
func TestLateAdvance(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	f := mustFormat(t, "H10301")
	rows := damages(f)
	for i := range 4000 {
		dm := rows[i%len(rows)]
		p := standardReader.send(rng, randomCard(rng, f, &Options{}), 0)
		if dm.do != nil {
			p = dm.do(rng, p)
		}
		edges := fallsOf(edgesOf(append(p, standardReader.send(rng, randomCard(rng, f, &Options{}), p[len(p)-1].at+between(rng, 10*ms, 60*ms))...)))
		compare(t, Options{Formats: []*Format{f}, RepairLost: i%2 == 0}, edges, rng)
	}
}

// compare decodes edges in one batch, and one by one with Advance called as
// soon as the deadline passes, sometimes at moments in between.
func compare(t *testing.T, o Options, edges []Edge, rng *rand.Rand) {
	t.Helper()
	var batch, single []Read
	d := NewDecoder(o)
	for _, e := range edges {
		batch = append(batch, d.Push(e)...)
	}
	batch = append(batch, d.Advance(math.MaxInt64)...)
	d = NewDecoder(o)
	for i, e := range edges {
		if at, ok := d.Deadline(); ok && at < e.Time {
			single = append(single, d.Advance(at)...)
			single = append(single, d.Advance(between(rng, at, e.Time-1))...)
		}
		single = append(single, d.Push(e)...)
		if i%3 == 0 {
			single = append(single, d.Advance(e.Time)...)
		}
	}
	if at, ok := d.Deadline(); ok {
		single = append(single, d.Advance(at)...)
	}
	if len(batch) != len(single) {
		t.Fatalf("%d reads in one batch, %d one by one\n%v\n%v", len(batch), len(single), batch, single)
	}
	for i := range batch {
		if batch[i] != single[i] {
			t.Fatalf("read %d:\n%+v in one batch\n%+v one by one", i, batch[i], single[i])
		}
	}
}

// TestFastCards: two cards 30 ms apart are two cards, also where the first is
// damaged or the reader has the slowest interval.
func TestFastCards(t *testing.T) {
	b := card(t)
	for _, interval := range []int64{ms, 2 * ms, 20 * ms} {
		first := falls(b, 0, interval)
		second := falls(b, first[25].Time+30*ms, interval)
		if r := decodeAll(newDecoder(t, Options{}, "H10301"), append(first, second...)); len(r) != 2 || !r[0].OK() || !r[1].OK() {
			t.Errorf("%d ms: %+v", interval/ms, r)
		}
		if r := decodeAll(newDecoder(t, Options{}, "H10301"), append(first[:24:24], second...)); len(r) != 2 || r[0].Fault != FaultCount || !r[1].OK() {
			t.Errorf("%d ms, first damaged: %+v", interval/ms, r)
		}
	}
}

// TestRealReader: the timing of a real 34-bit reader, pulses of 350 to 400 µs
// every 2.35 ms, the same card twice 490 ms apart.
func TestRealReader(t *testing.T) {
	b, err := mustFormat(t, "H10306").Pack(Fields{Facility: 17714, Number: 1160})
	if err != nil {
		t.Fatal(err)
	}
	var p []pulse
	at := int64(0)
	for i := range 68 {
		p = append(p, pulse{at, 350*us + int64(i%2)*50*us, b.Bit(i % 34)})
		at += 2350 * us
		if i%19 == 10 {
			at -= 50 * us // the capture's resolution
		}
		if i == 33 {
			at += 490*ms - 2350*us
		}
	}
	for _, both := range []bool{false, true} {
		edges := edgesOf(p)
		if !both {
			edges = fallsOf(edges)
		}
		reads := decodeAll(newDecoder(t, Options{BothEdges: both}, "H10306"), edges)
		for _, r := range reads {
			if !r.OK() || r.Fields != (Fields{Facility: 17714, Number: 1160}) || r.Repaired != "" {
				t.Errorf("%+v", r)
			}
		}
		if len(reads) != 2 {
			t.Errorf("%d reads, want 2", len(reads))
		}
	}
}

// TestOverrun: wherever edges are lost, that card is refused as overrun or for
// its count, and the next one is right.
func TestOverrun(t *testing.T) {
	b := card(t)
	for from := range 26 {
		for n := 1; n <= 26-from; n++ {
			for _, start := range []uint32{1, math.MaxUint32 - 20, math.MaxUint32 - 30} {
				edges := append(falls(b, 0, 2*ms), falls(b, 500*ms, 2*ms)...)
				number(edges, start)
				edges = append(edges[:from:from], edges[from+n:]...)
				reads := decodeAll(newDecoder(t, Options{RepairLost: true}, "H10301"), edges)
				last := reads[len(reads)-1]
				if !last.OK() || last.Start != 500*ms {
					t.Fatalf("%d edges from %d lost, first number %d: the next card is %+v", n, from, start, last)
				}
				if len(reads) == 1 {
					continue // all of the first card was lost
				}
				// The end of a card is known to be lost only when the next comes.
				overrun := false
				for _, r := range reads[:len(reads)-1] {
					if r.OK() {
						t.Errorf("%d edges from %d lost: %+v", n, from, r)
					}
					overrun = overrun || r.Fault == FaultOverrun
				}
				if !overrun && from > 0 && from+n < 26 {
					t.Errorf("%d edges from %d lost, first number %d: no overrun", n, from, start)
				}
			}
		}
	}
}

// TestOverrunHead: edges lost before a card's first may be its head.
func TestOverrunHead(t *testing.T) {
	edges := number(append(falls(card(t), 0, 2*ms), falls(card(t), 500*ms, 2*ms)...), 1)
	for i := 26; i < 52; i++ {
		edges[i].Seq += 6
	}
	reads := decodeAll(newDecoder(t, Options{}, "H10301"), edges)
	if len(reads) != 2 || !reads[0].OK() || reads[1].Fault != FaultOverrun {
		t.Errorf("%+v", reads)
	}
}

// TestSequenceWraps: the kernel's number goes from its highest to 0.
func TestSequenceWraps(t *testing.T) {
	for k := range uint32(30) {
		reads := decodeAll(newDecoder(t, Options{}, "H10301"), number(falls(card(t), 0, 2*ms), math.MaxUint32-k))
		if len(reads) != 1 || !reads[0].OK() {
			t.Errorf("from %d: %+v", math.MaxUint32-k, reads)
		}
	}
}

// TestTimeGoesBack: late stamps may be out of order; a clock that jumps is a
// new frame.
func TestTimeGoesBack(t *testing.T) {
	edges := falls(card(t), 1000*ms, 2*ms)
	edges[10].Time += 1600 * us
	if r := decodeAll(newDecoder(t, Options{}, "H10301"), edges); len(r) != 1 || !r[0].OK() {
		t.Errorf("late stamps: %+v", r)
	}
	edges = append(falls(card(t), 1000*ms, 2*ms), falls(card(t), 0, 2*ms)...)
	if r := decodeAll(newDecoder(t, Options{}, "H10301"), edges); len(r) != 2 || !r[0].OK() || !r[1].OK() {
		t.Errorf("the clock jumps back: %+v", r)
	}
	edges = falls(card(t), math.MaxInt64-51*ms, 2*ms)
	if r := decodeAll(newDecoder(t, Options{}, "H10301"), edges); len(r) != 1 || !r[0].OK() {
		t.Errorf("the end of time: %+v", r)
	}
	edges = falls(card(t), math.MinInt64, 2*ms)
	if r := decodeAll(newDecoder(t, Options{}, "H10301"), edges); len(r) != 1 || !r[0].OK() {
		t.Errorf("the beginning of time: %+v", r)
	}
}

// TestStorm: an unending storm is reported once a second; a card in it, or
// right after it, is refused, and the next one is right.
func TestStorm(t *testing.T) {
	for _, step := range []int64{us, 10 * us, 500 * us, 2 * ms, 20 * ms} {
		d := newDecoder(t, Options{}, "H10301")
		var reads []Read
		at := int64(0)
		for ; at < 10_000*ms; at += step {
			reads = append(reads, d.Push(Edge{Time: at, Line: uint8(at / step % 2)})...)
		}
		reads = append(reads, decodeAll(d, falls(card(t), at, 2*ms))...)
		for _, r := range reads {
			if r.Fault != FaultNoise {
				t.Errorf("every %d µs: %+v", step/us, r)
			}
		}
		if n := len(reads); n < 3 || n > 12 {
			t.Errorf("every %d µs for 10 s: %d reads", step/us, n)
		}
		if r := decodeAll(d, falls(card(t), at+1000*ms, 2*ms)); len(r) != 1 || !r[0].OK() {
			t.Errorf("after the storm: %+v", r)
		}
	}
}
