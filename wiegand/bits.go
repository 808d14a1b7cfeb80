package wiegand

import (
	"errors"
	"fmt"
	"math/big"
	"math/bits"
)

// MaxBits is the longest frame that is decoded.
const MaxBits = 128

// Bits is up to MaxBits bits in the order in which they were sent. Two Bits
// are the same frame exactly when they compare equal with ==. The zero value
// is the empty frame.
type Bits struct {
	hi, lo uint64 // the bits as one number, first bit sent most significant
	n      uint8
}

// ErrTooLong is returned for more than MaxBits bits. Shorten the frame: no
// known card format is longer than 128 bits.
var ErrTooLong = fmt.Errorf("more than %d bits", MaxBits)

// ParseBits reads a string of the digits 0 and 1, first bit sent first.
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
			return Bits{}, ErrTooLong
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

// BitsFromDecimal reads the decimal value of all n bits, 1 to MaxBits.
func BitsFromDecimal(s string, n int) (Bits, error) {
	if n < 1 || n > MaxBits {
		return Bits{}, fmt.Errorf("%d bits: a frame has 1 to %d", n, MaxBits)
	}
	if s == "" {
		return Bits{}, errors.New("no number")
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return Bits{}, fmt.Errorf("%q is not a decimal number", s)
		}
	}
	v, ok := new(big.Int).SetString(s, 10)
	if !ok || v.BitLen() > n {
		return Bits{}, fmt.Errorf("%s does not fit in %d bits", s, n)
	}
	var buf [16]byte
	v.FillBytes(buf[:])
	return BitsFromBytes(buf, n)
}

// BitsFromBytes is the inverse of Bytes. It fails when the value needs more
// than n bits.
func BitsFromBytes(v [16]byte, n int) (Bits, error) {
	var b Bits
	for i := range 8 {
		b.hi = b.hi<<8 | uint64(v[i])
		b.lo = b.lo<<8 | uint64(v[8+i])
	}
	length := bits.Len64(b.lo)
	if b.hi != 0 {
		length = 64 + bits.Len64(b.hi)
	}
	if n < 0 || n > MaxBits || length > n {
		return Bits{}, fmt.Errorf("a value of %d bits does not fit in %d", length, n)
	}
	b.n = uint8(n)
	return b, nil
}

// Append adds one bit, 0 or 1, at the end. It reports false, and leaves b
// alone, when b is full.
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

// Bit returns bit i; 0 is the first bit sent. It panics when i is out of range.
func (b Bits) Bit(i int) uint8 {
	if i < 0 || i >= int(b.n) {
		panic(fmt.Sprintf("wiegand: bit %d of %d", i, b.n))
	}
	s := uint(int(b.n) - 1 - i)
	if s >= 64 {
		return uint8(b.hi>>(s-64)) & 1
	}
	return uint8(b.lo>>s) & 1
}

// Flip returns b with bit i inverted.
func (b Bits) Flip(i int) Bits {
	_ = b.Bit(i)
	s := uint(int(b.n) - 1 - i)
	if s >= 64 {
		b.hi ^= 1 << (s - 64)
	} else {
		b.lo ^= 1 << s
	}
	return b
}

// Invert returns b with every bit inverted: what arrives when DATA0 and DATA1
// are exchanged.
func (b Bits) Invert() Bits {
	hi, lo := mask(int(b.n))
	b.hi ^= hi
	b.lo ^= lo
	return b
}

// or sets the bits of the given number, in the value of all bits.
func (b Bits) or(lo, hi uint64) Bits {
	b.hi |= hi
	b.lo |= lo
	return b
}

// insert returns b with a 0 put in at place i, so that it becomes bit i.
func (b Bits) insert(i int) Bits {
	var r Bits
	for j := range int(b.n) + 1 {
		switch {
		case j < i:
			r.Append(b.Bit(j))
		case j == i:
			r.Append(0)
		default:
			r.Append(b.Bit(j - 1))
		}
	}
	return r
}

// window is the value of width bits, at most 64, that end shift bits before
// the end.
func (b Bits) window(shift uint8, width int) uint64 {
	v := b.lo>>shift | b.hi<<(64-shift)
	if shift >= 64 {
		v = b.hi >> (shift - 64)
	}
	_, m := mask(width)
	return v & m
}

// mask has the n low bits set.
func mask(n int) (hi, lo uint64) {
	if n >= 64 {
		return 1<<uint(n-64) - 1, ^uint64(0)
	}
	return 0, 1<<uint(n) - 1
}

// Uint64 is the value of all bits as one number; ok is false when it needs
// more than 64 bits.
func (b Bits) Uint64() (v uint64, ok bool) { return b.lo, b.hi == 0 }

// Bytes is the value of all bits, big endian, right aligned.
func (b Bits) Bytes() [16]byte {
	var v [16]byte
	for i := range 8 {
		v[i] = byte(b.hi >> (56 - 8*i))
		v[8+i] = byte(b.lo >> (56 - 8*i))
	}
	return v
}

// Decimal is the value of all bits as one decimal number, the number that the
// original client used for a tag.
func (b Bits) Decimal() string {
	v := b.Bytes()
	return new(big.Int).SetBytes(v[:]).String()
}

// String is the bits as 0 and 1, first bit sent first, leading zeros kept.
func (b Bits) String() string {
	s := make([]byte, b.n)
	for i := range s {
		s[i] = '0' + b.Bit(i)
	}
	return string(s)
}
