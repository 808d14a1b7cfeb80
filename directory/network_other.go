//go:build !linux

package directory

import "context"

// NetworkChanges returns nil: it needs Linux.
func NetworkChanges(context.Context) <-chan struct{} { return nil }
