package wiegand

import (
	"fmt"
	"slices"
	"strings"
)

// Description is a format as `stump formats --json` prints it. Every key is always
// there; what is unknown, or not in the format, is null.
type Description struct {
	Name     string  `json:"name"`
	Bits     int     `json:"bits"`
	Facility *uint64 `json:"facility_max"` // the largest that fits
	Number   uint64  `json:"number_max"`
	// Layout has a letter for each bit, the first sent first: P parity, F facility,
	// N number, I issue, O OEM, 0 or 1 fixed, X checksum, . unassigned.
	Layout string  `json:"layout"`
	Checks *string `json:"checks"` // as "even 0 over 1-12"; null: any frame passes
	// Proof is "confirmed" by genuine cards, which Cards names, or "unverified".
	Proof  string  `json:"proof"`
	Cards  *string `json:"cards"`
	Source string  `json:"source"`
	Doubt  *string `json:"doubt"`
}

// Describe describes a format.
func (f *Format) Describe() Description {
	d := Description{Name: f.Name, Bits: f.Len, Number: f.Largest().Number, Layout: f.layout(), Checks: f.checks(),
		Proof: "unverified", Source: f.source, Cards: orNull(f.cards), Doubt: orNull(f.doubt)}
	if f.HasFacility() {
		v := f.Largest().Facility
		d.Facility = &v
	}
	if f.cards != "" {
		d.Proof = "confirmed"
	}
	switch {
	case f.raw:
		d.Source = "any frame of this length"
	case f.source == "" && slices.Contains(table, f):
		d.Source = "proxmark3 client/src/wiegand_formats.c"
	case f.source == "":
		d.Source = "the configuration"
	}
	return d
}

func orNull(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Trust says in two words how much it means that a frame fits the format.
func (f *Format) Trust() string {
	check := "unchecked"
	if f.Checked() {
		check = "checked"
	}
	return check + ", " + f.Describe().Proof
}

func (f *Format) layout() string {
	s := []byte(strings.Repeat(".", f.Len))
	put := func(letter byte, places ...int) {
		for _, i := range places {
			s[i] = letter
		}
	}
	put('F', f.facility.bits...)
	put('N', f.number.bits...)
	put('I', f.issue.bits...)
	put('O', f.oem.bits...)
	for _, p := range f.parity {
		put('P', p.bit)
	}
	for _, x := range f.fixed {
		put('0'+x.value, x.bit)
	}
	for i := range 8 * min(f.xorBytes, 1) {
		put('X', f.Len-1-i)
	}
	return string(s)
}

func (f *Format) checks() *string {
	var all []string
	for _, p := range f.parity {
		kind := "even"
		if p.odd {
			kind = "odd"
		}
		all = append(all, fmt.Sprintf("%s %d over %s", kind, p.bit, writePlaces(p.covers)))
	}
	if f.xorBytes > 0 {
		all = append(all, fmt.Sprintf("exclusive or of the first %d bytes in the last", f.xorBytes))
	}
	return orNull(strings.Join(all, "; "))
}

// writePlaces is the inverse of parsePlaces.
func writePlaces(places []int) string {
	var all []string
	for i := 0; i < len(places); {
		j := i
		for j+1 < len(places) && places[j+1] == places[j]+1 {
			j++
		}
		one := fmt.Sprint(places[i])
		if j > i {
			one += fmt.Sprintf("-%d", places[j])
		}
		all, i = append(all, one), j+1
	}
	return strings.Join(all, ",")
}

// Fitting are the known and enabled formats that b fits: first those with a check
// that genuine cards confirm, then other checked ones, confirmed ones, the rest.
func Fitting(b Bits, enabled []*Format) (list []*Format) {
	for _, f := range append(slices.Clone(enabled), table...) {
		if _, ok := f.Unpack(b); ok && !slices.Contains(list, f) && (!f.raw || slices.Contains(enabled, f)) {
			list = append(list, f)
		}
	}
	rank := func(f *Format) (n int) {
		if !f.Checked() {
			n += 2
		}
		if f.cards == "" {
			n++
		}
		return n
	}
	slices.SortStableFunc(list, func(a, b *Format) int { return rank(a) - rank(b) })
	return list
}
