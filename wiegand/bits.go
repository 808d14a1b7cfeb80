package wiegand

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// MaxBits is the longest frame that is decoded. No known card is longer.
const MaxBits = 128

// Bits is up to MaxBits bits in the order in which they were sent. Two frames
// are the same exactly when they compare equal with ==. The zero value is the
// empty frame.
type Bits struct {
	hi, lo uint64 // the bits as one number, the first bit sent most significant
	n      uint8
}

// ParseBits reads a string of the digits 0 and 1, the first bit sent first.
func ParseBits(s string) (Bits, error) {
	var b Bits
	if s == "" {
		return b, errors.New("no bits")
	}
	for i := range len(s) {
		c := s[i]
		if c != '0' && c != '1' {
			return Bits{}, fmt.Errorf("%q at position %d is not a bit: use 0 and 1 only", c, i+1)
		}
		if !b.Append(c - '0') {
			return Bits{}, fmt.Errorf("more than %d bits", MaxBits)
		}
	}
	return b, nil
}

// BitsFromUint64 returns the n low bits of v, most significant first.
// It panics when n is not in 0 to 64 or v needs more than n bits.
func BitsFromUint64(v uint64, n int) Bits {
	if n < 0 || n > 64 || bits.Len64(v) > n {
		panic(fmt.Sprintf("wiegand: %d does not fit in %d bits", v, n))
	}
	return Bits{lo: v, n: uint8(n)}
}

// BitsFromBytes is the inverse of Bytes. It fails when the value needs more
// than n bits.
func BitsFromBytes(v [16]byte, n int) (Bits, error) {
	b := Bits{hi: binary.BigEndian.Uint64(v[:8]), lo: binary.BigEndian.Uint64(v[8:]), n: uint8(n)}
	length := bits.Len64(b.lo)
	if b.hi != 0 {
		length = 64 + bits.Len64(b.hi)
	}
	if n < 0 || n > MaxBits || length > n {
		return Bits{}, fmt.Errorf("a value of %d bits does not fit in %d", length, n)
	}
	return b, nil
}

// Append adds one bit, 0 or 1, at the end. When b is full it returns false and
// leaves b unchanged.
func (b *Bits) Append(bit uint8) bool {
	if b.n == MaxBits {
		return false
	}
	b.hi = b.hi<<1 | b.lo>>63
	b.lo = b.lo<<1 | uint64(bit&1)
	b.n++
	return true
}

// Len is the number of bits.
func (b Bits) Len() int { return int(b.n) }

// shift is how far bit i is from the last bit.
func (b Bits) shift(i int) uint {
	if i < 0 || i >= int(b.n) {
		panic(fmt.Sprintf("wiegand: bit %d of %d", i, b.n))
	}
	return uint(int(b.n) - 1 - i)
}

// Bit returns bit i; 0 is the first bit sent. It panics when i is out of range.
func (b Bits) Bit(i int) uint8 { return uint8(b.window(b.shift(i), 1)) }

// Flip returns b with bit i inverted. It panics when i is out of range.
func (b Bits) Flip(i int) Bits {
	s := b.shift(i)
	b.hi ^= 1 << (s - 64) // 0 for the bits of lo: s-64 wraps around
	b.lo ^= 1 << s
	return b
}

// Invert returns b with every bit inverted: what arrives when DATA0 and DATA1
// are swapped.
func (b Bits) Invert() Bits {
	hi, lo := mask(int(b.n))
	b.hi ^= hi
	b.lo ^= lo
	return b
}

// insert returns b with a 0 put in as bit i.
func (b Bits) insert(i int) (r Bits) {
	for j := range b.Len() {
		if j == i {
			r.Append(0)
		}
		r.Append(b.Bit(j))
	}
	return r
}

// window is the value of the width bits, at most 64, that end shift bits before
// the end. A shift by 64 or more, also one that wraps around, gives 0.
func (b Bits) window(shift uint, width int) uint64 {
	_, m := mask(width)
	return (b.lo>>shift | b.hi<<(64-shift) | b.hi>>(shift-64)) & m
}

// mask has the n low bits set.
func mask(n int) (hi, lo uint64) { return 1<<max(n-64, 0) - 1, 1<<n - 1 }

// Uint64 is the value of all bits as one number; ok is false when it needs
// more than 64 bits.
func (b Bits) Uint64() (v uint64, ok bool) { return b.lo, b.hi == 0 }

// Bytes is the value of all bits, big endian, right aligned.
func (b Bits) Bytes() (v [16]byte) {
	binary.BigEndian.PutUint64(v[:8], b.hi)
	binary.BigEndian.PutUint64(v[8:], b.lo)
	return v
}

// Decimal is the value of all bits as one decimal number, which the original
// client used as the number of a tag.
func (b Bits) Decimal() string {
	v := b.Bytes()
	return new(big.Int).SetBytes(v[:]).String()
}

// String is the bits as 0 and 1, the first bit sent first, with leading zeros.
func (b Bits) String() string {
	s := make([]byte, b.n)
	for i := range s {
		s[i] = '0' + b.Bit(i)
	}
	return string(s)
}
