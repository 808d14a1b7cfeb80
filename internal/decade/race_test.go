//go:build race

package decade

// The race detector makes a life ten times as long, and finds in its first visits what it can
// find. `make proofs` plays the month without it.
func init() { shortest, *busy = 3, 15 }
