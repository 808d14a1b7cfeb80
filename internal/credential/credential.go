// Package credential translates between the cards of package wiegand, which have
// a format, and the tags of package checkout, which are only bits.
package credential

import (
	"strconv"

	"stump/checkout"
	"stump/internal/hint"
	"stump/wiegand"
)

// Forms is the hint for a credential that can't be parsed.
const Forms = "write it as H10301:84:31066 (format, facility, number), raw34:2321811728 (bits, decimal value) or a plain decimal"

// BitsPrefix begins bits that are written out: "bits:0101".
const BitsPrefix = "bits:"

// Parse reads a credential in the form of [Forms]. formats are the configured
// ones, in order.
func Parse(s string, formats []*wiegand.Format) (wiegand.Bits, error) {
	b, err := wiegand.ParseCredential(s, formats)
	return b, hint.Wrap(err, Forms)
}

// String writes b in the first of formats that fits, or else as raw bits.
func String(b wiegand.Bits, formats []*wiegand.Format) string {
	for _, f := range formats {
		if _, ok := f.Unpack(b); ok {
			return wiegand.Credential(b, f)
		}
	}
	return wiegand.Credential(b, nil)
}

// Tag returns the tag with these bits.
func Tag(b wiegand.Bits) checkout.Tag {
	return checkout.Tag{Bits: uint8(b.Len()), Value: b.Bytes()}
}

// Bits is the inverse of Tag. It fails if the tag's value doesn't fit its bit
// count.
func Bits(t checkout.Tag) (wiegand.Bits, error) {
	return wiegand.BitsFromBytes(t.Value, int(t.Bits))
}

// Mask is what logs and pages show of a tag: the last three digits of the number
// printed on the card, or of the value of all bits if no format has the number.
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
