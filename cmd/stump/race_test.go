//go:build race

package main

// The race detector needs some times as much memory.
func init() { flat *= 5 }
