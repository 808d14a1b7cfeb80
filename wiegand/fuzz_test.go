package wiegand

import (
	"bytes"
	"encoding/binary"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
)

// fuzzOptions are decoders for the first byte of a fuzz input.
func fuzzOptions(t testing.TB, b byte) Options {
	o := Options{BothEdges: b&1 != 0, RepairLost: b&2 != 0, Keypad: []string{"", "4bit", "8bit", ""}[b>>2&3]}
	names := [][]string{{"H10301"}, {"H10301", "H10306", "C1k35s", "raw128"}, {"raw1", "raw2", "ind27", "2804W"}, {}}[b>>4&3]
	for _, name := range names {
		o.Formats = append(o.Formats, mustFormat(t, name))
	}
	if b>>2&3 == 3 {
		o.Known = Profile{Cards: KnownCards, Even: KnownCards, Shortest: 2 * ms, Longest: 2 * ms, Pause: 40 * ms}
	}
	if b&0x40 != 0 {
		o.Accept = []Range{{Facilities: []uint64{84}}, {Min: 5, Max: 70000, Raw: true}}
	}
	return o
}

// edgesFromBytes makes edges of any bytes, three or eleven an edge: steps of
// time from the size of a glitch to that of a pause, or any time at all.
func edgesFromBytes(data []byte, numbered bool) (edges []Edge) {
	t, seq := int64(0), uint32(math.MaxUint32-10)
	for len(data) >= 3 {
		kind, step := data[0], int64(binary.LittleEndian.Uint16(data[1:]))
		data = data[3:]
		switch kind >> 2 & 7 {
		case 0:
			t += step * 40 // to 2.6 ms
		case 1:
			t += 2*ms + step - 32768
		case 2:
			t += step * 600 // to 39 ms
		case 3:
			t += step / 8 // to 8 µs
		case 4:
			t -= step * 10
		case 5:
			t += 50*us + step/16
		case 6:
			t += 2 * ms
		case 7:
			if len(data) >= 8 && kind&0x40 != 0 {
				t = int64(binary.LittleEndian.Uint64(data))
				data = data[8:]
			}
		}
		seq++
		if kind&0x80 != 0 && step&0xff == 0 {
			seq += uint32(step >> 8)
		}
		e := Edge{Time: t, Line: kind & 1, Rising: kind&2 != 0}
		if numbered {
			e.Seq = seq
		}
		edges = append(edges, e)
	}
	return edges
}

// FuzzDecoder: any edges. No panic, bounded memory, no read without a name,
// and the same reads whether edges come in one batch or one by one.
func FuzzDecoder(f *testing.F) {
	rng := rand.New(rand.NewPCG(1, 1))
	clean := []byte{6 << 2, 0, 0}
	for range 3 {
		f.Add(byte(rng.Uint32()), bytes.Repeat(clean, 26))
	}
	for _, options := range []byte{0, 1, 2, 3, 0x10, 0x20, 0x30, 0x44, 0x1b} {
		data := make([]byte, 600)
		for i := range data {
			data[i] = byte(rng.Uint32())
		}
		f.Add(options, data)
	}
	f.Add(byte(4), bytes.Repeat([]byte{3 << 2, 9, 0}, 2000))
	f.Add(byte('<'), []byte("\xdc000000000\x84\xde0000000000")) // times further apart than an int64 holds
	f.Fuzz(func(t *testing.T, options byte, data []byte) {
		o := fuzzOptions(t, options)
		edges := edgesFromBytes(data, options&0x80 != 0)
		d := NewDecoder(o)
		for _, e := range edges {
			for _, r := range d.Push(e) {
				checkRead(t, d, &r)
			}
			if at, ok := d.Deadline(); ok && at < d.cur.last {
				t.Fatalf("deadline %d is before the last edge at %d", at, d.cur.last)
			}
		}
		if n := len(d.Stats().Worst); n > worstFrames {
			t.Fatalf("%d frames are kept", n)
		}
		if timesRise(edges) {
			compare(t, o, edges, rand.New(rand.NewPCG(2, 2)))
		}
	})
}

// timesRise: Advance may be called only with what its contract promises, that
// every edge up to then was pushed.
func timesRise(edges []Edge) bool {
	for i := 1; i < len(edges); i++ {
		if edges[i].Time <= edges[i-1].Time {
			return false
		}
	}
	return true
}

func checkRead(t *testing.T, d *Decoder, r *Read) {
	t.Helper()
	if r.Count < 1 || r.Bits.Len() > MaxBits || r.End < r.Start && r.Count == 1 {
		t.Fatalf("%+v", r)
	}
	if n := len(d.LastEdges()); n < 1 || n > maxEdges {
		t.Fatalf("%d edges of the last frame", n)
	}
	if !r.OK() {
		if r.Format != nil || r.Key != 0 {
			t.Fatalf("refused, but a card: %+v", r)
		}
		return
	}
	if r.Key != 0 {
		return
	}
	if v, ok := r.Format.Unpack(r.Bits); !ok || v != r.Fields || !d.accepts(r.Bits, v) {
		t.Fatalf("delivered, but no card of the site: %+v", r)
	}
}

// FuzzCustomFormat: a declaration is refused, or makes a format that works.
func FuzzCustomFormat(f *testing.F) {
	f.Add("a", 34, "1-16", "17-32", "", 0, "even", "1-16", 33, 1)
	f.Add("b", 8, "", "0-7", "", 3, "odd", "", 200, 3)
	f.Add("c", 128, "0-63", "64-126", "127", 127, "odd", "0-126", 5, 0)
	f.Fuzz(func(t *testing.T, name string, bits int, facility, number, issue string, at int, kind, covers string, fixed, value int) {
		format, err := NewFormat(CustomFormat{Name: name, Bits: bits, Facility: facility, Number: number, Issue: issue,
			Parity: []CustomParity{{at, kind, covers}}, Fixed: []CustomFixed{{fixed, value}}})
		if err != nil {
			if !strings.Contains(err.Error(), "format ") {
				t.Fatalf("%v names no format", err)
			}
			return
		}
		for _, v := range []Fields{{}, {Number: format.number.max}, {Facility: format.facility.max, Issue: format.issue.max}} {
			b, err := format.Pack(v)
			if err != nil {
				t.Fatal(err)
			}
			if got, ok := format.Unpack(b); !ok || got != v {
				t.Fatalf("%+v packed as %v unpacks as %+v", v, b, got)
			}
			if _, ok := format.Unpack(b.Flip(at)); ok {
				t.Fatalf("%v passes with its parity bit inverted", b)
			}
		}
	})
}

// TestNoiseAllocatesNothing: once the worst frames have their places, any
// noise leaves the memory as it is. What it costs in time is for
// BenchmarkDecodeStorm and BenchmarkDecodeNoisy to say.
func TestNoiseAllocatesNothing(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 5))
	d := newDecoder(t, Options{BothEdges: true, RepairLost: true}, "H10301", "H10306")
	at := int64(0)
	noise := func() {
		for range 20_000 {
			at += between(rng, 1, 1<<rng.IntN(25))
			d.Push(Edge{Time: at, Line: uint8(rng.IntN(2)), Rising: rng.IntN(2) == 0})
		}
	}
	noise()
	if n := testing.AllocsPerRun(20, noise); n > 0 {
		t.Errorf("%v allocations for 20000 edges of noise", n)
	}
}
