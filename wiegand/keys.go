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

// burst splits a frame in the keys that a person typed faster than frames close:
// groups of a key's bits, each evenly spaced, with a pause between them that is
// longer than any interval within. A card has no such pauses, and a damaged one
// would have to have lost a bit at every one of them, and none besides. It returns
// nil for everything else. The reads are valid until the next call.
func (d *Decoder) burst(f *frame) []Read {
	n, bits := len(f.falls), d.keyBits
	if bits == 0 || n < 2*bits || n%bits != 0 || f.lost || f.storm {
		return nil
	}
	within, between := int64(0), int64(1)<<62
	for i := 1; i < n; i++ {
		if gap := f.falls[i].Time - f.falls[i-1].Time; i%bits == 0 {
			between = min(between, gap)
		} else if within = max(within, gap); gap < minInterval {
			return nil
		}
	}
	if 2*between < 3*within {
		return nil
	}
	d.keys = d.keys[:0]
	for i := 0; i < n; i += bits {
		group := f.falls[i : i+bits]
		r := Read{Start: group[0].Time, End: group[bits-1].Time, Bits: group.bits(), Count: bits, Interval: within}
		var ok bool
		if r.Key, ok = d.key(r.Bits); !ok {
			return nil
		}
		d.keys = append(d.keys, r)
	}
	return d.keys
}
