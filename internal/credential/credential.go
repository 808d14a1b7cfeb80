// Package credential reads and writes cards as people do. What it can't be sure
// of it refuses, and proposes what may be meant: a number never becomes another
// person's card. It also translates between the cards of package wiegand, which
// have a format, and the tags of package checkout, which are only bits.
//
//	H10301:84:31066          format, facility, number
//	UID32:0xA4DCCC1D         a tag's serial number, as phones print it
//	raw34:9278063906         bit count, all bits as one number; hex after 0x
//	84:31066 84,31066 084,31066 84-31066      as cards are printed
//	0001712142               the ten digits of a fob: facility × 65536 + number
//	0001712142 026,08206     both, which must agree
//	A4:DC:CC:1D              where an enabled format holds just so many bytes
//
// The last four need a format, so they are read only where one card of the
// station's formats can be meant. Facility and number alone are a card of the first
// format that has it; Doubt names the others.
package credential

import (
	"errors"
	"fmt"
	"math/big"
	"strconv"
	"strings"

	"stump/checkout"
	"stump/internal/hint"
	"stump/wiegand"
)

// Forms is the hint for a credential that can't be parsed.
const Forms = "write it as H10301:84:31066 (format, facility, number) or raw34:2321811728 (bits, value of all bits; hex after 0x)"

// BitsPrefix begins bits that are written out: "bits:0101".
const BitsPrefix = "bits:"

// Parse reads a credential. formats are the enabled ones, in order.
func Parse(s string, formats []*wiegand.Format) (wiegand.Bits, error) {
	s = strings.TrimSpace(s)
	if name, rest, ok := strings.Cut(s, ":"); ok {
		if f, err := formatAmong(name, formats); err == nil {
			b, err := withFormat(f, rest)
			if form := (*formError)(nil); errors.As(err, &form) {
				err = fmt.Errorf("%q: %w", s, err)
			}
			return b, hint.Wrap(err, Forms)
		}
	}
	return printed(s, formats)
}

// ParseOriginal reads a credential as Parse does, but a number alone is the value
// of all bits of the first format, as in the original client.
func ParseOriginal(s string, formats []*wiegand.Format) (wiegand.Bits, error) {
	if n, ok := decimal(strings.TrimSpace(s)); ok && len(formats) > 0 {
		b, err := allBits(n, formats[0].Len)
		if err != nil {
			err = fmt.Errorf("%q is not a card: %w", s, err)
		}
		return b, hint.Wrap(err, Forms)
	}
	return Parse(s, formats)
}

// formError says how a format's cards are written.
type formError struct{ format, how string }

func (e *formError) Error() string { return "write " + e.format + ":" + e.how }

func formatAmong(name string, formats []*wiegand.Format) (*wiegand.Format, error) {
	for _, f := range formats {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
	}
	return wiegand.FormatByName(name)
}

// withFormat reads what is behind the name of a format.
func withFormat(f *wiegand.Format, rest string) (wiegand.Bits, error) {
	if f.HasFacility() {
		facility, number, ok := strings.Cut(rest, ":")
		v, ok1 := uintOf(facility)
		n, ok2 := uintOf(number)
		if !ok || !ok1 || !ok2 {
			return wiegand.Bits{}, &formError{f.Name, "FACILITY:NUMBER"}
		}
		return f.Pack(wiegand.Fields{Facility: v, Number: n})
	}
	digits, base := rest, 10
	if hex, ok := strings.CutPrefix(strings.ToLower(rest), "0x"); ok {
		digits, base = hex, 16
	} else if bytes, ok := hexBytes(rest); ok && f.UID() && len(bytes) == 2*f.NumberBytes() {
		if _, plain := decimal(rest); !plain {
			digits, base = bytes, 16
		}
	}
	n, ok := new(big.Int).SetString(digits, base)
	switch {
	case !ok || strings.Trim(digits, "0123456789abcdefABCDEF") != "":
		return wiegand.Bits{}, &formError{f.Name, "NUMBER, in decimal, or hex after 0x"}
	case f.Raw():
		return allBits(n, f.Len)
	case !n.IsUint64():
		return wiegand.Bits{}, fmt.Errorf("%s is too large", rest)
	}
	return f.Pack(wiegand.Fields{Number: n.Uint64()})
}

func uintOf(s string) (uint64, bool) {
	if _, ok := decimal(s); !ok {
		return 0, false
	}
	n, err := strconv.ParseUint(s, 10, 64)
	return n, err == nil
}

// decimal reads digits and nothing else.
func decimal(s string) (*big.Int, bool) {
	if s == "" || strings.Trim(s, "0123456789") != "" {
		return nil, false
	}
	return new(big.Int).SetString(s, 10)
}

// allBits is a card by the value of all its bits.
func allBits(n *big.Int, bits int) (wiegand.Bits, error) {
	if n.BitLen() > bits {
		return wiegand.Bits{}, fmt.Errorf("%s does not fit in %d bits", n, bits)
	}
	var buf [16]byte
	n.FillBytes(buf[:])
	return wiegand.BitsFromBytes(buf, bits)
}

// String writes b in the first of formats that fits and gives every bit, or else
// as raw bits: formats with further fields or unassigned bits don't give all.
func String(b wiegand.Bits, formats []*wiegand.Format) string {
	for _, f := range formats {
		v, ok := f.Unpack(b)
		if !ok {
			continue
		}
		if again, err := f.Pack(wiegand.Fields{Facility: v.Facility, Number: v.Number}); f.Raw() || err != nil || again != b {
			break
		}
		switch {
		case f.HasFacility():
			return fmt.Sprintf("%s:%d:%d", f.Name, v.Facility, v.Number)
		case f.UID():
			return fmt.Sprintf("%s:0x%0*X", f.Name, 2*f.NumberBytes(), v.Number)
		}
		return fmt.Sprintf("%s:%d", f.Name, v.Number)
	}
	return fmt.Sprintf("raw%d:%s", b.Len(), b.Decimal())
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
			base := 10
			if f.UID() {
				base = 16
			}
			return checkout.Mask(strings.ToUpper(strconv.FormatUint(v.Number, base)))
		}
	}
	return t.String()
}
