package wiegand

import (
	"encoding/json"
	"slices"
	"testing"
)

func TestStats(t *testing.T) {
	b := card(t)
	d := newDecoder(t, Options{BothEdges: true}, "H10301")
	at := int64(0)
	send := func(p []pulse) {
		for i := range p {
			p[i].at += at
		}
		decodeAll(d, edgesOf(p))
		at += 500 * ms
	}
	for range 3 {
		send(pulsesOf(b, 0))
	}
	send(lose(pulsesOf(b, 0), 3))
	send(lose(pulsesOf(b, 0), 4))
	send(lose(pulsesOf(b, 0), 25))
	s := d.Stats()
	if s.Reads != 3 || s.Faults[FaultInterval] != 2 || s.Faults[FaultCount] != 1 || len(s.Faults) != 2 {
		t.Errorf("%+v", s)
	}
	if len(s.Worst) != 3 || len(s.Worst[0].Edges) != 50 || s.Worst[0].Edges[0] != (Edge{Time: 1500 * ms}) {
		t.Errorf("worst %+v", s.Worst)
	}
	send(addPulse(pulsesOf(b, 0), 21*ms, 5*us, 1))
	if s := d.Stats(); s.Reads != 4 {
		t.Errorf("%+v", s)
	}
}

// TestWorstFrames: a hundred cut frames do not push out the one of another
// kind, and the worst of a kind stay.
func TestWorstFrames(t *testing.T) {
	b := card(t)
	d := newDecoder(t, Options{}, "H10301")
	at := int64(0)
	send := func(edges []Edge) {
		for i := range edges {
			edges[i].Time += at
		}
		decodeAll(d, edges)
		at += 500 * ms
	}
	send(falls(b.Flip(3), 0, 2*ms))
	for i := range 100 {
		send(falls(b, 0, 2*ms)[:4+i%22])
	}
	worst := d.Stats().Worst
	if len(worst) != worstFrames || !slices.ContainsFunc(worst, func(w BadFrame) bool { return w.Read.Fault == FaultParity }) {
		t.Fatalf("%d frames: %+v", len(worst), worst)
	}
	for _, w := range worst {
		if n := len(w.Edges); w.Read.Fault == FaultCount && n > 8 {
			t.Errorf("a frame of %d edges is kept, and frames of 4 are not", n)
		}
	}
	if len(worst[0].Edges) != 4 || worst[0].Read.Bits.Len() != 4 {
		t.Errorf("the worst is %+v", worst[0].Read)
	}
}

// TestLastEdges are those of the frame that the read came from.
func TestLastEdges(t *testing.T) {
	for _, both := range []bool{false, true} {
		d := newDecoder(t, Options{BothEdges: both}, "H10301")
		edges := edgesOf(pulsesOf(card(t), 0))
		if !both {
			edges = fallsOf(edges)
		}
		for _, e := range edges {
			d.Push(e)
		}
		if r := d.Push(Edge{Time: 500 * ms}); len(r) != 1 || !slices.Equal(d.LastEdges(), edges) {
			t.Errorf("both edges %v: %v, %v", both, r, d.LastEdges())
		}
	}
}

// TestRecord: every key is there, in the order that scripts see; what is
// unknown is null.
func TestRecord(t *testing.T) {
	h10301 := mustFormat(t, "H10301")
	b := card(t)
	for _, tt := range []struct {
		name  string
		edges []Edge
		opts  Options
		want  string
	}{
		{"a card", falls(b, 0, 2*ms), Options{},
			`{"start_ns":0,"end_ns":50000000,"bits":"00101010001111001010110101","count":26,"ok":true,"format":"H10301","also":["ind26"],"facility":84,"number":31066,"raw":"11072181","fault":null,"repaired":null}`},
		{"a bit too few", falls(b, 0, 2*ms)[:25], Options{},
			`{"start_ns":0,"end_ns":48000000,"bits":"0010101000111100101011010","count":25,"ok":false,"format":null,"also":[],"facility":null,"number":null,"raw":"5536090","fault":"count","repaired":null}`},
		{"repaired", fallsOf(edgesOf(addPulse(pulsesOf(b, 0), 21*ms, 5*us, 1))), Options{},
			`{"start_ns":0,"end_ns":50000000,"bits":"00101010001111001010110101","count":26,"ok":true,"format":"H10301","also":["ind26"],"facility":84,"number":31066,"raw":"11072181","fault":null,"repaired":"glitch"}`},
		{"a key", falls(BitsFromUint64(10, 4), 0, 2*ms), Options{Keypad: "4bit"},
			`{"start_ns":0,"end_ns":6000000,"bits":"1010","count":4,"ok":true,"format":null,"also":[],"facility":null,"number":null,"raw":"10","fault":null,"repaired":null,"key":"*"}`},
	} {
		tt.opts.Formats = []*Format{h10301}
		r := decodeAll(NewDecoder(tt.opts), tt.edges)[0]
		got, err := json.Marshal(NewRecord(&r, tt.opts.Formats))
		if err != nil || string(got) != tt.want {
			t.Errorf("%s: %v\n%s, want\n%s", tt.name, err, got, tt.want)
		}
	}
}
