package wiegand

import (
	"fmt"
	"math/bits"
)

// A Format says which bits of a frame mean what. Formats are data: the known
// ones are in the table of formats.go, a site's own are made by NewFormat.
// A Format must not be changed once it is made.
type Format struct {
	Name string
	// Len is the number of bits of a frame, 1 to MaxBits.
	Len int

	cards  string // genuine cards that it reads as they are printed; "": unverified
	source string // where the table comes from; "": proxmark3
	doubt  string // what is doubtful, or where this table differs from others
	// The fields of a card. A field without bits is not in the format.
	facility, number, issue, oem field
	parity                       []parity // computed in this order when a frame is packed
	fixed                        []fixed  // the bits that are the same on every card

	fixedFacility uint64 // the only facility of the format, 0 for any
	defaultOEM    uint64 // what an OEM of 0 is packed as
	bcd           bool   // Number is binary coded decimal, four bits a digit
	xorBytes      int    // the last 8 bits are the exclusive or of so many leading bytes
	raw           bool   // all bits are the number, and nothing is checked
	uid           bool   // the number is a tag's serial number, which people read in hex

	fixedMask, fixedBits Bits
	covered              Bits // the bits that a parity bit covers, parity bits included
}

// field is a number within a frame.
type field struct {
	bits []int // places in the frame, most significant first; 0 is the first bit sent
	// max is the largest number that is packed. Larger ones are still read,
	// because the limits of some formats are hearsay.
	max uint64

	shift uint // distance of the last bit from the frame's end
	run   bool // the places are consecutive and rise
}

// parity is one parity bit and what it covers.
type parity struct {
	bit    int   // its place
	odd    bool  // the count of ones, parity bit included, is odd; else even
	covers []int // places, without bit

	mask Bits // covers and bit
}

// fixed is a bit that has the same value on every card of a format.
type fixed struct {
	bit   int
	value uint8
}

// Fields are the numbers of a card.
type Fields struct{ Facility, Number, Issue, OEM uint64 }

// Largest are the largest facility and number that fit in a card's fields.
func (f *Format) Largest() (v Fields) {
	_, v.Facility = mask(len(f.facility.bits))
	_, v.Number = mask(len(f.number.bits))
	return v
}

// HasFacility reports whether cards of this format have a facility code.
func (f *Format) HasFacility() bool { return len(f.facility.bits) > 0 }

// Raw reports whether f takes any frame of its length unchecked, as "raw26".
func (f *Format) Raw() bool { return f.raw }

// Checked reports whether f has any parity or checksum: whether a changed bit
// has a chance to be seen.
func (f *Format) Checked() bool { return len(f.parity) > 0 || f.xorBytes > 0 }

// String is the name.
func (f *Format) String() string { return f.Name }

// covers reports whether a parity bit covers the bit at place i, so that a
// single change of it is certain to be seen.
func (f *Format) covers(i int) bool { return f.covered.Bit(i) == 1 }

// Pack makes the frame of a card. It fails when a number is larger than its
// field's Max, or given for a field that the format does not have.
func (f *Format) Pack(v Fields) (Bits, error) {
	b := f.fixedBits
	if f.fixedFacility != 0 && v.Facility != f.fixedFacility {
		return Bits{}, fmt.Errorf("%s: facility %d: the format has facility %d only", f.Name, v.Facility, f.fixedFacility)
	}
	if v.OEM == 0 {
		v.OEM = f.defaultOEM
	}
	for _, p := range []struct {
		name  string
		field *field
		value uint64
	}{{"facility", &f.facility, v.Facility}, {"number", &f.number, v.Number}, {"issue", &f.issue, v.Issue}, {"oem", &f.oem, v.OEM}} {
		switch {
		case p.value == 0:
		case len(p.field.bits) == 0:
			return Bits{}, fmt.Errorf("%s has no %s", f.Name, p.name)
		case p.value > p.field.max:
			return Bits{}, fmt.Errorf("%s: %s %d is larger than %d", f.Name, p.name, p.value, p.field.max)
		case f.bcd:
			p.value = toBCD(p.value)
		}
		p.field.put(&b, p.value)
	}
	return f.seal(b), nil
}

// seal puts parity and checksum into a frame that has none yet.
func (f *Format) seal(b Bits) Bits {
	for i := range f.parity {
		if p := &f.parity[i]; !p.holds(b) {
			b = b.Flip(p.bit)
		}
	}
	if f.xorBytes > 0 {
		b.lo |= f.checksum(b)
	}
	return b
}

// Unpack reads the numbers of a frame. ok is false when the length is wrong
// or a check fails: parity, checksum, fixed bits, decimal digits.
func (f *Format) Unpack(b Bits) (v Fields, ok bool) {
	if b.Len() != f.Len || !f.check(b) {
		return Fields{}, false
	}
	v = Fields{f.facility.get(b), f.number.get(b), f.issue.get(b), f.oem.get(b)}
	if f.fixedFacility != 0 && v.Facility != f.fixedFacility {
		return Fields{}, false
	}
	if f.bcd {
		if v.Number, ok = fromBCD(v.Number); !ok {
			return Fields{}, false
		}
	}
	return v, true
}

func (f *Format) check(b Bits) bool {
	if b.hi&f.fixedMask.hi != f.fixedBits.hi || b.lo&f.fixedMask.lo != f.fixedBits.lo {
		return false
	}
	for i := range f.parity {
		if !f.parity[i].holds(b) {
			return false
		}
	}
	return f.xorBytes == 0 || f.checksum(b) == b.lo&0xff
}

// checksum is the exclusive or of the leading bytes. Only frames of at most
// 64 bits have one.
func (f *Format) checksum(b Bits) (sum uint64) {
	for i := range f.xorBytes {
		sum ^= b.lo >> (f.Len - 8 - 8*i) & 0xff
	}
	return sum
}

// holds reports whether the count of ones is odd or even as it must be.
func (p *parity) holds(b Bits) bool {
	return bits.OnesCount64(b.hi&p.mask.hi^b.lo&p.mask.lo)&1 == 1 == p.odd
}

func (fl *field) get(b Bits) (v uint64) {
	if fl.run {
		return b.window(fl.shift, len(fl.bits))
	}
	for _, i := range fl.bits {
		v = v<<1 | uint64(b.Bit(i))
	}
	return v
}

func (fl *field) put(b *Bits, v uint64) {
	for i, place := range fl.bits {
		if b.Bit(place) != uint8(v>>(len(fl.bits)-1-i)&1) {
			*b = b.Flip(place)
		}
	}
}

func toBCD(v uint64) (bcd uint64) {
	for s := 0; v > 0; s += 4 {
		bcd |= v % 10 << s
		v /= 10
	}
	return bcd
}

func fromBCD(bcd uint64) (v uint64, ok bool) {
	for s := 60; s >= 0; s -= 4 {
		digit := bcd >> s & 0xf
		if digit > 9 {
			return 0, false
		}
		v = v*10 + digit
	}
	return v, true
}

// compile fills in what is derived from the description. The description
// must be sound: NewFormat checks a site's own formats, a test the table.
func (f *Format) compile() *Format {
	none := Bits{n: uint8(f.Len)}
	f.fixedMask, f.fixedBits, f.covered = none, none, none
	for _, x := range f.fixed {
		f.fixedMask = f.fixedMask.Flip(x.bit)
		if x.value == 1 {
			f.fixedBits = f.fixedBits.Flip(x.bit)
		}
	}
	for i := range f.parity {
		p := &f.parity[i]
		p.mask = none.Flip(p.bit)
		for _, j := range p.covers {
			p.mask = p.mask.Flip(j)
		}
		f.covered.hi |= p.mask.hi
		f.covered.lo |= p.mask.lo
	}
	if f.xorBytes > 0 {
		f.covered = none.Invert() // such formats have no other bits
	}
	for _, fl := range []*field{&f.facility, &f.number, &f.issue, &f.oem} {
		n := len(fl.bits)
		if n == 0 {
			continue
		}
		if fl.max == 0 {
			_, fl.max = mask(n)
		}
		fl.run = true
		for i, at := range fl.bits[1:] {
			fl.run = fl.run && at == fl.bits[i]+1
		}
		fl.shift = uint(f.Len - 1 - fl.bits[n-1])
	}
	return f
}
