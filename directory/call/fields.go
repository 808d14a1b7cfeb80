package call

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// fieldsShown is how many of a directory's fields are named where one is missing.
const fieldsShown = 8

// nearest sorts names by how much they resemble name.
func nearest(name string, names []string) []string {
	names = slices.Clone(names)
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(apart(name, a), apart(name, b)) })
	return names
}

// alike reports whether b may be meant by a.
func alike(a, b string) bool { return apart(a, b) < 0.5 }

// apart says how far two names of fields are apart, from 0 to 1: by the letters that
// differ in their last parts, or by how much of the longer is not in the shorter.
func apart(a, b string) float64 {
	x, y := letters(a), letters(b)
	if len(x) > len(y) {
		x, y = y, x
	}
	if len(x) == 0 {
		return 1
	}
	d := float64(edits(x, y)) / float64(len(y))
	if strings.Contains(string(y), string(x)) && len(x) > 2 {
		d = min(d, 0.4) // RFID in "RFID Tag"
	}
	return d
}

// letters are the letters and digits of the last part of a name: of "custom:RFID" or
// "urn:example:User:badge.value", in lower case.
func letters(name string) []rune {
	name = strings.TrimSuffix(strings.ToLower(name), ".value")
	name = name[strings.LastIndexAny(name, ":.")+1:]
	return []rune(strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, name))
}

// edits is the Levenshtein distance.
func edits(a, b []rune) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i, x := range a {
		before := row[0]
		row[0] = i + 1
		for j, y := range b {
			cost := before
			if x != y {
				cost++
			}
			before = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

// Members returns the names of the members that a struct is read from, for
// List.Keep.
func Members[T any](more ...string) func(name string) bool {
	t := reflect.TypeFor[T]()
	for i := range t.NumField() {
		if name, _, _ := strings.Cut(t.Field(i).Tag.Get("json"), ","); name != "" && name != "-" {
			more = append(more, name)
		}
	}
	return AnyOf(more...)
}

// AnyOf keeps the members of these names, in upper or lower case.
func AnyOf(names ...string) func(name string) bool {
	return func(name string) bool {
		return slices.ContainsFunc(names, func(n string) bool { return strings.EqualFold(n, name) })
	}
}
