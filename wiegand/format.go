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
	// Doubt is not empty for an unverified format: what is doubtful in its
	// table, or where this table differs from others. Such a format is used
	// only where it is named.
	Doubt string

	// The fields of a card. A field without Bits is not in the format.
	Facility, Number, Issue, OEM Field
	// Parity is computed in this order when a frame is packed.
	Parity []Parity
	// Fixed are the bits that are the same on every card.
	Fixed []Fixed

	fixedFacility uint64 // the only facility of the format, 0 for any
	defaultOEM    uint64 // what an OEM of 0 is packed as
	bcd           bool   // Number is binary coded decimal, four bits a digit
	xorBytes      int    // the last 8 bits are the exclusive or of so many leading bytes
	raw           bool   // all bits are the number, and nothing is checked

	fixedMask, fixedBits Bits
	covered              Bits // the bits that a parity bit covers, parity bits included
}

// A Field is a number within a frame.
type Field struct {
	// Bits are the places of the field's bits in the frame, most significant
	// first; place 0 is the first bit sent.
	Bits []int
	// Max is the largest number that is packed. Larger ones are still read,
	// because the limits of some formats are hearsay.
	Max uint64

	shift uint // distance of the last bit from the frame's end
	run   bool // the places are consecutive and rise
}

// Parity is one parity bit and what it covers.
type Parity struct {
	Bit    int   // place of the parity bit
	Odd    bool  // the count of ones, parity bit included, is odd; else even
	Covers []int // places, without Bit

	mask Bits // Covers and Bit
}

// Fixed is a bit that has the same value on every card of a format.
type Fixed struct {
	Bit   int
	Value uint8
}

// Fields are the numbers of a card.
type Fields struct{ Facility, Number, Issue, OEM uint64 }

// HasFacility reports whether cards of this format have a facility code.
func (f *Format) HasFacility() bool { return len(f.Facility.Bits) > 0 }

// Raw reports whether f takes any frame of its length unchecked, as "raw26".
func (f *Format) Raw() bool { return f.raw }

// Checked reports whether f has any parity or checksum: whether a changed bit
// has a chance to be seen.
func (f *Format) Checked() bool { return len(f.Parity) > 0 || f.xorBytes > 0 }

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
		field *Field
		value uint64
	}{{"facility", &f.Facility, v.Facility}, {"number", &f.Number, v.Number}, {"issue", &f.Issue, v.Issue}, {"oem", &f.OEM, v.OEM}} {
		switch {
		case p.value == 0:
		case len(p.field.Bits) == 0:
			return Bits{}, fmt.Errorf("%s has no %s", f.Name, p.name)
		case p.value > p.field.Max:
			return Bits{}, fmt.Errorf("%s: %s %d is larger than %d", f.Name, p.name, p.value, p.field.Max)
		case f.bcd:
			p.value = toBCD(p.value)
		}
		p.field.put(&b, p.value)
	}
	for i := range f.Parity {
		if p := &f.Parity[i]; !p.holds(b) {
			b = b.Flip(p.Bit)
		}
	}
	if f.xorBytes > 0 {
		b.lo |= f.checksum(b)
	}
	return b, nil
}

// Unpack reads the numbers of a frame. ok is false when the length is wrong
// or a check fails: parity, checksum, fixed bits, decimal digits.
func (f *Format) Unpack(b Bits) (v Fields, ok bool) {
	if b.Len() != f.Len || !f.check(b) {
		return Fields{}, false
	}
	v = Fields{f.Facility.get(b), f.Number.get(b), f.Issue.get(b), f.OEM.get(b)}
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
	for i := range f.Parity {
		if !f.Parity[i].holds(b) {
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
func (p *Parity) holds(b Bits) bool {
	return bits.OnesCount64(b.hi&p.mask.hi^b.lo&p.mask.lo)&1 == 1 == p.Odd
}

func (fl *Field) get(b Bits) (v uint64) {
	if fl.run {
		return b.window(fl.shift, len(fl.Bits))
	}
	for _, i := range fl.Bits {
		v = v<<1 | uint64(b.Bit(i))
	}
	return v
}

func (fl *Field) put(b *Bits, v uint64) {
	for i, place := range fl.Bits {
		if b.Bit(place) != uint8(v>>(len(fl.Bits)-1-i)&1) {
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
	for _, x := range f.Fixed {
		f.fixedMask = f.fixedMask.Flip(x.Bit)
		if x.Value == 1 {
			f.fixedBits = f.fixedBits.Flip(x.Bit)
		}
	}
	for i := range f.Parity {
		p := &f.Parity[i]
		p.mask = none.Flip(p.Bit)
		for _, j := range p.Covers {
			p.mask = p.mask.Flip(j)
		}
		f.covered.hi |= p.mask.hi
		f.covered.lo |= p.mask.lo
	}
	if f.xorBytes > 0 {
		f.covered = none.Invert() // such formats have no other bits
	}
	for _, fl := range []*Field{&f.Facility, &f.Number, &f.Issue, &f.OEM} {
		n := len(fl.Bits)
		if n == 0 {
			continue
		}
		if fl.Max == 0 {
			_, fl.Max = mask(n)
		}
		fl.run = true
		for i, at := range fl.Bits[1:] {
			fl.run = fl.run && at == fl.Bits[i]+1
		}
		fl.shift = uint(f.Len - 1 - fl.Bits[n-1])
	}
	return f
}
