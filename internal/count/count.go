// Package count writes numbers of things in words: "1 card", "2 cards".
package count

import (
	"fmt"
	"strings"
)

type number interface {
	~int | ~int64 | ~uint32 | ~uint64
}

// Of returns n and the thing that it counts: "1 row", "2 rows".
func Of[N number](n N, thing string) string {
	switch {
	case n == 1:
		return "1 " + thing
	case thing == "person":
		return fmt.Sprintf("%d people", n)
	case strings.HasSuffix(thing, "sh"):
		return fmt.Sprintf("%d %ses", n, thing)
	}
	return fmt.Sprintf("%d %ss", n, thing)
}

// Were is Of with its verb: "1 row was", "2 rows were".
func Were[N number](n N, thing string) string {
	if n == 1 {
		return Of(n, thing) + " was"
	}
	return Of(n, thing) + " were"
}
