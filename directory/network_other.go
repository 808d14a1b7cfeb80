//go:build !linux

package directory

import "context"

// NetworkChanges returns nil: this system is not asked.
func NetworkChanges(context.Context) <-chan struct{} { return nil }
