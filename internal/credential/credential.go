// Package credential turns the written form of a credential into bits and
// back. The written forms are
//
//	H10301:84:31066     format, facility, number
//	H10302:1234567      format, number, for a format without a facility
//	raw34:9278063906    bit count, decimal value of all bits
//	9278063906          the same, with the bit count of the first configured format
//	bits:0101…          the bits themselves, only where BitsPrefix is allowed
//
// It stands between wiegand, which knows formats, and checkout, which knows
// only that a tag is so many bits of such a value.
package credential

import (
	"fmt"
	"strconv"
	"strings"

	"stump/checkout"
	"stump/internal/hint"
	"stump/wiegand"
)

// Forms is the hint for a credential that can't be read.
const Forms = "write it as H10301:84:31066 (format, facility, number), raw34:9278063906 (bits, decimal value) or a plain decimal"

// BitsPrefix marks bits written out.
const BitsPrefix = "bits:"

// Parse reads a written credential. formats are the configured ones, in order.
func Parse(s string, formats []*wiegand.Format) (wiegand.Bits, error) {
	name, rest, structured := strings.Cut(strings.TrimSpace(s), ":")
	if !structured {
		if len(formats) == 0 {
			return wiegand.Bits{}, hint.Errorf(Forms, "%q: no format is configured that would tell how many bits it has", s)
		}
		return decimal(s, name, formats[0].Len)
	}
	if n, ok := strings.CutPrefix(strings.ToLower(name), "raw"); ok {
		bits, err := strconv.Atoi(n)
		if err != nil {
			return wiegand.Bits{}, hint.Errorf(Forms, "%q: %q is no bit count", s, n)
		}
		return decimal(s, rest, bits)
	}
	return formatted(s, name, rest, formats)
}

func decimal(s, number string, bits int) (wiegand.Bits, error) {
	b, err := wiegand.BitsFromDecimal(number, bits)
	if err != nil {
		return b, hint.Errorf(Forms, "%q is no credential: %w", s, err)
	}
	return b, nil
}

func formatted(s, name, rest string, formats []*wiegand.Format) (wiegand.Bits, error) {
	format, err := find(name, formats)
	if err != nil {
		return wiegand.Bits{}, hint.Wrap(fmt.Errorf("%q is no credential: %w", s, err), Forms)
	}
	facility, number, both := strings.Cut(rest, ":")
	if !both {
		facility, number = "", rest
	}
	if format.HasFacility() && facility == "" {
		return wiegand.Bits{}, hint.Errorf(fmt.Sprintf("write it as %s:FACILITY:NUMBER", format.Name), "%q has no facility, and %s has one", s, format.Name)
	}
	if !format.HasFacility() && facility != "" {
		return wiegand.Bits{}, hint.Errorf(fmt.Sprintf("write it as %s:NUMBER", format.Name), "%q has a facility, and %s has none", s, format.Name)
	}
	var f wiegand.Fields
	if facility != "" {
		if f.Facility, err = strconv.ParseUint(facility, 10, 64); err != nil {
			return wiegand.Bits{}, hint.Errorf(Forms, "%q: %q is no facility", s, facility)
		}
	}
	if f.Number, err = strconv.ParseUint(number, 10, 64); err != nil {
		return wiegand.Bits{}, hint.Errorf(Forms, "%q: %q is no number", s, number)
	}
	bits, err := format.Pack(f)
	if err != nil {
		return wiegand.Bits{}, hint.Errorf("read the number on the card again; it may be printed without its facility", "%q is no credential: %w", s, err)
	}
	return bits, nil
}

// find prefers the configured formats, which may be the site's own.
func find(name string, formats []*wiegand.Format) (*wiegand.Format, error) {
	for _, f := range formats {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
	}
	return wiegand.FormatByName(name)
}

// String is the written form of b: by the first of formats that fits, else raw.
func String(b wiegand.Bits, formats []*wiegand.Format) string {
	for _, f := range formats {
		fields, ok := f.Unpack(b)
		if !ok || strings.HasPrefix(f.Name, "raw") {
			continue
		}
		s := f.Name + ":" + strconv.FormatUint(fields.Number, 10)
		if f.HasFacility() {
			s = fmt.Sprintf("%s:%d:%d", f.Name, fields.Facility, fields.Number)
		}
		// Fields that the written form leaves out would make another card.
		if again, err := Parse(s, formats); err == nil && again == b {
			return s
		}
	}
	return fmt.Sprintf("raw%d:%s", b.Len(), b.Decimal())
}

// Tag is the identity of the credential with these bits.
func Tag(b wiegand.Bits) checkout.Tag {
	return checkout.Tag{Bits: uint8(b.Len()), Value: b.Bytes()}
}

// Bits is the inverse of Tag; a tag from elsewhere may not fit its bit count.
func Bits(t checkout.Tag) (wiegand.Bits, error) {
	return wiegand.BitsFromBytes(t.Value, int(t.Bits))
}
