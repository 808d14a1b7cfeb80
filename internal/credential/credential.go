// Package credential stands between wiegand, which knows card formats, and
// checkout, which knows only that a tag is so many bits of such a value.
package credential

import (
	"strconv"

	"stump/checkout"
	"stump/internal/hint"
	"stump/wiegand"
)

// Forms is the hint for a credential that can't be read.
const Forms = "write it as H10301:84:31066 (format, facility, number), raw34:2321811728 (bits, decimal value) or a plain decimal"

// BitsPrefix marks bits that are written out: "bits:0101".
const BitsPrefix = "bits:"

// Parse reads a written credential. formats are the configured ones, in order.
func Parse(s string, formats []*wiegand.Format) (wiegand.Bits, error) {
	b, err := wiegand.ParseCredential(s, formats)
	return b, hint.Wrap(err, Forms)
}

// String is the written form of b: by the first of formats that fits, else raw.
func String(b wiegand.Bits, formats []*wiegand.Format) string {
	for _, f := range formats {
		if _, ok := f.Unpack(b); ok {
			return wiegand.Credential(b, f)
		}
	}
	return wiegand.Credential(b, nil)
}

// Tag is the identity of the credential with these bits.
func Tag(b wiegand.Bits) checkout.Tag {
	return checkout.Tag{Bits: uint8(b.Len()), Value: b.Bytes()}
}

// Bits is the inverse of Tag; a tag from elsewhere may not fit its bit count.
func Bits(t checkout.Tag) (wiegand.Bits, error) {
	return wiegand.BitsFromBytes(t.Value, int(t.Bits))
}

// Mask is what logs and pages show of a tag: the last three digits of the
// number that is printed on the card, or of the value of all bits where no
// format tells the number.
func Mask(t checkout.Tag, formats []*wiegand.Format) string {
	bits, err := Bits(t)
	if err != nil {
		return t.String()
	}
	for _, f := range formats {
		if v, ok := f.Unpack(bits); ok && !f.Raw() {
			return checkout.Mask(strconv.FormatUint(v.Number, 10))
		}
	}
	return t.String()
}
