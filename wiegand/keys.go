package wiegand

import (
	"fmt"
	"strings"
)

// keyNames are the keys of a keypad by their value.
const keyNames = "0123456789*#"

// keypads are the values of Options.Keypad, and how many bits a key has.
var keypads = map[string]int{"4bit": 4, "8bit": 8}

// KeyBits is the frame of a key, '0' to '9', '*' or '#', in a form of
// Options.Keypad.
func KeyBits(key byte, keypad string) (Bits, error) {
	v, n := strings.IndexByte(keyNames, key), keypads[keypad]
	if v < 0 || n == 0 {
		return Bits{}, fmt.Errorf("a keypad of %q has no key %q", keypad, key)
	}
	if n == 8 {
		v |= (v ^ 0xf) << 4
	}
	return Bits{lo: uint64(v), n: uint8(n)}, nil
}

// key is the key that the bits from i on are.
func (d *Decoder) key(b Bits) (key byte, ok bool) {
	v := b.lo & 0xf
	if int(v) >= len(keyNames) || d.keyBits == 8 && b.lo>>4 != v^0xf {
		return 0, false
	}
	return keyNames[v], true
}

// burst splits a frame in the keys that came faster than frames close: groups of
// a key's bits, each evenly spaced, with a pause between them that is longer than
// any interval within. A card has no such pauses. torn says that the frame is such
// keys with some damage: they are refused together, and never a card. The reads are
// valid until the next call.
func (d *Decoder) burst(f *frame) (keys []Read, torn bool) {
	n, bits := len(f.falls), d.keyBits
	if bits == 0 || n <= bits || f.lost || f.storm {
		return nil, false
	}
	iv := d.work.intervalsOf(f.falls)
	if !f.falls.grouped(d.work.quantile(iv, len(iv)/2), bits) {
		return nil, false
	}
	if n%bits != 0 {
		return nil, true
	}
	d.keys = d.keys[:0]
	for i := 0; i < n; i += bits {
		group := f.falls[i : i+bits]
		r := Read{Start: group[0].Time, End: group[bits-1].Time, Bits: group.bits(), Count: bits}
		r.Interval = (r.End - r.Start) / int64(bits-1)
		var ok bool
		if r.Key, ok = d.key(r.Bits); !ok || i > 0 && 2*(r.Start-f.falls[i-1].Time) < 3*r.Interval {
			return nil, true
		}
		d.keys = append(d.keys, r)
	}
	return d.keys, false
}

// grouped reports whether pauses part the edges in groups of at most that many,
// evenly spaced. median is that of the intervals.
func (tr train) grouped(median int64, most int) bool {
	run, groups, inside, even := 1, 1, 0, 0
	for i := 1; i < len(tr); i++ {
		gap := tr[i].Time - tr[i-1].Time
		if 2*gap >= 3*median {
			run, groups = 1, groups+1
			continue
		}
		inside++
		if off := gap - median; max(off, -off) <= median/4 {
			even++
		}
		if run++; run > most {
			return false
		}
	}
	return groups > 1 && median >= minInterval && even*5 >= inside*4
}
