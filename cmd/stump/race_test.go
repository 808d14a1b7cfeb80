//go:build race

package main

// The race detector needs some times as much memory and time.
func init() {
	flat *= 5
	soon *= 5
}
