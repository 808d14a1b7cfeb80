package wiegand

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Credential is the written form of a card: "H10301:84:31066" (format,
// facility, number), or "H10302:1160" where the format has no facility. Where
// that does not give every bit (formats with further fields or unassigned bits,
// raw formats, no format at all), it is "raw34:2321811728": the bit count and
// the decimal value of all bits.
func Credential(b Bits, f *Format) string {
	if f != nil && !f.Raw() {
		if v, ok := f.Unpack(b); ok {
			if again, err := f.Pack(Fields{Facility: v.Facility, Number: v.Number}); err == nil && again == b {
				if f.HasFacility() {
					return fmt.Sprintf("%s:%d:%d", f.Name, v.Facility, v.Number)
				}
				return fmt.Sprintf("%s:%d", f.Name, v.Number)
			}
		}
	}
	return fmt.Sprintf("raw%d:%s", b.Len(), b.Decimal())
}

// ParseCredential reads the written form of a card. A plain decimal number is
// the value of all bits of the first of formats. Names are looked up among
// formats first, then among all known ones.
func ParseCredential(s string, formats []*Format) (Bits, error) {
	part := strings.Split(strings.TrimSpace(s), ":")
	if len(part) == 1 {
		if len(formats) == 0 {
			return Bits{}, fmt.Errorf("%q: without a format, write a card as H10301:84:31066 or raw34:2321811728", s)
		}
		b, err := bitsFromDecimal(part[0], formats[0].Len)
		if err != nil {
			return Bits{}, fmt.Errorf("%q is not a card: %w", s, err)
		}
		return b, nil
	}
	f, err := formatAmong(part[0], formats)
	if err != nil {
		return Bits{}, err
	}
	if f.Raw() {
		if len(part) != 2 {
			return Bits{}, fmt.Errorf("%q: write %s:NUMBER", s, f.Name)
		}
		return bitsFromDecimal(part[1], f.Len)
	}
	v, err := f.fields(part[1:])
	if err != nil {
		return Bits{}, fmt.Errorf("%q: %w", s, err)
	}
	return f.Pack(v)
}

func formatAmong(name string, formats []*Format) (*Format, error) {
	for _, f := range formats {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
	}
	return FormatByName(name)
}

// fields reads FACILITY:NUMBER, or NUMBER where the format has no facility.
func (f *Format) fields(part []string) (v Fields, err error) {
	want, into := f.Name+":NUMBER", []*uint64{&v.Number}
	if f.HasFacility() {
		want, into = f.Name+":FACILITY:NUMBER", []*uint64{&v.Facility, &v.Number}
	}
	if len(part) != len(into) {
		return v, errors.New("write " + want)
	}
	for i, p := range part {
		if *into[i], err = strconv.ParseUint(p, 10, 64); err != nil {
			return v, fmt.Errorf("%q is not a number: write %s", p, want)
		}
	}
	return v, nil
}
