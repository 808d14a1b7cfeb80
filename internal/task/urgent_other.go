//go:build !linux

package task

// Urgent does nothing here: the daemon runs on Linux.
func Urgent() {}
