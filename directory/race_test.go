//go:build race

package directory

// Under the race detector a sequence costs ten times as much, and a race shows in the
// first ones; make proofs plays all of them.
func init() { sequences = 70 }
