package wiegand

import (
	"fmt"
	"slices"
)

// UID reports whether the number is a tag's serial number, which people read in
// hex.
func (f *Format) UID() bool { return f.uid }

// NumberBytes is how many bytes the number has, the last one whole or not.
func (f *Format) NumberBytes() int { return (len(f.number.bits) + 7) / 8 }

// data are the places that are not there to check the others, in the order in
// which they are sent.
func (f *Format) data() (places []int) {
	for i := range f.Len {
		check := f.fixedMask.Bit(i) == 1 || f.xorBytes > 0 && i >= f.Len-8 ||
			slices.ContainsFunc(f.parity, func(p parity) bool { return p.bit == i })
		if !check {
			places = append(places, i)
		}
	}
	return places
}

// DataBits is how many bits of a card are not there to check the others.
func (f *Format) DataBits() int { return len(f.data()) }

// Data is a card without its parity, checksum and fixed bits.
func (f *Format) Data(b Bits) (d Bits) {
	for _, i := range f.data() {
		d.Append(b.Bit(i))
	}
	return d
}

// PackData is the inverse of Data. It fails unless d has just the bits of the
// format's data, and fits it.
func (f *Format) PackData(d Bits) (Bits, error) {
	places := f.data()
	if d.Len() != len(places) {
		return Bits{}, fmt.Errorf("%s holds %d bits, not %d", f.Name, len(places), d.Len())
	}
	b := f.fixedBits
	for i, place := range places {
		if d.Bit(i) == 1 {
			b = b.Flip(place)
		}
	}
	b = f.seal(b)
	if _, ok := f.Unpack(b); !ok {
		return Bits{}, fmt.Errorf("%s has no card with these bits", f.Name)
	}
	return b, nil
}

// ReverseBytes returns b with its bytes in the other order. It fails unless b is
// whole bytes.
func (b Bits) ReverseBytes() (r Bits, err error) {
	if b.Len()%8 != 0 {
		return Bits{}, fmt.Errorf("%d bits are not whole bytes", b.Len())
	}
	for i := b.Len() - 8; i >= 0; i -= 8 {
		for j := range 8 {
			r.Append(b.Bit(i + j))
		}
	}
	return r, nil
}

// Last returns the last n bits of b, with zeros before them if it has fewer.
func (b Bits) Last(n int) Bits {
	hi, lo := mask(n)
	return Bits{b.hi & hi, b.lo & lo, uint8(n)}
}
