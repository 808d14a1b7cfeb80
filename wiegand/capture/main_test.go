package capture

const (
	us = int64(1000) // in nanoseconds
	ms = 1000 * us
)
