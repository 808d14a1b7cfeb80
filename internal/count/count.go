// Package count says numbers of things as people do.
package count

import "fmt"

// plurals are those that no s makes.
var plurals = map[string]string{"person": "people"}

// Number is what things are counted in.
type Number interface {
	~int | ~int64 | ~uint32 | ~uint64
}

// Were is Of with its verb: "1 row was", "2 rows were".
func Were[N Number](n N, thing string) string {
	if n == 1 {
		return "1 " + thing + " was"
	}
	return Of(n, thing) + " were"
}

// Of is a number and what it counts, of which thing is one: "1 row", "2 rows".
func Of[N Number](n N, thing string) string {
	if n == 1 {
		return "1 " + thing
	}
	many, ok := plurals[thing]
	if !ok {
		many = thing + "s"
	}
	return fmt.Sprintf("%d %s", n, many)
}
