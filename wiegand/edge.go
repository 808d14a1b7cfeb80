package wiegand

// Edge is one change of level on one of a reader's two data lines.
//
// The daemon works on falling edges alone: the kernel decides the direction of
// an edge in a thread that may run after a short pulse is over, so with both
// edges requested a pulse can come out as rising, rising.
type Edge struct {
	// Time is when the interrupt was taken, in nanoseconds of
	// CLOCK_MONOTONIC (struct gpio_v2_line_event, timestamp_ns). Only
	// differences between times have a meaning.
	Time int64
	// Seq is the kernel's number of the edge over all lines of one request,
	// starting at 1. Consecutive edges have consecutive numbers; a jump means
	// that edges were lost. 0 means that the source does not number its edges.
	Seq uint32
	// Line is 0 for DATA0 and 1 for DATA1.
	Line uint8
	// Rising is true when the line went high, false when it went low.
	Rising bool
}
