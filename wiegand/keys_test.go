package wiegand

import (
	"testing"
	"time"

	"pgregory.net/rapid"
)

// pressed are the falls of keys, one after another.
func pressed(t testing.TB, keys, keypad string, interval, pause time.Duration) (edges []Edge) {
	t.Helper()
	at := int64(time.Second)
	for i := range len(keys) {
		b, err := KeyBits(keys[i], keypad)
		if err != nil {
			t.Fatal(err)
		}
		for j := range b.Len() {
			if j > 0 {
				at += int64(interval)
			} else if i > 0 {
				at += int64(pause)
			}
			edges = append(edges, Edge{Time: at, Line: b.Bit(j)})
		}
	}
	return edges
}

// keysOf are the keys that a decoder makes of edges, and the faults in brackets.
func keysOf(d *Decoder, edges []Edge) (text string) {
	note := func(reads []Read) {
		for i := range reads {
			switch r := &reads[i]; {
			case r.Key != 0:
				text += string(r.Key)
			case r.OK():
				text += "<" + r.Format.Name + ":" + r.Bits.Decimal() + ">"
			default:
				text += "(" + string(r.Fault) + ")"
			}
		}
	}
	for _, e := range edges {
		note(d.Push(e))
	}
	if at, open := d.Deadline(); open {
		note(d.Advance(at))
	}
	return text
}

func keyDecoder(t testing.TB, keypad string, names ...string) *Decoder {
	t.Helper()
	var list []*Format
	for _, name := range names {
		f, err := FormatByName(name)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, f)
	}
	return NewDecoder(Options{Formats: list, Keypad: keypad, RepairLost: true})
}

// Keys that come faster than a frame closes are keys all the same: four within
// 20 ms, in both forms, and as slowly as a person types.
func TestKeyBursts(t *testing.T) {
	const us = time.Microsecond
	for _, keypad := range []string{"4bit", "8bit"} {
		for _, pause := range []time.Duration{1500 * us, 3 * time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 24 * time.Millisecond, time.Second} {
			for _, interval := range []time.Duration{300 * us, 500 * us, time.Millisecond, 2 * time.Millisecond} {
				d := keyDecoder(t, keypad, "H10301", "H10306", "H10302")
				want := "1234"
				if 2*pause < 3*interval {
					want = "" // no pause at all: see TestNoKeysWithoutPauses
				}
				if got := keysOf(d, pressed(t, "1234", keypad, interval, pause)); want != "" && got != want {
					t.Errorf("%s, %v apart, %v pause: %s", keypad, interval, pause, got)
				}
				if s := d.Stats(); want != "" && (s.Reads != 4 || len(s.Faults) != 0) {
					t.Errorf("%s, %v apart, %v pause: %+v", keypad, interval, pause, s)
				}
			}
		}
	}
	// Each key has its own times.
	d := keyDecoder(t, "4bit", "H10301")
	edges := pressed(t, "7#", "4bit", time.Millisecond, 9*time.Millisecond)
	for _, e := range edges {
		d.Push(e)
	}
	at, _ := d.Deadline()
	reads := d.Advance(at)
	if len(reads) != 2 || reads[0].Start != edges[0].Time || reads[0].End != edges[3].Time || reads[1].Start != edges[4].Time || reads[1].End != edges[7].Time {
		t.Errorf("%+v", reads)
	}
}

// Evenly spaced bits are no keys, though their number would allow it.
func TestNoKeysWithoutPauses(t *testing.T) {
	for _, keypad := range []string{"4bit", "8bit"} {
		if got := keysOf(keyDecoder(t, keypad, "H10301"), pressed(t, "1234", keypad, 2*time.Millisecond, 2*time.Millisecond)); got[0] != '(' {
			t.Errorf("%s: %s", keypad, got)
		}
	}
	if got := keysOf(keyDecoder(t, "", "H10301"), pressed(t, "1234", "4bit", 2*time.Millisecond, 10*time.Millisecond)); got[0] != '(' {
		t.Errorf("without a keypad: %s", got)
	}
}

func TestKeyBits(t *testing.T) {
	for key, want := range map[byte]string{'0': "0000", '9': "1001", '*': "1010", '#': "1011"} {
		if b, err := KeyBits(key, "4bit"); err != nil || b.String() != want {
			t.Errorf("%c: %s, %v", key, b, err)
		}
	}
	if b, err := KeyBits('5', "8bit"); err != nil || b.String() != "10100101" {
		t.Errorf("8 bits: %s, %v", b, err)
	}
	for _, tt := range []struct {
		key  byte
		form string
	}{{'a', "4bit"}, {'1', ""}, {'1', "6bit"}} {
		if _, err := KeyBits(tt.key, tt.form); err == nil {
			t.Errorf("%c, %s", tt.key, tt.form)
		}
	}
}

// A card at a reader with keys is a card or is refused, whatever pulses it loses
// or gains: never keys. Keys of any kind, damaged in any way, are never a card.
func TestKeysAreNoCards(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		keypad := rapid.SampledFrom([]string{"4bit", "8bit"}).Draw(r, "keypad")
		d := keyDecoder(t, keypad, "H10301", "H10306", "raw32", "raw16")
		interval := rapid.Int64Range(300, 3000).Draw(r, "interval") * 1000
		card := rapid.Bool().Draw(r, "card")
		var edges []Edge
		if card {
			at := int64(time.Second)
			for range rapid.SampledFrom([]int{26, 34, 32, 16, 24}).Draw(r, "bits") {
				edges = append(edges, Edge{Time: at, Line: uint8(rapid.IntRange(0, 1).Draw(r, "bit"))})
				at += interval + rapid.Int64Range(-interval/16, interval/16).Draw(r, "jitter")
			}
		} else {
			keys := rapid.StringMatching(`[0-9*#]{2,10}`).Draw(r, "keys")
			pause := rapid.Int64Range(interval*3/2, 24e6).Draw(r, "pause")
			edges = pressed(t, keys, keypad, time.Duration(interval), time.Duration(pause))
		}
		for range rapid.IntRange(0, 3).Draw(r, "lost") {
			i := rapid.IntRange(0, len(edges)-1).Draw(r, "at")
			if len(edges) > 4 {
				edges = append(edges[:i:i], edges[i+1:]...)
			}
		}
		got := keysOf(d, edges)
		for _, c := range got {
			switch {
			case card && c >= '0' && c <= '9' && got[0] != '<' && got[0] != '(':
				r.Fatalf("a card became the keys %s", got)
			case !card && c == '<':
				r.Fatalf("keys became %s", got)
			}
		}
	})
}

// Bursts allocate nothing once there was one.
func TestBurstAllocates(t *testing.T) {
	d := keyDecoder(t, "4bit", "H10301")
	edges := pressed(t, "1234567890", "4bit", time.Millisecond, 8*time.Millisecond)
	feed := func() {
		for _, e := range edges {
			d.Push(e)
		}
		at, _ := d.Deadline()
		d.Advance(at)
	}
	feed()
	if n := testing.AllocsPerRun(100, feed); n > 0 {
		t.Errorf("%v allocations a burst", n)
	}
}
