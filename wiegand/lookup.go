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

// VerifiedFormats returns the known formats whose tables are not in doubt, in
// an order that suits all of them being enabled: those with parity first,
// since the others take any frame of their length.
func VerifiedFormats() []*Format {
	list := slices.DeleteFunc(Formats(), func(f *Format) bool { return f.Unverified })
	slices.SortStableFunc(list, func(a, b *Format) int {
		switch {
		case a.Checked() == b.Checked():
			return 0
		case a.Checked():
			return -1
		}
		return 1
	})
	return list
}

// FormatByName finds a known format; case does not matter. "raw26", with any
// length from 1 to MaxBits, takes frames of so many bits unchecked, and their
// number is the value of all bits.
func FormatByName(name string) (*Format, error) {
	for _, f := range table {
		if strings.EqualFold(f.Name, name) {
			return f, nil
		}
	}
	if len(name) > 3 && strings.EqualFold(name[:3], "raw") {
		if n, err := strconv.Atoi(name[3:]); err == nil {
			return rawFormat(n)
		}
	}
	near, off := nearest(name)
	if off <= max(1, len(name)/3) {
		return nil, fmt.Errorf("unknown format %q: did you mean %s?", name, near)
	}
	var known []string
	for _, f := range table {
		known = append(known, f.Name)
	}
	return nil, fmt.Errorf("unknown format %q: there are %s, and raw26 with any length", name, strings.Join(known, ", "))
}

// rawFormat is the format that checks nothing but the length.
func rawFormat(n int) (*Format, error) {
	if n < 1 || n > MaxBits {
		return nil, fmt.Errorf("raw%d: a frame has 1 to %d bits", n, MaxBits)
	}
	places := make([]int, 0, 64)
	for i := max(0, n-64); i < n; i++ {
		places = append(places, i)
	}
	f := &Format{
		Name: fmt.Sprintf("raw%d", n), Description: fmt.Sprintf("any %d bits, unchecked", n),
		Len: n, Number: Field{Bits: places}, unchecked: true,
	}
	return f.compile(), nil
}

// Matches names every known format whose length and checks fit, in the order
// of the table. The length and parity of a frame can't name its format: every
// H10301 frame is an ind26 frame as well.
func Matches(b Bits) []string { return MatchesAmong(table, b) }

// MatchesAmong is Matches over the given formats.
func MatchesAmong(formats []*Format, b Bits) (names []string) {
	for _, f := range formats {
		if _, ok := f.Unpack(b); ok {
			names = append(names, f.Name)
		}
	}
	return names
}

// nearest is the known name with the smallest edit distance, and that.
func nearest(name string) (best string, least int) {
	least = 1 << 30
	for _, f := range table {
		if d := distance(strings.ToLower(name), strings.ToLower(f.Name)); d < least {
			best, least = f.Name, d
		}
	}
	return best, least
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

// The table's short forms.

func field(places string) Field { return Field{Bits: mustPlaces(places)} }

func limited(places string, limit uint64) Field { return Field{Bits: mustPlaces(places), Max: limit} }

func even(bit int, covers string) Parity { return Parity{Bit: bit, Covers: mustPlaces(covers)} }

func odd(bit int, covers string) Parity {
	return Parity{Bit: bit, Odd: true, Covers: mustPlaces(covers)}
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
func parsePlaces(s string) ([]int, error) {
	var places []int
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
