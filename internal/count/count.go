// Package count says numbers of things as people do.
package count

import "fmt"

// Of is a number and what it counts: "1 row", "2 rows". thing is one of them,
// and its plural has an s; see OfEither for the others.
func Of[N ~int | ~int64 | ~uint32 | ~uint64](n N, thing string) string {
	return OfEither(n, thing, thing+"s")
}

// OfEither is Of with a plural of its own: "1 person", "2 people".
func OfEither[N ~int | ~int64 | ~uint32 | ~uint64](n N, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
