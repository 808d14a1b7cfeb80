package wiegand

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

func init() {
	for _, f := range table {
		f.compile()
	}
}

// Formats returns every known format, shortest first, the unverified ones
// included.
func Formats() []*Format { return slices.Clone(table) }

// SafeFormats returns the known formats that can all be enabled together: those
// that have a check and no doubt, and where none has so many bits, those without.
// Any frame passes a format without a check, so beside one that checks it would
// only hide what that refuses.
func SafeFormats() (list []*Format) {
	checked := map[int]bool{}
	for _, f := range table {
		if f.doubt == "" && f.Checked() {
			checked[f.Len] = true
			list = append(list, f)
		}
	}
	for _, f := range table {
		if f.doubt == "" && !f.Checked() && !checked[f.Len] {
			list = append(list, f)
		}
	}
	return list
}

// FormatByName finds a known format; case does not matter. "raw26", with any
// length from 1 to MaxBits, takes frames of so many bits unchecked, and their
// number is the value of all bits. The error lists the known names, or the one
// that was probably meant.
func FormatByName(name string) (*Format, error) {
	for alias, other := range aliases {
		if strings.EqualFold(name, alias) {
			name = other
		}
	}
	var known []string
	near, least := "", 1<<30
	for _, f := range table {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
		known = append(known, f.Name)
		if d := distance(strings.ToLower(name), strings.ToLower(f.Name)); d < least {
			near, least = f.Name, d
		}
	}
	if len(name) > 3 && strings.EqualFold(name[:3], "raw") {
		if n, err := strconv.Atoi(name[3:]); err == nil {
			return rawFormat(n)
		}
	}
	if least <= max(1, len(name)/3) {
		return nil, fmt.Errorf("unknown format %q: did you mean %s?", name, near)
	}
	return nil, fmt.Errorf("unknown format %q: there are %s, and raw26 with any length", name, strings.Join(known, ", "))
}

// rawFormat is the format that checks nothing but the length. Its number is the
// last 64 bits.
func rawFormat(n int) (*Format, error) {
	if n < 1 || n > MaxBits {
		return nil, fmt.Errorf("raw%d: a frame has 1 to %d bits", n, MaxBits)
	}
	f := &Format{Name: fmt.Sprintf("raw%d", n), Len: n, raw: true}
	for i := max(0, n-64); i < n; i++ {
		f.number.bits = append(f.number.bits, i)
	}
	return f.compile(), nil
}

// distance is the Levenshtein distance of two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost = 1 + min(diagonal, row[j], row[j+1])
			}
			diagonal, row[j+1] = row[j+1], cost
		}
	}
	return row[len(b)]
}

// The table's short forms. It has them hundreds of times: inlined they are 20 kB.

//go:noinline
func at(places string) field { return field{bits: mustPlaces(places)} }

//go:noinline
func atMost(places string, limit uint64) field { return field{bits: mustPlaces(places), max: limit} }

//go:noinline
func even(bit int, covers string) parity { return parity{bit: bit, covers: mustPlaces(covers)} }

//go:noinline
func odd(bit int, covers string) parity {
	return parity{bit: bit, odd: true, covers: mustPlaces(covers)}
}

func mustPlaces(s string) []int {
	places, err := parsePlaces(s)
	if err != nil {
		panic("wiegand: table: " + err.Error())
	}
	return places
}

// parsePlaces reads a list such as "0-7,12,9": single places and rising
// ranges, in the order given.
func parsePlaces(s string) (places []int, err error) {
	for part := range strings.SplitSeq(s, ",") {
		part = strings.TrimSpace(part)
		first, last, isRange := strings.Cut(part, "-")
		from, err := strconv.Atoi(strings.TrimSpace(first))
		to := from
		if err == nil && isRange {
			to, err = strconv.Atoi(strings.TrimSpace(last))
		}
		if err != nil || from < 0 || to < from || to >= MaxBits {
			return nil, fmt.Errorf("%q: bits are given as \"0-7,12\", each 0 to %d", part, MaxBits-1)
		}
		for i := from; i <= to; i++ {
			places = append(places, i)
		}
	}
	return places, nil
}
