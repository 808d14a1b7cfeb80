package wiegand

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// Credential is the written form of a card: "H10301:84:31066" (format,
// facility, number), "H10302:1160" where the format has no facility, or
// "raw34:2321811728" (bit count, decimal value of all bits) where the short
// form does not say every bit: of formats with further fields or unassigned
// bits, and where f is nil.
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
func ParseCredential(s string, formats []*Format) (Bits, *Format, error) {
	part := strings.Split(strings.TrimSpace(s), ":")
	if len(part) == 1 {
		if len(formats) == 0 {
			return Bits{}, nil, fmt.Errorf("%q: without a format, write a card as H10301:84:31066 or raw34:2321811728", s)
		}
		b, err := BitsFromDecimal(part[0], formats[0].Len)
		if err != nil {
			return Bits{}, nil, fmt.Errorf("%q is no card: %w", s, err)
		}
		return b, formats[0], nil
	}
	f, err := formatAmong(part[0], formats)
	if err != nil {
		return Bits{}, nil, err
	}
	if f.Raw() {
		if len(part) != 2 {
			return Bits{}, nil, fmt.Errorf("%q: write %s:NUMBER", s, f.Name)
		}
		b, err := BitsFromDecimal(part[1], f.Len)
		return b, f, err
	}
	v, err := f.fields(part[1:])
	if err != nil {
		return Bits{}, nil, fmt.Errorf("%q: %w", s, err)
	}
	b, err := f.Pack(v)
	return b, f, err
}

func formatAmong(name string, formats []*Format) (*Format, error) {
	for _, f := range formats {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
	}
	return FormatByName(name)
}

func (f *Format) fields(part []string) (v Fields, err error) {
	want := f.Name + ":NUMBER"
	into := []*uint64{&v.Number}
	if f.HasFacility() {
		want = f.Name + ":FACILITY:NUMBER"
		into = []*uint64{&v.Facility, &v.Number}
	}
	if len(part) != len(into) {
		return v, errors.New("write " + want)
	}
	for i, p := range part {
		n, err := strconv.ParseUint(p, 10, 64)
		if err != nil {
			return v, fmt.Errorf("%q is not a number: write %s", p, want)
		}
		*into[i] = n
	}
	return v, nil
}
