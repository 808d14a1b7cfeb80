//go:build race

package wiegand

// The race detector makes the tables ten times as slow and finds nothing in
// them, for they are one goroutine. `make test` runs them whole without it.
func init() { *damageCards /= 10 }
